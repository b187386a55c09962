//! Cells and grids: each cell, each place in cells, each line of a grid is a column of its own.

#[allow(dead_code)] // Its segments are those of other tests.
mod oracle;

use polars::prelude::*;
use polars_grad::{
    EdgeOrder, ExprGradient, GradientOptions, divergence, gradient, gradient_horizontal, magnitude, partials,
};
use proptest::prelude::*;

use oracle::{all_nulls, close, edge_orders, naive, points};

type Cell = Option<Vec<Option<f64>>>;
type Point = (Option<f64>, Option<f64>);

fn options() -> GradientOptions<Column> {
    GradientOptions::new()
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
        let options = options().x(lists("x", &x)).axis(-1).edge_order(edge_order);
        let slopes = cells(&gradient(&in_two(&lists("y", &y), cut), &options)?);
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
            let options = options().x(Series::new("x".into(), &x)).edge_order(edge_order).nulls(nulls).by(by);
            let got = cells(&gradient(&in_two(&arrays, cut), &options)?);
            for (place, column) in [&y, &halves].into_iter().enumerate() {
                let expected = gradient(&Series::new("y".into(), column), &options)?;
                let got: Vec<_> = got.iter().map(|cell| cell.as_ref().and_then(|cell| cell[place])).collect();
                prop_assert_eq!(got, expected.f64()?.to_vec());
            }
        }
    }
}

/// `x² + 3y` on a grid of 4 by 3 points, in no order.
fn field() -> DataFrame {
    let points = (0..12).map(|point| point * 5 % 12);
    let (x, y): (Vec<_>, Vec<_>) = points.map(|point| (f64::from(point / 3), f64::from(point % 3))).unzip();
    let f: Vec<_> = x.iter().zip(&y).map(|(x, y)| x * x + 3.0 * y).collect();
    df!("x" => x, "y" => y, "f" => f).expect("columns of one length")
}

fn columns(frame: &DataFrame, names: &[&str]) -> Vec<Column> {
    names
        .iter()
        .map(|name| frame.column(name).expect("a column").clone())
        .collect()
}

#[test]
fn a_field_has_its_partial_derivatives() -> PolarsResult<()> {
    let frame = field();
    let wrt = columns(&frame, &["x", "y"]);
    let f = frame.column("f")?;
    let exact = options().edge_order(EdgeOrder::Second);
    let slopes = partials(f, &wrt, &exact)?.struct_()?.clone().unnest();
    let twice_x: Float64Chunked = frame.column("x")?.f64()? * 2.0;
    assert_eq!(slopes.column("x")?.f64()?.to_vec(), twice_x.to_vec());
    assert_eq!(slopes.column("y")?.f64()?.to_vec(), vec![Some(3.0); 12]);

    let length = magnitude(f, &wrt, &exact)?;
    let expected: Vec<_> = twice_x.iter().map(|x| x.map(|x| x.hypot(3.0))).collect();
    for (got, expected) in length.f64()?.iter().zip(expected) {
        assert!((got.expect("a slope") - expected.expect("a slope")).abs() < 1e-12);
    }
    let vectors = slopes.into_struct("v".into()).into_column();
    let laplace = divergence(&vectors, &wrt, &exact)?;
    assert_eq!(laplace.f64()?.to_vec(), vec![Some(2.0); 12]);
    Ok(())
}

#[test]
fn lazy_frames_have_all_of_it_on_both_engines() -> PolarsResult<()> {
    let frame = field();
    let wrt = || [col("x"), col("y")];
    let cell = concat_list([col("x"), col("y"), col("f")])?;
    let query = frame.clone().lazy().select([
        col("f").partials(wrt(), GradientOptions::new()),
        col("f").magnitude(wrt(), GradientOptions::new()).alias("magnitude"),
        as_struct(vec![col("f"), col("f").alias("g")])
            .divergence(wrt(), GradientOptions::new())
            .alias("divergence"),
        cell.gradient(GradientOptions::new().axis(1)).alias("inside"),
    ]);
    let planned = query.clone().collect_schema()?;
    let names = query.clone().explain(true)?;
    assert!(names.contains("partials") && names.contains("magnitude"), "{names}");
    let in_memory = query.clone().collect_with_engine(Engine::InMemory)?.unwrap_single();
    let streamed = query.collect_with_engine(Engine::Streaming)?.unwrap_single();
    assert!(in_memory.equals_missing(&streamed));
    assert_eq!(**in_memory.schema(), *planned);
    let wrt = columns(&frame, &["x", "y"]);
    assert_eq!(in_memory.column("f")?, &partials(frame.column("f")?, &wrt, &options())?);
    Ok(())
}

#[test]
fn what_does_not_fit_is_said() {
    let frame = field();
    let (f, wrt) = (&columns(&frame, &["f"])[0], columns(&frame, &["x", "y"]));
    let says = |result: PolarsResult<Column>, words: &str| {
        let message = result.expect_err("an error").to_string();
        assert!(message.contains(words), "{message}");
    };
    says(
        gradient(f, &options().axis(1)),
        "`axis` must be 0, down the rows, as y column `f` is f64",
    );
    says(partials(f, &[], &options()), "`wrt` must name at least one coordinate");
    says(
        partials(f, &wrt, &options().x(f.clone())),
        "on a grid `wrt` names the coordinates, got `x` too",
    );
    says(
        partials(f, &wrt[..1], &options()),
        "drop duplicates, tell grids apart by `by`, or turn `strict` off",
    );
    says(divergence(f, &wrt, &options()), "`divergence` takes a vector");
    says(gradient_horizontal(&[], &options()), "at least one column");
    let short = frame.column("y").expect("a column").head(Some(5));
    says(
        partials(f, &[short], &options()),
        "column `y` must be as long as y: got 5 and 12 rows",
    );
    let ragged = lists("y", &[Some(vec![Some(1.0)]), Some(vec![Some(1.0), Some(2.0)])]).into_column();
    says(
        gradient(&ragged, &options()),
        "one of 1 values meets one of 2; turn `strict` off",
    );
    says(
        gradient(&ragged, &options().axis(1).x(lists("x", &[Some(vec![Some(1.0)])]))),
        "1 of column `x` meet 2",
    );
}
