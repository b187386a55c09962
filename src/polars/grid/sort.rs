//! The order of rows by a coordinate.

use std::cmp::Ordering;
use std::convert::Infallible;

use polars::prelude::*;

use crate::parallel::par_ranges;
use crate::polars::numbers::canonical;

/// The rows in the order of a coordinate, those of equal ones in their own. NaN is the largest number; a null is
/// anywhere.
///
/// Polars' own sort starts the thread pool of the Polars inside of the plugin, beside that of the process.
pub(super) fn arg_sort(coordinate: &Series) -> PolarsResult<Vec<IdxSize>> {
    let numbers = canonical(coordinate)?.rechunk();
    macro_rules! values {
        ($numbers:expr) => {
            $numbers?.downcast_as_array().values()
        };
    }
    Ok(match numbers.dtype() {
        DataType::Float64 => sorted(values!(numbers.f64())),
        DataType::Float32 => sorted(values!(numbers.f32())),
        DataType::Int64 => sorted(values!(numbers.i64())),
        _ => sorted(values!(numbers.i128())),
    })
}

fn sorted<T: Copy + PartialOrd + Send + Sync>(values: &[T]) -> Vec<IdxSize> {
    let compare = |a: &(T, IdxSize), b: &(T, IdxSize)| order(a.0, b.0);
    let parts = par_ranges(values.len(), 1, |rows| {
        let first = rows.start as IdxSize;
        let mut part: Vec<_> = values[rows].iter().copied().zip(first..).collect();
        part.sort_by(compare);
        Ok::<_, Infallible>(part)
    });
    let mut pairs = match parts {
        Ok(parts) => parts.concat(),
        Err(never) => match never {},
    };
    // A stable sort merges the parts, which are sorted runs.
    pairs.sort_by(compare);
    pairs.into_iter().map(|(_, row)| row).collect()
}

/// The order of two numbers; a number that is not equal to itself is the largest.
#[expect(clippy::eq_op, reason = "NaN is not equal to itself")]
fn order<T: Copy + PartialOrd>(a: T, b: T) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| (a != a).cmp(&(b != b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_in_the_order_of_their_values() {
        let values = [2.0, f64::NAN, -0.0, f64::NEG_INFINITY, 0.0, f64::INFINITY, 2.0];
        assert_eq!(sorted(&values), [3, 2, 4, 0, 6, 5, 1]);
    }

    #[test]
    fn a_long_column_is_merged_from_parts() {
        let values: Vec<i64> = (0..1_000_000).map(|row| row * 7_919 % 1_009).collect();
        let rows = sorted(&values);
        let pairs: Vec<_> = rows.iter().map(|&row| (values[row as usize], row)).collect();
        assert_eq!(pairs.len(), values.len());
        assert!(pairs.is_sorted_by(|a, b| a < b));
    }
}
