//! The formulas: the slope at a point from the differences to its neighbours.
//!
//! All of them work on *divided differences*. With the steps `h1`, `h2` before and after the point and the rises `d1`,
//! `d2` over them, the derivative at the point of the parabola through the three points is
//!
//! ```text
//! (d1/h1 * h2 + d2/h2 * h1) / (h1 + h2)
//! ```
//!
//! Unlike `a*y[i-1] + b*y[i] + c*y[i+1]` it never adds large values that must cancel.

use super::sample::Rise;

/// The derivative at the middle of three points of the parabola through them.
///
/// `h1` and `h2` must be finite, non-zero and of one sign.
#[inline(always)]
#[must_use]
pub fn parabola(d1: Rise, h1: f64, d2: Rise, h2: f64) -> f64 {
    let (slope, in_range) = refined(d1, h1, d2, h2);
    if in_range {
        slope
    } else {
        scaled(d1.value, h1, d2.value, h2)
    }
}

/// [`parabola`] with a single division, and whether its intermediate results stayed in range.
///
/// Division dominates the time of a stencil. On one denominator the formula has a single division, by
/// `h1 * h2 * (h1 + h2)`, but rounds more often. One step of iterative refinement removes that error: the slope is
/// corrected by the residuals of the rises, `d - slope * h`, which a fused multiply-add computes exactly. A line on an
/// exact grid has exactly its slope, and the error is smaller than with three divisions.
#[inline(always)]
pub(super) fn refined(d1: Rise, h1: f64, d2: Rise, h2: f64) -> (f64, bool) {
    // Within these bounds no product of steps leaves the range of a float: |h| is between 2^-400 and 2^300.
    const MIN_PRODUCT: f64 = 7.888_609_052_210_118e-31; // 2^-100
    const MAX_DENOMINATOR: f64 = 1.606_938_044_258_990_3e60; // 2^200

    let product = h1 * h2;
    let denominator = product * (h1 + h2);
    let inverse = 1.0 / denominator;
    let w1 = h2 * h2 * inverse;
    let w2 = h1 * h1 * inverse;
    let slope = d1.value.mul_add(w1, d2.value * w2);
    let slope = slope + d1.residual(slope, h1).mul_add(w1, d2.residual(slope, h2) * w2);

    // A slope that is not finite makes the sum NaN, and that is not in range either.
    let in_range = (product >= MIN_PRODUCT) & (slope.mul_add(0.0, denominator).abs() <= MAX_DENOMINATOR);
    (slope, in_range)
}

/// [`parabola`] with three divisions, for steps and rises of any size.
///
/// The steps are only the weights of the two slopes, so they may be scaled. A power of two rounds nothing.
#[inline(never)]
fn scaled(d1: f64, h1: f64, d2: f64, h2: f64) -> f64 {
    let scale = inverse_power_of_two(h1.abs().max(h2.abs()));
    let (g1, g2) = (h1 * scale, h2 * scale);
    (d1 / h1 * g2 + d2 / h2 * g1) / (g1 + g2)
}

/// The power of two that scales a positive `x` to between 1 and 2, or as near as floats allow.
pub(crate) fn inverse_power_of_two(x: f64) -> f64 {
    let exponent = (x.to_bits() >> 52).clamp(1, 2045);
    f64::from_bits((2046 - exponent) << 52)
}

/// The derivative at the end of a segment, from its nearest two points: the two-point difference.
#[inline(always)]
#[must_use]
pub fn two_point(d: Rise, h: f64) -> f64 {
    let slope = d.value / h;
    let correction = d.residual(slope, h) / h;
    if d.rest != 0.0 && correction.is_finite() {
        slope + correction
    } else {
        slope
    }
}

/// The derivative at the end of a segment of the parabola through its nearest three points.
///
/// `d1`, `h1` are the rise and the step next to the end, `d2`, `h2` those after.
#[inline]
#[must_use]
pub fn three_point(d1: Rise, h1: f64, d2: Rise, h2: f64) -> f64 {
    let near = two_point(d1, h1);
    let far = two_point(d2, h2);
    near + (near - far) * (h1 / (h1 + h2))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two steps of every size that a column may have.
    fn steps() -> impl Iterator<Item = (f64, f64)> {
        let sizes = [1e-150, 3e-77, 0.1, 1.0, 7.0, 1e12, 2e75, 1e150];
        sizes.into_iter().flat_map(move |h1| sizes.map(|h2| (h1, h2)))
    }

    #[test]
    fn a_line_has_its_slope_on_steps_of_any_size() {
        for (h1, h2) in steps() {
            for sign in [1.0, -1.0] {
                let (h1, h2) = (sign * h1, sign * h2);
                assert_eq!(
                    parabola(Rise::exact(h1), h1, Rise::exact(h2), h2),
                    1.0,
                    "steps {h1:e} and {h2:e}"
                );
                assert_eq!(
                    parabola(Rise::exact(-2.0 * h1), h1, Rise::exact(-2.0 * h2), h2),
                    -2.0,
                    "steps {h1:e} and {h2:e}"
                );
            }
        }
    }

    #[test]
    fn a_constant_has_slope_zero_on_steps_of_any_size() {
        for (h1, h2) in steps() {
            assert_eq!(parabola(Rise::exact(0.0), h1, Rise::exact(0.0), h2), 0.0);
            assert_eq!(three_point(Rise::exact(0.0), h1, Rise::exact(0.0), h2), 0.0);
        }
    }

    #[test]
    fn both_forms_of_the_parabola_agree() {
        for (h1, h2) in [(0.1, 0.7), (3.0, 1e-6), (1e9, 1e12)] {
            let (slope, in_range) = refined(Rise::exact(0.3), h1, Rise::exact(-1.7), h2);
            assert!(in_range);
            let expected = scaled(0.3, h1, -1.7, h2);
            assert!(
                (slope - expected).abs() <= 4.0 * f64::EPSILON * expected.abs(),
                "{slope} against {expected}"
            );
        }
    }

    #[test]
    fn the_rises_may_be_as_large_as_floats_are() {
        // The refinement overflows here, though the slope does not.
        let slope = parabola(Rise::exact(0.0), 1e15, Rise::exact(1e300), 1.0);
        assert!((slope / 1e300 - 1.0).abs() < 1e-14, "{slope:e}");
    }

    #[test]
    fn a_parabola_is_exact_in_the_middle_and_at_its_ends() {
        // y = x² through 1, 3, 4
        assert_eq!(parabola(Rise::exact(8.0), 2.0, Rise::exact(7.0), 1.0), 6.0);
        assert_eq!(three_point(Rise::exact(8.0), 2.0, Rise::exact(7.0), 1.0), 2.0);
        assert_eq!(three_point(Rise::exact(7.0), 1.0, Rise::exact(8.0), 2.0), 8.0);
    }

    #[test]
    fn a_rise_with_more_digits_than_a_float_keeps_them() {
        // 3 units per nanosecond, per day
        let day = 86_400e9;
        for (h1, h2) in [(10_363_245_828.0, 1.0), (7.0, 999_999_999_989.0)] {
            let [d1, d2] = [h1, h2].map(|h| Rise::scaled(3.0 * h, day));
            assert_eq!(parabola(d1, h1, d2, h2), 3.0 * day);
            assert_eq!(two_point(d1, h1), 3.0 * day);
            assert_eq!(three_point(d1, h1, d2, h2), 3.0 * day);
        }
    }

    #[test]
    fn nan_stays_nan() {
        for (d1, d2) in [(f64::NAN, 1.0), (1.0, f64::NAN)] {
            assert!(parabola(Rise::exact(d1), 1.0, Rise::exact(d2), 2.0).is_nan());
        }
    }
}
