//! Segments known before a value is read: no row is a neighbour of one in another segment.

use arrow::bitmap::{Bitmap, BitmapBuilder};

use super::shifted::{Chunk, unlink};

/// Where the segments of a column start.
pub(crate) struct Segments {
    /// A bit per row, and beyond either end of the column as many more as a stencil reaches.
    starts: Bitmap,
}

impl Segments {
    const MARGIN: usize = 2;

    pub(crate) fn new(starts: &Bitmap) -> Self {
        let mut padded = BitmapBuilder::with_capacity(starts.len() + 2 * Self::MARGIN);
        padded.extend_constant(Self::MARGIN, true);
        padded.extend_from_bitmap(starts);
        padded.extend_constant(Self::MARGIN, true);
        Self {
            starts: padded.freeze(),
        }
    }

    /// Takes from the rows of a window, the first of which is `row`, their neighbours in other segments.
    pub(crate) fn cut<Y: Copy, X: Copy>(&self, row: usize, window: &mut [Chunk<'_, Y, X>]) {
        unlink(window, |ahead, _, later| {
            let first = row.wrapping_add(Self::MARGIN).wrapping_add_signed(ahead);
            Some(!&self.starts.clone().sliced(first, later.len()))
        });
    }
}
