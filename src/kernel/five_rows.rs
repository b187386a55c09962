//! The slope (order 1, accuracy 4) and the second derivative (order 2, accuracy 2) at the middle of five rows, for 64 rows at
//! once or for one.
//!
//! ```text
//! f[j]          rise[j] / step[j]                     g[j] = (f[j+1] - f[j]) / width of three rows      t[j] = g[j+1] - g[j]
//! slope         f after the row - step after it * g around it - a[right] * t[right] - a[left] * t[left]
//!               a[right] = inner * width of the three rows to the left / (width of five * width of the four to the right)
//!               inner: the product of the steps before and after the row
//! second        2 * (g around it + c[right] * t[right] + c[left] * t[left])
//!               c[right] = (step before - step after) / 2 / width of the four rows to the right
//! ```
//!
//! They are Newton's formula in other words: `t` over the width of four rows is a third difference, and the fourth one is
//! contained in both. In floats its roundings add up to more than 4 epsilons of `S` in a few windows of a million. Here
//! coefficients and second differences are rounded once, from exact widths, so that a term has at most nine roundings. That
//! takes a fraction of the time of double-doubles. On an exact grid a line has exactly its slope, and a parabola a constant
//! second derivative.

#![expect(clippy::needless_range_loop, reason = "a loop over lanes reads several arrays")]

use super::double::DoubleDouble;
use super::newton::Differences;
use crate::bits::ROWS;

/// The shared differences of a block of rows, rounded up to whole vectors.
const BLOCK_COUNT: usize = ROWS + 8;

/// The derivative of order 1 or 2 at adjacent rows, given the index of the first difference that the first row reads.
#[inline(always)]
pub(super) fn evaluate<const LANES: usize, const SPAN: usize>(
    order: usize,
    differences: &Differences<SPAN>,
    first: usize,
    values: &mut [f64; LANES],
) {
    let shared = Shared::new::<LANES>(differences, first);
    if order == 1 {
        shared.slopes(values);
    } else {
        shared.second_derivatives(values);
    }
}

/// What several rows read.
struct Shared<const SPAN: usize> {
    steps: Widths<SPAN>,
    /// Of three and four rows.
    threes: Widths<SPAN>,
    fours: Widths<SPAN>,
    /// `f`, `g` and `t`.
    slopes: [f64; SPAN],
    bends: [f64; SPAN],
    changes: [f64; SPAN],
}

/// Double-doubles as two arrays, for vector registers.
struct Widths<const SPAN: usize> {
    high: [f64; SPAN],
    low: [f64; SPAN],
}

impl<const SPAN: usize> Widths<SPAN> {
    #[inline(always)]
    fn get(&self, index: usize) -> DoubleDouble {
        DoubleDouble::new(self.high[index], self.low[index])
    }

    /// The sums of the widths of some rows and the steps after them.
    #[inline(always)]
    fn plus(&self, steps: &Self, after: usize, count: usize) -> Self {
        let mut sums = Self {
            high: [1.0; SPAN],
            low: [0.0; SPAN],
        };
        for j in 0..count {
            let sum = self.get(j).plus(steps.get(j + after));
            (sums.high[j], sums.low[j]) = (sum.high, sum.low);
        }
        sums
    }
}

/// A quotient, rounded once but for a tiny error, given the inverse of the divisor, rounded a few times.
#[inline(always)]
fn quotient(number: DoubleDouble, divisor: DoubleDouble, inverse: f64) -> f64 {
    let quotient = number.high * inverse;
    let rest = (-quotient).mul_add(divisor.high, number.high) + (-quotient).mul_add(divisor.low, number.low);
    rest.mul_add(inverse, quotient)
}

impl<const SPAN: usize> Shared<SPAN> {
    #[inline(always)]
    fn new<const LANES: usize>(differences: &Differences<SPAN>, first: usize) -> Self {
        // A constant length in a block, so that there is no scalar loop for the rest.
        let count = |alone: usize| if LANES == 1 { alone } else { BLOCK_COUNT };
        let mut steps = Widths {
            high: [1.0; SPAN],
            low: [0.0; SPAN],
        };
        let mut slopes = [0.0; SPAN];
        for j in 0..count(4) {
            steps.high[j] = differences.steps[first + j];
            steps.low[j] = differences.rests[first + j];
            slopes[j] = differences.rises[first + j] / steps.high[j];
        }
        let threes = steps.plus(&steps, 1, count(3));
        let fours = threes.plus(&steps, 2, count(2));
        let mut bends = [0.0; SPAN];
        for j in 0..count(3) {
            let difference = DoubleDouble::new(slopes[j + 1] - slopes[j], 0.0);
            bends[j] = quotient(difference, threes.get(j), 1.0 / threes.high[j]);
        }
        let mut changes = [0.0; SPAN];
        for j in 0..count(2) {
            changes[j] = bends[j + 1] - bends[j];
        }
        Self {
            steps,
            threes,
            fours,
            slopes,
            bends,
            changes,
        }
    }

    #[inline(always)]
    fn slopes<const LANES: usize>(&self, values: &mut [f64; LANES]) {
        for lane in 0..LANES {
            let [before, after] = [1, 2].map(|step| self.steps.get(lane + step));
            let [left, right] = [0, 2].map(|three| self.threes.get(lane + three));
            let [left_four, right_four] = [0, 1].map(|four| self.fours.get(lane + four));
            let five = left.plus(right);
            let inner = before.times(after);
            let coefficient = |width: DoubleDouble, four: DoubleDouble| {
                let divisor = five.times(four);
                quotient(inner.times(width), divisor, 1.0 / divisor.high)
            };
            let bend = self.bends[lane + 1];
            let parabola = (-after.low).mul_add(bend, (-after.high).mul_add(bend, self.slopes[lane + 2]));
            let [of_left, of_right] = [coefficient(right, left_four), coefficient(left, right_four)];
            let value = (-of_right).mul_add(self.changes[lane + 1], parabola);
            values[lane] = (-of_left).mul_add(self.changes[lane], value);
        }
    }

    #[inline(always)]
    fn second_derivatives<const LANES: usize>(&self, values: &mut [f64; LANES]) {
        for lane in 0..LANES {
            let [before, after] = [1, 2].map(|step| self.steps.get(lane + step));
            let [left_four, right_four] = [0, 1].map(|four| self.fours.get(lane + four));
            let skew = before.minus(after).scaled(0.5);
            let [left, right] = [left_four, right_four].map(|four| quotient(skew, four, 1.0 / four.high));
            let bend = right.mul_add(self.changes[lane + 1], self.bends[lane + 1]);
            values[lane] = 2.0 * left.mul_add(self.changes[lane], bend);
        }
    }
}
