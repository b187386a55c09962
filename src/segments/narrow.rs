//! Integers of 128 bits in 64 bits, where these hold them: nearly all Decimals.
//!
//! A difference of two numbers is the same integer in both types, and becomes the same float: each rounds it once, half to
//! even. So it does not change a bit of a result which of them is read, and rows of one column may be read either way.

use super::column::Number;
use super::slice::{Lag, Slice};
use crate::dispatch::{Kernel, dispatch};

/// Rows that are converted before the next are looked at: those of a column that does not fit are left early.
const BLOCK: usize = 1 << 12;

/// Adjacent rows of several columns of one length in the narrower type, if it holds all values that are not null.
pub(crate) fn narrowed<'m, T: Number>(
    columns: &[Slice<'m, T>],
    memory: &'m mut Vec<T::Narrow>,
) -> Option<Vec<Slice<'m, T::Narrow>>> {
    let rows = columns.first()?.values.len();
    if !T::IS_WIDE || rows == 0 {
        return None;
    }
    // Usually they are one column, shifted.
    let are_shifted = columns
        .windows(2)
        .all(|pair| std::ptr::eq(pair[0].values.as_ptr().wrapping_add(1), pair[1].values.as_ptr()));
    let count = columns.len();
    memory.resize(
        if are_shifted { rows + count - 1 } else { rows * count },
        T::Narrow::default(),
    );
    let mut free = &mut memory[..];
    let mut only_nulls_do_not_fit = false;
    for (index, column) in columns.iter().enumerate() {
        let new = if are_shifted && index > 0 { rows - 1 } else { 0 };
        for values in column.values[new..].chunks(BLOCK) {
            let (narrow, rest) = free.split_at_mut(values.len());
            free = rest;
            if !T::narrow(values, narrow) && !only_nulls_do_not_fit {
                let have_nulls = columns.iter().any(|column| column.validity.is_some());
                if !have_nulls || !columns.iter().all(all_fit) {
                    return None;
                }
                only_nulls_do_not_fit = true;
            }
        }
    }
    let first = |index: usize| if are_shifted { index } else { index * rows };
    let narrow = |(index, column): (usize, &Slice<'m, T>)| Slice {
        values: &memory[first(index)..][..rows],
        validity: column.validity,
    };
    Some(columns.iter().enumerate().map(narrow).collect())
}

/// Whether the narrower type holds all values that are not null.
#[cold]
fn all_fit<T: Number>(column: &Slice<'_, T>) -> bool {
    let fits = |value: T| T::narrow(&[value], &mut [T::Narrow::default()]);
    (0..column.values.len()).all(|row| column.get(row).is_none_or(fits))
}

/// The same lags with other values of y and x.
pub(crate) fn with_values<'a, Y, X, Z: Copy, W: Copy>(
    lags: &[Lag<'a, Y, X>],
    y: &[Slice<'a, Z>],
    x: Option<&[Slice<'a, W>]>,
) -> Vec<Lag<'a, Z, W>> {
    let lag = |(index, lag): (usize, &Lag<'a, Y, X>)| Lag {
        y: y[index],
        x: x.map(|x| x[index]),
        in_group: lag.in_group,
    };
    lags.iter().enumerate().map(lag).collect()
}

/// Copies the low halves of integers. Returns whether these hold all of them.
pub(super) fn copy_low_halves(values: &[i128], low_halves: &mut [i64]) -> bool {
    dispatch(LowHalves { values, low_halves })
}

struct LowHalves<'a> {
    values: &'a [i128],
    low_halves: &'a mut [i64],
}

impl Kernel for LowHalves<'_> {
    type Output = bool;

    #[inline(always)]
    fn run(self) -> bool {
        let of_low = usize::from(cfg!(target_endian = "big"));
        // As numbers of 128 bits the compiler would not vectorise them.
        let halves: &[[i64; 2]] = bytemuck::cast_slice(self.values);
        let mut lost = 0;
        for (low, halves) in self.low_halves.iter_mut().zip(halves) {
            *low = halves[of_low];
            // The other half repeats the sign.
            lost |= halves[1 - of_low] ^ (halves[of_low] >> 63);
        }
        lost == 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::bits::{Bitmap, Bits};
    use crate::kernel::{Limit, Sample};

    /// Integers around the ends of 64 bits, and others.
    fn integers() -> impl Strategy<Value = i128> {
        let ends = [i64::MIN, i64::MAX, 0].map(i128::from);
        prop_oneof![
            20 => any::<i64>().prop_map(i128::from),
            20 => (0_usize..3, -2_i128..3).prop_map(move |(end, distance)| ends[end] + distance),
            1 => any::<i128>(),
        ]
    }

    fn bitmap(bits: &[bool]) -> Vec<u8> {
        let mut bitmap = Bitmap::default();
        for &bit in bits {
            bitmap.push(bit.into(), 1);
        }
        bitmap.into_bytes()
    }

    proptest! {
        /// The operators read numbers by these functions and by comparisons, and nothing else depends on their type.
        #[test]
        fn differences_have_the_same_bits_in_both_types(pair in any::<[i64; 2]>(), near in -9_i64..9, limit in any::<u128>()) {
            let scale = 2.0_f64.powi(-40);
            for [a, b] in [pair, [pair[0], pair[0].saturating_add(near)], [i64::MIN, pair[0]], [i64::MAX, i64::MIN]] {
                let [wide_a, wide_b] = [a, b].map(i128::from);
                let bits = |(value, rest): (f64, f64)| [value, rest].map(f64::to_bits);
                prop_assert_eq!(a.minus(b).to_bits(), wide_a.minus(wide_b).to_bits());
                prop_assert_eq!(a.half_minus(b).to_bits(), wide_a.half_minus(wide_b).to_bits());
                prop_assert_eq!(bits(a.split_minus(b, scale)), bits(wide_a.split_minus(wide_b, scale)));
                for integer in [limit, limit >> 64, a.abs_diff(b).into()] {
                    for float in [integer as f64, integer as f64 + 0.5] {
                        let limit = Limit { float, integer };
                        prop_assert_eq!(a.is_beyond(b, limit), wide_a.is_beyond(wide_b, limit));
                        prop_assert_eq!(a.reaches(b, limit), wide_a.reaches(wide_b, limit));
                    }
                }
            }
        }

        #[test]
        fn columns_are_narrowed_if_64_bits_hold_all_that_is_not_null(
            rows in vec((integers(), any::<bool>(), any::<bool>()), 3..40),
            (are_shifted, count, with_nulls) in (any::<bool>(), 1_usize..4, any::<[bool; 2]>()),
            only_large_are_null in any::<bool>(),
        ) {
            let (values, valid): (Vec<_>, Vec<_>) = rows.iter().map(|row| (row.0, row.1)).unzip();
            let fits = |value: &i128| i64::try_from(*value).is_ok();
            let valid = if only_large_are_null { values.iter().map(fits).collect() } else { valid };
            // The lags of a column may have nulls of their own: those of rows that do not exist.
            let others: Vec<_> = valid.iter().zip(&rows).map(|(valid, row)| *valid && row.2).collect();
            let bytes = [&valid, &others].map(|bits| bitmap(bits));
            let copies = vec![values.clone(); count];
            let length = values.len() + 1 - count;
            let columns: Vec<_> = (0..count).map(|lag| {
                let values = if are_shifted { &values } else { &copies[lag] };
                let nulls = usize::from(lag > 0);
                Slice {
                    values: &values[lag..lag + length],
                    validity: with_nulls[nulls].then(|| Bits::new(&bytes[nulls], lag)),
                }
            }).collect();
            let expected = columns.iter().all(|column| {
                (0..length).all(|row| column.get(row).is_none_or(|value| fits(&value)))
            });
            let mut memory = vec![7; 30];
            let narrow = narrowed(&columns, &mut memory);
            prop_assert_eq!(narrow.is_some(), expected);
            for (narrow, column) in narrow.iter().flatten().zip(&columns) {
                prop_assert_eq!(narrow.values.len(), length);
                for row in 0..length {
                    prop_assert_eq!(narrow.get(row).map(i128::from), column.get(row));
                }
            }
        }
    }

    #[test]
    fn other_types_are_read_as_they_are() {
        let column = |values| Slice { values, validity: None };
        assert!(narrowed(&[column(&[1_i64, 2][..])], &mut Vec::new()).is_none());
        assert!(narrowed::<i128>(&[], &mut Vec::new()).is_none());
        assert!(
            narrowed::<i128>(
                &[Slice {
                    values: &[],
                    validity: None
                }],
                &mut Vec::new()
            )
            .is_none()
        );
    }
}
