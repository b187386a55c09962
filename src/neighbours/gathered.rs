//! Neighbours by gathering: the rows of a column in another order, or some of them only, and back again.

use std::convert::Infallible;
use std::marker::PhantomData;

use num_traits::AsPrimitive;

use crate::bits::{Bitmap, Bits};
use crate::threads::in_parallel;

/// Rows of a column, in the order in which they are neighbours.
pub(crate) struct Gathered<I> {
    rows: Vec<I>,
    /// Which of them start a segment, if not simply those that start a group.
    starts: Option<Vec<u8>>,
}

impl<I: AsPrimitive<usize> + Sync> Gathered<I> {
    /// What has to be gathered for groups of rows, and without those not `known`; `None` if the column can stay as it is.
    pub(crate) fn needed(starts: Bits, rows: Option<Vec<I>>, known: Option<Bits>, height: usize) -> Option<Self>
    where
        usize: AsPrimitive<I>,
    {
        match (known, rows) {
            (Some(known), rows) => Some(Self::known(starts, rows.as_deref(), known, height)),
            (None, Some(rows)) => Some(Self { rows, starts: None }),
            (None, None) => None,
        }
    }

    /// The rows that are known, and only those: as if the others were absent.
    fn known(group_starts: Bits, group_rows: Option<&[I]>, known: Bits, height: usize) -> Self
    where
        usize: AsPrimitive<I>,
    {
        let mut rows = Vec::new();
        let mut starts = Bitmap::default();
        let mut starts_here = false;
        for position in 0..group_rows.map_or(height, <[_]>::len) {
            let row = group_rows.map_or(position, |rows| rows[position].as_());
            starts_here |= group_starts.get(position);
            if known.get(row) {
                rows.push(row.as_());
                starts.push(starts_here.into(), 1);
                starts_here = false;
            }
        }
        Self {
            rows,
            starts: Some(starts.into_bytes()),
        }
    }

    /// Which of the rows start a segment, given those that start a group.
    pub(crate) fn starts<'a>(&'a self, groups: Bits<'a>) -> Bits<'a> {
        self.starts.as_ref().map_or(groups, |starts| Bits::new(starts, 0))
    }

    /// The rows, as they are neighbours.
    pub(crate) fn rows(&self) -> &[I] {
        &self.rows
    }

    /// The slopes in the place of the rows they belong to, and a bit for each unless all are valid.
    ///
    /// They come part by part, each with its bits.
    pub(crate) fn put_back<O>(
        &self,
        parts: impl IntoIterator<Item = (Vec<O>, Option<Vec<u8>>)>,
        height: usize,
    ) -> (Vec<O>, Option<Vec<u8>>)
    where
        O: Copy + Default + Send + Sync,
    {
        let mut first = 0;
        let parts = parts.into_iter().map(|(slopes, validity)| {
            let positions = first..first + slopes.len();
            first = positions.end;
            (positions, slopes, validity)
        });
        let parts: Vec<_> = parts.collect();

        let mut placed = vec![O::default(); height];
        let slots = Slots::of(&mut placed);
        let Ok(_) = in_parallel(self.rows.len(), |positions| {
            for (part, slopes, _) in &parts {
                let here = part.start.max(positions.start)..part.end.min(positions.end);
                for position in here {
                    // SAFETY: no row comes twice.
                    unsafe { slots.set(self.rows[position].as_(), slopes[position - part.start]) };
                }
            }
            Ok::<_, Infallible>(())
        });

        let all = self.rows.len() == height && parts.iter().all(|(.., validity)| validity.is_none());
        let validity = (!all).then(|| {
            let mut valid = vec![0; height.div_ceil(8)];
            for (part, _, validity) in &parts {
                let validity = validity.as_ref().map(|bytes| Bits::new(bytes, 0));
                let is_valid = |position: usize| validity.is_none_or(|valid| valid.get(position - part.start));
                for position in part.clone().filter(|&position| is_valid(position)) {
                    let row = self.rows[position].as_();
                    valid[row / 8] |= 1 << (row % 8);
                }
            }
            valid
        });
        (placed, validity)
    }
}

/// Places that several threads write to, each to its own.
struct Slots<'a, O> {
    first: *mut O,
    length: usize,
    owner: PhantomData<&'a mut [O]>,
}

// SAFETY: whoever writes keeps to its own slots.
unsafe impl<O: Send> Sync for Slots<'_, O> {}

impl<'a, O> Slots<'a, O> {
    fn of(slots: &'a mut [O]) -> Self {
        Self {
            first: slots.as_mut_ptr(),
            length: slots.len(),
            owner: PhantomData,
        }
    }

    /// # Safety
    ///
    /// No other thread may write to the same slot.
    unsafe fn set(&self, slot: usize, value: O) {
        assert!(slot < self.length, "a row of the column");
        // SAFETY: the slot has just been seen to be one of the slice's.
        unsafe { self.first.add(slot).write(value) };
    }
}
