//! Cells: each cell, and each index in cells, is a column of its own.

use polars::prelude::*;
use polars_arrow::array::ListArray;
use polars_arrow::bitmap::Bitmap;
use polars_arrow::offset::OffsetsBuffer;
use polars_grad::{Differentiable, Domain, EdgeOrder, ExprGrad, Gradient, Nulls, evaluate, gradient_horizontal};
use proptest::prelude::*;

use crate::oracle::{all_nulls, close, edge_orders, naive, points};

type Cell = Option<Vec<Option<f64>>>;
type Point = (Option<f64>, Option<f64>);

fn domain() -> Domain<Column> {
    Domain::new()
}

fn gradient<Y: Differentiable>(y: &Y, domain: &Domain<Column>) -> PolarsResult<Y> {
    evaluate(y, Gradient::new(), domain)
}

fn lists(name: &str, cells: &[Cell]) -> Series {
    let cells: Vec<_> = cells
        .iter()
        .map(|cell| cell.as_ref().map(|cell| Series::new("".into(), cell)))
        .collect();
    let lists = Series::new(name.into(), cells);
    // A column of nothing but nulls has no dtype of its own.
    lists
        .cast(&DataType::List(Box::new(DataType::Float64)))
        .expect("lists of numbers")
}

fn cells(column: &Series) -> Vec<Cell> {
    let lists = column
        .cast(&DataType::List(Box::new(DataType::Float64)))
        .expect("cells of numbers");
    let lists = lists.list().expect("lists").clone();
    lists
        .amortized_iter()
        .map(|cell| cell.map(|cell| cell.as_ref().f64().expect("numbers").to_vec()))
        .collect()
}

/// The same column in two chunks.
fn in_two(column: &Series, cut: usize) -> Series {
    let cut = cut % (column.len() + 1);
    let mut first = column.slice(0, cut);
    first
        .append(&column.slice(cut as i64, column.len() - cut))
        .expect("the same dtype");
    first
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn each_cell_is_a_column(
        rows in prop::collection::vec(prop::option::weighted(0.9, points()), 0..6),
        edge_order in edge_orders(),
        cut in 0_usize..6,
    ) {
        let split = |part: fn(&Point) -> Option<f64>| -> Vec<Cell> {
            rows.iter().map(|cell| cell.as_ref().map(|cell: &Vec<Point>| cell.iter().map(part).collect())).collect()
        };
        let (y, x) = (split(|point| point.0), split(|point| point.1));
        let domain = domain().x(lists("x", &x)).axis(-1);
        let operator = Gradient::new().edge_order(edge_order);
        let slopes = cells(&evaluate(&in_two(&lists("y", &y), cut), operator, &domain)?);
        prop_assert_eq!(slopes.len(), rows.len());
        for ((got, y), x) in slopes.iter().zip(&y).zip(&x) {
            prop_assert_eq!(got.is_some(), y.is_some());
            if let (Some(got), Some(y), Some(x)) = (got, y, x) {
                close(got, &naive(y, x, edge_order))?;
            }
        }
    }

    #[test]
    fn each_place_is_a_column(
        points in points(),
        edge_order in edge_orders(),
        nulls in all_nulls(),
        keys in prop::collection::vec(0..3, 100),
        cut in 0_usize..20,
    ) {
        let (y, x): (Vec<_>, Vec<_>) = points.into_iter().unzip();
        let halves: Vec<_> = y.iter().map(|y| y.map(|y| y / 2.0)).collect();
        let both: Vec<_> = y.iter().zip(&halves).map(|(&y, &half)| Some(vec![y, half])).collect();
        let arrays = lists("y", &both).cast(&DataType::Array(Box::new(DataType::Float64), 2))?;
        let key = Series::new("key".into(), &keys[..y.len().min(100)]);
        prop_assume!(key.len() == y.len());
        for by in [vec![], vec![key.into_column()]] {
            let domain = domain().x(Series::new("x".into(), &x)).nulls(nulls).by(by);
            let operator = Gradient::new().edge_order(edge_order);
            let got = cells(&evaluate(&in_two(&arrays, cut), operator, &domain)?);
            for (place, column) in [&y, &halves].into_iter().enumerate() {
                let expected = evaluate(&Series::new("y".into(), column), operator, &domain)?;
                let got: Vec<_> = got.iter().map(|cell| cell.as_ref().and_then(|cell| cell[place])).collect();
                prop_assert_eq!(got, expected.f64()?.to_vec());
            }
        }
    }
}

#[test]
fn lazy_frames_agree_on_both_engines() -> PolarsResult<()> {
    let frame = df!("a" => [0.0, 5.0], "b" => [1.0, 5.5], "c" => [4.0, 7.0])?;
    let cell = concat_list([col("a"), col("b"), col("c")])?;
    let query = frame
        .lazy()
        .select([cell.grad(Gradient::new(), Domain::new().axis(1)).alias("inside")]);
    let planned = query.clone().collect_schema()?;
    let in_memory = query.clone().collect_with_engine(Engine::InMemory)?.unwrap_single();
    let streamed = query.collect_with_engine(Engine::Streaming)?.unwrap_single();
    assert!(in_memory.equals_missing(&streamed));
    assert_eq!(**in_memory.schema(), *planned);
    assert_eq!(
        cells(in_memory.column("inside")?.as_materialized_series())[0],
        Some(vec![Some(1.0), Some(2.0), Some(3.0)])
    );
    Ok(())
}

fn message<T: std::fmt::Debug>(result: PolarsResult<T>) -> String {
    result.expect_err("an error").to_string()
}

fn says<T: std::fmt::Debug>(result: PolarsResult<T>, words: &str) {
    let message = message(result);
    assert!(message.contains(words), "{message}");
}

#[test]
fn what_does_not_fit_is_said() {
    let f = Column::new("f".into(), [1.0, 2.0]);
    says(
        gradient(&f, &domain().axis(1)),
        "`axis` must be 0, down the rows, as y column `f` is f64",
    );
    says(
        gradient_horizontal(&[], Gradient::new(), &domain()),
        "at least one column",
    );
    let ragged = lists("y", &[Some(vec![Some(1.0)]), Some(vec![Some(1.0), Some(2.0)])]).into_column();
    says(
        gradient(&ragged, &domain()),
        "one of 1 values meets one of 2; turn `strict` off",
    );
    says(
        gradient(&ragged, &domain().axis(1).x(lists("x", &[Some(vec![Some(1.0)])]))),
        "column `x` has 1 and column `y` has 2",
    );
}

/// Cells of these lengths, of rising numbers; null where there is no length.
fn of_lengths(name: &str, lengths: &[Option<usize>]) -> Series {
    let cell = |length: usize| (0..length).map(|value| Some(value as f64)).collect();
    lists(name, &lengths.iter().map(|length| length.map(cell)).collect::<Vec<_>>())
}

fn lengths() -> impl Strategy<Value = Vec<Option<usize>>> {
    prop::collection::vec(prop::option::weighted(0.8, 0_usize..4), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whether a cell of x fits that of y does not depend on the rows around it, nor on chunks or batches.
    #[test]
    fn a_row_is_judged_by_itself(y in lengths(), x in lengths(), is_shared in any::<bool>(), cut in 0_usize..6) {
        let rows = y.len();
        let x: Vec<_> = if is_shared { vec![x[0]] } else { (0..rows).map(|row| x[row % x.len()]).collect() };
        let of_row = |row: usize| x[if is_shared { 0 } else { row }];
        let fits = |row: usize| y[row].zip(of_row(row)).is_none_or(|(y, x)| y == x);
        let (y, x) = (of_lengths("y", &y), of_lengths("x", &x));
        let slopes = |y: &Series, x: &Series, strict| gradient(y, &domain().axis(1).x(x.clone()).strict(strict));

        let whole = slopes(&in_two(&y, cut), &in_two(&x, cut), true);
        prop_assert_eq!(whole.is_ok(), (0..rows).all(fits));
        let lenient = slopes(&y, &x, false)?;
        for row in 0..rows {
            let one = (y.slice(row as i64, 1), x.slice(if is_shared { 0 } else { row as i64 }, 1));
            prop_assert_eq!(slopes(&one.0, &one.1, true).is_ok(), fits(row), "row {}", row);
            prop_assert!(slopes(&one.0, &one.1, false)?.equals_missing(&lenient.slice(row as i64, 1)), "row {}", row);
        }
    }
}

#[test]
fn an_empty_cell_has_no_coordinates_on_either_engine() -> PolarsResult<()> {
    let frame = df!(
        "y" => [Series::new("".into(), [0.0, 1.0]), Series::new_empty("".into(), &DataType::Float64)],
        "x" => [Series::new("".into(), [0.0, 2.0]), Series::new("".into(), [5.0])],
    )?;
    let slopes = |strict| {
        let domain = Domain::new().x("x").axis(1).strict(strict);
        frame.clone().lazy().select([col("y").grad(Gradient::new(), domain)])
    };
    for engine in [Engine::InMemory, Engine::Streaming] {
        let collected = || PolarsResult::Ok(slopes(true).collect_with_engine(engine)?.unwrap_single());
        says(collected(), "column `x` has 1 and column `y` has 0");
        let lenient = slopes(false).collect_with_engine(engine)?.unwrap_single();
        let lenient = cells(lenient.column("y")?.as_materialized_series());
        assert_eq!(lenient, [Some(vec![Some(0.5), Some(0.5)]), Some(vec![])]);
    }
    Ok(())
}

fn nulls(column: &Series) -> Vec<bool> {
    column.is_null().iter().flatten().collect()
}

#[test]
fn values_hidden_in_null_lists_do_not_count() -> PolarsResult<()> {
    let values = Series::new("".into(), [0.0, 1.0, 5.0, 6.0]).chunks()[0].clone();
    let dtype = ListArray::<i64>::default_datatype(values.dtype().clone());
    let offsets = OffsetsBuffer::try_from(vec![0_i64, 2, 4]).expect("rising offsets");
    let hiding = ListArray::<i64>::new(dtype, offsets, values, Some(Bitmap::from([true, false]))).boxed();
    let hiding = Series::try_from((PlSmallStr::from("y"), hiding))?;
    let y = lists("y", &[Some(vec![Some(0.0), Some(1.0)]), None]);
    assert!(hiding.equals_missing(&y));
    // Unsorted where y is null.
    let x = lists(
        "x",
        &[Some(vec![Some(0.0), Some(2.0)]), Some(vec![Some(7.0), Some(7.0)])],
    );
    for domain in [domain().axis(1), domain().axis(1).x(x), domain()] {
        let (hiding, plain) = (gradient(&hiding, &domain)?, gradient(&y, &domain)?);
        assert!(hiding.equals_missing(&plain), "{domain:?}");
    }
    Ok(())
}

#[test]
fn x_is_checked_beside_null_lists_too() -> PolarsResult<()> {
    let y = lists("y", &[Some(vec![Some(1.0)]), None, None]);
    let words = "in column `x` 1.0 is followed by 1.0";
    let x = Series::new("x".into(), [0.0, 1.0, 1.0]);
    let x_cells = lists(
        "x",
        &[Some(vec![Some(0.0)]), Some(vec![Some(1.0)]), Some(vec![Some(1.0)])],
    );
    for x in [x, x_cells] {
        // The last two rows, which are all null, as a batch of their own.
        for (y, x) in [(y.clone(), x.clone()), (y.slice(1, 2), x.slice(1, 2))] {
            says(gradient(&y, &domain().x(x.clone())), words);
            assert_eq!(gradient(&y, &domain().x(x).strict(false))?.null_count(), 2);
        }
    }
    Ok(())
}

#[test]
fn with_skipped_nulls_only_cells_of_one_group_must_be_of_one_length() -> PolarsResult<()> {
    let skip = || domain().nulls(Nulls::Skip);
    let y = of_lengths("y", &[Some(1), Some(2), Some(1), None, Some(2)]);
    let key = Series::new("key".into(), ["a", "b", "a", "a", "b"]);
    let slopes = cells(&gradient(&y, &skip().by([key.clone()]))?);
    let (one, two) = (Some(vec![Some(0.0)]), Some(vec![Some(0.0), Some(0.0)]));
    assert_eq!(slopes, [one.clone(), two.clone(), one, None, two]);
    says(gradient(&y, &skip()), "in column `y` there are 1 and 2 values");
    let mixed = key.slice(0, 1).new_from_index(0, 5);
    says(
        gradient(&y, &skip().by([mixed])),
        "1 and 2 values in the group `key` = \"a\"",
    );

    // Inside of cells each cell is a group.
    let pairs = of_lengths("", &[Some(2), Some(2)]);
    let y = Series::new("y".into(), [pairs, of_lengths("", &[Some(1), Some(1), None])]);
    let slopes = gradient(&y, &skip().axis(1))?;
    assert_eq!(slopes.dtype(), y.dtype());
    let alone = gradient(&y.slice(1, 1), &skip().axis(1))?;
    assert!(slopes.slice(1, 1).equals_missing(&alone));
    Ok(())
}

/// Arrays of width 0, of which only some are null.
fn empty_arrays(name: &str, inner: DataType) -> Series {
    let lists = of_lengths(name, &[Some(0), None, Some(0)]);
    let lists = lists
        .cast(&DataType::List(Box::new(inner.clone())))
        .expect("empty lists");
    lists
        .cast(&DataType::Array(Box::new(inner), 0))
        .expect("arrays of width 0")
}

#[test]
fn arrays_without_values_have_no_slopes() -> PolarsResult<()> {
    let times = DataType::Duration(TimeUnit::Microseconds);
    for inner in [DataType::Float64, DataType::Int32, times.clone()] {
        let slope = if inner == times {
            inner.clone()
        } else {
            DataType::Float64
        };
        let y = empty_arrays("y", inner);
        assert_eq!((y.len(), y.null_count()), (3, 1));
        for y in [y.clone(), in_two(&y, 1), y.clear(), y.slice(1, 2)] {
            let key = Series::new("key".into(), &["a", "b", "a"][..y.len()]);
            let inside = domain().axis(1);
            let mut all = vec![
                domain(),
                domain().nulls(Nulls::Skip),
                domain().nulls(Nulls::Split),
                domain().by([key.clone()]),
                domain().by([key]).nulls(Nulls::Skip),
                inside.clone(),
                inside.x(empty_arrays("x", DataType::Float64).slice(0, y.len())),
            ];
            if slope == DataType::Float64 {
                let x = Series::new("x".into(), &[1.0, 2.0, 3.0][..y.len()]);
                all.push(domain().x(x));
            }
            for domain in all {
                for edge_order in [EdgeOrder::First, EdgeOrder::Second] {
                    let slopes = evaluate(&y, Gradient::new().edge_order(edge_order), &domain)?;
                    let dtype = DataType::Array(Box::new(slope.clone()), 0);
                    assert_eq!(slopes.dtype(), &dtype, "{domain:?}");
                    assert_eq!(nulls(&slopes), nulls(&y), "{domain:?}");
                }
            }
        }
    }
    Ok(())
}

#[test]
fn cells_of_chunked_arrays_may_all_be_empty() -> PolarsResult<()> {
    let pairs = DataType::Array(Box::new(DataType::Float64), 2);
    let empty = Series::full_null("y".into(), 0, &pairs);
    let y = Series::new("y".into(), [empty.clone(), empty.clone(), empty]);
    let x = of_lengths("x", &[Some(2), Some(2), Some(2)]).cast(&pairs)?;
    for y in [y.clone(), in_two(&y, 1)] {
        for x in [x.clone(), in_two(&x, 1), in_two(&x, 2)] {
            let slopes = gradient(&y, &domain().axis(2).x(x))?;
            assert_eq!(slopes.dtype(), y.dtype());
            assert!(slopes.equals(&y));
        }
    }
    Ok(())
}

/// The slopes of the first row of each column, by `gradient_horizontal`.
fn across(columns: &[Series]) -> PolarsResult<Vec<Vec<Option<f64>>>> {
    let columns: Vec<_> = columns.iter().cloned().map(Series::into_column).collect();
    let slopes = gradient_horizontal(&columns, Gradient::new(), &domain())?
        .struct_()?
        .fields_as_series();
    slopes.iter().map(|slope| Ok(slope.f64()?.to_vec())).collect()
}

fn decimals(name: &str, units: &[i128], scale: usize) -> Series {
    let units = Int128Chunked::from_slice(name.into(), units);
    units.into_decimal_unchecked(38, scale).into_series()
}

#[test]
fn decimals_of_different_scale_are_exact_side_by_side() -> PolarsResult<()> {
    let tenths = |units: &[i128]| decimals("a", units, 2);
    let slopes = across(&[tenths(&[125, 1]), decimals("b", &[13_333, 10_000], 4)])?;
    assert_eq!(slopes, vec![vec![Some(0.0833), Some(0.99)]; 2]);

    let whole = Series::new("b".into(), [(1_i64 << 53) + 1, 0]);
    let slopes = across(&[tenths(&[((1 << 53) * 100), 5]), whole])?;
    assert_eq!(slopes, vec![vec![Some(1.0), Some(-0.05)]; 2]);
    Ok(())
}

#[test]
fn a_value_beyond_the_common_dtype_rounds_its_row_only() -> PolarsResult<()> {
    let large = 10_i128.pow(37);
    let slopes = across(&[decimals("a", &[large, 125], 0), decimals("b", &[0, 1_250_001], 4)])?;
    assert_eq!(slopes, vec![vec![Some(-1e37), Some(0.0001)]; 2]);
    let one = across(&[decimals("a", &[large], 0), decimals("b", &[0], 4)])?;
    assert_eq!(one, vec![vec![Some(-1e37)]; 2]);

    let unsigned = UInt128Chunked::from_slice("a".into(), &[u128::MAX, (1 << 60) + 1]).into_series();
    let slopes = across(&[unsigned, Series::new("b".into(), [0_i64, 1 << 60])])?;
    assert_eq!(slopes, vec![vec![Some(-(u128::MAX as f64)), Some(-1.0)]; 2]);
    Ok(())
}

#[test]
fn columns_side_by_side_may_be_empty_or_single_values() -> PolarsResult<()> {
    let a = Series::new("a".into(), [1.0, 2.0]);
    let single = Series::new("b".into(), [3.0]);
    assert_eq!(
        across(&[a.clone(), single.clone()])?,
        vec![vec![Some(2.0), Some(1.0)]; 2]
    );
    assert_eq!(across(&[a.clear(), single.clear()])?, vec![vec![]; 2]);
    let nulls = Series::new_null("n".into(), 2);
    assert_eq!(
        across(&[nulls.clone(), nulls.with_name("m".into())])?,
        vec![vec![None, None]; 2]
    );
    says(
        across(&[a, Series::new("c".into(), [1.0, 2.0, 3.0])]),
        "column `c` must be as long as",
    );
    Ok(())
}
