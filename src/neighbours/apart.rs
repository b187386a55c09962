//! Rows that stand next to each other, but too far apart, or with a null in between.

use arrow::bitmap::Bitmap;

use super::shifted::{Chunk, both, unlink};
use crate::kernel::{Limit, Sample};

/// What keeps neighbours apart, told by their values alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Apart {
    /// Whether a null ends a segment.
    pub(crate) at_nulls: bool,
    /// The longest step that does not end it.
    pub(crate) max_gap: Option<Limit>,
}

impl Apart {
    /// Takes from the rows of a window their neighbours in other segments.
    pub(crate) fn cut<Y: Sample, X: Sample>(self, window: &mut [Chunk<'_, Y, X>]) {
        if self.at_nulls {
            for member in window.iter_mut() {
                member.exists = both(member.exists.as_ref(), member.known().as_ref());
            }
            unlink(window, |_, _, _| None);
        }
        if let Some(limit) = self.max_gap {
            unlink(window, |_, earlier, later| within(limit, earlier, later));
        }
    }
}

/// Where the step from one row to another is no longer than the limit. One to or from a null is not known to be.
fn within<Y: Sample, X: Sample>(limit: Limit, earlier: &Chunk<'_, Y, X>, later: &Chunk<'_, Y, X>) -> Option<Bitmap> {
    let (earlier, later) = (earlier.x.as_ref()?, later.x.as_ref()?);
    let steps = earlier.values.iter().zip(later.values);
    let within = Bitmap::from_trusted_len_iter(steps.map(|(earlier, later)| !later.is_beyond(*earlier, limit)));
    match both(earlier.validity.as_ref(), later.validity.as_ref()) {
        Some(known) => Some(&within | &!&known),
        None => Some(within),
    }
}
