//! Errors about an x that is not strictly monotonic.

use std::cmp::Ordering;

use polars::prelude::*;

use super::display::display;
use crate::unsorted::{in_group, message, wrong_step};

/// The error for the values of x in one stencil that are not strictly monotonic.
pub(crate) fn not_monotonic(name: &str, x: &[AnyValue], group: &str, remedy: Remedy, must_rise: bool) -> PolarsError {
    let valid: Vec<_> = x.iter().filter(|value| !value.is_null()).collect();
    let order = |before: &&AnyValue, after: &&AnyValue| {
        let finite = is_finite(before) && is_finite(after);
        before.partial_cmp(after).filter(|_| finite)
    };
    let wrong = wrong_step(&valid, must_rise, order);
    let pair: Vec<_> = valid.iter().skip(wrong).take(2).collect();
    let repeats = matches!(pair[..], [before, after] if order(before, after) == Some(Ordering::Equal));
    let shown: Vec<_> = pair.into_iter().map(|value| display(value)).collect();
    let message = message(name, must_rise, &shown, group, &remedy.hint(name, repeats));
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
    /// What to do about an x that `repeats`, or else turns.
    fn hint(self, name: &str, repeats: bool) -> String {
        let [windows, value] = if cfg!(feature = "python") {
            [format!(", use `.over(..., order_by=\"{name}\")`"), "=\"mean\"".into()]
        } else {
            [String::new(), String::new()]
        };
        let first = match self {
            Self::Grid => "drop duplicates, tell grids apart with `by`".into(),
            _ if repeats => format!("merge repeated `{name}` with `duplicates{value}`, tell series apart with `by`"),
            Self::Rows => format!("sort by `{name}`{windows}, tell series apart with `by`"),
            Self::Cells => format!("sort each cell by `{name}`"),
        };
        format!("{first}, or {LENIENT} to get nulls there")
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
