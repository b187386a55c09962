//! The Rust face against a naive oracle: every cut into chunks, every null, every option.

mod oracle;

use std::time::Duration;

use polars::prelude::*;
use polars_grad::{Differentiable, Domain, EdgeOrder, Gradient, Length, evaluate};
use proptest::prelude::*;

use oracle::{all_nulls, close, edge_orders, naive, naive_in_segments, points};

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

fn domain() -> Domain<Column> {
    Domain::new()
}

fn gradient<Y: Differentiable>(y: &Y, edge_order: EdgeOrder, domain: &Domain<Column>) -> PolarsResult<Y> {
    evaluate(y, Gradient::new().edge_order(edge_order), domain)
}

/// How the rows of groups stand.
#[derive(Clone, Debug)]
enum Order {
    AsDrawn,
    Sorted,
    InRuns,
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
        let slopes = gradient(&chunked("y", &y, &y_cuts), edge_order, &domain().x(chunked("x", &x, &x_cuts)))?;
        close(&values(&slopes), &naive(&y, &x, edge_order))?;
    }

    #[test]
    fn groups_gaps_and_nulls_match_the_naive_formula_on_each_segment(
        points in points(),
        keys in prop::collection::vec(prop::option::weighted(0.9, 0..5_u8), 700),
        order in prop_oneof![Just(Order::AsDrawn), Just(Order::Sorted), Just(Order::InRuns)],
        edge_order in edge_orders(),
        nulls in all_nulls(),
        max_gap in prop::option::of(1.0..20.0),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let (y, x): (Vec<_>, Vec<_>) = points.into_iter().unzip();
        let mut keys = keys[..y.len()].to_vec();
        match order {
            Order::AsDrawn => {},
            Order::Sorted => keys.sort_unstable(),
            Order::InRuns => for run in keys.chunks_mut(17) { run.fill(run[0]) },
        }
        let by = Series::new("k".into(), &keys);
        let mut domain = domain().x(chunked("x", &x, &[])).by([by]).nulls(nulls);
        if let Some(gap) = max_gap {
            domain = domain.max_gap(gap);
        }
        let slopes = gradient(&chunked("y", &y, &cuts), edge_order, &domain)?;
        close(&values(&slopes), &naive_in_segments(&y, &x, &keys, edge_order, nulls, max_gap))?;
    }

    #[test]
    fn gives_the_same_bits_however_it_is_cut(
        points in points(),
        edge_order in edge_orders(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 1..9),
    ) {
        let (y, x): (Vec<_>, Vec<_>) = points.into_iter().unzip();
        let whole = gradient(&chunked("y", &y, &[]), edge_order, &domain().x(chunked("x", &x, &[])))?;
        let cut = gradient(&chunked("y", &y, &cuts), edge_order, &domain().x(chunked("x", &x, &cuts[1..])))?;
        prop_assert_eq!(values(&whole), values(&cut));
    }

    #[test]
    fn rows_one_step_apart_are_a_special_case(points in points(), edge_order in edge_orders()) {
        let (y, _): (Vec<_>, Vec<_>) = points.into_iter().unzip();
        let rows: Vec<_> = (0..y.len()).map(|row| Some(row as f64)).collect();
        let y = chunked("y", &y, &[]);
        let even = gradient(&y, edge_order, &domain())?;
        let irregular = gradient(&y, edge_order, &domain().x(chunked("x", &rows, &[])))?;
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
        let slopes = gradient(&y, EdgeOrder::First, &domain().x(x.clone()))?;
        let expected = (x.len() > 1).then_some(slope as f64);
        prop_assert!(values(&slopes).iter().all(|got| *got == expected));
    }
}

#[test]
fn an_unsorted_x_is_an_error_or_null() -> PolarsResult<()> {
    let y = Series::new("y".into(), [0.0, 1.0, 4.0, 9.0, 16.0]);
    let x = Series::new("t".into(), [0_i64, 1, 1, 2, 3]);
    let error = gradient(&y, EdgeOrder::First, &domain().x(x.clone())).expect_err("x repeats");
    assert!(matches!(error, PolarsError::ComputeError(_)));
    assert!(error.to_string().contains("column `t` 1 is followed by 1"), "{error}");

    let lenient = domain().x(x).strict(false);
    assert_eq!(
        values(&gradient(&y, EdgeOrder::First, &lenient)?),
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
        let whole = gradient(&y, edge_order, &domain().x(x.clone()))?;
        assert_eq!(whole.len(), x.len());
        for start in (0..x.len()).step_by(100_000) {
            let [x, y] = [&x, &y].map(|column| column.slice(start as i64, 100_002));
            let part = gradient(&y, edge_order, &domain().x(x.clone()))?;
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
    let error = gradient(&x, EdgeOrder::First, &domain().x(x.clone())).expect_err("x turns");
    assert!(error.to_string().contains("89999 is followed by -3"), "{error}");
}

#[test]
fn many_groups_on_several_threads_have_the_bits_of_each_alone() -> PolarsResult<()> {
    let (rows, group) = (1_200_000_u32, 7);
    let x: Vec<_> = (0..rows).map(|i| f64::from(i) + 0.4 * f64::from(i).sin()).collect();
    let y: Vec<_> = (0..rows)
        .map(|i| (i % 1001 != 0).then(|| f64::from(i * 7 % 13)))
        .collect();
    let [x, y] = [Series::new("x".into(), x), Series::new("y".into(), y)];
    let contiguous: Vec<_> = (0..rows).map(|i| i / group).collect();
    let turns: Vec<_> = (0..rows).map(|i| i % (rows / group)).collect();
    let names: Vec<_> = contiguous.iter().map(|key| format!("sensor number {key}")).collect();
    let keys = [
        Series::new("k".into(), contiguous),
        Series::new("k".into(), turns),
        Series::new("k".into(), names),
    ];
    for key in keys {
        let all = gradient(&y, EdgeOrder::First, &domain().x(x.clone()).by([key.clone()]))?;
        assert_eq!(all.len(), y.len());
        for row in [0, 5, 599_998, 1_199_999] {
            let rows = key.equal(&key.new_from_index(row, key.len()))?;
            let alone = gradient(&y.filter(&rows)?, EdgeOrder::First, &domain().x(x.filter(&rows)?))?;
            assert!(all.filter(&rows)?.equals_missing(&alone), "the group of row {row}");
        }
    }
    Ok(())
}

#[test]
fn an_error_names_the_group() {
    let id = Series::new("id".into(), ["a", "b", "a", "b"]);
    let day = Series::new("day".into(), [1, 1, 1, 1]);
    let x = Series::new("t".into(), [0, 0, 1, 0]);
    let error = gradient(&x, EdgeOrder::First, &domain().x(x.clone()).by([id, day])).expect_err("x repeats in b");
    assert!(
        error
            .to_string()
            .contains("0 is followed by 0 in the group `id` = \"b\", `day` = 1;"),
        "{error}"
    );
}

#[test]
fn a_gap_is_of_the_kind_of_x() {
    let y = Series::new("y".into(), [0.0, 1.0, 4.0]);
    let at = y
        .cast(&DataType::Datetime(TimeUnit::Microseconds, None))
        .expect("a time");
    let step = Length::Step(1.0);
    let time = Length::Nanoseconds(1_000);
    for (x, max_gap, part) in [
        (None, step, "there is no `x`"),
        (Some(&y), time, "must be a number"),
        (Some(&at), step, "must be a duration"),
        (Some(&y), Length::Step(-1.0), "finite and positive"),
    ] {
        let mut domain = domain().max_gap(max_gap);
        if let Some(x) = x {
            domain = domain.x(x.clone());
        }
        let error = gradient(&y, EdgeOrder::First, &domain).expect_err("not a gap");
        assert!(matches!(error, PolarsError::InvalidOperation(_)), "{error:?}");
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[test]
fn lengths_must_agree() {
    let y = Series::new("y".into(), [0.0, 1.0, 4.0]);
    let x = Series::new("x".into(), [0.0, 1.0]);
    let error = gradient(&y, EdgeOrder::First, &domain().x(x.clone())).expect_err("x is shorter");
    assert!(matches!(error, PolarsError::ShapeMismatch(_)), "{error:?}");
}

#[test]
fn strings_and_booleans_have_no_gradient() {
    for y in [
        Series::new("s".into(), ["a", "b"]),
        Series::new("b".into(), [true, false]),
    ] {
        let error = gradient(&y, EdgeOrder::First, &domain()).expect_err("no differences");
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
    let per_hour = domain().per(Duration::from_secs(3600));
    for (unit, count) in [
        (TimeUnit::Milliseconds, 3_600_000),
        (TimeUnit::Microseconds, 3_600_000_000),
        (TimeUnit::Nanoseconds, 3_600_000_000_000),
    ] {
        assert_eq!(
            values(&gradient(
                &y,
                EdgeOrder::First,
                &per_hour.clone().x(hours(unit, count))
            )?),
            [Some(3.0); 3]
        );
        // A time over rows is a duration; over a time, a pure ratio.
        let at = hours(unit, count);
        assert_eq!(
            gradient(&at, EdgeOrder::First, &domain())?.dtype(),
            &DataType::Duration(unit)
        );
        assert_eq!(
            values(&gradient(&at, EdgeOrder::First, &domain().x(at.clone()))?),
            [Some(1.0); 3]
        );
    }
    let every_ten_ms = domain().spacing(Duration::from_millis(10));
    assert_eq!(
        values(&gradient(&y, EdgeOrder::First, &every_ten_ms)?),
        [Some(300.0), Some(450.0), Some(600.0)]
    );
    Ok(())
}

#[test]
fn integers_do_not_wrap_around() -> PolarsResult<()> {
    let falling = Series::new("y".into(), [u64::MAX, 5, 0]);
    let slopes = values(&gradient(&falling, EdgeOrder::First, &domain())?);
    assert_eq!(
        slopes,
        [Some(-(u64::MAX as f64)), Some(-(u64::MAX as f64) / 2.0), Some(-5.0)]
    );
    let extremes = Series::new("y".into(), [i128::MIN, i128::MAX]);
    let slopes = values(&gradient(&extremes, EdgeOrder::First, &domain())?);
    assert_eq!(slopes, [Some(u128::MAX as f64); 2]);
    Ok(())
}
