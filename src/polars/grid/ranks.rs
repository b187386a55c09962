//! Dense ranks of coordinates.

use std::hash::Hash;

use polars::prelude::*;

use super::sort::arg_sort;
use crate::polars::numbers::canonical;

/// The rank of each row among the distinct values, 0 for the smallest, and the number of distinct values; `None` if these are
/// more than `limit`.
///
/// The rank of a null is unspecified.
pub(super) fn ranks(coordinate: &Series, limit: usize) -> PolarsResult<Option<(Vec<IdxSize>, usize)>> {
    let numbers = canonical(coordinate)?;
    let encoded = match numbers.dtype() {
        // Adding zero makes -0.0 equal to 0.0.
        DataType::Float64 => dictionary_encode(numbers.f64()?.iter().map(|x| x.map(|x| (x + 0.0).to_bits())), limit),
        DataType::Float32 => dictionary_encode(numbers.f32()?.iter().map(|x| x.map(|x| (x + 0.0).to_bits())), limit),
        DataType::Int64 => dictionary_encode(numbers.i64()?.iter(), limit),
        _ => dictionary_encode(numbers.i128()?.iter(), limit),
    };
    let Some((mut ranks, first_rows)) = encoded else {
        return Ok(None);
    };
    let mut rank_of = vec![0; first_rows.len()];
    let order = arg_sort(&coordinate.take_slice(&first_rows)?)?;
    for (rank, code) in order.into_iter().enumerate() {
        rank_of[code as usize] = rank as IdxSize;
    }
    for rank in &mut ranks {
        *rank = rank_of[*rank as usize];
    }
    Ok(Some((ranks, first_rows.len())))
}

/// Codes of values in the order of their first appearance, and the row of each one's.
fn dictionary_encode<T: Copy + Eq + Hash>(
    values: impl Iterator<Item = T>,
    limit: usize,
) -> Option<(Vec<IdxSize>, Vec<IdxSize>)> {
    let mut code_of = PlHashMap::<T, IdxSize>::default();
    let (mut dictionary, mut first_rows) = (Vec::new(), Vec::new());
    let mut last = 0;
    let codes = values.enumerate().map(|(row, value)| {
        // On a grid a coordinate mostly repeats that of the row before, or continues in the order of the first line.
        let next = if last + 1 < dictionary.len() { last + 1 } else { 0 };
        last = if dictionary.get(last) == Some(&value) {
            last
        } else if dictionary.get(next) == Some(&value) {
            next
        } else {
            let new = dictionary.len();
            let code = *code_of.entry(value).or_insert(new as IdxSize) as usize;
            if code == new {
                dictionary.push(value);
                first_rows.push(row as IdxSize);
            }
            code
        };
        (dictionary.len() <= limit).then_some(last as IdxSize)
    });
    let codes = codes.collect::<Option<_>>()?;
    Some((codes, first_rows))
}
