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
//! Every sum is a pair of floats. The sums of a block do not depend on those of others: four blocks are added up side by
//! side, in the lanes of a vector register, and long segments on several threads.
//!
//! The rest of a sum that is not finite is zero. That takes a comparison in each row, so it is left out until a chunk of
//! rows turns out to hold such a sum: one that is not finite stays so to the end of its block.

use super::sample::{Sample, two_sum};
use crate::bits::{ROWS, movemask};
use crate::dispatch::{Kernel, dispatch};

/// Rows of a block, counted from the first row of a segment.
pub(crate) const BLOCK: usize = 16;
/// Blocks that are added up side by side.
const LANES: usize = 4;
/// The most rows that are taken at a time. From memory 128 rows take 1.9 ns each, and 512, a page of each column, 3.4 ns.
pub(crate) const CHUNK: usize = 128;
/// The bit of a float's sign.
const SIGN: u64 = 1 << 63;

/// A sum as a pair of floats: rounded, and the sum of what rounding has lost (Ogita, Rump, Oishi).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sum {
    pub(crate) value: f64,
    pub(crate) rest: f64,
}

impl Sum {
    /// The sum of two. The rest of a sum that is not finite is zero.
    #[inline(always)]
    pub(crate) fn plus(self, other: Self) -> Self {
        self.plus_as::<false>(other)
    }

    /// The same; right only of sums that are finite if `FINITE`.
    #[inline(always)]
    fn plus_as<const FINITE: bool>(self, other: Self) -> Self {
        let (value, lost) = two_sum(self.value, other.value);
        // In this order the rest before is waited for once.
        let rest = self.rest + (lost + other.rest);
        Self {
            value,
            rest: if FINITE || rest.abs() < f64::INFINITY {
                rest
            } else {
                0.0
            },
        }
    }

    #[inline(always)]
    fn total(self) -> f64 {
        self.value + self.rest
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
        self.offset = sums.iter().fold(self.offset, |offset, sum| offset.plus(*sum));
        self.rows += BLOCK * sums.len();
    }
}

type Lanes = [f64; LANES];

/// The columns of a square, whose numbers are given by row and column.
#[inline(always)]
fn columns(of: impl Fn(usize, usize) -> f64) -> [Lanes; LANES] {
    let mut columns = [[0.0; LANES]; LANES];
    for (column, to) in columns.iter_mut().enumerate() {
        for (row, to) in to.iter_mut().enumerate() {
            *to = of(row, column);
        }
    }
    columns
}

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
    fn plus_as<const FINITE: bool>(self, other: Self) -> Self {
        let mut sums = Self::default();
        for lane in 0..LANES {
            let (value, lost) = two_sum(self.values[lane], other.values[lane]);
            let rest = self.rests[lane] + (lost + other.rests[lane]);
            sums.values[lane] = value;
            sums.rests[lane] = if FINITE || rest.abs() < f64::INFINITY {
                rest
            } else {
                0.0
            };
        }
        sums
    }
}

/// Blocks as floats: one loop for all types of numbers.
pub(crate) struct Blocks {
    /// Halves of y, after that of the row before the first one.
    halves: [f64; CHUNK + 1],
    /// From the row before each.
    steps: [f64; CHUNK],
    /// The sums within each block up to each of its rows: row by row of four blocks side by side.
    rows: [LaneSums; CHUNK / LANES],
    sums: [Sum; CHUNK / BLOCK],
    totals: [f64; CHUNK],
}

impl Default for Blocks {
    fn default() -> Self {
        Self {
            halves: [0.0; CHUNK + 1],
            steps: [0.0; CHUNK],
            rows: [LaneSums::default(); CHUNK / LANES],
            sums: [Sum::default(); CHUNK / BLOCK],
            totals: [0.0; CHUNK],
        }
    }
}

impl Blocks {
    /// Takes the y of at most [`CHUNK`] rows, after that of the row before them.
    pub(crate) fn take_halves<Y: Sample>(&mut self, before: Option<Y>, y: &[Y], zero: Y) {
        self.halves[0] = before.map_or(0.0, |before| 0.5 * before.minus(zero));
        let to = &mut self.halves[1..=y.len()];
        let halves = Halves { y, zero, to };
        // A few rows are done before the loop for wide registers has begun.
        if y.len() < BLOCK {
            halves.run();
        } else {
            dispatch(halves);
        }
    }

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
        if x.len() <= BLOCK { steps.run() } else { dispatch(steps) }
    }

    /// Adds the areas of the rows taken to a sum: the totals at the rows. Without a row `before` them the first one has no
    /// area.
    pub(crate) fn add_to(&mut self, sum: &mut RunningSum, rows: usize, before: bool) -> &[f64] {
        if sum.place() > 0 || !rows.is_multiple_of(BLOCK) {
            *sum = dispatch(OneByOne {
                blocks: self,
                sum: *sum,
                rows,
                before,
                starts: 0,
            });
            return &self.totals[..rows];
        }
        self.sums(rows, before);
        let finite = sum
            .offset
            .value
            .is_finite()
            .then(|| dispatch(self.totals_of::<true>(sum.offset, rows)));
        sum.offset = match finite {
            Some((offset, true)) => offset,
            _ => dispatch(self.totals_of::<false>(sum.offset, rows)).0,
        };
        sum.rows += rows;
        &self.totals[..rows]
    }

    /// The totals at the rows of several segments. There are at most 64 rows.
    pub(crate) fn add_short(&mut self, rows: usize, starts: u64) -> &[f64] {
        dispatch(OneByOne {
            blocks: self,
            sum: RunningSum::default(),
            rows,
            before: false,
            starts,
        });
        &self.totals[..rows]
    }

    /// Whether the steps between the rows of several segments are finite, and all rise or all fall in each. There are at most
    /// 64 rows.
    pub(crate) fn are_sorted(&self, rows: usize, starts: u64) -> bool {
        let [falls, moves] = dispatch(Directions { steps: &self.steps });
        // Neither the first nor the second row of a segment has a step before it.
        let turns = (falls ^ falls << 1) & !(starts | starts << 1);
        (moves | starts) & !turns | !(u64::MAX >> (ROWS - rows)) == u64::MAX
    }

    /// The sums of the rows taken, which are whole blocks. Without a row `before` them the first one has no area.
    pub(crate) fn sums(&mut self, rows: usize, before: bool) -> &[Sum] {
        if !before {
            // No area, but a NaN is one of its segment.
            self.steps[0] = 0.0;
        }
        // Blocks are added up by fours.
        let end = rows.next_multiple_of(LANES * BLOCK);
        self.halves[rows + 1..=end].fill(0.0);
        self.steps[rows..end].fill(0.0);
        if !dispatch(self.add_up::<true>(rows)) {
            dispatch(self.add_up::<false>(rows));
            if !before {
                self.set_first_block();
            }
        }
        &self.sums[..rows / BLOCK]
    }

    /// Sets the sums of a block whose first row has no area: zero times infinity is none.
    fn set_first_block(&mut self) {
        let mut sum = Sum {
            value: first_area(self.halves[1]),
            rest: 0.0,
        };
        for row in 0..BLOCK {
            if row > 0 {
                sum = sum.plus(area([self.halves[row], self.halves[row + 1]], self.steps[row]));
            }
            self.rows[row].set_lane(0, sum);
        }
        self.sums[0] = sum;
    }

    fn add_up<const FINITE: bool>(&mut self, rows: usize) -> AddUp<'_, FINITE> {
        AddUp {
            halves: &self.halves,
            steps: &self.steps,
            rows: &mut self.rows,
            sums: &mut self.sums[..rows / BLOCK],
        }
    }

    fn totals_of<const FINITE: bool>(&mut self, offset: Sum, rows: usize) -> Totals<'_, FINITE> {
        Totals {
            offset,
            sums: &self.sums[..rows / BLOCK],
            rows: &self.rows,
            to: &mut self.totals,
        }
    }
}

struct Halves<'a, Y> {
    y: &'a [Y],
    zero: Y,
    to: &'a mut [f64],
}

impl<Y: Sample> Kernel for Halves<'_, Y> {
    type Output = ();

    // Integers of 128 bits fill no vector register.
    const WIDEST: bool = size_of::<Y>() <= size_of::<f64>();

    #[inline(always)]
    fn run(self) {
        for (half, y) in self.to.iter_mut().zip(self.y) {
            *half = 0.5 * y.minus(self.zero);
        }
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
        // As integers positive finite floats are those from 1 to below that of infinity. A number outside leaves a sign.
        const LAST: i64 = f64::INFINITY.to_bits().cast_signed() - 1;
        let sign = if self.falls { SIGN } else { 0 };
        let mut outside = 0;
        for ((step, before), x) in self.to.iter_mut().zip(self.before).zip(self.x) {
            *step = x.minus(*before) * self.factor;
            let towards = (step.to_bits() ^ sign).cast_signed();
            outside |= towards.wrapping_sub(1) | LAST.wrapping_sub(towards);
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

/// The area from the row before a row, and what rounding has lost of it.
#[inline(always)]
fn area(halves: [f64; 2], step: f64) -> Sum {
    let (height, lost) = two_sum(halves[0], halves[1]);
    let area = height * step;
    Sum {
        value: area,
        rest: lost.mul_add(step, height.mul_add(step, -area)),
    }
}

/// What the other kernels do, for a few rows: segments may be short.
struct OneByOne<'a> {
    blocks: &'a mut Blocks,
    sum: RunningSum,
    rows: usize,
    before: bool,
    /// The rows after the first one that start another segment.
    starts: u64,
}

impl Kernel for OneByOne<'_> {
    type Output = RunningSum;

    // One row waits for the other.
    const WIDEST: bool = false;

    #[inline(always)]
    fn run(self) -> RunningSum {
        let Blocks {
            halves, steps, totals, ..
        } = self.blocks;
        let RunningSum {
            mut rows,
            mut offset,
            mut sum,
        } = self.sum;
        let mut is_first = offset == Sum::default();
        let mut starts = self.starts;
        for (index, total) in totals[..self.rows].iter_mut().enumerate() {
            let is_next = index > 0 && starts & 1 != 0;
            starts >>= 1;
            if is_next {
                (rows, offset, sum, is_first) = (0, Sum::default(), Sum::default(), true);
            }
            let added = if is_next || index == 0 && !self.before {
                Sum {
                    value: first_area(halves[index + 1]),
                    rest: 0.0,
                }
            } else {
                area([halves[index], halves[index + 1]], steps[index])
            };
            sum = sum.plus(added);
            // Nothing is before the first block.
            *total = if is_first { sum } else { offset.plus(sum) }.total();
            rows += 1;
            if rows.is_multiple_of(BLOCK) {
                offset = offset.plus(sum);
                sum = Sum::default();
                is_first = false;
            }
        }
        RunningSum { rows, offset, sum }
    }
}

/// That of the first row of a segment is nothing, but a NaN is one of its segment.
#[inline(always)]
fn first_area(half: f64) -> f64 {
    if half.is_nan() { f64::NAN } else { 0.0 }
}

/// Finds the areas from the row before each row, and adds them up within each block. Returns whether all sums are finite;
/// if not, they are right only without `FINITE`.
struct AddUp<'a, const FINITE: bool> {
    halves: &'a [f64; CHUNK + 1],
    steps: &'a [f64; CHUNK],
    rows: &'a mut [LaneSums; CHUNK / LANES],
    sums: &'a mut [Sum],
}

impl<const FINITE: bool> Kernel for AddUp<'_, FINITE> {
    type Output = bool;

    // There is a lane for each block.
    const WIDEST: bool = false;

    #[inline(always)]
    fn run(self) -> bool {
        let mut zero = 0.0;
        let fours = self.rows.as_chunks_mut::<BLOCK>().0.iter_mut();
        let steps = self.steps.as_chunks::<{ LANES * BLOCK }>().0.iter();
        let halves = self.halves.as_chunks::<{ LANES * BLOCK }>().0.iter();
        let next = self.halves[1..].as_chunks::<{ LANES * BLOCK }>().0.iter();
        for ((((rows, blocks), steps), first), halves) in
            fours.zip(self.sums.chunks_mut(LANES)).zip(steps).zip(halves).zip(next)
        {
            let mut before = [0.0; LANES];
            for lane in 0..LANES {
                before[lane] = first[lane * BLOCK];
            }
            let mut sums = LaneSums::default();
            for part in 0..BLOCK / LANES {
                let at = |lane, row| lane * BLOCK + part * LANES + row;
                let halves = columns(|lane, row| halves[at(lane, row)]);
                let steps = columns(|lane, row| steps[at(lane, row)]);
                for row in 0..LANES {
                    let mut areas = LaneSums::default();
                    for lane in 0..LANES {
                        let area = area([before[lane], halves[row][lane]], steps[row][lane]);
                        (areas.values[lane], areas.rests[lane]) = (area.value, area.rest);
                    }
                    sums = sums.plus_as::<FINITE>(areas);
                    rows[part * LANES + row] = sums;
                    before = halves[row];
                }
            }
            for (lane, block) in blocks.iter_mut().enumerate() {
                *block = sums.lane(lane);
                zero += block.rest * 0.0;
            }
        }
        zero == 0.0
    }
}

/// Adds the sums within each block to that of the blocks before it. Returns the sum of all, and whether all totals are
/// finite; if not, they are right only without `FINITE`.
struct Totals<'a, const FINITE: bool> {
    offset: Sum,
    sums: &'a [Sum],
    rows: &'a [LaneSums; CHUNK / LANES],
    to: &'a mut [f64; CHUNK],
}

impl<const FINITE: bool> Kernel for Totals<'_, FINITE> {
    type Output = (Sum, bool);

    const WIDEST: bool = false;

    #[inline(always)]
    fn run(self) -> (Sum, bool) {
        let mut offset = self.offset;
        let mut offsets = [Sum::default(); CHUNK / BLOCK];
        for (to, block) in offsets.iter_mut().zip(self.sums) {
            *to = offset;
            offset = offset.plus_as::<FINITE>(*block);
        }
        let mut zeros = [0.0; LANES];
        let fours = self
            .rows
            .as_chunks::<BLOCK>()
            .0
            .iter()
            .take(self.sums.len().div_ceil(LANES));
        let to = self.to.as_chunks_mut::<{ LANES * BLOCK }>().0.iter_mut();
        for ((blocks, rows), to) in offsets.as_chunks::<LANES>().0.iter().zip(fours).zip(to) {
            let mut offsets = LaneSums::default();
            for (lane, offset) in blocks.iter().enumerate() {
                offsets.set_lane(lane, *offset);
            }
            for part in 0..BLOCK / LANES {
                let mut of_rows = [[0.0; LANES]; LANES];
                for row in 0..LANES {
                    let sums = offsets.plus_as::<FINITE>(rows[part * LANES + row]);
                    for lane in 0..LANES {
                        of_rows[row][lane] = sums.values[lane] + sums.rests[lane];
                        zeros[lane] = of_rows[row][lane].mul_add(0.0, zeros[lane]);
                    }
                }
                let of_blocks = columns(|row, lane| of_rows[row][lane]);
                for lane in 0..LANES {
                    for row in 0..LANES {
                        to[lane * BLOCK + part * LANES + row] = of_blocks[lane][row];
                    }
                }
            }
        }
        let is_finite = zeros == [0.0; LANES] && offset.rest.is_finite();
        (offset, is_finite)
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
            blocks.take_halves(before.map(|row| y[row]), &y[first..first + size], 0.0);
            match before {
                Some(row) => blocks.take_steps(0, &x[row..first + size], 1.0, false),
                None => blocks.take_steps(1, &x[..size], 1.0, false),
            };
            let added = blocks.add_to(&mut sum, size, before.is_some());
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
            blocks.take_halves(before, &y, 0.0);
            blocks.take_even_steps(y.len());
            total = blocks.add_to(&mut sum, y.len(), before.is_some())[y.len() - 1];
        }
        // 999,999 times the double that 0.1 is, a little more, rounded once.
        assert_eq!(total, 99_999.900_000_000_01);
    }

    #[cfg(any(feature = "polars", feature = "arrow"))]
    #[test]
    fn sums_of_blocks_are_those_that_are_added_up() {
        let y: Vec<_> = (0..96).map(|row| 0.1 * f64::from(row * 37 % 19) - 0.7).collect();
        let mut blocks = Blocks::default();
        blocks.take_halves(None, &y, 0.0);
        blocks.take_even_steps(y.len());
        let [mut of_blocks, mut of_rows] = [RunningSum::default(); 2];
        of_blocks.add_blocks(blocks.sums(y.len(), false));
        blocks.add_to(&mut of_rows, y.len(), false);
        assert_eq!(of_blocks, of_rows);
        assert_eq!(blocks.sums(2 * BLOCK, false).len(), 2);
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
