//! The least-squares line in a moving window.
//!
//! ```text
//! moments   of adjacent rows: their number n, the means of x and y relative to the last row, and
//!           the sums xx, xy of products of deviations from the means
//! merge     of earlier and later rows (Chan, Golub and LeVeque 1983), with the step between their last rows:
//!             dx, dy = differences of the means;   m = n1 * n2 / (n1 + n2)
//!             xx = xx1 + xx2 + m * dx * dx;        xy = xy1 + xy2 + m * dx * dy
//! blocks    of 1, 2, 4, 8, ... rows that end at a row: each is two merged halves
//! window    blocks by the binary digits of its number of rows, the smallest first, from its first row on
//! slope     xy / xx
//! ```
//!
//! No row is ever subtracted again, so errors do not accumulate and the bits of a slope depend on the rows of its window
//! only. Means are sums of two floats: with one, a window with a single row far away loses the digits of all others.
//!
//! Windows of few rows are summed one by one, in [`short`].

use std::ops::Range;

use super::differences::{Differences, Steps};
use super::sample::two_sum;
use super::short;
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

/// Computes the slopes in windows of `size` adjacent rows, the first from the row `first` on, and returns the windows without
/// one: those whose x are all equal. Windows are counted from the first.
pub(crate) fn rolling(points: Points<'_>, first: usize, size: usize, slopes: Slopes<'_>) -> Vec<usize> {
    let (size, count) = (size.max(1), slopes.values.len());
    let window = |index| first + index..first + index + size;
    if is_short(points, size) {
        fit(points, &Short { window, count }, window, slopes)
    } else {
        fit(points, &Rolling { first, size, count }, window, slopes)
    }
}

/// Computes the slopes in windows of any size whose first and last rows do not fall from window to window, and returns
/// the windows without a slope, as [`rolling`] does. A window must not be empty.
pub(crate) fn ranges(points: Points<'_>, windows: &[Range<usize>], slopes: Slopes<'_>) -> Vec<usize> {
    let is_short = |window: &Range<usize>| is_short(points, window.len());
    let count = windows.iter().filter(|window| is_short(window)).count();
    let window = |index: usize| windows[index].clone();
    if count == windows.len() {
        return fit(points, &Short { window, count }, window, slopes);
    }
    if count == 0 {
        return fit(points, &Ranges(windows), window, slopes);
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
        let flat = ranges(points, &windows, own);
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

/// Runs a loop over windows, and computes its unusual windows again.
fn fit(
    points: Points<'_>,
    windows: &impl Loop,
    window: impl Fn(usize) -> Range<usize>,
    mut slopes: Slopes<'_>,
) -> Vec<usize> {
    let unusual = run(points, windows, &mut slopes);
    let mut flat = Flat::from(unusual.first().map_or(0, |&index| window(index).start));
    let mut missing = Vec::new();
    for index in unusual {
        let rows = window(index);
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

/// The slope and its error where sums of products leave the range of a float: those of a window of normal size.
#[cold]
fn normalized(points: Points<'_>, rows: Range<usize>) -> [f64; 2] {
    let size = rows.len();
    let sigma = points.sigma;
    let sigma_scale = sigma.map_or(1.0, inverse_power_of_two);
    let sigma = sigma.map(|sigma| sigma * sigma_scale);
    let (x, x_scale) = points.x.normalized(rows.clone());
    let (y, y_scale) = points.y.normalized(rows);
    let (mut value, mut error) = ([0.0], [0.0]);
    let (x, y) = (&*x, &*y);
    let mut slopes = Slopes {
        values: &mut value,
        errors: &mut error,
    };
    let (points, window) = (Points { x, y, sigma }, 0..size);
    if is_short(points, size) {
        let window = |_| window.clone();
        run(points, &Short { window, count: 1 }, &mut slopes);
    } else {
        run(points, &Ranges(std::slice::from_ref(&window)), &mut slopes);
    }
    let error_scale = if sigma.is_some() { sigma_scale } else { y_scale };
    [
        rescaled(value[0], x_scale, y_scale),
        rescaled(error[0], x_scale, error_scale),
    ]
}

/// `value * x_scale / y_scale`, for powers of two whose quotient may leave the range of a float.
pub(super) fn rescaled(value: f64, x_scale: f64, y_scale: f64) -> f64 {
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

/// Moments of adjacent rows. Means are relative to the last row, as sums of two floats.
#[derive(Clone, Copy)]
struct Moments {
    x: [f64; 2],
    y: [f64; 2],
    xx: f64,
    xy: f64,
    /// The slope of the line, and the sum of its squared residuals; unused unless errors are computed from residuals.
    slope: f64,
    residuals: f64,
}

impl Moments {
    const SINGLE: Self = Self {
        x: [0.0; 2],
        y: [0.0; 2],
        xx: 0.0,
        xy: 0.0,
        slope: 0.0,
        residuals: 0.0,
    };
}

/// The number of fields of moments at most.
const FIELDS: usize = 8;

/// Moments of 64 blocks or windows, field by field: the means of x and y, the sums, the slope and the residuals.
#[derive(Clone)]
struct Stripe([[f64; ROWS]; FIELDS]);

impl Stripe {
    const ZERO: Self = Self([[0.0; ROWS]; FIELDS]);

    #[inline(always)]
    fn view(&self) -> View<'_> {
        View(self.0.each_ref())
    }

    #[inline(always)]
    fn view_mut(&mut self) -> ViewMut<'_> {
        ViewMut(self.0.each_mut())
    }
}

/// Moments of 64 blocks or windows at adjacent rows, written in place.
pub(super) struct ViewMut<'a>([&'a mut [f64; ROWS]; FIELDS]);

impl ViewMut<'_> {
    /// Sets the sums of some windows, which are all that slopes are computed from.
    #[inline(always)]
    pub(super) fn set_sums(&mut self, first: usize, xx: &[f64], xy: &[f64], residuals: &[f64]) {
        for (field, sums) in [(4, xx), (5, xy), (7, residuals)] {
            self.0[field][first..first + sums.len()].copy_from_slice(sums);
        }
    }

    #[inline(always)]
    fn set<const RESIDUALS: bool>(&mut self, place: usize, moments: Moments) {
        let Moments { x, y, xx, xy, .. } = moments;
        for (field, value) in [x[0], x[1], y[0], y[1], xx, xy].into_iter().enumerate() {
            self.0[field][place] = value;
        }
        if RESIDUALS {
            self.0[6][place] = moments.slope;
            self.0[7][place] = moments.residuals;
        }
    }
}

/// Moments of 64 blocks or windows at adjacent rows, read in place.
struct View<'a>([&'a [f64; ROWS]; FIELDS]);

impl View<'_> {
    #[inline(always)]
    fn get<const RESIDUALS: bool>(&self, place: usize) -> Moments {
        let field = |field: usize| self.0[field][place];
        let mut moments = Moments {
            x: [field(0), field(1)],
            y: [field(2), field(3)],
            xx: field(4),
            xy: field(5),
            ..Moments::SINGLE
        };
        if RESIDUALS {
            moments.slope = field(6);
            moments.residuals = field(7);
        }
        moments
    }
}

/// How two sets of rows share in the merged one. The later rows are at least as many.
#[derive(Clone, Copy)]
struct Share {
    /// `n1 / (n1 + n2)`
    earlier: f64,
    /// `n1 * n2 / (n1 + n2)`
    product: f64,
}

impl Share {
    #[inline(always)]
    fn new(earlier: f64, later: f64) -> Self {
        let share = earlier / (earlier + later);
        Self {
            earlier: share,
            product: share * later,
        }
    }

    /// Two blocks of `rows` rows.
    #[inline(always)]
    fn halves(rows: usize) -> Self {
        Self {
            earlier: 0.5,
            product: 0.5 * rows as f64,
        }
    }
}

/// Moments of earlier and later rows together.
#[inline(always)]
fn merge<const RESIDUALS: bool>(
    earlier: Moments,
    later: Moments,
    x_step: [f64; 2],
    y_step: [f64; 2],
    share: Share,
) -> Moments {
    let (dx, x) = merge_means(earlier.x, later.x, x_step, share.earlier);
    let (dy, y) = merge_means(earlier.y, later.y, y_step, share.earlier);
    let weighted = share.product * dx;
    let within = (earlier.xx + later.xx, earlier.xy + later.xy);
    let mut merged = Moments {
        x,
        y,
        xx: weighted.mul_add(dx, within.0),
        xy: weighted.mul_add(dy, within.1),
        slope: 0.0,
        residuals: 0.0,
    };
    if RESIDUALS {
        // Three independent parts of the residuals: within both sets, between their slopes, between their means.
        let inverse = inverse_or_zero(within.0);
        let slopes = later.slope - earlier.slope;
        let means = (-(within.1 * inverse)).mul_add(dx, dy);
        let inverse_all = inverse_or_zero(merged.xx);
        let unexplained = if merged.xx == 0.0 { 1.0 } else { within.0 * inverse_all };
        merged.slope = merged.xy * inverse_all;
        merged.residuals = earlier.residuals
            + later.residuals
            + earlier.xx * (later.xx * inverse) * slopes * slopes
            + share.product * unexplained * means * means;
    }
    merged
}

#[inline(always)]
fn inverse_or_zero(sum: f64) -> f64 {
    if sum == 0.0 { 0.0 } else { 1.0 / sum }
}

/// The distance of two means and the mean of both. `step` is the distance of the rows to which they are relative.
#[inline(always)]
fn merge_means(earlier: [f64; 2], later: [f64; 2], step: [f64; 2], share: f64) -> (f64, [f64; 2]) {
    let (mean, rest) = two_sum(earlier[0], -step[0]);
    let earlier = [mean, rest + (earlier[1] - step[1])];
    let distance = (later[0] - earlier[0]) + (later[1] - earlier[1]);
    let (mean, rest) = two_sum(later[0], -share * distance);
    (distance, [mean, later[1] + rest])
}

/// Merges 64 pairs of sets of rows.
#[inline(always)]
fn merge_stripes<const RESIDUALS: bool>(
    earlier: &View<'_>,
    later: &View<'_>,
    [dx, dy]: [&Steps; 2],
    share: impl Fn(usize) -> Share,
    merged: &mut ViewMut<'_>,
) {
    for place in 0..ROWS {
        let moments = merge::<RESIDUALS>(
            earlier.get::<RESIDUALS>(place),
            later.get::<RESIDUALS>(place),
            [dx.value[place], dx.rest[place]],
            [dy.value[place], dy.rest[place]],
            share(place),
        );
        merged.set::<RESIDUALS>(place, moments);
    }
}

/// Slopes, their standard errors, and whether all sums are in the range of a float.
struct Fits {
    slopes: [f64; ROWS],
    errors: [f64; ROWS],
    is_usual: [bool; ROWS],
}

/// Solves 64 windows of some numbers of rows.
#[inline(always)]
#[allow(clippy::needless_bitwise_bool)] // Without branches, for vector registers.
fn solve<const RESIDUALS: bool>(windows: &View<'_>, rows: impl Fn(usize) -> f64, sigma: f64) -> Fits {
    // Terms that underflow are negligible in sums beyond 2^-600.
    const MIN_XX: f64 = 3.872_591_914_849_318e-121; // 2^-400
    const MAX_XX: f64 = 2.582_249_878_086_908_6e120; // 2^400
    const MIN_XY: f64 = 2.409_919_865_102_884e-181; // 2^-600
    const MAX_XY: f64 = 4.149_515_568_880_993e180; // 2^600

    let is_in = |value: f64, min: f64, max: f64| (value >= min) & (value <= max);
    let mut fits = Fits {
        slopes: [0.0; ROWS],
        errors: [0.0; ROWS],
        is_usual: [false; ROWS],
    };
    for place in 0..ROWS {
        let moments = windows.get::<RESIDUALS>(place);
        let Moments { xx, xy, residuals, .. } = moments;
        fits.slopes[place] = xy / xx;
        fits.is_usual[place] = is_in(xx, MIN_XX, MAX_XX) & is_in(xy.abs(), MIN_XY, MAX_XY) & (residuals <= MAX_XY);
        if !RESIDUALS {
            fits.errors[place] = sigma / xx.sqrt();
        }
        if RESIDUALS {
            fits.errors[place] = (residuals / ((rows(place) - 2.0) * xx)).sqrt();
        }
    }
    fits
}

impl Fits {
    /// Writes the results of some windows from the window `start` on, and appends the unusual ones.
    #[inline(always)]
    fn write(&self, places: Range<usize>, start: usize, slopes: &mut Slopes<'_>, unusual: &mut Vec<usize>) {
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
                    .map(|place| start + place - places.start),
            );
        }
    }
}

/// A loop over windows.
trait Loop {
    /// Fills in the slopes, and returns the windows whose sums of products leave the range of a float.
    ///
    /// Must be `#[inline(always)]`, so that it is compiled with the target features of its caller.
    fn run<const RESIDUALS: bool>(&self, points: Points<'_>, slopes: &mut Slopes<'_>) -> Vec<usize>;
}

/// Runs the copy of a loop for what is asked for.
fn run(points: Points<'_>, windows: &impl Loop, slopes: &mut Slopes<'_>) -> Vec<usize> {
    let job = (points, windows, &mut *slopes);
    if points.sigma.is_some() || job.2.errors.is_empty() {
        dispatch(Job::<_, false>(job))
    } else {
        dispatch(Job::<_, true>(job))
    }
}

/// A loop and its arguments.
struct Job<'a, 'b, L, const RESIDUALS: bool>((Points<'a>, &'a L, &'a mut Slopes<'b>));

/// Short windows: what the window of an index is, and how many there are.
struct Short<W> {
    window: W,
    count: usize,
}

impl<W: Fn(usize) -> Range<usize>> Loop for Short<W> {
    #[inline(always)]
    fn run<const RESIDUALS: bool>(&self, points: Points<'_>, slopes: &mut Slopes<'_>) -> Vec<usize> {
        let sigma = points.sigma.unwrap_or_default();
        let mut memory = short::Memory::default();
        let mut unusual = Vec::new();
        let mut moments = Stripe::ZERO;
        for start in (0..self.count).step_by(ROWS) {
            let count = ROWS.min(self.count - start);
            let window = |place: usize| (self.window)(start + place);
            memory.sum::<RESIDUALS>(points, window, count, &mut moments.view_mut());
            let rows = |place: usize| window(place.min(count - 1)).len() as f64;
            let fits = solve::<RESIDUALS>(&moments.view(), rows, sigma);
            fits.write(0..count, start, slopes, &mut unusual);
        }
        unusual
    }
}

/// Windows of one size at adjacent rows.
struct Rolling {
    first: usize,
    size: usize,
    count: usize,
}

/// Moments of blocks or windows by their last row: the latest 64, and those up to `lag` rows before.
struct Delay {
    lag: usize,
    /// One buffer per field, of `capacity` rows each.
    buffer: Vec<f64>,
    capacity: usize,
    /// The first of the latest 64 rows.
    latest: usize,
}

impl Delay {
    fn new(lag: usize) -> Self {
        let capacity = if lag < ROWS { lag + 4 * ROWS } else { lag + ROWS };
        Self {
            lag,
            buffer: vec![0.0; FIELDS * capacity],
            capacity,
            latest: lag,
        }
    }

    /// Makes room for 64 rows, which become the latest.
    #[inline(always)]
    fn next(&mut self) -> ViewMut<'_> {
        let Self { lag, capacity, .. } = *self;
        let mut next = self.latest + ROWS;
        if next + ROWS > capacity {
            let kept = if lag < ROWS { lag } else { 0 };
            for field in self.buffer.chunks_exact_mut(capacity) {
                field.copy_within(next - kept..next, 0);
            }
            next = kept;
        }
        self.latest = next;
        let mut fields = self.buffer.chunks_exact_mut(capacity);
        ViewMut(std::array::from_fn(|_| {
            let rows = fields.next().and_then(|field| field[next..].first_chunk_mut());
            rows.expect("each field has room for 64 rows")
        }))
    }

    /// The latest 64 rows.
    #[inline(always)]
    fn latest(&self) -> View<'_> {
        self.view(self.latest)
    }

    /// The 64 rows `lag` rows before the latest.
    #[inline(always)]
    fn earlier(&self) -> View<'_> {
        self.view(if self.lag < ROWS {
            self.latest - self.lag
        } else {
            // The buffer is a ring: the oldest rows are the next to be overwritten.
            (self.latest + ROWS) % self.capacity
        })
    }

    #[inline(always)]
    fn view(&self, row: usize) -> View<'_> {
        View(std::array::from_fn(|field| {
            let rows = self.buffer[field * self.capacity + row..].first_chunk();
            rows.expect("a buffer has 64 rows from the latest on")
        }))
    }
}

/// Blocks of `rows` rows, and the windows that a block extends.
struct Level {
    rows: usize,
    blocks: Delay,
    /// Windows up to the block before, and their number of rows. `None` if no block of this size is in a window.
    windows: Option<(Delay, usize)>,
}

impl Loop for Rolling {
    /// ```text
    /// for each 64 rows
    ///     for each size of blocks
    ///         windows ending here = windows ending `size` rows before + blocks, if the size is in the window
    ///         blocks of the next size = blocks ending `size` rows before + blocks
    /// ```
    #[inline(always)]
    fn run<const RESIDUALS: bool>(&self, points: Points<'_>, slopes: &mut Slopes<'_>) -> Vec<usize> {
        let Self {
            first: origin,
            size,
            count,
        } = *self;
        let sigma = points.sigma.unwrap_or_default();
        let digits = usize::BITS - size.leading_zeros();
        let mut levels: Vec<Level> = (0..digits)
            .map(|digit| {
                let rows = 1 << digit;
                let is_in_window = size & rows != 0;
                Level {
                    rows,
                    blocks: Delay::new(rows),
                    windows: is_in_window.then(|| (Delay::new(rows), size & (rows - 1))),
                }
            })
            .collect();
        let mut unusual = Vec::new();
        let mut fitted = Stripe::ZERO;
        let (mut dx, mut dy) = (Steps::ZERO, Steps::ZERO);
        let last = count + size - 1;
        for first in (0..last).step_by(ROWS) {
            for level in 0..levels.len() {
                let (lower, higher) = levels.split_at_mut(level + 1);
                let Level { rows, blocks, windows } = &mut lower[level];
                points.x.lagged(origin + first, *rows, &mut dx);
                points.y.lagged(origin + first, *rows, &mut dy);
                let latest = blocks.latest();
                // Moments of single rows are zero, as the buffers are.
                if let Some((windows, before)) = windows
                    && *rows > 1
                {
                    let next = higher.iter_mut().find_map(|level| level.windows.as_mut());
                    let mut extended = next.map_or_else(|| fitted.view_mut(), |(next, _)| next.next());
                    if *before == 0 {
                        for place in 0..ROWS {
                            extended.set::<RESIDUALS>(place, latest.get::<RESIDUALS>(place));
                        }
                    } else {
                        let share = Share::new(*before as f64, *rows as f64);
                        let earlier = windows.earlier();
                        merge_stripes::<RESIDUALS>(&earlier, &latest, [&dx, &dy], |_| share, &mut extended);
                    }
                }
                if let Some(next) = higher.first_mut() {
                    let share = Share::halves(*rows);
                    let mut merged = next.blocks.next();
                    let earlier = blocks.earlier();
                    merge_stripes::<RESIDUALS>(&earlier, &latest, [&dx, &dy], |_| share, &mut merged);
                }
            }
            let fits = solve::<RESIDUALS>(&fitted.view(), |_| size as f64, sigma);
            let places = (size - 1).saturating_sub(first).min(ROWS)..ROWS.min(last - first);
            if !places.is_empty() {
                let start = first + places.start + 1 - size;
                fits.write(places, start, slopes, &mut unusual);
            }
        }
        unusual
    }
}

/// Windows of any size whose ends do not fall.
struct Ranges<'a>(&'a [Range<usize>]);

impl Loop for Ranges<'_> {
    /// ```text
    /// for each tile of windows
    ///     for each size of blocks that a window has
    ///         windows = windows + blocks that end `size` rows after them, where the size is in the window
    ///         blocks of the next size, from the last row to the first
    /// ```
    #[inline(always)]
    fn run<const RESIDUALS: bool>(&self, points: Points<'_>, slopes: &mut Slopes<'_>) -> Vec<usize> {
        let Self(windows) = self;
        let sigma = points.sigma.unwrap_or_default();
        let mut unusual = Vec::new();
        let mut start = 0;
        while let Some(window) = windows.get(start) {
            let first = window.start;
            // As many rows again as a window has, so that few blocks are computed twice.
            let limit = first + (2 * window.len()).max(64 * ROWS);
            let count = windows[start..].iter().take_while(|window| window.end <= limit).count();
            let tile = &windows[start..start + count.max(1)];
            let last = tile[tile.len() - 1].end;
            let mut blocks = Blocks::new(first..last);
            let mut sums = vec![Stripe::ZERO; tile.len().div_ceil(ROWS)];
            let largest = tile.iter().map(Range::len).max().unwrap_or(0);
            let digits = usize::BITS - largest.leading_zeros();
            for digit in 0..digits {
                blocks.differences(points, 1 << digit);
                for (sums, windows) in sums.iter_mut().zip(tile.chunks(ROWS)) {
                    blocks.extend::<RESIDUALS>(windows, digit, sums);
                }
                if digit + 1 < digits {
                    blocks.double::<RESIDUALS>(digit);
                }
            }
            for (index, (sums, windows)) in sums.iter().zip(tile.chunks(ROWS)).enumerate() {
                let rows = |place: usize| windows.get(place).map_or(1.0, |window| window.len() as f64);
                let fits = solve::<RESIDUALS>(&sums.view(), rows, sigma);
                fits.write(0..windows.len(), start + index * ROWS, slopes, &mut unusual);
            }
            start += tile.len();
        }
        unusual
    }
}

/// Blocks of one size that end at adjacent rows, and the steps over a block.
struct Blocks {
    first: usize,
    stripes: Vec<Stripe>,
    steps: Vec<[Steps; 2]>,
}

impl Blocks {
    fn new(rows: Range<usize>) -> Self {
        let firsts = || rows.clone().step_by(ROWS);
        Self {
            first: rows.start,
            stripes: firsts().map(|_| Stripe::ZERO).collect(),
            steps: firsts().map(|_| [Steps::ZERO; 2]).collect(),
        }
    }

    fn differences(&mut self, points: Points<'_>, lag: usize) {
        for (index, [dx, dy]) in self.steps.iter_mut().enumerate() {
            points.x.lagged(self.first + index * ROWS, lag, dx);
            points.y.lagged(self.first + index * ROWS, lag, dy);
        }
    }

    /// Merges each block with the one before it.
    #[inline(always)]
    fn double<const RESIDUALS: bool>(&mut self, digit: u32) {
        let lag = 1_usize << digit;
        let share = Share::halves(lag);
        let (mut joined, mut merged) = (Stripe::ZERO, Stripe::ZERO);
        for index in (0..self.stripes.len()).rev() {
            let earlier = if lag < ROWS {
                let before = &self.stripes[index.saturating_sub(1)].0;
                let fields = joined.0.iter_mut().zip(before).zip(&self.stripes[index].0);
                for ((joined, before), these) in fields {
                    joined[..lag].copy_from_slice(&before[ROWS - lag..]);
                    joined[lag..].copy_from_slice(&these[..ROWS - lag]);
                }
                joined.view()
            } else {
                self.stripes[index.saturating_sub(lag / ROWS)].view()
            };
            let [dx, dy] = &self.steps[index];
            let later = self.stripes[index].view();
            merge_stripes::<RESIDUALS>(&earlier, &later, [dx, dy], |_| share, &mut merged.view_mut());
            self.stripes[index].clone_from(&merged);
        }
    }

    /// Extends those of 64 windows that have a block of this size by it.
    #[inline(always)]
    fn extend<const RESIDUALS: bool>(&self, windows: &[Range<usize>], digit: u32, sums: &mut Stripe) {
        let size = 1 << digit;
        let mut later = Stripe::ZERO;
        let (mut dx, mut dy) = (Steps::ZERO, Steps::ZERO);
        let mut shares = [Share::new(1.0, 1.0); ROWS];
        for (place, window) in windows.iter().enumerate() {
            let before = window.len() & (size - 1);
            if window.len() & size == 0 {
                continue;
            }
            let row = window.start + before + size - 1 - self.first;
            let block = self.stripes[row / ROWS].view().get::<RESIDUALS>(row % ROWS);
            later.view_mut().set::<RESIDUALS>(place, block);
            let steps = &self.steps[row / ROWS];
            for (step, steps) in [&mut dx, &mut dy].into_iter().zip(steps) {
                step.value[place] = steps.value[row % ROWS];
                step.rest[place] = steps.rest[row % ROWS];
            }
            shares[place] = Share::new(before as f64, size as f64);
        }
        let mut merged = Stripe::ZERO;
        let share = |place: usize| shares[place];
        merge_stripes::<RESIDUALS>(&sums.view(), &later.view(), [&dx, &dy], share, &mut merged.view_mut());
        for (place, window) in windows.iter().enumerate() {
            if window.len() & size != 0 {
                let is_first = window.len() & (size - 1) == 0;
                let extended = if is_first { &later } else { &merged };
                let moments = extended.view().get::<RESIDUALS>(place);
                sums.view_mut().set::<RESIDUALS>(place, moments);
            }
        }
    }
}

impl<L: Loop, const RESIDUALS: bool> Kernel for Job<'_, '_, L, RESIDUALS> {
    type Output = Vec<usize>;

    #[inline(always)]
    fn run(self) -> Vec<usize> {
        let (points, windows, slopes) = self.0;
        windows.run::<RESIDUALS>(points, slopes)
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
        let all = fits(true, &|slopes| rolling(points, 0, size, slopes));
        let bits = |fits: &[Option<[f64; 2]>]| -> Vec<_> {
            fits.iter().map(|fit| fit.map(|fit| fit.map(f64::to_bits))).collect()
        };
        let one_by_one = fits(true, &|slopes| ranges(points, &windows, slopes));
        assert_eq!(bits(&all), bits(&one_by_one), "windows of {size} rows, by both loops");
        let without = fits(false, &|slopes| rolling(points, 0, size, slopes));
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
    fn rows_far_away_on_one_axis_cost_short_windows_no_digits() {
        // A block of an x and a y far away has products far larger than the terms of the window.
        let mut next = random(1_000);
        let mut far = |row: usize| {
            if row.is_multiple_of(7) {
                next() * 1_000_000
            } else {
                next()
            }
        };
        let (y, x): (Vec<_>, Vec<_>) = (0..400).map(|row| (far(row), far(row + 1))).unzip();
        for size in [5, 21, 64] {
            for worst in [
                worst(&y, &x, size, |value| value as f64),
                worst(&y, &x, size, |value| value),
            ] {
                assert!(worst <= 3.0, "{worst} epsilons in windows of {size} rows");
            }
        }
    }

    #[test]
    fn a_window_has_the_same_bits_wherever_rows_begin() {
        let mut next = random(1_000_000);
        let (y, x): (Vec<_>, Vec<_>) = (0..500).map(|_| (next() as f64 / 3.0, next() as f64 / 7.0)).unzip();
        for size in [3, 7, 64, 100] {
            let whole = rolling_fit(&y, &x, None, size);
            for start in [1, 63, 64, 130] {
                let part = rolling_fit(&y[start..], &x[start..], None, size);
                assert!(part == whole[start..], "windows of {size} rows from row {start} on");
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
        assert!(rolling(points, 0, 3, slopes).is_empty());
        assert_eq!(values, [5.0; 3]);
    }
}
