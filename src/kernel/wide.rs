//! The formulas with extended exponents, for steps, rises and units that leave the range of a float although the slope
//! does not.

use std::ops::{Add, Div, Mul, Sub};

use super::sample::Scale;

/// A float with an exponent of its own: `mantissa * 2^exponent`, where `1 <= |mantissa| < 2` unless it is zero or not
/// finite.
#[derive(Clone, Copy)]
pub(super) struct Wide {
    mantissa: f64,
    exponent: i32,
}

impl Wide {
    pub(super) fn new(value: f64) -> Self {
        Self::normalized(value, 0)
    }

    /// `2 * value`.
    pub(super) fn twice(value: f64) -> Self {
        Self::normalized(value, 1)
    }

    fn normalized(value: f64, exponent: i32) -> Self {
        if value == 0.0 || !value.is_finite() {
            return Self {
                mantissa: value,
                exponent: 0,
            };
        }
        // Subnormal numbers have no leading one: scale them first.
        let (value, exponent) = if value.is_normal() {
            (value, exponent)
        } else {
            (value * power_of_two(100), exponent - 100)
        };
        let own = ((value.to_bits() >> 52 & 0x7ff) as i32) - 1_023;
        Self {
            mantissa: value * power_of_two(-own / 2) * power_of_two(-own - -own / 2),
            exponent: exponent + own,
        }
    }

    /// The nearest float.
    pub(super) fn to_float(self) -> f64 {
        if self.mantissa == 0.0 || !self.mantissa.is_finite() {
            return self.mantissa;
        }
        match self.exponent {
            ..-1_022 => self.mantissa * power_of_two(self.exponent.max(-1_100) + 600) * power_of_two(-600),
            -1_022..=1_023 => self.mantissa * power_of_two(self.exponent),
            _ => self.mantissa * f64::INFINITY,
        }
    }
}

impl Mul for Wide {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        Self::normalized(self.mantissa * other.mantissa, self.exponent + other.exponent)
    }
}

impl Div for Wide {
    type Output = Self;

    fn div(self, other: Self) -> Self {
        Self::normalized(self.mantissa / other.mantissa, self.exponent - other.exponent)
    }
}

impl Add for Wide {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        if self.mantissa == 0.0 {
            return other;
        }
        if other.mantissa == 0.0 {
            return self;
        }
        let (large, small) = if self.exponent < other.exponent {
            (other, self)
        } else {
            (self, other)
        };
        let shift = (small.exponent - large.exponent).max(-200);
        Self::normalized(large.mantissa + small.mantissa * power_of_two(shift), large.exponent)
    }
}

impl Sub for Wide {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + Self {
            mantissa: -other.mantissa,
            ..other
        }
    }
}

/// `2^exponent`, for a normal float.
fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(u64::from((exponent + 1_023).cast_unsigned()) << 52)
}

/// Rises and steps in the units of the result: where these are whole, nothing is rounded.
fn in_units<const N: usize>(rises: [Wide; N], steps: [Wide; N], scale: Scale) -> ([Wide; N], [Wide; N]) {
    let (numerator, denominator) = (Wide::new(scale.numerator), Wide::new(scale.denominator));
    (rises.map(|rise| rise / denominator), steps.map(|step| step / numerator))
}

/// The slope of the parabola through three points at the middle one.
pub(super) fn parabola(rises: [Wide; 2], steps: [Wide; 2], scale: Scale) -> f64 {
    let ([d1, d2], [h1, h2]) = in_units(rises, steps, scale);
    ((d1 / h1 * h2 + d2 / h2 * h1) / (h1 + h2)).to_float()
}

/// The slope of the line through two points.
pub(super) fn two_point(rise: Wide, step: Wide, scale: Scale) -> f64 {
    let ([d], [h]) = in_units([rise], [step], scale);
    (d / h).to_float()
}

/// The slope of the parabola through three points at the one next to `d1` and `h1`.
pub(super) fn three_point(rises: [Wide; 2], steps: [Wide; 2], scale: Scale) -> f64 {
    let ([d1, d2], [h1, h2]) = in_units(rises, steps, scale);
    let (near, far) = (d1 / h1, d2 / h2);
    (near + (near - far) * (h1 / (h1 + h2))).to_float()
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: [f64; 10] = [
        5e-324,
        -3e-310,
        2.3e-308,
        -1e-150,
        0.1,
        1.0,
        -7.0,
        3e150,
        1e300,
        f64::MAX,
    ];

    #[test]
    fn a_float_comes_back_as_it_was() {
        for value in VALUES {
            assert_eq!(Wide::new(value).to_float(), value);
        }
        assert_eq!(Wide::new(0.0).to_float(), 0.0);
        assert_eq!(Wide::new(f64::NEG_INFINITY).to_float(), f64::NEG_INFINITY);
        assert!(Wide::new(f64::NAN).to_float().is_nan());
        assert_eq!(Wide::twice(f64::MAX).to_float(), f64::INFINITY);
        assert_eq!((Wide::twice(f64::MAX) / Wide::new(4.0)).to_float(), f64::MAX / 2.0);
    }

    #[test]
    fn arithmetic_is_that_of_floats_where_these_hold_the_result() {
        for a in VALUES {
            for b in VALUES {
                let (wide_a, wide_b) = (Wide::new(a), Wide::new(b));
                for (wide, float) in [
                    (wide_a * wide_b, a * b),
                    (wide_a / wide_b, a / b),
                    (wide_a + wide_b, a + b),
                    (wide_a - wide_b, a - b),
                ] {
                    if float.is_normal() || float == 0.0 && a == b {
                        assert_eq!(wide.to_float(), float, "{a:e} and {b:e}");
                    }
                }
            }
        }
    }

    #[test]
    fn products_beyond_the_range_of_floats_come_back() {
        let (large, small) = (Wide::new(power_of_two(1_000)), Wide::new(power_of_two(-1_000)));
        assert_eq!((large * large * small).to_float(), power_of_two(1_000));
        assert_eq!((small * small * large * large).to_float(), 1.0);
    }
}
