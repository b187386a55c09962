//! The hot loop of `gradient`: one stencil over all rows.
//!
//! ```text
//! for each block of 64 rows
//!     slope = refined(differences)        in vector registers, right for all but unusual rows
//!     for each unusual row                an unsorted or extreme x, a NaN
//!         check its x, slope = parabola(differences)
//! ```
//!
//! At an end of a segment the difference to the only neighbour stands for both: the parabola through a point and its
//! mirror image is the two-point difference. Both ways give a row the same bits, so the result does not depend on where
//! blocks, chunks or batches begin.

use num_traits::AsPrimitive;

use super::sample::{Rise, Sample, Scale, is_monotonic};
use super::stencil;
use super::wide::{self, Wide};
use crate::bits::{ROWS, movemask, set_bits};
use crate::dispatch::{Kernel, dispatch};

/// Three columns of one length: each row's predecessor, the row itself, its successor.
///
/// Where a row has no such neighbour, as [`NeighborMask`] says, any value may be given. In memory they usually are one
/// [padded](Self::padded) column.
#[derive(Clone, Copy, Debug)]
pub struct ThreePoint<'a, T> {
    /// The row before.
    pub previous: &'a [T],
    /// The row.
    pub this: &'a [T],
    /// The row after.
    pub next: &'a [T],
}

/// Rows and their neighbours, on any axis.
#[derive(Clone, Copy, Debug)]
pub struct Points<'a, Y, X> {
    /// The values to differentiate.
    pub y: ThreePoint<'a, Y>,
    /// The coordinates.
    pub x: ThreePoint<'a, X>,
    /// The unit of the slope where y or x is an integer; between floats it is that of the numbers themselves.
    pub scale: Scale,
}

/// Which neighbours 64 rows have in their segments: a bit per row, the lowest for the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeighborMask {
    /// Rows that have a row before them.
    pub before: u64,
    /// Rows that have a row after them.
    pub after: u64,
    /// Rows whose stencil reads valid x only. The slope of other rows is unspecified.
    pub valid: u64,
}

impl NeighborMask {
    /// Every row has a neighbour on either side.
    pub const BOTH: Self = Self {
        before: u64::MAX,
        after: u64::MAX,
        valid: u64::MAX,
    };

    /// The mask of `rows` rows that form one segment: the first has no row before it, the last none after it.
    ///
    /// The slope of a single row is unspecified.
    pub fn of_segment(rows: usize) -> impl Fn(usize) -> Self {
        move |start| {
            let but_for = |row: usize| match row.checked_sub(start) {
                Some(place @ 0..ROWS) => !(1 << place),
                _ => u64::MAX,
            };
            let (before, after) = (but_for(0), but_for(rows.saturating_sub(1)));
            Self {
                before,
                after,
                valid: before | after,
            }
        }
    }

    /// The masks in a slice, one for 64 rows. Rows beyond have a neighbour on either side.
    pub(crate) fn of_blocks(masks: &[Self]) -> impl Fn(usize) -> Self {
        |row| masks.get(row / ROWS).copied().unwrap_or(Self::BOTH)
    }

    /// The rows that have a neighbour on one side only.
    #[inline(always)]
    fn ends(self) -> u64 {
        self.before ^ self.after
    }

    /// The two differences of a row; at an end of a segment, the same one twice.
    #[inline(always)]
    fn of(self, row: usize, [before, after]: [f64; 2]) -> [f64; 2] {
        [
            select(self.before >> row, before, after),
            select(self.after >> row, after, before),
        ]
    }
}

/// Selects one of two numbers by the lowest bit, without leaving vector registers.
#[inline(always)]
fn select(bit: u64, if_set: f64, otherwise: f64) -> f64 {
    let mask = 0_u64.wrapping_sub(bit & 1);
    f64::from_bits(if_set.to_bits() & mask | otherwise.to_bits() & !mask)
}

impl<'a, T> ThreePoint<'a, T> {
    /// The rows of a column padded with one arbitrary value at each end.
    ///
    /// # Panics
    ///
    /// If the column has fewer than two values.
    #[must_use]
    pub fn padded(column: &'a [T]) -> Self {
        let rows = column.len() - 2;
        Self {
            previous: &column[..rows],
            this: &column[1..=rows],
            next: &column[2..],
        }
    }
}

impl<'a, T: Sample> ThreePoint<'a, T> {
    fn columns(&self) -> [&'a [T]; 3] {
        [self.previous, self.this, self.next]
    }

    /// Some of the rows.
    pub(crate) fn rows(&self, start: usize, end: usize) -> Self {
        let [previous, this, next] = self.columns().map(|column| &column[start..end]);
        Self { previous, this, next }
    }

    /// 64 rows from `start` on, if there are as many.
    #[inline(always)]
    fn block(&self, start: usize) -> Option<[&'a [T; ROWS]; 3]> {
        let [previous, this, next] = self.columns().map(|column| column[start..].first_chunk());
        Some([previous?, this?, next?])
    }

    /// Fills blocks with the rows from `start` on, fewer than 64, and after them with the last row.
    fn copy_rest(&self, start: usize, blocks: &mut [[T; ROWS]; 3]) {
        for (block, column) in blocks.iter_mut().zip(self.columns()) {
            let (rest, padding) = block.split_at_mut(column.len() - start);
            rest.copy_from_slice(&column[start..]);
            padding.fill(column[column.len() - 1]);
        }
    }
}

/// The differences from the row before and to the row after.
#[inline(always)]
fn differences<T: Sample>([previous, this, next]: [&[T; ROWS]; 3], row: usize) -> [f64; 2] {
    [this[row].minus(previous[row]), next[row].minus(this[row])]
}

/// Half of each of the [`differences`].
fn half_differences<T: Sample>([previous, this, next]: [&[T; ROWS]; 3], row: usize) -> [f64; 2] {
    [this[row].half_minus(previous[row]), next[row].half_minus(this[row])]
}

/// Appends the slopes on an evenly spaced axis: `(y[i+1] - y[i-1]) / (2 * step)`, as in numpy.
///
/// `scale.denominator` is the step. `mask` is called once per 64 rows, in order, with the first of them; the slope of a
/// row without neighbours is unspecified.
pub fn even<Y, O>(y: ThreePoint<'_, Y>, scale: Scale, mut mask: impl FnMut(usize) -> NeighborMask, slopes: &mut Vec<O>)
where
    Y: Sample,
    O: Copy + 'static,
    f64: AsPrimitive<O>,
{
    // Short enough to be in the first-level cache for the second pass.
    const TILE: usize = 32 * ROWS;
    let two_steps = 2.0 * scale.denominator;
    // Else a product leaves the range of a float though the slope does not.
    let in_range = two_steps.is_finite();
    for start in (0..y.this.len()).step_by(TILE) {
        let tile = y.rows(start, y.this.len().min(start + TILE));
        let first = slopes.len();
        let all_finite = dispatch(EvenSlopes {
            y: tile,
            numerator: scale.numerator,
            two_steps,
            slopes,
        });
        for (block, slopes) in slopes[first..].chunks_mut(ROWS).enumerate() {
            let mask = mask(start + block * ROWS);
            if !(in_range && all_finite) {
                for place in set_bits(mask.before & mask.after, slopes.len()) {
                    let row = tile.columns().map(|column| column[block * ROWS + place]);
                    slopes[place] = even_slope(row, scale).as_();
                }
            }
            for place in set_bits(mask.ends(), slopes.len()) {
                let [previous, this, next] = tile.columns().map(|column| column[block * ROWS + place]);
                let pair = if mask.before >> place & 1 != 0 {
                    [previous, this]
                } else {
                    [this, next]
                };
                slopes[place] = even_end(pair, scale).as_();
            }
        }
    }
}

/// The loop of [`even`]. Returns whether all slopes are finite.
struct EvenSlopes<'a, 's, Y, O> {
    y: ThreePoint<'a, Y>,
    numerator: f64,
    two_steps: f64,
    slopes: &'s mut Vec<O>,
}

impl<Y, O> Kernel for EvenSlopes<'_, '_, Y, O>
where
    Y: Sample,
    O: Copy + 'static,
    f64: AsPrimitive<O>,
{
    type Output = bool;

    // AVX-512 converts 64-bit integers to floats. 128-bit integers fill no vector register. Floats wait for divisions, which
    // AVX2 makes twice as fast as SSE2, and AVX-512 no faster.
    const WIDEST: bool = Y::INTEGER && size_of::<Y>() <= size_of::<f64>();

    #[inline(always)]
    fn run(self) -> bool {
        let Self {
            y,
            numerator,
            two_steps,
            slopes,
        } = self;
        let rows = y.previous.iter().zip(y.this).zip(y.next);
        let mut all_finite = true;
        slopes.extend(rows.map(|((previous, this), next)| {
            let slope = next.minus(*previous) * numerator / two_steps + this.zero_unless_finite();
            all_finite &= slope.is_finite();
            slope.as_()
        }));
        all_finite
    }
}

/// The slope at the middle of three rows, for rises and steps of any size.
#[cold]
fn even_slope<Y: Sample>([previous, this, next]: [Y; 3], scale: Scale) -> f64 {
    let slope = next.minus(previous) * scale.numerator / (2.0 * scale.denominator);
    let rise = next.half_minus(previous);
    let slope = if rise.is_finite() && !((2.0 * scale.denominator).is_finite() && slope.is_finite()) {
        wide::two_point(Wide::new(rise), Wide::new(1.0), scale)
    } else {
        slope
    };
    slope + this.zero_unless_finite()
}

/// The slope of the line through two rows.
#[inline(always)]
fn even_end<Y: Sample>([first, second]: [Y; 2], scale: Scale) -> f64 {
    let slope = stencil::two_point(Rise::scaled(second.minus(first), scale.numerator), scale.denominator);
    let rise = second.half_minus(first);
    if slope.is_finite() || !rise.is_finite() {
        slope
    } else {
        wide::two_point(Wide::twice(rise), Wide::new(1.0), scale)
    }
}

/// The slope at the first (`is_first`) or the last of three rows of the parabola through them; their x are monotonic.
pub(crate) fn three_point<Y: Sample, X: Sample>(y: [Y; 3], x: Option<[X; 3]>, is_first: bool, scale: Scale) -> f64 {
    let steps = x.map_or(([0.5; 2], [1.0; 2]), both_differences);
    end_slope(both_differences(y), steps, is_first, scale)
}

/// The halves of two differences, and the differences.
fn both_differences<T: Sample>([a, b, c]: [T; 3]) -> ([f64; 2], [f64; 2]) {
    ([b.half_minus(a), c.half_minus(b)], [b.minus(a), c.minus(b)])
}

/// [`three_point`] from differences.
fn end_slope(rises: ([f64; 2], [f64; 2]), steps: ([f64; 2], [f64; 2]), is_first: bool, scale: Scale) -> f64 {
    // The formula counts from the end inwards.
    let inwards = |[before, after]: [f64; 2]| if is_first { [before, after] } else { [after, before] };
    let [rises, steps] = [rises, steps].map(|(halves, whole)| (inwards(halves), inwards(whole)));
    let ([d1, d2], [s1, s2]) = (rises.1, steps.1.map(|step| step * scale.denominator));
    let slope = stencil::three_point(
        Rise::scaled(d1, scale.numerator),
        s1,
        Rise::scaled(d2, scale.numerator),
        s2,
    );
    if slope.is_finite() && (s1 + s2).is_finite() || !rises.0.iter().all(|rise| rise.is_finite()) {
        return slope;
    }
    let [rises, steps] = [rises, steps].map(widened);
    wide::three_point(rises, steps, scale)
}

/// Differences with extended exponents, from half differences and, where they do not overflow, differences.
fn widened((halves, whole): ([f64; 2], [f64; 2])) -> [Wide; 2] {
    let one = |place: usize| {
        if whole[place].is_finite() {
            Wide::new(whole[place])
        } else {
            Wide::twice(halves[place])
        }
    };
    [one(0), one(1)]
}

/// Appends the slopes on any strictly monotonic axis: of the parabola through each row and its neighbours, at the ends of
/// segments of the line through two.
///
/// `mask` is called once per 64 rows, in order, with the first of them; the slope of a row without neighbours is
/// unspecified. Returns the rows whose x is not finite and strictly monotonic, in order; their slopes are unspecified.
///
/// # Errors
///
/// The first such row, if `strict`.
///
/// # Panics
///
/// Where the columns of `points` differ in length.
pub fn irregular<Y, X, O>(
    points: Points<'_, Y, X>,
    mask: impl FnMut(usize) -> NeighborMask,
    strict: bool,
    slopes: &mut Vec<O>,
) -> Result<Vec<usize>, usize>
where
    Y: Sample,
    X: Sample,
    O: Copy + 'static,
    f64: AsPrimitive<O>,
{
    dispatch(Irregular {
        points,
        mask,
        strict,
        slopes,
    })
}

/// The loop of [`irregular`].
///
/// Measured: the single division pays with AVX2 and fused multiply-adds, which x86 processors have since 2013. The
/// masks of AVX-512 make finding unusual rows free.
struct Irregular<'a, 's, Y, X, O, M> {
    points: Points<'a, Y, X>,
    mask: M,
    strict: bool,
    slopes: &'s mut Vec<O>,
}

impl<Y, X, O, M> Kernel for Irregular<'_, '_, Y, X, O, M>
where
    Y: Sample,
    X: Sample,
    O: Copy + 'static,
    f64: AsPrimitive<O>,
    M: FnMut(usize) -> NeighborMask,
{
    type Output = Result<Vec<usize>, usize>;

    // Integers of 128 bits fill no vector register.
    const WIDEST: bool = size_of::<Y>() <= size_of::<f64>() && size_of::<X>() <= size_of::<f64>();

    #[inline(always)]
    fn run(self) -> Self::Output {
        let Self {
            points,
            mut mask,
            strict,
            slopes,
        } = self;
        let mut unsorted = Vec::new();
        let length = points.y.this.len();
        let (Some(&y), Some(&x)) = (points.y.this.first(), points.x.this.first()) else {
            return Ok(unsorted);
        };
        let (mut y_rest, mut x_rest) = ([[y; ROWS]; 3], [[x; ROWS]; 3]);
        let mut slopes_of_rest = [0.0.as_(); ROWS];
        for start in (0..length).step_by(ROWS) {
            let (y, x) = points.y.block(start).zip(points.x.block(start)).unwrap_or_else(|| {
                points.y.copy_rest(start, &mut y_rest);
                points.x.copy_rest(start, &mut x_rest);
                (y_rest.each_ref(), x_rest.each_ref())
            });
            let scale = points.scale;
            let block = Block { y, x, scale };
            let mask = mask(start);
            let rows = ROWS.min(length - start);
            let block_slopes = if rows == ROWS {
                slopes.resize(slopes.len() + ROWS, 0.0.as_());
                slopes.last_chunk_mut().expect("64 of them have just been added")
            } else {
                &mut slopes_of_rest
            };
            let all_usual = if mask.ends() == 0 {
                block.refine(NeighborMask::BOTH, block_slopes)
            } else {
                block.refine(mask, block_slopes)
            };
            if !all_usual {
                for row in set_bits(block.unusual(mask) & mask.valid, rows) {
                    match block.slope(row, mask) {
                        Some(slope) => block_slopes[row] = slope.as_(),
                        None if strict => return Err(start + row),
                        None => unsorted.push(start + row),
                    }
                }
            }
        }
        slopes.extend_from_slice(&slopes_of_rest[..length % ROWS]);
        Ok(unsorted)
    }
}

/// 64 points and their neighbours. The length is known to the compiler, so that it checks no bounds and emits no scalar
/// loop.
struct Block<'a, Y, X> {
    y: [&'a [Y; ROWS]; 3],
    x: [&'a [X; ROWS]; 3],
    scale: Scale,
}

impl<Y: Sample, X: Sample> Block<'_, Y, X> {
    /// Fills in the slopes of the usual rows, and returns whether all rows are usual.
    #[inline(always)]
    fn refine<O>(&self, mask: NeighborMask, slopes: &mut [O; ROWS]) -> bool
    where
        O: Copy + 'static,
        f64: AsPrimitive<O>,
    {
        let mut all_usual = true;
        for (row, slope) in slopes.iter_mut().enumerate() {
            let [(d1, h1), (d2, h2)] = self.steps(row, mask);
            let (refined, in_range) = stencil::refined(d1, h1, d2, h2);
            *slope = refined.as_();
            all_usual &= in_range;
        }
        all_usual
    }

    /// Mask of unusual rows.
    #[inline(always)]
    fn unusual(&self, mask: NeighborMask) -> u64 {
        let mut unusual = [0; ROWS];
        for (row, unusual) in unusual.iter_mut().enumerate() {
            let [(d1, h1), (d2, h2)] = self.steps(row, mask);
            *unusual = u8::from(!stencil::refined(d1, h1, d2, h2).1);
        }
        movemask(&unusual)
    }

    /// The slope of any row that has a neighbour; `None` where its x is not finite and strictly monotonic.
    #[inline(always)]
    fn slope(&self, row: usize, mask: NeighborMask) -> Option<f64> {
        let has = |word: u64| (word >> row & 1) as usize;
        let x = self.x.map(|column| column[row]);
        if !is_monotonic(&x[1 - has(mask.before)..2 + has(mask.after)]) {
            return None;
        }
        let [(d1, h1), (d2, h2)] = self.steps(row, mask);
        let slope = stencil::parabola(d1, h1, d2, h2);
        let in_range = slope.is_finite() & h1.is_finite() & h2.is_finite();
        Some(if in_range {
            slope
        } else {
            self.wide_slope(row, mask, slope)
        })
    }

    /// [`slope`](Self::slope) with extended exponents, where an intermediate result left the range of a float.
    #[cold]
    fn wide_slope(&self, row: usize, mask: NeighborMask, slope: f64) -> f64 {
        let half_rises = mask.of(row, half_differences(self.y, row));
        if !half_rises.iter().all(|rise| rise.is_finite()) {
            return slope;
        }
        let half_steps = mask.of(row, half_differences(self.x, row));
        let rises = widened((half_rises, mask.of(row, differences(self.y, row))));
        let steps = widened((half_steps, mask.of(row, differences(self.x, row))));
        let scale = if Y::INTEGER || X::INTEGER {
            self.scale
        } else {
            Scale::ONE
        };
        wide::parabola(rises, steps, scale)
    }

    /// The rises and steps around a row, in the unit of the slope.
    #[inline(always)]
    fn steps(&self, row: usize, mask: NeighborMask) -> [(Rise, f64); 2] {
        let [d1, d2] = mask.of(row, differences(self.y, row));
        let [h1, h2] = mask.of(row, differences(self.x, row));
        [(d1, h1), (d2, h2)].map(|(d, h)| self.scaled(d, h))
    }

    /// A rise and its step in the unit of the slope.
    #[inline(always)]
    fn scaled(&self, rise: f64, step: f64) -> (Rise, f64) {
        if Y::INTEGER || X::INTEGER {
            (Rise::scaled(rise, self.scale.numerator), step * self.scale.denominator)
        } else {
            (Rise::exact(rise), step)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points<'a>(y: &'a [f64], x: &'a [f64]) -> Points<'a, f64, f64> {
        Points {
            y: ThreePoint::padded(y),
            x: ThreePoint::padded(x),
            scale: Scale::ONE,
        }
    }

    fn slopes(y: &[f64], x: &[f64]) -> Vec<f64> {
        let mut slopes = Vec::new();
        irregular(points(y, x), |_| NeighborMask::BOTH, true, &mut slopes).expect("a sorted x");
        slopes
    }

    /// The bits of a slope; those of any NaN, which the processor is free to choose, are one.
    fn bits(slopes: &[f64]) -> Vec<u64> {
        let one = |slope: &f64| if slope.is_nan() { f64::NAN } else { *slope };
        slopes.iter().map(|slope| one(slope).to_bits()).collect()
    }

    /// More than one block, with a spike of unusual rows in the middle of it.
    fn column(rows: usize) -> (Vec<f64>, Vec<f64>) {
        let x: Vec<f64> = (0..rows).map(|i| i as f64 + 0.3 * (i as f64).sin()).collect();
        let mut y: Vec<f64> = x.iter().map(|x| (x / 7.0).cos()).collect();
        y[rows / 2] = f64::NAN;
        y[rows / 3] = 1e307;
        (y, x)
    }

    #[test]
    fn every_row_has_the_same_bits_wherever_its_block_begins() {
        let (y, x) = column(3 * ROWS + 17);
        let whole = slopes(&y, &x);
        for start in [1, 7, ROWS - 1, ROWS, 2 * ROWS + 5] {
            let part = slopes(&y[start..], &x[start..]);
            assert_eq!(bits(&part), bits(&whole[start..]), "from row {start}");
        }
    }

    #[test]
    fn the_vector_and_the_portable_path_agree() {
        let (y, x) = column(2 * ROWS + 3);
        let mut portable: Vec<f64> = Vec::new();
        let kernel = Irregular {
            points: points(&y, &x),
            mask: |_| NeighborMask::BOTH,
            strict: true,
            slopes: &mut portable,
        };
        kernel.run().expect("a sorted x");
        assert_eq!(bits(&portable), bits(&slopes(&y, &x)));
    }

    #[test]
    fn unsorted_rows_are_returned_and_invalid_rows_are_not_checked() {
        let x = [0.0, 1.0, 1.0, 2.0, f64::NAN, 3.0, 4.0];
        let y = [0.0; 7];
        let mask = |_| NeighborMask {
            valid: !(1 << 3),
            ..NeighborMask::BOTH
        };
        let mut slopes: Vec<f64> = Vec::new();
        assert_eq!(
            irregular(points(&y, &x), mask, false, &mut slopes),
            Ok(vec![0, 1, 2, 4])
        );
        assert_eq!(slopes.len(), 5);
        assert_eq!(irregular(points(&y, &x), mask, true, &mut slopes), Err(0));
    }

    #[test]
    fn the_end_of_a_segment_reads_its_only_neighbour() {
        let (y, x) = column(ROWS + 12);
        let (first, last) = (3, ROWS + 5);
        // Rows are counted from the second of the column on.
        let word = |row: usize, start: usize| {
            row.checked_sub(start)
                .filter(|bit| *bit < ROWS)
                .map_or(0, |bit| 1 << bit)
        };
        let mask = |start| NeighborMask {
            before: !word(first, start),
            after: !word(last, start),
            valid: u64::MAX,
        };
        let mut cut: Vec<f64> = Vec::new();
        irregular(points(&y, &x), mask, true, &mut cut).expect("a sorted x");
        let mut expected = slopes(&y, &x);
        expected[first] = (y[first + 2] - y[first + 1]) / (x[first + 2] - x[first + 1]);
        expected[last] = (y[last + 1] - y[last]) / (x[last + 1] - x[last]);
        assert_eq!(bits(&cut), bits(&expected));
    }

    #[test]
    fn a_segment_ends_at_its_first_and_last_row() {
        for (rows, starts) in [(1, 0..1), (64, 0..1), (65, 0..2), (200, 0..4)] {
            let mask = NeighborMask::of_segment(rows);
            for start in starts.map(|block| block * ROWS) {
                for row in start..rows.min(start + ROWS) {
                    let NeighborMask { before, after, valid } = mask(start);
                    let has = |bits: u64| bits >> (row - start) & 1 != 0;
                    assert_eq!(has(before), row > 0, "{row} of {rows}");
                    assert_eq!(has(after), row + 1 < rows, "{row} of {rows}");
                    assert_eq!(has(valid), rows > 1, "{row} of {rows}");
                }
            }
        }
    }

    #[test]
    fn even_spacing_is_the_central_difference() {
        let mut slopes: Vec<f32> = Vec::new();
        let scale = Scale {
            numerator: 1.0,
            denominator: 0.5,
        };
        even(
            ThreePoint::padded(&[1_i64, 4, 9, 16]),
            scale,
            |_| NeighborMask::BOTH,
            &mut slopes,
        );
        assert_eq!(slopes, [8.0, 12.0]);
    }
}
