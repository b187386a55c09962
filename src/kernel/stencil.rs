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

/// The derivative at the middle of three points of the parabola through them.
///
/// `h1` and `h2` must be finite, non-zero and of one sign.
#[inline(always)]
pub fn parabola(d1: f64, h1: f64, d2: f64, h2: f64) -> f64 {
    let (slope, in_range) = refined(d1, h1, d2, h2);
    if in_range { slope } else { scaled(d1, h1, d2, h2) }
}

/// [`parabola`] with a single division, and whether its intermediate results stayed in range.
///
/// Division is what a stencil spends its time on. Bringing the formula to one denominator leaves one,
/// `1 / (h1 * h2 * (h1 + h2))`, but rounds more often. One step of iterative refinement pays for that: the slope is
/// corrected by what it leaves of the rises, `d - slope * h`, which a fused multiply-add finds exactly. A line on an
/// exact grid so has exactly its slope, and the result is closer to the truth than with three divisions.
#[inline(always)]
pub(super) fn refined(d1: f64, h1: f64, d2: f64, h2: f64) -> (f64, bool) {
    // Within these bounds no product of steps leaves the range of a float: |h| is between 2^-400 and 2^300.
    const MIN_PRODUCT: f64 = 7.888_609_052_210_118e-31; // 2^-100
    const MAX_DENOMINATOR: f64 = 1.606_938_044_258_990_3e60; // 2^200

    let product = h1 * h2;
    let denominator = product * (h1 + h2);
    let inverse = 1.0 / denominator;
    let w1 = h2 * h2 * inverse;
    let w2 = h1 * h1 * inverse;
    let slope = d1.mul_add(w1, d2 * w2);
    let left1 = (-slope).mul_add(h1, d1);
    let left2 = (-slope).mul_add(h2, d2);
    let slope = slope + left1.mul_add(w1, left2 * w2);

    let in_range = (product >= MIN_PRODUCT) & (denominator.abs() <= MAX_DENOMINATOR) & (slope.abs() < f64::INFINITY);
    (slope, in_range)
}

/// [`parabola`] as it is written, for steps and rises of any size.
///
/// The steps only weigh the two slopes, so they may be scaled: by a power of two, which rounds nothing.
#[inline(never)]
fn scaled(d1: f64, h1: f64, d2: f64, h2: f64) -> f64 {
    let scale = inverse_power_of_two(h1.abs().max(h2.abs()));
    let (g1, g2) = (h1 * scale, h2 * scale);
    (d1 / h1 * g2 + d2 / h2 * g1) / (g1 + g2)
}

/// The power of two that brings a positive `x` to between 1 and 2, or as near as floats allow.
fn inverse_power_of_two(x: f64) -> f64 {
    let exponent = (x.to_bits() >> 52).clamp(1, 2045);
    f64::from_bits((2046 - exponent) << 52)
}

/// The derivative at the end of a segment, from its nearest two points: the two-point difference.
#[inline(always)]
pub fn two_point(d: f64, h: f64) -> f64 {
    d / h
}

/// The derivative at the end of a segment of the parabola through its nearest three points.
///
/// `d1`, `h1` lead from the end to its neighbour, `d2`, `h2` from there to the next one.
#[inline(always)]
pub fn three_point(d1: f64, h1: f64, d2: f64, h2: f64) -> f64 {
    let near = d1 / h1;
    let far = d2 / h2;
    near + (near - far) * (h1 / (h1 + h2))
}

/// Whether two successive steps lead through strictly monotonic, finite coordinates.
#[inline(always)]
pub fn monotonic(h1: f64, h2: f64) -> bool {
    let rising = h1 > 0.0 && h2 > 0.0;
    let falling = h1 < 0.0 && h2 < 0.0;
    (rising || falling) && h1.is_finite() && h2.is_finite()
}
