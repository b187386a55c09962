//! One piece of a column: from a window of contiguous rows to their slopes and validity.

use std::ops::Range;

use arrow::bitmap::{Bitmap, MutableBitmap};
use arrow::compute::utils::combine_validities_and;
use num_traits::AsPrimitive;
use polars::prelude::*;

use crate::kernel::{Neighbours, Rise, Sample, Scale, even, irregular, stencil};
use crate::neighbours::{Chunk, Column};

/// Appends the slopes of the rows of `window`, the chunk in its middle, to `slopes`; returns which of them are valid.
///
/// A row whose x is not strictly monotonic is handed to `on_broken`, together with the members of the window that its
/// stencil reads, and is null if that does not fail.
pub(crate) fn differentiate<Y, X, O>(
    window: &[Chunk<'_, Y, X>],
    scale: Scale,
    mut on_broken: impl FnMut(usize, Range<usize>) -> PolarsResult<()>,
    slopes: &mut Vec<O>,
) -> PolarsResult<Option<Bitmap>>
where
    Y: Sample,
    X: Sample,
    O: Copy + 'static,
    f64: AsPrimitive<O>,
{
    let start = slopes.len();
    let reach = window.len() / 2;
    let [previous, this, next] = [&window[reach - 1], &window[reach], &window[reach + 1]];
    let inside = combine_validities_and(previous.exists.as_ref(), next.exists.as_ref());
    let mut broken = Vec::new();

    let y = [&previous.y, &this.y, &next.y];
    let mut validity = valid_in_all(y);
    if let (Some(x1), Some(x2), Some(x3)) = (&previous.x, &this.x, &next.x) {
        let x = [x1, x2, x3];
        let x_validity = valid_in_all(x);
        let has_x = combine_validities_and(x_validity.as_ref(), inside.as_ref());
        let has_neighbours = |row| has_x.as_ref().is_none_or(|has_x| has_x.get_bit(row));
        let note = |row| {
            broken.push(row);
            on_broken(row, reach - 1..reach + 2)
        };
        irregular(neighbours(y), neighbours(x), scale, has_neighbours, note, slopes)?;
        validity = combine_validities_and(validity.as_ref(), x_validity.as_ref());
    } else {
        even(neighbours(y), scale, slopes);
    }

    let ends = inside.map(|inside| !&inside);
    if broken.is_empty() && ends.is_none() {
        return Ok(validity);
    }
    let all_valid = || MutableBitmap::from_len_set(this.len());
    let mut validity = validity.map_or_else(all_valid, Bitmap::make_mut);
    for row in broken {
        validity.set(row, false);
    }
    for row in ends.iter().flat_map(Bitmap::true_idx_iter) {
        let slope = end_slope(window, row, scale, &mut on_broken)?;
        validity.set(row, slope.is_some());
        slopes[start + row] = slope.unwrap_or_default().as_();
    }
    Ok(Some(validity.freeze()))
}

/// The one-sided difference at an end of a segment; `None` where the segment is too short, or null or broken there.
fn end_slope<Y: Sample, X: Sample>(
    window: &[Chunk<'_, Y, X>],
    row: usize,
    scale: Scale,
    mut on_broken: impl FnMut(usize, Range<usize>) -> PolarsResult<()>,
) -> PolarsResult<Option<f64>> {
    let exists = |chunk: &Chunk<Y, X>| chunk.exists.as_ref().is_none_or(|exists| exists.get_bit(row));
    let reach = window.len() / 2;
    let (before, this, after) = (&window[..reach], &window[reach], &window[reach + 1..]);
    let at_start = exists(&after[0]);
    let (near, far) = if at_start {
        (&after[0], after.get(1))
    } else {
        (&before[reach - 1], before.iter().rev().nth(1))
    };

    // Differences run down the rows at either end.
    let step = |from: &Chunk<Y, X>, to: &Chunk<Y, X>| match (&from.x, &to.x) {
        (Some(from), Some(to)) => Some(difference(from, to, row, at_start)? * scale.denominator),
        _ => Some(scale.denominator),
    };
    let rise = |from: &Chunk<Y, X>, to: &Chunk<Y, X>| {
        Some(Rise::scaled(
            difference(&from.y, &to.y, row, at_start)?,
            scale.numerator,
        ))
    };
    if !exists(this) || !exists(near) || !far.is_none_or(exists) {
        return Ok(None);
    }
    let to_near = step(this, near);
    let (Some(h1), Some(h2)) = (to_near, far.map_or(to_near, |far| step(near, far))) else {
        return Ok(None);
    };
    if !stencil::monotonic(h1, h2) {
        let read = if at_start { reach..window.len() } else { 0..reach + 1 };
        on_broken(row, read)?;
        return Ok(None);
    }
    let slope = match far {
        None => rise(this, near).map(|d| stencil::two_point(d, h1)),
        Some(far) => rise(this, near)
            .zip(rise(near, far))
            .map(|(d1, d2)| stencil::three_point(d1, h1, d2, h2)),
    };
    Ok(slope)
}

fn difference<T: Sample>(outer: &Column<'_, T>, inner: &Column<'_, T>, row: usize, outer_first: bool) -> Option<f64> {
    let (outer, inner) = (outer.get(row)?, inner.get(row)?);
    Some(if outer_first {
        inner.minus(outer)
    } else {
        outer.minus(inner)
    })
}

fn neighbours<'a, T>([previous, this, next]: [&Column<'a, T>; 3]) -> Neighbours<'a, T> {
    Neighbours {
        previous: previous.values,
        this: this.values,
        next: next.values,
    }
}

fn valid_in_all<T>(columns: [&Column<'_, T>; 3]) -> Option<Bitmap> {
    columns.into_iter().fold(None, |validity, column| {
        combine_validities_and(validity.as_ref(), column.validity.as_ref())
    })
}
