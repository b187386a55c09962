//! The gradient as a textbook would compute it, points to compute it of, and how close it must be.

use std::collections::BTreeMap;

use polars_grad::{EdgeOrder, Nulls};
use proptest::prelude::*;

/// The formula of numpy's documentation, row by row, in the order a textbook would write it.
pub fn naive(y: &[Option<f64>], x: &[Option<f64>], edge_order: EdgeOrder) -> Vec<Option<f64>> {
    let n = y.len();
    let point = |i: usize| Some((x[i]?, y[i]?));
    // An x that is not finite and strictly monotonic has no slope.
    let sorted = |a: f64, b: f64| (a - b).is_finite() && a != b;
    let through = |i: usize, j: usize, k: usize, at: usize| {
        // The derivative at x[at] of the parabola through the points i, j, k, in Lagrange's form.
        let [(x0, y0), (x1, y1), (x2, y2)] = [point(i)?, point(j)?, point(k)?];
        let t = x[at]?;
        (sorted(x0, x1) && sorted(x1, x2) && (x0 < x1) == (x1 < x2)).then_some(
            y0 * (2.0 * t - x1 - x2) / ((x0 - x1) * (x0 - x2))
                + y1 * (2.0 * t - x0 - x2) / ((x1 - x0) * (x1 - x2))
                + y2 * (2.0 * t - x0 - x1) / ((x2 - x0) * (x2 - x1)),
        )
    };
    let between = |i: usize, j: usize| {
        let [(x0, y0), (x1, y1)] = [point(i)?, point(j)?];
        sorted(x0, x1).then_some((y1 - y0) / (x1 - x0))
    };
    let slope = |i: usize| match edge_order {
        _ if n < 2 || (n < 3 && edge_order == EdgeOrder::Second) => None,
        EdgeOrder::First if i == 0 => between(0, 1),
        EdgeOrder::First if i == n - 1 => between(n - 2, n - 1),
        EdgeOrder::Second if i == 0 => through(0, 1, 2, 0),
        EdgeOrder::Second if i == n - 1 => through(n - 3, n - 2, n - 1, n - 1),
        _ => through(i - 1, i, i + 1, i),
    };
    (0..n).map(slope).collect()
}

/// The naive formula on each group, cut where the options say that a segment ends.
pub fn naive_in_segments(
    y: &[Option<f64>],
    x: &[Option<f64>],
    keys: &[Option<u8>],
    edge_order: EdgeOrder,
    nulls: Nulls,
    max_gap: Option<f64>,
) -> Vec<Option<f64>> {
    let known = |row: usize| y[row].is_some() && x[row].is_some();
    let mut groups: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (row, key) in keys.iter().enumerate() {
        groups.entry(key).or_default().push(row);
    }
    let mut slopes = vec![None; y.len()];
    for mut rows in groups.into_values() {
        if nulls == Nulls::Skip {
            rows.retain(|&row| known(row));
        }
        let together = |&a: &usize, &b: &usize| {
            let gap = x[a].zip(x[b]).map(|(a, b)| (a - b).abs());
            let is_gap = matches!((max_gap, gap), (Some(longest), Some(gap)) if gap > longest);
            !is_gap && (nulls != Nulls::Split || known(a) && known(b))
        };
        for segment in rows.chunk_by(together) {
            let pick = |column: &[Option<f64>]| segment.iter().map(|&row| column[row]).collect::<Vec<_>>();
            let slopes_here = naive(&pick(y), &pick(x), edge_order);
            for (&row, slope) in segment.iter().zip(slopes_here) {
                slopes[row] = slope;
            }
        }
    }
    slopes
}

pub fn edge_orders() -> impl Strategy<Value = EdgeOrder> {
    prop_oneof![Just(EdgeOrder::First), Just(EdgeOrder::Second)]
}

pub fn all_nulls() -> impl Strategy<Value = Nulls> {
    prop_oneof![Just(Nulls::Propagate), Just(Nulls::Skip), Just(Nulls::Split)]
}

/// Up to 700 points, more than two blocks of the kernel, on a strictly monotonic x; some of them null.
pub fn points() -> impl Strategy<Value = Vec<(Option<f64>, Option<f64>)>> {
    let nullable = |value: std::ops::Range<f64>| prop::option::weighted(0.95, value);
    let rows = prop::collection::vec((nullable(-1e3..1e3), 0.01..10.0, prop::bool::weighted(0.95)), 0..700);
    (rows, any::<bool>()).prop_map(|(rows, falling)| {
        let mut x = -50.0;
        let mut point = |(y, step, known): (Option<f64>, f64, bool)| {
            x += step;
            (y, known.then_some(if falling { -x } else { x }))
        };
        rows.into_iter().map(&mut point).collect()
    })
}

pub fn close(got: &[Option<f64>], expected: &[Option<f64>]) -> Result<(), TestCaseError> {
    prop_assert_eq!(got.len(), expected.len());
    for (row, pair) in got.iter().zip(expected).enumerate() {
        match pair {
            (Some(got), Some(expected)) => prop_assert!(
                (got - expected).abs() <= 1e-6 * (1.0 + expected.abs()),
                "row {row}: {got} against {expected}"
            ),
            (got, expected) => prop_assert_eq!(got, expected, "row {}", row),
        }
    }
    Ok(())
}
