//! Means of the numbers of one point, as exact as their differences.

use super::sample::{Sample, periodic, wrapped_integer};

/// The mean of floats: the first one and the mean of the rises from it. `None` if there are none.
pub(crate) fn float_mean<T: Sample>(mut numbers: impl Iterator<Item = T>, period: Option<f64>) -> Option<f64> {
    let first = numbers.next()?;
    let (mut sum, mut count) = (0.0, 1.0);
    for number in numbers {
        sum += match period {
            None => number.minus(first),
            Some(period) => periodic(number, first, period),
        };
        count += 1.0;
    }
    Some(first.minus(T::of_integer(0)) + sum / count)
}

/// The mean of integers, with binary digits after the point; without those that are too large. `None` if there are none.
pub(crate) fn whole_mean<T: Sample>(
    numbers: impl Iterator<Item = T>,
    digits: u32,
    period: Option<i128>,
) -> Option<i128> {
    let mut numbers = numbers.filter(|&number| has_mean(number, digits));
    let first = numbers.next()?.to_integer();
    let (mut sum, mut count) = (0_i128, 1_i128);
    for number in numbers {
        let rise = number.to_integer().saturating_sub(first);
        sum = sum.saturating_add(period.map_or(rise, |period| wrapped_integer(rise, period)));
        count += 1;
    }
    // The whole and the fractional part of the mean, each without an overflow.
    let (whole, rest) = (sum.div_euclid(count), sum.rem_euclid(count));
    let fraction = ((rest << digits) + count / 2) / count;
    Some(((first + whole) << digits) + fraction)
}

/// Whether 128 bits hold an integer together with the digits of a mean.
pub(crate) fn has_mean<T: Sample>(number: T, digits: u32) -> bool {
    number.to_integer().unsigned_abs() >> (126 - digits) == 0
}
