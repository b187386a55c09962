//! Adjacent rows as slices and bitmaps.

use std::ops::Range;

use num_traits::AsPrimitive;

use crate::bits::{Bitmap, Bits, ROWS, word_or_ones};

/// The values of a part of a column, and a bit for each unless all are valid.
pub(crate) type Part<O> = (Vec<O>, Option<Vec<u8>>);

/// Adjacent rows of a column, read in place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slice<'a, T> {
    pub(crate) values: &'a [T],
    pub(crate) validity: Option<Bits<'a>>,
}

impl<T: Copy> Slice<'_, T> {
    /// The value at a row, unless it is null.
    pub(crate) fn get(&self, row: usize) -> Option<T> {
        let valid = self.validity.is_none_or(|validity| validity.get(row));
        valid.then(|| self.values[row])
    }

    /// Mask of valid rows, of 64.
    #[inline(always)]
    pub(crate) fn valid(&self, row: usize) -> u64 {
        word_or_ones(self.validity, row)
    }
}

impl<'a, T: Copy> Slice<'a, T> {
    /// Some of the rows.
    pub(crate) fn part(&self, rows: &Range<usize>) -> Slice<'a, T> {
        Slice {
            values: &self.values[rows.clone()],
            validity: self.validity.map(|validity| validity.from(rows.start)),
        }
    }

    /// Copies rows in the given order.
    pub(crate) fn gather<I: AsPrimitive<usize>>(&self, rows: &[I]) -> Gathered<T> {
        let validity = self.validity.map(|valid| {
            let mut bits = Bitmap::with_capacity(rows.len());
            bits.extend(rows.len(), |place| {
                let rows = rows[place..].iter().take(ROWS).enumerate();
                rows.fold(0, |word, (bit, row)| word | u64::from(valid.get(row.as_())) << bit)
            });
            bits.into_bytes()
        });
        Gathered {
            values: rows.iter().map(|row| self.values[row.as_()]).collect(),
            validity,
        }
    }
}

/// Copied rows of a column, and a bit for each if any may be null.
pub(crate) struct Gathered<T> {
    pub(crate) values: Vec<T>,
    pub(crate) validity: Option<Vec<u8>>,
}

impl<T> Gathered<T> {
    pub(crate) fn slice(&self) -> Slice<'_, T> {
        self.rows(0, self.values.len())
    }

    /// Some of the rows.
    pub(crate) fn rows(&self, first: usize, rows: usize) -> Slice<'_, T> {
        Slice {
            values: &self.values[first..first + rows],
            validity: self.validity.as_ref().map(|bytes| Bits::new(bytes, first)),
        }
    }
}

/// Adjacent rows of a lagged copy of y and x.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lag<'a, Y, X> {
    pub(crate) y: Slice<'a, Y>,
    pub(crate) x: Option<Slice<'a, X>>,
    /// Rows that exist; others are beyond the end of the group. `None` if all exist.
    pub(crate) in_group: Option<Bits<'a>>,
}

impl<'a, Y, X: Copy> Lag<'a, Y, X> {
    /// Some of the rows, with other y.
    pub(crate) fn with_y<'b, Z>(&self, rows: &Range<usize>, y: &'b [Z]) -> Lag<'b, Z, X>
    where
        'a: 'b,
    {
        Lag {
            y: Slice {
                values: y,
                validity: self.y.validity.map(|validity| validity.from(rows.start)),
            },
            x: self.x.map(|x| x.part(rows)),
            in_group: self.in_group.map(|in_group| in_group.from(rows.start)),
        }
    }
}

impl<Y: Copy, X: Copy> Lag<'_, Y, X> {
    pub(crate) fn len(&self) -> usize {
        self.y.values.len()
    }

    /// Whether all rows exist, and no value is null.
    pub(crate) fn is_complete(&self) -> bool {
        let x = self.x.and_then(|x| x.validity);
        self.in_group.is_none() && self.y.validity.is_none() && x.is_none()
    }

    /// Mask of rows, of 64, where neither y nor x is null.
    #[inline(always)]
    pub(crate) fn valid(&self, row: usize) -> u64 {
        self.y.valid(row) & self.x.map_or(u64::MAX, |x| x.valid(row))
    }

    /// Mask of rows, of 64, that exist.
    #[inline(always)]
    pub(crate) fn in_group(&self, row: usize) -> u64 {
        word_or_ones(self.in_group, row)
    }
}
