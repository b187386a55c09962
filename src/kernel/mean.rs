//! Means of the numbers of one point, as exact as their differences.
//!
//! ```text
//! mean = first + sum(number - first) / count
//! ```

use super::sample::{Sample, periodic, wrapped_integer};

/// The rise from the first number to another one, of floats.
#[inline(always)]
pub(crate) fn float_rise<T: Sample>(number: T, first: T, period: Option<f64>) -> f64 {
    match period {
        None => number.minus(first),
        Some(period) => periodic(number, first, period),
    }
}

/// The mean of floats, from the sum of the rises.
#[inline(always)]
pub(crate) fn float_mean<T: Sample>(first: T, sum: f64, count: u32) -> f64 {
    first.minus(T::of_integer(0)) + sum / f64::from(count)
}

/// The rise from the first number to another one, of integers.
#[inline(always)]
pub(crate) fn whole_rise<T: Sample>(number: T, first: T, period: Option<i128>) -> i128 {
    let rise = number.to_integer().saturating_sub(first.to_integer());
    period.map_or(rise, |period| wrapped_integer(rise, period))
}

/// The mean of integers, with binary digits after the point, from the sum of the rises.
#[inline(always)]
pub(crate) fn whole_mean<T: Sample>(first: T, sum: i128, count: u32, digits: u32) -> i128 {
    let (first, count) = (first.to_integer(), i128::from(count));
    if count == 1 {
        return first << digits;
    }
    // The whole and the fractional part of the mean, each without an overflow. Most points are of two rows, and need no
    // division of 128 bits.
    if count == 2 {
        return ((first + (sum >> 1)) << digits) + ((((sum & 1) << digits) + 1) >> 1);
    }
    let (whole, rest) = (sum.div_euclid(count), sum.rem_euclid(count));
    let fraction = ((rest << digits) + count / 2) / count;
    ((first + whole) << digits) + fraction
}

/// Whether 128 bits hold an integer together with the digits of a mean.
pub(crate) fn has_mean<T: Sample>(number: T, digits: u32) -> bool {
    number.to_integer().unsigned_abs() >> (126 - digits) == 0
}

/// The [`float_mean`] of some numbers; `None` if there are none.
pub(crate) fn mean_of_floats<T: Sample>(mut numbers: impl Iterator<Item = T>, period: Option<f64>) -> Option<f64> {
    let first = numbers.next()?;
    let (mut sum, mut count) = (0.0, 1);
    for number in numbers {
        sum += float_rise(number, first, period);
        count += 1;
    }
    Some(float_mean(first, sum, count))
}

/// The [`whole_mean`] of some numbers without those that are too large; `None` if there are none.
pub(crate) fn mean_of_integers<T: Sample>(
    numbers: impl Iterator<Item = T>,
    digits: u32,
    period: Option<i128>,
) -> Option<i128> {
    let mut numbers = numbers.filter(|&number| has_mean(number, digits));
    let first = numbers.next()?;
    let (mut sum, mut count) = (0_i128, 1);
    for number in numbers {
        sum = sum.saturating_add(whole_rise(number, first, period));
        count += 1;
    }
    Some(whole_mean(first, sum, count, digits))
}
