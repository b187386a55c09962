//! The values of a coordinate, numbered in their order.

use std::hash::Hash;

use polars::prelude::*;

use crate::polars::numbers::canonical;

/// Each row's place among the different values, smallest first, and how many there are; `None` if more than the limit.
///
/// Of a null it is any.
pub(super) fn ranks(coordinate: &Series, limit: usize) -> PolarsResult<Option<(Vec<IdxSize>, usize)>> {
    let numbers = canonical(coordinate)?;
    let numbered = match numbers.dtype() {
        // Zero has no sign here.
        DataType::Float64 => numbered(numbers.f64()?.iter().map(|x| x.map(|x| (x + 0.0).to_bits())), limit),
        DataType::Float32 => numbered(numbers.f32()?.iter().map(|x| x.map(|x| (x + 0.0).to_bits())), limit),
        DataType::Int64 => numbered(numbers.i64()?.iter(), limit),
        DataType::Int128 => numbered(numbers.i128()?.iter(), limit),
        _ => Some((vec![0; coordinate.len()], vec![0])),
    };
    let Some((mut ranks, firsts)) = numbered else {
        return Ok(None);
    };
    let mut rank_of = vec![0; firsts.len()];
    let order = coordinate.take_slice(&firsts)?.arg_sort(SortOptions::default());
    for (rank, number) in order.into_no_null_iter().enumerate() {
        rank_of[number as usize] = rank as IdxSize;
    }
    for rank in &mut ranks {
        *rank = rank_of[*rank as usize];
    }
    Ok(Some((ranks, firsts.len())))
}

/// The values numbered as they first appear, and the row where each one does.
fn numbered<T: Copy + Eq + Hash>(
    values: impl Iterator<Item = T>,
    limit: usize,
) -> Option<(Vec<IdxSize>, Vec<IdxSize>)> {
    let mut number_of = PlHashMap::<T, IdxSize>::default();
    let (mut seen, mut firsts) = (Vec::new(), Vec::new());
    let mut last = 0;
    let numbers = values.enumerate().map(|(row, value)| {
        // On a grid a coordinate mostly is that of the row before, or goes on as it did the last time.
        let next = if last + 1 < seen.len() { last + 1 } else { 0 };
        last = if seen.get(last) == Some(&value) {
            last
        } else if seen.get(next) == Some(&value) {
            next
        } else {
            let new = seen.len();
            let number = *number_of.entry(value).or_insert(new as IdxSize) as usize;
            if number == new {
                seen.push(value);
                firsts.push(row as IdxSize);
            }
            number
        };
        (seen.len() <= limit).then_some(last as IdxSize)
    });
    let numbers = numbers.collect::<Option<_>>()?;
    Some((numbers, firsts))
}
