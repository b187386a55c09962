//! The hot loop: one stencil over the interior rows, whoever their neighbours are.
//!
//! ```text
//! for each block of rows
//!     slope = refined(differences)        in vector registers, right for all but unusual rows
//!     if a row of the block is unusual
//!         for each row of the block       a null, a group's edge, an unsorted or extreme x, a NaN
//!             check its x, slope = parabola(differences)
//! ```
//!
//! Both passes give a row the same bits, so the result does not depend on where blocks, chunks or batches begin.

use num_traits::AsPrimitive;

use super::sample::{Rise, Sample, Scale};
use super::stencil;

/// Rows whose values still are in the first-level cache when a second look is needed.
const BLOCK: usize = 256;

/// Three columns of one length: each row's predecessor, the row itself, its successor.
#[derive(Clone, Copy, Debug)]
pub struct Neighbours<'a, T> {
    /// The row before.
    pub previous: &'a [T],
    /// The row.
    pub this: &'a [T],
    /// The row after.
    pub next: &'a [T],
}

impl<T: Sample> Neighbours<'_, T> {
    #[inline(always)]
    fn differences(&self, row: usize) -> (f64, f64) {
        let this = self.this[row];
        (this.minus(self.previous[row]), self.next[row].minus(this))
    }

    /// Some of the rows.
    #[inline(always)]
    fn rows(&self, start: usize, end: usize) -> Self {
        Self {
            previous: &self.previous[start..end],
            this: &self.this[start..end],
            next: &self.next[start..end],
        }
    }
}

/// Appends the slopes on an evenly spaced axis: `(y[i+1] - y[i-1]) / (2 * step)`, as in numpy.
///
/// `scale.denominator` is the step.
pub fn even<Y, O>(y: Neighbours<'_, Y>, scale: Scale, slopes: &mut Vec<O>)
where
    Y: Sample,
    O: Copy + 'static,
    f64: AsPrimitive<O>,
{
    let two_steps = 2.0 * scale.denominator;
    let rows = y.previous.iter().zip(y.this).zip(y.next);
    slopes.extend(rows.map(|((previous, this), next)| {
        let rise = next.minus(*previous) * scale.numerator;
        (rise / two_steps + this.taint()).as_()
    }));
}

/// Appends the slopes on any strictly monotonic axis: of the parabola through each row and its neighbours.
///
/// A row for which `has_neighbours` is false is left to the caller: its slope is unspecified and its x is not looked at.
/// A row whose x is not strictly monotonic is handed to `broken`, which may give up with an error.
///
/// # Errors
///
/// What `broken` returns.
pub fn irregular<Y, X, O, E>(
    y: Neighbours<'_, Y>,
    x: Neighbours<'_, X>,
    scale: Scale,
    has_neighbours: impl Fn(usize) -> bool,
    broken: impl FnMut(usize) -> Result<(), E>,
    slopes: &mut Vec<O>,
) -> Result<(), E>
where
    Y: Sample,
    X: Sample,
    O: Copy + 'static,
    f64: AsPrimitive<O>,
{
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::is_x86_feature_detected as has;
        if has!("avx512f") && has!("avx512dq") && has!("avx512vl") {
            // SAFETY: the processor has just been asked for these features; with them it has AVX2 and FMA.
            return unsafe { irregular_avx512(y, x, scale, has_neighbours, broken, slopes) };
        }
        if has!("avx2") && has!("fma") {
            // SAFETY: the processor has just been asked for both features.
            return unsafe { irregular_avx2(y, x, scale, has_neighbours, broken, slopes) };
        }
    }
    irregular_portable(y, x, scale, has_neighbours, broken, slopes)
}

/// [`irregular_portable`] compiled for a family of processors.
///
/// Measured: with the registers and the fused multiply-add of any x86 processor since 2013 the single division pays at
/// all; the masks of AVX-512 make looking for unusual rows free.
#[cfg(target_arch = "x86_64")]
macro_rules! irregular_on {
    ($name:ident, $features:literal) => {
        #[target_feature(enable = $features)]
        fn $name<Y, X, O, E>(
            y: Neighbours<'_, Y>,
            x: Neighbours<'_, X>,
            scale: Scale,
            has_neighbours: impl Fn(usize) -> bool,
            broken: impl FnMut(usize) -> Result<(), E>,
            slopes: &mut Vec<O>,
        ) -> Result<(), E>
        where
            Y: Sample,
            X: Sample,
            O: Copy + 'static,
            f64: AsPrimitive<O>,
        {
            irregular_portable(y, x, scale, has_neighbours, broken, slopes)
        }
    };
}

#[cfg(target_arch = "x86_64")]
irregular_on!(irregular_avx2, "avx2,fma");
#[cfg(target_arch = "x86_64")]
irregular_on!(irregular_avx512, "avx2,fma,avx512f,avx512dq,avx512vl");

#[inline(always)]
fn irregular_portable<Y, X, O, E>(
    y: Neighbours<'_, Y>,
    x: Neighbours<'_, X>,
    scale: Scale,
    has_neighbours: impl Fn(usize) -> bool,
    mut broken: impl FnMut(usize) -> Result<(), E>,
    slopes: &mut Vec<O>,
) -> Result<(), E>
where
    Y: Sample,
    X: Sample,
    O: Copy + 'static,
    f64: AsPrimitive<O>,
{
    let length = y.this.len();
    let mut block = [0.0.as_(); BLOCK];
    for start in (0..length).step_by(BLOCK) {
        let end = length.min(start + BLOCK);
        let (y, x) = (y.rows(start, end), x.rows(start, end));
        let block = &mut block[..end - start];
        if !all_usual(y, x, scale, block) {
            for (row, slope) in block.iter_mut().enumerate() {
                if !has_neighbours(start + row) {
                    continue;
                }
                let (d1, h1, d2, h2) = scaled_differences(y, x, scale, row);
                if stencil::monotonic(h1, h2) {
                    *slope = stencil::parabola(d1, h1, d2, h2).as_();
                } else {
                    broken(start + row)?;
                }
            }
        }
        slopes.extend_from_slice(block);
    }
    Ok(())
}

/// Fills a block without looking at any row twice, and tells whether every row was fit for that.
#[inline(always)]
fn all_usual<Y, X, O>(y: Neighbours<'_, Y>, x: Neighbours<'_, X>, scale: Scale, slopes: &mut [O]) -> bool
where
    Y: Sample,
    X: Sample,
    O: Copy + 'static,
    f64: AsPrimitive<O>,
{
    // Slices whose lengths the compiler sees to be equal: only then it drops the bounds checks, and vectorizes.
    let rows = slopes.len();
    let (y, x) = (y.rows(0, rows), x.rows(0, rows));
    let mut usual = true;
    for (row, slope) in slopes.iter_mut().enumerate() {
        let (d1, h1, d2, h2) = scaled_differences(y, x, scale, row);
        let (refined, in_range) = stencil::refined(d1, h1, d2, h2);
        *slope = refined.as_();
        usual &= in_range;
    }
    usual
}

#[inline(always)]
fn scaled_differences<Y, X>(
    y: Neighbours<'_, Y>,
    x: Neighbours<'_, X>,
    scale: Scale,
    row: usize,
) -> (Rise, f64, Rise, f64)
where
    Y: Sample,
    X: Sample,
{
    let (d1, d2) = y.differences(row);
    let (h1, h2) = x.differences(row);
    if Y::INTEGER || X::INTEGER {
        let Scale { numerator, denominator } = scale;
        let [d1, d2] = [d1, d2].map(|d| Rise::scaled(d, numerator));
        (d1, h1 * denominator, d2, h2 * denominator)
    } else {
        (Rise::exact(d1), h1, Rise::exact(d2), h2)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn neighbours<T>(column: &[T]) -> Neighbours<'_, T> {
        let n = column.len();
        Neighbours {
            previous: &column[..n - 2],
            this: &column[1..n - 1],
            next: &column[2..],
        }
    }

    fn slopes(y: &[f64], x: &[f64]) -> Vec<f64> {
        let mut slopes = Vec::new();
        let broken = |row| Err(row);
        irregular(neighbours(y), neighbours(x), Scale::ONE, |_| true, broken, &mut slopes).expect("a sorted x");
        slopes
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
        let (y, x) = column(3 * BLOCK + 17);
        let whole = slopes(&y, &x);
        for start in [1, 7, BLOCK - 1, BLOCK, 2 * BLOCK + 5] {
            let part = slopes(&y[start..], &x[start..]);
            let bits = |slopes: &[f64]| slopes.iter().map(|slope| slope.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&part), bits(&whole[start..]), "from row {start}");
        }
    }

    #[test]
    fn the_vector_and_the_portable_path_agree() {
        let (y, x) = column(2 * BLOCK + 3);
        let mut portable: Vec<f64> = Vec::new();
        let broken = |_| Ok::<_, Infallible>(());
        irregular_portable(
            neighbours(&y),
            neighbours(&x),
            Scale::ONE,
            |_| true,
            broken,
            &mut portable,
        )
        .expect("nothing fails");
        for (a, b) in portable.iter().zip(slopes(&y, &x)) {
            assert_eq!(a.to_bits(), b.to_bits());
        }
    }

    #[test]
    fn broken_rows_are_handed_over_and_rows_without_neighbours_are_not_looked_at() {
        let x = [0.0, 1.0, 1.0, 2.0, f64::NAN, 3.0, 4.0];
        let y = [0.0; 7];
        let mut broken = Vec::new();
        let note = |row| {
            broken.push(row);
            Ok::<_, Infallible>(())
        };
        let mut slopes: Vec<f64> = Vec::new();
        let has_neighbours = |row| row != 3;
        irregular(
            neighbours(&y),
            neighbours(&x),
            Scale::ONE,
            has_neighbours,
            note,
            &mut slopes,
        )
        .expect("nothing fails");
        assert_eq!(broken, [0, 1, 2, 4]);
        assert_eq!(slopes.len(), 5);
    }

    #[test]
    fn even_spacing_is_the_central_difference() {
        let mut slopes: Vec<f32> = Vec::new();
        let scale = Scale {
            numerator: 1.0,
            denominator: 0.5,
        };
        even(neighbours(&[1_i64, 4, 9, 16]), scale, &mut slopes);
        assert_eq!(slopes, [8.0, 12.0]);
    }
}
