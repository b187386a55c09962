//! Failures of a run as values. The message is written once the group of the row is known.

use polars::prelude::*;

use super::display::display;
use super::unsorted::{LENIENT, Remedy, not_monotonic};
use crate::inputs::Inputs;
use crate::operators::{Operator, Reason};
use crate::unsorted::{around_message, given};

/// A failure of a run.
pub(super) enum Failure {
    /// The x read at a row are not finite and strictly monotonic.
    Unsorted { row: usize, x: Vec<AnyValue<'static>> },
    /// The y of a row is none that the operator takes.
    Outside {
        row: usize,
        name: PlSmallStr,
        y: AnyValue<'static>,
    },
    /// The rows of a group go round the period of x: from one x to another, if there is one, or this number of rows.
    Around {
        row: usize,
        x: Vec<AnyValue<'static>>,
        rows: usize,
    },
    /// The standard deviation of a row is not finite and positive.
    Deviation { row: usize, sigma: AnyValue<'static> },
    /// The result of a row does not fit in the dtype.
    TooLarge {
        row: usize,
        name: PlSmallStr,
        dtype: DataType,
        /// What shows why.
        given: String,
        /// What holds it.
        wider: &'static str,
    },
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
    /// The failure of a row; `rows` are those that are wrong.
    ///
    /// # Errors
    ///
    /// If a row is out of bounds.
    pub(super) fn of_row(
        row: usize,
        reason: &Reason,
        Inputs { y, x, sigma }: Inputs<&Series>,
        rows: impl Iterator<Item = usize>,
    ) -> PolarsResult<Self> {
        let name = y.name().clone();
        let x_of = |rows: &mut dyn Iterator<Item = usize>| {
            let values = rows.flat_map(|row| x.into_iter().map(move |x| Ok(x.get(row)?.into_static())));
            values.collect::<PolarsResult<_>>()
        };
        let mut rows = rows;
        Ok(match reason {
            Reason::Unsorted { .. } => Self::Unsorted {
                row,
                x: x_of(&mut rows)?,
            },
            Reason::Around { rows: count } => Self::Around {
                row,
                x: x_of(&mut rows)?,
                rows: *count,
            },
            Reason::Outside { .. } => Self::Outside {
                row,
                name,
                y: y.get(rows.next().unwrap_or(row))?.into_static(),
            },
            Reason::Deviation => Self::Deviation {
                row,
                sigma: sigma.unwrap_or(y).get(row)?.into_static(),
            },
            Reason::TooLarge { .. } => Self::too_large(row, y, rows.map(|row| y.get(row)))?,
        })
    }

    /// The failure of a row whose result does not fit in the dtype of y; `values` are those of y that it is computed from.
    ///
    /// # Errors
    ///
    /// Those of the values.
    pub(super) fn too_large<'a>(
        row: usize,
        y: &Series,
        values: impl Iterator<Item = PolarsResult<AnyValue<'a>>>,
    ) -> PolarsResult<Self> {
        let shown = values.map(|value| Ok(display(&value?)));
        Ok(Self::TooLarge {
            row,
            name: y.name().clone(),
            dtype: y.dtype().clone(),
            given: given(&shown.collect::<PolarsResult<Vec<_>>>()?),
            wider: "a float",
        })
    }

    /// The same failure with another row number.
    pub(super) fn map_row(mut self, map: impl FnOnce(usize) -> usize) -> Self {
        match &mut self {
            Self::Unsorted { row, .. }
            | Self::Outside { row, .. }
            | Self::Around { row, .. }
            | Self::Deviation { row, .. }
            | Self::TooLarge { row, .. }
            | Self::Lengths { row, .. }
            | Self::SkippedLengths { row, .. } => *row = map(*row),
            Self::Error(_) => {},
        }
        self
    }

    fn row(&self) -> Option<usize> {
        match self {
            Self::Unsorted { row, .. }
            | Self::Outside { row, .. }
            | Self::Around { row, .. }
            | Self::Deviation { row, .. }
            | Self::TooLarge { row, .. }
            | Self::Lengths { row, .. }
            | Self::SkippedLengths { row, .. } => Some(*row),
            Self::Error(_) => None,
        }
    }

    /// The error; `group` describes the group of a row.
    pub(super) fn into_error(
        self,
        [x_name, sigma_name]: [&str; 2],
        operator: &Operator,
        remedy: Remedy,
        group: impl FnOnce(usize) -> PolarsResult<String>,
    ) -> PolarsError {
        let group = match self.row().map_or_else(|| Ok(String::new()), group) {
            Ok(group) => group,
            Err(error) => return error,
        };
        match self {
            Self::Error(error) => error,
            Self::Unsorted { x, .. } => not_monotonic(x_name, &x, &group, remedy, operator.describe().needs_rising_x()),
            Self::Outside { name, y, .. } => polars_err!(
                ComputeError: "`y` must be from 0 to below `wrap`, but in column `{name}` there is {}{group}; correct `wrap`, \
                or {LENIENT} to get nulls there",
                display(&y)
            ),
            Self::Around { x, rows, .. } => {
                let shown: Vec<_> = x.iter().map(display).collect();
                let message = around_message(x_name, &shown, rows, &group, &format!("{LENIENT} to get nulls there"));
                PolarsError::ComputeError(message.into())
            },
            Self::Deviation { sigma, .. } => polars_err!(
                ComputeError: "`sigma` must be finite and positive, but in column `{sigma_name}` there is {}{group}; correct \
                it, or {LENIENT} to get nulls there",
                display(&sigma)
            ),
            Self::TooLarge {
                name,
                dtype,
                given,
                wider,
                ..
            } => polars_err!(
                ComputeError: "the {} of `{name}` does not fit in {dtype}{given}{group}; cast y to {wider}, or {LENIENT} to get \
                nulls there",
                operator.name()
            ),
            Self::SkippedLengths {
                name, length, other, ..
            } => polars_err!(
                ComputeError: "with `nulls` \"skip\" all cells must have one length down the rows, but in column \
                `{name}` there are {length} and {other} values{group}; use \"propagate\" or \"split\""
            ),
            Self::Lengths {
                name, length, other, ..
            } => polars_err!(
                ComputeError: "cells must have one length to be neighbours, but in column `{name}` one of {length} \
                values meets one of {other}{group}; {LENIENT} to get nulls there, or differentiate further inside \
                with `axis`"
            ),
        }
    }
}
