//! The hot loop: one stencil over all rows, whoever their neighbours are.
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

use super::sample::{Rise, Sample, Scale};
use super::stencil;
use crate::bits::{ROWS, places, word};
use crate::processor::{Work, vectorized};

/// Three columns of one length: each row's predecessor, the row itself, its successor.
///
/// Where a row has no such neighbour any value may stand: [`Sides`] tells. In memory they mostly are one
/// [padded](Self::padded) column.
#[derive(Clone, Copy, Debug)]
pub struct Neighbours<'a, T> {
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
    /// What is differentiated.
    pub y: Neighbours<'a, Y>,
    /// The coordinates.
    pub x: Neighbours<'a, X>,
    /// The unit of the slope where y or x is an integer; between floats it is that of the numbers themselves.
    pub scale: Scale,
}

/// Which neighbours 64 rows have in their segments: a bit per row, the lowest for the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sides {
    /// Whether there is a row before.
    pub before: u64,
    /// Whether there is a row after.
    pub after: u64,
    /// Whether the x that the stencil reads may be looked at; elsewhere the slope is unspecified.
    pub known: u64,
}

impl Sides {
    /// Every row has a neighbour on either side.
    pub const BOTH: Self = Self {
        before: u64::MAX,
        after: u64::MAX,
        known: u64::MAX,
    };

    /// The sides of so many rows that are one segment: only the first has none before it, only the last none after.
    ///
    /// A row that is alone has no slope: its own is unspecified.
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
                known: before | after,
            }
        }
    }

    /// The rows that have a neighbour on one side only.
    #[inline(always)]
    fn ends(self) -> u64 {
        self.before ^ self.after
    }

    /// The differences that a row has: at an end of a segment one of them twice.
    #[inline(always)]
    fn of(self, row: usize, [before, after]: [f64; 2]) -> [f64; 2] {
        [
            select(self.before >> row, before, after),
            select(self.after >> row, after, before),
        ]
    }
}

/// One of two numbers by the lowest bit; in a form that stays in vector registers.
#[inline(always)]
fn select(bit: u64, if_set: f64, otherwise: f64) -> f64 {
    let mask = 0_u64.wrapping_sub(bit & 1);
    f64::from_bits(if_set.to_bits() & mask | otherwise.to_bits() & !mask)
}

impl<'a, T> Neighbours<'a, T> {
    /// The rows of a column that has one value more at either end, whatever it is.
    ///
    /// # Panics
    ///
    /// Where there are not even those two values.
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

impl<'a, T: Sample> Neighbours<'a, T> {
    fn columns(&self) -> [&'a [T]; 3] {
        [self.previous, self.this, self.next]
    }

    /// Some of the rows.
    fn rows(&self, start: usize, end: usize) -> Self {
        let [previous, this, next] = self.columns().map(|column| &column[start..end]);
        Self { previous, this, next }
    }

    /// 64 of the rows, if there are as many.
    #[inline(always)]
    fn block(&self, start: usize) -> Option<[&'a [T; ROWS]; 3]> {
        let [previous, this, next] = self.columns().map(|column| column[start..].first_chunk());
        Some([previous?, this?, next?])
    }

    /// The rows after the last 64, made as many by more of the last.
    fn rest(&self) -> Option<[[T; ROWS]; 3]> {
        let last = self.this.len().checked_sub(1)?;
        Some(self.columns().map(|column| {
            let (_, rest) = column.as_chunks::<ROWS>();
            let mut block = [column[last]; ROWS];
            block[..rest.len()].copy_from_slice(rest);
            block
        }))
    }
}

/// The differences from the row before and to the row after.
#[inline(always)]
fn differences<T: Sample>([previous, this, next]: [&[T; ROWS]; 3], row: usize) -> [f64; 2] {
    [this[row].minus(previous[row]), next[row].minus(this[row])]
}

/// Appends the slopes on an evenly spaced axis: `(y[i+1] - y[i-1]) / (2 * step)`, as in numpy.
///
/// `scale.denominator` is the step. `sides` is asked once, in order, about the 64 rows from a row on; the slope of one
/// alone is unspecified.
pub fn even<Y, O>(y: Neighbours<'_, Y>, scale: Scale, mut sides: impl FnMut(usize) -> Sides, slopes: &mut Vec<O>)
where
    Y: Sample,
    O: Copy + 'static,
    f64: AsPrimitive<O>,
{
    // So many rows that they still are in the cache when ends get a second look.
    const TILE: usize = 32 * ROWS;
    let two_steps = 2.0 * scale.denominator;
    for start in (0..y.this.len()).step_by(TILE) {
        let tile = y.rows(start, y.this.len().min(start + TILE));
        let first = slopes.len();
        let rows = tile.previous.iter().zip(tile.this).zip(tile.next);
        slopes.extend(rows.map(|((previous, this), next)| {
            let rise = next.minus(*previous) * scale.numerator;
            (rise / two_steps + this.taint()).as_()
        }));
        for (block, slopes) in slopes[first..].chunks_mut(ROWS).enumerate() {
            let sides = sides(start + block * ROWS);
            for place in places(sides.ends(), slopes.len()) {
                let [previous, this, next] = tile.columns().map(|column| column[block * ROWS + place]);
                let [rise, _] = sides.of(place, [this.minus(previous), next.minus(this)]);
                slopes[place] = stencil::two_point(Rise::scaled(rise, scale.numerator), scale.denominator).as_();
            }
        }
    }
}

/// Appends the slopes on any strictly monotonic axis: of the parabola through each row and its neighbours, at the ends of
/// segments of the line through two.
///
/// `sides` is asked once, in order, about the 64 rows from a row on; the slope of one alone is unspecified. A row whose x
/// is not strictly monotonic is handed to `broken`, which may give up with an error.
///
/// # Errors
///
/// What `broken` returns.
///
/// # Panics
///
/// Where the columns of `points` differ in length.
pub fn irregular<Y, X, O, E>(
    points: Points<'_, Y, X>,
    sides: impl FnMut(usize) -> Sides,
    broken: impl FnMut(usize) -> Result<(), E>,
    slopes: &mut Vec<O>,
) -> Result<(), E>
where
    Y: Sample,
    X: Sample,
    O: Copy + 'static,
    f64: AsPrimitive<O>,
{
    vectorized(Irregular {
        points,
        sides,
        broken,
        slopes,
    })
}

/// The work of [`irregular`].
///
/// Measured: with the registers and the fused multiply-add of any x86 processor since 2013 the single division pays at
/// all; the masks of AVX-512 make looking for unusual rows free.
struct Irregular<'a, 's, Y, X, O, S, B> {
    points: Points<'a, Y, X>,
    sides: S,
    broken: B,
    slopes: &'s mut Vec<O>,
}

impl<Y, X, O, S, B, E> Work for Irregular<'_, '_, Y, X, O, S, B>
where
    Y: Sample,
    X: Sample,
    O: Copy + 'static,
    f64: AsPrimitive<O>,
    S: FnMut(usize) -> Sides,
    B: FnMut(usize) -> Result<(), E>,
{
    type Answer = Result<(), E>;

    // Integers of 128 bits fill no vector register.
    const WIDEST: bool = size_of::<Y>() <= size_of::<f64>() && size_of::<X>() <= size_of::<f64>();

    #[inline(always)]
    fn run(self) -> Result<(), E> {
        let Self {
            points,
            mut sides,
            mut broken,
            slopes,
        } = self;
        let length = points.y.this.len();
        let Some((y_rest, x_rest)) = points.y.rest().zip(points.x.rest()) else {
            return Ok(());
        };
        let mut slopes_of_rest = [0.0.as_(); ROWS];
        for start in (0..length).step_by(ROWS) {
            let block = Block {
                y: points.y.block(start).unwrap_or(y_rest.each_ref()),
                x: points.x.block(start).unwrap_or(x_rest.each_ref()),
                scale: points.scale,
            };
            let sides = sides(start);
            let rows = ROWS.min(length - start);
            let block_slopes = if rows == ROWS {
                slopes.resize(slopes.len() + ROWS, 0.0.as_());
                slopes.last_chunk_mut().expect("64 of them have just been added")
            } else {
                &mut slopes_of_rest
            };
            let all_usual = if sides.ends() == 0 {
                block.refine(Sides::BOTH, block_slopes)
            } else {
                block.refine(sides, block_slopes)
            };
            if !all_usual {
                for row in places(block.unusual(sides) & sides.known, rows) {
                    match block.slope(row, sides) {
                        Some(slope) => block_slopes[row] = slope.as_(),
                        None => broken(start + row)?,
                    }
                }
            }
        }
        slopes.extend_from_slice(&slopes_of_rest[..length % ROWS]);
        Ok(())
    }
}

/// 64 points and their neighbours: as many as the compiler knows of, so that it neither checks bounds nor leaves any
/// rows to scalar code.
struct Block<'a, Y, X> {
    y: [&'a [Y; ROWS]; 3],
    x: [&'a [X; ROWS]; 3],
    scale: Scale,
}

impl<Y: Sample, X: Sample> Block<'_, Y, X> {
    /// Fills in the slopes of the usual rows, and tells whether all of them are such.
    #[inline(always)]
    fn refine<O>(&self, sides: Sides, slopes: &mut [O; ROWS]) -> bool
    where
        O: Copy + 'static,
        f64: AsPrimitive<O>,
    {
        let mut all_usual = true;
        for (row, slope) in slopes.iter_mut().enumerate() {
            let [(d1, h1), (d2, h2)] = self.steps(row, sides);
            let (refined, in_range) = stencil::refined(d1, h1, d2, h2);
            *slope = refined.as_();
            all_usual &= in_range;
        }
        all_usual
    }

    /// Which rows are not usual ones.
    #[inline(always)]
    fn unusual(&self, sides: Sides) -> u64 {
        let mut unusual = [0; ROWS];
        for (row, unusual) in unusual.iter_mut().enumerate() {
            let [(d1, h1), (d2, h2)] = self.steps(row, sides);
            *unusual = u8::from(!stencil::refined(d1, h1, d2, h2).1);
        }
        word(&unusual)
    }

    /// The slope of any row that has a neighbour; `None` where its x is not strictly monotonic.
    #[inline(always)]
    fn slope(&self, row: usize, sides: Sides) -> Option<f64> {
        let [(d1, h1), (d2, h2)] = self.steps(row, sides);
        stencil::monotonic(h1, h2).then(|| stencil::parabola(d1, h1, d2, h2))
    }

    /// The rises and steps around a row, in the unit of the slope.
    #[inline(always)]
    fn steps(&self, row: usize, sides: Sides) -> [(Rise, f64); 2] {
        let [d1, d2] = sides.of(row, differences(self.y, row));
        let [h1, h2] = sides.of(row, differences(self.x, row));
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
    use std::convert::Infallible;

    use super::*;

    fn points<'a>(y: &'a [f64], x: &'a [f64]) -> Points<'a, f64, f64> {
        Points {
            y: Neighbours::padded(y),
            x: Neighbours::padded(x),
            scale: Scale::ONE,
        }
    }

    fn slopes(y: &[f64], x: &[f64]) -> Vec<f64> {
        let mut slopes = Vec::new();
        let broken = |row| Err(row);
        irregular(points(y, x), |_| Sides::BOTH, broken, &mut slopes).expect("a sorted x");
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
        let broken = |_| Ok::<_, Infallible>(());
        let work = Irregular {
            points: points(&y, &x),
            sides: |_| Sides::BOTH,
            broken,
            slopes: &mut portable,
        };
        work.run().expect("nothing fails");
        assert_eq!(bits(&portable), bits(&slopes(&y, &x)));
    }

    #[test]
    fn broken_rows_are_handed_over_and_unknown_rows_are_not_looked_at() {
        let x = [0.0, 1.0, 1.0, 2.0, f64::NAN, 3.0, 4.0];
        let y = [0.0; 7];
        let mut broken = Vec::new();
        let note = |row| {
            broken.push(row);
            Ok::<_, Infallible>(())
        };
        let sides = |_| Sides {
            known: !(1 << 3),
            ..Sides::BOTH
        };
        let mut slopes: Vec<f64> = Vec::new();
        irregular(points(&y, &x), sides, note, &mut slopes).expect("nothing fails");
        assert_eq!(broken, [0, 1, 2, 4]);
        assert_eq!(slopes.len(), 5);
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
        let sides = |start| Sides {
            before: !word(first, start),
            after: !word(last, start),
            known: u64::MAX,
        };
        let mut cut: Vec<f64> = Vec::new();
        irregular(points(&y, &x), sides, Err, &mut cut).expect("a sorted x");
        let mut expected = slopes(&y, &x);
        expected[first] = (y[first + 2] - y[first + 1]) / (x[first + 2] - x[first + 1]);
        expected[last] = (y[last + 1] - y[last]) / (x[last + 1] - x[last]);
        assert_eq!(bits(&cut), bits(&expected));
    }

    #[test]
    fn a_segment_ends_at_its_first_and_last_row() {
        for (rows, starts) in [(1, 0..1), (64, 0..1), (65, 0..2), (200, 0..4)] {
            let sides = Sides::of_segment(rows);
            for start in starts.map(|block| block * ROWS) {
                for row in start..rows.min(start + ROWS) {
                    let Sides { before, after, known } = sides(start);
                    let has = |bits: u64| bits >> (row - start) & 1 != 0;
                    assert_eq!(has(before), row > 0, "{row} of {rows}");
                    assert_eq!(has(after), row + 1 < rows, "{row} of {rows}");
                    assert_eq!(has(known), rows > 1, "{row} of {rows}");
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
            Neighbours::padded(&[1_i64, 4, 9, 16]),
            scale,
            |_| Sides::BOTH,
            &mut slopes,
        );
        assert_eq!(slopes, [8.0, 12.0]);
    }
}
