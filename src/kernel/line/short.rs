//! The least-squares line in short windows, in two passes over the rows of each.
//!
//! ```text
//! center     the means of x and y, rounded: the last row plus the mean step from it to the rows of the window
//! u, v       x and y minus their centers
//! xx, xy     sum u² - (sum u)² / n,   sum u v - (sum u) (sum v) / n
//! residuals  sum r² - (sum r)² / n,   r = v - xy / xx * u
//! ```
//!
//! Each product is of the deviations of one row from means of the window, so that no sum is larger than that of the terms
//! of the result. The last terms correct for rounded centers.
//!
//! 32 windows are summed side by side, from their last rows back: rows before a shorter one have no weight.

use std::array::from_fn;
use std::ops::Range;

use super::{Points, Windows};
use crate::bits::ROWS;
use crate::kernel::differences::{Differences, Form};
use crate::kernel::sample::two_sum;

/// The rows of the longest windows that are summed one by one. Sums that windows share cost less from here on.
pub(super) const MAX_ROWS: usize = 64;

/// Windows that are summed at once. The compiler turns a loop over fewer lanes into scalar code.
const LANES: usize = 32;

/// Rows whose terms are summed before they are added to those before: a large sum is rounded less often.
const BLOCK: usize = 8;

/// One number for each window.
type Lanes = [f64; LANES];

/// Whether rows can be summed here: values are floats or pairs of floats.
pub(super) fn takes(points: Points<'_>) -> bool {
    points.x.form() != Form::Longer && points.y.form() != Form::Longer
}

/// The floats of a column that windows read.
#[derive(Default)]
struct Floats {
    values: Vec<f64>,
    /// What to add for the exact values; empty unless a value of x or y may be a pair of floats.
    rests: Vec<f64>,
}

impl Floats {
    /// Reads some rows, and as many zeros as lanes beyond the last window may read.
    fn read<const PAIRS: bool>(&mut self, column: &dyn Differences, rows: Range<usize>) {
        self.values.clear();
        self.rests.clear();
        let padded = rows.len() + ROWS;
        column.floats(rows, &mut self.values, &mut self.rests);
        self.values.resize(padded, 0.0);
        if PAIRS {
            self.rests.resize(padded, 0.0);
        }
    }

    /// Lays out the rows of 32 windows, from the last ones back.
    fn lay_out<const PAIRS: bool>(&mut self, floats: &Self, ends: &[usize; LANES], counts: &Lanes, size: usize) {
        let columns = [(&mut self.values, &floats.values), (&mut self.rests, &floats.rests)];
        for (laid_out, values) in columns.into_iter().take(if PAIRS { 2 } else { 1 }) {
            laid_out.clear();
            laid_out.resize(if values.is_empty() { 0 } else { size * LANES }, 0.0);
            for (before, rows) in laid_out.chunks_exact_mut(LANES).enumerate() {
                for lane in 0..LANES {
                    if (before as f64) < counts[lane] {
                        rows[lane] = values[ends[lane] - 1 - before];
                    }
                }
            }
        }
    }
}

/// The rows of 32 windows, from the last ones back.
#[derive(Clone, Copy)]
struct Axis<'a> {
    /// `None` if rows are one step apart.
    floats: Option<&'a Floats>,
    /// The place of the last row of the first window.
    last: usize,
    /// What to add for the row before.
    back: isize,
}

impl<'a> Axis<'a> {
    fn new(column: &dyn Differences, floats: &'a Floats, last: usize, back: isize) -> Self {
        let floats = (column.form() != Form::Even).then_some(floats);
        Self { floats, last, back }
    }

    /// The values of the rows a number of rows before the last ones, as sums of two floats.
    #[inline(always)]
    fn rows<const PAIRS: bool>(&self, before: usize) -> [Lanes; 2] {
        let Some(Floats { values, rests }) = self.floats else {
            return [[-(before as f64); LANES], [0.0; LANES]];
        };
        let first = self.last.wrapping_add_signed(self.back * before as isize);
        let lanes = |values: &[f64]| {
            let lanes = values[first..].first_chunk();
            *lanes.expect("columns are padded")
        };
        [lanes(values), if PAIRS { lanes(rests) } else { [0.0; LANES] }]
    }
}

/// The sums of 64 windows.
pub(super) struct Sums {
    pub(super) xx: [f64; ROWS],
    pub(super) xy: [f64; ROWS],
    pub(super) residuals: [f64; ROWS],
    /// The numbers of rows.
    pub(super) rows: [f64; ROWS],
}

impl Sums {
    pub(super) const ZERO: Self = Self {
        xx: [0.0; ROWS],
        xy: [0.0; ROWS],
        residuals: [0.0; ROWS],
        rows: [0.0; ROWS],
    };
}

/// Sums over the rows of 32 windows of at most `size` rows. `counts` has their numbers of rows, if they differ.
#[inline(always)]
fn sum<const PAIRS: bool, const RESIDUALS: bool, const MASKED: bool>(
    [x, y]: [Axis<'_>; 2],
    counts: &Lanes,
    size: usize,
) -> [Lanes; 3] {
    // No `map`: the compiler does not inline its closure.
    let last = [x.rows::<PAIRS>(0), y.rows::<PAIRS>(0)];
    let centers = [
        center::<PAIRS, MASKED>(x, &last[0], counts, size),
        center::<PAIRS, MASKED>(y, &last[1], counts, size),
    ];
    let [mut u_sum, mut v_sum, mut xx, mut xy] = [[0.0; LANES]; 4];
    for start in (0..size).step_by(BLOCK) {
        let mut block = [[0.0; LANES]; 4];
        for before in start..size.min(start + BLOCK) {
            let u = deviations::<PAIRS, MASKED>(x, &last[0], &centers[0], counts, before);
            let v = deviations::<PAIRS, MASKED>(y, &last[1], &centers[1], counts, before);
            for lane in 0..LANES {
                block[0][lane] += u[lane];
                block[1][lane] += v[lane];
                block[2][lane] = u[lane].mul_add(u[lane], block[2][lane]);
                block[3][lane] = u[lane].mul_add(v[lane], block[3][lane]);
            }
        }
        for lane in 0..LANES {
            u_sum[lane] += block[0][lane];
            v_sum[lane] += block[1][lane];
            xx[lane] += block[2][lane];
            xy[lane] += block[3][lane];
        }
    }
    for lane in 0..LANES {
        let mean = u_sum[lane] / counts[lane];
        xx[lane] = (-mean).mul_add(u_sum[lane], xx[lane]);
        xy[lane] = (-mean).mul_add(v_sum[lane], xy[lane]);
    }
    let mut residuals = [0.0; LANES];
    if RESIDUALS {
        let [mut slopes, mut sums] = [[0.0; LANES]; 2];
        for lane in 0..LANES {
            slopes[lane] = xy[lane] / xx[lane];
        }
        for before in 0..size {
            let u = deviations::<PAIRS, MASKED>(x, &last[0], &centers[0], counts, before);
            let v = deviations::<PAIRS, MASKED>(y, &last[1], &centers[1], counts, before);
            for lane in 0..LANES {
                let rest = (-slopes[lane]).mul_add(u[lane], v[lane]);
                sums[lane] += rest;
                residuals[lane] = rest.mul_add(rest, residuals[lane]);
            }
        }
        for lane in 0..LANES {
            let rest = (-(sums[lane] / counts[lane])).mul_add(sums[lane], residuals[lane]);
            // A NaN stays one.
            residuals[lane] = if rest < 0.0 { 0.0 } else { rest };
        }
    }
    [xx, xy, residuals]
}

/// The deviations of the rows a number of rows before the last ones from their centers; zero for those in no window.
#[inline(always)]
fn deviations<const PAIRS: bool, const MASKED: bool>(
    axis: Axis<'_>,
    last: &[Lanes; 2],
    center: &Lanes,
    counts: &Lanes,
    before: usize,
) -> Lanes {
    let [values, rests] = axis.rows::<PAIRS>(before);
    let mut deviations = [0.0; LANES];
    for lane in 0..LANES {
        let deviation = if PAIRS {
            // From the last row first: these steps do not depend on which pairs of floats the values are.
            let (step, rest) = two_sum(values[lane], -last[0][lane]);
            let rest = rest + (rests[lane] - last[1][lane]);
            let rounded = step + rest;
            (rounded - center[lane]) + ((step - rounded) + rest)
        } else {
            values[lane] - center[lane]
        };
        let is_in = !MASKED || (before as f64) < counts[lane];
        deviations[lane] = if is_in { deviation } else { 0.0 };
    }
    deviations
}

/// The means of 32 windows, rounded; for pairs of floats relative to the last rows. They are that of a constant exactly.
#[inline(always)]
fn center<const PAIRS: bool, const MASKED: bool>(
    axis: Axis<'_>,
    last: &[Lanes; 2],
    counts: &Lanes,
    size: usize,
) -> Lanes {
    let origin = if PAIRS { [0.0; LANES] } else { last[0] };
    let mut sums = [0.0; LANES];
    for before in 1..size {
        let steps = deviations::<PAIRS, MASKED>(axis, last, &origin, counts, before);
        for lane in 0..LANES {
            sums[lane] += steps[lane];
        }
    }
    for lane in 0..LANES {
        sums[lane] = origin[lane] + sums[lane] / counts[lane];
    }
    sums
}

/// The memory of sums, used again by the next ones.
#[derive(Default)]
pub(super) struct Memory {
    x: Floats,
    y: Floats,
    x_laid_out: Floats,
    y_laid_out: Floats,
}

impl Memory {
    /// Writes the sums of at most 64 of the windows, which are short.
    #[inline(always)]
    pub(super) fn sum<const RESIDUALS: bool>(
        &mut self,
        points: Points<'_>,
        windows: Windows<'_>,
        indices: Range<usize>,
        written: &mut Sums,
    ) {
        if points.x.form() == Form::Pair || points.y.form() == Form::Pair {
            self.sum_of::<true, RESIDUALS>(points, windows, indices, written);
        } else {
            self.sum_of::<false, RESIDUALS>(points, windows, indices, written);
        }
    }

    #[inline(always)]
    fn sum_of<const PAIRS: bool, const RESIDUALS: bool>(
        &mut self,
        points: Points<'_>,
        windows: Windows<'_>,
        indices: Range<usize>,
        written: &mut Sums,
    ) {
        let Self {
            x,
            y,
            x_laid_out,
            y_laid_out,
        } = self;
        let count = indices.len();
        let (first_end, last_end) = (windows.get(indices.start).end, windows.get(indices.end - 1).end);
        // Of windows that follow each other the shorter ones begin later.
        let read = first_end.saturating_sub(MAX_ROWS)..last_end;
        x.read::<PAIRS>(points.x, read.clone());
        y.read::<PAIRS>(points.y, read.clone());
        for half in (0..count).step_by(LANES) {
            // Lanes beyond the last window repeat it.
            let index = |lane: usize| indices.start + (half + lane).min(count - 1);
            let [ends, rows] = match windows {
                Windows::Rolling { first, size, .. } => [from_fn(|lane| first + index(lane) + size), [size; LANES]],
                Windows::Ranges(ranges) => [
                    from_fn(|lane| ranges[index(lane)].end),
                    from_fn(|lane| ranges[index(lane)].len()),
                ],
            };
            let (mut counts, mut size) = ([0.0; LANES], 0);
            let (mut are_full, mut follow_each_other) = (true, true);
            for lane in 0..LANES {
                counts[lane] = rows[lane] as f64;
                size = size.max(rows[lane]);
                are_full &= rows[lane] == rows[0];
                follow_each_other &= ends[lane] == ends[0] + lane;
            }
            let sums = if follow_each_other && ends[0] >= read.start + size {
                let last = ends[0] - read.start - 1;
                let axes = [Axis::new(points.x, x, last, -1), Axis::new(points.y, y, last, -1)];
                if are_full {
                    sum::<PAIRS, RESIDUALS, false>(axes, &counts, size)
                } else {
                    sum::<PAIRS, RESIDUALS, true>(axes, &counts, size)
                }
            } else {
                let ends = ends.map(|end| end - read.start);
                x_laid_out.lay_out::<PAIRS>(x, &ends, &counts, size);
                y_laid_out.lay_out::<PAIRS>(y, &ends, &counts, size);
                let back = LANES as isize;
                let axes = [
                    Axis::new(points.x, x_laid_out, 0, back),
                    Axis::new(points.y, y_laid_out, 0, back),
                ];
                sum::<PAIRS, RESIDUALS, true>(axes, &counts, size)
            };
            written.rows[half..half + LANES].copy_from_slice(&counts);
            for (written, sums) in [&mut written.xx, &mut written.xy, &mut written.residuals]
                .into_iter()
                .zip(sums)
            {
                written[half..half + LANES].copy_from_slice(&sums);
            }
        }
    }
}
