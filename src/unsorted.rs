//! What is wrong with an x.

use std::cmp::Ordering;

/// The first of some successive points that leads the wrong way, or nowhere.
///
/// `order` compares two of them, if they can be compared.
pub(crate) fn wrong_step<T>(points: &[T], order: impl Fn(&T, &T) -> Option<Ordering>) -> usize {
    let steps = || points.windows(2).map(|step| order(&step[0], &step[1]));
    let first = steps().next().flatten();
    let wrong = |step: Option<Ordering>| step.is_none() || step == Some(Ordering::Equal) || step != first;
    steps().position(wrong).unwrap_or_default()
}

/// The message for two values of a column that follow each other in a group.
pub(crate) fn message(name: &str, before: &str, after: &str, group: &str, hint: &str) -> String {
    format!(
        "`x` must be finite and strictly monotonic, but in column `{name}` {before} is followed by {after}{group}; {hint}"
    )
}

/// Where that is, by the keys of a group; nowhere in particular if it has none.
pub(crate) fn in_group(keys: &[String]) -> String {
    if keys.is_empty() {
        String::new()
    } else {
        format!(" in the group {}", keys.join(", "))
    }
}
