//! Failures of a run as values. The message is written once the group of the row is known.

use polars::prelude::*;

use super::unsorted::{LENIENT, Remedy, not_monotonic};

/// A failure of a run.
pub(super) enum Failure {
    /// The x read at a row are not finite and strictly monotonic.
    Unsorted { row: usize, x: Vec<AnyValue<'static>> },
    /// A cell differs in length from a neighbour or from its x.
    Lengths {
        row: usize,
        name: PlSmallStr,
        length: usize,
        other: usize,
    },
    /// Cells of one group, or of its x, differ in length where nulls are skipped.
    SkippedLengths {
        row: usize,
        name: PlSmallStr,
        length: usize,
        other: usize,
    },
    /// An error with its message.
    Error(PolarsError),
}

impl From<PolarsError> for Failure {
    fn from(error: PolarsError) -> Self {
        Self::Error(error)
    }
}

impl Failure {
    /// The failure for unsorted x at `rows`, which are read at `row`.
    ///
    /// # Errors
    ///
    /// If a row is out of bounds.
    pub(super) fn unsorted(row: usize, x: Option<&Series>, rows: impl Iterator<Item = usize>) -> PolarsResult<Self> {
        let x = x.into_iter();
        let values = rows.flat_map(|row| x.clone().map(move |x| Ok(x.get(row)?.into_static())));
        Ok(Self::Unsorted {
            row,
            x: values.collect::<PolarsResult<_>>()?,
        })
    }

    /// The same failure with another row number.
    pub(super) fn map_row(mut self, map: impl FnOnce(usize) -> usize) -> Self {
        match &mut self {
            Self::Unsorted { row, .. } | Self::Lengths { row, .. } | Self::SkippedLengths { row, .. } => {
                *row = map(*row);
            },
            Self::Error(_) => {},
        }
        self
    }

    /// The error; `group` describes the group of a row.
    pub(super) fn into_error(
        self,
        x_name: &str,
        remedy: Remedy,
        group: impl FnOnce(usize) -> PolarsResult<String>,
    ) -> PolarsError {
        match self {
            Self::Error(error) => error,
            Self::SkippedLengths {
                row,
                name,
                length,
                other,
            } => match group(row) {
                Ok(group) => polars_err!(
                    ComputeError: "with `nulls` \"skip\" all cells must have one length down the rows, but in column \
                    `{name}` there are {length} and {other} values{group}; use \"propagate\" or \"split\""
                ),
                Err(error) => error,
            },
            Self::Unsorted { row, x } => match group(row) {
                Ok(group) => not_monotonic(x_name, &x, &group, remedy),
                Err(error) => error,
            },
            Self::Lengths {
                row,
                name,
                length,
                other,
            } => match group(row) {
                Ok(group) => polars_err!(
                    ComputeError: "cells must have one length to be neighbours, but in column `{name}` one of {length} \
                    values meets one of {other}{group}; {LENIENT} to get nulls there, or differentiate further inside \
                    with `axis`"
                ),
                Err(error) => error,
            },
        }
    }
}
