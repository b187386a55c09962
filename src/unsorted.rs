//! The error messages for an unsorted x, for one that goes round its period, and for a result that does not fit.

use std::cmp::Ordering;

/// The index of the first step that breaks strict monotonicity: it repeats, turns, or cannot be compared.
///
/// `order` compares two points; `None` if they cannot be compared. If the points `must_rise`, a step down is wrong too.
pub(crate) fn wrong_step<T>(points: &[T], must_rise: bool, order: impl Fn(&T, &T) -> Option<Ordering>) -> usize {
    let steps = || points.windows(2).map(|step| order(&step[0], &step[1]));
    let first = if must_rise {
        Some(Ordering::Less)
    } else {
        steps().next().flatten()
    };
    let wrong = |step: Option<Ordering>| step.is_none() || step == Some(Ordering::Equal) || step != first;
    steps().position(wrong).unwrap_or_default()
}

/// The message that shows two adjacent values of a column, or a single one that is wrong by itself.
pub(crate) fn message(name: &str, must_rise: bool, shown: &[String], group: &str, hint: &str) -> String {
    let order = if must_rise { "rising" } else { "monotonic" };
    let wrong = match shown {
        [before, after, ..] => format!("{before} is followed by {after}"),
        shown => format!("there is {}", shown.concat()),
    };
    format!("`x` must be finite and strictly {order}, but in column `{name}` {wrong}{group}; {hint}")
}

/// The message that shows both ends of a group that goes round the period of x; without an x the number of its rows.
#[cfg(any(feature = "polars", feature = "arrow"))]
pub(crate) fn around_message(name: &str, ends: &[String], rows: usize, group: &str, lenient: &str) -> String {
    let wrong = match ends {
        [first, last] => format!("column `{name}` goes from {first} to {last}"),
        _ => format!("there are {rows} rows a `spacing` apart"),
    };
    format!(
        "`x` must span less than one `x_period`, but {wrong}{group}; drop the row that repeats the first one, tell laps \
        apart by keys, or {lenient}"
    )
}

/// The part of a message that shows the y of a row, or those of two that a result is computed from.
#[cfg(any(feature = "polars", feature = "arrow"))]
pub(crate) fn given(shown: &[String]) -> String {
    match shown {
        [before, this] => format!(": y goes from {before} to {this}"),
        [this] => format!(": y is {this}"),
        _ => String::new(),
    }
}

/// The part of the message that names the group by its keys; empty without keys.
pub(crate) fn in_group(keys: &[String]) -> String {
    if keys.is_empty() {
        String::new()
    } else {
        format!(" in the group {}", keys.join(", "))
    }
}
