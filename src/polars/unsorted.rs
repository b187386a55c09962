//! Errors about an x that is not strictly monotonic.

use polars::prelude::*;

use super::display::display;
use crate::unsorted::{in_group, message, wrong_step};

/// The error for the values of x in one stencil that are not strictly monotonic.
pub(crate) fn not_monotonic(name: &str, x: &[AnyValue], group: &str, remedy: Remedy, must_rise: bool) -> PolarsError {
    let valid: Vec<_> = x.iter().filter(|value| !value.is_null()).collect();
    let wrong = wrong_step(&valid, must_rise, |before, after| {
        let finite = is_finite(before) && is_finite(after);
        before.partial_cmp(after).filter(|_| finite)
    });
    let shown: Vec<_> = valid.iter().skip(wrong).take(2).map(|value| display(value)).collect();
    let message = message(name, must_rise, &shown, group, &remedy.hint(name));
    PolarsError::ComputeError(message.into())
}

/// How to get nulls instead of an error.
pub(crate) const LENIENT: &str = if cfg!(feature = "python") {
    "pass `strict=False`"
} else {
    "turn `strict` off"
};

/// What the message suggests for an unsorted x.
#[derive(Clone, Copy)]
pub(crate) enum Remedy {
    /// For x down the rows.
    Rows,
    /// For x inside of cells.
    Cells,
    /// For a coordinate of a grid: points are sorted, so it can only repeat.
    Grid,
}

impl Remedy {
    fn hint(self, name: &str) -> String {
        let windows = if cfg!(feature = "python") {
            format!(", use `.over(..., order_by=\"{name}\")`")
        } else {
            String::new()
        };
        match self {
            Self::Rows => format!("sort by `{name}`{windows}, drop duplicates, or {LENIENT} to get nulls there"),
            Self::Cells => format!("sort each cell by `{name}`, drop duplicates, or {LENIENT} to get nulls there"),
            Self::Grid => {
                format!("drop duplicates, tell grids apart by `by`, or {LENIENT} to get nulls there")
            },
        }
    }
}

/// The group of a row, as the values of its keys.
pub(crate) fn group(keys: &[Series], row: usize) -> PolarsResult<String> {
    let shown = keys
        .iter()
        .map(|key| Ok(format!("`{}` = {}", key.name(), display(&key.get(row)?))));
    Ok(in_group(&shown.collect::<PolarsResult<Vec<_>>>()?))
}

fn is_finite(value: &AnyValue) -> bool {
    match value {
        AnyValue::Float64(value) => value.is_finite(),
        AnyValue::Float32(value) => value.is_finite(),
        AnyValue::Float16(value) => f32::from(*value).is_finite(),
        _ => true,
    }
}
