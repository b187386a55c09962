//! Leaks of fuel tanks, found in Arrow's record batches.
//!
//! What this crate proves: `polars-grad` with the feature `arrow` alone works on the arrays of a program that knows
//! nothing of Polars, with the types such data has: decimals, dictionaries, timestamps with a zone, nulls, slices.

use std::sync::Arc;
use std::time::Duration;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_schema::{ArrowError, Field, Schema};
use polars_grad::{Domain, Gradient, Nulls, arrow};

/// Adds the column `flow`, in litres per minute, to readings `tank`, `time`, `litres`.
///
/// A reading that is missing, or half an hour without one, ends what is known of the flow.
///
/// # Errors
///
/// A column that is missing or of a type that does not fit; a tank whose readings are not in order of time.
pub fn with_flow(readings: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let domain = Domain::new()
        .x("time")
        .by(["tank"])
        .per(Duration::from_secs(60))
        .max_gap(Duration::from_secs(30 * 60))
        .nulls(Nulls::Split);
    let flow = arrow::evaluate_in(readings, "litres", Gradient::new(), &domain)?;

    let schema = readings.schema();
    let field = Field::new("flow", flow.data_type().clone(), true);
    let fields = schema.fields().iter().cloned().chain([Arc::new(field)]);
    let columns = readings.columns().iter().cloned().chain([flow]);
    RecordBatch::try_new(Arc::new(Schema::new(fields.collect::<Vec<_>>())), columns.collect())
}

/// The rows at which a tank loses more than so many litres per minute.
///
/// # Errors
///
/// Those of [`with_flow`].
pub fn leaks(readings: &RecordBatch, limit: f64) -> Result<Vec<usize>, ArrowError> {
    let readings = with_flow(readings)?;
    let flow = readings["flow"].as_primitive::<Float64Type>().iter().enumerate();
    let leaks = flow.filter(|(_, flow)| flow.is_some_and(|flow| -flow > limit));
    Ok(leaks.map(|(row, _)| row).collect())
}

#[cfg(test)]
mod tests {
    use arrow_array::types::{Decimal128Type, Float32Type, Int32Type};
    use arrow_array::{
        Array, ArrayRef, Date32Array, Decimal128Array, DictionaryArray, DurationMicrosecondArray, Float32Array,
        Float64Array, Int64Array, StringArray, TimestampMillisecondArray, TimestampNanosecondArray,
    };
    use arrow_schema::{DataType, TimeUnit};
    use polars_grad::Live;

    use super::*;

    const MINUTE: i64 = 60_000;

    /// Two tanks, their rows in turns; the second one leaks from minute 20 on. Litres with one decimal.
    fn readings() -> RecordBatch {
        let tanks = ["north", "south"].repeat(6);
        let minutes = [0, 0, 10, 10, 20, 20, 30, 30, 80, 80, 90, 90];
        let deci = [
            Some(9000),
            Some(5000),
            Some(9000),
            Some(5000),
            None,
            Some(5000),
            Some(9000),
            Some(4600),
            Some(9990),
            Some(2600),
            Some(9980),
            Some(2200),
        ];
        batch(&tanks, &minutes, &deci)
    }

    fn batch(tanks: &[&str], minutes: &[i64], deci: &[Option<i128>]) -> RecordBatch {
        let times = minutes.iter().map(|minute| 1_772_344_800_000 + minute * MINUTE);
        let litres = Decimal128Array::from(deci.to_vec()).with_precision_and_scale(12, 1);
        let columns: [(&str, ArrayRef); 3] = [
            (
                "tank",
                Arc::new(tanks.iter().copied().collect::<DictionaryArray<Int32Type>>()),
            ),
            (
                "time",
                Arc::new(TimestampMillisecondArray::from_iter_values(times).with_timezone("Europe/Berlin")),
            ),
            ("litres", Arc::new(litres.expect("twelve digits hold a tank"))),
        ];
        let columns = columns.map(|(name, column)| (name, column, true));
        RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length")
    }

    fn flow(readings: &RecordBatch) -> Vec<Option<f64>> {
        let readings = with_flow(readings).expect("readings in order");
        readings["flow"].as_primitive::<Float64Type>().iter().collect()
    }

    #[test]
    fn the_flow_of_a_tank_is_not_that_of_another_and_nothing_is_invented() {
        let expected = [
            Some(0.0),
            Some(0.0), // The first reading: up to the second one.
            Some(0.0),
            Some(0.0),
            None,
            Some(-2.0), // The reading of the north is missing; the south begins to leak.
            None,
            Some(-4.0), // The north has a missing reading before, and 50 minutes after it.
            Some(-0.1),
            Some(-4.0),
            Some(-0.1),
            Some(-4.0),
        ];
        let readings = readings();
        assert_eq!(flow(&readings), expected);
        assert_eq!(leaks(&readings, 1.0).expect("readings in order"), [5, 7, 9, 11]);
        let flow = with_flow(&readings).expect("readings in order");
        assert_eq!((flow.num_columns(), flow["flow"].data_type()), (4, &DataType::Float64));
    }

    #[test]
    fn a_slice_is_differentiated_as_if_it_were_all() {
        let readings = readings();
        for (offset, length) in [(0, 12), (2, 10), (3, 6), (5, 1), (12, 0)] {
            let slice = readings.slice(offset, length);
            let rows = offset..offset + length;
            let deci = readings["litres"].as_primitive::<Decimal128Type>();
            let tanks: Vec<_> = rows.clone().map(|row| ["north", "south"][row % 2]).collect();
            let minutes: Vec<_> = rows.clone().map(|row| [0, 10, 20, 30, 80, 90][row / 2]).collect();
            let deci: Vec<_> = rows.map(|row| deci.is_valid(row).then(|| deci.value(row))).collect();
            assert_eq!(
                flow(&slice),
                flow(&batch(&tanks, &minutes, &deci)),
                "{length} rows from {offset} on"
            );
        }
    }

    #[test]
    fn the_types_are_those_promised() {
        let domain = Domain::new();
        let type_of =
            |y: &dyn Array| arrow::evaluate(y, Gradient::new(), &domain).map(|slopes| slopes.data_type().clone());
        let microseconds = DataType::Duration(TimeUnit::Microsecond);
        let nanoseconds = DataType::Duration(TimeUnit::Nanosecond);
        assert_eq!(
            type_of(&Int64Array::from(vec![1, 2])).expect("a number"),
            DataType::Float64
        );
        assert_eq!(
            type_of(&Float32Array::from(vec![1.0, 2.0])).expect("a number"),
            DataType::Float32
        );
        assert_eq!(type_of(&Date32Array::from(vec![1, 2])).expect("a time"), microseconds);
        assert_eq!(
            type_of(&DurationMicrosecondArray::from(vec![1, 2])).expect("a time"),
            microseconds
        );
        assert_eq!(
            type_of(&TimestampNanosecondArray::from(vec![1, 2])).expect("a time"),
            nanoseconds
        );
        let single = Float32Array::from(vec![1.0, 2.0, 4.0]);
        let single = arrow::evaluate(&single, Gradient::new(), &domain).expect("a number");
        assert_eq!(single.as_primitive::<Float32Type>().values(), &[1.0, 1.5, 2.0]);
    }

    #[test]
    fn a_live_feed_has_the_same_bits() {
        let nanoseconds: Vec<i64> = (0..500)
            .map(|i| 1_700_000_000_000_000_000 + 100 * i + (i * i) % 97)
            .collect();
        let values: Vec<_> = (0..500)
            .map(|i| (i % 11 != 3).then(|| f64::from(i).sin() + 1e9))
            .collect();
        let domain = Domain::<()>::new().per(Duration::from_micros(1));
        let mut live = Live::over_time(Gradient::new(), &domain, Duration::from_nanos(1)).expect("a domain that fits");
        let points = nanoseconds.iter().zip(&values).map(|(&x, &y)| ((), Some(x), y));
        let mut slopes = Vec::new();
        live.extend(points, &mut slopes).expect("a clock that goes on");
        slopes.extend(live.finish());

        let x: ArrayRef = Arc::new(TimestampNanosecondArray::from(nanoseconds));
        let domain = Domain::new().x(x).per(Duration::from_micros(1));
        let whole =
            arrow::evaluate(&Float64Array::from(values), Gradient::new(), &domain).expect("a clock that goes on");
        let whole = whole.as_primitive::<Float64Type>().iter();
        assert!(
            whole
                .map(|slope| slope.map(f64::to_bits))
                .eq(slopes.iter().map(|slope| slope.value().map(f64::to_bits)))
        );
    }

    #[test]
    fn a_clock_that_goes_back_is_reported_with_its_tank() {
        let late = batch(&["north"; 3], &[0, 20, 10], &[Some(1), Some(2), Some(3)]);
        let error = with_flow(&late).expect_err("readings that are not in order");
        assert!(matches!(error, ArrowError::ComputeError(_)), "{error}");
        let message = error.to_string();
        assert!(
            message.contains("`time`") && message.contains("`tank` = north"),
            "{message}"
        );
    }

    #[test]
    fn a_column_that_does_not_fit_is_named() {
        let readings = readings();
        let text: ArrayRef = Arc::new(StringArray::from(vec!["full"; readings.num_rows()]));
        let columns = [
            ("tank", readings["tank"].clone()),
            ("time", readings["time"].clone()),
            ("litres", text),
        ];
        let text = RecordBatch::try_from_iter(columns).expect("columns of one length");
        let error = with_flow(&text).expect_err("text has no flow");
        assert!(matches!(error, ArrowError::InvalidArgumentError(_)), "{error}");
        assert!(error.to_string().contains("`litres` is Utf8"), "{error}");

        let without = readings.project(&[0, 2]).expect("two of three columns");
        let error = with_flow(&without).expect_err("no times");
        assert!(error.to_string().contains("time"), "{error}");
    }
}
