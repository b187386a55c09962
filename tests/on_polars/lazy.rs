//! Expressions in lazy frames: every context, both engines, any chunks.

use std::time::Duration;

use polars::prelude::*;
use polars_grad::{Domain, EdgeOrder, ExprGrad, Gradient, Nulls, evaluate};
use proptest::prelude::*;

fn over_t() -> Domain<Expr> {
    Domain::new().x(col("t"))
}

/// Squares of t in the groups a (t = 0, 1, 3, 4) and b (t = 0, 2, 3), taking turns.
fn frame() -> DataFrame {
    df!(
        "id" => ["a", "b", "a", "b", "a", "a", "b"],
        "t" => [0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 3.0],
        "y" => [0.0, 0.0, 1.0, 4.0, 9.0, 16.0, 9.0],
    )
    .expect("columns of one length")
}

/// The slopes of [`frame`] group by group.
const BY_ID: [f64; 7] = [1.0, 2.0, 2.0, 4.0, 6.0, 7.0, 5.0];

/// Group a of [`frame`] alone, in two chunks.
fn squares() -> LazyFrame {
    let part = |t: [f64; 2]| df!("t" => t, "y" => t.map(|t| t * t)).expect("columns of one length");
    let mut frame = part([0.0, 1.0]);
    frame.vstack_mut(&part([3.0, 4.0])).expect("the same columns");
    assert_eq!(frame.first_col_n_chunks(), 2);
    frame.lazy()
}

/// The result of a query; both engines must agree on it.
fn collect(query: LazyFrame) -> PolarsResult<DataFrame> {
    let in_memory = query.clone().collect_with_engine(Engine::InMemory)?.unwrap_single();
    let streamed = query.collect_with_engine(Engine::Streaming)?.unwrap_single();
    assert!(
        in_memory.equals_missing(&streamed),
        "{in_memory} in memory, {streamed} streamed"
    );
    Ok(in_memory)
}

fn values(frame: &DataFrame, name: &str) -> Vec<Option<f64>> {
    frame
        .column(name)
        .and_then(|column| column.f64())
        .expect("a Float64 column")
        .to_vec()
}

/// What is wrong, without the expressions that it is wrong in.
fn cause(error: &PolarsError) -> &PolarsError {
    match error {
        PolarsError::Context { error, .. } | PolarsError::ExprContext { error, .. } => cause(error),
        error => error,
    }
}

#[test]
fn select_and_with_columns_keep_name_and_height() -> PolarsResult<()> {
    let slopes = collect(squares().select([col("y").grad(Gradient::new(), over_t())]))?;
    assert_eq!(slopes, df!("y" => [1.0, 2.0, 6.0, 7.0])?);
    let slopes = collect(squares().with_columns([col("y").grad(Gradient::new(), over_t()).alias("dy_dt")]))?;
    assert_eq!(
        slopes,
        df!("t" => [0.0, 1.0, 3.0, 4.0], "y" => [0.0, 1.0, 9.0, 16.0], "dy_dt" => [1.0, 2.0, 6.0, 7.0])?
    );
    let slopes = collect(squares().select([col("y").grad(Gradient::new(), over_t()).name().suffix("_dt")]))?;
    assert_eq!(slopes.get_column_names(), ["y_dt"]);
    Ok(())
}

#[test]
fn the_operator_and_each_part_of_the_domain_are_heard() -> PolarsResult<()> {
    let query = squares().select([
        col("y").grad(Gradient::new(), Domain::new()).alias("rows"),
        col("y")
            .grad(Gradient::new(), Domain::new().spacing(0.5))
            .alias("spacing"),
        col("y")
            .grad(Gradient::new().edge_order(EdgeOrder::Second), over_t())
            .alias("second"),
        col("y").grad(Gradient::new(), over_t().max_gap(1.0)).alias("max_gap"),
        col("y")
            .grad(Gradient::new().edge_order(EdgeOrder::Second), over_t().max_gap(1.0))
            .alias("short"),
    ]);
    let expected = df!(
        "rows" => [1.0, 4.5, 7.5, 7.0],
        "spacing" => [2.0, 9.0, 15.0, 14.0],
        "second" => [0.0, 2.0, 6.0, 8.0],
        "max_gap" => [1.0, 1.0, 7.0, 7.0],
        "short" => [None::<f64>; 4],
    )?;
    assert!(collect(query)?.equals_missing(&expected));
    Ok(())
}

#[test]
fn x_may_be_any_expression_and_y_too() -> PolarsResult<()> {
    let slopes = collect(
        squares().select([
            (col("y") * lit(2)).grad(Gradient::new(), Domain::new().x(col("t") + lit(5))),
            col("y")
                .grad(Gradient::new(), over_t())
                .grad(Gradient::new(), over_t())
                .alias("second derivative"),
            col("y")
                .grad(Gradient::new(), Domain::new().x(col("y").sqrt()))
                .alias("own root"),
        ]),
    )?;
    assert_eq!(values(&slopes, "y"), [2.0, 4.0, 12.0, 14.0].map(Some));
    // Slopes 1, 2, 6, 7 over 0, 1, 3, 4.
    assert_eq!(
        values(&slopes, "second derivative"),
        [1.0, 4.0 / 3.0, 4.0 / 3.0, 1.0].map(Some)
    );
    assert_eq!(values(&slopes, "own root"), [1.0, 2.0, 6.0, 7.0].map(Some));
    Ok(())
}

#[test]
fn filters_and_slices_before_it_cut_neighbours_and_after_it_do_not() -> PolarsResult<()> {
    let slope = || col("y").grad(Gradient::new(), over_t()).alias("slope");
    let late = || col("t").gt(lit(0.5));

    let before = collect(squares().filter(late()).with_columns([slope()]))?;
    assert_eq!(values(&before, "slope"), [4.0, 6.0, 7.0].map(Some));
    let after = collect(squares().with_columns([slope()]).filter(late()))?;
    assert_eq!(values(&after, "slope"), [2.0, 6.0, 7.0].map(Some));
    let by_itself = collect(squares().filter(col("y").grad(Gradient::new(), over_t()).gt(lit(1.5))))?;
    assert_eq!(values(&by_itself, "t"), [1.0, 3.0, 4.0].map(Some));

    let before = collect(squares().slice(1, 2).with_columns([slope()]))?;
    assert_eq!(values(&before, "slope"), [4.0, 4.0].map(Some));
    let after = collect(squares().with_columns([slope()]).slice(1, 2))?;
    assert_eq!(values(&after, "slope"), [2.0, 6.0].map(Some));
    let last = collect(squares().select([slope()]).tail(1))?;
    assert_eq!(values(&last, "slope"), [Some(7.0)]);
    let last = collect(squares().select([slope().tail(Some(1))]))?;
    assert_eq!(values(&last, "slope"), [Some(7.0)]);
    Ok(())
}

#[test]
fn by_and_over_are_the_same_group_by_group() -> PolarsResult<()> {
    let slopes = collect(
        frame().lazy().select([
            col("y").grad(Gradient::new(), over_t().by([col("id")])).alias("by"),
            col("y")
                .grad(Gradient::new(), over_t())
                .over([col("id")])?
                .alias("over"),
            col("y")
                .grad(Gradient::new(), over_t().nulls(Nulls::Skip))
                .over([col("id")])?
                .alias("skip"),
        ]),
    )?;
    assert_eq!(slopes, df!("by" => BY_ID, "over" => BY_ID, "skip" => BY_ID)?);
    Ok(())
}

#[test]
fn over_can_put_x_in_order_first() -> PolarsResult<()> {
    let shuffled = frame().take(&IdxCa::from_vec("".into(), vec![5, 3, 0, 6, 4, 1, 2]))?;
    let slope = col("y").grad(Gradient::new(), over_t()).over_with_options(
        Some([col("id")]),
        Some(([col("t")], SortOptions::default())),
        WindowMapping::default(),
    )?;
    let slopes = collect(shuffled.lazy().with_columns([slope.alias("slope")]))?;
    let expected = [5, 3, 0, 6, 4, 1, 2].map(|row| Some(BY_ID[row]));
    assert_eq!(values(&slopes, "slope"), expected);
    Ok(())
}

#[test]
fn each_group_of_an_aggregation_is_a_column_of_its_own() -> PolarsResult<()> {
    let query = frame().lazy().group_by_stable([col("id")]).agg([
        col("y").grad(Gradient::new(), over_t()).alias("all"),
        col("y").grad(Gradient::new(), over_t()).max().alias("steepest"),
        col("y").grad(Gradient::new(), over_t()).first().alias("first"),
        col("y")
            .grad(Gradient::new(), over_t())
            .slice(lit(-2), lit(1))
            .first()
            .alias("last but one"),
        col("y")
            .grad(Gradient::new(), over_t().nulls(Nulls::Skip))
            .first()
            .alias("skip"),
    ]);
    let slopes = collect(query)?;
    assert_eq!(values(&slopes, "steepest"), [7.0, 5.0].map(Some));
    assert_eq!(values(&slopes, "first"), [1.0, 2.0].map(Some));
    assert_eq!(values(&slopes, "last but one"), [6.0, 4.0].map(Some));
    assert_eq!(values(&slopes, "skip"), [1.0, 2.0].map(Some));
    let of_b = slopes
        .column("all")?
        .list()?
        .get_as_series(1)
        .expect("the second group");
    assert_eq!(of_b.f64()?.to_vec(), [2.0, 4.0, 5.0].map(Some));
    Ok(())
}

/// The last slope of what `slope` is of each group of [`frame`].
fn last_of_groups(slope: Expr) -> PolarsResult<Vec<Option<f64>>> {
    let query = frame()
        .lazy()
        .group_by_stable([col("id")])
        .agg([slope.last().alias("last")]);
    Ok(values(&collect(query)?, "last"))
}

#[test]
fn what_a_filter_leaves_of_a_group_is_a_column() -> PolarsResult<()> {
    let late = |name| col(name).filter(col("t").gt(lit(0.0)));
    let over_late = Domain::new().x(late("t"));
    assert_eq!(
        last_of_groups(late("y").grad(Gradient::new(), over_late))?,
        [7.0, 5.0].map(Some)
    );
    assert_eq!(
        last_of_groups(late("y").grad(Gradient::new(), Domain::new()))?,
        [7.0, 5.0].map(Some)
    );
    Ok(())
}

#[test]
fn a_group_can_be_sorted_first() -> PolarsResult<()> {
    let falling = SortOptions::default().with_order_descending(true);
    let over_sorted = Domain::new().x(col("t").sort(falling));
    let sorted = col("y").sort_by([col("t")], SortMultipleOptions::from(&falling));
    assert_eq!(
        last_of_groups(sorted.grad(Gradient::new(), over_sorted))?,
        [1.0, 2.0].map(Some)
    );
    Ok(())
}

#[test]
fn the_head_of_a_group_is_a_column() -> PolarsResult<()> {
    let head = col("y").head(Some(2));
    assert_eq!(
        last_of_groups(head.grad(Gradient::new(), Domain::new()))?,
        [1.0, 4.0].map(Some)
    );
    Ok(())
}

#[test]
fn what_is_left_of_a_group_without_nulls_is_a_column() -> PolarsResult<()> {
    let late = col("y").filter(col("t").gt(lit(0.0)));
    let skip = Domain::new().nulls(Nulls::Skip);
    assert_eq!(last_of_groups(late.grad(Gradient::new(), skip))?, [7.0, 5.0].map(Some));
    Ok(())
}

#[test]
fn one_branch_of_a_condition_sees_all_rows() -> PolarsResult<()> {
    let slope = when(col("t").gt(lit(0.5)))
        .then(col("y").grad(Gradient::new(), over_t()))
        .otherwise(lit(-1.0));
    let slopes = collect(squares().select([slope.alias("slope")]))?;
    assert_eq!(values(&slopes, "slope"), [-1.0, 2.0, 6.0, 7.0].map(Some));
    Ok(())
}

#[test]
fn several_columns_at_once_keep_their_names() -> PolarsResult<()> {
    let wide = squares().with_columns([(col("y") * lit(3.0)).alias("z")]);
    let expected = df!("y" => [1.0, 2.0, 6.0, 7.0], "z" => [3.0, 6.0, 18.0, 21.0])?;
    for domain in [over_t(), over_t().nulls(Nulls::Skip)] {
        let both = cols(["y", "z"]).as_expr().grad(Gradient::new(), domain.clone());
        assert_eq!(collect(wide.clone().select([both]))?, expected);
        let rest = all().exclude_cols(["t"]).as_expr().grad(Gradient::new(), domain);
        assert_eq!(
            collect(wide.clone().select([rest.name().prefix("d")]))?.get_column_names(),
            ["dy", "dz"]
        );
    }
    Ok(())
}

#[test]
fn a_thousand_columns_share_one_x() -> PolarsResult<()> {
    let t = [0.0, 1.0, 3.0, 4.0];
    let mut columns = vec![Column::new("t".into(), t)];
    columns.extend((0..1000).map(|n| Column::new(format!("y{n}").into(), t.map(|t| t * t * f64::from(n)))));
    let wide = DataFrame::new(4, columns)?;
    let slopes = collect(
        wide.lazy()
            .select([all().exclude_cols(["t"]).as_expr().grad(Gradient::new(), over_t())]),
    )?;
    assert_eq!(slopes.width(), 1000);
    for n in 0..1000 {
        let expected = [1.0, 2.0, 6.0, 7.0].map(|slope| Some(slope * f64::from(n)));
        assert_eq!(values(&slopes, &format!("y{n}")), expected);
    }
    Ok(())
}

#[test]
fn a_domain_of_names_becomes_a_domain_of_columns() -> PolarsResult<()> {
    let by_name: Domain<String> = Domain::new().x("t").by(["id"]);
    let slopes = collect(
        frame()
            .lazy()
            .select([col("y").grad(Gradient::new(), by_name.map_columns(col))]),
    )?;
    assert_eq!(slopes, df!("y" => BY_ID)?);
    Ok(())
}

#[test]
fn the_plan_shows_a_gradient() -> PolarsResult<()> {
    for domain in [over_t(), over_t().by([col("id")])] {
        for optimized in [false, true] {
            let plan = frame()
                .lazy()
                .select([col("y").grad(Gradient::new(), domain.clone()).alias("slope")])
                .explain(optimized)?;
            assert!(plan.contains("gradient"), "{plan}");
            assert!(!plan.to_lowercase().contains("anonymous"), "{plan}");
        }
    }
    Ok(())
}

#[test]
fn keys_and_skipped_nulls_go_together() -> PolarsResult<()> {
    let with_nulls = df!(
        "id" => [Some("a"), None, Some("a"), None, Some("a"), Some("a"), None],
        "t" => [Some(0.0), Some(0.0), None, Some(2.0), Some(3.0), Some(4.0), Some(3.0)],
        "y" => [Some(0.0), Some(0.0), Some(-7.0), None, Some(9.0), Some(16.0), Some(9.0)],
    )?;
    let skip = over_t().nulls(Nulls::Skip);
    let slopes = collect(with_nulls.lazy().select([
        col("y").grad(Gradient::new(), skip.clone().by([col("id")])).alias("by"),
        col("y").grad(Gradient::new(), skip).over([col("id")])?.alias("over"),
    ]))?;
    let expected = [Some(3.0), Some(3.0), None, None, Some(6.0), Some(7.0), Some(3.0)];
    assert_eq!(values(&slopes, "by"), expected);
    assert_eq!(values(&slopes, "over"), expected);
    Ok(())
}

#[test]
fn the_schema_is_known_before_the_query_runs() -> PolarsResult<()> {
    let time = DataType::Datetime(TimeUnit::Milliseconds, None);
    let mut query = squares().select([
        col("y").grad(Gradient::new(), over_t()).alias("f64"),
        col("y")
            .cast(DataType::Float32)
            .grad(Gradient::new(), over_t().nulls(Nulls::Skip))
            .alias("f32"),
        col("y")
            .cast(DataType::UInt8)
            .grad(Gradient::new(), over_t())
            .alias("u8"),
        col("y")
            .cast(time.clone())
            .grad(Gradient::new(), over_t())
            .alias("duration"),
        col("y")
            .cast(time.clone())
            .grad(Gradient::new(), Domain::new().x(col("t").cast(time)))
            .alias("ratio"),
    ]);
    let schema = query.collect_schema()?;
    let duration = DataType::Duration(TimeUnit::Milliseconds);
    let expected = [
        DataType::Float64,
        DataType::Float32,
        DataType::Float64,
        duration,
        DataType::Float64,
    ];
    assert_eq!(schema.iter_values().cloned().collect::<Vec<_>>(), expected);
    assert_eq!(collect(query)?.schema().as_ref(), schema.as_ref());
    Ok(())
}

#[test]
fn dtypes_and_domains_that_do_not_fit_are_refused_when_the_query_is_planned() {
    let y = || col("y");
    for (slope, words) in [
        (
            col("id").grad(Gradient::new(), over_t()),
            "takes a numeric or temporal y, but column `id` is str",
        ),
        (
            y().grad(Gradient::new(), Domain::new().x(col("id"))),
            "takes a numeric or temporal x, but column `id` is str",
        ),
        (
            y().gt(lit(1)).grad(Gradient::new(), over_t()),
            "no meaning for booleans, but y column `y` is bool",
        ),
        (
            y().grad(Gradient::new(), over_t().per(Duration::from_secs(1))),
            "`per` is the unit of a temporal x, but x column `t`",
        ),
        (
            y().grad(Gradient::new(), over_t().spacing(1.0)),
            "`x` and `spacing` exclude each other",
        ),
        (
            y().grad(Gradient::new(), Domain::new().spacing(0.0)),
            "`spacing` must be finite and not zero",
        ),
        (
            y().grad(Gradient::new(), over_t().max_gap(-1.0).by([col("id")])),
            "`max_gap` must be finite and positive",
        ),
        (
            y().grad(Gradient::new(), over_t().max_gap(Duration::from_secs(1))),
            "`max_gap` must be a number",
        ),
    ] {
        let error = frame().lazy().select([slope]).collect_schema().expect_err(words);
        assert!(matches!(cause(&error), PolarsError::InvalidOperation(_)), "{error:?}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn an_unsorted_x_is_an_error_when_the_query_runs_and_null_if_not_strict() -> PolarsResult<()> {
    let turning = || df!("t" => [0, 1, 1, 2, 3], "y" => [0.0, 1.0, 4.0, 9.0, 16.0], "id" => [7; 5]);
    for domain in [over_t(), over_t().nulls(Nulls::Skip), over_t().by([col("id")])] {
        let mut query = turning()?
            .lazy()
            .select([col("y").grad(Gradient::new(), domain.clone())]);
        query.collect_schema()?;
        for engine in [Engine::InMemory, Engine::Streaming] {
            let error = query
                .clone()
                .collect_with_engine(engine)
                .map(drop)
                .expect_err("t repeats");
            assert!(matches!(cause(&error), PolarsError::ComputeError(_)), "{error:?}");
            assert!(error.to_string().contains("column `t` 1 is followed by 1"), "{error}");
        }
        let lenient = turning()?
            .lazy()
            .select([col("y").grad(Gradient::new(), domain.strict(false))]);
        assert_eq!(
            values(&collect(lenient)?, "y"),
            [Some(1.0), None, None, Some(6.0), Some(7.0)]
        );
    }
    let by_id = over_t().by([col("id")]);
    let error = turning()?
        .lazy()
        .select([col("y").grad(Gradient::new(), by_id)])
        .collect()
        .expect_err("t repeats");
    assert!(error.to_string().contains("in the group `id` = 7"), "{error}");
    Ok(())
}

#[test]
fn a_single_value_has_no_slope_and_a_shorter_x_is_refused() -> PolarsResult<()> {
    let slopes = collect(squares().select([col("y").sum().grad(Gradient::new(), Domain::new())]))?;
    assert_eq!(values(&slopes, "y"), [None]);
    for domain in [over_t(), over_t().nulls(Nulls::Skip)] {
        let query = squares().select([col("y").grad(Gradient::new(), domain.x(col("t").head(Some(2))))]);
        for engine in [Engine::InMemory, Engine::Streaming] {
            let error = query
                .clone()
                .collect_with_engine(engine)
                .map(drop)
                .expect_err("x is shorter");
            assert!(matches!(cause(&error), PolarsError::ShapeMismatch(_)), "{error:?}");
        }
    }
    Ok(())
}

#[test]
fn too_few_rows_have_no_slope() -> PolarsResult<()> {
    for rows in [0, 1] {
        for (edge_order, domain) in [
            (EdgeOrder::First, over_t()),
            (EdgeOrder::First, over_t().nulls(Nulls::Skip)),
            (EdgeOrder::Second, over_t()),
        ] {
            let slope = col("y").grad(Gradient::new().edge_order(edge_order), domain);
            let slopes = collect(squares().slice(0, rows).select([slope]))?;
            assert_eq!(values(&slopes, "y"), vec![None; rows as usize]);
        }
    }
    Ok(())
}

/// Batches as long as the parts, on the streaming engine.
fn in_parts(frame: &DataFrame, cuts: &[prop::sample::Index]) -> LazyFrame {
    let mut places: Vec<_> = cuts.iter().map(|cut| cut.index(frame.height() + 1)).collect();
    places.extend([0, frame.height()]);
    places.sort_unstable();
    let part = |pair: &[usize]| frame.slice(pair[0] as i64, pair[1] - pair[0]).lazy();
    let parts: Vec<_> = places.windows(2).map(part).collect();
    concat(
        parts,
        UnionArgs {
            rechunk: false,
            ..UnionArgs::default()
        },
    )
    .expect("the same columns")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn neither_batches_nor_slices_nor_filters_change_the_bits(
        y in prop::collection::vec(prop::option::weighted(0.95, -1e3..1e3), 1..200),
        steps in prop::collection::vec(0.1..9.0, 200),
        second in any::<bool>(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
        first in any::<prop::sample::Index>(),
        length in 0..50_u32,
    ) {
        let edge_order = if second { EdgeOrder::Second } else { EdgeOrder::First };
        let t: Vec<_> = steps[..y.len()].iter().scan(0.0, |t, step| { *t += step; Some(*t) }).collect();
        let frame = df!("t" => t, "y" => &y)?;
        let operator = Gradient::new().edge_order(edge_order);
        let eager = Domain::new().x(frame.column("t")?.clone());
        let expected = evaluate(frame.column("y")?, operator, &eager)?;
        let query = in_parts(&frame, &cuts).with_columns([col("y").grad(operator, over_t()).alias("slope")]);
        prop_assert!(collect(query.clone())?.column("slope")?.equals_missing(&expected.clone().with_name("slope".into())));

        let first = first.index(y.len()) as i64;
        let slice = collect(query.clone().slice(first, length).select([col("slope")]))?;
        let expected_slice = expected.slice(first, length as usize).with_name("slope".into());
        prop_assert!(slice.column("slope")?.equals_missing(&expected_slice));

        let filtered = collect(query.filter(col("y").gt(lit(0.0))).select([col("slope")]))?;
        let positive = frame.column("y")?.as_materialized_series().gt(0.0)?;
        let expected_filtered = expected.filter(&positive)?.with_name("slope".into());
        prop_assert!(filtered.column("slope")?.equals_missing(&expected_filtered));
    }
}
