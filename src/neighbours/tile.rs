//! A tile of a gathered column: pieces of the order, with what stands beside each of them.

use std::ops::Range;

use num_traits::AsPrimitive;

use super::window::{Chunk, Column};
use crate::bits::{Bitmap, Bits, ROWS};

/// Some pieces one after the other, each a segment of its own with as many rows beside it as a stencil reads.
///
/// Positions are those in the order in which rows are neighbours.
pub(crate) struct Tile<Y, X> {
    /// Each with the place of its first row in the window.
    pieces: Vec<(usize, Range<usize>)>,
    reach: usize,
    starts: Vec<u8>,
    y: Values<Y>,
    x: Option<Values<X>>,
}

/// Values of a column, and a bit for each unless none is null.
struct Values<T> {
    values: Vec<T>,
    validity: Option<Vec<u8>>,
}

impl<Y: Copy, X: Copy> Tile<Y, X> {
    /// Gathers the pieces from a column, given its rows as they are neighbours and which of these start a segment.
    pub(crate) fn new<I: AsPrimitive<usize>>(
        column: &Chunk<Y, X>,
        rows: &[I],
        starts: Bits,
        pieces: Vec<Range<usize>>,
        reach: usize,
    ) -> Self {
        let mut read = Vec::new();
        let mut starts_here = Bitmap::default();
        let mut gather = |piece: Range<usize>| {
            let place = read.len();
            // Beyond either end of the order any row will do, as a segment ends there.
            let there = piece.start.saturating_sub(reach)..rows.len().min(piece.end + reach);
            let (before, after) = (there.start + reach - piece.start, piece.end + reach - there.end);
            read.extend((0..before).map(|_| rows[there.start]));
            read.extend_from_slice(&rows[there.clone()]);
            read.extend((0..after).map(|_| rows[there.end - 1]));
            starts_here.extend(before, |_| u64::MAX);
            starts_here.extend(there.len(), |place| {
                starts.word(there.start + place) | u64::from(place == 0)
            });
            starts_here.extend(after, |_| u64::MAX);
            (place, piece)
        };
        let pieces = pieces.into_iter().map(&mut gather).collect();
        Self {
            pieces,
            reach,
            starts: starts_here.into_bytes(),
            y: Values::gather(&column.y, &read),
            x: column.x.as_ref().map(|x| Values::gather(x, &read)),
        }
    }

    /// The window of all rows that have enough others beside them.
    pub(crate) fn window(&self) -> Vec<Chunk<'_, Y, X>> {
        let rows = self.y.values.len() - 2 * self.reach;
        let member = |first: usize| Chunk {
            y: self.y.column(first, rows),
            x: self.x.as_ref().map(|x| x.column(first, rows)),
            exists: None,
        };
        (0..=2 * self.reach).map(member).collect()
    }

    /// Which rows start a segment: those of the window, and those beside them.
    pub(crate) fn starts(&self) -> Bits<'_> {
        Bits::new(&self.starts, 0)
    }

    /// The pieces, each with the place of its first row in the window.
    pub(crate) fn pieces(&self) -> &[(usize, Range<usize>)] {
        &self.pieces
    }

    /// The position of a place in the window; `None` if it is only beside a piece.
    pub(crate) fn position(&self, place: usize) -> Option<usize> {
        let next = self.pieces.partition_point(|(first, _)| *first <= place);
        let (first, piece) = &self.pieces[next - 1];
        let position = piece.start + place - first;
        piece.contains(&position).then_some(position)
    }
}

impl<T: Copy> Values<T> {
    fn gather<I: AsPrimitive<usize>>(column: &Column<T>, rows: &[I]) -> Self {
        let validity = column.validity.map(|valid| {
            let mut bits = Bitmap::with_capacity(rows.len());
            bits.extend(rows.len(), |place| {
                let rows = rows[place..].iter().take(ROWS).enumerate();
                rows.fold(0, |word, (bit, row)| word | u64::from(valid.get(row.as_())) << bit)
            });
            bits.into_bytes()
        });
        Self {
            values: rows.iter().map(|row| column.values[row.as_()]).collect(),
            validity,
        }
    }

    fn column(&self, first: usize, rows: usize) -> Column<'_, T> {
        Column {
            values: &self.values[first..first + rows],
            validity: self.validity.as_ref().map(|bytes| Bits::new(bytes, first)),
        }
    }
}
