//! Counters: what they gained from one row to the next, and how fast.
//!
//! ```text
//! rise = y - y of the row before
//! gain = rise            if it is not negative
//!        rise + wrap     else, if that is less than half of `wrap`: the counter wrapped around
//!        y               else, if y is not negative: it started again from zero
//!        null            else
//! rate = gain / step; null if it exceeds `max_rate`
//! ```

#![expect(
    clippy::needless_bitwise_bool,
    reason = "conditions without branches stay in vector registers"
)]
#![expect(
    clippy::neg_cmp_op_on_partial_ord,
    reason = "a rate that is NaN is not above the highest"
)]

use super::sample::{Sample, Scale, TooLarge, is_monotonic};
use super::wide::{self, Wide};
use crate::bits::{ROWS, movemask, set_bits};
use crate::dispatch::{Kernel, dispatch};

/// The rules of a counter, in the numbers of y.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counter {
    /// Whether the counter starts again from zero where it falls.
    pub(crate) restarts: bool,
    /// The number at which it wraps around; 0 if it never does.
    pub(crate) wrap: f64,
    /// The highest rate, in the unit of `scale`.
    pub(crate) max_rate: f64,
    /// The unit of the rate.
    pub(crate) scale: Scale,
    /// Whether results are rates.
    pub(crate) per_x: bool,
}

/// Two adjacent rows of a column, for as many rows as the slices have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair<'a, T> {
    pub(crate) before: &'a [T],
    pub(crate) this: &'a [T],
}

/// A row that is no row of a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// Its x is not finite, or does not rise.
    Unsorted,
    /// The y before (0) or its own (1) is not from 0 to below `wrap`.
    Outside(usize),
}

impl Counter {
    /// The gain of a row, and whether it is not null, from the levels of both rows: their y, counted from zero.
    #[inline(always)]
    fn gain(self, rise: f64, level: f64) -> (f64, bool) {
        let fell = rise < 0.0;
        let wrapped = rise + self.wrap;
        let is_wrap = fell & (wrapped >= 0.0) & (2.0 * wrapped < self.wrap);
        let fallen = if is_wrap { wrapped } else { level };
        let valid = !fell | is_wrap | (self.restarts & (level >= 0.0));
        (if fell { fallen } else { rise }, valid)
    }

    /// The gain of exact numbers, counted from zero; `None` if it is null.
    ///
    /// # Errors
    ///
    /// A rise beyond 128 bits.
    pub(crate) fn exact_gain(self, before: i128, this: i128) -> Result<Option<i128>, TooLarge> {
        if this >= before {
            return this.checked_sub(before).map(Some).ok_or(TooLarge);
        }
        // Without a wrap it is 0, which no fall reaches.
        let wrap = self.wrap as i128;
        let wrapped = this.checked_sub(before).and_then(|rise| rise.checked_add(wrap));
        match wrapped {
            Some(wrapped) if wrapped >= 0 && wrapped < wrap - wrapped => Ok(Some(wrapped)),
            _ => Ok((self.restarts && this >= 0).then_some(this)),
        }
    }

    /// Whether the rate of a gain is above the highest.
    pub(crate) fn is_too_fast(self, gain: f64, step: f64) -> bool {
        self.rate(gain, step) > self.max_rate
    }

    /// Whether an exact level is none of a counter that wraps around.
    pub(crate) fn is_exactly_outside(self, level: i128) -> bool {
        self.wrap > 0.0 && !(0..self.wrap as i128).contains(&level)
    }

    #[inline(always)]
    fn rate(self, gain: f64, step: f64) -> f64 {
        gain * self.scale.numerator / (step * self.scale.denominator)
    }

    /// Whether a level is none of a counter that wraps around.
    #[inline(always)]
    fn is_outside(self, level: f64) -> bool {
        (self.wrap > 0.0) & ((level < 0.0) | (level >= self.wrap))
    }

    /// The result of a row, whether it is not null, and whether the row needs no other check.
    #[inline(always)]
    fn usual(self, rise: f64, [before, level]: [f64; 2], step: f64) -> (f64, bool, bool) {
        let (gain, valid) = self.gain(rise, level);
        let rate = self.rate(gain, step);
        let result = if self.per_x { rate } else { gain };
        let sorted = (step > 0.0) & (step < f64::INFINITY);
        let usual = sorted & rate.is_finite() & !(self.is_outside(before) | self.is_outside(level));
        (result, valid & !(rate > self.max_rate), usual)
    }

    /// The result of any row; `None` if it is null.
    ///
    /// # Errors
    ///
    /// A row that is none of a counter.
    pub(crate) fn result<Y: Sample, X: Sample>(
        self,
        y: [Y; 2],
        x: Option<[X; 2]>,
        zero: Y,
    ) -> Result<Option<f64>, Wrong> {
        if x.is_some_and(|x| !is_monotonic(&x) || x[0] > x[1]) {
            return Err(Wrong::Unsorted);
        }
        let step = x.map_or(1.0, |x| x[1].minus(x[0]));
        if Y::INTEGER && self.wrap > 0.0 {
            return self.exact_result(y.map(|y| y.to_integer().checked_sub(zero.to_integer())), step);
        }
        let levels = y.map(|y| y.minus(zero));
        if let Some(wrong) = levels.iter().position(|&level| self.is_outside(level)) {
            return Err(Wrong::Outside(wrong));
        }
        let rise = y[1].minus(y[0]);
        let (result, valid, _) = self.usual(rise, levels, step);
        let half_rise = y[1].half_minus(y[0]);
        let leaves_range = self.per_x && !result.is_finite() && half_rise.is_finite();
        if !leaves_range {
            return Ok(valid.then_some(result));
        }
        // The gain or the step leaves the range of a float, but the rate may not.
        let (gain, valid) = self.gain(rise, levels[1]);
        let gain = if rise < 0.0 {
            Wide::new(gain)
        } else {
            Wide::twice(half_rise)
        };
        let step = x.map_or(Wide::new(1.0), |x| Wide::twice(x[1].half_minus(x[0])));
        let rate = wide::two_point(gain, step, self.scale);
        Ok((valid && !(rate > self.max_rate)).then_some(rate))
    }
}

impl Counter {
    /// The result of a row of integers, whose wrap-arounds are computed before they are rounded.
    fn exact_result(self, levels: [Option<i128>; 2], step: f64) -> Result<Option<f64>, Wrong> {
        let is_outside = |level: &Option<i128>| level.is_none_or(|level| self.is_exactly_outside(level));
        if let Some(wrong) = levels.iter().position(is_outside) {
            return Err(Wrong::Outside(wrong));
        }
        let [before, this] = levels.map(Option::unwrap_or_default);
        let gain = self.exact_gain(before, this).unwrap_or_default();
        let gain = gain
            .map(|gain| gain as f64)
            .filter(|&gain| !self.is_too_fast(gain, step));
        Ok(gain.map(|gain| if self.per_x { self.rate(gain, step) } else { gain }))
    }

    /// Computes the results of adjacent rows, 64 at a time, in order.
    ///
    /// `valid` is called with the first of them: the mask of rows whose pairs are in one segment and not null. `append`
    /// gets the results and the mask of those that are not null.
    ///
    /// # Errors
    ///
    /// The first row that is none of a counter, if `strict`; otherwise it is null.
    pub(crate) fn over<Y: Sample, X: Sample>(
        self,
        y: Pair<'_, Y>,
        x: Option<Pair<'_, X>>,
        zero: Y,
        strict: bool,
        mut valid: impl FnMut(usize) -> u64,
        mut append: impl FnMut(&[f64], u64),
    ) -> Result<(), (usize, Wrong)> {
        let rows = y.this.len();
        let mut block = Block::new(self);
        let mut results = [0.0; ROWS];
        for start in (0..rows).step_by(ROWS) {
            let length = ROWS.min(rows - start);
            let asked = valid(start);
            dispatch(Load {
                block: &mut block,
                y: y.rows(start, length),
                x: x.map(|x| x.rows(start, length)),
                zero,
            });
            let (mut are_valid, mut usual) = dispatch(Usual {
                block: &block,
                results: &mut results,
            });
            // Exact numbers say whether the counter wrapped around.
            if Y::INTEGER && self.wrap > 0.0 {
                usual = 0;
            }
            for place in set_bits(asked & !usual, length) {
                let row = start + place;
                let result = match self.result(y.at(row), x.map(|x| x.at(row)), zero) {
                    Err(wrong) if strict => return Err((row, wrong)),
                    result => result.unwrap_or(None),
                };
                results[place] = result.unwrap_or_default();
                are_valid = are_valid & !(1 << place) | u64::from(result.is_some()) << place;
            }
            append(&results[..length], asked & are_valid);
        }
        Ok(())
    }
}

impl<T: Copy> Pair<'_, T> {
    fn at(self, row: usize) -> [T; 2] {
        [self.before[row], self.this[row]]
    }

    fn rows(self, start: usize, length: usize) -> Self {
        Self {
            before: &self.before[start..start + length],
            this: &self.this[start..start + length],
        }
    }
}

/// The differences of 64 rows, as floats: one loop for all types of numbers.
struct Block {
    counter: Counter,
    rises: [f64; ROWS],
    /// Of the rows before, and of the rows.
    levels: [[f64; ROWS]; 2],
    steps: [f64; ROWS],
}

impl Block {
    fn new(counter: Counter) -> Self {
        Self {
            counter,
            rises: [0.0; ROWS],
            levels: [[0.0; ROWS]; 2],
            steps: [1.0; ROWS],
        }
    }
}

/// Takes the differences of at most 64 rows.
struct Load<'a, 'b, Y, X> {
    block: &'b mut Block,
    y: Pair<'a, Y>,
    x: Option<Pair<'a, X>>,
    zero: Y,
}

impl<Y: Sample, X: Sample> Kernel for Load<'_, '_, Y, X> {
    type Output = ();

    const WIDEST: bool = size_of::<Y>() <= size_of::<f64>() && size_of::<X>() <= size_of::<f64>();

    #[inline(always)]
    fn run(self) {
        let Self { block, y, x, zero } = self;
        let [before, level] = &mut block.levels;
        for (row, (y0, y1)) in y.before.iter().zip(y.this).enumerate().take(ROWS) {
            block.rises[row] = y1.minus(*y0);
            before[row] = y0.minus(zero);
            level[row] = y1.minus(zero);
        }
        if let Some(x) = x {
            for (step, (x0, x1)) in block.steps.iter_mut().zip(x.before.iter().zip(x.this)) {
                *step = x1.minus(*x0);
            }
        }
    }
}

/// The results of 64 rows; returns the masks of rows that are not null, and of rows that need no other check.
struct Usual<'a> {
    block: &'a Block,
    results: &'a mut [f64; ROWS],
}

impl Kernel for Usual<'_> {
    type Output = (u64, u64);

    #[inline(always)]
    fn run(self) -> (u64, u64) {
        let Block {
            counter,
            rises,
            levels: [before, level],
            steps,
        } = self.block;
        let (mut valid, mut usual) = ([0; ROWS], [0; ROWS]);
        for row in 0..ROWS {
            let (result, is_valid, is_usual) = counter.usual(rises[row], [before[row], level[row]], steps[row]);
            self.results[row] = result;
            valid[row] = u8::from(is_valid);
            usual[row] = u8::from(is_usual);
        }
        (movemask(&valid), movemask(&usual))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(per_x: bool) -> Counter {
        Counter {
            restarts: true,
            wrap: 0.0,
            max_rate: f64::INFINITY,
            scale: Scale::ONE,
            per_x,
        }
    }

    /// The results of all rows but the first.
    fn over(counter: Counter, y: &[f64], x: &[f64]) -> Result<Vec<Option<f64>>, (usize, Wrong)> {
        let last = y.len() - 1;
        let mut results = Vec::new();
        let y = Pair {
            before: &y[..last],
            this: &y[1..],
        };
        let x = Pair {
            before: &x[..last],
            this: &x[1..],
        };
        counter.over(
            y,
            Some(x),
            0.0,
            true,
            |_| u64::MAX,
            |values, valid| {
                results.extend(
                    values
                        .iter()
                        .enumerate()
                        .map(|(row, value)| (valid >> row & 1 != 0).then_some(*value)),
                );
            },
        )?;
        Ok(results)
    }

    #[test]
    fn a_fall_is_a_restart_a_wrap_or_null() {
        let y = [100.0, 150.0, 20.0, 60.0, 60.0, 5.0];
        let x = [0.0, 10.0, 20.0, 30.0, 40.0, 50.0];
        let gains = |counter| over(counter, &y, &x).expect("a counter");
        assert_eq!(gains(rules(false)), [50.0, 20.0, 40.0, 0.0, 5.0].map(Some));
        assert_eq!(gains(rules(true)), [5.0, 2.0, 4.0, 0.0, 0.5].map(Some));
        let without = Counter {
            restarts: false,
            ..rules(false)
        };
        assert_eq!(gains(without), [Some(50.0), None, Some(40.0), Some(0.0), None]);
        let wrapping = Counter {
            wrap: 256.0,
            ..rules(false)
        };
        assert_eq!(gains(wrapping), [50.0, 126.0, 40.0, 0.0, 5.0].map(Some));
        let slow = Counter {
            max_rate: 3.0,
            ..rules(false)
        };
        assert_eq!(gains(slow), [None, Some(20.0), None, Some(0.0), Some(5.0)]);
    }

    #[test]
    fn rows_that_are_none_of_a_counter_are_an_error() {
        assert_eq!(
            over(rules(true), &[0.0, 1.0, 2.0], &[0.0, 2.0, 1.0]),
            Err((1, Wrong::Unsorted))
        );
        assert_eq!(
            over(rules(true), &[0.0, 1.0], &[0.0, f64::INFINITY]),
            Err((0, Wrong::Unsorted))
        );
        let wrapping = Counter {
            wrap: 256.0,
            ..rules(false)
        };
        assert_eq!(
            over(wrapping, &[0.0, 300.0, 1.0], &[0.0, 1.0, 2.0]),
            Err((0, Wrong::Outside(1)))
        );
    }

    #[test]
    fn a_rate_that_a_float_holds_is_returned() {
        assert_eq!(over(rules(true), &[-1e308, 1e308], &[0.0, 10.0]), Ok(vec![Some(2e307)]));
        assert_eq!(
            over(rules(true), &[0.0, f64::NAN], &[0.0, 1.0]).map(|rates| rates[0].map(f64::is_nan)),
            Ok(Some(true))
        );
    }

    #[test]
    fn exact_gains_are_those_of_floats_where_these_are_exact() {
        for (before, this) in [(5, 9), (9, 5), (200, 3), (-4, -9), (-9, -4), (3, 3)] {
            for wrap in [0.0, 256.0] {
                for restarts in [true, false] {
                    let counter = Counter {
                        restarts,
                        wrap,
                        ..rules(false)
                    };
                    let (gain, valid) = counter.gain((this - before) as f64, this as f64);
                    let exact = counter.exact_gain(before, this).expect("small numbers");
                    assert_eq!(
                        exact.map(|gain| gain as f64),
                        valid.then_some(gain),
                        "{before} to {this}, {counter:?}"
                    );
                }
            }
        }
        assert_eq!(rules(false).exact_gain(i128::MIN, i128::MAX), Err(TooLarge));
    }
}
