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

use std::ops::Range;

use super::sample::{Sample, two_sum};
use crate::bits::ROWS;
use crate::dispatch::{Kernel, dispatch};

/// Rows of a block, counted from the first row of a segment.
pub(crate) const BLOCK: usize = 16;
/// Blocks that are added up side by side.
const LANES: usize = ROWS / BLOCK;
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
        let (value, lost) = two_sum(self.value, other.value);
        // In this order the rest before is waited for once.
        let rest = self.rest + (lost + other.rest);
        Self {
            value,
            rest: if rest.abs() < f64::INFINITY { rest } else { 0.0 },
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

/// Four blocks as floats: one loop for all types of numbers.
///
/// The rows taken begin at a place in the first block. At other places there is no area.
pub(crate) struct Blocks {
    /// Halves of y, after that of the row before the first place.
    halves: [f64; ROWS + 1],
    /// From the row before each.
    steps: [f64; ROWS],
    /// Pairs of floats: the areas from the row before each, then their sums within the block.
    values: [[f64; LANES]; BLOCK],
    rests: [[f64; LANES]; BLOCK],
    totals: [f64; ROWS],
}

impl Blocks {
    /// Rows are one step apart until [`take_steps`](Self::take_steps) is called.
    pub(crate) fn new() -> Self {
        Self {
            halves: [0.0; ROWS + 1],
            steps: [1.0; ROWS],
            values: [[0.0; LANES]; BLOCK],
            rests: [[0.0; LANES]; BLOCK],
            totals: [0.0; ROWS],
        }
    }

    /// Takes the y of rows from a place on, after that of the row before them.
    pub(crate) fn take_halves<Y: Sample>(&mut self, place: usize, before: Option<Y>, y: &[Y], zero: Y) {
        self.halves[place] = before.map_or(0.0, |before| 0.5 * before.minus(zero));
        let to = &mut self.halves[place + 1..=place + y.len()];
        dispatch(Halves { y, zero, to });
    }

    /// Takes the steps between rows, the first of which leads to the row at a place. Returns whether all are finite, and
    /// fall if they should, else rise.
    pub(crate) fn take_steps<X: Sample>(&mut self, place: usize, x: &[X], falls: bool) -> bool {
        let to = &mut self.steps[place..place + x.len() - 1];
        dispatch(Steps {
            before: x,
            x: &x[1..],
            falls,
            to,
        })
    }

    /// Adds the areas of the rows taken to a sum: the totals at the rows. Without a row `before` them the first one has no
    /// area.
    pub(crate) fn add_to(&mut self, sum: &mut RunningSum, rows: usize, before: bool) -> &[f64] {
        let (first, end) = (sum.place(), sum.place() + rows);
        if rows <= BLOCK {
            *sum = dispatch(OneByOne {
                blocks: self,
                sum: *sum,
                rows,
                before,
            });
            return &self.totals[first..end];
        }
        let sums = self.add_up(sum.sum, &(first..end), before);
        let mut offsets = [sum.offset; LANES + 1];
        for lane in 0..LANES {
            offsets[lane + 1] = offsets[lane].plus(sums[lane]);
        }
        dispatch(Totals {
            blocks: self,
            offsets: &offsets,
        });
        *sum = RunningSum {
            rows: sum.rows + rows,
            offset: offsets[end / BLOCK],
            sum: if end.is_multiple_of(BLOCK) {
                Sum::default()
            } else {
                sums[end / BLOCK]
            },
        };
        &self.totals[first..end]
    }

    /// The sums of the rows taken, which are whole blocks.
    #[cfg(any(feature = "polars", feature = "arrow"))]
    pub(crate) fn sums(&mut self, rows: usize, before: bool) -> impl Iterator<Item = Sum> {
        let sums = self.add_up(Sum::default(), &(0..rows), before);
        sums.into_iter().take(rows / BLOCK)
    }

    /// The sum of each block, the first one after a sum.
    fn add_up(&mut self, sum: Sum, places: &Range<usize>, before: bool) -> [Sum; LANES] {
        self.find_areas(places, before);
        dispatch(AddUp { blocks: self, sum })
    }

    fn find_areas(&mut self, places: &Range<usize>, before: bool) {
        dispatch(Areas { blocks: self });
        for place in (0..places.start).chain(places.end..ROWS) {
            self.set_area(place, Sum::default());
        }
        if !before {
            self.set_area(places.start, first_area(self.halves[places.start + 1]));
        }
    }

    fn set_area(&mut self, place: usize, area: Sum) {
        self.values[place % BLOCK][place / BLOCK] = area.value;
        self.rests[place % BLOCK][place / BLOCK] = area.rest;
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
    falls: bool,
    to: &'a mut [f64],
}

impl<X: Sample> Kernel for Steps<'_, X> {
    type Output = bool;

    const WIDEST: bool = size_of::<X>() <= size_of::<f64>();

    #[inline(always)]
    fn run(self) -> bool {
        let sign = if self.falls { SIGN } else { 0 };
        let mut right = 0_u64;
        for ((step, before), x) in self.to.iter_mut().zip(self.before).zip(self.x) {
            *step = x.minus(*before);
            // As integers positive finite floats are those from 1 to below that of infinity.
            let towards = (step.to_bits() ^ sign).wrapping_sub(1);
            right += u64::from(towards < f64::INFINITY.to_bits() - 1);
        }
        right == self.to.len() as u64
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
            rows,
            mut offset,
            mut sum,
        } = self.sum;
        let first = rows % BLOCK;
        for place in first..first + self.rows {
            let added = if place > first || self.before {
                area([halves[place], halves[place + 1]], steps[place])
            } else {
                first_area(halves[place + 1])
            };
            sum = sum.plus(added);
            totals[place] = offset.plus(sum).total();
            if (place + 1).is_multiple_of(BLOCK) {
                offset = offset.plus(sum);
                sum = Sum::default();
            }
        }
        RunningSum {
            rows: rows + self.rows,
            offset,
            sum,
        }
    }
}

/// That of the first row of a segment is nothing, but a NaN is one of its segment.
#[inline(always)]
fn first_area(half: f64) -> Sum {
    Sum {
        value: if half.is_nan() { f64::NAN } else { 0.0 },
        rest: 0.0,
    }
}

/// Finds the area from the row before each row.
struct Areas<'a> {
    blocks: &'a mut Blocks,
}

impl Kernel for Areas<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Blocks {
            halves,
            steps,
            values,
            rests,
            ..
        } = self.blocks;
        for row in 0..BLOCK {
            for lane in 0..LANES {
                let place = lane * BLOCK + row;
                let Sum { value, rest } = area([halves[place], halves[place + 1]], steps[place]);
                values[row][lane] = value;
                rests[row][lane] = rest;
            }
        }
    }
}

/// Replaces areas by their sums within each block.
struct AddUp<'a> {
    blocks: &'a mut Blocks,
    /// What has been added up before in the first block.
    sum: Sum,
}

impl Kernel for AddUp<'_> {
    type Output = [Sum; LANES];

    // There is a lane for each block.
    const WIDEST: bool = false;

    #[inline(always)]
    fn run(self) -> [Sum; LANES] {
        let blocks = self.blocks;
        let [mut values, mut rests] = [[0.0; LANES]; 2];
        (values[0], rests[0]) = (self.sum.value, self.sum.rest);
        for (row_values, row_rests) in blocks.values.iter_mut().zip(&mut blocks.rests) {
            for lane in 0..LANES {
                let sum = Sum {
                    value: values[lane],
                    rest: rests[lane],
                };
                let area = Sum {
                    value: row_values[lane],
                    rest: row_rests[lane],
                };
                let sum = sum.plus(area);
                (values[lane], rests[lane]) = (sum.value, sum.rest);
            }
            (*row_values, *row_rests) = (values, rests);
        }
        std::array::from_fn(|lane| Sum {
            value: values[lane],
            rest: rests[lane],
        })
    }
}

/// Adds the sums within each block to that of the blocks before it.
struct Totals<'a> {
    blocks: &'a mut Blocks,
    offsets: &'a [Sum; LANES + 1],
}

impl Kernel for Totals<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Blocks {
            values, rests, totals, ..
        } = self.blocks;
        for row in 0..BLOCK {
            for lane in 0..LANES {
                let sum = Sum {
                    value: values[row][lane],
                    rest: rests[row][lane],
                };
                totals[lane * BLOCK + row] = self.offsets[lane].plus(sum).total();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::iter::{once, repeat_n};

    use super::*;

    /// The bits of the totals of rows, added up as many at a time as `sizes` say, over and over.
    fn totals(y: &[f64], x: &[f64], offset: Sum, sizes: &[usize]) -> Vec<u64> {
        let (mut first, mut totals) = (0, Vec::new());
        let mut sum = RunningSum {
            offset,
            ..RunningSum::default()
        };
        for &size in sizes.iter().cycle() {
            let size = size.min(ROWS - sum.place()).min(y.len() - first);
            if size == 0 {
                break;
            }
            let mut blocks = Blocks::new();
            let (place, before) = (sum.place(), first.checked_sub(1));
            blocks.take_halves(place, before.map(|row| y[row]), &y[first..first + size], 0.0);
            match before {
                Some(row) => blocks.take_steps(place, &x[row..first + size], false),
                None => blocks.take_steps(place + 1, &x[..size], false),
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
        let rows = 150_usize;
        let x: Vec<_> = (0..rows).map(|row| row as f64 * 0.3 + 1e3).collect();
        let plain: Vec<_> = (0..rows).map(|row| 0.1 * (row * 37 % 19) as f64 - 0.7).collect();
        let offset = Sum {
            value: 1e15,
            rest: 0.0625,
        };
        for (row, odd) in [
            (0, 0.5),
            (0, f64::NAN),
            (9, f64::INFINITY),
            (30, f64::NAN),
            (63, f64::MAX),
            (149, f64::NAN),
        ] {
            for scale in [1.0, 1e308] {
                let mut y: Vec<_> = plain.iter().map(|y| y * scale).collect();
                y[row] = odd;
                let together = totals(&y, &x, offset, &[ROWS]);
                assert_eq!(together.len(), rows);
                assert_eq!(totals(&y, &x, offset, &[1]), together, "{odd} in row {row}");
                assert_eq!(totals(&y, &x, offset, &[7, 1, 40, 16]), together, "{odd} in row {row}");
                assert_eq!(f64::from_bits(together[0]).is_nan(), row == 0 && odd.is_nan());
                assert_eq!(f64::from_bits(together[149]).is_nan(), odd.is_nan());
            }
        }
    }

    #[test]
    fn nothing_is_lost_of_small_areas() {
        let mut blocks = Blocks::new();
        let y = [0.1; ROWS];
        let mut sum = RunningSum::default();
        let mut total = 0.0;
        for before in once(None).chain(repeat_n(Some(0.1), 15_624)) {
            blocks.take_halves(0, before, &y, 0.0);
            total = blocks.add_to(&mut sum, ROWS, before.is_some())[ROWS - 1];
        }
        // 999,999 times the double that 0.1 is, a little more, rounded once.
        assert_eq!(total, 99_999.900_000_000_01);
    }

    #[cfg(any(feature = "polars", feature = "arrow"))]
    #[test]
    fn sums_of_blocks_are_those_that_are_added_up() {
        let y: Vec<_> = (0..ROWS).map(|row| 0.1 * (row * 37 % 19) as f64 - 0.7).collect();
        let mut blocks = Blocks::new();
        blocks.take_halves(0, None, &y, 0.0);
        let [mut of_blocks, mut of_rows] = [RunningSum::default(); 2];
        of_blocks.add_blocks(&blocks.sums(ROWS, false).collect::<Vec<_>>());
        blocks.add_to(&mut of_rows, ROWS, false);
        assert_eq!(of_blocks, of_rows);
        assert_eq!(blocks.sums(2 * BLOCK, false).count(), 2);
    }

    #[test]
    fn steps_rise_or_fall() {
        let mut blocks = Blocks::new();
        assert!(blocks.take_steps(0, &[1.0, 2.0, 4.0], false));
        assert!(blocks.take_steps(1, &[3_i64, 2, -4], true));
        assert!(!blocks.take_steps(1, &[3_i64, 2, -4], false));
        assert!(blocks.take_steps(0, &[0.0, -5e-324], true));
        for x in [2.0, 1.5, f64::NAN, f64::INFINITY] {
            for falls in [false, true] {
                assert!(!blocks.take_steps(0, &[1.0, 2.0, x], falls), "{x}");
                assert!(!blocks.take_steps(0, &[-1.0, -2.0, -x], falls), "{x}");
            }
        }
        // A step that is too large for a float is looked at one by one.
        assert!(!blocks.take_steps(0, &[f64::MIN, f64::MAX], false));
    }
}
