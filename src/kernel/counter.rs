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

use super::sample::{Sample, Scale, is_monotonic};
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
    /// Its exact gain exceeds 128 bits.
    TooLarge,
}

/// The rules for floats.
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

    #[inline(always)]
    fn rate(self, gain: f64, step: f64) -> f64 {
        gain * self.scale.numerator / (step * self.scale.denominator)
    }

    /// Whether a level is none of a counter that wraps around.
    #[inline(always)]
    fn is_outside(self, level: f64) -> bool {
        (self.wrap > 0.0) & ((level < 0.0) | (level >= self.wrap))
    }

    /// The result of any row; `None` if it is null.
    ///
    /// # Errors
    ///
    /// A row that is none of a counter.
    fn result<Y: Sample, X: Sample>(self, y: [Y; 2], x: Option<[X; 2]>, zero: Y) -> Result<Option<f64>, Wrong> {
        let step = rising_step(x)?;
        if Y::INTEGER && self.wrap > 0.0 {
            return self.whole_result(y.map(|y| y.to_integer().checked_sub(zero.to_integer())), step);
        }
        let levels = y.map(|y| y.minus(zero));
        if let Some(wrong) = levels.iter().position(|&level| self.is_outside(level)) {
            return Err(Wrong::Outside(wrong));
        }
        let rise = y[1].minus(y[0]);
        let (gain, valid) = self.gain(rise, levels[1]);
        let rate = self.rate(gain, step);
        let result = if self.per_x { rate } else { gain };
        let valid_result = (valid && !(rate > self.max_rate)).then_some(result);
        let half_rise = y[1].half_minus(y[0]);
        let leaves_range = self.per_x && !result.is_finite() && half_rise.is_finite();
        if !leaves_range {
            return Ok(valid_result);
        }
        // The gain or the step leaves the range of a float, but the rate may not.
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

/// The rules for integers: wrap-arounds are computed before they are rounded.
impl Counter {
    /// The gain between two levels; `None` if it is null.
    ///
    /// # Errors
    ///
    /// A rise beyond 128 bits.
    fn exact_gain(self, before: i128, this: i128) -> Result<Option<i128>, Wrong> {
        if this >= before {
            return this.checked_sub(before).map(Some).ok_or(Wrong::TooLarge);
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
    fn is_too_fast(self, gain: f64, step: f64) -> bool {
        self.rate(gain, step) > self.max_rate
    }

    /// Whether a level is none of a counter that wraps around.
    fn is_exactly_outside(self, level: i128) -> bool {
        self.wrap > 0.0 && !(0..self.wrap as i128).contains(&level)
    }

    /// The result of any row, as a float.
    fn whole_result(self, levels: [Option<i128>; 2], step: f64) -> Result<Option<f64>, Wrong> {
        let is_outside = |level: &Option<i128>| level.is_none_or(|level| self.is_exactly_outside(level));
        if let Some(wrong) = levels.iter().position(is_outside) {
            return Err(Wrong::Outside(wrong));
        }
        let [before, this] = levels.map(Option::unwrap_or_default);
        let gain = self.exact_gain(before, this)?.map(|gain| gain as f64);
        let gain = gain.filter(|&gain| !self.is_too_fast(gain, step));
        Ok(gain.map(|gain| if self.per_x { self.rate(gain, step) } else { gain }))
    }

    /// The gain of any row; `None` if it is null.
    ///
    /// # Errors
    ///
    /// A row that is none of a counter.
    fn exact_result<Y: Sample, X: Sample>(
        self,
        y: [Y; 2],
        x: Option<[X; 2]>,
        zero: i128,
    ) -> Result<Option<i128>, Wrong> {
        let step = rising_step(x)?;
        let [Some(before), Some(this)] = y.map(|y| y.to_integer().checked_sub(zero)) else {
            return Err(Wrong::TooLarge);
        };
        if let Some(wrong) = [before, this].iter().position(|&level| self.is_exactly_outside(level)) {
            return Err(Wrong::Outside(wrong));
        }
        let gain = self.exact_gain(before, this)?;
        Ok(gain.filter(|&gain| !self.is_too_fast(gain as f64, step)))
    }
}

/// The step between two rows, 1 without an x.
///
/// # Errors
///
/// Where x is not finite or does not rise.
fn rising_step<X: Sample>(x: Option<[X; 2]>) -> Result<f64, Wrong> {
    match x {
        Some(x) if !is_monotonic(&x) || x[0] > x[1] => Err(Wrong::Unsorted),
        Some(x) => Ok(x[1].minus(x[0])),
        None => Ok(1.0),
    }
}

/// Blocks of at most 64 rows. The usual rows are computed without branches, the others one by one.
impl Counter {
    /// Computes the results of adjacent rows, and returns the mask of those that are not null, of the `asked`: those whose
    /// pairs are in one segment and not null.
    ///
    /// # Errors
    ///
    /// The first row that is none of a counter, if `strict`; otherwise it is null.
    pub(crate) fn results<Y: Sample, X: Sample>(
        self,
        y: Pair<'_, Y>,
        x: Option<Pair<'_, X>>,
        zero: Y,
        asked: u64,
        strict: bool,
        results: &mut [f64; ROWS],
    ) -> Result<u64, (usize, Wrong)> {
        let Masks { mut valid, usual } = match x {
            Some(x) if self.per_x && self.wrap == 0.0 => self.rates(y, x, zero, results),
            _ => self.gains(y, x, zero, results),
        };
        for place in set_bits(asked & !usual, y.this.len()) {
            let result = match self.result(y.at(place), x.map(|x| x.at(place)), zero) {
                Err(wrong) if strict => return Err((place, wrong)),
                result => result.unwrap_or(None),
            };
            results[place] = result.unwrap_or_default();
            valid = valid & !(1 << place) | u64::from(result.is_some()) << place;
        }
        Ok(asked & valid)
    }

    /// [`results`](Self::results) for exact gains of integers.
    ///
    /// # Errors
    ///
    /// As there; a gain beyond 128 bits.
    pub(crate) fn exact_gains<Y: Sample, X: Sample>(
        self,
        y: Pair<'_, Y>,
        x: Option<Pair<'_, X>>,
        zero: Y,
        asked: u64,
        strict: bool,
        results: &mut [i128; ROWS],
    ) -> Result<u64, (usize, Wrong)> {
        let (mut valid, mut usual) = (0, 0);
        if is_64_bits::<Y>() {
            let mut gains = [0; ROWS];
            let gained = self.whole_gains(y, zero, &mut gains);
            let rated = self.rated(x, &gains.map(|gain| gain as f64), &mut [0.0; ROWS]);
            *results = gains.map(i128::from);
            (valid, usual) = (gained.valid & rated.valid, gained.usual & rated.usual);
        }
        for place in set_bits(asked & !usual, y.this.len()) {
            let result = match self.exact_result(y.at(place), x.map(|x| x.at(place)), zero.to_integer()) {
                Err(wrong) if strict => return Err((place, wrong)),
                result => result.unwrap_or(None),
            };
            results[place] = result.unwrap_or_default();
            valid = valid & !(1 << place) | u64::from(result.is_some()) << place;
        }
        Ok(asked & valid)
    }

    /// Rates of a counter that never wraps around, in one pass.
    #[inline(never)]
    fn rates<Y: Sample, X: Sample>(self, y: Pair<'_, Y>, x: Pair<'_, X>, zero: Y, results: &mut [f64; ROWS]) -> Masks {
        let (mut padded_y, mut padded_x) = (None, None);
        dispatch(UnwrappedRates {
            counter: self,
            y: y.block(&mut padded_y),
            x: x.block(&mut padded_x),
            zero,
            results,
        })
    }

    /// Gains or rates of any counter.
    fn gains<Y: Sample, X: Sample>(
        self,
        y: Pair<'_, Y>,
        x: Option<Pair<'_, X>>,
        zero: Y,
        results: &mut [f64; ROWS],
    ) -> Masks {
        let mut gains = [0.0; ROWS];
        let mut gained = if is_64_bits::<Y>() {
            let mut whole = [0; ROWS];
            let gained = self.whole_gains(y, zero, &mut whole);
            gains = whole.map(|gain| gain as f64);
            gained
        } else {
            self.float_gains(y, zero, &mut gains)
        };
        if Y::INTEGER && !is_64_bits::<Y>() && self.wrap > 0.0 {
            gained.usual = 0;
        }
        let rated = self.rated(x, &gains, results);
        Masks {
            valid: gained.valid & rated.valid,
            usual: gained.usual & rated.usual,
        }
    }

    #[inline(never)]
    fn float_gains<Y: Sample>(self, y: Pair<'_, Y>, zero: Y, gains: &mut [f64; ROWS]) -> Masks {
        let mut padded = None;
        let [before, this] = y.block(&mut padded);
        dispatch(FloatGains {
            counter: self,
            before,
            this,
            zero,
            gains,
        })
    }

    #[inline(never)]
    fn whole_gains<Y: Sample>(self, y: Pair<'_, Y>, zero: Y, gains: &mut [u64; ROWS]) -> Masks {
        let mut padded = None;
        let [before, this] = y.block(&mut padded);
        dispatch(WholeGains {
            counter: self,
            before,
            this,
            zero,
            gains,
        })
    }

    /// Takes the results from the gains, which are rates if `per_x`.
    #[inline(never)]
    fn rated<X: Sample>(self, x: Option<Pair<'_, X>>, gains: &[f64; ROWS], results: &mut [f64; ROWS]) -> Masks {
        let mut steps = [1.0; ROWS];
        if let Some(x) = x {
            let mut padded = None;
            let [before, this] = x.block(&mut padded);
            dispatch(Steps {
                before,
                this,
                differences: &mut steps,
            });
        }
        dispatch(Rates {
            counter: self,
            steps: &steps,
            gains,
            results,
        })
    }
}

/// Whether numbers are integers of 64 bits, whose gains 64 bits hold.
const fn is_64_bits<T: Sample>() -> bool {
    T::INTEGER && size_of::<T>() == size_of::<u64>()
}

impl<T: Copy> Pair<'_, T> {
    fn at(self, row: usize) -> [T; 2] {
        [self.before[row], self.this[row]]
    }

    /// The rows, at most 64, padded to as many with the last one. A loop of known length has no scalar end.
    fn block<'a>(&'a self, padded: &'a mut Option<[[T; ROWS]; 2]>) -> [&'a [T; ROWS]; 2] {
        if let (Some(before), Some(this)) = (self.before.first_chunk(), self.this.first_chunk()) {
            return [before, this];
        }
        let pad = |values: &[T]| std::array::from_fn(|row| values[row.min(values.len() - 1)]);
        padded.insert([self.before, self.this].map(pad)).each_ref()
    }
}

/// Masks of 64 rows.
#[derive(Clone, Copy)]
struct Masks {
    /// Rows that are not null.
    valid: u64,
    /// Rows that need no other check.
    usual: u64,
}

impl Masks {
    /// Fills in the results of 64 rows, each with whether it is not null, and whether it needs no other check.
    ///
    /// Usually both hold for all rows. Only then the masks cost nothing.
    #[inline(always)]
    fn fill<T>(results: &mut [T; ROWS], result: impl Fn(usize) -> (T, bool, bool)) -> Self {
        let mut all = true;
        for (row, place) in results.iter_mut().enumerate() {
            let (value, valid, usual) = result(row);
            *place = value;
            all &= valid & usual;
        }
        if all {
            return Self {
                valid: u64::MAX,
                usual: u64::MAX,
            };
        }
        let (mut are_valid, mut are_usual) = ([0; ROWS], [0; ROWS]);
        for row in 0..ROWS {
            let (_, valid, usual) = result(row);
            are_valid[row] = u8::from(valid);
            are_usual[row] = u8::from(usual);
        }
        Self {
            valid: movemask(&are_valid),
            usual: movemask(&are_usual),
        }
    }
}

/// The gains of 64 rows, as floats.
struct FloatGains<'a, 'b, Y> {
    counter: Counter,
    before: &'a [Y; ROWS],
    this: &'a [Y; ROWS],
    zero: Y,
    gains: &'b mut [f64; ROWS],
}

impl<Y: Sample> Kernel for FloatGains<'_, '_, Y> {
    type Output = Masks;

    const WIDEST: bool = size_of::<Y>() <= size_of::<f64>();

    #[inline(always)]
    fn run(self) -> Masks {
        let Self { counter, zero, .. } = self;
        if counter.wrap == 0.0 {
            return Masks::fill(self.gains, |row| {
                let (rise, level) = (self.this[row].minus(self.before[row]), self.this[row].minus(zero));
                let fell = rise < 0.0;
                let gain = if fell { level } else { rise };
                (gain, !fell | (counter.restarts & (level >= 0.0)), true)
            });
        }
        Masks::fill(self.gains, |row| {
            let [y0, y1] = [self.before[row], self.this[row]];
            let (before, level) = (y0.minus(zero), y1.minus(zero));
            let (gain, valid) = counter.gain(y1.minus(y0), level);
            (gain, valid, !(counter.is_outside(before) | counter.is_outside(level)))
        })
    }
}

/// The exact gains of 64 rows of integers of 64 bits: all are from 0 to below 2^64.
struct WholeGains<'a, 'b, Y> {
    counter: Counter,
    before: &'a [Y; ROWS],
    this: &'a [Y; ROWS],
    zero: Y,
    gains: &'b mut [u64; ROWS],
}

impl<Y: Sample> Kernel for WholeGains<'_, '_, Y> {
    type Output = Masks;

    #[inline(always)]
    fn run(self) -> Masks {
        let Self { counter, zero, .. } = self;
        let wrap = (counter.wrap as i128).cast_unsigned();
        let bits = |y: Y| y.to_integer().cast_unsigned() as u64;
        if wrap == 0 {
            return Masks::fill(self.gains, |row| {
                let [y0, y1] = [self.before[row], self.this[row]];
                let fell = y1 < y0;
                let gain = bits(y1).wrapping_sub(bits(if fell { zero } else { y0 }));
                (gain, !fell | (counter.restarts & (y1 >= zero)), true)
            });
        }
        // A fall of more than half of it is a wrap-around.
        let (half, last) = (low_64_bits(wrap / 2), low_64_bits(wrap - 1));
        let wrap = wrap as u64;
        Masks::fill(self.gains, |row| {
            let [y0, y1] = [self.before[row], self.this[row]];
            let [before, level] = [y0, y1].map(|y| bits(y).wrapping_sub(bits(zero)));
            let fell = y1 < y0;
            let fall = before.wrapping_sub(level);
            let is_wrap = fell & (fall > half);
            let fallen = if is_wrap { wrap.wrapping_sub(fall) } else { level };
            let gain = if fell { fallen } else { fall.wrapping_neg() };
            let inside = (y0 >= zero) & (y1 >= zero) & (before <= last) & (level <= last);
            (gain, !fell | is_wrap | (counter.restarts & (y1 >= zero)), inside)
        })
    }
}

/// The rates of 64 rows of a counter that never wraps around.
struct UnwrappedRates<'a, 'b, Y, X> {
    counter: Counter,
    y: [&'a [Y; ROWS]; 2],
    x: [&'a [X; ROWS]; 2],
    zero: Y,
    results: &'b mut [f64; ROWS],
}

impl<Y: Sample, X: Sample> Kernel for UnwrappedRates<'_, '_, Y, X> {
    type Output = Masks;

    const WIDEST: bool = size_of::<Y>() <= size_of::<f64>() && size_of::<X>() <= size_of::<f64>();

    #[inline(always)]
    fn run(self) -> Masks {
        let Self { counter, zero, .. } = self;
        let bits = |y: Y| y.to_integer().cast_unsigned() as u64;
        Masks::fill(self.results, |row| {
            let ([y0, y1], [x0, x1]) = (self.y.map(|y| y[row]), self.x.map(|x| x[row]));
            let fell = y1 < y0;
            let from = if fell { zero } else { y0 };
            let gain = if is_64_bits::<Y>() {
                bits(y1).wrapping_sub(bits(from)) as f64
            } else {
                y1.minus(from)
            };
            let step = x1.minus(x0);
            let rate = counter.rate(gain, step);
            let valid = !fell | (counter.restarts & (y1 >= zero));
            let usual = rises(step) & rate.is_finite();
            (rate, valid & !(rate > counter.max_rate), usual)
        })
    }
}

/// Whether a step is finite and positive.
#[inline(always)]
fn rises(step: f64) -> bool {
    (step > 0.0) & (step < f64::INFINITY)
}

/// The lowest 64 bits of a number, all of them if it has more.
fn low_64_bits(number: u128) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// The steps of 64 rows.
struct Steps<'a, 'b, X> {
    before: &'a [X; ROWS],
    this: &'a [X; ROWS],
    differences: &'b mut [f64; ROWS],
}

impl<X: Sample> Kernel for Steps<'_, '_, X> {
    type Output = ();

    const WIDEST: bool = size_of::<X>() <= size_of::<f64>();

    #[inline(always)]
    fn run(self) {
        for (row, difference) in self.differences.iter_mut().enumerate() {
            *difference = self.this[row].minus(self.before[row]);
        }
    }
}

/// The rates of 64 rows.
struct Rates<'a> {
    counter: Counter,
    steps: &'a [f64; ROWS],
    gains: &'a [f64; ROWS],
    results: &'a mut [f64; ROWS],
}

impl Kernel for Rates<'_> {
    type Output = Masks;

    #[inline(always)]
    fn run(self) -> Masks {
        let Self {
            counter, steps, gains, ..
        } = self;
        if !counter.per_x && counter.max_rate == f64::INFINITY {
            return Masks::fill(self.results, |row| (gains[row], true, rises(steps[row])));
        }
        Masks::fill(self.results, |row| {
            let (gain, step) = (gains[row], steps[row]);
            let rate = counter.rate(gain, step);
            let result = if counter.per_x { rate } else { gain };
            (result, !(rate > counter.max_rate), rises(step) & rate.is_finite())
        })
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
        fn pair(values: &[f64]) -> Pair<'_, f64> {
            Pair {
                before: &values[..values.len() - 1],
                this: &values[1..],
            }
        }
        let mut results = [0.0; ROWS];
        let valid = counter.results(pair(y), Some(pair(x)), 0.0, u64::MAX, true, &mut results)?;
        let rows = results.iter().take(y.len() - 1).enumerate();
        Ok(rows
            .map(|(row, value)| (valid >> row & 1 != 0).then_some(*value))
            .collect())
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
    fn integers_of_64_bits_gain_what_wider_ones_do() {
        let numbers = [
            0,
            1,
            5,
            127,
            128,
            255,
            256,
            1 << 62,
            i64::MAX,
            -1,
            -9,
            i64::MIN,
            i64::MIN + 7,
        ];
        let pairs = || numbers.iter().flat_map(|&before| numbers.map(|this| (before, this)));
        for wrap in [0.0, 1.0, 255.0, 256.0, 2_f64.powi(62), 2_f64.powi(64), 1e30] {
            for (restarts, zero) in [(true, 0), (false, 0), (true, i64::MIN), (false, i64::MIN)] {
                for max_rate in [f64::INFINITY, 100.0] {
                    let counter = Counter {
                        restarts,
                        wrap,
                        max_rate,
                        ..rules(false)
                    };
                    for (before, this) in pairs() {
                        let (mut narrow, mut wide) = ([0; ROWS], [0; ROWS]);
                        let y = Pair {
                            before: &[before],
                            this: &[this],
                        };
                        let valid = counter.exact_gains::<_, f64>(y, None, zero, 1, true, &mut narrow);
                        let (before, this, zero) = (before.into(), this.into(), zero.into());
                        let y = Pair {
                            before: &[before],
                            this: &[this],
                        };
                        let expected = counter.exact_gains::<i128, f64>(y, None, zero, 1, true, &mut wide);
                        assert_eq!(valid, expected, "{before} to {this} from {zero}, {counter:?}");
                        if valid == Ok(1) {
                            assert_eq!(narrow[0], wide[0], "{before} to {this} from {zero}, {counter:?}");
                        }
                    }
                }
            }
        }
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
        assert_eq!(rules(false).exact_gain(i128::MIN, i128::MAX), Err(Wrong::TooLarge));
    }
}
