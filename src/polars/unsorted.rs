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
    let step = match pair[..] {
        [before, after] => order(before, after),
        _ => None,
    };
    let shown: Vec<_> = pair.into_iter().map(|value| display(value)).collect();
    let message = message(name, must_rise, &shown, group, &remedy.hint(name, step));
    PolarsError::ComputeError(message.into())
}

/// The values of x in the stencil of the first row of a batch, up to the step that is wrong, if that is the first one.
///
/// Of the two steps at a turn either may be. The rows before have shown the direction, but the engine may have given these to
/// another thread. The one that most of the first rows of the batch go is taken for it, and a row alone for one that rises.
pub(super) fn up_to_wrong_step<'a>(mut x: Vec<AnyValue<'a>>, rows: &Series) -> PolarsResult<Vec<AnyValue<'a>>> {
    /// Rows that are looked at.
    const ROWS: usize = 16;
    let [first, second, third, ..] = &x[..] else {
        return Ok(x);
    };
    let rows = rows.head(Some(ROWS));
    let mut steps = [0; 2];
    for row in 1..rows.len() {
        let step = rows.get(row - 1)?.partial_cmp(&rows.get(row)?);
        steps[0] += usize::from(step == Some(Ordering::Less));
        steps[1] += usize::from(step == Some(Ordering::Greater));
    }
    let direction = if rows.len() == 1 {
        Ordering::Less
    } else {
        steps[1].cmp(&steps[0])
    };
    let is_turned =
        first.partial_cmp(second) == Some(direction.reverse()) && second.partial_cmp(third) == Some(direction);
    if direction.is_ne() && is_turned && [first, second, third].into_iter().all(is_finite) {
        x.truncate(2);
    }
    Ok(x)
}

/// How to get nulls instead of an error.
pub(crate) const LENIENT: &str = if cfg!(feature = "python") {
    "pass `strict=False`"
} else {
    "turn `strict` off"
};

/// What the message suggests for an unsorted x.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Remedy {
    /// For x down the rows, in an expression.
    Rows,
    /// For x down the rows of series, or of batches, which are in no window.
    #[cfg_attr(not(feature = "python"), allow(dead_code))]
    Series,
    /// For x inside of cells.
    Cells,
    /// For x across columns.
    Columns,
    /// For a coordinate of a grid: points are sorted, so it can only repeat.
    Grid,
}

impl Remedy {
    /// What to do about a step of x: one of equal values, one to a value that is not finite, or else one that turns.
    fn hint(self, name: &str, step: Option<Ordering>) -> String {
        let [windows, value] = if cfg!(feature = "python") {
            [format!(", use `.over(..., order_by=\"{name}\")`"), "=\"mean\"".into()]
        } else {
            [String::new(), String::new()]
        };
        let merge = || format!("merge repeated `{name}` with `duplicates{value}`");
        let first = match (self, step) {
            (Self::Grid, _) => "drop duplicates, tell grids apart with `by`".into(),
            (Self::Cells | Self::Columns, None) => "drop such values".into(),
            (_, None) => "drop such rows".into(),
            (Self::Columns, Some(Ordering::Equal)) => "give each column a coordinate of its own".into(),
            (Self::Columns, _) => "put the columns in the order of their coordinates".into(),
            (Self::Cells, Some(Ordering::Equal)) => merge(),
            (Self::Cells, _) => format!("sort each cell by `{name}`"),
            (_, Some(Ordering::Equal)) => format!("{}, tell series apart with `by`", merge()),
            (Self::Rows, _) => format!("sort by `{name}`{windows}, tell series apart with `by`"),
            (Self::Series, _) => format!("sort by `{name}`, tell series apart with `by`"),
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
