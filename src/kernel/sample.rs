//! Numbers whose differences are exact, and their units.

use crate::bits::{ROWS, movemask};
use crate::dispatch::{Kernel, dispatch};

/// A number with exact differences.
///
/// Floats are subtracted as floats, integers as integers. Only the difference becomes a float, rounded once, so that
/// unsigned columns do not wrap around and nanoseconds since 1970 keep every digit.
pub trait Sample: Copy + PartialOrd + sealed::Sealed {
    /// Whether the differences are integers, which a [`Scale`] converts to their unit.
    const INTEGER: bool;

    /// `self - earlier`, rounded once.
    fn minus(self, earlier: Self) -> f64;

    /// `(self - earlier) * scale`, rounded once, and its rounding error. The scale is a power of two. The error of 128-bit
    /// integers is rounded too.
    fn split_minus(self, earlier: Self, scale: f64) -> (f64, f64);

    /// Half of `self - earlier`. It does not overflow for finite numbers.
    fn half_minus(self, earlier: Self) -> f64;

    /// Whether the distance to another number exceeds a limit. The comparison is exact.
    ///
    /// False where one of the numbers is not finite.
    fn is_beyond(self, other: Self, limit: Limit) -> bool;

    /// Whether the distance to another number is a limit or exceeds it. The comparison is exact.
    ///
    /// False where one of the numbers is not finite.
    fn reaches(self, other: Self, limit: Limit) -> bool;

    /// Zero for a finite number, else NaN. A stencil adds it for a value of weight zero.
    fn zero_unless_finite(self) -> f64;

    /// Whether the number is NaN.
    fn is_nan(self) -> bool;

    /// The number as an integer; a float without its fraction.
    fn to_integer(self) -> i128;

    /// The number of an integer, rounded once.
    fn of_integer(integer: i128) -> Self;
}

macro_rules! float_sample {
    ($($float:ty),*) => {$(
        impl Sample for $float {
            const INTEGER: bool = false;

            #[inline(always)]
            fn minus(self, earlier: Self) -> f64 {
                f64::from(self) - f64::from(earlier)
            }

            #[inline(always)]
            fn split_minus(self, earlier: Self, scale: f64) -> (f64, f64) {
                // Scaled first, since the difference may overflow.
                two_sum(f64::from(self) * scale, f64::from(earlier) * -scale)
            }

            #[inline(always)]
            fn half_minus(self, earlier: Self) -> f64 {
                0.5 * f64::from(self) - 0.5 * f64::from(earlier)
            }

            #[inline(always)]
            fn is_beyond(self, other: Self, limit: Limit) -> bool {
                let [a, b] = [self.max(other), self.min(other)].map(f64::from);
                let (distance, rest) = two_sum(a, -b);
                let finite = a.is_finite() & b.is_finite();
                finite & ((distance > limit.float) | ((distance == limit.float) & (rest > 0.0)))
            }

            #[inline(always)]
            fn reaches(self, other: Self, limit: Limit) -> bool {
                let [a, b] = [self.max(other), self.min(other)].map(f64::from);
                let (distance, rest) = two_sum(a, -b);
                let finite = a.is_finite() & b.is_finite();
                finite & ((distance > limit.float) | ((distance == limit.float) & (rest >= 0.0)))
            }

            #[inline(always)]
            fn zero_unless_finite(self) -> f64 {
                f64::from(self) * 0.0
            }

            #[inline(always)]
            fn is_nan(self) -> bool {
                self != self
            }

            fn to_integer(self) -> i128 {
                self as i128
            }

            fn of_integer(integer: i128) -> Self {
                integer as Self
            }
        }
    )*};
}

macro_rules! integer_sample {
    ($($integer:ty: $split:ident),*) => {$(
        impl Sample for $integer {
            const INTEGER: bool = true;

            #[inline(always)]
            fn minus(self, earlier: Self) -> f64 {
                // The distance between the two extremes fits into the unsigned type only.
                let distance = self.abs_diff(earlier) as f64;
                if self < earlier { -distance } else { distance }
            }

            #[inline(always)]
            fn split_minus(self, earlier: Self, scale: f64) -> (f64, f64) {
                let (value, rest) = $split(self.abs_diff(earlier));
                let scale = if self < earlier { -scale } else { scale };
                (value * scale, rest * scale)
            }

            #[inline(always)]
            fn half_minus(self, earlier: Self) -> f64 {
                0.5 * self.minus(earlier)
            }

            #[inline(always)]
            fn is_beyond(self, other: Self, limit: Limit) -> bool {
                u128::from(self.abs_diff(other)) > limit.integer
            }

            #[inline(always)]
            fn reaches(self, other: Self, limit: Limit) -> bool {
                let distance = u128::from(self.abs_diff(other));
                // The limit of integers is rounded down.
                distance > limit.integer || (distance == limit.integer && limit.float <= limit.integer as f64)
            }

            #[inline(always)]
            fn zero_unless_finite(self) -> f64 {
                0.0
            }

            #[inline(always)]
            fn is_nan(self) -> bool {
                false
            }

            fn to_integer(self) -> i128 {
                self.into()
            }

            fn of_integer(integer: i128) -> Self {
                integer as Self
            }
        }
    )*};
}

float_sample!(f32, f64);
integer_sample!(i64: split_u64, i128: split_u128);

mod sealed {
    /// The set of types is closed: columns of other types are converted to these.
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
    impl Sealed for i64 {}
    impl Sealed for i128 {}
}

/// A rise to the nearest multiple of a period: `rise - k * period` for the whole number `k` that makes it smallest.
///
/// A rise of exactly half a period keeps its sign, as in `numpy.unwrap`.
#[inline(always)]
pub(crate) fn wrapped(rise: f64, period: f64) -> f64 {
    let size = rise.abs();
    let turns = (size / period - 0.5).ceil();
    let rest = (-turns).mul_add(period, size);
    // The quotient is rounded, so that the number of turns may be off by one.
    let half = 0.5 * period;
    let rest = if rest > half { rest - period } else { rest };
    let rest = if rest <= -half { rest + period } else { rest };
    if rise < 0.0 { -rest } else { rest }
}

/// Up to here a difference of integers is exact.
pub(super) const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53

/// Up to here the quotient of a rise and its period is less than half a turn off.
const TURNS: f64 = 4_503_599_627_370_496.0; // 2^52

/// The longest rise whose remainder is exact.
#[inline(always)]
fn longest<T: Sample>(period: f64) -> f64 {
    let turns = TURNS * period;
    if T::INTEGER { turns.min(EXACT) } else { turns }
}

/// The rise from one number to a later one, to the nearest multiple of a period; of integers before it is rounded.
#[inline(always)]
pub(crate) fn periodic<T: Sample>(later: T, earlier: T, period: f64) -> f64 {
    let rise = later.minus(earlier);
    if rise.abs() >= longest::<T>(period) && rise.is_finite() {
        wrapped_remainders(later, earlier, period)
    } else {
        wrapped(rise, period)
    }
}

/// The remainder of a number by a period, with the sign of the number.
fn remainder<T: Sample>(number: T, period: f64) -> f64 {
    let (value, rest) = number.split_minus(T::of_integer(0), 1.0);
    value % period + rest % period
}

/// Numbers as floats, with the remainder by a period for each that is so many turns from zero, or such a large integer,
/// that rises from it are not exact. Rises to the nearest multiple of the period are those of the numbers.
///
/// Each number is judged alone, so that the result at a row does not depend on how much of a column there is.
pub(crate) fn angles<T: Sample>(numbers: &[T], period: f64) -> Vec<f64> {
    let limit = 0.5 * longest::<T>(period);
    let angle = |&number: &T| match number.minus(T::of_integer(0)) {
        far if far.abs() >= limit => remainder(number, period),
        near => near,
    };
    numbers.iter().map(angle).collect()
}

/// The [`periodic`] rise of each row of one column from the same row of another.
pub(crate) fn periodic_rises<T: Sample>(later: &[T], earlier: &[T], period: f64, rises: &mut [f64]) {
    let any_far = dispatch(PeriodicRises {
        later,
        earlier,
        period,
        rises,
    });
    if any_far {
        for (rise, (later, earlier)) in rises.iter_mut().zip(later.iter().zip(earlier)) {
            *rise = periodic(*later, *earlier, period);
        }
    }
}

/// The loop of [`periodic_rises`]. Returns whether any rise is too long for its remainder to be exact.
struct PeriodicRises<'a, T> {
    later: &'a [T],
    earlier: &'a [T],
    period: f64,
    rises: &'a mut [f64],
}

impl<T: Sample> Kernel for PeriodicRises<'_, T> {
    type Output = bool;

    // Integers of 128 bits fill no vector register.
    const WIDEST: bool = size_of::<T>() <= size_of::<f64>();

    #[inline(always)]
    fn run(self) -> bool {
        let mut any_far = false;
        let longest = longest::<T>(self.period);
        for (rise, (later, earlier)) in self.rises.iter_mut().zip(self.later.iter().zip(self.earlier)) {
            let difference = later.minus(*earlier);
            any_far |= difference.abs() >= longest;
            *rise = wrapped(difference, self.period);
        }
        any_far
    }
}

/// [`periodic`] from the remainders of both numbers.
#[cold]
fn wrapped_remainders<T: Sample>(later: T, earlier: T, period: f64) -> f64 {
    let rest = if T::INTEGER && period.fract() == 0.0 {
        let turn = period as i128;
        let [later, earlier] = [later, earlier].map(|number| number.to_integer().rem_euclid(turn));
        wrapped_integer(later - earlier, turn) as f64
    } else {
        wrapped(remainder(later, period) - remainder(earlier, period), period)
    };
    // The remainders may have lost which side of half a period it is on; only the sign of the whole rise says it.
    if 2.0 * rest.abs() == period {
        return rest.abs().copysign(later.minus(earlier));
    }
    rest
}

/// [`wrapped`] for integers.
pub(crate) fn wrapped_integer(rise: i128, period: i128) -> i128 {
    let rest = rise.rem_euclid(period);
    let to_next = period - rest;
    if rest > to_next || (rest == to_next && rise < 0) {
        -to_next
    } else {
        rest
    }
}

/// A sum of two numbers, rounded, and its rounding error (Knuth).
#[inline(always)]
pub(crate) fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let b_seen = sum - a;
    (sum, (a - (sum - b_seen)) + (b - b_seen))
}

/// An integer as a float and its rounding error. Both halves of its digits are exact floats, which vector registers
/// convert.
#[inline(always)]
fn split_u64(integer: u64) -> (f64, f64) {
    let lower = integer & u64::from(u32::MAX);
    two_sum((integer - lower) as f64, lower as f64)
}

/// An integer as a float and its rounding error, which is rounded too.
#[inline(always)]
#[expect(clippy::cast_sign_loss, reason = "the float of an unsigned integer is positive")]
fn split_u128(integer: u128) -> (f64, f64) {
    let float = integer as f64;
    (float, integer.wrapping_sub(float as u128).cast_signed() as f64)
}

/// Whether successive coordinates are finite and strictly rising or falling.
#[inline(always)]
#[must_use]
pub fn is_monotonic<X: Sample>(x: &[X]) -> bool {
    let steps = || x.windows(2);
    let finite = x.iter().all(|x| x.zero_unless_finite() == 0.0);
    finite && (steps().all(|step| step[0] < step[1]) || steps().all(|step| step[0] > step[1]))
}

/// The longest distance between neighbours, for floats and for integers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// Of floats.
    pub float: f64,
    /// Of integers.
    pub integer: u128,
}

/// The unit of the slope: raw differences `dy / dx` are `dy * numerator / (dx * denominator)` in the unit of the
/// result.
///
/// Both are whole numbers if the units are, so that scaling rounds nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// Multiplies differences of y.
    pub numerator: f64,
    /// Multiplies differences of x.
    pub denominator: f64,
}

/// A rise of y in the unit of the slope: a rounded product and its rounding error.
///
/// A difference of nanoseconds or of large integers in another unit may need more digits than a float has. With the
/// error kept, a line in time has exactly its slope.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rise {
    /// The rise, rounded.
    pub value: f64,
    /// What to add for the exact rise.
    pub rest: f64,
}

impl Rise {
    /// A difference that needs no conversion.
    #[inline(always)]
    #[must_use]
    pub fn exact(value: f64) -> Self {
        // Adding a negative zero changes nothing, so the compiler omits the addition.
        Self { value, rest: -0.0 }
    }

    /// `difference * factor`, exactly.
    #[inline(always)]
    #[must_use]
    pub fn scaled(difference: f64, factor: f64) -> Self {
        let value = difference * factor;
        Self {
            value,
            rest: difference.mul_add(factor, -value),
        }
    }

    /// The part of the rise that a slope over a step does not explain.
    #[inline(always)]
    pub(super) fn residual(self, slope: f64, step: f64) -> f64 {
        (-slope).mul_add(step, self.value) + self.rest
    }
}

impl Default for Scale {
    fn default() -> Self {
        Self::ONE
    }
}

impl Scale {
    /// Slopes in the data's own units.
    pub const ONE: Self = Self {
        numerator: 1.0,
        denominator: 1.0,
    };

    /// Divides by another factor. Where the product leaves the range of a float, both factors are scaled by a power of two.
    pub(crate) fn divide(&mut self, factor: f64) {
        const SMALL: f64 = 2.409_919_865_102_884e-181; // 2^-600
        let product = self.denominator * factor;
        let shift = if product.is_infinite() {
            SMALL
        } else if product.is_normal() {
            1.0
        } else {
            SMALL.recip()
        };
        self.numerator *= shift;
        self.denominator *= shift;
        self.denominator *= factor;
    }

    /// A value in the unit of the result, which does not overflow on the way.
    #[inline]
    pub(crate) fn apply(self, value: f64) -> f64 {
        let scaled = value * self.numerator / self.denominator;
        if scaled.is_finite() || !value.is_finite() {
            scaled
        } else {
            value / self.denominator * self.numerator
        }
    }
}

impl Scale {
    /// [`apply`](Self::apply) for 64 values. Returns a mask of those whose result is right; others left the range of a
    /// float on the way.
    pub(crate) fn apply_all(self, values: &mut [f64; ROWS]) -> u64 {
        if self == Self::ONE {
            return u64::MAX;
        }
        let mut any_infinite = false;
        for value in values.iter_mut() {
            *value = *value * self.numerator / self.denominator;
            any_infinite |= value.is_infinite();
        }
        if any_infinite {
            let infinite = values.map(|value| u8::from(value.is_infinite()));
            !movemask(&infinite)
        } else {
            u64::MAX
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integer_differences_round_once_and_never_wrap() {
        assert_eq!(i64::MAX.minus(i64::MIN), 18_446_744_073_709_551_615.0);
        assert_eq!(i64::MIN.minus(i64::MAX), -18_446_744_073_709_551_615.0);
        assert_eq!(
            i128::MIN.minus(i128::MAX),
            -340_282_366_920_938_463_463_374_607_431_768_211_455.0
        );
        let epoch = 1_700_000_000_000_000_000_i64;
        assert_eq!((epoch + 100).minus(epoch), 100.0);
    }

    #[test]
    fn a_rise_is_taken_to_the_nearest_multiple_of_a_period() {
        for (rise, expected) in [
            (10.0, 10.0),
            (-355.0, 5.0),
            (355.0, -5.0),
            (180.0, 180.0),
            (-180.0, -180.0),
            (540.0, 180.0),
            (-540.0, -180.0),
            (181.0, -179.0),
            (720.0, 0.0),
            (0.0, 0.0),
            (1e15 + 7.0, (1e15 + 7.0) % 360.0 - 360.0),
        ] {
            assert_eq!(wrapped(rise, 360.0), expected, "{rise}");
        }
        assert!(wrapped(f64::NAN, 360.0).is_nan() && wrapped(f64::INFINITY, 360.0).is_nan());
        for rise in (-1_000..1_000).map(|rise| f64::from(rise) * 0.1) {
            assert!(wrapped(rise, 0.7).abs() <= 0.35, "{rise}");
        }
    }

    #[test]
    fn the_rises_of_a_column_are_those_of_its_rows() {
        fn check<T: Sample + std::fmt::Debug>(later: &[T], earlier: &[T], period: f64) {
            let mut rises = vec![0.0; later.len()];
            periodic_rises(later, earlier, period, &mut rises);
            for (rise, (later, earlier)) in rises.iter().zip(later.iter().zip(earlier)) {
                assert_eq!(*rise, periodic(*later, *earlier, period), "{earlier:?} to {later:?}");
            }
        }
        let numbers: Vec<i64> = (0..100).map(|row| row * 12_345_678_901 - 600_000_000_000).collect();
        let floats: Vec<f64> = numbers.iter().map(|&number| number as f64 * 1e-7).collect();
        check(&floats[1..], &floats, 360.0);
        check(&numbers[1..], &numbers, 360.0);
        // Here differences are rounded.
        let large: Vec<i64> = numbers.iter().map(|&number| number << 20).collect();
        check(&large[1..], &large, 360.0);
        check(&large[1..], &large, 0.7);
        let larger: Vec<i128> = large.iter().map(|&number| i128::from(number) << 50).collect();
        check(&larger[1..], &larger, 360.0);
        // Here turns are.
        let far: Vec<f64> = floats.iter().map(|float| float * 1e20).collect();
        check(&far[1..], &far, 360.0);
        check(&far[1..], &far, 0.7);
    }

    #[test]
    fn a_rise_of_any_number_of_turns_is_less_than_one() {
        // By Python's math.remainder, which is exact.
        for (far, period, expected) in [
            (1e18, 360.0, -80.0),
            (1e20, 360.0, -80.0),
            (1e25, 360.0, 64.0),
            (1e300, 360.0, 0.0),
            (1e18, std::f64::consts::TAU, -0.169_539_660_112_221_2),
            (1e300, std::f64::consts::TAU, -0.723_426_700_527_021_2),
            (1e16, 0.1, 0.044_888_487_687_421_76),
        ] {
            assert_eq!(periodic(far, 0.0, period), expected, "{far} by {period}");
            assert_eq!(periodic(0.0, far, period), -expected, "{far} by {period}");
            assert_eq!(periodic(far, far, period), 0.0);
        }
        assert_eq!(periodic(i64::MAX, 0, 360.0), 7.0);
        assert_eq!(periodic(0, i64::MIN, 360.0), 8.0);
        // An integer that is no float: 2⁶² + 1 is a multiple of 2.5.
        assert_eq!(periodic((1_i64 << 62) + 2, 0, 2.5), 1.0);
        assert!(periodic(f64::INFINITY, 0.0, 360.0).is_nan());
    }

    #[test]
    fn a_difference_and_its_rounding_error_are_exact() {
        assert_eq!(1e16.split_minus(-1.0, 1.0), (1e16, 1.0));
        assert_eq!(f32::MAX.split_minus(-1.0, 1.0), (f64::from(f32::MAX), 1.0));
        assert_eq!(
            i64::MAX.split_minus(i64::MIN, 1.0),
            (18_446_744_073_709_551_616.0, -1.0)
        );
        assert_eq!(
            (-i64::MAX).split_minus(i64::MAX - 5, 1.0),
            (-18_446_744_073_709_551_616.0, 7.0)
        );
        let distance = (1_i128 << 100) + 12_345;
        assert_eq!(distance.split_minus(0, 1.0), ((1_i128 << 100) as f64, 12_345.0));
        assert_eq!(f64::MAX.split_minus(-f64::MAX, 0.25), (f64::MAX / 2.0, 0.0));
        assert_eq!(0.split_minus(distance, 1.0), (-((1_i128 << 100) as f64), -12_345.0));
    }

    #[test]
    fn only_finite_coordinates_that_rise_or_fall_are_monotonic() {
        assert!(is_monotonic(&[0.0, 1.0, 3.0]) && is_monotonic(&[0.0, -1.0, -1.5]));
        assert!(is_monotonic(&[0.0, 5e-324]) && is_monotonic(&[f64::MIN, 0.0, f64::MAX]));
        assert!(is_monotonic(&[7.0]) && is_monotonic::<f64>(&[]));
        for x in [1.0, 0.0, f64::NAN, f64::INFINITY] {
            assert!(!is_monotonic(&[0.0, 1.0, x]) && !is_monotonic(&[x, 1.0, 1.0]), "{x}");
        }
        assert!(!is_monotonic(&[f64::INFINITY]));
    }

    #[test]
    fn a_factor_beyond_the_range_of_floats_is_kept() {
        let mut scale = Scale {
            denominator: 1e38,
            ..Scale::ONE
        };
        scale.divide(1e300);
        assert!((scale.apply(1e38) / 1e-300 - 1.0).abs() < 1e-15);
        let mut scale = Scale::ONE;
        scale.divide(1e-200);
        scale.divide(1e-200);
        assert!((scale.apply(1e-200) / 1e200 - 1.0).abs() < 1e-15);
    }

    #[test]
    fn a_number_that_is_not_finite_makes_nan_of_what_it_is_added_to() {
        assert_eq!(3.5_f64.zero_unless_finite(), 0.0);
        assert_eq!(i64::MAX.zero_unless_finite(), 0.0);
        assert!(f64::NAN.zero_unless_finite().is_nan() && f32::INFINITY.zero_unless_finite().is_nan());
    }
}
