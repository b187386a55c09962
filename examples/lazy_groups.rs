//! Forty pumps in one log, their rows interleaved: which one heats up fastest? `by`, `.over`, `max_gap`, `group_by`.
//!
//! ```console
//! $ cargo run --example lazy_groups --features lazy
//! ```

use std::time::Duration;

use polars::prelude::*;
use polars_grad::{Domain, ExprGrad, Gradient};

const MINUTE: Duration = Duration::from_secs(60);

/// A reading of every pump every five minutes; pump `p` warms by `p / 8` degrees a minute.
///
/// Pump 7 was flushed after minute 15: two readings are missing, and it came back 60 degrees colder.
fn readings() -> PolarsResult<LazyFrame> {
    let rows = (0..24_i32).flat_map(|step| (1..=40_i32).map(move |pump| (step * 5, pump)));
    let rows = rows.filter(|&(minute, pump)| !(pump == 7 && (20..30).contains(&minute)));
    let (minutes, pumps): (Vec<_>, Vec<_>) = rows.unzip();
    let degrees = minutes.iter().zip(&pumps).map(|(&minute, &pump)| {
        let serviced = if pump == 7 && minute >= 30 { 60.0 } else { 0.0 };
        60.0 + f64::from(minute * pump) / 8.0 - serviced
    });
    let degrees: Vec<_> = degrees.collect();
    let time = col("minute").cast(DataType::Int64) * lit(60_000_i64);
    let frame = df!("minute" => minutes, "pump" => pumps, "degrees" => degrees)?.lazy();
    Ok(frame.with_column(
        time.cast(DataType::Datetime(TimeUnit::Milliseconds, None))
            .alias("time"),
    ))
}

fn main() -> PolarsResult<()> {
    let per_minute = Domain::new().x(col("time")).per(MINUTE);
    let without_gaps = per_minute.clone().max_gap(10 * MINUTE);
    let degrees = || col("degrees");
    let rates = readings()?.with_columns([
        // All pumps in one pass, wherever their rows stand.
        degrees()
            .grad(Gradient::new(), without_gaps.clone().by(["pump"]))
            .alias("rate"),
        // The same in Polars' own words. It calls the gradient pump by pump, which is slower for many groups.
        degrees()
            .grad(Gradient::new(), without_gaps.clone())
            .over(["pump"])?
            .alias("over"),
        // Without `max_gap` the flushing is a step like any other.
        degrees().grad(Gradient::new(), per_minute.by(["pump"])).alias("across"),
    ]);
    let rates = rates.collect()?;
    let over = rates.column("over")?.clone().with_name("rate".into());
    assert_eq!(rates.column("rate")?, &over);

    let around = col("pump").eq(lit(7)).and(col("minute").lt(lit(45)));
    let pump_7 = rates.lazy().filter(around).collect()?;
    let (rate, across) = (pump_7.column("rate")?.f64()?, pump_7.column("across")?.f64()?);
    println!("pump 7, degrees per minute\nminute   rate  across the gap");
    for (row, minute) in pump_7.column("minute")?.i32()?.iter().flatten().enumerate() {
        let [rate, across] = [rate, across].map(|column| column.get(row).unwrap_or(f64::NAN));
        println!("{minute:6} {rate:6.3} {across:15.3}");
    }
    assert!(rate.iter().all(|rate| rate == Some(0.875)));
    assert!(across.min().is_some_and(|slope| slope < 0.0));

    // In an aggregation it is taken group by group, without `by`.
    let fastest = readings()?
        .group_by(["pump"])
        .agg([degrees().grad(Gradient::new(), without_gaps).max().alias("rate")])
        .sort(["rate"], SortMultipleOptions::default().with_order_descending(true))
        .limit(3)
        .collect()?;
    println!("\nfastest, degrees per minute");
    for (pump, rate) in std::iter::zip(
        fastest.column("pump")?.i32()?.iter(),
        fastest.column("rate")?.f64()?.iter(),
    ) {
        println!("{:6} {:6.3}", pump.unwrap_or_default(), rate.unwrap_or_default());
    }
    assert_eq!(fastest, df!("pump" => [40, 39, 38], "rate" => [5.0, 4.875, 4.75])?);
    Ok(())
}
