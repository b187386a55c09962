//! A column whose rows are filled in out of order, by several threads.

/// A value for each row of a column, to be set in any order.
pub(crate) struct Slots<T> {
    values: Vec<T>,
    first: *mut T,
    rows: usize,
}

// SAFETY: whoever sets a value keeps to rows of its own.
unsafe impl<T: Send> Sync for Slots<T> {}

impl<T: Copy + Default> Slots<T> {
    /// So many rows, `all` of which will be set; else the others have the default.
    pub(crate) fn new(rows: usize, all: bool) -> Self {
        let mut values = if all {
            Vec::with_capacity(rows)
        } else {
            vec![T::default(); rows]
        };
        let first = values.as_mut_ptr();
        Self { values, first, rows }
    }

    /// # Safety
    ///
    /// No other thread may set the same row.
    #[inline(always)]
    pub(crate) unsafe fn set(&self, row: usize, value: T) {
        assert!(row < self.rows, "a row of the column");
        // SAFETY: the vector has room for all rows, and has not been touched since its address was taken.
        unsafe { self.first.add(row).write(value) };
    }

    /// # Safety
    ///
    /// If all rows were to be set, they have been.
    pub(crate) unsafe fn into_values(mut self) -> Vec<T> {
        // SAFETY: each row has a value, of its own or the default.
        unsafe { self.values.set_len(self.rows) };
        self.values
    }
}
