//! Electricity meters in Arrow's record batches: from counted energy to power. Names of columns, slices, timestamps.
//!
//! ```console
//! $ cargo run --example arrow_batches --no-default-features --features arrow
//! ```

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampSecondArray};
use arrow_schema::ArrowError;
use polars_grad::{Domain, Gradient, Nulls, arrow};

/// Two meters, read about every quarter of an hour; counters in watt hours. Once the flat did not answer.
fn readings() -> Result<RecordBatch, Box<dyn Error>> {
    let meters = ["flat", "shop", "flat", "shop", "flat", "shop", "flat", "shop"];
    let seconds = [0, 60, 900, 960, 1800, 1860, 3600, 2760].map(|second| 1_772_344_800 + second);
    let energy = [50_000, 81_000, 50_100, 81_500, 0, 82_100, 50_400, 82_800].map(|wh| (wh > 0).then_some(wh));
    let columns: [(&str, ArrayRef); 3] = [
        ("meter", Arc::new(StringArray::from_iter_values(meters))),
        (
            "time",
            Arc::new(TimestampSecondArray::from(seconds.to_vec()).with_timezone("UTC")),
        ),
        ("energy", Arc::new(Int64Array::from(energy.to_vec()))),
    ];
    Ok(RecordBatch::try_from_iter_with_nullable(
        columns.map(|(name, column)| (name, column, true)),
    )?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let batch = readings()?;

    // Watt hours per hour are watts. The domain names columns of the batch.
    let domain = Domain::new()
        .x("time")
        .by(["meter"])
        .per(Duration::from_secs(3600))
        .nulls(Nulls::Skip);
    let power = arrow::evaluate_in(&batch, "energy", Gradient::new(), &domain)?;
    let power = power.as_primitive::<Float64Type>();

    println!("meter  energy  power");
    let meters = batch["meter"].as_string::<i32>();
    let energies = batch["energy"].as_primitive::<Int64Type>();
    for ((meter, energy), power) in meters.iter().flatten().zip(energies).zip(power) {
        let energy = energy.map_or("-".into(), |energy| energy.to_string());
        let power = power.map_or("-".into(), |power| power.to_string());
        println!("{meter:5} {energy:>7} {power:>6}");
    }
    let expected =
        [400.0, 2000.0, 400.0, 2200.0, 0.0, 2600.0, 400.0, 2800.0].map(|watts| (watts > 0.0).then_some(watts));
    assert!(power.iter().eq(expected));

    // Slices go in as they are. Each is a batch of its own: neighbours in another batch are not seen.
    let latest = arrow::evaluate_in(&batch.slice(4, 4), "energy", Gradient::new(), &domain)?;
    let latest: Vec<_> = latest.as_primitive::<Float64Type>().iter().collect();
    assert_eq!(latest, [None, Some(2800.0), None, Some(2800.0)]);

    // Arrays need no batch; the domain then holds the arrays themselves.
    let domain = Domain::new().x(batch["time"].clone());
    let slopes = arrow::evaluate(&batch["energy"], Gradient::new(), &domain);
    let error = slopes.expect_err("the clocks of two meters in one column");
    assert!(matches!(error, ArrowError::ComputeError(_)), "{error}");
    println!("\n{error}");
    Ok(())
}
