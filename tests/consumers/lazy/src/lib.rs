//! Soundings of the atmosphere by weather balloons, in Polars' lazy frames.
//!
//! What this crate proves: `polars-grad` with the feature `lazy` is a part of any query of a Rust program, on the
//! in-memory and on the streaming engine, with plain expressions, in `over` and in aggregations; and no Python comes with
//! it.

use std::time::Duration;

use polars::prelude::*;
use polars_grad::{Domain, ExprGrad, Gradient, Nulls};

/// What an expression of a temperature `degrees` over an altitude `metres` is per kilometre.
fn lapse_rate(domain: Domain<Expr>) -> Expr {
    let domain = domain.x(col("metres")).nulls(Nulls::Skip).max_gap(500.0);
    (col("degrees").grad(Gradient::new(), domain) * lit(1000.0)).alias("lapse_rate")
}

/// Adds `lapse_rate`, in degrees per kilometre, to readings `sounding`, `time`, `metres`, `degrees`.
///
/// Where a balloon does not rise there is no rate. Temperatures that are missing are left out, layers thicker than 500 m
/// are not bridged.
pub fn with_lapse_rate(readings: LazyFrame) -> LazyFrame {
    readings.with_column(lapse_rate(Domain::new().by(["sounding"]).strict(false)))
}

/// The readings inside an inversion: where it becomes warmer with the altitude.
pub fn inversions(readings: LazyFrame) -> LazyFrame {
    with_lapse_rate(readings).filter(col("lapse_rate").gt(lit(0.0)))
}

/// The strongest inversion of every sounding.
pub fn strongest(readings: LazyFrame) -> LazyFrame {
    let strongest = lapse_rate(Domain::new().strict(false)).max();
    readings
        .group_by(["sounding"])
        .agg([strongest])
        .sort(["sounding"], SortMultipleOptions::default())
}

/// Adds `ascent`, in metres per second.
///
/// # Errors
///
/// What Polars says of the window.
pub fn with_ascent(readings: LazyFrame) -> PolarsResult<LazyFrame> {
    let domain = Domain::new().x(col("time")).per(Duration::from_secs(1));
    let ascent = col("metres").grad(Gradient::new(), domain).over(["sounding"])?;
    Ok(readings.with_column(ascent.alias("ascent")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENGINES: [Engine; 2] = [Engine::InMemory, Engine::Streaming];

    fn collect(query: LazyFrame, engine: Engine) -> PolarsResult<DataFrame> {
        Ok(query.collect_with_engine(engine)?.unwrap_single())
    }

    fn numbers(frame: &DataFrame, column: &str) -> Vec<Option<f64>> {
        let column = frame.column(column).and_then(|column| column.f64());
        column.expect("a column of numbers").to_vec()
    }

    /// Two soundings: a reading every ten seconds, fifty metres higher.
    fn readings(degrees: [[Option<f64>; 5]; 2]) -> LazyFrame {
        let seconds: Vec<_> = (0..10_i64).map(|row| row % 5 * 10).collect();
        let metres: Vec<_> = seconds.iter().map(|second| second * 5).collect();
        let soundings: Vec<_> = (0..10).map(|row| ["Essen", "Lindenberg"][row / 5]).collect();
        let time = seconds.iter().map(|second| (1_772_344_800 + second) * 1_000_000);
        let time = Int64Chunked::from_vec("time".into(), time.collect());
        let columns = df!(
            "sounding" => soundings,
            "time" => time.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)).into_series(),
            "metres" => metres,
            "degrees" => degrees.as_flattened(),
        );
        columns.expect("columns of one length").lazy()
    }

    fn two_soundings() -> LazyFrame {
        let inversion = [Some(10.0), Some(9.0), None, Some(9.5), Some(9.25)];
        readings([inversion, [20.0, 19.5, 19.0, 18.5, 18.0].map(Some)])
    }

    #[test]
    fn an_inversion_is_found_on_either_engine() {
        for engine in ENGINES {
            let frame = collect(with_lapse_rate(two_soundings()), engine).expect("a query that runs");
            let rates = numbers(&frame, "lapse_rate");
            assert_eq!(rates[..1], [Some(-20.0)]);
            assert_eq!(rates[2], None);
            assert!(rates[5..].iter().all(|&rate| rate == Some(-10.0)), "{rates:?}");
            // Through 9.0 at 50 m, 9.5 at 150 m and 9.25 at 200 m: (5 * 50 - 5 * 100) / 150.
            assert!(
                rates[3].is_some_and(|rate| (rate + 5.0 / 3.0).abs() < 1e-12),
                "{rates:?}"
            );

            let warmer = collect(inversions(two_soundings()), engine).expect("a query that runs");
            assert_eq!(warmer.height(), 0);
        }
    }

    #[test]
    fn every_sounding_has_a_strongest_layer() {
        let warm_above = [Some(1.0), Some(2.0), Some(4.0), Some(4.0), Some(3.0)];
        for engine in ENGINES {
            let readings = readings([warm_above, [None; 5]]);
            let strongest = collect(strongest(readings.clone()), engine).expect("a query that runs");
            let expected = df!("sounding" => ["Essen", "Lindenberg"], "lapse_rate" => [Some(30.0), None]);
            assert_eq!(strongest, expected.expect("two rows"));
            assert_eq!(
                collect(inversions(readings), engine)
                    .expect("a query that runs")
                    .height(),
                3
            );
        }
    }

    #[test]
    fn a_balloon_rises_five_metres_a_second() {
        for engine in ENGINES {
            let query = with_ascent(two_soundings()).expect("a window");
            let frame = collect(query, engine).expect("a query that runs");
            assert!(numbers(&frame, "ascent").iter().all(|&ascent| ascent == Some(5.0)));
        }
    }

    #[test]
    fn a_balloon_that_burst_at_once_has_no_ascent() {
        for engine in ENGINES {
            let readings = two_soundings().slice(0, 6);
            let frame = collect(with_ascent(readings).expect("a window"), engine).expect("a query that runs");
            let ascent = numbers(&frame, "ascent");
            assert_eq!(ascent, [Some(5.0), Some(5.0), Some(5.0), Some(5.0), Some(5.0), None]);
        }
    }

    #[test]
    fn by_over_and_both_engines_agree_to_the_bit() {
        let rows = 20_000;
        let (mut x, mut y) = (0.0, 0.0);
        let points = (0..rows).map(|row| {
            x += 1.0 + f64::from(row % 17) / 7.0;
            y += (f64::from(row) / 3.0).sin();
            (x, (row % 23 != 5).then_some(y), row / 11 % 40)
        });
        let (x, (y, id)): (Vec<_>, (Vec<_>, Vec<_>)) = points.map(|(x, y, id)| (x, (y, id))).unzip();
        let frame = df!("x" => x, "y" => y, "id" => id).expect("columns of one length");
        let domain = Domain::new().x("x");
        for domain in [
            domain.clone(),
            domain.clone().nulls(Nulls::Split),
            domain.nulls(Nulls::Skip).max_gap(9.5),
        ] {
            let query = frame.clone().lazy().select([
                col("y").grad(Gradient::new(), domain.clone()).alias("whole"),
                col("y").grad(Gradient::new(), domain.clone().by(["id"])).alias("by"),
                col("y")
                    .grad(Gradient::new(), domain)
                    .over(["id"])
                    .expect("a window")
                    .alias("over"),
            ]);
            let [in_memory, streaming] =
                ENGINES.map(|engine| collect(query.clone(), engine).expect("a query that runs"));
            let bits = |frame: &DataFrame, column: &str| {
                let numbers = numbers(frame, column).into_iter();
                numbers.map(|slope| slope.map(f64::to_bits)).collect::<Vec<_>>()
            };
            for column in ["whole", "by", "over"] {
                assert_eq!(bits(&in_memory, column), bits(&streaming, column), "{column}");
            }
            assert_eq!(bits(&in_memory, "by"), bits(&in_memory, "over"));
        }
    }

    #[test]
    fn a_column_of_a_wrong_type_is_refused_before_the_query_runs() {
        let text = two_soundings().with_column(lit("warm").alias("degrees"));
        let error = with_lapse_rate(text)
            .collect_schema()
            .expect_err("text has no gradient");
        assert!(error.to_string().contains("`degrees` is str"), "{error}");
        let gap_in_metres = Domain::new().x("time").max_gap(500.0);
        let query = two_soundings().select([col("degrees").grad(Gradient::new(), gap_in_metres)]);
        let error = query.clone().collect_schema().expect_err("metres are no time");
        assert!(error.to_string().contains("`max_gap`"), "{error}");
    }

    #[test]
    fn a_clock_that_goes_back_is_an_error_of_the_run() {
        // Without `by` the clock goes back where the second sounding begins.
        let ascent = col("metres").grad(Gradient::new(), Domain::new().x("time"));
        let query = two_soundings().select([ascent]);
        assert!(query.clone().collect_schema().is_ok());
        for engine in ENGINES {
            let error = collect(query.clone(), engine).expect_err("x is not monotonic");
            // Polars wraps the error of an expression in the expression's name.
            assert!(
                error.to_string().contains("`x` must be finite and strictly monotonic"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_plan_and_a_schema_say_what_comes() {
        let domain = Domain::new().x("time").by(["sounding"]);
        let query = two_soundings().select([
            col("degrees")
                .cast(DataType::Float32)
                .grad(Gradient::new(), domain.clone())
                .alias("f32"),
            col("time").grad(Gradient::new(), Domain::new()).alias("duration"),
            col("metres").grad(Gradient::new(), domain),
        ]);
        let plan = query.explain(true).expect("a plan");
        assert!(plan.contains("gradient"), "{plan}");
        let schema = query.clone().collect_schema().expect("a schema");
        let expected = [
            ("f32", DataType::Float32),
            ("duration", DataType::Duration(TimeUnit::Microseconds)),
            ("metres", DataType::Float64),
        ];
        assert!(
            schema
                .iter()
                .map(|(name, dtype)| (name.as_str(), dtype.clone()))
                .eq(expected)
        );
        for engine in ENGINES {
            let frame = collect(query.clone(), engine).expect("a query that runs");
            assert_eq!(frame.schema(), &schema);
        }
    }
}
