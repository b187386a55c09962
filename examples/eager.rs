//! A river gauge: how fast does the water rise? Series, columns of a frame, typed columns; nulls and errors.
//!
//! ```console
//! $ cargo run --example eager
//! ```

use std::time::Duration;

use polars::prelude::*;
use polars_grad::{Domain, EdgeOrder, Gradient, Nulls, evaluate};

fn main() -> PolarsResult<()> {
    // Readings at 6:00, 7:00, 7:30, 8:30 and 10:00; the one of 7:30 is missing.
    let minutes = [0, 60, 90, 150, 240];
    let six = 1_772_344_800_000_i64; // 2026-03-01 06:00 UTC
    let time = Int64Chunked::from_vec("time".into(), minutes.map(|m| six + m * 60_000).to_vec());
    let gauge = df!(
        "time" => time.into_datetime(TimeUnit::Milliseconds, Some(TimeZone::UTC)).into_series(),
        "level" => [Some(212.0), Some(221.0), None, Some(238.25), Some(260.0)], // cm
    )?;

    // `per` is the unit of time in the result: cm per hour.
    let per_hour = Domain::new()
        .x(gauge.column("time")?.clone())
        .per(Duration::from_secs(3600));
    let level = gauge.column("level")?;

    // A null makes null what would have to look at it, unless it is skipped.
    let careful = evaluate(level, Gradient::new(), &per_hour)?;
    let skipping = evaluate(level, Gradient::new(), &per_hour.clone().nulls(Nulls::Skip))?;
    // The last slope from three points instead of two.
    let best = Gradient::new().edge_order(EdgeOrder::Second);
    let second = evaluate(level, best, &per_hour.nulls(Nulls::Skip))?;

    println!("minute  level  propagate   skip  edge order 2");
    for (row, minute) in minutes.into_iter().enumerate() {
        let [level, careful, skipping, second] = [level, &careful, &skipping, &second].map(|column| cell(column, row));
        println!("{minute:6} {level:>6} {careful:>10} {skipping:>6} {second:>13}");
    }
    assert_eq!(careful.f64()?.to_vec(), [Some(9.0), None, None, None, Some(14.5)]);
    assert_eq!(
        skipping.f64()?.to_vec(),
        [Some(9.0), Some(10.0), None, Some(13.0), Some(14.5)]
    );
    assert_eq!(
        second.f64()?.to_vec(),
        [Some(8.0), Some(10.0), None, Some(13.0), Some(16.0)]
    );

    // A typed column stays typed. Without x, rows are one step, or `spacing`, apart.
    let depth = Float64Chunked::new("depth".into(), [1.0, 1.5, 3.0]);
    let slope: Float64Chunked = evaluate(&depth, Gradient::new(), &Domain::new().spacing(0.5))?;
    assert_eq!(slope.to_vec(), [Some(1.0), Some(2.0), Some(3.0)]);

    // Errors are those of Polars, and say what to do.
    let names = Series::new("station".into(), ["Bonn", "Mainz"]);
    let wrong_type = evaluate(&names, Gradient::new(), &Domain::new()).expect_err("text has no slope");
    assert!(matches!(wrong_type, PolarsError::InvalidOperation(_)));
    let twice = Series::new("t".into(), [0, 60, 60]);
    let unsorted = evaluate(&depth, Gradient::new(), &Domain::new().x(twice)).expect_err("two rows at one time");
    assert!(matches!(unsorted, PolarsError::ComputeError(_)));
    println!("\n{wrong_type}\n{unsorted}");
    Ok(())
}

/// A value of a column of numbers, or a dash for a null.
fn cell(column: &Column, row: usize) -> String {
    let value = column.f64().ok().and_then(|column| column.get(row));
    value.map_or("-".into(), |value| value.to_string())
}
