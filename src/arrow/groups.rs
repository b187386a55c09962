//! Groups by key, contiguous or as a row order.

use std::hash::RandomState;

use arrow_array::ArrayRef;
use arrow_row::{RowConverter, SortField};
use arrow_schema::ArrowError;

use crate::bits::Bitmap;
use crate::parallel::even_ranges;
use crate::segments::{Numbered, number_by_hash};

/// The rows of a column, group after group.
pub(super) struct Groups {
    /// Which positions start a group, in the order of `rows`.
    pub(super) starts: Vec<u8>,
    /// Row numbers; `None` if the groups are contiguous.
    pub(super) rows: Option<Vec<u32>>,
}

impl Groups {
    /// One group per combination of keys, null being a key like any other; a single group without keys.
    ///
    /// # Errors
    ///
    /// `ComputeError` for more rows than 32 bits count; that of Arrow for keys that it cannot compare.
    pub(super) fn new(keys: &[ArrayRef], height: usize) -> Result<Self, ArrowError> {
        if keys.is_empty() {
            return Ok(Self {
                starts: Bitmap::of_rows(height, 0..height.min(1)).into_bytes(),
                rows: None,
            });
        }
        let height32 = u32::try_from(height)
            .map_err(|_| ArrowError::ComputeError(format!("`by` takes at most {} rows, got {height}", u32::MAX)))?;
        let fields = keys.iter().map(|key| SortField::new(key.data_type().clone()));
        let keys = RowConverter::new(fields.collect())?.convert_columns(keys)?;
        let is_start = |row: usize| row == 0 || keys.row(row) != keys.row(row - 1);
        let runs: Vec<_> = (0..height32).filter(|&row| is_start(row as usize)).collect();
        let parts = even_ranges(runs.len());
        let parts: Vec<_> = parts
            .into_iter()
            .map(|part| runs[part].iter().map(|&row| keys.row(row as usize)))
            .collect();
        let numbered: Numbered<u32> = number_by_hash(&parts, &RandomState::new());
        let grouped = numbered.group();
        if grouped.groups() == runs.len() {
            return Ok(Self {
                starts: Bitmap::of_rows(height, runs.into_iter().map(|row| row as usize)).into_bytes(),
                rows: None,
            });
        }
        let end = |run: usize| runs.get(run + 1).copied().unwrap_or(height32);
        let mut rows = Vec::with_capacity(height);
        let mut starts = Vec::with_capacity(grouped.lengths.len());
        let mut runs_left = grouped.indices.into_iter();
        for length in grouped.lengths {
            starts.push(rows.len());
            for run in runs_left.by_ref().take(length as usize) {
                rows.extend(runs[run as usize]..end(run as usize));
            }
        }
        Ok(Self {
            starts: Bitmap::of_rows(height, starts).into_bytes(),
            rows: Some(rows),
        })
    }
}
