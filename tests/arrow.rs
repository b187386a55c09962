//! The Arrow face: every type, every slice, every order of keys.

mod oracle;

use std::sync::Arc;
use std::time::Duration;

use arrow_array::builder::StringDictionaryBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Float16Type, Float32Type, Float64Type, Int8Type, Int32Type, IntervalYearMonthType,
    TimestampNanosecondType, TimestampSecondType,
};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Date64Array, Decimal128Array, Decimal256Array,
    DurationMillisecondArray, DurationNanosecondArray, DurationSecondArray, Float16Array, Float32Array, Float64Array,
    Int8Array, Int16Array, Int32Array, Int64Array, ListArray, NullArray, PrimitiveArray, RecordBatch, StringArray,
    Time32MillisecondArray, Time32SecondArray, Time64MicrosecondArray, Time64NanosecondArray,
    TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray, TimestampSecondArray, UInt8Array,
    UInt16Array, UInt32Array, UInt64Array, new_null_array,
};
use arrow_buffer::{NullBuffer, i256};
use arrow_schema::{ArrowError, DataType, TimeUnit};
use polars_grad::{
    Derivative, Domain, Duplicates, EdgeOrder, Gradient, Integral, Nulls, Operator, RollingSlope, Savgol,
    TurningPoints, WindowSize, arrow,
};
use proptest::prelude::*;

use oracle::{all_nulls, close, edge_orders, naive, naive_in_segments, points};

fn domain() -> Domain<ArrayRef> {
    Domain::new()
}

fn floats(values: &[Option<f64>]) -> ArrayRef {
    Arc::new(Float64Array::from(values.to_vec()))
}

/// The rows as `f64`, after a look at their type.
fn values(slopes: &ArrayRef) -> Vec<Option<f64>> {
    assert_eq!(slopes.data_type(), &DataType::Float64);
    slopes.as_primitive::<Float64Type>().iter().collect()
}

fn squares() -> ArrayRef {
    floats(&[Some(0.0), Some(1.0), Some(9.0), Some(16.0)])
}

/// The slopes of [`squares`] over 0, 1, 3, 4 of anything that steps so.
const SLOPES: [Option<f64>; 4] = [Some(1.0), Some(2.0), Some(6.0), Some(7.0)];

type F16 = <Float16Type as ArrowPrimitiveType>::Native;

fn arrays<const N: usize>(arrays: [ArrayRef; N]) -> [ArrayRef; N] {
    arrays
}

/// 0, 1, 3, 4 as every type of number.
fn numbers() -> [ArrayRef; 12] {
    let f16 = [0.0, 1.0, 3.0, 4.0].map(F16::from_f32);
    arrays([
        Arc::new(Int8Array::from(vec![0, 1, 3, 4])),
        Arc::new(Int16Array::from(vec![0, 1, 3, 4])),
        Arc::new(Int32Array::from(vec![0, 1, 3, 4])),
        Arc::new(Int64Array::from(vec![0, 1, 3, 4])),
        Arc::new(UInt8Array::from(vec![0, 1, 3, 4])),
        Arc::new(UInt16Array::from(vec![0, 1, 3, 4])),
        Arc::new(UInt32Array::from(vec![0, 1, 3, 4])),
        Arc::new(UInt64Array::from(vec![0, 1, 3, 4])),
        Arc::new(Float16Array::from(f16.to_vec())),
        Arc::new(Float32Array::from(vec![0.0, 1.0, 3.0, 4.0])),
        Arc::new(Float64Array::from(vec![0.0, 1.0, 3.0, 4.0])),
        Arc::new(
            Decimal128Array::from(vec![0, 1000, 3000, 4000])
                .with_precision_and_scale(38, 3)
                .expect("fits"),
        ),
    ])
}

/// A time of every type, and how many seconds a step of it is.
fn times(counts: [i64; 4]) -> Vec<(ArrayRef, f64)> {
    let small = counts.map(|count| count as i32).to_vec();
    let counts = counts.to_vec();
    let zone = Some("+02:00");
    vec![
        (Arc::new(Date32Array::from(small.clone())), 86400.0),
        (Arc::new(Date64Array::from(counts.clone())), 1e-3),
        (Arc::new(TimestampSecondArray::from(counts.clone())), 1.0),
        (Arc::new(TimestampMillisecondArray::from(counts.clone())), 1e-3),
        (Arc::new(TimestampMicrosecondArray::from(counts.clone())), 1e-6),
        (Arc::new(TimestampNanosecondArray::from(counts.clone())), 1e-9),
        (
            Arc::new(TimestampSecondArray::from(counts.clone()).with_timezone_opt(zone)),
            1.0,
        ),
        (
            Arc::new(TimestampMillisecondArray::from(counts.clone()).with_timezone_opt(zone)),
            1e-3,
        ),
        (
            Arc::new(TimestampMicrosecondArray::from(counts.clone()).with_timezone("Europe/Berlin")),
            1e-6,
        ),
        (
            Arc::new(TimestampNanosecondArray::from(counts.clone()).with_timezone_utc()),
            1e-9,
        ),
        (Arc::new(Time32SecondArray::from(small.clone())), 1.0),
        (Arc::new(Time32MillisecondArray::from(small)), 1e-3),
        (Arc::new(Time64MicrosecondArray::from(counts.clone())), 1e-6),
        (Arc::new(Time64NanosecondArray::from(counts.clone())), 1e-9),
        (Arc::new(DurationSecondArray::from(counts.clone())), 1.0),
        (Arc::new(DurationMillisecondArray::from(counts.clone())), 1e-3),
        (Arc::new(DurationNanosecondArray::from(counts)), 1e-9),
    ]
}

#[test]
fn every_number_is_an_x() -> Result<(), ArrowError> {
    for x in numbers() {
        assert_eq!(
            values(&arrow::evaluate(&squares(), Gradient::new(), &domain().x(x.clone()))?),
            SLOPES,
            "{x:?}"
        );
    }
    Ok(())
}

#[test]
fn every_number_is_a_y_and_floats_keep_their_width() -> Result<(), ArrowError> {
    for y in numbers() {
        let slopes = arrow::evaluate(&y, Gradient::new(), &domain())?;
        let expected = [1.0, 1.5, 1.5, 1.0];
        match y.data_type() {
            DataType::Float16 => {
                assert_eq!(
                    slopes.as_primitive::<Float16Type>().values()[..],
                    expected.map(|v| F16::from_f32(v as f32))
                );
            },
            DataType::Float32 => {
                assert_eq!(
                    slopes.as_primitive::<Float32Type>().values()[..],
                    expected.map(|v| v as f32)
                );
            },
            _ => assert_eq!(values(&slopes), expected.map(Some), "{y:?}"),
        }
    }
    Ok(())
}

#[test]
fn every_time_is_an_x_in_seconds_or_per_unit() -> Result<(), ArrowError> {
    for (x, seconds) in times([7, 8, 10, 11]) {
        let per_second = values(&arrow::evaluate(&squares(), Gradient::new(), &domain().x(x.clone()))?);
        close(&per_second, &SLOPES.map(|slope| slope.map(|slope| slope / seconds))).expect("slopes per second");
        let step = Duration::from_secs_f64(seconds);
        assert_eq!(
            values(&arrow::evaluate(
                &squares(),
                Gradient::new(),
                &domain().x(x.clone()).per(step)
            )?),
            SLOPES,
            "{x:?}"
        );
    }
    Ok(())
}

#[test]
fn a_time_over_rows_is_a_duration_and_over_a_time_a_ratio() -> Result<(), ArrowError> {
    for (y, seconds) in times([1, 3, 7, 15]) {
        let (unit, times) = match y.data_type() {
            // No duration counts days.
            DataType::Date32 => (TimeUnit::Microsecond, 86_400_000_000),
            _ if seconds == 1.0 => (TimeUnit::Second, 1),
            _ if seconds == 1e-3 => (TimeUnit::Millisecond, 1),
            _ if seconds == 1e-6 => (TimeUnit::Microsecond, 1),
            _ => (TimeUnit::Nanosecond, 1),
        };
        let slopes = arrow::evaluate(&y, Gradient::new(), &domain())?;
        assert_eq!(slopes.data_type(), &DataType::Duration(unit), "{y:?}");
        let counts = [2, 3, 6, 8].map(|count| count * times);
        assert_eq!(slopes.to_data().buffer::<i64>(0)[..4], counts, "{y:?}");

        // To and from a duration of another unit the units cancel.
        let hours: ArrayRef = Arc::new(DurationSecondArray::from(vec![0, 3600, 10_800, 14_400]));
        let ratio = values(&arrow::evaluate(&y, Gradient::new(), &domain().x(hours))?);
        let expected = [2.0, 2.0, 6.0, 8.0].map(|count| Some(count * seconds / 3600.0));
        for (got, expected) in ratio.into_iter().zip(expected) {
            let (got, expected) = (got.unwrap_or_default(), expected.unwrap_or_default());
            assert!(
                (got / expected - 1.0).abs() < 1e-14,
                "{got} against {expected} of {y:?}"
            );
        }
    }
    Ok(())
}

#[test]
fn booleans_are_an_x_and_no_y() -> Result<(), ArrowError> {
    let bits: ArrayRef = Arc::new(BooleanArray::from(vec![false, true]));
    let y = floats(&[Some(1.0), Some(5.0)]);
    assert_eq!(
        values(&arrow::evaluate(&y, Gradient::new(), &domain().x(bits.clone()))?),
        [Some(4.0); 2]
    );
    assert_refused(
        arrow::evaluate(&bits, Gradient::new(), &domain()),
        "no meaning for booleans, but y column `y` is Boolean",
    );
    Ok(())
}

#[test]
fn columns_of_nothing_but_nulls_have_no_slopes() -> Result<(), ArrowError> {
    let nothing: ArrayRef = Arc::new(NullArray::new(4));
    for nulls in [Nulls::Propagate, Nulls::Skip, Nulls::Split] {
        let domain = domain().nulls(nulls);
        let halves: ArrayRef = Arc::new(Float32Array::from(vec![1.0; 4]));
        let at: ArrayRef = Arc::new(TimestampSecondArray::from(vec![None; 4]));
        for (y, x, result) in [
            (nothing.clone(), None, DataType::Float64),
            (nothing.clone(), Some(squares()), DataType::Float64),
            (squares(), Some(nothing.clone()), DataType::Float64),
            (halves, Some(nothing.clone()), DataType::Float32),
            (at, Some(squares()), DataType::Duration(TimeUnit::Second)),
        ] {
            let domain = match x {
                Some(x) => domain.clone().x(x),
                None => domain.clone(),
            };
            assert_eq!(
                &arrow::evaluate(&y, Gradient::new(), &domain)?,
                &new_null_array(&result, 4)
            );
        }
    }
    Ok(())
}

#[test]
fn integers_do_not_wrap_around() -> Result<(), ArrowError> {
    let falling: ArrayRef = Arc::new(UInt64Array::from(vec![u64::MAX, 5, 0]));
    let max = u64::MAX as f64;
    assert_eq!(
        values(&arrow::evaluate(&falling, Gradient::new(), &domain())?),
        [-max, -max / 2.0, -5.0].map(Some)
    );
    let y: ArrayRef = Arc::new(UInt64Array::from(vec![0, u64::MAX - 5, u64::MAX]));
    assert_eq!(
        values(&arrow::evaluate(&y, Gradient::new(), &domain().x(falling))?),
        [-1.0; 3].map(Some)
    );

    let extremes: ArrayRef = Arc::new(Int64Array::from(vec![i64::MIN, i64::MAX]));
    assert_eq!(
        values(&arrow::evaluate(&extremes, Gradient::new(), &domain())?),
        [Some(max); 2]
    );
    let decimals: ArrayRef = Arc::new(Decimal128Array::from(vec![-10_i128.pow(37), 10_i128.pow(37)]));
    assert_eq!(
        values(&arrow::evaluate(&decimals, Gradient::new(), &domain())?),
        [Some(2e27); 2]
    );
    Ok(())
}

#[test]
fn nanoseconds_of_our_days_are_exact() -> Result<(), ArrowError> {
    let epoch = 1_700_000_000_000_000_000;
    let at: ArrayRef = Arc::new(TimestampNanosecondArray::from(vec![
        epoch,
        epoch + 100,
        epoch + 300,
        epoch + 400,
    ]));
    let per = Duration::from_nanos(100);
    assert_eq!(
        values(&arrow::evaluate(&squares(), Gradient::new(), &domain().x(at).per(per))?),
        SLOPES
    );
    Ok(())
}

#[test]
fn a_spacing_is_a_number_or_a_time() -> Result<(), ArrowError> {
    assert_eq!(
        values(&arrow::evaluate(&squares(), Gradient::new(), &domain().spacing(0.5))?),
        [2.0, 9.0, 15.0, 14.0].map(Some)
    );
    let step = Duration::from_millis(500);
    assert_eq!(
        values(&arrow::evaluate(&squares(), Gradient::new(), &domain().spacing(step))?),
        [2.0, 9.0, 15.0, 14.0].map(Some)
    );
    Ok(())
}

#[test]
fn nulls_do_what_the_options_say() -> Result<(), ArrowError> {
    let y = floats(&[Some(0.0), Some(1.0), None, Some(9.0), Some(16.0)]);
    let rows: ArrayRef = Arc::new(Int32Array::from(vec![0, 1, 2, 3, 4]));
    let x: ArrayRef = Arc::new(Int32Array::from(vec![Some(0), Some(1), None, Some(3), Some(4)]));
    let full = floats(&[Some(0.0), Some(1.0), Some(4.0), Some(9.0), Some(16.0)]);
    for (nulls, expected) in [
        (Nulls::Propagate, [Some(1.0), None, None, None, Some(7.0)]),
        (Nulls::Skip, [Some(1.0), Some(2.0), None, Some(6.0), Some(7.0)]),
        (Nulls::Split, [Some(1.0), Some(1.0), None, Some(7.0), Some(7.0)]),
    ] {
        for (y, x) in [(&y, &rows), (&full, &x), (&y, &x)] {
            assert_eq!(
                values(&arrow::evaluate(
                    y,
                    Gradient::new(),
                    &domain().x(x.clone()).nulls(nulls)
                )?),
                expected,
                "{nulls:?}"
            );
        }
    }
    Ok(())
}

#[test]
fn what_stands_under_a_null_is_not_looked_at() -> Result<(), ArrowError> {
    let known = NullBuffer::from(vec![true, true, false, true, true, true]);
    let rows = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
    let clean = floats(
        &rows
            .iter()
            .zip(&known)
            .map(|(&row, known)| known.then_some(row))
            .collect::<Vec<_>>(),
    );
    for under in [f64::NAN, f64::INFINITY, -7.0, 1.0, 1e300] {
        let mut values = rows.to_vec();
        values[2] = under;
        let column: ArrayRef = Arc::new(Float64Array::new(values.into(), Some(known.clone())));
        for nulls in [Nulls::Propagate, Nulls::Skip, Nulls::Split] {
            for edge_order in [EdgeOrder::First, EdgeOrder::Second] {
                let operator = Gradient::new().edge_order(edge_order);
                let plain = domain().nulls(nulls).max_gap(3.0);
                let [got, expected] =
                    [&column, &clean].map(|column| arrow::evaluate(column, operator, &plain.clone().x(column.clone())));
                assert_eq!(&got?, &expected?, "{under} under {nulls:?}");
            }
        }
    }
    Ok(())
}

#[test]
fn a_gap_ends_a_segment() -> Result<(), ArrowError> {
    let x = floats(&[0.0, 1.0, 10.0, 20.0, 22.0].map(Some));
    let y = floats(&[0.0, 1.0, 100.0, 400.0, 484.0].map(Some));
    let expected = [Some(1.0), Some(1.0), None, Some(42.0), Some(42.0)];
    assert_eq!(
        values(&arrow::evaluate(&y, Gradient::new(), &domain().x(x).max_gap(2.0))?),
        expected
    );

    let at: ArrayRef = Arc::new(TimestampSecondArray::from(vec![0, 1, 10, 20, 22]));
    let gap = Duration::from_secs(2);
    assert_eq!(
        values(&arrow::evaluate(&y, Gradient::new(), &domain().x(at).max_gap(gap))?),
        expected
    );
    Ok(())
}

#[test]
fn the_ends_of_a_parabola_are_exact_at_the_second_order() -> Result<(), ArrowError> {
    let x = floats(&[0.0, 1.0, 3.0, 4.0].map(Some));
    let second = Gradient::new().edge_order(EdgeOrder::Second);
    assert_eq!(
        values(&arrow::evaluate(&squares(), second, &domain().x(x))?),
        [0.0, 2.0, 6.0, 8.0].map(Some)
    );
    let two = squares().slice(0, 2);
    assert_eq!(values(&arrow::evaluate(&two, second, &domain())?), [None, None]);
    Ok(())
}

#[test]
fn no_row_and_one_row_have_no_slope_but_a_type() -> Result<(), ArrowError> {
    for rows in [0, 1] {
        for edge_order in [EdgeOrder::First, EdgeOrder::Second] {
            for nulls in [Nulls::Propagate, Nulls::Skip, Nulls::Split] {
                let key: ArrayRef = Arc::new(StringArray::from(vec!["a"; rows]));
                let x: ArrayRef = Arc::new(Int32Array::from(vec![1; rows]));
                let operator = Gradient::new().edge_order(edge_order);
                let plain = domain().nulls(nulls);
                for domain in [plain.clone(), plain.clone().x(x.clone()), plain.x(x).by([key])] {
                    for (y, result) in [
                        (squares().slice(0, rows), DataType::Float64),
                        (
                            Arc::new(Float32Array::from(vec![1.0; rows])) as ArrayRef,
                            DataType::Float32,
                        ),
                        (
                            Arc::new(Date32Array::from(vec![1; rows])),
                            DataType::Duration(TimeUnit::Microsecond),
                        ),
                    ] {
                        assert_eq!(&arrow::evaluate(&y, operator, &domain)?, &new_null_array(&result, rows));
                    }
                }
            }
        }
    }
    Ok(())
}

/// One interleaving of two groups, their squares and the slopes of each.
fn turns() -> (ArrayRef, ArrayRef, [Option<f64>; 7]) {
    let x = floats(&[0.0, 0.0, 1.0, 2.0, 3.0, 7.0, 4.0].map(Some));
    let y = floats(&[0.0, 5.0, 1.0, 9.0, 9.0, 9.0, 16.0].map(Some));
    (y, x, [1.0, 2.0, 2.0, 10.0 / 7.0, 6.0, 0.0, 7.0].map(Some))
}

#[test]
fn keys_of_any_type_are_groups_wherever_they_stand() -> Result<(), ArrowError> {
    let (y, x, expected) = turns();
    let mut dictionary = StringDictionaryBuilder::<Int32Type>::new();
    dictionary.extend(["a", "b", "a", "b", "a", "b", "a"].map(Some));
    let keys = arrays([
        Arc::new(StringArray::from(vec!["a", "b", "a", "b", "a", "b", "a"])),
        Arc::new(StringArray::from(vec![
            None,
            Some("b"),
            None,
            Some("b"),
            None,
            Some("b"),
            None,
        ])),
        Arc::new(Int64Array::from(vec![1, 2, 1, 2, 1, 2, 1])),
        Arc::new(Int64Array::from(vec![
            Some(0),
            None,
            Some(0),
            None,
            Some(0),
            None,
            Some(0),
        ])),
        Arc::new(BooleanArray::from(vec![true, false, true, false, true, false, true])),
        Arc::new(Date32Array::from(vec![9, 8, 9, 8, 9, 8, 9])),
        Arc::new(Float64Array::from(vec![
            f64::NAN,
            0.0,
            f64::NAN,
            0.0,
            f64::NAN,
            0.0,
            f64::NAN,
        ])),
        Arc::new(dictionary.finish()),
    ]);
    for key in keys {
        let slopes = values(&arrow::evaluate(
            &y,
            Gradient::new(),
            &domain().x(x.clone()).by([key.clone()]),
        )?);
        close(&slopes, &expected).unwrap_or_else(|error| panic!("{error} by {key:?}"));
    }
    Ok(())
}

#[test]
fn two_keys_are_groups_of_pairs() -> Result<(), ArrowError> {
    let first: ArrayRef = Arc::new(StringArray::from(vec!["a", "a", "a", "b", "b", "a", "b", "b"]));
    let second: ArrayRef = Arc::new(Int32Array::from(vec![1, 2, 1, 1, 2, 2, 1, 1]));
    let y = floats(&[0.0, 0.0, 1.0, 0.0, 7.0, 2.0, 3.0, 6.0].map(Some));
    let slopes = arrow::evaluate(&y, Gradient::new(), &domain().by([first, second]))?;
    let alone = None;
    assert_eq!(
        values(&slopes),
        [
            Some(1.0),
            Some(2.0),
            Some(1.0),
            Some(3.0),
            alone,
            Some(2.0),
            Some(3.0),
            Some(3.0)
        ]
    );
    Ok(())
}

#[test]
fn contiguous_keys_part_the_rows_where_they_change() -> Result<(), ArrowError> {
    let key: ArrayRef = Arc::new(Int32Array::from(vec![
        Some(7),
        Some(7),
        Some(3),
        Some(3),
        Some(3),
        None,
        None,
        Some(8),
    ]));
    let y = floats(&[0.0, 1.0, 0.0, 2.0, 8.0, 0.0, 3.0, 1.0].map(Some));
    let x = floats(&[0.0, 1.0, 0.0, 1.0, 2.0, 5.0, 4.0, 0.0].map(Some));
    let slopes = arrow::evaluate(&y, Gradient::new(), &domain().x(x).by([key]))?;
    assert_eq!(
        values(&slopes),
        [
            Some(1.0),
            Some(1.0),
            Some(2.0),
            Some(4.0),
            Some(6.0),
            Some(-3.0),
            Some(-3.0),
            None
        ]
    );
    Ok(())
}

#[test]
fn a_batch_names_its_columns() -> Result<(), ArrowError> {
    let (y, x, expected) = turns();
    let id: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "a", "b", "a", "b", "a"]));
    let batch = RecordBatch::try_from_iter([("id", id), ("height", y), ("km", x)])?;
    let by_id = Domain::new().x("km").by(["id"]);
    close(
        &values(&arrow::evaluate_in(&batch, "height", Gradient::new(), &by_id)?),
        &expected,
    )
    .expect("the slopes of each group");

    // A column over itself, slice or not.
    let itself = Domain::new().x("km").by(["id"]);
    assert_eq!(
        values(&arrow::evaluate_in(&batch.slice(2, 3), "km", Gradient::new(), &itself)?),
        [Some(1.0), None, Some(1.0)]
    );
    for domain in [Domain::new().x("mile"), Domain::new().by(["mile"])] {
        let error = arrow::evaluate_in(&batch, "height", Gradient::new(), &domain).expect_err("no such column");
        assert!(matches!(error, ArrowError::SchemaError(_)), "{error:?}");
        assert!(error.to_string().contains("mile"), "{error}");
    }
    let error = arrow::evaluate_in(&batch, "mile", Gradient::new(), &Domain::new()).expect_err("no such column");
    assert!(error.to_string().contains("mile"), "{error}");
    Ok(())
}

/// An `InvalidArgumentError` in these words.
fn assert_refused(result: Result<ArrayRef, ArrowError>, words: &str) {
    let error = result.expect_err(words);
    assert!(matches!(error, ArrowError::InvalidArgumentError(_)), "{error:?}");
    assert!(error.to_string().contains(words), "{error}");
}

/// A `ComputeError` that says which values of an x follow each other, and where.
fn assert_unsorted(result: Result<ArrayRef, ArrowError>, words: &str) {
    let error = result.expect_err(words);
    assert!(matches!(error, ArrowError::ComputeError(_)), "{words}: {error:?}");
    let message = error.to_string();
    assert!(
        message.contains("`x` must be finite and strictly monotonic, but in column `"),
        "{message}"
    );
    assert!(message.contains(words), "{message}");
    assert!(message.contains("turn `strict` off"), "{message}");
}

#[test]
fn types_without_differences_are_refused_by_name() {
    let refused = arrays([
        Arc::new(StringArray::from(vec!["a", "b", "c", "d"])),
        Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(
            (0..4).map(|row| Some(vec![Some(row)])),
        )),
        Arc::new(Decimal256Array::from(vec![i256::ZERO; 4])),
        Arc::new(PrimitiveArray::<IntervalYearMonthType>::from(vec![0, 1, 2, 3])),
    ]);
    for column in refused {
        let dtype = column.data_type().to_string();
        let words = |axis: &str| format!("takes a numeric or temporal {axis}, but column `{axis}` is {dtype}");
        assert_refused(arrow::evaluate(&column, Gradient::new(), &domain()), &words("y"));
        assert_refused(
            arrow::evaluate(&squares(), Gradient::new(), &domain().x(column.clone())),
            &words("x"),
        );
        let batch = RecordBatch::try_from_iter([("label", column), ("y", squares())]).expect("of one length");
        let error = arrow::evaluate_in(&batch, "y", Gradient::new(), &Domain::new().x("label"));
        assert_refused(error, "column `label`");
    }
}

#[test]
fn options_that_do_not_fit_are_refused_in_words() {
    let y = squares();
    let at: ArrayRef = Arc::new(TimestampSecondArray::from(vec![0, 1, 3, 4]));
    let second = Duration::from_secs(1);
    for (domain, words) in [
        (
            domain().x(y.clone()).per(second),
            "`per` is the unit of a temporal x, but x column `x` is Float64",
        ),
        (domain().per(second), "`per` is the unit of a temporal x"),
        (
            domain().x(at.clone()).per(Duration::ZERO),
            "`per` must be positive, got 0 ns",
        ),
        (domain().spacing(0.0), "`spacing` must be finite and not zero, got 0"),
        (
            domain().spacing(f64::NAN),
            "`spacing` must be finite and not zero, got NaN",
        ),
        (domain().spacing(Duration::ZERO), "`spacing` must not be zero"),
        (
            domain().x(y.clone()).spacing(1.0),
            "`x` and `spacing` exclude each other",
        ),
        (domain().max_gap(1.0), "there is no `x`"),
        (domain().x(y.clone()).max_gap(second), "`max_gap` must be a number"),
        (domain().x(at.clone()).max_gap(1.0), "`max_gap` must be a duration"),
        (
            domain().x(y.clone()).max_gap(0.0),
            "`max_gap` must be finite and positive, got 0",
        ),
        (domain().x(at.slice(0, 3)), "`x` must be as long as y: got 3 and 4 rows"),
        (
            domain().by([at.slice(0, 3)]),
            "`key 1` must be as long as y: got 3 and 4 rows",
        ),
        (
            domain().by([at.clone(), at.slice(0, 1)]),
            "`key 2` must be as long as y: got 1 and 4 rows",
        ),
    ] {
        assert_refused(arrow::evaluate(&y, Gradient::new(), &domain), words);
    }
}

#[test]
fn an_unsorted_x_is_an_error_that_names_column_values_and_group() -> Result<(), ArrowError> {
    let y = floats(&[0.0; 6].map(Some));
    let x = floats(&[0.0, 1.0, 3.0, 2.0, 5.0, 6.5].map(Some));
    assert_unsorted(
        arrow::evaluate(&y, Gradient::new(), &domain().x(x.clone())),
        "column `x` 3.0 is followed by 2.0;",
    );

    let id: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "a", "b", "a", "a"]));
    let day: ArrayRef = Arc::new(Int32Array::from(vec![1; 6]));
    let at: ArrayRef = Arc::new(Int64Array::from(vec![0, 1, 2, 1, 4, 5]));
    let batch = RecordBatch::try_from_iter([("y", y.clone()), ("at", at), ("id", id), ("day", day)])?;
    let by_both = Domain::new().x("at").by(["id", "day"]);
    assert_unsorted(
        arrow::evaluate_in(&batch, "y", Gradient::new(), &by_both),
        "column `at` 1 is followed by 1 in the group `id` = b, `day` = 1;",
    );
    let by_day = Domain::new().x("at").by(["day"]);
    assert_unsorted(
        arrow::evaluate_in(&batch, "y", Gradient::new(), &by_day),
        "2 is followed by 1 in the group `day` = 1;",
    );

    let broken = floats(&[Some(0.0), Some(1.0), Some(f64::NAN), Some(3.0), Some(4.0), Some(5.0)]);
    assert_unsorted(
        arrow::evaluate(&y, Gradient::new(), &domain().x(broken)),
        "1.0 is followed by NaN",
    );
    let broken = floats(&[Some(f64::INFINITY), Some(1.0), None, Some(3.0), Some(4.0), Some(5.0)]);
    assert_unsorted(
        arrow::evaluate(&y, Gradient::new(), &domain().x(broken)),
        "inf is followed by 1.0",
    );
    Ok(())
}

#[test]
fn an_unsorted_x_of_any_type_is_shown() {
    let y = squares();
    for (x, _) in times([5, 6, 6, 7]) {
        let name = x.data_type().to_string();
        let error = arrow::evaluate(&y, Gradient::new(), &domain().x(x)).expect_err("it repeats");
        assert!(matches!(error, ArrowError::ComputeError(_)), "{name}: {error:?}");
        assert!(error.to_string().contains("in column `x` "), "{name}: {error}");
    }
}

#[test]
fn a_group_of_any_time_is_shown() {
    let x: ArrayRef = Arc::new(Int32Array::from(vec![0, 1, 1, 2]));
    for (key, _) in times([5; 4]) {
        let name = key.data_type().to_string();
        let error =
            arrow::evaluate(&squares(), Gradient::new(), &domain().x(x.clone()).by([key])).expect_err("x repeats");
        assert!(matches!(error, ArrowError::ComputeError(_)), "{name}: {error:?}");
        assert!(
            error.to_string().contains("1 is followed by 1 in the group `key 1` = "),
            "{name}: {error}"
        );
    }
}

#[test]
fn an_unsorted_time_beyond_the_calendar_is_an_error_of_its_order() {
    let x: ArrayRef = Arc::new(TimestampSecondArray::from(vec![0, i64::MAX, i64::MAX, 5]));
    let error = arrow::evaluate(&squares(), Gradient::new(), &domain().x(x)).expect_err("it repeats");
    assert!(matches!(error, ArrowError::ComputeError(_)), "{error:?}");
    let message = error.to_string();
    assert!(message.contains("in column `x` "), "{message}");
    // What cannot be written as a date is still a number, and no other error.
    assert!(message.contains("9223372036854775807"), "{message}");
    assert!(!message.contains("ERROR"), "{message}");
}

#[test]
fn a_broken_x_is_null_if_not_strict() -> Result<(), ArrowError> {
    let y = floats(&[0.0, 1.0, 4.0, 9.0, 16.0].map(Some));
    let x = floats(&[0.0, 1.0, 1.0, 2.0, 3.0].map(Some));
    let expected = [Some(1.0), None, None, Some(6.0), Some(7.0)];
    assert_eq!(
        values(&arrow::evaluate(&y, Gradient::new(), &domain().x(x).strict(false))?),
        expected
    );
    let x = floats(&[0.0, 1.0, 2.0, f64::NAN, 4.0].map(Some));
    assert_eq!(
        values(&arrow::evaluate(&y, Gradient::new(), &domain().x(x).strict(false))?),
        [Some(1.0), Some(2.0), None, None, None]
    );
    Ok(())
}

#[test]
fn a_slope_too_long_for_a_duration_is_an_error_or_null() -> Result<(), ArrowError> {
    let y: ArrayRef = Arc::new(TimestampNanosecondArray::from(vec![0, i64::MAX, 0]));
    let domain = domain().spacing(0.5);
    let error = arrow::evaluate(&y, Gradient::new(), &domain).expect_err("twice the longest duration");
    assert!(matches!(error, ArrowError::ComputeError(_)), "{error:?}");
    assert!(
        error
            .to_string()
            .contains("the gradient of `y` does not fit in Duration"),
        "{error}"
    );
    let grouped = arrow::evaluate(
        &y,
        Gradient::new(),
        &domain
            .clone()
            .by([Arc::new(Int64Array::from(vec![7, 5, 5])) as ArrayRef]),
    );
    let error = grouped.expect_err("twice the longest duration").to_string();
    assert!(
        error.contains(" in the group `key 1` = 5; cast y to a wider type"),
        "{error}"
    );
    let slopes = arrow::evaluate(&y, Gradient::new(), &domain.strict(false))?;
    let expected: ArrayRef = Arc::new(DurationNanosecondArray::from(vec![None, Some(0), None]));
    assert_eq!(&slopes, &expected);
    Ok(())
}

#[test]
fn the_arrays_given_stay_as_they_are() -> Result<(), ArrowError> {
    let (y, x, _) = turns();
    let key: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "a", "b", "a", "b", "a"]));
    let domain = domain().x(x.clone()).by([key.clone()]).nulls(Nulls::Skip);
    let before = [&y, &x, &key].map(|column| (column.to_data().buffers()[0].as_ptr(), column.to_data()));
    let first = arrow::evaluate(&y, Gradient::new(), &domain)?;
    let second = arrow::evaluate(&y, Gradient::new(), &domain)?;
    assert_eq!(&first, &second);
    for (column, (buffer, data)) in [&y, &x, &key].into_iter().zip(before) {
        assert_eq!(column.to_data().buffers()[0].as_ptr(), buffer);
        assert_eq!(column.to_data(), data);
    }
    Ok(())
}

#[test]
fn a_slice_has_the_slopes_of_a_column_of_its_own() -> Result<(), ArrowError> {
    let rows = 200_i64;
    let steps: Vec<_> = (0..rows).map(|row| row * 3 + row % 2).collect();
    let known = |row: &i64| row % 7 != 3;
    let y = floats(
        &(0..rows)
            .map(|row| known(&row).then_some((row * 13 % 29) as f64))
            .collect::<Vec<_>>(),
    );
    let key: ArrayRef = Arc::new(
        (0..rows)
            .map(|row| (row % 11 != 0).then_some(row / 40))
            .collect::<Int64Array>(),
    );
    let at = steps.iter().map(|&at| (at % 5 != 0).then_some(at));
    let xs = arrays([
        floats(&steps.iter().map(|&x| Some(x as f64)).collect::<Vec<_>>()),
        Arc::new(at.clone().collect::<TimestampSecondArray>()),
        Arc::new(at.clone().map(|at| at.map(i64::cast_unsigned)).collect::<UInt64Array>()),
        Arc::new(at.clone().map(|at| at.map(|at| at as f32)).collect::<Float32Array>()),
        Arc::new(at.map(|at| at.map(i128::from)).collect::<Decimal128Array>()),
    ]);
    for x in xs {
        for (start, length) in [(1, 199), (3, 64), (13, 130), (67, 5), (199, 1), (200, 0)] {
            for nulls in [Nulls::Propagate, Nulls::Skip, Nulls::Split] {
                for edge_order in [EdgeOrder::First, EdgeOrder::Second] {
                    let part = |column: &ArrayRef| column.slice(start, length);
                    // Row by row, so that nothing of the array it was cut from remains.
                    let own = |column: &ArrayRef| {
                        let indices: Int64Array = (start as i64..(start + length) as i64).collect();
                        arrow_select::take::take(column, &indices, None)
                    };
                    let operator = Gradient::new().edge_order(edge_order);
                    let plain = domain().nulls(nulls);
                    let sliced = plain.clone().x(part(&x)).by([part(&key)]);
                    let alone = plain.clone().x(own(&x)?).by([own(&key)?]);
                    assert_eq!(
                        &arrow::evaluate(&part(&y), operator, &sliced)?,
                        &arrow::evaluate(&own(&y)?, operator, &alone)?
                    );
                    let (sliced, alone) = (plain.clone().x(part(&x)), plain.x(own(&x)?));
                    assert_eq!(
                        &arrow::evaluate(&part(&y), operator, &sliced)?,
                        &arrow::evaluate(&own(&y)?, operator, &alone)?
                    );
                    if length > 1 {
                        let at = arrow::evaluate(&part(&x), Gradient::new(), &Domain::new().nulls(nulls))?;
                        assert_eq!(
                            &at,
                            &arrow::evaluate(&own(&x)?, Gradient::new(), &Domain::new().nulls(nulls))?
                        );
                    }
                }
            }
        }
    }
    Ok(())
}

#[test]
fn a_timestamp_with_a_zone_is_the_instant_that_it_is() -> Result<(), ArrowError> {
    let plain = TimestampSecondArray::from(vec![0, 1, 3, 4]);
    let zoned: PrimitiveArray<TimestampSecondType> = plain.clone().with_timezone("-11:30");
    for at in arrays([Arc::new(plain), Arc::new(zoned)]) {
        assert_eq!(
            values(&arrow::evaluate(&squares(), Gradient::new(), &domain().x(at))?),
            SLOPES
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn matches_the_naive_formula_on_each_segment(
        points in points(),
        keys in prop::collection::vec(prop::option::weighted(0.9, 0..5_u8), 700),
        in_order in any::<bool>(),
        edge_order in edge_orders(),
        nulls in all_nulls(),
        max_gap in prop::option::of(1.0..20.0),
        offset in 0..70_usize,
    ) {
        let (y, x): (Vec<_>, Vec<_>) = points.into_iter().unzip();
        let mut keys = keys[..y.len()].to_vec();
        if in_order {
            keys.sort_unstable();
        }
        // The columns begin anywhere in longer ones.
        let offset = offset.min(y.len());
        let part = |column: ArrayRef| column.slice(offset, column.len() - offset);
        let operator = Gradient::new().edge_order(edge_order);
        let mut domain = domain().x(part(floats(&x))).nulls(nulls);
        if let Some(gap) = max_gap {
            domain = domain.max_gap(gap);
        }
        let (y_part, x_part) = (&y[offset..], &x[offset..]);
        let by_keys = domain.clone().by([part(Arc::new(UInt8Array::from(keys.clone())))]);
        let slopes = arrow::evaluate(&part(floats(&y)), operator, &by_keys)?;
        close(&values(&slopes), &naive_in_segments(y_part, x_part, &keys[offset..], edge_order, nulls, max_gap))?;

        let slopes = arrow::evaluate(&part(floats(&y)), operator, &domain)?;
        let one = vec![None; y_part.len()];
        close(&values(&slopes), &naive_in_segments(y_part, x_part, &one, edge_order, nulls, max_gap))?;
    }

    #[test]
    fn rows_one_step_apart_match_the_naive_formula(points in points(), edge_order in edge_orders()) {
        let (y, _): (Vec<_>, Vec<_>) = points.into_iter().unzip();
        let rows: Vec<_> = (0..y.len()).map(|row| Some(row as f64)).collect();
        let slopes = arrow::evaluate(&floats(&y), Gradient::new().edge_order(edge_order), &domain())?;
        close(&values(&slopes), &naive(&y, &rows, edge_order))?;
    }

    #[test]
    fn a_line_of_integers_has_exactly_its_slope(
        steps in prop::collection::vec(1_i64..1_000_000_000, 1..300),
        slope in -1000_i64..1000,
        start in -1_000_000_000_000_i64..1_000_000_000_000,
    ) {
        let x: Vec<_> = steps.iter().scan(start, |x, step| { *x += step; Some(*x) }).collect();
        let y: ArrayRef = Arc::new(x.iter().map(|x| slope * (x - start)).collect::<Int64Array>());
        let slopes = arrow::evaluate(&y, Gradient::new(), &domain().x(Arc::new(Int64Array::from(x.clone())) as ArrayRef))?;
        let expected = (x.len() > 1).then_some(slope as f64);
        prop_assert!(values(&slopes).iter().all(|got| *got == expected));
    }
}

#[test]
fn a_smoothed_time_keeps_its_type() {
    let smooth = Savgol::new(WindowSize::Rows(5), 2)
        .and_then(|savgol| savgol.order(0))
        .expect("allowed");
    let counts = [0, 1, 4, 9, 16, 25, 36];
    let narrow = || counts.map(Some).to_vec();
    let wide = || counts.map(|count| Some(i64::from(count) + (1 << 35))).to_vec();
    let columns: [ArrayRef; 8] = [
        Arc::new(Date32Array::from(narrow())),
        Arc::new(Date64Array::from(wide())),
        Arc::new(Time32SecondArray::from(narrow())),
        Arc::new(Time32MillisecondArray::from(narrow())),
        Arc::new(Time64NanosecondArray::from(wide())),
        Arc::new(TimestampSecondArray::from(wide()).with_timezone("+01:00")),
        Arc::new(TimestampNanosecondArray::from(wide())),
        Arc::new(DurationSecondArray::from(wide())),
    ];
    for column in columns {
        // A parabola is its own smooth curve.
        assert_eq!(
            &arrow::evaluate(&column, smooth.clone(), &domain()).expect("a time"),
            &column
        );
        let errors = arrow::evaluate(&column, smooth.clone().with_error(true), &domain()).expect("a time");
        let errors = errors.as_struct();
        assert_eq!(errors.column(0), &column);
        assert!(matches!(errors.column(1).data_type(), DataType::Duration(_)));
    }
    // A time of day is taken modulo a day.
    let late = Time32SecondArray::from(vec![86_395, 86_396, 86_397, 86_398, 86_399, 0, 1]);
    let period = Duration::from_secs(86_400);
    let smoothed = arrow::evaluate(&late, smooth, &domain().y_period(period)).expect("a time");
    assert_eq!(&smoothed, &(Arc::new(late) as ArrayRef));
}

#[test]
fn a_single_x_that_is_wrong_is_shown() {
    let y = Float64Array::from(vec![1.0, 2.0, 3.0]);
    let slope = RollingSlope::new(WindowSize::Rows(2)).expect("allowed");
    for x in [vec![f64::NAN, 1.0, 2.0], vec![f64::INFINITY, 1.0, 2.0]] {
        let shown = if x[0].is_nan() { "there is NaN" } else { "there is inf" };
        let x: ArrayRef = Arc::new(Float64Array::from(x));
        for operator in [Operator::from(slope), Integral::new().into()] {
            let error = arrow::evaluate(&y, operator, &Domain::new().x(x.clone())).expect_err("x is not finite");
            assert!(error.to_string().contains(shown), "{error}");
        }
    }
}

#[test]
fn the_last_row_of_a_ring_is_before_its_first() -> Result<(), ArrowError> {
    let degrees: ArrayRef = Arc::new(Int32Array::from(vec![0, 64, 128, 192]));
    let sine = floats(&[Some(0.0), Some(1.0), Some(0.0), Some(-1.0)]);
    let around = domain().x(degrees).x_period(256.0);
    let slope = 1.0 / 64.0;
    let expected = [Some(slope), Some(0.0), Some(-slope), Some(0.0)];
    assert_eq!(values(&arrow::evaluate(&sine, Gradient::new(), &around)?), expected);
    let even = domain().spacing(64.0).x_period(256.0);
    assert_eq!(values(&arrow::evaluate(&sine, Gradient::new(), &even)?), expected);

    let times: ArrayRef = Arc::new(Time32SecondArray::from(vec![0, 16_384, 32_768, 49_152]));
    let day = domain()
        .x(times)
        .x_period(Duration::from_secs(65_536))
        .per(Duration::from_secs(16_384));
    let expected = [Some(1.0), Some(0.0), Some(-1.0), Some(0.0)];
    assert_eq!(values(&arrow::evaluate(&sine, Gradient::new(), &day)?), expected);
    Ok(())
}

#[test]
fn standard_deviations_are_those_of_the_rows_that_are_read() -> Result<(), ArrowError> {
    let [y, x, keys] = arrays([
        floats(&[Some(0.0), Some(9.0), Some(1.0), Some(4.0), Some(9.0)]),
        floats(&[Some(0.0), Some(0.0), Some(1.0), Some(2.0), Some(3.0)]),
        Arc::new(Int64Array::from(vec![1, 2, 1, 1, 1])),
    ]);
    let sigma = |values: [Option<f64>; 5]| floats(&values);
    let domain = || domain().x(x.clone()).by([keys.clone()]);
    let field = |results: &ArrayRef, name| values(results.as_struct().column_by_name(name).expect("a field"));
    let derivative = Derivative::new(1, 2).expect("allowed").with_error();
    let results = arrow::evaluate(
        &y,
        derivative,
        &domain().sigma(sigma([Some(3.0), None, Some(1.0), Some(4.0), Some(2.0)])),
    )?;
    // Weights of 1/2 inside; at the ends of 3/2, 2 and 1/2.
    let expected = [
        Some(28.25_f64.sqrt()),
        None,
        Some(2.5),
        Some(1.25_f64.sqrt()),
        Some(73.25_f64.sqrt()),
    ];
    close(&field(&results, "stderr"), &expected).expect("stderr");
    let results = arrow::evaluate(
        &y,
        derivative,
        &domain().sigma(sigma([None, None, Some(1.0), Some(4.0), Some(2.0)])),
    )?;
    close(
        &field(&results, "stderr"),
        &[None, None, None, Some(1.25_f64.sqrt()), Some(73.25_f64.sqrt())],
    )
    .expect("stderr");
    assert_eq!(
        field(&results, "value"),
        [Some(0.0), None, Some(2.0), Some(4.0), Some(6.0)]
    );

    // The weights 1, 4 and 4: means 4/3 and 20/9, the sum of squares 12/3.
    let slope = RollingSlope::new(WindowSize::Rows(3))
        .expect("allowed")
        .with_error(true);
    let half = [Some(1.0), None, Some(0.5), Some(0.5), None];
    let results = arrow::evaluate(&y, slope, &domain().sigma(sigma(half)))?;
    close(&field(&results, "value"), &[None, None, None, Some(7.0 / 3.0), None]).expect("value");
    close(&field(&results, "stderr"), &[None, None, None, Some(0.5), None]).expect("stderr");
    // Skipped, the row without a deviation is not there.
    let skipped = arrow::evaluate(&y, slope, &domain().nulls(Nulls::Skip).sigma(sigma(half)))?;
    assert_eq!(&*skipped, &*results);
    Ok(())
}

#[test]
fn a_ring_that_closes_on_itself_shows_both_ends() {
    let degrees: ArrayRef = Arc::new(Int32Array::from(vec![0, 90, 180, 360]));
    let refused =
        |domain: &Domain<ArrayRef>| arrow::evaluate(&squares(), Gradient::new(), domain).expect_err("too long");
    let message = refused(&domain().x(degrees).x_period(360.0)).to_string();
    let words = "`x` must span less than one `x_period`, but column `x` goes from 0 to 360; drop the row that repeats the \
                 first one, tell laps apart by keys, or turn `strict` off to get nulls there";
    assert!(message.ends_with(words), "{message}");
    let message = refused(&domain().spacing(180.0).x_period(360.0)).to_string();
    assert!(
        message.contains("but there are 4 rows a `spacing` apart; drop"),
        "{message}"
    );
    let integral = arrow::evaluate(&squares(), Integral::new(), &domain().spacing(1.0).x_period(9.0));
    assert_refused(integral, "`integral` takes no `x_period`");
    let without_x = arrow::evaluate(&squares(), Gradient::new(), &domain().x_period(9.0));
    assert_refused(without_x, "`x_period` is a length of x, but there is no `x`");
}

#[test]
fn rows_of_one_x_have_the_deviation_of_their_point() -> Result<(), ArrowError> {
    let [y, x, sigma, of_points] = arrays([
        floats(&[Some(0.0), Some(2.0), None, Some(4.0), Some(5.0)]),
        floats(&[Some(0.0), Some(1.0), Some(1.0), Some(1.0), Some(3.0)]),
        floats(&[Some(1.0), Some(3.0), None, Some(4.0), Some(2.0)]),
        floats(&[Some(0.0), Some(1.0), Some(3.0)]),
    ]);
    let slope = RollingSlope::new(WindowSize::Rows(3))
        .expect("allowed")
        .with_error(true);
    let derivative = Derivative::new(1, 2).expect("allowed").with_error();
    for (duplicates, y_of_point, sigma_of_point) in [
        (Duplicates::First, 2.0, 3.0),
        (Duplicates::Last, 4.0, 4.0),
        (Duplicates::Mean, 3.0, 2.5),
    ] {
        let [y_of_points, sigma_of_points] = arrays([
            floats(&[Some(0.0), Some(y_of_point), Some(5.0)]),
            floats(&[Some(1.0), Some(sigma_of_point), Some(2.0)]),
        ]);
        for operator in [Operator::from(slope), derivative.into()] {
            let merging = domain().x(x.clone()).sigma(sigma.clone()).duplicates(duplicates);
            let rows = arrow::evaluate(&y, operator.clone(), &merging)?;
            let alone = domain().x(of_points.clone()).sigma(sigma_of_points.clone());
            let expected = arrow::evaluate(&y_of_points, operator, &alone)?;
            for (row, point) in [(0, 0), (1, 1), (3, 1), (4, 2)] {
                assert_eq!(
                    &*rows.slice(row, 1),
                    &*expected.slice(point, 1),
                    "{duplicates:?}, row {row}"
                );
            }
            assert!(rows.is_null(2));
        }
    }
    Ok(())
}

#[test]
fn turning_points_are_words_places_and_heights() -> Result<(), ArrowError> {
    let y: ArrayRef = Arc::new(Float64Array::from(vec![0.0, 4.0, 2.0, 2.0, 3.0]));
    let turns = |x: ArrayRef| arrow::evaluate(&y, TurningPoints::new(), &domain().x(x));
    let columns = |turns: &ArrayRef| {
        let turns = turns.as_struct();
        let kinds = turns.column(0).as_dictionary::<Int8Type>();
        let words = kinds.values().as_string::<i32>();
        let kind = |row: usize| kinds.key(row).map(|key| words.value(key).to_owned());
        assert_eq!(turns.nulls(), kinds.nulls(), "a row without a kind is null");
        let kinds: Vec<_> = (0..turns.len()).map(kind).collect();
        (kinds, turns.column(1).clone(), turns.column(2).clone())
    };
    let number: ArrayRef = Arc::new(Float64Array::from(vec![0.0, 3.0, 6.0, 9.0, 12.0]));
    let (kinds, places, heights) = columns(&turns(number)?);
    assert_eq!(
        kinds,
        [None, Some("max".to_owned()), Some("min".to_owned()), None, None]
    );
    assert_eq!(values(&places), [None, Some(3.5), Some(7.5), None, None]);
    assert_eq!(values(&heights), [None, Some(4.0 + 1.0 / 12.0), Some(2.0), None, None]);

    let days = |values: [i32; 5]| Arc::new(Date32Array::from(values.to_vec())) as ArrayRef;
    let (_, places, _) = columns(&turns(days([0, 9, 18, 27, 36]))?);
    assert_eq!(
        places.as_primitive::<Date32Type>(),
        // From 9 + 1.5 and 18 + 4.5: distances are rounded half to even.
        &Date32Array::from(vec![None, Some(11), Some(22), None, None])
    );
    let start = 1_763_740_800_123_456_789;
    let times: ArrayRef = Arc::new(
        TimestampNanosecondArray::from_iter_values((0..5).map(|row| start + 3 * row)).with_timezone("Europe/Paris"),
    );
    let (_, places, _) = columns(&turns(times.clone())?);
    assert_eq!(places.data_type(), times.data_type());
    let places = places.as_primitive::<TimestampNanosecondType>();
    assert_eq!((places.value(1), places.value(2)), (start + 3, start + 8));
    let singles: ArrayRef = Arc::new(Float32Array::from(vec![0.0, 3.0, 6.0, 9.0, 12.0]));
    assert_eq!(columns(&turns(singles)?).1.data_type(), &DataType::Float32);
    Ok(())
}

#[test]
fn a_value_that_its_type_cannot_hold_has_no_error() -> Result<(), ArrowError> {
    let y = TimestampMicrosecondArray::from(vec![i64::MAX - 100, i64::MAX, i64::MAX]);
    let savgol = Savgol::new(WindowSize::Rows(3), 1)
        .and_then(|savgol| savgol.order(0))
        .expect("allowed")
        .with_error(true);
    let results = arrow::evaluate(&y, savgol, &domain().strict(false))?;
    let results = results.as_struct();
    for output in results.columns() {
        let valid: Vec<_> = (0..3).map(|row| output.is_valid(row)).collect();
        assert_eq!(valid, [true, true, false]);
    }
    Ok(())
}
