//! What is wrong with an x, in the words of its column.

use std::cmp::Ordering;
use std::ops::Range;

use polars::prelude::*;

/// The error for an x that is not strictly monotonic at a row of a window, among the members that its stencil reads.
pub(crate) fn not_monotonic(x: &[Series], row: usize, read: Range<usize>, group: &str) -> PolarsResult<PolarsError> {
    let around = x[read].iter().map(|x| x.get(row)).collect::<PolarsResult<Vec<_>>>()?;
    let steps = || {
        around
            .windows(2)
            .filter(|step| !step[0].is_null() && !step[1].is_null())
    };
    let order = |step: &[AnyValue]| step[0].partial_cmp(&step[1]);
    let first = steps().next().and_then(order);
    let wrong = |step: &&[AnyValue]| {
        let order = order(step);
        order.is_none() || order == Some(Ordering::Equal) || order != first || !step.iter().all(is_finite)
    };
    let (before, after) = steps()
        .find(wrong)
        .or_else(|| steps().next())
        .map_or_else(Default::default, |step| (show(&step[0]), show(&step[1])));
    let name = x[0].name();
    Ok(polars_err!(
        ComputeError: "`x` must be finite and strictly monotonic, but in column `{name}` {before} is followed by \
        {after}{group}; sort by `{name}`, use `.over(..., order_by=\"{name}\")`, drop duplicates, \
        or pass `strict=False` to get nulls there"
    ))
}

/// The group that a row belongs to, by its keys.
pub(crate) fn group(keys: &[Series], row: usize) -> PolarsResult<String> {
    let shown = keys
        .iter()
        .map(|key| Ok(format!("`{}` = {}", key.name(), show(&key.get(row)?))));
    let shown = shown.collect::<PolarsResult<Vec<_>>>()?;
    if shown.is_empty() {
        return Ok(String::new());
    }
    Ok(format!(" in the group {}", shown.join(", ")))
}

fn is_finite(value: &AnyValue) -> bool {
    match value {
        AnyValue::Float64(value) => value.is_finite(),
        AnyValue::Float32(value) => value.is_finite(),
        AnyValue::Float16(value) => f32::from(*value).is_finite(),
        _ => true,
    }
}

/// A value in full: all digits of a float, an instant in UTC.
fn show(value: &AnyValue) -> String {
    match value {
        AnyValue::Float64(value) => format!("{value:?}"),
        AnyValue::Float32(value) => format!("{value:?}"),
        AnyValue::Datetime(value, unit, Some(_)) => format!("{} UTC", AnyValue::Datetime(*value, *unit, None)),
        value => value.to_string(),
    }
}
