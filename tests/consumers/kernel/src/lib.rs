//! Telemetry of a fleet of trucks, on a device with no data frames.
//!
//! What this crate proves: `polars-grad` with no features, on nothing but num-traits, is enough to build on. Slices go
//! through the kernel, live feeds through [`Live`], and both give the same bits.

use polars_grad::kernel::{NeighborMask, Points, Sample, Scale, ThreePoint, even, irregular};
use polars_grad::{Domain, Gradient, Live, LiveError, Nulls};
use std::time::Duration;

const MICROSECOND: Duration = Duration::from_micros(1);

/// A clock that stood still or went back, at such a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfOrder(pub usize);

/// The jerk, in m/s³, from accelerations in m/s² that are sampled so many times a second.
#[must_use]
pub fn jerk(acceleration: &[f32], hertz: f64) -> Vec<f32> {
    if acceleration.len() < 2 {
        return vec![f32::NAN; acceleration.len()];
    }
    let padded = padded(acceleration);
    let step = Scale {
        numerator: 1.0,
        denominator: 1.0 / hertz,
    };
    let mut jerk = Vec::with_capacity(acceleration.len());
    even(
        ThreePoint::padded(&padded),
        step,
        NeighborMask::of_segment(acceleration.len()),
        &mut jerk,
    );
    jerk
}

/// The speed, in m/s, from an odometer in millimetres and a clock in microseconds.
///
/// # Errors
///
/// A clock that is not strictly monotonic.
pub fn speed(odometer: &[i64], clock: &[i64]) -> Result<Vec<f64>, OutOfOrder> {
    let metres_per_second = Scale {
        numerator: 1e3,
        denominator: 1.0,
    };
    rate(odometer, clock, metres_per_second)
}

fn rate<Y: Sample, X: Sample>(y: &[Y], x: &[X], scale: Scale) -> Result<Vec<f64>, OutOfOrder> {
    if y.len() < 2 {
        return Ok(vec![f64::NAN; y.len()]);
    }
    let (padded_y, padded_x) = (padded(y), padded(x));
    let points = Points {
        y: ThreePoint::padded(&padded_y),
        x: ThreePoint::padded(&padded_x),
        scale,
    };
    let mut rate = Vec::with_capacity(y.len());
    irregular(points, NeighborMask::of_segment(y.len()), true, &mut rate).map_err(OutOfOrder)?;
    Ok(rate)
}

/// A value more at each end: any will do, as nobody looks at it.
fn padded<T: Copy>(values: &[T]) -> Vec<T> {
    let ends = values.first().copied().into_iter().chain(values.iter().copied());
    ends.chain(values.last().copied()).collect()
}

/// A truck that slowed down too fast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Alarm {
    /// Which one.
    pub truck: u32,
    /// At which of all the readings.
    pub reading: u64,
    /// How fast it slowed down, in m/s².
    pub braking: f64,
}

/// Watches the speeds of a fleet as they come in.
#[derive(Clone, Debug)]
pub struct Watch {
    feed: Live<u32, f64, i64>,
    limit: f64,
}

impl Watch {
    /// Alarms above a limit in m/s². Readings more than five seconds apart say nothing of each other.
    ///
    /// # Errors
    ///
    /// None: the domain fits times.
    pub fn new(limit: f64) -> Result<Self, LiveError> {
        let domain = Domain::new().nulls(Nulls::Skip).max_gap(Duration::from_secs(5));
        let feed = Live::over_time(Gradient::new(), &domain, MICROSECOND)?;
        Ok(Self { feed, limit })
    }

    /// Takes readings: the truck, its clock in microseconds, its speed in m/s if the sensor answered.
    ///
    /// # Errors
    ///
    /// A clock that is not strictly monotonic.
    pub fn readings(&mut self, readings: &[(u32, i64, Option<f64>)]) -> Result<Vec<Alarm>, LiveError> {
        let points = readings
            .iter()
            .map(|&(truck, clock, speed)| (truck, Some(clock), speed));
        let mut finished = Vec::new();
        self.feed.extend(points, &mut finished)?;
        let alarms = finished.into_iter().filter_map(|finished| {
            let braking = -finished.value()?;
            (braking > self.limit).then_some(Alarm {
                truck: finished.key,
                reading: finished.row,
                braking,
            })
        });
        Ok(alarms.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_even_sampling_needs_no_clock() {
        // a = 10 t² at 10 Hz: the jerk is 20 t, at the ends the slope of the first and of the last step.
        let acceleration = [0.0_f32, 0.1, 0.4, 0.9, 1.6];
        for (jerk, expected) in jerk(&acceleration, 10.0).into_iter().zip([1.0, 2.0, 4.0, 6.0, 7.0]) {
            assert!((jerk - expected).abs() < 1e-5, "{jerk} is not {expected}");
        }
        assert_eq!(jerk(&[], 10.0), []);
        assert!(jerk(&[1.0], 10.0)[0].is_nan());
    }

    #[test]
    fn a_microsecond_of_the_epoch_is_not_lost() {
        let clock = [0, 1, 3, 4].map(|microsecond| 1_772_344_800_000_000_i64 + microsecond);
        let odometer = [0, 1, 9, 16].map(|millimetre| 9_000_000_000_000_000_i64 + millimetre);
        assert_eq!(speed(&odometer, &clock), Ok(vec![1e3, 2e3, 6e3, 7e3]));
    }

    #[test]
    fn a_clock_that_stands_still_is_found() {
        assert_eq!(speed(&[0, 1, 2, 3], &[0, 1, 1, 2]), Err(OutOfOrder(1)));
        assert_eq!(speed(&[0, 1], &[5, 5]), Err(OutOfOrder(0)));
    }

    #[test]
    fn a_feed_has_the_bits_of_the_slices_however_it_is_cut() {
        let (odometer, clock) = trip(1000);
        let per_second = Scale {
            numerator: 1e6,
            denominator: 1.0,
        };
        let expected = rate(&odometer, &clock, per_second).expect("a clock that goes on");
        for batch in [1, 7, 64, 1000] {
            let mut feed = Live::over_time(Gradient::new(), &Domain::new(), MICROSECOND).expect("a domain that fits");
            let points: Vec<_> = clock.iter().zip(&odometer).collect();
            let mut slopes = Vec::new();
            for points in points.chunks(batch) {
                let points = points.iter().map(|&(&x, &y)| ((), Some(x), Some(y)));
                feed.extend(points, &mut slopes).expect("a clock that goes on");
            }
            slopes.extend(feed.finish());
            assert!(slopes.iter().map(|slope| slope.row).eq(0..1000));
            let bits = slopes.iter().filter_map(polars_grad::Finished::value).map(f64::to_bits);
            assert!(
                bits.eq(expected.iter().map(|slope| slope.to_bits())),
                "batches of {batch}"
            );
        }
    }

    #[test]
    fn only_the_truck_that_brakes_is_reported() {
        let second = 1_000_000;
        let mut watch = Watch::new(3.0).expect("a domain that fits");
        let quiet = watch.readings(&[(1, 0, Some(20.0)), (2, 0, Some(25.0)), (1, second, Some(19.0))]);
        assert_eq!(quiet, Ok(vec![]));
        // Truck 2 misses a reading, then has lost 12 m/s in 2 s. Truck 1 is silent for a minute: no alarm.
        let loud = watch.readings(&[
            (2, second, None),
            (2, 2 * second, Some(13.0)),
            (1, 61 * second, Some(0.0)),
            (2, 3 * second, Some(13.0)),
        ]);
        let alarm = |reading, braking| Alarm {
            truck: 2,
            reading,
            braking,
        };
        assert_eq!(loud, Ok(vec![alarm(1, 6.0)]));
        assert_eq!(watch.readings(&[(2, 5 * second, Some(13.0))]), Ok(vec![]));
        let error = watch
            .readings(&[(1, 61 * second, Some(0.0))])
            .expect_err("the clock stands still");
        assert!(error.to_string().contains("61000000"), "{error}");
    }

    /// A truck on an irregular clock, from a small generator of its own.
    fn trip(readings: usize) -> (Vec<i64>, Vec<i64>) {
        let (mut seed, mut millimetres, mut microseconds) = (1_u64, 0, 0);
        let mut random = move || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            i64::from((seed >> 44) as u32)
        };
        let readings = (0..readings).map(|_| {
            millimetres += random() - 1000;
            microseconds += 1 + random();
            (millimetres, microseconds)
        });
        readings.unzip()
    }
}
