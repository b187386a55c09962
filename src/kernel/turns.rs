//! Turning points: where a curve stops rising and falls, or stops falling and rises.
//!
//! ```text
//! high, low = the first row
//! for each row after it
//!     going up, or not known yet     the row replaces `high` if it is higher, and extends it if it is as high and next to it
//!                                    if it is lower by the swing: `high` is a maximum, go down from here
//!     going down, or not known yet   the same for `low`, upside down
//! ```
//!
//! Without a swing the steps from row to row say all: a row turns if one goes up to it and the next goes down, or the other
//! way round, and so does a plateau. They are found as masks of 64 rows, in most of which a smooth curve does not turn.
//! Where many rows turn, the vertices of 64 rows are computed at once. With a swing the curve is followed from one of these
//! rows to the next.

use std::array::from_fn;
use std::ops::Range;

use super::sample::{Sample, periodic};
use super::stencil::inverse_power_of_two;
#[cfg(any(feature = "polars", feature = "arrow"))]
use crate::bits::Bits;
use crate::bits::{ROWS, movemask, set_bits};
use crate::dispatch::{Kernel, dispatch};

/// Adjacent rows of one height that are higher than the rows on both sides, or lower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extreme {
    pub(crate) first: usize,
    pub(crate) last: usize,
    pub(crate) is_max: bool,
}

impl Extreme {
    /// A row of its own height.
    pub(crate) fn at(row: usize, is_max: bool) -> Self {
        Self {
            first: row,
            last: row,
            is_max,
        }
    }

    /// The row in the middle; the earlier one of two.
    pub(crate) fn middle(self) -> usize {
        self.first.midpoint(self.last)
    }
}

/// A curve, given by the rises between its rows.
pub(crate) trait Heights {
    /// The rise from a row to a later one, rounded once; zero between equal heights only.
    fn rise(&self, from: usize, to: usize) -> f64;

    /// Half of the rise, which does not overflow.
    fn half_rise(&self, from: usize, to: usize) -> f64;
}

impl<T: Sample> Heights for &[T] {
    #[inline(always)]
    fn rise(&self, from: usize, to: usize) -> f64 {
        // The difference of two infinities is no number.
        if self[from] == self[to] {
            0.0
        } else {
            self[to].minus(self[from])
        }
    }

    fn half_rise(&self, from: usize, to: usize) -> f64 {
        self[to].half_minus(self[from])
    }
}

/// A curve whose rises from row to row are remainders to the nearest multiple of a period.
pub(crate) struct Unwrapped<'a> {
    values: &'a [f64],
    period: f64,
    /// The number of periods to subtract at each row, modulo 2⁶⁴, so that differences are exact.
    wraps: Vec<i64>,
}

impl<'a> Unwrapped<'a> {
    pub(crate) fn new(values: &'a [f64], period: f64) -> Self {
        let mut sum = 0_i64;
        let later = values.windows(2).map(|pair| {
            let wraps = ((pair[1].minus(pair[0]) - periodic(pair[1], pair[0], period)) / period).round();
            sum = sum.wrapping_add(if wraps.is_finite() { wraps as i64 } else { 0 });
            sum
        });
        Self {
            values,
            period,
            wraps: std::iter::once(0).chain(later).take(values.len()).collect(),
        }
    }
}

impl Heights for Unwrapped<'_> {
    fn rise(&self, from: usize, to: usize) -> f64 {
        if from + 1 == to {
            return periodic(self.values[to], self.values[from], self.period);
        }
        let wraps = self.wraps[to].wrapping_sub(self.wraps[from]) as f64;
        (-wraps).mul_add(self.period, self.values[to].minus(self.values[from]))
    }

    fn half_rise(&self, from: usize, to: usize) -> f64 {
        0.5 * self.rise(from, to)
    }
}

/// Visits the maxima and minima of some rows in turns. An extreme counts once the curve has left it by `min_swing`; the
/// first row and the last one never do.
///
/// With `is_cut` the curve begins further back, and has been cut at the second row: see [`cut`].
pub(crate) fn extremes(
    heights: &impl Heights,
    rows: Range<usize>,
    is_cut: bool,
    min_swing: f64,
    mut visit: impl FnMut(Extreme),
) {
    let start = rows.start;
    let mut curve = if is_cut {
        Followed::behind_cut(heights, start + 1)
    } else {
        Followed::at(start, Way::Unknown)
    };
    for row in rows.skip(1 + usize::from(is_cut)) {
        if let Some(extreme) = curve
            .follow(heights, row, min_swing)
            .filter(|extreme| extreme.first > start)
        {
            visit(extreme);
        }
    }
}

/// The first of some rows at which a curve may be cut: which extremes are there and behind it depends on that row, the
/// direction of the step to it, and the rows after it.
///
/// The rows are followed as if the curve began with the first. The second time that they have come back by `min_swing`
/// from their furthest row, so has the whole curve, and this row is the furthest since. The first time does not tell: the
/// whole curve may go the same way since long before, and may have been further. Without a swing one step is enough.
///
/// A curve begins behind a null or a NaN.
#[cfg(any(feature = "polars", feature = "arrow"))]
pub(crate) fn cut<Y: Sample>(y: &[Y], valid: Option<Bits>, rows: Range<usize>, min_swing: f64) -> Option<usize> {
    let needed = if min_swing > 0.0 { 2 } else { 1 };
    let (mut curve, mut turns) = (None, 0);
    for row in rows {
        if y[row].is_nan() || valid.is_some_and(|valid| !valid.get(row)) {
            (curve, turns) = (None, 0);
            continue;
        }
        let curve = curve.get_or_insert(Followed::at(row, Way::Unknown));
        if curve.follow(&y, row, min_swing).is_some() {
            turns += 1;
            if turns == needed {
                return Some(row);
            }
        }
    }
    None
}

/// A curve that is followed row by row.
struct Followed {
    way: Way,
    /// The highest rows since the curve went down by the swing.
    high: Level,
    /// The lowest rows since it went up.
    low: Level,
}

/// Where a curve goes that has left an extreme.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Unknown,
    Up,
    Down,
}

impl Followed {
    fn at(row: usize, way: Way) -> Self {
        let (high, low) = (Level::at(row), Level::at(row));
        Self { way, high, low }
    }

    /// A curve at a row that it may be cut at.
    fn behind_cut(heights: &impl Heights, row: usize) -> Self {
        let is_up = heights.rise(row - 1, row) > 0.0;
        Self::at(row, if is_up { Way::Up } else { Way::Down })
    }

    /// Follows the curve to the next row, and returns the extreme that it has left there.
    #[inline(always)]
    fn follow(&mut self, heights: &impl Heights, row: usize, min_swing: f64) -> Option<Extreme> {
        let Self { way, high, low } = self;
        if *way != Way::Down && high.is_left(row, heights.rise(high.last, row), min_swing) {
            (*way, *low) = (Way::Down, Level::at(row));
            Some(high.extreme(true))
        } else if *way != Way::Up && low.is_left(row, -heights.rise(low.last, row), min_swing) {
            (*way, *high) = (Way::Up, Level::at(row));
            Some(low.extreme(false))
        } else {
            None
        }
    }

    /// Follows the curve from an extreme, or its start, to the next extreme, and returns the one that it has left there.
    #[inline(always)]
    fn turn(&mut self, heights: &impl Heights, extreme: Extreme, min_swing: f64) -> Option<Extreme> {
        let Self { way, high, low } = self;
        let (towards, sign, near, far) = if extreme.is_max {
            (Way::Up, 1.0, high, low)
        } else {
            (Way::Down, -1.0, low, high)
        };
        let from = |level: &Level| sign * heights.rise(level.last, extreme.first);
        if *way == towards {
            // A plateau may begin where the curve has been cut.
            if from(near) > 0.0 || near.first == extreme.first {
                *near = Level::of(extreme);
            }
            return None;
        }
        if from(far) >= min_swing {
            (*way, *near) = (towards, Level::of(extreme));
            return Some(far.extreme(!extreme.is_max));
        }
        if *way == Way::Unknown && from(near) > 0.0 {
            *near = Level::of(extreme);
        }
        None
    }
}

/// A curve that is followed from extreme to extreme, 64 rows at a time, to find those that it leaves by a swing.
///
/// They are those of [`extremes`]: between two of its extremes a curve is nowhere further than there.
pub(crate) struct Swings {
    min_swing: f64,
    /// `None` beside a null or a NaN.
    curve: Option<Followed>,
    /// The first row of the curve.
    start: usize,
    /// Whether the step to the last row is known.
    was_known: bool,
    /// What is among 64 rows, to be sorted.
    stops: Vec<(usize, Stop)>,
}

/// Where a curve is looked at.
#[derive(Clone, Copy)]
enum Stop {
    Begins,
    Turns(Extreme),
    Ends,
}

impl Swings {
    pub(crate) fn new(min_swing: f64) -> Self {
        Self {
            min_swing,
            curve: None,
            start: 0,
            was_known: false,
            stops: Vec::new(),
        }
    }

    /// The same at a row that the curve may be cut at.
    pub(crate) fn behind_cut(min_swing: f64, heights: &impl Heights, row: usize) -> Self {
        Self {
            curve: Some(Followed::behind_cut(heights, row)),
            start: row - 1,
            was_known: true,
            ..Self::new(min_swing)
        }
    }

    /// Visits the extremes that the curve leaves among the 64 rows from `start` on, or some of them: those of the mask
    /// `rows`. The rows have the given extremes: maxima and minima, as masks, and plateaus.
    pub(crate) fn follow(
        &mut self,
        heights: &impl Heights,
        (start, rows): (usize, u64),
        [this, next]: [Steps; 2],
        [max, min]: [u64; 2],
        plateaus: &[Extreme],
        mut visit: impl FnMut(Extreme),
    ) {
        let known = this.known();
        let begins = known & !(known << 1 | u64::from(self.was_known)) & rows;
        let ends = known & !(known >> 1 | next.known() << (ROWS - 1)) & rows;
        self.was_known = known >> (ROWS - 1) != 0;
        let turns = set_bits(max | min, ROWS).map(|place| {
            (
                start + place,
                Stop::Turns(Extreme::at(start + place, max >> place & 1 != 0)),
            )
        });
        if plateaus.is_empty() && begins | ends == 0 {
            for (row, turn) in turns {
                self.stop(heights, row, turn, &mut visit);
            }
            return;
        }
        let mut stops = std::mem::take(&mut self.stops);
        stops.extend(turns);
        stops.extend(plateaus.iter().map(|plateau| (plateau.first, Stop::Turns(*plateau))));
        stops.extend(set_bits(begins, ROWS).map(|place| (start + place - 1, Stop::Begins)));
        stops.extend(set_bits(ends, ROWS).map(|place| (start + place, Stop::Ends)));
        stops.sort_unstable_by_key(|(row, _)| *row);
        for (row, stop) in stops.drain(..) {
            self.stop(heights, row, stop, &mut visit);
        }
        self.stops = stops;
    }

    /// Visits the extreme that the curve leaves at a row that ends it, or at which it is cut.
    pub(crate) fn end(&mut self, heights: &impl Heights, row: usize, mut visit: impl FnMut(Extreme)) {
        self.stop(heights, row, Stop::Ends, &mut visit);
    }

    #[inline(always)]
    fn stop(&mut self, heights: &impl Heights, row: usize, stop: Stop, visit: &mut impl FnMut(Extreme)) {
        let left = match (stop, &mut self.curve) {
            (Stop::Turns(extreme), Some(curve)) => curve.turn(heights, extreme, self.min_swing),
            (Stop::Ends, Some(curve)) => {
                let left = curve.follow(heights, row, self.min_swing);
                self.curve = None;
                left
            },
            (Stop::Begins, _) => {
                self.curve = Some(Followed::at(row, Way::Unknown));
                self.start = row;
                None
            },
            (_, None) => None,
        };
        if let Some(extreme) = left.filter(|extreme| extreme.first > self.start) {
            visit(extreme);
        }
    }
}

/// The furthest height so far: the adjacent rows that reached it first.
#[derive(Clone, Copy)]
struct Level {
    first: usize,
    last: usize,
}

impl Level {
    fn at(row: usize) -> Self {
        Self { first: row, last: row }
    }

    fn of(Extreme { first, last, .. }: Extreme) -> Self {
        Self { first, last }
    }

    fn extreme(self, is_max: bool) -> Extreme {
        let Self { first, last } = self;
        Extreme { first, last, is_max }
    }

    /// Follows the curve to the next row, which is `further` out, and returns whether it has come back by `min_swing`.
    #[inline(always)]
    fn is_left(&mut self, row: usize, further: f64, min_swing: f64) -> bool {
        if further > 0.0 {
            *self = Self::at(row);
        } else if further == 0.0 && self.last + 1 == row {
            self.last = row;
        }
        further < 0.0 && -further >= min_swing
    }
}

/// The vertex of the parabola through three rows, as distances from the one in the middle, which is higher than both
/// others or lower: that of x, and that of y.
///
/// ```text
/// p = d1 * h2,  q = -d2 * h1,  n = p * h2 - q * h1
/// distance of x = n / 2 (p + q)       no further than half a step: p and q have one sign
/// distance of y = n² / (4 (p + q) h1 h2 (h1 + h2))
/// ```
///
/// Rises `d` and steps `h` are given by their halves, which do not overflow. They are scaled by powers of two, so that
/// products of extreme ones stay in range. Zero where a rise is infinite: the vertex is the row itself.
pub(crate) fn vertex([d1, d2]: [f64; 2], [h1, h2]: [f64; 2]) -> [f64; 2] {
    let of_y = inverse_power_of_two(d1.abs().max(d2.abs()));
    let of_x = inverse_power_of_two(h1.abs().max(h2.abs()));
    let [x, y] = usual_vertex([d1 * of_y, d2 * of_y], [h1 * of_x, h2 * of_x]);
    let [x, y] = [x / of_x, y / of_y];
    if x.is_finite() && !y.is_nan() { [x, y] } else { [0.0; 2] }
}

/// [`vertex`] without scaling, which has the same bits where no product leaves the range of a float.
#[inline(always)]
fn usual_vertex([d1, d2]: [f64; 2], [h1, h2]: [f64; 2]) -> [f64; 2] {
    let (p, q) = (d1 * h2, -d2 * h1);
    let (n, sum) = (p * h2 - q * h1, p + q);
    [n / sum, 0.5 * n * n / (sum * h1 * h2 * (h1 + h2))]
}

/// Whether no product of a rise or a step leaves the range of a float.
#[inline(always)]
fn is_usual(difference: f64) -> bool {
    const LARGEST: f64 = 1.427_247_692_705_96e45; // 2^150
    const SMALLEST: f64 = 1.0 / LARGEST;
    (difference.abs() > SMALLEST) & (difference.abs() < LARGEST)
}

/// What the numbers of vertices are counted from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin<Y, X> {
    /// The number of y that means zero.
    pub(crate) y: Y,
    pub(crate) x: OriginOfX<X>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum OriginOfX<X> {
    /// The number of x that means zero.
    Zero(X),
    /// The x of each row.
    Row,
    /// Rows are counted; this is the number of the first.
    Count(f64),
}

/// How rows are to the rows before them, for 64 rows: masks. A row beside a NaN or a null is in none of them, and neither
/// is one without a row before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Steps {
    /// Rows that are higher than the row before.
    pub(crate) up: u64,
    /// Rows that are lower.
    pub(crate) down: u64,
    /// Rows that are as high.
    pub(crate) level: u64,
}

impl Steps {
    /// Finds the steps to the rows from `first` on, 64 rows in each element of `steps`.
    pub(crate) fn find<Y: Sample>(y: &[Y], first: usize, steps: &mut [Self]) {
        dispatch(FindSteps { y, first, steps });
    }

    /// The steps that are among some rows, each beside the one before.
    pub(crate) fn among(self, rows: u64, is_before: bool) -> Self {
        let known = rows & (rows << 1 | u64::from(is_before));
        Self {
            up: self.up & known,
            down: self.down & known,
            level: self.level & known,
        }
    }

    /// Mask of rows of which the step from the row before is known.
    fn known(self) -> u64 {
        self.up | self.down | self.level
    }

    /// Masks of rows of their own height that are higher than both neighbors, or lower; `next` has the steps to the 64 rows
    /// after these.
    pub(crate) fn turns(self, next: Self) -> [u64; 2] {
        let after = |steps: u64, next: u64| steps >> 1 | next << (ROWS - 1);
        [
            self.up & after(self.down, next.down),
            self.down & after(self.up, next.up),
        ]
    }
}

/// The loop over rows and the rows before them.
struct FindSteps<'a, Y> {
    y: &'a [Y],
    first: usize,
    steps: &'a mut [Steps],
}

impl<Y: Sample> Kernel for FindSteps<'_, Y> {
    type Output = ();

    // Integers of 128 bits fill no vector register.
    const WIDEST: bool = size_of::<Y>() <= size_of::<f64>();

    #[inline(always)]
    fn run(self) {
        for (start, steps) in (self.first..).step_by(ROWS).zip(self.steps) {
            let before = start.checked_sub(1).and_then(|before| self.y.get(before..));
            *steps = match before.and_then(|rows| rows.first_chunk::<{ ROWS + 1 }>()) {
                Some(rows) => {
                    let mut found = Steps::default();
                    for row in 0..ROWS {
                        let [before, this] = [rows[row], rows[row + 1]];
                        found.up |= u64::from(this > before) << row;
                        found.down |= u64::from(this < before) << row;
                        found.level |= u64::from(this == before) << row;
                    }
                    found
                },
                None => at_an_end(self.y, start),
            };
        }
    }
}

/// The steps to 64 rows of which some do not exist, or have no row before them.
#[cold]
fn at_an_end<Y: Sample>(y: &[Y], start: usize) -> Steps {
    let mut found = Steps::default();
    for row in start.max(1)..y.len().min(start + ROWS) {
        let ([before, this], place) = ([y[row - 1], y[row]], row - start);
        found.up |= u64::from(this > before) << place;
        found.down |= u64::from(this < before) << place;
        found.level |= u64::from(this == before) << place;
    }
    found
}

/// A curve that is followed 64 rows at a time, to find its plateaus.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Plateaus {
    /// Whether the last step that was not level went up, or down; `None` at the start of a curve.
    is_up: Option<bool>,
    /// The row that it led to.
    since: usize,
    /// Whether the last row was as high as the one before.
    was_level: bool,
}

impl Plateaus {
    /// Visits the plateaus that turn and that are left in the 64 rows from `start` on.
    #[inline]
    pub(crate) fn follow(&mut self, start: usize, steps: Steps, mut visit: impl FnMut(Extreme)) {
        let Steps { up, down, level } = steps;
        // Adding one to the first level row of a run of them carries to the row after the run.
        let goes_on = self.was_level || level & 1 != 0;
        let after = |entered: u64, is_up: bool| {
            let carried = u64::from(goes_on && self.is_up == Some(is_up));
            level.wrapping_add(level & entered << 1).wrapping_add(carried) & !level
        };
        let (high, low) = (after(up, true) & down, after(down, false) & up);
        for place in set_bits(high | low, ROWS) {
            let entered = (up | down) & !(u64::MAX << place);
            let first = match entered.checked_ilog2() {
                Some(place) => start + place as usize,
                None => self.since,
            };
            visit(Extreme {
                first,
                last: start + place - 1,
                is_max: high >> place & 1 != 0,
            });
        }
        self.was_level = level >> (ROWS - 1) != 0;
        if let Some(place) = (!level).checked_ilog2() {
            self.since = start + place as usize;
            self.is_up = match (up >> place & 1, down >> place & 1) {
                (1, _) => Some(true),
                (_, 1) => Some(false),
                _ => None,
            };
        }
    }
}

/// The vertices of 64 rows.
pub(crate) struct Vertices {
    /// Rows whose vertices are right, among those that turn.
    pub(crate) usual: u64,
    /// One for a minimum; zero in all other rows.
    pub(crate) is_min: [u8; ROWS],
    /// The x and the y of the vertex; zero in rows that do not turn.
    pub(crate) places: [[f64; ROWS]; 2],
}

impl Vertices {
    pub(crate) const NONE: Self = Self {
        usual: 0,
        is_min: [0; ROWS],
        places: [[0.0; ROWS]; 2],
    };

    /// Computes the vertices of the maxima and minima, as masks, among the 64 rows from `first` on. Without an x rows are
    /// one step apart.
    pub(crate) fn compute<Y: Sample, X: Sample>(
        &mut self,
        (y, x): (&[Y], Option<&[X]>),
        first: usize,
        turns: [u64; 2],
        origin: Origin<Y, X>,
    ) {
        let (mut of_y, mut of_x) = (None, None);
        dispatch(Compute {
            y: around(y, first, &mut of_y),
            x: x.map(|x| around(x, first, &mut of_x)),
            first,
            turns,
            origin,
            vertices: self,
        });
    }
}

const AROUND: usize = ROWS + 2;

/// 64 rows and one on both sides: in place, or copied where an end is repeated.
fn around<'a, T: Copy>(values: &'a [T], first: usize, copied: &'a mut Option<[T; AROUND]>) -> &'a [T; AROUND] {
    let in_place = first
        .checked_sub(1)
        .and_then(|before| values.get(before..)?.first_chunk());
    in_place.unwrap_or_else(|| {
        let last = values.len() - 1;
        copied.insert(from_fn(|place| values[(first + place).saturating_sub(1).min(last)]))
    })
}

/// The loop over 64 rows.
struct Compute<'a, Y, X> {
    y: &'a [Y; AROUND],
    x: Option<&'a [X; AROUND]>,
    first: usize,
    turns: [u64; 2],
    origin: Origin<Y, X>,
    vertices: &'a mut Vertices,
}

impl<Y: Sample, X: Sample> Kernel for Compute<'_, Y, X> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self {
            y,
            x,
            turns: [max, min],
            origin,
            vertices,
            ..
        } = self;
        let (mut rises, mut steps) = ([0.0; ROWS + 1], [0.5; ROWS + 1]);
        // Vector registers are not used for an inclusive range.
        for (rise, (before, this)) in rises.iter_mut().zip(y.iter().zip(&y[1..])) {
            *rise = this.half_minus(*before);
        }
        let mut places = [0.0; ROWS];
        if let Some(x) = x {
            for (step, (before, this)) in steps.iter_mut().zip(x.iter().zip(&x[1..])) {
                *step = this.half_minus(*before);
            }
            if let OriginOfX::Zero(zero) = origin.x {
                for row in 0..ROWS {
                    places[row] = x[row + 1].minus(zero);
                }
            }
        }
        if let OriginOfX::Count(before) = origin.x {
            for (row, place) in (self.first..).zip(&mut places) {
                *place = before + row as f64;
            }
        }
        let [of_x, of_y] = &mut vertices.places;
        let mut usual = [0; ROWS];
        for row in 0..ROWS {
            let [d, h] = [[rises[row], rises[row + 1]], [steps[row], steps[row + 1]]];
            let [offset, height] = usual_vertex(d, h);
            usual[row] = u8::from(is_usual(d[0]) & is_usual(d[1]) & is_usual(h[0]) & is_usual(h[1]));
            let turns = (max | min) >> row & 1 != 0;
            of_x[row] = if turns { places[row] + offset } else { 0.0 };
            of_y[row] = if turns {
                y[row + 1].minus(origin.y) + height
            } else {
                0.0
            };
        }
        vertices.usual = movemask(&usual);
        vertices.is_min = from_fn(|row| (min >> row & 1) as u8);
    }
}

/// Whether coordinates are finite and strictly rising, or falling.
pub(crate) fn is_ordered<X: Sample>(x: &[X]) -> bool {
    let [Some(first), Some(last)] = [x.first(), x.last()] else {
        return true;
    };
    // What is between two finite numbers is finite.
    let is_finite = first.zero_unless_finite() == 0.0 && last.zero_unless_finite() == 0.0;
    is_finite && dispatch(Ordered(x))
}

/// The loop over the steps, 4,096 at a time.
struct Ordered<'a, X>(&'a [X]);

impl<X: Sample> Kernel for Ordered<'_, X> {
    type Output = bool;

    #[inline(always)]
    fn run(self) -> bool {
        const STEPS: usize = 4096;
        let (earlier, later) = (&self.0[..self.0.len() - 1], &self.0[1..]);
        let (mut rises, mut falls) = (true, true);
        for (earlier, later) in earlier.chunks(STEPS).zip(later.chunks(STEPS)) {
            let (mut all_rise, mut all_fall) = (1_u8, 1_u8);
            for (earlier, later) in earlier.iter().zip(later) {
                all_rise &= u8::from(earlier < later);
                all_fall &= u8::from(earlier > later);
            }
            rises &= all_rise == 1;
            falls &= all_fall == 1;
            if !rises && !falls {
                return false;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::angles;

    #[test]
    fn heights_of_angles_do_not_depend_on_where_the_curve_begins() {
        let angles = angles(&[3, 400, 800, i64::MAX, -5, 17, 500], 360.0);
        let (whole, part) = (Unwrapped::new(&angles, 360.0), Unwrapped::new(&angles[1..], 360.0));
        for (from, to) in [(1, 4), (2, 5), (1, 6)] {
            assert_eq!(whole.rise(from, to), part.rise(from - 1, to - 1), "{from} to {to}");
        }
    }

    fn found(y: &[f64], min_swing: f64) -> Vec<(usize, usize, bool)> {
        let mut found = Vec::new();
        extremes(&y, 0..y.len(), false, min_swing, |extreme| {
            found.push((extreme.first, extreme.last, extreme.is_max));
        });
        found
    }

    #[test]
    fn extremes_are_higher_or_lower_than_the_rows_on_both_sides() {
        assert_eq!(found(&[0.0, 1.0, 0.0, 2.0], 0.0), [(1, 1, true), (2, 2, false)]);
        assert_eq!(found(&[0.0, 1.0, 1.0, 1.0, 0.0], 0.0), [(1, 3, true)]);
        assert_eq!(found(&[1.0, 1.0, 0.0, 0.0, 3.0, 3.0], 0.0), [(2, 3, false)]);
        for y in [&[][..], &[1.0], &[1.0, 0.0], &[1.0, 1.0, 1.0], &[0.0, 1.0, 1.0, 2.0]] {
            assert_eq!(found(y, 0.0), [], "{y:?}");
        }
        let infinite = [0.0, f64::INFINITY, f64::INFINITY, 1.0];
        assert_eq!(found(&infinite, 0.0), [(1, 2, true)]);
    }

    #[test]
    fn an_extreme_counts_once_the_curve_has_left_it_by_the_swing() {
        let y = [0.0, 5.0, 4.0, 5.0, 1.0, 2.0, 1.0, 6.0, 5.0];
        // The first of two equal ones; the maximum at the end is left by 1 only.
        assert_eq!(found(&y, 3.0), [(1, 1, true), (4, 4, false)]);
        assert_eq!(found(&y, 1.0).len(), 7);
        assert_eq!(found(&y, 9.0), []);
        // The start is no extreme, and what follows it needs no swing to get there.
        assert_eq!(found(&[9.0, 8.5, 8.8, 2.0, 5.0], 3.0), [(3, 3, false)]);
        assert_eq!(found(&[0.0, 0.1, -9.0], 3.0), [(1, 1, true)]);
    }

    /// The steps to 64 rows each, and to those after them.
    fn steps(y: &[f64], valid: impl Fn(usize) -> bool) -> Vec<Steps> {
        let mut steps = vec![Steps::default(); y.len().div_ceil(ROWS) + 1];
        Steps::find(y, 0, &mut steps);
        for (word, steps) in steps.iter_mut().enumerate() {
            let is_valid = |row: usize| row < y.len() && valid(row);
            let mask = (0..ROWS).fold(0, |mask, row| mask | u64::from(is_valid(word * ROWS + row)) << row);
            *steps = steps.among(mask, word > 0 && is_valid(word * ROWS - 1));
        }
        steps
    }

    /// The extremes by the masks of steps, in the order of their rows.
    fn by_masks(y: &[f64], min_swing: f64, valid: impl Fn(usize) -> bool) -> Vec<(usize, usize, bool)> {
        let mut found = Vec::new();
        let (mut plateaus, mut swings) = (Plateaus::default(), Swings::new(min_swing));
        let mut visit = |extreme: Extreme| found.push((extreme.first, extreme.last, extreme.is_max));
        for (start, pair) in (0..).step_by(ROWS).zip(steps(y, valid).windows(2)) {
            let turns = pair[0].turns(pair[1]);
            let mut left = Vec::new();
            plateaus.follow(start, pair[0], |extreme| left.push(extreme));
            if min_swing > 0.0 {
                swings.follow(&y, (start, u64::MAX), [pair[0], pair[1]], turns, &left, &mut visit);
                continue;
            }
            for (turns, is_max) in turns.into_iter().zip([true, false]) {
                set_bits(turns, ROWS).for_each(|place| visit(Extreme::at(start + place, is_max)));
            }
            left.into_iter().for_each(&mut visit);
        }
        found.sort_unstable();
        found
    }

    #[test]
    fn masks_find_the_extremes_of_a_walk() {
        // Steps of a generator whose values repeat late, with plateaus of any length around the ends of words.
        let mut state = 1_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            state >> 33
        };
        for (levels, min_swing) in [
            (2, 0.0),
            (3, 0.0),
            (30, 0.0),
            (3, 2.0),
            (30, 3.0),
            (30, 15.0),
            (900, 70.0),
        ] {
            for rows in [0, 1, 2, 63, 64, 65, 66, 128, 129, 700] {
                let mut y = Vec::new();
                while y.len() < rows {
                    let repeats = if next() % 8 == 0 { next() % 150 } else { 1 + next() % 3 };
                    y.extend(vec![(next() % levels) as f64; repeats as usize]);
                }
                y.truncate(rows);
                assert_eq!(by_masks(&y, min_swing, |_| true), found(&y, min_swing), "{y:?}");
                // A NaN and a null end a curve.
                let ends: Vec<_> = (0..rows).filter(|_| next() % 40 == 0).collect();
                let mut expected = Vec::new();
                for row in &ends {
                    y[*row] = f64::NAN;
                }
                let mut start = 0;
                for part in y.split(|y| y.is_nan()) {
                    let of_part = found(part, min_swing).into_iter();
                    expected.extend(of_part.map(|(first, last, is_max)| (start + first, start + last, is_max)));
                    start += part.len() + 1;
                }
                assert_eq!(by_masks(&y, min_swing, |_| true), expected, "{y:?}");
                for row in &ends {
                    y[*row] = 1.0;
                }
                assert_eq!(
                    by_masks(&y, min_swing, |row| !ends.contains(&row)),
                    expected,
                    "{y:?} without {ends:?}"
                );
            }
        }
    }

    #[test]
    fn a_curve_with_a_period_is_followed_across_its_end() {
        let y = [340.0, 355.0, 10.0, 5.0, 350.0, 1.0];
        let mut turns = Vec::new();
        extremes(&Unwrapped::new(&y, 360.0), 0..y.len(), false, 0.0, |turn| {
            turns.push((turn.middle(), turn.is_max));
        });
        assert_eq!(turns, [(2, true), (4, false)]);
        assert_eq!(Unwrapped::new(&y, 360.0).rise(0, 5), 21.0);
    }

    #[test]
    fn a_vertex_is_that_of_the_parabola() {
        // y = 3 - (x - 0.25)², at -1, 0 and 2, from 0.
        let y = |x: f64| 3.0 - (x - 0.25) * (x - 0.25);
        let rises = [0.5 * (y(0.0) - y(-1.0)), 0.5 * (y(2.0) - y(0.0))];
        assert_eq!(vertex(rises, [0.5, 1.0]), [0.25, 0.0625]);
        // Falling x.
        assert_eq!(vertex([-rises[1], -rises[0]], [-1.0, -0.5]), [0.25, 0.0625]);
        for power in [-300, -160, 0, 160, 300] {
            let scale = 2_f64.powi(power * 3);
            let scaled = vertex(rises.map(|rise| rise * scale), [0.5, 1.0]);
            assert_eq!(scaled, [0.25, 0.0625 * scale]);
            let scaled = vertex(rises, [0.5 * scale, scale]);
            assert_eq!(scaled, [0.25 * scale, 0.0625]);
        }
        assert_eq!(vertex([f64::INFINITY, -1.0], [0.5; 2]), [0.0; 2]);
    }
}
