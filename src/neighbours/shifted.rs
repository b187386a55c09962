//! Neighbours by shifting: the points before and after each row are the same column, shifted.
//!
//! Who shifts is free: `shift` on a whole column, Polars' engine per group or per batch. In memory a shifted column is
//! the same memory one row further on, cut into other chunks; here the chunks are brought into step again.

use std::ops::Range;

use arrow::bitmap::Bitmap;
use arrow::compute::utils::combine_validities_and;
use polars::prelude::*;

/// A column of points and its shifted copies, furthest row back first, the column itself in the middle.
pub(crate) struct Window {
    points: Vec<StructChunked>,
}

/// Some rows of one column, contiguous in memory.
#[derive(Clone)]
pub(crate) struct Column<'a, T> {
    pub(crate) values: &'a [T],
    pub(crate) validity: Option<Bitmap>,
}

/// Some rows of a column of points, contiguous in memory.
#[derive(Clone)]
pub(crate) struct Chunk<'a, Y, X> {
    pub(crate) y: Column<'a, Y>,
    pub(crate) x: Option<Column<'a, X>>,
    /// Where there is a point in the segment of the row in the middle: elsewhere it is beyond the end of that segment.
    pub(crate) exists: Option<Bitmap>,
}

impl Window {
    /// The window of whole columns: one segment from the first row to the last.
    pub(crate) fn of_column(points: &Series, reach: usize) -> PolarsResult<Self> {
        let reach = reach as i64;
        let shifted: Vec<_> = (-reach..=reach).map(|ahead| points.shift(-ahead)).collect();
        Self::of_shifted(&shifted)
    }

    /// The window of columns that somebody else has shifted.
    ///
    /// # Errors
    ///
    /// `ShapeMismatch` where they differ in length. One point stands for all rows: a literal arrives like that.
    pub(crate) fn of_shifted(points: &[Series]) -> PolarsResult<Self> {
        let rows = points
            .iter()
            .map(|points| points.len())
            .find(|&rows| rows != 1)
            .unwrap_or(1);
        let member = |points: &Series| {
            let points = points.struct_()?;
            match points.len() {
                length if length == rows => Ok(points.clone()),
                1 => Ok(points.new_from_index(0, rows)),
                length => polars_bail!(
                    ShapeMismatch: "a column and its shifted copy must have the same length, got {rows} and {length}"
                ),
            }
        };
        Ok(Self {
            points: points.iter().map(member).collect::<PolarsResult<_>>()?,
        })
    }

    /// The points of each row itself.
    pub(crate) fn this(&self) -> &StructChunked {
        &self.points[self.reach()]
    }

    pub(crate) fn reach(&self) -> usize {
        self.points.len() / 2
    }

    /// One field of all the window's points.
    pub(crate) fn field(&self, index: usize) -> Vec<Series> {
        self.points
            .iter()
            .map(|points| points.fields_as_series()[index].clone())
            .collect()
    }

    pub(crate) fn has_x(&self) -> bool {
        self.this().struct_fields().len() > 1
    }

    /// The window's chunks, with y and x as the numbers they were made.
    pub(crate) fn chunks<'a, Y, X>(
        &'a self,
        y: &'a [&ChunkedArray<Y>],
        x: Option<&'a [&ChunkedArray<X>]>,
    ) -> Vec<Vec<Chunk<'a, Y::Native, X::Native>>>
    where
        Y: PolarsNumericType,
        X: PolarsNumericType,
    {
        let member = |index: usize| {
            let mut x = x.map(|x| columns(x[index]));
            let points = self.points[index].chunks().iter();
            let chunk = |(points, y): (&ArrayRef, _)| Chunk {
                y,
                x: x.as_mut().and_then(Iterator::next),
                exists: points.validity().cloned(),
            };
            points
                .zip(columns(y[index]))
                .map(chunk)
                .filter(|chunk| !chunk.y.values.is_empty())
                .collect()
        };
        (0..self.points.len()).map(member).collect()
    }
}

fn columns<T: PolarsNumericType>(column: &ChunkedArray<T>) -> impl Iterator<Item = Column<'_, T::Native>> {
    column.downcast_iter().map(|array| Column {
        values: array.values().as_slice(),
        validity: array.validity().cloned(),
    })
}

/// Takes from every row the neighbours that a broken link parts it from, step by step outwards.
///
/// `linked` is asked about a step from an earlier to a later row, the later one so many rows ahead of the middle.
pub(super) fn unlink<Y, X>(
    window: &mut [Chunk<'_, Y, X>],
    linked: impl Fn(isize, &Chunk<'_, Y, X>, &Chunk<'_, Y, X>) -> Option<Bitmap>,
) {
    let reach = window.len() / 2;
    for distance in 1..=reach {
        let ahead = distance as isize;
        let (before, after) = (reach - distance, reach + distance);
        let to_before = linked(1 - ahead, &window[before], &window[before + 1]);
        let to_after = linked(ahead, &window[after - 1], &window[after]);
        for (near, far, linked) in [(before + 1, before, to_before), (after - 1, after, to_after)] {
            let reached = both(window[near].exists.as_ref(), linked.as_ref());
            window[far].exists = both(window[far].exists.as_ref(), reached.as_ref());
        }
    }
}

/// Where two conditions hold, none being one that always does.
pub(crate) fn both(a: Option<&Bitmap>, b: Option<&Bitmap>) -> Option<Bitmap> {
    combine_validities_and(a, b)
}

/// Calls `visit` with the first row and one chunk per member, for all of `rows`, in order.
pub(crate) fn in_step<Y, X>(
    members: &[Vec<Chunk<'_, Y, X>>],
    rows: Range<usize>,
    mut visit: impl FnMut(usize, &mut [Chunk<'_, Y, X>]) -> PolarsResult<()>,
) -> PolarsResult<()>
where
    Y: Copy,
    X: Copy,
{
    let mut cursors: Vec<_> = members.iter().map(|member| Cursor::at(member, rows.start)).collect();
    let mut row = rows.start;
    while row < rows.end {
        let left = cursors.iter().map(Cursor::left).min().unwrap_or_default();
        let length = left.min(rows.end - row);
        let mut chunks: Vec<_> = cursors.iter_mut().map(|cursor| cursor.take(length)).collect();
        visit(row, &mut chunks)?;
        row += length;
    }
    Ok(())
}

/// A place in the chunks of one member.
struct Cursor<'a, 'b, Y, X> {
    chunks: &'b [Chunk<'a, Y, X>],
    offset: usize,
}

impl<'a, 'b, Y: Copy, X: Copy> Cursor<'a, 'b, Y, X> {
    fn at(mut chunks: &'b [Chunk<'a, Y, X>], mut row: usize) -> Self {
        while let Some(chunk) = chunks.first().filter(|chunk| chunk.len() <= row) {
            row -= chunk.len();
            chunks = &chunks[1..];
        }
        Self { chunks, offset: row }
    }

    /// The rows up to the end of the chunk.
    fn left(&self) -> usize {
        self.chunks[0].len() - self.offset
    }

    fn take(&mut self, length: usize) -> Chunk<'a, Y, X> {
        let taken = self.chunks[0].slice(self.offset, length);
        *self = Self::at(self.chunks, self.offset + length);
        taken
    }
}

impl<Y: Copy, X: Copy> Chunk<'_, Y, X> {
    pub(crate) fn len(&self) -> usize {
        self.y.values.len()
    }

    /// Where neither y nor x is null.
    pub(super) fn known(&self) -> Option<Bitmap> {
        let x = self.x.as_ref().and_then(|x| x.validity.as_ref());
        both(self.y.validity.as_ref(), x)
    }

    fn slice(&self, offset: usize, length: usize) -> Self {
        Self {
            y: self.y.slice(offset, length),
            x: self.x.as_ref().map(|x| x.slice(offset, length)),
            exists: slice_validity(self.exists.as_ref(), offset, length),
        }
    }
}

impl<T: Copy> Column<'_, T> {
    /// The value at a row, unless it is null.
    pub(crate) fn get(&self, row: usize) -> Option<T> {
        let valid = self.validity.as_ref().is_none_or(|validity| validity.get_bit(row));
        valid.then(|| self.values[row])
    }

    fn slice(&self, offset: usize, length: usize) -> Self {
        Self {
            values: &self.values[offset..offset + length],
            validity: slice_validity(self.validity.as_ref(), offset, length),
        }
    }
}

fn slice_validity(validity: Option<&Bitmap>, offset: usize, length: usize) -> Option<Bitmap> {
    let validity = validity?.clone().sliced(offset, length);
    (validity.unset_bits() > 0).then_some(validity)
}
