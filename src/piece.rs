//! One piece of a column: from a window of contiguous rows to their slopes and validity.

use std::ops::Range;

use arrow::bitmap::bitmask::BitMask;
use arrow::bitmap::{Bitmap, MutableBitmap};
use num_traits::AsPrimitive;
use polars::prelude::*;

use crate::kernel::{Neighbours, Points, Rise, Sample, Scale, Sides, even, irregular, stencil};
use crate::neighbours::{Chunk, Column, both};

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
    let reached = Reached {
        members: [&window[reach - 1], &window[reach], &window[reach + 1]],
        on_one_side: reach == 1,
    };
    let y = reached.members.map(|member| &member.y);
    let mut broken = Vec::new();
    let mut validity = reached.read(y);
    if let [Some(x1), Some(x2), Some(x3)] = reached.members.map(|member| member.x.as_ref()) {
        let x = [x1, x2, x3];
        let x_known = reached.read(x);
        let points = Points {
            y: neighbours(y),
            x: neighbours(x),
            scale,
        };
        let note = |row| {
            broken.push(row);
            on_broken(row, reached.around(row, reach))
        };
        irregular(points, |row| reached.sides(row, x_known.as_ref()), note, slopes)?;
        validity = both(validity.as_ref(), x_known.as_ref());
    } else {
        even(neighbours(y), scale, |row| reached.sides(row, None), slopes);
    }

    let ends = if reached.on_one_side {
        None
    } else {
        reached.inside().map(|inside| !&inside)
    };
    if broken.is_empty() && ends.is_none() {
        return Ok(validity);
    }
    let all_valid = || MutableBitmap::from_len_set(slopes.len() - start);
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

/// The rows before and after each row, as far as there are any in its segment.
struct Reached<'a, 'b, Y, X> {
    members: [&'b Chunk<'a, Y, X>; 3],
    /// Whether a neighbour on one side is enough for a slope.
    on_one_side: bool,
}

impl<Y: Sample, X: Sample> Reached<'_, '_, Y, X> {
    fn exists(&self) -> [Option<&Bitmap>; 3] {
        self.members.map(|member| member.exists.as_ref())
    }

    /// The rows with neighbours on both sides.
    fn inside(&self) -> Option<Bitmap> {
        let [before, _, after] = self.exists();
        both(before, after)
    }

    /// The rows whose stencil reads no null of a column.
    fn read<T: Sample>(&self, columns: [&Column<'_, T>; 3]) -> Option<Bitmap> {
        let [before, this, after] = self.exists();
        let [previous, own, next] = columns.map(|column| column.validity.as_ref());
        let own = both(own, this);
        if !self.on_one_side {
            let beside = both(both(previous, next).as_ref(), self.inside().as_ref());
            return both(own.as_ref(), beside.as_ref());
        }
        let or_absent = |valid: Option<&Bitmap>, exists: Option<&Bitmap>| match (valid, exists) {
            (Some(valid), Some(exists)) => Some(valid | &!exists),
            (valid, _) => valid.cloned(),
        };
        let beside = both(or_absent(previous, before).as_ref(), or_absent(next, after).as_ref());
        let either = before.zip(after).map(|(before, after)| before | after);
        both(own.as_ref(), both(beside.as_ref(), either.as_ref()).as_ref())
    }

    /// What the kernel must know of 64 rows.
    fn sides(&self, row: usize, known: Option<&Bitmap>) -> Sides {
        let [before, _, after] = self.exists();
        let known = word(known, row);
        if self.on_one_side {
            Sides {
                before: word(before, row),
                after: word(after, row),
                known,
            }
        } else {
            Sides { known, ..Sides::BOTH }
        }
    }

    /// The members of the window that the stencil of a row reads.
    fn around(&self, row: usize, reach: usize) -> Range<usize> {
        let [before, _, after] = self.exists();
        let has = |exists: Option<&Bitmap>| usize::from(exists.is_none_or(|exists| exists.get_bit(row)));
        reach - has(before)..reach + 1 + has(after)
    }
}

/// 64 bits from a row on, the row's own lowest.
fn word(bitmap: Option<&Bitmap>, row: usize) -> u64 {
    bitmap.map_or(u64::MAX, |bitmap| {
        let bits = BitMask::from_bitmap(bitmap);
        u64::from(bits.get_u32(row)) | u64::from(bits.get_u32(row + 32)) << 32
    })
}

/// The slope of a parabola at an end of a segment; `None` where that is too short, or null or broken there.
fn end_slope<Y: Sample, X: Sample>(
    window: &[Chunk<'_, Y, X>],
    row: usize,
    scale: Scale,
    mut on_broken: impl FnMut(usize, Range<usize>) -> PolarsResult<()>,
) -> PolarsResult<Option<f64>> {
    let exists = |chunk: &Chunk<Y, X>| chunk.exists.as_ref().is_none_or(|exists| exists.get_bit(row));
    let at_start = exists(&window[3]);
    let read = if at_start { 2..5 } else { 0..3 };
    let points = &window[read.clone()];
    if !points.iter().all(exists) {
        return Ok(None);
    }
    // Steps run down the rows; the formula counts them from the end inwards.
    let (near, far) = if at_start { (0, 1) } else { (1, 0) };
    let step = |index: usize| match (&points[index].x, &points[index + 1].x) {
        (Some(from), Some(to)) => Some(to.get(row)?.minus(from.get(row)?) * scale.denominator),
        _ => Some(scale.denominator),
    };
    let rise = |index: usize| {
        let difference = points[index + 1].y.get(row)?.minus(points[index].y.get(row)?);
        Some(Rise::scaled(difference, scale.numerator))
    };
    let Some((h1, h2)) = step(near).zip(step(far)) else {
        return Ok(None);
    };
    if !stencil::monotonic(h1, h2) {
        on_broken(row, read)?;
        return Ok(None);
    }
    let rises = rise(near).zip(rise(far));
    Ok(rises.map(|(d1, d2)| stencil::three_point(d1, h1, d2, h2)))
}

fn neighbours<'a, T>([previous, this, next]: [&Column<'a, T>; 3]) -> Neighbours<'a, T> {
    Neighbours {
        previous: previous.values,
        this: this.values,
        next: next.values,
    }
}
