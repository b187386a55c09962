//! Differences of a column, which the kernels of windows read instead of its values.
//!
//! ```text
//! step[row] = value[row] - value[row - lag]            exact: a float and its rounding error
//!             - period * (wraps between both rows)     of a periodic y
//! ```
//!
//! Kernels read them through a trait object, 64 rows per call, so that a kernel is compiled once and not once per pair
//! of types.

use std::ops::Range;

use super::sample::{EXACT, Sample, two_sum};
use super::stencil::inverse_power_of_two;
use crate::bits::ROWS;
use crate::dispatch::{Kernel, dispatch};

/// The differences of 64 rows, each the sum of a float and its rounding error.
pub(crate) struct Steps {
    /// The differences, rounded once.
    pub(crate) value: [f64; ROWS],
    /// What to add for the exact differences.
    pub(crate) rest: [f64; ROWS],
}

impl Steps {
    /// Differences of zero.
    pub(crate) const ZERO: Self = Self {
        value: [0.0; ROWS],
        rest: [0.0; ROWS],
    };
}

/// How the values of a column are floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Rows are one step apart.
    Even,
    /// A value is a float.
    Float,
    /// A value is the sum of two floats.
    Pair,
    /// Two floats do not hold all values.
    Longer,
}

/// A column that is read as differences between its rows.
pub(crate) trait Differences {
    /// How the values are floats.
    fn form(&self) -> Form;

    /// Appends the values of some rows, rounded to floats, and, if they are pairs, what these lack. Nothing where values are
    /// no floats or only rows count.
    fn floats(&self, rows: Range<usize>, values: &mut Vec<f64>, rests: &mut Vec<f64>);

    /// The differences of 64 rows from `first` on to the rows `lag` before them. They are unspecified where the column has
    /// no such row.
    fn lagged(&self, first: usize, lag: usize, steps: &mut Steps);

    /// The differences of some rows from `first` on, 64 at most, to one row. They are unspecified beyond the end of the column.
    fn since(&self, origin: usize, first: usize, rows: usize, steps: &mut Steps);

    /// Whether the value of a row is finite.
    fn is_finite(&self, row: usize) -> bool;

    /// Some rows, scaled by a power of two so that their largest distance from the first is about 1, and that power.
    fn normalized(&self, rows: Range<usize>) -> (Box<dyn Differences + '_>, f64);
}

/// A column that is read as rises between any two of its rows, each rounded once.
pub(crate) trait Rises {
    /// The rises to `N` adjacent rows from `to` on, from as many rows from `from` on.
    fn rises<const N: usize>(&self, to: usize, from: usize) -> [f64; N];

    /// A rise times a power of two. It does not overflow where the product is in the range of a float.
    fn scaled_rise(&self, to: usize, from: usize, scale: f64) -> f64;

    /// A rise times a power of two, and what to add for the exact one.
    fn split_rise(&self, to: usize, from: usize, scale: f64) -> (f64, f64) {
        (self.scaled_rise(to, from, scale), 0.0)
    }

    /// Whether all rises between some rows, which are sorted, are known to be exact.
    fn are_exact(&self, _: Range<usize>) -> bool {
        false
    }

    /// Zero for each of `N` adjacent rows that is finite, else NaN.
    fn zero_unless_finite<const N: usize>(&self, first: usize) -> [f64; N];

    /// The rise from one row to another.
    #[inline(always)]
    fn rise(&self, to: usize, from: usize) -> f64 {
        let [rise] = self.rises(to, from);
        rise
    }
}

/// Rows one step apart: the coordinate of a column without an x.
pub(crate) struct Even;

impl Differences for Even {
    fn form(&self) -> Form {
        Form::Even
    }

    fn floats(&self, _: Range<usize>, _: &mut Vec<f64>, _: &mut Vec<f64>) {}

    fn lagged(&self, _: usize, lag: usize, steps: &mut Steps) {
        steps.value = [lag as f64; ROWS];
        steps.rest = [0.0; ROWS];
    }

    fn since(&self, origin: usize, first: usize, _: usize, steps: &mut Steps) {
        steps.value = std::array::from_fn(|place| (first + place) as f64 - origin as f64);
        steps.rest = [0.0; ROWS];
    }

    fn is_finite(&self, _: usize) -> bool {
        true
    }

    fn normalized(&self, _: Range<usize>) -> (Box<dyn Differences + '_>, f64) {
        (Box::new(Self), 1.0)
    }
}

impl Rises for Even {
    #[inline(always)]
    fn rises<const N: usize>(&self, to: usize, from: usize) -> [f64; N] {
        [to as f64 - from as f64; N]
    }

    fn scaled_rise(&self, to: usize, from: usize, scale: f64) -> f64 {
        self.rise(to, from) * scale
    }

    fn are_exact(&self, _: Range<usize>) -> bool {
        true
    }

    #[inline(always)]
    fn zero_unless_finite<const N: usize>(&self, _: usize) -> [f64; N] {
        [0.0; N]
    }
}

/// A column of numbers, multiplied by a power of two.
pub(crate) struct Column<'a, T> {
    values: &'a [T],
    scale: f64,
    /// Whether they are longer numbers, which the type happens to hold.
    are_narrowed: bool,
}

impl<'a, T: Sample> Column<'a, T> {
    /// The values themselves.
    pub(crate) fn new(values: &'a [T]) -> Self {
        Self {
            values,
            scale: 1.0,
            are_narrowed: false,
        }
    }

    /// The same, if the column is of a longer type. What is computed must not depend on which type holds some rows.
    pub(crate) fn narrowed(self, are_narrowed: bool) -> Self {
        Self { are_narrowed, ..self }
    }

    /// The 64 values from `first - lag` on; the nearest value where the column has no such row.
    fn padded(&self, first: usize, lag: usize) -> [T; ROWS] {
        let last = self.values.len() - 1;
        std::array::from_fn(|place| self.values[(first + place).saturating_sub(lag).min(last)])
    }
}

impl<T: Sample> Differences for Column<'_, T> {
    fn form(&self) -> Form {
        match (T::INTEGER, size_of::<T>()) {
            (false, _) => Form::Float,
            (true, 16) => Form::Longer,
            (true, _) if self.are_narrowed => Form::Longer,
            (true, _) => Form::Pair,
        }
    }

    fn floats(&self, rows: Range<usize>, values: &mut Vec<f64>, rests: &mut Vec<f64>) {
        let (column, scale) = (&self.values[rows], self.scale);
        match self.form() {
            Form::Float => values.extend(column.iter().map(|value| value.split_minus(T::of_integer(0), scale).0)),
            Form::Pair => dispatch(Split {
                column,
                scale,
                values,
                rests,
            }),
            Form::Even | Form::Longer => {},
        }
    }

    fn lagged(&self, first: usize, lag: usize, steps: &mut Steps) {
        let rows = |lag| self.values.get(first.checked_sub(lag)?..)?.first_chunk();
        let scale = self.scale;
        if let (Some(earlier), Some(later)) = (rows(lag), rows(0)) {
            dispatch(Subtract {
                earlier,
                later,
                scale,
                steps,
            });
        } else {
            dispatch(Subtract {
                earlier: &self.padded(first, lag),
                later: &self.padded(first, 0),
                scale,
                steps,
            });
        }
    }

    fn since(&self, origin: usize, first: usize, rows: usize, steps: &mut Steps) {
        let padded;
        let later = if let Some(later) = self.values.get(first..first + rows) {
            later
        } else {
            padded = self.padded(first, 0);
            &padded[..rows]
        };
        dispatch(SubtractOne {
            earlier: self.values[origin],
            later,
            scale: self.scale,
            steps,
        });
    }

    fn is_finite(&self, row: usize) -> bool {
        self.values[row].zero_unless_finite() == 0.0
    }

    fn normalized(&self, rows: Range<usize>) -> (Box<dyn Differences + '_>, f64) {
        let values = &self.values[rows];
        let largest = values.iter().fold(0.0, |largest: f64, value| {
            largest.max(value.half_minus(values[0]).abs())
        });
        let scale = if largest == 0.0 {
            1.0
        } else {
            0.5 * inverse_power_of_two(largest)
        };
        (Box::new(Self { values, scale, ..*self }), scale)
    }
}

/// `N` values from an index on.
#[inline(always)]
fn chunk<T, const N: usize>(values: &[T], first: usize) -> &[T; N] {
    values[first..].first_chunk().expect("the column has these rows")
}

impl<T: Sample> Rises for Column<'_, T> {
    #[inline(always)]
    fn rises<const N: usize>(&self, to: usize, from: usize) -> [f64; N] {
        let (to, from): (&[T; N], &[T; N]) = (chunk(self.values, to), chunk(self.values, from));
        std::array::from_fn(|row| to[row].minus(from[row]))
    }

    fn scaled_rise(&self, to: usize, from: usize, scale: f64) -> f64 {
        self.split_rise(to, from, scale).0
    }

    fn split_rise(&self, to: usize, from: usize, scale: f64) -> (f64, f64) {
        self.values[to].split_minus(self.values[from], scale)
    }

    fn are_exact(&self, rows: Range<usize>) -> bool {
        let [first, last] = [self.values[rows.start], self.values[rows.end - 1]];
        if T::INTEGER {
            return last.minus(first).abs() < EXACT;
        }
        // Of floats within a factor of two (Sterbenz).
        let [first, last] = [first, last].map(|value| value.split_minus(T::of_integer(0), 1.0).0);
        let [low, high] = [first.abs().min(last.abs()), first.abs().max(last.abs())];
        first.signum() == last.signum() && high <= 2.0 * low
    }

    #[inline(always)]
    fn zero_unless_finite<const N: usize>(&self, first: usize) -> [f64; N] {
        let values: &[T; N] = chunk(self.values, first);
        std::array::from_fn(|row| values[row].zero_unless_finite())
    }
}

/// A column of angles or times of day: a rise is its remainder to the nearest multiple of the period.
pub(crate) struct Periodic<'a> {
    column: Column<'a, f64>,
    period: f64,
    /// The wraps up to each row from the first on, modulo 2⁶⁴: their differences are exact wherever the column begins.
    wraps: Vec<i64>,
}

impl<'a> Periodic<'a> {
    /// Rises are taken from row to row, and a rise of exactly half a period keeps its sign.
    pub(crate) fn new(values: &'a [f64], period: f64) -> Self {
        let mut sum = 0_i64;
        let wrap = |pair: &[f64]| {
            sum = sum.wrapping_add(wraps(pair[1].minus(pair[0]), period) as i64);
            sum
        };
        let later = values.windows(2).map(wrap);
        Self {
            column: Column::new(values),
            period,
            wraps: std::iter::once(0).chain(later).take(values.len()).collect(),
        }
    }
}

impl Periodic<'_> {
    /// Takes the wraps between some rows and those that they are compared with from their differences.
    fn unwrap(&self, first: usize, rows: usize, other: impl Fn(usize) -> usize, steps: &mut Steps) {
        let Self { period, ref wraps, .. } = *self;
        dispatch(Unwrap {
            wraps,
            period,
            rows: first..first + rows,
            other,
            steps,
        });
    }
}

/// The multiple of the period that is nearest to a rise, on a tie the one nearer to zero. Zero unless the rise is finite.
fn wraps(rise: f64, period: f64) -> f64 {
    let nearest = (rise / period).round();
    let remainder = (-nearest).mul_add(period, rise);
    if !remainder.is_finite() {
        0.0
    } else if remainder.abs() >= 0.5 * period && remainder.signum() != rise.signum() {
        nearest - rise.signum()
    } else {
        nearest
    }
}

impl Differences for Periodic<'_> {
    fn form(&self) -> Form {
        // A multiple of the period is no float.
        Form::Longer
    }

    fn floats(&self, _: Range<usize>, _: &mut Vec<f64>, _: &mut Vec<f64>) {}

    fn lagged(&self, first: usize, lag: usize, steps: &mut Steps) {
        self.column.lagged(first, lag, steps);
        self.unwrap(first, ROWS, |row| row.saturating_sub(lag), steps);
    }

    fn since(&self, origin: usize, first: usize, rows: usize, steps: &mut Steps) {
        self.column.since(origin, first, rows, steps);
        self.unwrap(first, rows, |_| origin, steps);
    }

    fn is_finite(&self, row: usize) -> bool {
        self.column.is_finite(row)
    }

    fn normalized(&self, rows: Range<usize>) -> (Box<dyn Differences + '_>, f64) {
        let scale = 0.5 * inverse_power_of_two(self.period);
        let column = Column {
            values: &self.column.values[rows.clone()],
            scale,
            ..self.column
        };
        let normalized = Periodic {
            column,
            period: self.period * scale,
            wraps: self.wraps[rows].to_vec(),
        };
        (Box::new(normalized), scale)
    }
}

impl Periodic<'_> {
    /// `scale` times the rise, without the wraps between both rows.
    #[inline(always)]
    fn unwrapped(&self, [to, from]: [f64; 2], wraps: f64, scale: f64) -> f64 {
        let (rise, rest) = to.split_minus(from, scale);
        let period = self.period * scale;
        let turns = wraps * period;
        let (value, more) = two_sum(rise, -turns);
        value + (rest + more - wraps.mul_add(period, -turns))
    }
}

impl Rises for Periodic<'_> {
    #[inline(always)]
    fn rises<const N: usize>(&self, to: usize, from: usize) -> [f64; N] {
        let values: [&[f64; N]; 2] = [to, from].map(|first| chunk(self.column.values, first));
        let wraps: [&[i64; N]; 2] = [to, from].map(|first| chunk(&self.wraps, first));
        std::array::from_fn(|row| {
            let wraps = wraps[0][row].wrapping_sub(wraps[1][row]);
            self.unwrapped(values.map(|values| values[row]), wraps as f64, 1.0)
        })
    }

    fn scaled_rise(&self, to: usize, from: usize, scale: f64) -> f64 {
        let values = [to, from].map(|row| self.column.values[row]);
        self.unwrapped(values, self.wraps[to].wrapping_sub(self.wraps[from]) as f64, scale)
    }

    #[inline(always)]
    fn zero_unless_finite<const N: usize>(&self, first: usize) -> [f64; N] {
        self.column.zero_unless_finite(first)
    }
}

/// The loop over the differences of 64 rows.
struct Subtract<'a, T> {
    earlier: &'a [T; ROWS],
    later: &'a [T; ROWS],
    scale: f64,
    steps: &'a mut Steps,
}

impl<T: Sample> Kernel for Subtract<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for row in 0..ROWS {
            let (value, rest) = self.later[row].split_minus(self.earlier[row], self.scale);
            self.steps.value[row] = value;
            self.steps.rest[row] = rest;
        }
    }
}

/// The loop over the differences of some rows to one.
struct SubtractOne<'a, T> {
    earlier: T,
    later: &'a [T],
    scale: f64,
    steps: &'a mut Steps,
}

impl<T: Sample> Kernel for SubtractOne<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { earlier, scale, .. } = self;
        let steps = self.steps.value.iter_mut().zip(&mut self.steps.rest);
        for (later, (value, rest)) in self.later.iter().zip(steps) {
            (*value, *rest) = later.split_minus(earlier, scale);
        }
    }
}

/// The loop over the wraps between some rows and others.
struct Unwrap<'a, F> {
    wraps: &'a [i64],
    period: f64,
    rows: Range<usize>,
    /// The row that a row is compared with.
    other: F,
    steps: &'a mut Steps,
}

impl<F: Fn(usize) -> usize> Kernel for Unwrap<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { wraps, period, .. } = self;
        let last = wraps.len() - 1;
        for (place, row) in self.rows.enumerate() {
            let row = row.min(last);
            let wraps = wraps[row].wrapping_sub(wraps[(self.other)(row)]) as f64;
            let turns = wraps * period;
            let (value, rest) = two_sum(self.steps.value[place], -turns);
            self.steps.value[place] = value;
            self.steps.rest[place] += rest - wraps.mul_add(period, -turns);
        }
    }
}

/// The loop over values that are pairs of floats.
struct Split<'a, T> {
    column: &'a [T],
    scale: f64,
    values: &'a mut Vec<f64>,
    rests: &'a mut Vec<f64>,
}

impl<T: Sample> Kernel for Split<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let zero = T::of_integer(0);
        let pairs = self.column.iter().map(|value| value.split_minus(zero, self.scale));
        let rows = self.values.len();
        self.values.resize(rows + self.column.len(), 0.0);
        self.rests.resize(rows + self.column.len(), 0.0);
        let places = self.values[rows..].iter_mut().zip(&mut self.rests[rows..]);
        for ((value, rest), pair) in places.zip(pairs) {
            (*value, *rest) = pair;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::angles;

    #[test]
    fn rises_of_angles_do_not_depend_on_where_the_column_begins() {
        let values = [
            3,
            400,
            800,
            i64::MAX,
            -5,
            17,
            500,
            i64::MIN,
            i64::MAX - 1_000,
            i64::MAX - 600,
            401,
        ];
        let values = angles(&values, 360.0);
        let whole = Periodic::new(&values, 360.0);
        for start in 0..values.len() {
            let part = Periodic::new(&values[start..], 360.0);
            for from in start..values.len() {
                for to in start..values.len() {
                    let rise = whole.rise(to, from);
                    assert_eq!(part.rise(to - start, from - start), rise, "{start}: {from} to {to}");
                }
            }
        }
    }
}
