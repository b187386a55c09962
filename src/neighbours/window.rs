//! Neighbours by shifting: the points before and after each row are the same column, shifted.
//!
//! In memory a shifted column is the same memory one row further on, cut into other chunks; here the chunks are brought
//! into step again.

use std::ops::Range;

use crate::bits::{Bits, word_of};

/// Some rows of one column, contiguous in memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column<'a, T> {
    pub(crate) values: &'a [T],
    pub(crate) validity: Option<Bits<'a>>,
}

/// Some rows of a column of points, contiguous in memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chunk<'a, Y, X> {
    pub(crate) y: Column<'a, Y>,
    pub(crate) x: Option<Column<'a, X>>,
    /// Where there is a point at all: elsewhere it is beyond the end of its segment.
    pub(crate) exists: Option<Bits<'a>>,
}

impl<Y: Copy, X: Copy> Chunk<'_, Y, X> {
    pub(crate) fn len(&self) -> usize {
        self.y.values.len()
    }

    /// Whether there is a point in every row, and a value in every point.
    pub(crate) fn is_whole(&self) -> bool {
        let x = self.x.and_then(|x| x.validity);
        self.exists.is_none() && self.y.validity.is_none() && x.is_none()
    }

    /// Where neither y nor x is null, for 64 rows.
    #[inline(always)]
    pub(crate) fn known(&self, row: usize) -> u64 {
        self.y.known(row) & self.x.map_or(u64::MAX, |x| x.known(row))
    }

    fn slice(&self, offset: usize, length: usize) -> Self {
        Self {
            y: self.y.slice(offset, length),
            x: self.x.map(|x| x.slice(offset, length)),
            exists: self.exists.map(|exists| exists.from(offset)),
        }
    }
}

impl<T: Copy> Column<'_, T> {
    /// The value at a row, unless it is null.
    pub(crate) fn get(&self, row: usize) -> Option<T> {
        let valid = self.validity.is_none_or(|validity| validity.get(row));
        valid.then(|| self.values[row])
    }

    /// Where there is a value, for 64 rows.
    #[inline(always)]
    pub(crate) fn known(&self, row: usize) -> u64 {
        word_of(self.validity, row)
    }

    fn slice(&self, offset: usize, length: usize) -> Self {
        Self {
            values: &self.values[offset..offset + length],
            validity: self.validity.map(|validity| validity.from(offset)),
        }
    }
}

/// Calls `visit` with the first row and one chunk per member, for all of `rows`, in order.
///
/// The members of a window are the column and its shifted copies, furthest row back first; each has its own chunks.
///
/// # Errors
///
/// What `visit` returns.
pub(crate) fn in_step<Y: Copy, X: Copy, E>(
    members: &[Vec<Chunk<'_, Y, X>>],
    rows: Range<usize>,
    mut visit: impl FnMut(usize, &[Chunk<'_, Y, X>]) -> Result<(), E>,
) -> Result<(), E> {
    let mut cursors: Vec<_> = members.iter().map(|member| Cursor::at(member, rows.start)).collect();
    let mut row = rows.start;
    while row < rows.end {
        let left = cursors.iter().map(Cursor::left).min().unwrap_or_default();
        let length = left.min(rows.end - row);
        let window: Vec<_> = cursors.iter_mut().map(|cursor| cursor.take(length)).collect();
        visit(row, &window)?;
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

/// A column as it stands beside each of its own rows, so many rows ahead, in chunks; and where there are any rows.
#[cfg(feature = "arrow")]
pub(crate) fn moved<T: Copy>(
    column: Column<'_, T>,
    ahead: isize,
) -> impl Iterator<Item = (Column<'_, T>, Option<Bits<'_>>)> {
    const NOWHERE: Bits = Bits::new(&[0], 0);
    let rows = column.values.len();
    let outside = ahead.unsigned_abs().min(rows);
    let first = if ahead > 0 { outside } else { 0 };
    let inside = column.slice(first, rows - outside);
    // Any values will do, as they are not looked at.
    let outside = Column {
        values: &column.values[..outside],
        validity: None,
    };
    let (inside, outside) = ((inside, None), (outside, Some(NOWHERE)));
    if ahead > 0 {
        [inside, outside]
    } else {
        [outside, inside]
    }
    .into_iter()
}
