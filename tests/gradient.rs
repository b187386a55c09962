//! The Rust face against a naive oracle: every cut into chunks, every null, every option.

use polars::prelude::*;
use polars_grad::{EdgeOrder, GradientOptions, Spacing, gradient};
use proptest::prelude::*;

/// The formula of numpy's documentation, row by row, in the order a textbook would write it.
fn naive(y: &[Option<f64>], x: &[Option<f64>], edge_order: EdgeOrder) -> Vec<Option<f64>> {
    let n = y.len();
    let point = |i: usize| Some((x[i]?, y[i]?));
    let through = |i: usize, j: usize, k: usize, at: usize| {
        // The derivative at x[at] of the parabola through the points i, j, k, in Lagrange's form.
        let [(x0, y0), (x1, y1), (x2, y2)] = [point(i)?, point(j)?, point(k)?];
        let t = x[at]?;
        Some(
            y0 * (2.0 * t - x1 - x2) / ((x0 - x1) * (x0 - x2))
                + y1 * (2.0 * t - x0 - x2) / ((x1 - x0) * (x1 - x2))
                + y2 * (2.0 * t - x0 - x1) / ((x2 - x0) * (x2 - x1)),
        )
    };
    let between = |i: usize, j: usize| {
        let [(x0, y0), (x1, y1)] = [point(i)?, point(j)?];
        Some((y1 - y0) / (x1 - x0))
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

/// A series of the values, cut into chunks at the given places.
fn chunked(name: &str, values: &[Option<f64>], cuts: &[prop::sample::Index]) -> Series {
    let mut places: Vec<_> = cuts.iter().map(|cut| cut.index(values.len() + 1)).collect();
    places.extend([0, values.len()]);
    places.sort_unstable();
    let mut series = Series::new_empty(name.into(), &DataType::Float64);
    for pair in places.windows(2) {
        series
            .append(&Series::new(name.into(), &values[pair[0]..pair[1]]))
            .expect("the same dtype");
    }
    series
}

fn values(series: &Series) -> Vec<Option<f64>> {
    series.f64().expect("a Float64 column").iter().collect()
}

fn options(edge_order: EdgeOrder) -> GradientOptions {
    GradientOptions {
        edge_order,
        ..GradientOptions::default()
    }
}

fn edge_orders() -> impl Strategy<Value = EdgeOrder> {
    prop_oneof![Just(EdgeOrder::First), Just(EdgeOrder::Second)]
}

/// Up to 700 points, more than two blocks of the kernel, on a strictly monotonic x; some of them null.
fn points() -> impl Strategy<Value = Vec<(Option<f64>, Option<f64>)>> {
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn matches_the_naive_formula(
        points in points(),
        edge_order in edge_orders(),
        y_cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        x_cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let (y, x): (Vec<_>, Vec<_>) = points.into_iter().unzip();
        let slopes = gradient(&chunked("y", &y, &y_cuts), Some(&chunked("x", &x, &x_cuts)), &options(edge_order))?;
        for (got, expected) in values(&slopes).into_iter().zip(naive(&y, &x, edge_order)) {
            match (got, expected) {
                (Some(got), Some(expected)) => prop_assert!(
                    (got - expected).abs() <= 1e-6 * (1.0 + expected.abs()), "{got} against {expected}"
                ),
                (got, expected) => prop_assert_eq!(got, expected),
            }
        }
    }

    #[test]
    fn gives_the_same_bits_however_it_is_cut(
        points in points(),
        edge_order in edge_orders(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 1..9),
    ) {
        let (y, x): (Vec<_>, Vec<_>) = points.into_iter().unzip();
        let whole = gradient(&chunked("y", &y, &[]), Some(&chunked("x", &x, &[])), &options(edge_order))?;
        let cut = gradient(&chunked("y", &y, &cuts), Some(&chunked("x", &x, &cuts[1..])), &options(edge_order))?;
        prop_assert_eq!(values(&whole), values(&cut));
    }

    #[test]
    fn rows_one_step_apart_are_a_special_case(points in points(), edge_order in edge_orders()) {
        let (y, _): (Vec<_>, Vec<_>) = points.into_iter().unzip();
        let rows: Vec<_> = (0..y.len()).map(|row| Some(row as f64)).collect();
        let y = chunked("y", &y, &[]);
        let even = gradient(&y, None, &options(edge_order))?;
        let irregular = gradient(&y, Some(&chunked("x", &rows, &[])), &options(edge_order))?;
        for (a, b) in values(&even).into_iter().zip(values(&irregular)) {
            prop_assert_eq!(a.is_some(), b.is_some());
            let (a, b) = (a.unwrap_or_default(), b.unwrap_or_default());
            prop_assert!((a - b).abs() <= 1e-12 * (1e3 + a.abs()), "{} against {}", a, b);
        }
    }

    #[test]
    fn a_line_has_exactly_its_slope(
        steps in prop::collection::vec(1_i64..1_000_000_000, 1..600),
        slope in -1000_i64..1000,
        start in -1_000_000_000_000_i64..1_000_000_000_000,
    ) {
        let x: Vec<_> = steps.iter().scan(start, |x, step| { *x += step; Some(*x) }).collect();
        let y: Vec<_> = x.iter().map(|x| slope * (x - start)).collect();
        let [x, y] = [("x", x), ("y", y)].map(|(name, values)| Series::new(name.into(), values));
        let slopes = gradient(&y, Some(&x), &GradientOptions::default())?;
        let expected = (x.len() > 1).then_some(slope as f64);
        prop_assert!(values(&slopes).iter().all(|got| *got == expected));
    }
}

#[test]
fn an_unsorted_x_is_an_error_or_null() -> PolarsResult<()> {
    let y = Series::new("y".into(), [0.0, 1.0, 4.0, 9.0, 16.0]);
    let x = Series::new("t".into(), [0_i64, 1, 1, 2, 3]);
    let error = gradient(&y, Some(&x), &GradientOptions::default()).expect_err("x repeats");
    assert!(matches!(error, PolarsError::ComputeError(_)));
    assert!(error.to_string().contains("column `t` 1 is followed by 1"), "{error}");

    let lenient = GradientOptions {
        strict: false,
        ..GradientOptions::default()
    };
    assert_eq!(
        values(&gradient(&y, Some(&x), &lenient)?),
        [Some(1.0), None, None, Some(6.0), Some(7.0)]
    );
    Ok(())
}

#[test]
fn a_column_for_several_threads_has_the_bits_of_its_parts() -> PolarsResult<()> {
    let rows = 1_200_000;
    let x: Vec<_> = (0..rows).map(|i| f64::from(i) + 0.4 * f64::from(i).sin()).collect();
    let y: Vec<_> = (0..rows)
        .map(|i| (i % 1001 != 0).then(|| f64::from(i * 7 % 13)))
        .collect();
    let [x, y] = [Series::new("x".into(), x), Series::new("y".into(), y)];
    for edge_order in [EdgeOrder::First, EdgeOrder::Second] {
        let whole = gradient(&y, Some(&x), &options(edge_order))?;
        assert_eq!(whole.len(), x.len());
        for start in (0..x.len()).step_by(100_000) {
            let [x, y] = [&x, &y].map(|column| column.slice(start as i64, 100_002));
            let part = gradient(&y, Some(&x), &options(edge_order))?;
            let inside = x.len().min(100_001) - 2;
            let [part, whole] = [part.slice(1, inside), whole.slice(start as i64 + 1, inside)];
            assert!(part.equals_missing(&whole), "from row {start}");
        }
    }
    Ok(())
}

#[test]
fn the_first_of_several_errors_is_shown() {
    let mut x: Vec<_> = (0..1_200_000).collect();
    x[1_100_000] = -1;
    x[700_000] = -2;
    x[90_000] = -3;
    let x = Series::new("x".into(), x);
    let error = gradient(&x, Some(&x), &GradientOptions::default()).expect_err("x turns");
    assert!(error.to_string().contains("89999 is followed by -3"), "{error}");
}

#[test]
fn lengths_must_agree() {
    let y = Series::new("y".into(), [0.0, 1.0, 4.0]);
    let x = Series::new("x".into(), [0.0, 1.0]);
    let error = gradient(&y, Some(&x), &GradientOptions::default()).expect_err("x is shorter");
    assert!(matches!(error, PolarsError::ShapeMismatch(_)), "{error:?}");
}

#[test]
fn strings_and_booleans_have_no_gradient() {
    for y in [
        Series::new("s".into(), ["a", "b"]),
        Series::new("b".into(), [true, false]),
    ] {
        let error = gradient(&y, None, &GradientOptions::default()).expect_err("no differences");
        assert!(matches!(error, PolarsError::InvalidOperation(_)), "{error:?}");
        assert!(error.to_string().contains(&format!("column `{}`", y.name())), "{error}");
    }
}

#[test]
fn times_have_units() -> PolarsResult<()> {
    let hours = |unit: TimeUnit, per_hour: i64| {
        Int64Chunked::from_vec("at".into(), vec![0, per_hour, 3 * per_hour])
            .into_datetime(unit, None)
            .into_series()
    };
    let y = Series::new("y".into(), [0_u8, 3, 9]);
    let per_hour = GradientOptions {
        per: Some(3_600_000_000_000),
        ..GradientOptions::default()
    };
    for (unit, count) in [
        (TimeUnit::Milliseconds, 3_600_000),
        (TimeUnit::Microseconds, 3_600_000_000),
        (TimeUnit::Nanoseconds, 3_600_000_000_000),
    ] {
        assert_eq!(
            values(&gradient(&y, Some(&hours(unit, count)), &per_hour)?),
            [Some(3.0); 3]
        );
        // A time over rows is a duration; over a time, a pure ratio.
        let at = hours(unit, count);
        assert_eq!(
            gradient(&at, None, &GradientOptions::default())?.dtype(),
            &DataType::Duration(unit)
        );
        assert_eq!(
            values(&gradient(&at, Some(&at), &GradientOptions::default())?),
            [Some(1.0); 3]
        );
    }
    let every_ten_ms = GradientOptions {
        spacing: Spacing::Nanoseconds(10_000_000),
        ..GradientOptions::default()
    };
    assert_eq!(
        values(&gradient(&y, None, &every_ten_ms)?),
        [Some(300.0), Some(450.0), Some(600.0)]
    );
    Ok(())
}

#[test]
fn integers_do_not_wrap_around() -> PolarsResult<()> {
    let falling = Series::new("y".into(), [u64::MAX, 5, 0]);
    let slopes = values(&gradient(&falling, None, &GradientOptions::default())?);
    assert_eq!(
        slopes,
        [Some(-(u64::MAX as f64)), Some(-(u64::MAX as f64) / 2.0), Some(-5.0)]
    );
    let extremes = Series::new("y".into(), [i128::MIN, i128::MAX]);
    let slopes = values(&gradient(&extremes, None, &GradientOptions::default())?);
    assert_eq!(slopes, [Some(u128::MAX as f64); 2]);
    Ok(())
}
