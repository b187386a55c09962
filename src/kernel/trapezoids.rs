//! The running sum of trapezoids, in blocks of 16 rows.
//!
//! ```text
//! offset = 0
//! for each block of 16 rows of a segment, counted from its first row
//!     sum = 0
//!     for each row
//!         sum += (half of y + half of the y before) * step
//!         area at the row = offset + sum
//!     offset += sum
//! ```
//!
//! Every sum is compensated: a pair of floats. That of a block up to a row is rounded before the offset is added. The
//! sums of a block do not depend on those of others: four blocks are added up side by side, in the lanes of a vector
//! register, and long segments on several threads.

use super::sample::{Sample, two_sum};
use crate::bits::{ROWS, movemask, set_bits};
use crate::dispatch::{Kernel, dispatch};

/// Rows of a block, counted from the first row of a segment.
pub(crate) const BLOCK: usize = 16;
/// Blocks that are added up side by side.
const LANES: usize = 4;
/// The most rows that are taken at a time. On one thread a row takes 1.3 ns from memory; with half as many 1.4 and with
/// twice as many 1.9.
pub(crate) const CHUNK: usize = 256;
/// The bit of a float's sign.
const SIGN: u64 = 1 << 63;

/// A sum as a pair of floats: rounded, and the sum of what rounding has lost (Ogita, Rump, Oishi).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sum {
    pub(crate) value: f64,
    pub(crate) rest: f64,
}

impl Sum {
    /// Adds an area. A rounding error that is not finite counts as zero.
    #[inline(always)]
    fn plus(self, area: f64) -> Self {
        let (value, lost) = two_sum(self.value, area);
        // Compared before it is added: the next sum waits for one addition.
        let lost = if lost.abs() < f64::INFINITY { lost } else { 0.0 };
        Self {
            value,
            rest: self.rest + lost,
        }
    }

    /// Adds the sum of a block.
    #[inline(always)]
    fn plus_block(self, block: Self) -> Self {
        let sum = self.plus(block.value);
        Self {
            rest: sum.rest + block.rest,
            ..sum
        }
    }

    #[inline(always)]
    fn rounded(self) -> f64 {
        self.value + self.rest
    }

    /// The sum with that of a block up to a row, rounded.
    #[inline(always)]
    fn up_to(self, in_block: f64) -> f64 {
        self.value + (self.rest + in_block)
    }
}

/// What has been added up of a segment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct RunningSum {
    /// The number of rows.
    pub(crate) rows: usize,
    /// The sum of whole blocks.
    pub(crate) offset: Sum,
    /// The sum of the rows after those.
    pub(crate) sum: Sum,
}

impl RunningSum {
    /// The place of the next row in its block.
    pub(crate) fn place(&self) -> usize {
        self.rows % BLOCK
    }

    /// Adds the sums of whole blocks.
    #[cfg(any(feature = "polars", feature = "arrow"))]
    pub(crate) fn add_blocks(&mut self, sums: &[Sum]) {
        self.offset = sums.iter().fold(self.offset, |offset, sum| offset.plus_block(*sum));
        self.rows += BLOCK * sums.len();
    }
}

type Lanes = [f64; LANES];

/// A [`Sum`] in each lane.
#[derive(Clone, Copy, Debug, Default)]
struct LaneSums {
    values: Lanes,
    rests: Lanes,
}

impl LaneSums {
    #[inline(always)]
    fn lane(&self, lane: usize) -> Sum {
        Sum {
            value: self.values[lane],
            rest: self.rests[lane],
        }
    }

    #[inline(always)]
    fn set_lane(&mut self, lane: usize, sum: Sum) {
        (self.values[lane], self.rests[lane]) = (sum.value, sum.rest);
    }

    #[inline(always)]
    fn plus(self, areas: Lanes) -> Self {
        let mut sums = Self::default();
        for (lane, area) in areas.into_iter().enumerate() {
            sums.set_lane(lane, self.lane(lane).plus(area));
        }
        sums
    }
}

/// Blocks as floats: one loop for all types of numbers.
///
/// Aligned to cache lines: loads and stores of vector registers that cross them double the time.
#[repr(align(64))]
pub(crate) struct Blocks {
    /// From the row before each.
    steps: [f64; CHUNK],
    /// From the row before each.
    areas: [f64; CHUNK],
    sums: [Sum; CHUNK / BLOCK],
    /// The sum within its block up to each row: row by row of four blocks side by side.
    running: [Lanes; CHUNK / LANES],
    totals: [f64; CHUNK],
}

impl Default for Blocks {
    fn default() -> Self {
        Self {
            steps: [0.0; CHUNK],
            areas: [0.0; CHUNK],
            sums: [Sum::default(); CHUNK / BLOCK],
            running: [Lanes::default(); CHUNK / LANES],
            totals: [0.0; CHUNK],
        }
    }
}

impl Blocks {
    /// Takes rows that are one step apart.
    pub(crate) fn take_even_steps(&mut self, rows: usize) {
        self.steps[..rows].fill(1.0);
    }

    /// Takes the steps between rows, times a power of two; the first step leads to the row at a place. Returns whether all
    /// are finite, and fall if they should, else rise.
    pub(crate) fn take_steps<X: Sample>(&mut self, place: usize, x: &[X], factor: f64, falls: bool) -> bool {
        let to = &mut self.steps[place..place + x.len() - 1];
        let steps = Steps {
            before: x,
            x: &x[1..],
            factor,
            falls,
            to,
        };
        // A few rows are done before the loop for wide registers has begun.
        if x.len() <= BLOCK { steps.run() } else { dispatch(steps) }
    }

    /// Takes the y of at most [`CHUNK`] rows, whose steps have been taken, after that of the row before them. Rows that start
    /// a segment have no area: the first one without a row before, and those in the mask, of the first 64.
    pub(crate) fn take_areas<Y: Sample>(&mut self, before: Option<Y>, y: &[Y], zero: Y, starts: u64) {
        dispatch(Areas {
            before: before.unwrap_or(zero),
            y,
            zero,
            steps: &self.steps,
            to: &mut self.areas,
        });
        let starts = set_bits(starts | u64::from(before.is_none()), ROWS);
        for (row, y) in starts.map_while(|row| Some((row, y.get(row)?))) {
            // A NaN is one of its segment.
            self.areas[row] = if y.is_nan() { f64::NAN } else { 0.0 };
        }
    }

    /// Adds the areas of the rows taken to a sum: the totals at the rows.
    pub(crate) fn add_to(&mut self, sum: &mut RunningSum, rows: usize) -> &[f64] {
        if sum.place() > 0 || !rows.is_multiple_of(BLOCK) {
            return self.add_one_by_one(sum, rows, 0);
        }
        self.add_up(rows);
        sum.offset = dispatch(Totals {
            offset: sum.offset,
            sums: &self.sums[..rows / BLOCK],
            running: &self.running,
            to: &mut self.totals,
        });
        sum.rows += rows;
        &self.totals[..rows]
    }

    /// What the other loops do, for a few rows: segments may be short. Some rows after the first one start another segment.
    fn add_one_by_one(&mut self, sum: &mut RunningSum, rows: usize, mut starts: u64) -> &[f64] {
        for (total, area) in self.totals[..rows].iter_mut().zip(&self.areas) {
            if starts & 1 != 0 {
                *sum = RunningSum::default();
            }
            starts >>= 1;
            sum.sum = sum.sum.plus(*area);
            *total = sum.offset.up_to(sum.sum.rounded());
            sum.rows += 1;
            if sum.place() == 0 {
                sum.offset = sum.offset.plus_block(sum.sum);
                sum.sum = Sum::default();
            }
        }
        &self.totals[..rows]
    }

    /// The totals at the rows of several segments. There are at most 64 rows.
    pub(crate) fn add_short(&mut self, rows: usize, starts: u64) -> &[f64] {
        self.add_one_by_one(&mut RunningSum::default(), rows, starts)
    }

    /// Whether the steps between the rows of several segments are finite, and all rise or all fall in each. There are at most
    /// 64 rows.
    pub(crate) fn are_sorted(&self, rows: usize, starts: u64) -> bool {
        let [falls, moves] = dispatch(Directions { steps: &self.steps });
        // Neither the first nor the second row of a segment has a step before it.
        let turns = (falls ^ falls << 1) & !(starts | starts << 1);
        (moves | starts) & !turns | !(u64::MAX >> (ROWS - rows)) == u64::MAX
    }

    /// The sums of the rows taken, which are whole blocks.
    #[cfg(any(feature = "polars", feature = "arrow"))]
    pub(crate) fn sums(&mut self, rows: usize) -> &[Sum] {
        self.add_up(rows);
        &self.sums[..rows / BLOCK]
    }

    /// Adds up each block of the rows taken.
    fn add_up(&mut self, rows: usize) {
        // Blocks are added up by fours.
        self.areas[rows..rows.next_multiple_of(LANES * BLOCK)].fill(0.0);
        dispatch(AddUp {
            areas: &self.areas,
            sums: &mut self.sums[..rows / BLOCK],
            running: &mut self.running,
        });
    }
}

struct Steps<'a, X> {
    before: &'a [X],
    x: &'a [X],
    factor: f64,
    falls: bool,
    to: &'a mut [f64],
}

impl<X: Sample> Kernel for Steps<'_, X> {
    type Output = bool;

    const WIDEST: bool = size_of::<X>() <= size_of::<f64>();

    #[inline(always)]
    fn run(self) -> bool {
        // As integers positive finite floats are those from 1 to below that of infinity, and negative ones follow the sign.
        const SPAN: i64 = f64::INFINITY.to_bits().cast_signed() - 2;
        let nearest = if self.falls { SIGN | 1 } else { 1 };
        let mut outside = 0;
        for ((step, before), x) in self.to.iter_mut().zip(self.before).zip(self.x) {
            *step = x.minus(*before) * self.factor;
            let beyond = step.to_bits().wrapping_sub(nearest).cast_signed();
            // A number outside leaves a sign.
            outside |= beyond | SPAN.wrapping_sub(beyond);
        }
        outside >= 0
    }
}

/// Masks of the first 64 steps: of those that fall, and of those that are finite and not zero.
struct Directions<'a> {
    steps: &'a [f64; CHUNK],
}

impl Kernel for Directions<'_> {
    type Output = [u64; 2];

    #[inline(always)]
    fn run(self) -> [u64; 2] {
        let [mut falls, mut moves] = [[0; ROWS]; 2];
        for ((step, falls), moves) in self.steps.iter().zip(&mut falls).zip(&mut moves) {
            *falls = u8::from(*step < 0.0);
            *moves = u8::from((step.abs() > 0.0) & (step.abs() < f64::INFINITY));
        }
        [movemask(&falls), movemask(&moves)]
    }
}

/// The areas from the row before each row.
struct Areas<'a, Y> {
    before: Y,
    y: &'a [Y],
    zero: Y,
    steps: &'a [f64; CHUNK],
    to: &'a mut [f64; CHUNK],
}

impl<Y: Sample> Kernel for Areas<'_, Y> {
    type Output = ();

    // Integers of 128 bits fill no vector register.
    const WIDEST: bool = size_of::<Y>() <= size_of::<f64>();

    #[inline(always)]
    fn run(self) {
        let half = |y: Y| 0.5 * y.minus(self.zero);
        let mut before = half(self.before);
        for ((to, y), step) in self.to.iter_mut().zip(self.y).zip(self.steps) {
            let half = half(*y);
            *to = (before + half) * step;
            before = half;
        }
    }
}

/// Adds up the areas of each block.
struct AddUp<'a> {
    areas: &'a [f64; CHUNK],
    sums: &'a mut [Sum],
    running: &'a mut [Lanes; CHUNK / LANES],
}

impl Kernel for AddUp<'_> {
    type Output = ();

    // There is a lane for each block.
    const WIDEST: bool = false;

    #[inline(always)]
    fn run(self) {
        let running = self.running.as_chunks_mut::<BLOCK>().0.iter_mut();
        let areas = self.areas.as_chunks::<{ LANES * BLOCK }>().0.iter();
        for ((blocks, running), areas) in self.sums.chunks_mut(LANES).zip(running).zip(areas) {
            let mut sums = LaneSums::default();
            for (row, running) in running.iter_mut().enumerate() {
                let mut of_row = Lanes::default();
                for (lane, area) in of_row.iter_mut().enumerate() {
                    *area = areas[lane * BLOCK + row];
                }
                sums = sums.plus(of_row);
                for (lane, running) in running.iter_mut().enumerate() {
                    *running = sums.lane(lane).rounded();
                }
            }
            for (lane, block) in blocks.iter_mut().enumerate() {
                *block = sums.lane(lane);
            }
        }
    }
}

/// Adds to the sums within each block that of the blocks before it. Returns the sum of all.
struct Totals<'a> {
    offset: Sum,
    sums: &'a [Sum],
    running: &'a [Lanes; CHUNK / LANES],
    to: &'a mut [f64; CHUNK],
}

impl Kernel for Totals<'_> {
    type Output = Sum;

    const WIDEST: bool = false;

    #[inline(always)]
    fn run(self) -> Sum {
        let mut offset = self.offset;
        let running = self.running.as_chunks::<BLOCK>().0.iter();
        let to = self.to.as_chunks_mut::<{ LANES * BLOCK }>().0.iter_mut();
        for ((blocks, running), to) in self.sums.chunks(LANES).zip(running).zip(to) {
            let mut offsets = LaneSums::default();
            for (lane, sum) in blocks.iter().enumerate() {
                offsets.set_lane(lane, offset);
                offset = offset.plus_block(*sum);
            }
            for row in 0..BLOCK {
                for lane in 0..LANES {
                    to[lane * BLOCK + row] = offsets.lane(lane).up_to(running[row][lane]);
                }
            }
        }
        offset
    }
}

#[cfg(test)]
mod tests {
    use std::iter::{once, repeat_n};

    use super::*;

    /// The bits of the totals of rows, added up as many at a time as `sizes` say, over and over.
    fn totals(y: &[f64], x: &[f64], offset: Sum, sizes: &[usize]) -> Vec<u64> {
        let (mut first, mut totals) = (0, Vec::new());
        let mut blocks = Blocks::default();
        let mut sum = RunningSum {
            offset,
            ..RunningSum::default()
        };
        for &size in sizes.iter().cycle() {
            let size = size.min(y.len() - first);
            if size == 0 {
                break;
            }
            let before = first.checked_sub(1);
            match before {
                Some(row) => blocks.take_steps(0, &x[row..first + size], 1.0, false),
                None => blocks.take_steps(1, &x[..size], 1.0, false),
            };
            blocks.take_areas(before.map(|row| y[row]), &y[first..first + size], 0.0, 0);
            let added = blocks.add_to(&mut sum, size);
            totals.extend(added.iter().map(|total| total.to_bits()));
            first += size;
        }
        totals
    }

    /// Also where numbers are not finite, or areas too large.
    #[test]
    fn rows_added_up_one_by_one_or_together_have_the_same_bits() {
        let rows = 128_usize;
        let x: Vec<_> = (0..rows).map(|row| row as f64 * 0.3 + 1e3).collect();
        let plain: Vec<_> = (0..rows).map(|row| 0.1 * (row * 37 % 19) as f64 - 0.7).collect();
        let offset = Sum {
            value: 1e15,
            rest: 0.0625,
        };
        for (row, odd) in [
            (0, 0.5),
            (0, f64::NAN),
            (0, f64::INFINITY),
            (9, f64::INFINITY),
            (30, f64::NAN),
            (63, f64::MAX),
            (127, f64::NAN),
        ] {
            for scale in [1.0, 1e308] {
                let mut y: Vec<_> = plain.iter().map(|y| y * scale).collect();
                y[row] = odd;
                let together = totals(&y, &x, offset, &[rows]);
                assert_eq!(together.len(), rows);
                assert_eq!(totals(&y, &x, offset, &[1]), together, "{odd} in row {row}");
                assert_eq!(
                    totals(&y, &x, offset, &[7, 9, 48, 33, 1]),
                    together,
                    "{odd} in row {row}"
                );
                assert_eq!(f64::from_bits(together[0]).is_nan(), row == 0 && odd.is_nan());
                assert_eq!(f64::from_bits(together[127]).is_nan(), odd.is_nan());
            }
        }
    }

    #[test]
    fn nothing_is_lost_of_small_areas() {
        let mut blocks = Blocks::default();
        let y = [0.1; 64];
        let mut sum = RunningSum::default();
        let mut total = 0.0;
        for before in once(None).chain(repeat_n(Some(0.1), 15_624)) {
            blocks.take_even_steps(y.len());
            blocks.take_areas(before, &y, 0.0, 0);
            total = blocks.add_to(&mut sum, y.len())[y.len() - 1];
        }
        // 999,999 times the double that 0.1 is, a little more, rounded once.
        assert_eq!(total, 99_999.900_000_000_01);
    }

    #[cfg(any(feature = "polars", feature = "arrow"))]
    #[test]
    fn sums_of_blocks_are_those_that_are_added_up() {
        let y: Vec<_> = (0..96).map(|row| 0.1 * f64::from(row * 37 % 19) - 0.7).collect();
        let mut blocks = Blocks::default();
        blocks.take_even_steps(y.len());
        blocks.take_areas(None, &y, 0.0, 0);
        let [mut of_blocks, mut of_rows] = [RunningSum::default(); 2];
        of_blocks.add_blocks(blocks.sums(y.len()));
        blocks.add_to(&mut of_rows, y.len());
        assert_eq!(of_blocks, of_rows);
        assert_eq!(blocks.sums(2 * BLOCK).len(), 2);
    }

    #[test]
    fn steps_rise_or_fall() {
        let mut blocks = Blocks::default();
        assert!(blocks.take_steps(0, &[1.0, 2.0, 4.0], 1.0, false));
        assert!(blocks.take_steps(1, &[3_i64, 2, -4], 1.0, true));
        assert!(!blocks.take_steps(1, &[3_i64, 2, -4], 1.0, false));
        assert!(blocks.take_steps(0, &[0.0, -5e-324], 1.0, true));
        for x in [2.0, 1.5, f64::NAN, f64::INFINITY] {
            for falls in [false, true] {
                assert!(!blocks.take_steps(0, &[1.0, 2.0, x], 1.0, falls), "{x}");
                assert!(!blocks.take_steps(0, &[-1.0, -2.0, -x], 1.0, falls), "{x}");
            }
        }
        // A step that is too large for a float is looked at one by one.
        assert!(!blocks.take_steps(0, &[f64::MIN, f64::MAX], 1.0, false));
    }
}
