//! Neighbours by gathering: the rows of a column in another order, or some of them only, and back again.

use std::marker::PhantomData;

use arrow::array::PrimitiveArray;
use arrow::bitmap::{Bitmap, BitmapBuilder, MutableBitmap};
use polars::prelude::*;

use crate::threads::{in_parallel, series_in_parallel};

/// Rows of a column, in the order in which they are neighbours, and where their segments start.
pub(crate) struct Gathered {
    rows: Vec<IdxSize>,
    starts: Bitmap,
}

impl Gathered {
    /// The rows of all groups, one group after the other.
    pub(crate) fn new(starts: Bitmap, rows: Vec<IdxSize>) -> Self {
        Self { rows, starts }
    }

    /// The rows that are known, and only those: as if the others were absent.
    pub(crate) fn known(group_starts: &Bitmap, group_rows: Option<&[IdxSize]>, known: &Bitmap) -> Self {
        let length = known.set_bits();
        let mut rows = Vec::with_capacity(length);
        let mut starts = BitmapBuilder::with_capacity(length);
        let mut starts_here = false;
        for (position, starts_group) in group_starts.iter().enumerate() {
            let row = group_rows.map_or(position, |rows| rows[position] as usize);
            starts_here |= starts_group;
            if known.get_bit(row) {
                rows.push(row as IdxSize);
                starts.push(starts_here);
                starts_here = false;
            }
        }
        Self {
            rows,
            starts: starts.freeze(),
        }
    }

    pub(crate) fn starts(&self) -> &Bitmap {
        &self.starts
    }

    /// Where the row stood that is now at a position.
    pub(crate) fn row(&self, position: usize) -> usize {
        self.rows[position] as usize
    }

    pub(crate) fn take(&self, column: &Series) -> PolarsResult<Series> {
        series_in_parallel(column, self.rows.len(), |rows| column.take_slice(&self.rows[rows]))
    }

    /// The values in the place of the rows they belong to; null everywhere else.
    pub(crate) fn put_back(&self, values: &Series, height: usize) -> PolarsResult<Series> {
        let values = values.cast(&DataType::Float64)?;
        let values = values.f64()?;
        let mut placed = vec![0.0; height];
        let slots = Slots::of(&mut placed);
        in_parallel(self.rows.len(), |positions| {
            let part = values.slice(positions.start as i64, positions.len());
            let chunks = part.downcast_iter().flat_map(|chunk| chunk.values().as_slice());
            for (&value, &row) in chunks.zip(&self.rows[positions]) {
                // SAFETY: no row comes twice.
                unsafe { slots.set(row as usize, value) };
            }
            Ok(())
        })?;
        let all = self.rows.len() == height && !values.has_nulls();
        let validity = (!all).then(|| {
            let mut validity = MutableBitmap::from_len_zeroed(height);
            let valid = values.iter().zip(&self.rows).filter(|(value, _)| value.is_some());
            valid.for_each(|(_, &row)| validity.set(row as usize, true));
            validity.freeze()
        });
        let placed = PrimitiveArray::from_vec(placed).with_validity(validity);
        Ok(Float64Chunked::with_chunk(values.name().clone(), placed).into_series())
    }
}

/// Places that several threads write to, each to its own.
struct Slots<'a> {
    first: *mut f64,
    length: usize,
    owner: PhantomData<&'a mut [f64]>,
}

// SAFETY: whoever writes keeps to its own slots.
unsafe impl Sync for Slots<'_> {}

impl<'a> Slots<'a> {
    fn of(slots: &'a mut [f64]) -> Self {
        Self {
            first: slots.as_mut_ptr(),
            length: slots.len(),
            owner: PhantomData,
        }
    }

    /// # Safety
    ///
    /// No other thread may write to the same slot.
    unsafe fn set(&self, slot: usize, value: f64) {
        assert!(slot < self.length, "a row of the column");
        // SAFETY: the slot has just been seen to be one of the slice's.
        unsafe { self.first.add(slot).write(value) };
    }
}
