//! A live feed of two thermometers: every slope one reading after its point, in memory that does not grow.
//!
//! ```console
//! $ cargo run --example live_feed --no-default-features
//! ```

use std::time::Duration;

use polars_grad::{Domain, Finished, Gradient, Live, LiveError, Nulls};

/// Sensor, milliseconds since the start, degrees; `None` is a reading that failed.
const FEED: [(&str, i64, Option<f64>); 9] = [
    ("boiler", 0, Some(60.0)),
    ("tank", 200, Some(40.0)),
    ("boiler", 1000, Some(60.5)),
    ("boiler", 1500, Some(61.0)),
    ("tank", 5200, Some(40.5)),
    ("boiler", 2000, None),
    ("boiler", 2500, Some(63.0)),
    ("tank", 15_200, Some(40.5)),
    ("boiler", 3500, Some(65.0)),
];

fn main() -> Result<(), LiveError> {
    // Times are counted in ticks of a millisecond; slopes are in degrees per minute.
    let domain = Domain::new().per(Duration::from_secs(60)).nulls(Nulls::Skip);
    let mut live = Live::over_time(Gradient::new(), &domain, Duration::from_millis(1))?;

    println!("after  sensor  reading  degrees per minute");
    let mut slopes = [None; FEED.len()];
    let mut report = |after: String, finished: Finished<&str>| {
        // A slope belongs to an earlier reading: `row` counts readings of all the sensors.
        let row = usize::try_from(finished.row).expect("nine readings");
        let slope = finished.value().map_or("-".into(), |slope| slope.to_string());
        println!("{after:>5}  {:6} {row:8} {slope:>19}", finished.key);
        assert_eq!(finished.key, FEED[row].0);
        slopes[row] = finished.value();
    };
    for (row, (sensor, milliseconds, degrees)) in FEED.into_iter().enumerate() {
        for finished in live.push(sensor, Some(milliseconds), degrees)? {
            report(row.to_string(), finished);
        }
    }

    // A clock that goes back is an error, and the feed is as it was before.
    let late = live.push("boiler", Some(3000), Some(64.0));
    let error = late.expect_err("3000 ms are before 3500 ms");

    // The last reading of each sensor has nothing after it: its slope is that of its last step.
    for finished in live.finish() {
        report("end".into(), finished);
    }
    println!("\n{error}");

    let boiler = [(0, 30.0), (2, 50.0), (3, 80.0), (6, 120.0), (8, 120.0)];
    let tank = [(1, 6.0), (4, 4.0), (7, 0.0)];
    for (row, slope) in boiler.into_iter().chain(tank) {
        assert_eq!(slopes[row], Some(slope), "reading {row}");
    }
    assert_eq!(slopes[5], None);
    Ok(())
}
