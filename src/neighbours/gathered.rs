//! Neighbours by gathering: the rows of a column in another order, or some of them only, and back again.

use arrow::array::PrimitiveArray;
use arrow::bitmap::{Bitmap, BitmapBuilder, MutableBitmap};
use polars::prelude::*;

use super::groups::Groups;
use crate::threads::in_parallel;

/// Rows of a column, in the order in which they are neighbours, and where their segments start.
pub(crate) struct Gathered {
    rows: Vec<IdxSize>,
    starts: Bitmap,
}

impl Gathered {
    /// The rows of all groups, one group after the other.
    pub(crate) fn new(groups: &Groups, rows: &[IdxSize]) -> Self {
        Self {
            rows: rows.to_vec(),
            starts: groups.starts.clone(),
        }
    }

    /// The rows that are known, and only those: as if the others were absent.
    pub(crate) fn known(groups: &Groups, known: &Bitmap) -> Self {
        let length = known.set_bits();
        let mut rows = Vec::with_capacity(length);
        let mut starts = BitmapBuilder::with_capacity(length);
        let mut starts_here = false;
        for (position, starts_group) in groups.starts.iter().enumerate() {
            let row = groups.row(position);
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
        let taken = in_parallel(self.rows.len(), |rows| column.take_slice(&self.rows[rows]))?;
        let mut taken = taken.into_iter();
        let mut first = taken.next().unwrap_or_else(|| column.clear());
        for part in taken {
            first.append_owned(part)?;
        }
        Ok(first)
    }

    /// The values in the place of the rows they belong to; null everywhere else.
    pub(crate) fn put_back(&self, values: &Series, height: usize) -> PolarsResult<Series> {
        Ok(match values.dtype() {
            DataType::Float32 => self.put_back_as(values.f32()?, height).into_series(),
            _ => self.put_back_as(values.f64()?, height).into_series(),
        })
    }

    fn put_back_as<T: PolarsNumericType>(&self, values: &ChunkedArray<T>, height: usize) -> ChunkedArray<T> {
        let all = self.rows.len() == height;
        let mut placed = vec![T::Native::default(); height];
        let mut validity = (!all || values.has_nulls()).then(|| MutableBitmap::from_len_zeroed(height));
        let mut rows = self.rows.iter().map(|&row| row as usize);
        for chunk in values.downcast_iter() {
            for (&value, row) in chunk.values().iter().zip(rows.by_ref()) {
                placed[row] = value;
            }
        }
        if let Some(validity) = &mut validity {
            for (valid, &row) in values.iter().map(|value| value.is_some()).zip(&self.rows) {
                if valid {
                    validity.set(row as usize, true)
                }
            }
        }
        let placed = PrimitiveArray::from_vec(placed).with_validity(validity.map(MutableBitmap::freeze));
        ChunkedArray::with_chunk(values.name().clone(), placed)
    }
}
