//! The sums of moving windows, each in two parts: the rows before and after one in its middle.
//!
//! ```text
//! middle     a row that adjacent windows have in common
//! u, v       x and y minus those of the middle: exact, as two floats
//! r          v - b u, with the slope b between the first and the last of all these rows
//! sums       of u, v, u², u v and of r, r², u r: over the rows before the middle back to each one, and over those after it
//! window     the sums from its first row on + those up to its last row
//! xx         n sum u² - (sum u)²;   in the same way xy, rr, ur
//! residuals  rr - ur² / xx: n times the sum of their squares
//! ```
//!
//! Each row is added twice, whatever the size of a window, and none is ever subtracted again. Sums are
//! double-doubles: they have more digits than the last differences cancel. The line through r takes away what would cancel in `residuals`.
//!
//! Results must not depend on which row is the middle, so they are the exact ones, rounded. An error bound decides whether the
//! rounding is certain, as in nearly all windows. The others are summed exactly.
//!
//! Eight groups of windows are summed side by side, in vector registers.

use super::{Points, Windows};
use crate::bits::ROWS;
use crate::kernel::differences::Steps;
use crate::kernel::double::{DoubleDouble, Expansion, HALF_EPSILON};

/// Groups of windows that are summed at once.
const LANES: usize = 8;

/// One number for each group.
type Lanes = [f64; LANES];

/// Fields of the sums of u, v, u², u v, two floats each, and of |u|, |v|, |u v|.
pub(super) const LINE_FIELDS: usize = 11;

/// The same, and those of the sums of r, r², u r.
pub(super) const RESIDUAL_FIELDS: usize = 17;

/// The sums of some rows of each group: `FIELDS` is [`LINE_FIELDS`] or [`RESIDUAL_FIELDS`].
type Sums<const FIELDS: usize> = [Lanes; FIELDS];

/// Adjacent windows that have a row in common, their middle.
#[derive(Clone, Copy)]
struct WindowGroup {
    /// The first window, and the one after the last.
    first: usize,
    end: usize,
    middle: usize,
    /// The rows of windows before and after the middle, at most.
    before: usize,
    after: usize,
}

impl WindowGroup {
    /// The slope between the first and the last row; zero unless it brings the rows near the ends closer to the middle.
    fn slope(&self, points: Points<'_>) -> f64 {
        let (first, last) = (self.middle - self.before, self.middle + self.after);
        let rows = ROWS.min(last + 1 - first);
        let [mut x, mut y] = [const { [Steps::ZERO; 2] }; 2];
        for (column, [start, end]) in [(points.x, &mut x), (points.y, &mut y)] {
            column.since(self.middle, first, rows, start);
            column.since(self.middle, last + 1 - rows, rows, end);
        }
        let slope = (y[1].value[rows - 1] - y[0].value[0]) / (x[1].value[rows - 1] - x[0].value[0]);
        let [mut distance, mut distance_from_line] = [0.0; 2];
        for (x, y) in x.iter().zip(&y) {
            for place in 0..rows {
                distance += y.value[place].abs();
                distance_from_line += (y.value[place] - slope * x.value[place]).abs();
            }
        }
        if distance_from_line < distance { slope } else { 0.0 }
    }
}

/// The number of rows of a window times the sums of products of deviations from the means, and of squared residuals.
#[derive(Clone, Copy)]
pub(super) struct Moments {
    pub(super) xx: f64,
    pub(super) xy: f64,
    /// Zero unless they are asked for.
    pub(super) residuals: f64,
    /// Whether `xx` and `xy` are the exact sums, rounded.
    pub(super) line_is_certain: bool,
    /// Whether `residuals` are.
    pub(super) residuals_are_certain: bool,
}

impl Windows<'_> {
    /// Passes the sums of each window to `write`.
    #[inline(always)]
    pub(super) fn sum<const FIELDS: usize>(
        &self,
        points: Points<'_>,
        memory: &mut Memory,
        mut write: impl FnMut(usize, Moments),
    ) {
        let mut next = 0;
        while next < self.len() {
            let mut groups = [self.group(next); LANES];
            let mut used = 0;
            while used < LANES && next < self.len() {
                groups[used] = self.group(next);
                next = groups[used].end;
                used += 1;
            }
            let groups = &groups[..used];
            if FIELDS == RESIDUAL_FIELDS {
                for (slope, group) in memory.slopes.iter_mut().zip(groups) {
                    *slope = group.slope(points);
                }
            }
            memory.add_rows_before::<FIELDS>(points, groups);
            memory.pass_windows::<FIELDS>(points, *self, groups, &mut write);
        }
    }

    /// Passes the sums of some windows to `write`, with residuals from a slope of each window.
    #[inline(always)]
    pub(super) fn sum_again(
        &self,
        points: Points<'_>,
        memory: &mut Memory,
        windows: &[(usize, f64)],
        mut write: impl FnMut(usize, Moments),
    ) {
        for windows in windows.chunks(LANES) {
            let mut groups = [self.group_of(0, 1); LANES];
            for (lane, &(index, slope)) in windows.iter().enumerate() {
                groups[lane] = self.group_of(index, index + 1);
                memory.slopes[lane] = slope;
            }
            let groups = &groups[..windows.len()];
            memory.add_rows_before::<RESIDUAL_FIELDS>(points, groups);
            memory.pass_windows::<RESIDUAL_FIELDS>(points, *self, groups, &mut write);
        }
    }

    /// The group of windows that begins with one.
    fn group(&self, first: usize) -> WindowGroup {
        // No more than leaves some for each lane.
        let end = match *self {
            Self::Rolling { size, count, .. } => {
                let rounds = count.div_ceil(LANES * size);
                count.min(first + count.div_ceil(LANES * rounds))
            },
            Self::Ranges(ranges) => {
                let end = ranges.len().min(first + ranges.len().div_ceil(LANES));
                let is_beyond = |&index: &usize| ranges[index].start >= ranges[first].end;
                (first + 1..end).find(is_beyond).unwrap_or(end)
            },
        };
        self.group_of(first, end)
    }

    fn group_of(&self, first: usize, end: usize) -> WindowGroup {
        let (begin, last) = (self.get(first), self.get(end - 1));
        WindowGroup {
            first,
            end,
            middle: last.start,
            before: last.start - begin.start,
            after: last.end - 1 - last.start,
        }
    }
}

/// The memory of the sums of eight groups, used again by the next ones.
#[derive(Default)]
pub(super) struct Memory {
    tile: Tile,
    /// Sums over none, one, two, ... of the rows before the middle.
    before: Vec<Lanes>,
    /// Sums over some numbers of the rows after it.
    after: Vec<Lanes>,
    /// The slope that residuals are computed from.
    slopes: Lanes,
}

/// Some sums in a buffer, which grows to hold them.
#[inline(always)]
fn sums_in<const FIELDS: usize>(buffer: &mut Vec<Lanes>, count: usize) -> &mut [Sums<FIELDS>] {
    if buffer.len() < count * FIELDS {
        buffer.resize(count * FIELDS, [0.0; LANES]);
    }
    &mut buffer.as_chunks_mut().0[..count]
}

impl Memory {
    /// Sums the rows before the middle.
    #[inline(always)]
    fn add_rows_before<const FIELDS: usize>(&mut self, points: Points<'_>, groups: &[WindowGroup]) {
        let rows = groups.iter().map(|group| group.before).max().unwrap_or(0);
        let mut sums = [[0.0; LANES]; FIELDS];
        sums_in(&mut self.before, rows + 1)[0] = sums;
        for done in (0..rows).step_by(ROWS) {
            let count = ROWS.min(rows - done);
            self.read(points, groups, count, |middle| {
                // Before the first row of the column any rows will do.
                let first = middle.saturating_sub(done + count);
                (first, middle.wrapping_sub(first + done + 1), -1)
            });
            renormalize(&mut sums);
            let before = &mut sums_in(&mut self.before, rows + 1)[done + 1..];
            for (row, before) in self.tile.0.iter().zip(before) {
                add(&mut sums, *row, self.slopes, before);
            }
        }
    }

    /// Sums the rows after the middle, and passes the windows that end at each of them.
    #[inline(always)]
    fn pass_windows<const FIELDS: usize>(
        &mut self,
        points: Points<'_>,
        windows: Windows<'_>,
        groups: &[WindowGroup],
        write: &mut impl FnMut(usize, Moments),
    ) {
        let rows = groups.iter().map(|group| group.after).max().unwrap_or(0);
        let mut next = [0; LANES];
        for (next, group) in next.iter_mut().zip(groups) {
            *next = group.first;
        }
        let mut pending = Pending::<FIELDS>::new();
        let mut sums = [[0.0; LANES]; FIELDS];
        for done in (0..rows.max(1)).step_by(ROWS) {
            let count = ROWS.min(rows - done);
            self.read(points, groups, count, |middle| (middle + done + 1, 0, 1));
            renormalize(&mut sums);
            let parts_after = sums_in(&mut self.after, ROWS + 1);
            parts_after[0] = sums;
            for (row, after) in self.tile.0.iter().zip(&mut parts_after[1..=count]) {
                add(&mut sums, *row, self.slopes, after);
            }
            let parts_before: &[Sums<FIELDS>] = self.before.as_chunks().0;
            if let Windows::Rolling { size, .. } = windows {
                let most = groups[0].before;
                let ends = parts_after.iter().enumerate().take(count + 1);
                for (place, part_after) in ends.skip(usize::from(done > 0)) {
                    let before = size - 1 - (done + place);
                    if before > most {
                        continue;
                    }
                    let moments = moments(&parts_before[before], part_after, self.slopes, &[size as f64; LANES]);
                    for (lane, group) in groups.iter().enumerate() {
                        if before <= group.before {
                            write(group.end - 1 - before, moments[lane]);
                        }
                    }
                }
            } else {
                for (lane, group) in groups.iter().enumerate() {
                    while next[lane] < group.end {
                        let window = windows.get(next[lane]);
                        let after = window.end - 1 - group.middle;
                        if after > done + count {
                            break;
                        }
                        let parts = [&parts_before[group.middle - window.start], &parts_after[after - done]];
                        pending.push(next[lane], window.len(), parts, lane, self.slopes[lane]);
                        next[lane] += 1;
                        if pending.count == LANES {
                            pending.pass(write);
                        }
                    }
                }
            }
        }
        pending.pass(write);
    }

    /// Reads up to 64 rows of each group. `places` has, for a middle, the first row to read, the place of the first one of the
    /// tile among them, and the way to the next one.
    #[inline(always)]
    fn read(
        &mut self,
        points: Points<'_>,
        groups: &[WindowGroup],
        rows: usize,
        places: impl Fn(usize) -> (usize, usize, isize),
    ) {
        self.tile.0.resize(ROWS, [[0.0; LANES]; 4]);
        let mut steps = Steps::ZERO;
        for (lane, group) in groups.iter().enumerate() {
            let (first, place, way) = places(group.middle);
            for (field, column) in [points.x, points.y].into_iter().enumerate() {
                column.since(group.middle, first, rows, &mut steps);
                self.tile.set(2 * field, lane, &steps, [place, rows], way);
            }
        }
    }
}

/// Some rows of each group, relative to its middle: x and y, two floats each.
#[derive(Default)]
struct Tile(Vec<[Lanes; 4]>);

impl Tile {
    /// Sets two fields of one group. Not compiled for the widest registers: their stores to many places are slow.
    #[inline(never)]
    fn set(&mut self, field: usize, lane: usize, steps: &Steps, [place, rows]: [usize; 2], way: isize) {
        for (row, tile) in self.0[..rows].iter_mut().enumerate() {
            let place = place.wrapping_add_signed(way * row as isize) % ROWS;
            tile[field][lane] = steps.value[place];
            tile[field + 1][lane] = steps.rest[place];
        }
    }
}

/// Windows of any groups, solved when there is one for each lane.
struct Pending<const FIELDS: usize> {
    before: Sums<FIELDS>,
    after: Sums<FIELDS>,
    slopes: Lanes,
    rows: Lanes,
    indices: [usize; LANES],
    count: usize,
}

impl<const FIELDS: usize> Pending<FIELDS> {
    fn new() -> Self {
        Self {
            before: [[0.0; LANES]; FIELDS],
            after: [[0.0; LANES]; FIELDS],
            slopes: [0.0; LANES],
            rows: [1.0; LANES],
            indices: [0; LANES],
            count: 0,
        }
    }

    /// Adds a window of the group in a lane.
    #[inline(always)]
    fn push(&mut self, index: usize, rows: usize, parts: [&Sums<FIELDS>; 2], lane: usize, slope: f64) {
        let [before, after] = parts;
        for field in 0..FIELDS {
            self.before[field][self.count] = before[field][lane];
            self.after[field][self.count] = after[field][lane];
        }
        self.slopes[self.count] = slope;
        self.rows[self.count] = rows as f64;
        self.indices[self.count] = index;
        self.count += 1;
    }

    #[inline(always)]
    fn pass(&mut self, write: &mut impl FnMut(usize, Moments)) {
        let moments = moments(&self.before, &self.after, self.slopes, &self.rows);
        for (&index, moments) in self.indices.iter().zip(moments).take(self.count) {
            write(index, moments);
        }
        self.count = 0;
    }
}

/// Adds one row to the sums of each group, and stores them.
#[inline(always)]
fn add<const FIELDS: usize>(sums: &mut Sums<FIELDS>, row: [Lanes; 4], slopes: Lanes, stored: &mut Sums<FIELDS>) {
    for lane in 0..LANES {
        let u = DoubleDouble::new(row[0][lane], row[1][lane]);
        let v = DoubleDouble::new(row[2][lane], row[3][lane]);
        let uv = u.times(v);
        for (field, number) in [(0, u), (2, v), (4, u.times(u)), (6, uv)] {
            let sum = double_double(sums, field, lane).plus(number);
            (sums[field][lane], sums[field + 1][lane]) = (sum.high, sum.low);
            (stored[field][lane], stored[field + 1][lane]) = (sum.high, sum.low);
        }
        for (field, number) in [(8, u), (9, v), (10, uv)] {
            let sum = sums[field][lane] + number.high.abs();
            (sums[field][lane], stored[field][lane]) = (sum, sum);
        }
        if FIELDS == RESIDUAL_FIELDS {
            let r = v.minus(u.scaled(slopes[lane])).renormalized();
            for (field, number) in [(11, r), (13, r.times(r)), (15, u.times(r))] {
                let sum = double_double(sums, field, lane).plus(number);
                (sums[field][lane], sums[field + 1][lane]) = (sum.high, sum.low);
                (stored[field][lane], stored[field + 1][lane]) = (sum.high, sum.low);
            }
        }
    }
}

/// The sum of two fields.
#[inline(always)]
fn double_double<const FIELDS: usize>(sums: &Sums<FIELDS>, field: usize, lane: usize) -> DoubleDouble {
    DoubleDouble::new(sums[field][lane], sums[field + 1][lane])
}

/// Renormalizes the sums.
#[inline(always)]
fn renormalize<const FIELDS: usize>(sums: &mut Sums<FIELDS>) {
    for field in (0..8).step_by(2).chain((LINE_FIELDS..FIELDS).step_by(2)) {
        for lane in 0..LANES {
            let sum = double_double(sums, field, lane).renormalized();
            (sums[field][lane], sums[field + 1][lane]) = (sum.high, sum.low);
        }
    }
}

/// The moments of windows from the sums of both their parts.
///
/// The low float of a sum takes numbers of at most 70 half-epsilons of the sum of the absolute terms, because it is renormalized
/// once in 64 rows, and each of them is rounded twice. So a sum of n rows is at most 140 n squared half-epsilons off; the
/// bounds are larger, since moments are differences of products of sums.
#[inline(always)]
fn moments<const FIELDS: usize>(
    before: &Sums<FIELDS>,
    after: &Sums<FIELDS>,
    slopes: Lanes,
    rows: &Lanes,
) -> [Moments; LANES] {
    const SQUARE: f64 = HALF_EPSILON * HALF_EPSILON;
    let [mut xxs, mut xys, mut residuals] = [[0.0; LANES]; 3];
    let mut are_certain = [[true; LANES]; 2];
    for lane in 0..LANES {
        let sum = |field: usize| double_double(before, field, lane).plus(double_double(after, field, lane));
        let n = rows[lane];
        let about_means =
            |products: DoubleDouble, one: DoubleDouble, other: DoubleDouble| products.scaled(n).minus(one.times(other));
        let bound = n.mul_add(256.0, 4_096.0) * SQUARE;
        let (u, uu) = (sum(0), sum(4));
        let [u_size, v_size, uv_size] = [8, 9, 10].map(|field| before[field][lane] + after[field][lane]);
        let xx = about_means(uu, u, u);
        let xx_error = bound * 2.0 * n * uu.high;
        let (xx_rounded, xx_is_certain) = xx.rounded(xx_error);
        let xy_error = bound * u_size.mul_add(v_size, n * uv_size);
        let (xy_rounded, xy_is_certain) = about_means(sum(6), u, sum(2)).rounded(xy_error);
        xxs[lane] = xx_rounded;
        xys[lane] = xy_rounded;
        are_certain[0][lane] = xx_is_certain & xy_is_certain;
        if FIELDS == RESIDUAL_FIELDS {
            let (r, rr) = (sum(11), sum(13));
            let xx = xx.renormalized();
            let [r_moment, ur_moment] =
                [about_means(rr, r, r), about_means(sum(15), u, r)].map(DoubleDouble::renormalized);
            let slope = ur_moment.over(xx);
            let rest = r_moment.minus(slope.times(ur_moment));
            // The squares of |v| + |b u|, of which r has lost 8 squared half-epsilons.
            let height = 4.0f64.mul_add(rr.high, 6.0 * slopes[lane] * slopes[lane] * uu.high);
            let rr_error =
                bound * 2.0 * rr.high + 32.0 * SQUARE * (height * rr.high).sqrt() + 128.0 * SQUARE * SQUARE * height;
            let ur_error = bound * 2.0 * (uu.high * rr.high).sqrt() + 16.0 * SQUARE * (uu.high * height).sqrt();
            let slope = slope.high.abs();
            let error = n * (rr_error + 2.0 * slope * ur_error + n * ur_error * ur_error / xx.high)
                + slope * slope * xx_error
                + bound * (r_moment.high.abs() + slope * ur_moment.high.abs());
            let (rounded, is_certain) = rounded_residuals(rest, xx_rounded, xy_rounded, error);
            residuals[lane] = rounded;
            are_certain[1][lane] = is_certain;
        }
    }
    std::array::from_fn(|lane| Moments {
        xx: xxs[lane],
        xy: xys[lane],
        residuals: residuals[lane],
        line_is_certain: are_certain[0][lane],
        residuals_are_certain: are_certain[1][lane],
    })
}

/// Residuals as a float, and whether they are certain with an error of at most `error`.
///
/// On a line residuals are the rounding errors of y, 2^-106 of its squares. The last digit that is kept is 2^-136 of them.
#[inline(always)]
fn rounded_residuals(residuals: DoubleDouble, xx: f64, xy: f64, error: f64) -> (f64, bool) {
    const LEAST: f64 = 5.169_878_828_456_423e-26; // 2^-84
    let base = LEAST * (xy * (xy / xx));
    let (rounded, is_certain) = residuals.plus(DoubleDouble::new(base, 0.0)).rounded(error);
    let residuals = rounded - base;
    let in_range = xy == 0.0 || base.is_normal();
    (if residuals > 0.0 { residuals } else { 0.0 }, is_certain & in_range)
}

/// The moments of one window of any number of rows: exact sums, rounded once.
#[cold]
pub(super) fn exact(points: Points<'_>, rows: usize) -> Moments {
    let [mut u, mut v, mut uu, mut uv, mut vv] = [const { Expansion::new() }; 5];
    let (mut dx, mut dy) = (Steps::ZERO, Steps::ZERO);
    for first in (0..rows).step_by(ROWS) {
        let count = ROWS.min(rows - first);
        points.x.since(rows - 1, first, count, &mut dx);
        points.y.since(rows - 1, first, count, &mut dy);
        for place in 0..count {
            let x = [dx.value[place], dx.rest[place]];
            let y = [dy.value[place], dy.rest[place]];
            for (sum, numbers) in [(&mut u, x), (&mut v, y)] {
                for number in numbers {
                    sum.add(number);
                }
            }
            for (sum, one, other) in [(&mut uu, x, x), (&mut uv, x, y), (&mut vv, y, y)] {
                sum.add_product(&one, &other);
            }
        }
    }
    let n = Expansion::of(rows as f64);
    let about_means =
        |products: &Expansion, one: &Expansion, other: &Expansion| Expansion::determinant([&n, products], [one, other]);
    let [xx, xy, yy] = [
        about_means(&uu, &u, &u),
        about_means(&uv, &u, &v),
        about_means(&vv, &v, &v),
    ];
    let residuals = Expansion::determinant([&xx, &yy], [&xy, &xy])
        .double_double()
        .over(xx.double_double());
    let [xx, xy] = [xx, xy].map(|sum| sum.double_double().rounded(0.0).0);
    Moments {
        xx,
        xy,
        residuals: rounded_residuals(residuals, xx, xy, 0.0).0,
        line_is_certain: true,
        residuals_are_certain: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::differences::Column;

    #[test]
    fn certain_sums_are_exact_and_nearly_all_are_certain() {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / 2.0_f64.powi(53)
        };
        let noise: Vec<_> = (0..600).map(|_| next() - 0.5).collect();
        let offset: Vec<_> = (0..600).map(|row| 1e12 + f64::from(row) + next()).collect();
        let mut far = offset.clone();
        far[300] += 1e9;
        let size = 100;
        for (y, x) in [(&noise, &offset), (&offset, &noise), (&noise, &far), (&far, &offset)] {
            let (x_column, y_column) = (Column::new(x), Column::new(y));
            let points = Points {
                x: &x_column,
                y: &y_column,
                sigma: None,
            };
            let count = y.len() - size + 1;
            let windows = Windows::Rolling { first: 0, size, count };
            let mut certain = [0; 2];
            windows.sum::<RESIDUAL_FIELDS>(points, &mut Memory::default(), |index, moments| {
                let (x, y) = (Column::new(&x[index..]), Column::new(&y[index..]));
                let points = Points {
                    x: &x,
                    y: &y,
                    sigma: None,
                };
                let expected = exact(points, size);
                if moments.line_is_certain {
                    certain[0] += 1;
                    assert_eq!([moments.xx, moments.xy], [expected.xx, expected.xy]);
                }
                if moments.residuals_are_certain {
                    certain[1] += 1;
                    assert_eq!(moments.residuals, expected.residuals);
                }
            });
            assert_eq!(certain[0], count);
            assert!(certain[1] > count / 2, "{certain:?}");
        }
    }
}
