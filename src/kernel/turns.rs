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
//! Without a swing a row of its own height turns if both its neighbours are lower, or higher. These are found, and their
//! vertices computed, in blocks of 64 rows.

use std::array::from_fn;
use std::ops::Range;

use super::sample::{Sample, periodic};
use super::stencil::inverse_power_of_two;
use crate::bits::{ROWS, movemask};
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
pub(crate) struct Unwrapped<'a, T> {
    values: &'a [T],
    period: f64,
    /// The number of periods to subtract at each row, modulo 2⁶⁴, so that differences are exact.
    wraps: Vec<i64>,
}

impl<'a, T: Sample> Unwrapped<'a, T> {
    pub(crate) fn new(values: &'a [T], period: f64) -> Self {
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

impl<T: Sample> Heights for Unwrapped<'_, T> {
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
pub(crate) fn extremes(heights: &impl Heights, rows: Range<usize>, min_swing: f64, mut visit: impl FnMut(Extreme)) {
    #[derive(Clone, Copy, PartialEq)]
    enum Way {
        Unknown,
        Up,
        Down,
    }
    let start = rows.start;
    let (mut high, mut low) = (Level::at(start), Level::at(start));
    let mut way = Way::Unknown;
    let mut found = |level: Level, is_max| {
        if level.first > start {
            visit(Extreme {
                first: level.first,
                last: level.last,
                is_max,
            });
        }
    };
    for row in rows.skip(1) {
        if way != Way::Down && high.is_left(row, heights.rise(high.last, row), min_swing) {
            found(high, true);
            (way, low) = (Way::Down, Level::at(row));
        } else if way != Way::Up && low.is_left(row, -heights.rise(low.last, row), min_swing) {
            found(low, false);
            (way, high) = (Way::Up, Level::at(row));
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

/// Which of 64 rows turn, and their vertices.
pub(crate) struct Turns {
    /// Rows that are higher than both neighbours.
    pub(crate) max: u64,
    /// Rows that are lower than both neighbours.
    pub(crate) min: u64,
    /// Rows that are as high as the row before.
    pub(crate) flat: u64,
    /// Rows whose vertices are right, among those that turn.
    pub(crate) usual: u64,
    /// One for a minimum; zero in all other rows.
    pub(crate) is_min: [u8; ROWS],
    /// The x and the y of the vertex; zero in rows that do not turn.
    pub(crate) vertices: [[f64; ROWS]; 2],
}

impl Turns {
    pub(crate) const NONE: Self = Self {
        max: 0,
        min: 0,
        flat: 0,
        usual: 0,
        is_min: [0; ROWS],
        vertices: [[0.0; ROWS]; 2],
    };

    /// Finds the turns of 64 rows from `first` on. Without an x rows are one step apart. Rows beyond both ends count as
    /// high as the row there.
    pub(crate) fn find<Y: Sample, X: Sample>(&mut self, y: &[Y], x: Option<&[X]>, first: usize, origin: Origin<Y, X>) {
        let (mut of_y, mut of_x) = (None, None);
        dispatch(Find {
            y: around(y, first, &mut of_y),
            x: x.map(|x| around(x, first, &mut of_x)),
            first,
            origin,
            turns: self,
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
struct Find<'a, Y, X> {
    y: &'a [Y; AROUND],
    x: Option<&'a [X; AROUND]>,
    first: usize,
    origin: Origin<Y, X>,
    turns: &'a mut Turns,
}

impl<Y: Sample, X: Sample> Kernel for Find<'_, Y, X> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self {
            y, x, turns, origin, ..
        } = self;
        let (mut max, mut min, mut flat) = ([0; ROWS], [0; ROWS], [0; ROWS]);
        for row in 0..ROWS {
            let [before, this, after] = [y[row], y[row + 1], y[row + 2]];
            max[row] = u8::from(this > before) & u8::from(this > after);
            min[row] = u8::from(this < before) & u8::from(this < after);
            flat[row] = u8::from(this == before);
        }
        (turns.max, turns.min, turns.flat) = (movemask(&max), movemask(&min), movemask(&flat));
        if turns.max | turns.min == 0 {
            return;
        }
        let (mut rises, mut steps) = ([0.0; ROWS + 1], [0.5; ROWS + 1]);
        for row in 0..=ROWS {
            rises[row] = y[row + 1].half_minus(y[row]);
        }
        let mut places = [0.0; ROWS];
        if let Some(x) = x {
            for row in 0..=ROWS {
                steps[row] = x[row + 1].half_minus(x[row]);
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
        let [of_x, of_y] = &mut turns.vertices;
        let mut usual = [0; ROWS];
        for row in 0..ROWS {
            let [d, h] = [[rises[row], rises[row + 1]], [steps[row], steps[row + 1]]];
            let [offset, height] = usual_vertex(d, h);
            usual[row] = u8::from(is_usual(d[0]) & is_usual(d[1]) & is_usual(h[0]) & is_usual(h[1]));
            let turns = max[row] | min[row] != 0;
            of_x[row] = if turns { places[row] + offset } else { 0.0 };
            of_y[row] = if turns {
                y[row + 1].minus(origin.y) + height
            } else {
                0.0
            };
        }
        turns.usual = movemask(&usual);
        turns.is_min = min;
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

    #[test]
    fn heights_of_angles_do_not_depend_on_where_the_curve_begins() {
        let angles = [3, 400, 800, i64::MAX, -5, 17, 500];
        let (whole, part) = (Unwrapped::new(&angles, 360.0), Unwrapped::new(&angles[1..], 360.0));
        for (from, to) in [(1, 4), (2, 5), (1, 6)] {
            assert_eq!(whole.rise(from, to), part.rise(from - 1, to - 1), "{from} to {to}");
        }
    }

    fn found(y: &[f64], min_swing: f64) -> Vec<(usize, usize, bool)> {
        let mut found = Vec::new();
        extremes(&y, 0..y.len(), min_swing, |extreme| {
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

    #[test]
    fn a_curve_with_a_period_is_followed_across_its_end() {
        let y = [340.0, 355.0, 10.0, 5.0, 350.0, 1.0];
        let mut turns = Vec::new();
        extremes(&Unwrapped::new(&y, 360.0), 0..y.len(), 0.0, |turn| {
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
