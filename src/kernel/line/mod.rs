//! The least-squares line in a moving window.
//!
//! ```text
//! xx, xy     sums of products of the deviations of x and y from their means in the window
//! slope      xy / xx
//! residuals  sum of squares of y minus the line
//! error      of the slope: sqrt(residuals / ((n - 2) xx)), or sigma / sqrt(xx)
//! ```
//!
//! Windows of few rows are summed one by one, in [`short`]; longer ones from two parts that they share with others, in
//! [`halves`]. Where products leave the range of a float, and in the few windows whose sums are not certain, rows are scaled
//! and summed again.

mod halves;
mod short;
pub(crate) mod weighted;

use std::ops::Range;

use super::differences::{Differences, Steps};
use super::stencil::inverse_power_of_two;
use crate::bits::ROWS;
use crate::dispatch::{Kernel, dispatch};

/// The points through which lines are fitted.
#[derive(Clone, Copy)]
pub(crate) struct Points<'a> {
    /// The coordinates, finite, in any order.
    pub(crate) x: &'a dyn Differences,
    /// The values.
    pub(crate) y: &'a dyn Differences,
    /// The standard deviation of all values, if it is known.
    pub(crate) sigma: Option<f64>,
}

/// Slopes of lines, and their standard errors.
pub(crate) struct Slopes<'a> {
    /// NaN if a value in the window is not finite.
    pub(crate) values: &'a mut [f64],
    /// From `sigma` if it is given, else from the residuals, for which a window needs three rows. None are computed if this
    /// is empty.
    pub(crate) errors: &'a mut [f64],
}

/// Windows whose first and last rows do not fall from one to the next. None is empty.
#[derive(Clone, Copy)]
enum Windows<'a> {
    /// Windows of `size` rows, the first from the row `first` on, each a row after the one before it.
    Rolling {
        first: usize,
        size: usize,
        count: usize,
    },
    Ranges(&'a [Range<usize>]),
}

impl Windows<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Rolling { count, .. } => *count,
            Self::Ranges(ranges) => ranges.len(),
        }
    }

    #[inline(always)]
    fn get(&self, index: usize) -> Range<usize> {
        match self {
            Self::Rolling { first, size, .. } => first + index..first + index + size,
            Self::Ranges(ranges) => ranges[index].clone(),
        }
    }
}

/// Memory that windows are summed in, used again by the next ones.
#[derive(Default)]
pub(crate) struct Memory {
    short: short::Memory,
    halves: halves::Memory,
}

/// Computes the slopes in windows of `size` adjacent rows, the first from the row `first` on, and returns the windows without
/// one: those whose x are all equal. Windows are counted from the first.
pub(crate) fn rolling(
    points: Points<'_>,
    first: usize,
    size: usize,
    slopes: Slopes<'_>,
    memory: &mut Memory,
) -> Vec<usize> {
    let (size, count) = (size.max(1), slopes.values.len());
    let windows = Windows::Rolling { first, size, count };
    fit(points, windows, is_short(points, size), slopes, memory)
}

/// Computes the slopes in windows of any size whose first and last rows do not fall from window to window, and returns
/// the windows without a slope, as [`rolling`] does. A window must not be empty.
pub(crate) fn ranges(
    points: Points<'_>,
    windows: &[Range<usize>],
    slopes: Slopes<'_>,
    memory: &mut Memory,
) -> Vec<usize> {
    let is_short = |window: &Range<usize>| is_short(points, window.len());
    let count = windows.iter().filter(|window| is_short(window)).count();
    if count == 0 || count == windows.len() {
        return fit(points, Windows::Ranges(windows), count > 0, slopes, memory);
    }
    let mut missing = Vec::new();
    for kind in [true, false] {
        let of_kind = windows
            .iter()
            .enumerate()
            .filter(|(_, window)| is_short(window) == kind);
        let (indices, windows): (Vec<_>, Vec<_>) = of_kind.map(|(index, window)| (index, window.clone())).unzip();
        let mut values = vec![0.0; windows.len()];
        let mut errors = vec![0.0; if slopes.errors.is_empty() { 0 } else { windows.len() }];
        let own = Slopes {
            values: &mut values,
            errors: &mut errors,
        };
        let flat = ranges(points, &windows, own, memory);
        missing.extend(flat.into_iter().map(|place| indices[place]));
        for (place, &index) in indices.iter().enumerate() {
            slopes.values[index] = values[place];
            if let Some(error) = slopes.errors.get_mut(index) {
                *error = errors[place];
            }
        }
    }
    missing.sort_unstable();
    missing
}

/// Whether windows of some rows are summed one by one.
fn is_short(points: Points<'_>, rows: usize) -> bool {
    rows <= short::MAX_ROWS && short::takes(points)
}

/// Runs the loop over short windows or longer ones, and computes the unusual ones again.
fn fit(
    points: Points<'_>,
    windows: Windows<'_>,
    are_short: bool,
    mut slopes: Slopes<'_>,
    memory: &mut Memory,
) -> Vec<usize> {
    let unusual = run(points, windows, are_short, &mut slopes, memory);
    let mut flat = Flat::from(unusual.first().map_or(0, |unusual| windows.get(unusual.index).start));
    let mut fixed_point = FixedPoint::default();
    let mut missing = Vec::new();
    for Unusual { index, why } in unusual {
        let rows = windows.get(index);
        if why == Why::Sums && fixed_point.holds(points, &rows) {
            continue;
        }
        flat.extend(points, rows.end);
        let fitted = if flat.x_since <= rows.start {
            missing.push(index);
            continue;
        } else if flat.finite_since > rows.start {
            [f64::NAN; 2]
        } else if flat.y_since <= rows.start && points.sigma.is_none() {
            [0.0; 2]
        } else {
            normalized(points, rows)
        };
        slopes.values[index] = fitted[0];
        if let Some(error) = slopes.errors.get_mut(index) {
            *error = fitted[1];
        }
    }
    missing
}

/// The slope and its error from rows that are scaled to a normal size, so that no product leaves the range of a float.
#[cold]
fn normalized(points: Points<'_>, rows: Range<usize>) -> [f64; 2] {
    let size = rows.len();
    let sigma = points.sigma;
    let sigma_scale = sigma.map_or(1.0, inverse_power_of_two);
    let sigma = sigma.map(|sigma| sigma * sigma_scale);
    let (x, x_scale) = points.x.normalized(rows.clone());
    let (y, y_scale) = points.y.normalized(rows);
    let (x, y) = (&*x, &*y);
    let points = Points { x, y, sigma };
    let fitted = if is_short(points, size) {
        let (mut value, mut error) = ([0.0], [0.0]);
        let mut slopes = Slopes {
            values: &mut value,
            errors: &mut error,
        };
        let window = Windows::Rolling {
            first: 0,
            size,
            count: 1,
        };
        run(points, window, true, &mut slopes, &mut Memory::default());
        [value[0], error[0]]
    } else {
        let halves::Moments { xx, xy, residuals, .. } = halves::exact(points, size);
        [xy / xx, error_of_slope(xx, residuals, size, sigma)]
    };
    let error_scale = if sigma.is_some() { sigma_scale } else { y_scale };
    [
        rescaled(fitted[0], x_scale, y_scale),
        rescaled(fitted[1], x_scale, error_scale),
    ]
}

/// `value * x_scale / y_scale`, for powers of two whose quotient may leave the range of a float.
fn rescaled(value: f64, x_scale: f64, y_scale: f64) -> f64 {
    let product = value * x_scale;
    if product.is_normal() {
        product / y_scale
    } else {
        value / y_scale * x_scale
    }
}

/// Since which row all rows so far are finite, or have one x or one y.
struct Flat {
    rows: usize,
    finite_since: usize,
    x_since: usize,
    y_since: usize,
}

impl Flat {
    fn from(row: usize) -> Self {
        Self {
            rows: row,
            finite_since: row,
            x_since: row,
            y_since: row,
        }
    }

    /// Reads the rows up to `end`.
    fn extend(&mut self, points: Points<'_>, end: usize) {
        let (mut dx, mut dy) = (Steps::ZERO, Steps::ZERO);
        while self.rows < end {
            let first = self.rows;
            points.x.lagged(first, 1, &mut dx);
            points.y.lagged(first, 1, &mut dy);
            let rows = ROWS.min(end - first);
            for place in 0..rows {
                let row = first + place;
                if dx.value[place] != 0.0 {
                    self.x_since = row;
                }
                if dy.value[place] != 0.0 {
                    self.y_since = row;
                }
                if !points.y.is_finite(row) {
                    self.finite_since = row + 1;
                }
            }
            self.rows += rows;
        }
    }
}

/// A window to be looked at again.
struct Unusual {
    index: usize,
    why: Why,
}

/// Why a window is unusual.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    /// Its residuals are not certain. All else is.
    Residuals,
    /// Its sums of products are not certain. They are right if no product and no sum of them has been rounded.
    Sums,
    /// Some sums may be out of the range of a float.
    Range,
}

/// Rows whose x and y are fixed-point numbers of few digits, so that sums of products fit in a double-double exactly.
///
/// Where such sums cancel, as those of whole numbers often do, this check is cheaper than an expansion.
#[derive(Default)]
struct FixedPoint {
    rows: Range<usize>,
    fits: bool,
}

impl FixedPoint {
    /// Whether this holds for a window. The rows after it are checked too, for the next windows.
    fn holds(&mut self, points: Points<'_>, window: &Range<usize>) -> bool {
        const MOST: f64 = 7.922_816_251_426_434e28; // 2^96
        if window.start < self.rows.start || window.end > self.rows.end {
            self.rows = window.start..window.end + window.len();
            let [x, y] = [points.x, points.y].map(|column| multiples(column, self.rows.clone()));
            let rows = window.len() as f64;
            self.fits = x * x.max(y) * rows * rows <= MOST;
        }
        self.fits
    }
}

/// The largest difference from the first row, in units of the largest power of two that divides all of them. Infinity near
/// the ends of the range of a float.
fn multiples(column: &dyn Differences, rows: Range<usize>) -> f64 {
    const EXPONENTS: Range<i32> = -300..300;
    let mut steps = Steps::ZERO;
    let (mut largest, mut least) = (0.0_f64, EXPONENTS.end);
    for first in rows.clone().step_by(ROWS) {
        let count = ROWS.min(rows.end - first);
        column.since(rows.start, first, count, &mut steps);
        for number in steps.value[..count].iter().chain(&steps.rest[..count]) {
            if !number.is_finite() {
                return f64::INFINITY;
            }
            if *number != 0.0 {
                let (mantissa, exponent) = (number.to_bits() | 1 << 52, (number.to_bits() >> 52) & 0x7ff);
                least = least.min(mantissa.trailing_zeros() as i32 + exponent as i32 - 1_075);
                largest = largest.max(number.abs());
            }
        }
    }
    if least < EXPONENTS.start || largest > 2.0_f64.powi(EXPONENTS.end) {
        return f64::INFINITY;
    }
    2.0 * largest / 2.0_f64.powi(least)
}

/// Whether sums of products are in the range of a float: terms that underflow are negligible in sums beyond 2^-600.
#[inline(always)]
#[allow(clippy::needless_bitwise_bool)] // Without branches, for vector registers.
fn are_usual(xx: f64, xy: f64, residuals: f64) -> bool {
    const MIN_XX: f64 = 3.872_591_914_849_318e-121; // 2^-400
    const MAX_XX: f64 = 2.582_249_878_086_908_6e120; // 2^400
    const MIN_XY: f64 = 2.409_919_865_102_884e-181; // 2^-600
    const MAX_XY: f64 = 4.149_515_568_880_993e180; // 2^600

    let is_in = |value: f64, min: f64, max: f64| (value >= min) & (value <= max);
    is_in(xx, MIN_XX, MAX_XX) & is_in(xy.abs(), MIN_XY, MAX_XY) & (residuals <= MAX_XY)
}

/// The standard error of a slope, from `rows` times the sums of products.
#[inline(always)]
fn error_of_slope(xx: f64, residuals: f64, rows: usize, sigma: Option<f64>) -> f64 {
    let rows = rows as f64;
    match sigma {
        Some(sigma) => sigma / (xx / rows).sqrt(),
        None => (residuals / ((rows - 2.0) * xx)).sqrt(),
    }
}

/// Slopes, their standard errors, and whether all sums are in the range of a float.
struct Fits {
    slopes: [f64; ROWS],
    errors: [f64; ROWS],
    is_usual: [bool; ROWS],
}

/// Solves 64 windows.
#[inline(always)]
fn solve<const RESIDUALS: bool>(sums: &short::Sums, sigma: f64) -> Fits {
    let mut fits = Fits {
        slopes: [0.0; ROWS],
        errors: [0.0; ROWS],
        is_usual: [false; ROWS],
    };
    for place in 0..ROWS {
        let [xx, xy, residuals] = [&sums.xx, &sums.xy, &sums.residuals].map(|sums| sums[place]);
        fits.slopes[place] = xy / xx;
        fits.is_usual[place] = are_usual(xx, xy, residuals);
        if !RESIDUALS {
            fits.errors[place] = sigma / xx.sqrt();
        }
        if RESIDUALS {
            fits.errors[place] = (residuals / ((sums.rows[place] - 2.0) * xx)).sqrt();
        }
    }
    fits
}

impl Fits {
    /// Writes the results of some windows from the window `start` on, and appends the unusual ones.
    #[inline(always)]
    fn write(&self, places: Range<usize>, start: usize, slopes: &mut Slopes<'_>, unusual: &mut Vec<Unusual>) {
        let windows = start..start + places.len();
        slopes.values[windows.clone()].copy_from_slice(&self.slopes[places.clone()]);
        if let Some(errors) = slopes.errors.get_mut(windows) {
            errors.copy_from_slice(&self.errors[places.clone()]);
        }
        if !self.is_usual.iter().all(|&is_usual| is_usual) {
            unusual.extend(
                places
                    .clone()
                    .filter(|&place| !self.is_usual[place])
                    .map(|place| Unusual {
                        index: start + place - places.start,
                        why: Why::Range,
                    }),
            );
        }
    }
}

/// Fills in the slopes, and returns the windows whose sums are not certain or leave the range of a float.
fn run(
    points: Points<'_>,
    windows: Windows<'_>,
    are_short: bool,
    slopes: &mut Slopes<'_>,
    memory: &mut Memory,
) -> Vec<Unusual> {
    let residuals = points.sigma.is_none() && !slopes.errors.is_empty();
    let job = Job {
        points,
        windows,
        slopes,
        memory,
    };
    match (are_short, residuals) {
        (true, false) => dispatch(OneByOne::<false>(job)),
        (true, true) => dispatch(OneByOne::<true>(job)),
        (false, false) => dispatch(ByHalves::<false>(job)),
        (false, true) => dispatch(ByHalves::<true>(job)),
    }
}

/// What the loops over windows take.
struct Job<'a, 'b> {
    points: Points<'a>,
    windows: Windows<'a>,
    slopes: &'a mut Slopes<'b>,
    memory: &'a mut Memory,
}

/// The loop over short windows.
struct OneByOne<'a, 'b, const RESIDUALS: bool>(Job<'a, 'b>);

impl<const RESIDUALS: bool> Kernel for OneByOne<'_, '_, RESIDUALS> {
    type Output = Vec<Unusual>;

    #[inline(always)]
    fn run(self) -> Vec<Unusual> {
        let Job {
            points,
            windows,
            slopes,
            memory,
        } = self.0;
        let sigma = points.sigma.unwrap_or_default();
        let mut unusual = Vec::new();
        let mut sums = short::Sums::ZERO;
        for start in (0..windows.len()).step_by(ROWS) {
            let count = ROWS.min(windows.len() - start);
            memory
                .short
                .sum::<RESIDUALS>(points, windows, start..start + count, &mut sums);
            let fits = solve::<RESIDUALS>(&sums, sigma);
            fits.write(0..count, start, slopes, &mut unusual);
        }
        unusual
    }
}

/// The loop over longer windows.
struct ByHalves<'a, 'b, const RESIDUALS: bool>(Job<'a, 'b>);

impl<const RESIDUALS: bool> Kernel for ByHalves<'_, '_, RESIDUALS> {
    type Output = Vec<Unusual>;

    #[inline(always)]
    fn run(self) -> Vec<Unusual> {
        let Job {
            points,
            windows,
            slopes,
            memory,
        } = self.0;
        let memory = &mut memory.halves;
        let mut unusual = Vec::new();
        if RESIDUALS {
            windows.sum::<{ halves::RESIDUAL_FIELDS }>(points, memory, |index, moments| {
                unusual.extend(slopes.write(index, moments, windows, points.sigma));
            });
            let (again, rest) = unusual
                .into_iter()
                .partition(|Unusual { why, .. }| *why == Why::Residuals);
            unusual = rest;
            let with_slope = |Unusual { index, .. }: Unusual| (index, slopes.values[index]);
            let again: Vec<_> = Vec::into_iter(again).map(with_slope).collect();
            windows.sum_again(points, memory, &again, |index, moments| {
                unusual.extend(slopes.write(index, moments, windows, points.sigma));
            });
        } else {
            windows.sum::<{ halves::LINE_FIELDS }>(points, memory, |index, moments| {
                unusual.extend(slopes.write(index, moments, windows, points.sigma));
            });
        }
        unusual.sort_unstable_by_key(|&Unusual { index, .. }| index);
        unusual
    }
}

impl Slopes<'_> {
    /// Writes the results of a long window, and returns it if it is unusual.
    #[inline(always)]
    fn write(
        &mut self,
        index: usize,
        moments: halves::Moments,
        windows: Windows<'_>,
        sigma: Option<f64>,
    ) -> Option<Unusual> {
        let halves::Moments { xx, xy, residuals, .. } = moments;
        self.values[index] = xy / xx;
        if let Some(error) = self.errors.get_mut(index) {
            *error = error_of_slope(xx, residuals, windows.get(index).len(), sigma);
        }
        let is_usual = are_usual(xx, xy, residuals);
        let why = match (moments.line_is_certain, moments.residuals_are_certain) {
            (true, true) if is_usual => return None,
            (true, false) if is_usual => Why::Residuals,
            (_, true) if is_usual || xy == 0.0 && are_usual(xx, 1.0, residuals) => Why::Sums,
            _ => Why::Range,
        };
        Some(Unusual { index, why })
    }
}

#[cfg(test)]
mod tests {
    use super::super::differences::{Column, Even, Periodic};
    use super::*;
    use crate::kernel::Sample;

    /// Slopes and errors in all windows of `size` rows; `None` without a slope.
    fn rolling_fit<Y: Sample, X: Sample>(y: &[Y], x: &[X], sigma: Option<f64>, size: usize) -> Vec<Option<[f64; 2]>> {
        let windows: Vec<_> = (0..=y.len() - size).map(|row| row..row + size).collect();
        let (x, y) = (Column::new(x), Column::new(y));
        let points = Points { x: &x, y: &y, sigma };
        let fits = |errors: bool, fit: &dyn Fn(Slopes<'_>) -> Vec<usize>| {
            let mut values = vec![0.0; windows.len()];
            let mut errors = vec![0.0; if errors { windows.len() } else { 0 }];
            let slopes = Slopes {
                values: &mut values,
                errors: &mut errors,
            };
            let missing = fit(slopes);
            errors.resize(windows.len(), 0.0);
            let mut fits: Vec<_> = values
                .into_iter()
                .zip(errors)
                .map(|(value, error)| Some([value, error]))
                .collect();
            for window in missing {
                fits[window] = None;
            }
            fits
        };
        let all = fits(true, &|slopes| rolling(points, 0, size, slopes, &mut Memory::default()));
        let bits = |fits: &[Option<[f64; 2]>]| -> Vec<_> {
            fits.iter().map(|fit| fit.map(|fit| fit.map(f64::to_bits))).collect()
        };
        let one_by_one = fits(true, &|slopes| ranges(points, &windows, slopes, &mut Memory::default()));
        assert_eq!(bits(&all), bits(&one_by_one), "windows of {size} rows, by both loops");
        let without = fits(false, &|slopes| {
            rolling(points, 0, size, slopes, &mut Memory::default())
        });
        let value = |fit: &Option<[f64; 2]>| fit.map(|fit| fit[0].to_bits());
        assert!(
            all.iter().map(value).eq(without.iter().map(value)),
            "with and without errors"
        );
        all
    }

    /// Numbers from 0 to `below`.
    fn random(below: i64) -> impl FnMut() -> i64 {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as i64 % below
        }
    }

    /// The error of slopes of whole numbers, in epsilons of the sum of the absolute terms: exact but for a last rounding.
    fn error(y: &[i64], x: &[i64], slope: f64) -> f64 {
        let n = x.len() as i128;
        let deviations = |values: &[i64]| -> Vec<i128> {
            let sum: i128 = values.iter().map(|&value| i128::from(value)).sum();
            values.iter().map(|&value| n * i128::from(value) - sum).collect()
        };
        let (dx, dy) = (deviations(x), deviations(y));
        let xx: i128 = dx.iter().map(|dx| dx * dx).sum();
        let xy: i128 = dx.iter().zip(&dy).map(|(dx, dy)| dx * dy).sum();
        let terms: i128 = dx.iter().zip(&dy).map(|(dx, dy)| (dx * dy).abs()).sum();
        // The quotient as two floats.
        let (high, low) = (xy as f64 / xx as f64, xy as f64);
        let rest = (-high).mul_add(xx as f64, low) + (xy - low as i128) as f64 - high * (xx - xx as f64 as i128) as f64;
        ((high - slope) + rest / xx as f64).abs() / (terms as f64 / xx as f64) / f64::EPSILON
    }

    /// Largest error in all windows of `size` rows, for any type that holds the numbers.
    fn worst<T: Sample>(y: &[i64], x: &[i64], size: usize, convert: impl Fn(i64) -> T) -> f64 {
        let [converted_y, converted_x] = [y, x].map(|values| values.iter().map(|&v| convert(v)).collect::<Vec<_>>());
        let fits = rolling_fit(&converted_y, &converted_x, None, size);
        let windows = y.windows(size).zip(x.windows(size)).zip(fits);
        windows.fold(0.0, |worst, ((y, x), fit)| {
            let Some([slope, _]) = fit else {
                assert!(x.iter().all(|value| *value == x[0]));
                return worst;
            };
            worst.max(error(y, x, slope))
        })
    }

    #[test]
    fn slopes_of_any_rows_are_exact_to_a_few_epsilons() {
        for size in [2, 3, 5, 21, 64, 200] {
            let mut next = random(1_000);
            let y: Vec<_> = (0..400).map(|_| next()).collect();
            let x: Vec<_> = (0..400).map(|_| next() / 100).collect();
            let mut far = x.clone();
            far[200] = 1_000_000_000;
            let mut spikes = y.clone();
            spikes.iter_mut().step_by(16).for_each(|y| *y = 1_000_000_000);
            for (y, x) in [(&y, &x), (&y, &far), (&spikes, &x), (&spikes, &far)] {
                let worst = worst(y, x, size, |value| value as f64);
                assert!(worst <= 3.0, "{worst} epsilons in windows of {size} rows");
            }
            let offset: Vec<_> = x.iter().map(|x| x + 1_700_000_000_000_000_000).collect();
            assert!(worst(&y, &offset, size, |value| value) <= 3.0);
            assert!(worst(&y, &offset, size, i128::from) <= 3.0);
            assert!(worst(&y, &x, size, |value| value as f32) <= 3.0);
        }
    }

    #[test]
    fn rows_far_away_on_one_axis_cost_no_digits() {
        // The product of an x and a y far away is far larger than the terms of the window.
        let mut next = random(1_000);
        let mut far = |row: usize| {
            if row.is_multiple_of(7) {
                next() * 1_000_000
            } else {
                next()
            }
        };
        let (y, x): (Vec<_>, Vec<_>) = (0..400).map(|row| (far(row), far(row + 1))).unzip();
        for size in [5, 21, 64, 65, 100, 300] {
            for worst in [
                worst(&y, &x, size, |value| value as f64),
                worst(&y, &x, size, |value| value),
                worst(&y, &x, size, i128::from),
            ] {
                assert!(worst <= 3.0, "{worst} epsilons in windows of {size} rows");
            }
        }
    }

    #[test]
    fn a_window_has_the_same_bits_wherever_rows_begin() {
        let mut next = random(1_000_000);
        let mut cubes = || (next() as f64 / 1e5 - 5.0).powi(9);
        let noise: Vec<_> = (0..300).map(|_| cubes()).collect();
        let other: Vec<_> = (0..300).map(|_| cubes()).collect();
        let rows: Vec<_> = (0..300).map(f64::from).collect();
        let tenths: Vec<_> = rows.iter().map(|row| row / 10.0).collect();
        let alternating: Vec<_> = rows.iter().map(|row| row % 2.0).collect();
        let decimals: Vec<_> = rows.iter().map(|row| 0.1 + 0.2 * (row % 2.0)).collect();
        let mut far = tenths.clone();
        far[150] = 1e9;
        let columns = [&noise, &other, &rows, &tenths, &alternating, &decimals, &far];
        for (y, x) in columns.iter().flat_map(|y| [&other, &rows, &tenths].map(|x| (*y, x))) {
            for size in [64, 65, 101] {
                let whole = rolling_fit(y, x, None, size);
                for start in [1, 150] {
                    let part = rolling_fit(&y[start..], &x[start..], None, size);
                    assert!(part == whole[start..], "windows of {size} rows from row {start} on");
                }
            }
        }
    }

    #[test]
    fn residuals_are_those_of_exact_arithmetic() {
        // y = 3 x + r in whole numbers, r alternating between numbers as small as one: up to 10^-12 of y.
        for (step, height) in [(1, 1), (1_000, 1), (1_000_000_000, 1), (1_000_000_000, 1_000)] {
            let x: Vec<i64> = (0..400).map(|row| row * step).collect();
            let y: Vec<i64> = x
                .iter()
                .enumerate()
                .map(|(row, x)| 3 * x + height * (row as i64 % 3 % 2))
                .collect();
            for size in [65, 100, 300] {
                let fits = rolling_fit(&y, &x, None, size);
                let whole = |values: &[i64]| values.iter().map(|&value| value as f64).collect::<Vec<_>>();
                assert_eq!(fits, rolling_fit(&whole(&y), &whole(&x), None, size));
                for (start, fit) in fits.into_iter().enumerate() {
                    // The residuals of a line taken away are the same.
                    let r: Vec<_> = (start..start + size).map(|row| (row % 3 % 2) as f64).collect();
                    let n = size as f64;
                    let center = (n - 1.0) / 2.0;
                    let mean = r.iter().sum::<f64>() / n;
                    let deviations = || r.iter().enumerate().map(|(row, r)| (row as f64 - center, r - mean));
                    let [xx, xy, yy] =
                        deviations().fold([0.0; 3], |[xx, xy, yy], (u, v)| [xx + u * u, xy + u * v, yy + v * v]);
                    let expected = ((yy - xy * xy / xx) / (n - 2.0) / xx).sqrt() * height as f64 / step as f64;
                    let [_, error] = fit.expect("a slope");
                    assert!((error / expected - 1.0).abs() < 1e-12, "{error} {expected}");
                }
            }
        }
    }

    #[test]
    fn a_line_has_its_slope_and_no_residuals_and_a_constant_has_slope_zero() {
        let x: Vec<_> = (0..300).map(|i| f64::from(i + i % 3) + 1e9).collect();
        let y: Vec<_> = x.iter().map(|x| 3.0 * x).collect();
        for size in [3, 21, 128] {
            for fit in rolling_fit(&y, &x, None, size) {
                let [slope, error] = fit.expect("a slope");
                assert!(
                    (slope / 3.0 - 1.0).abs() <= 3.0 * f64::EPSILON && error < 1e-14,
                    "{slope} {error}"
                );
            }
            let flat = rolling_fit(&[1e12 / 3.0; 300], &x, None, size);
            assert!(flat.iter().all(|fit| *fit == Some([0.0, 0.0])));
            let vertical = rolling_fit(&y, &[1.0; 300], None, size);
            assert!(vertical.iter().all(Option::is_none));
        }
    }

    #[test]
    fn errors_are_those_of_the_textbook() {
        // linregress([0, 1, 2, 3, 4], [1, 3, 2, 5, 4]): slope 0.8, stderr sqrt(0.12)
        let (y, x) = ([1.0, 3.0, 2.0, 5.0, 4.0], [0.0, 1.0, 2.0, 3.0, 4.0]);
        let [slope, error] = rolling_fit(&y, &x, None, 5)[0].expect("a slope");
        assert!((slope - 0.8).abs() < 1e-15 && (error - 0.12_f64.sqrt()).abs() < 1e-15);
        // Of a known deviation: the same slope, and an error of sigma / sqrt(10).
        let [slope, error] = rolling_fit(&y, &x, Some(0.5), 5)[0].expect("a slope");
        assert!((slope - 0.8).abs() < 1e-15 && (error - 0.5 / 10.0_f64.sqrt()).abs() < 1e-15);
    }

    #[test]
    fn nan_is_in_its_windows_only() {
        let x: Vec<_> = (0..200).map(f64::from).collect();
        for bad in [f64::NAN, f64::INFINITY] {
            let mut y: Vec<_> = x.iter().map(|x| x.sin()).collect();
            let clean = rolling_fit(&y, &x, None, 10);
            y[100] = bad;
            for (window, (fit, clean)) in rolling_fit(&y, &x, None, 10).into_iter().zip(clean).enumerate() {
                if (91..=100).contains(&window) {
                    assert!(fit.expect("a value")[0].is_nan());
                } else {
                    assert_eq!(fit, clean);
                }
            }
        }
    }

    #[test]
    fn steps_and_values_of_any_size_stay_in_range() {
        let (x, y) = ([0.0, 1.0, 3.0, 4.0, 4.5], [1.0, 3.0, 2.0, 5.0, 4.0]);
        let expected = rolling_fit(&y, &x, None, 5)[0].expect("a slope");
        for (x_exponent, y_exponent) in [
            (1_000, 0),
            (-1_000, 0),
            (0, 1_000),
            (0, -1_000),
            (1_000, 1_000),
            (-1_000, -1_000),
        ] {
            let power = |exponent: i32| 2.0_f64.powi(exponent);
            let x = x.map(|x| x * power(x_exponent));
            let y = y.map(|y| y * power(y_exponent));
            let fit = rolling_fit(&y, &x, None, 5)[0].expect("a slope");
            for (value, expected) in fit.into_iter().zip(expected) {
                let ratio = value * power(x_exponent) / power(y_exponent);
                assert!(
                    (ratio / expected - 1.0).abs() < 1e-14,
                    "{x_exponent} {y_exponent}: {value}"
                );
            }
        }
        let [slope, _] = rolling_fit(&[f64::MIN, f64::MAX], &[0.0, 4.0], None, 2)[0].expect("a slope");
        assert_eq!(slope, f64::MAX / 2.0);
    }

    #[test]
    fn a_periodic_y_rises_by_its_remainder() {
        let y = Periodic::new(&[350.0, 355.0, 0.0, 5.0, 10.0], 360.0);
        let mut values = [0.0; 3];
        let slopes = Slopes {
            values: &mut values,
            errors: &mut [],
        };
        let points = Points {
            x: &Even,
            y: &y,
            sigma: None,
        };
        assert!(rolling(points, 0, 3, slopes, &mut Memory::default()).is_empty());
        assert_eq!(values, [5.0; 3]);
    }
}
