//! Quantities on the Arrow face: units of any magnitude, and narrow types, which give the bits of wide ones.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Float16Type, Float64Type};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float16Array, Float64Array, Int8Array, Int16Array,
    Int32Array, Int64Array, Time32MillisecondArray, Time32SecondArray, TimestampMicrosecondArray,
    TimestampNanosecondArray, TimestampSecondArray, UInt8Array, UInt16Array, UInt32Array, UInt64Array,
};
use arrow_schema::ArrowError;
use polars_grad::{Domain, EdgeOrder, Gradient, Nulls, arrow};
use proptest::prelude::*;

const EDGE_ORDERS: [EdgeOrder; 2] = [EdgeOrder::First, EdgeOrder::Second];

fn domain() -> Domain<ArrayRef> {
    Domain::new()
}

fn gradient(edge_order: EdgeOrder) -> Gradient {
    Gradient::new().edge_order(edge_order)
}

fn floats(values: &[f64]) -> ArrayRef {
    Arc::new(Float64Array::from(values.to_vec()))
}

fn decimals(values: &[i128], scale: i8) -> ArrayRef {
    let decimals = Decimal128Array::from(values.to_vec()).with_precision_and_scale(38, scale);
    Arc::new(decimals.expect("at most 38 decimals"))
}

fn nanoseconds(values: &[i64]) -> ArrayRef {
    Arc::new(TimestampNanosecondArray::from(values.to_vec()))
}

fn values(slopes: &ArrayRef) -> Vec<Option<f64>> {
    slopes.as_primitive::<Float64Type>().iter().collect()
}

// Units that leave the range of a float on the way.

#[test]
fn a_line_has_its_slope_though_its_units_overflow() -> Result<(), ArrowError> {
    let second = 1_000_000_000;
    let seconds = nanoseconds(&[0, second, 2 * second]);
    let whole = |scale: u32| [0, 1, 2].map(|row| row * 10_i128.pow(scale));
    let steps = decimals(&whole(30), 30);
    let lines = [
        (floats(&[0.0, 1e300, 2e300]), seconds.clone(), 1e300),
        (floats(&[0.0, -1e300, -2e300]), seconds, -1e300),
        (floats(&[0.0, 1e280, 2e280]), steps.clone(), 1e280),
        (decimals(&whole(10), 10), floats(&[0.0, 1e299, 2e299]), 1e-299),
        (decimals(&whole(10), 10), floats(&[2e299, 1e299, 0.0]), -1e-299),
        (floats(&[0.0, 1e308, 1.5e308]), floats(&[0.0, 1e308, 1.5e308]), 1.0),
        (floats(&[-1.5e308, 0.0, 1.5e308]), floats(&[-1.5, 0.0, 1.5]), 1e308),
        (floats(&[0.0, 1e-300, 2e-300]), steps, 1e-300),
    ];
    for (y, x, slope) in lines {
        for edge_order in EDGE_ORDERS {
            let slopes = arrow::evaluate(&y, gradient(edge_order), &domain().x(x.clone()))?;
            for got in values(&slopes) {
                let got = got.unwrap_or_else(|| panic!("no slope of {y:?} over {x:?}"));
                assert!(
                    (got / slope - 1.0).abs() < 1e-15,
                    "{got:e}, not {slope:e}: {y:?} over {x:?}"
                );
            }
        }
    }
    Ok(())
}

#[test]
fn a_line_over_a_spacing_has_its_slope_though_its_units_overflow() -> Result<(), ArrowError> {
    let whole = [0, 1, 2].map(|row| row * 10_i128.pow(30));
    let second = Duration::from_secs(1);
    for (y, domain, slope) in [
        (floats(&[0.0, 1e300, 2e300]), domain().spacing(second), 1e300),
        (floats(&[-1.5e308, 0.0, 1.5e308]), domain().spacing(1e300), 1.5e8),
        (floats(&[0.0, 5e307, 1e308]), domain().spacing(1e308), 0.5),
        (decimals(&whole, 30), domain().spacing(1e-290), 1e290),
        (decimals(&whole, 30), domain().spacing(1e290), 1e-290),
    ] {
        for edge_order in EDGE_ORDERS {
            let slopes = arrow::evaluate(&y, gradient(edge_order), &domain)?;
            for got in values(&slopes) {
                let got = got.unwrap_or_else(|| panic!("no slope of {y:?} in {domain:?}"));
                assert!(
                    (got / slope - 1.0).abs() < 1e-15,
                    "{got:e}, not {slope:e}: {y:?} in {domain:?}"
                );
            }
        }
    }
    Ok(())
}

/// A float whose exponent does not overflow: `mantissa * 2^exponent`, `1 <= |mantissa| < 2` or zero.
#[derive(Clone, Copy, Debug)]
struct Wide {
    mantissa: f64,
    exponent: i32,
}

impl Wide {
    fn new(value: f64) -> Self {
        Self::normal(value, 0)
    }

    fn normal(value: f64, exponent: i32) -> Self {
        if value == 0.0 {
            return Self {
                mantissa: 0.0,
                exponent: 0,
            };
        }
        // A subnormal has no exponent of its own.
        let (value, exponent) = if value.is_normal() {
            (value, exponent)
        } else {
            (value * 2.0_f64.powi(100), exponent - 100)
        };
        let bits = value.to_bits();
        let own = (bits >> 52 & 0x7ff) as i32 - 1023;
        let mantissa = f64::from_bits(bits & !(0x7ff << 52) | 1023 << 52);
        Self {
            mantissa,
            exponent: exponent + own,
        }
    }

    fn mul(self, other: Self) -> Self {
        Self::normal(self.mantissa * other.mantissa, self.exponent + other.exponent)
    }

    fn div(self, other: Self) -> Self {
        Self::normal(self.mantissa / other.mantissa, self.exponent - other.exponent)
    }

    fn add(self, other: Self) -> Self {
        if self.mantissa == 0.0 || other.mantissa == 0.0 {
            return if self.mantissa == 0.0 { other } else { self };
        }
        let [large, small] = if self.exponent >= other.exponent {
            [self, other]
        } else {
            [other, self]
        };
        let distance = (large.exponent - small.exponent).min(200);
        Self::normal(
            large.mantissa + small.mantissa * 2.0_f64.powi(-distance),
            large.exponent,
        )
    }

    fn neg(self) -> Self {
        Self {
            mantissa: -self.mantissa,
            ..self
        }
    }

    fn abs(self) -> Self {
        Self {
            mantissa: self.mantissa.abs(),
            ..self
        }
    }

    /// The nearest float; an infinity beyond the largest.
    fn float(self) -> f64 {
        let exponent = self.exponent.clamp(-2000, 2000);
        let first = exponent / 4;
        let rest = exponent - 3 * first;
        [first, first, first, rest]
            .iter()
            .fold(self.mantissa, |value, &power| value * 2.0_f64.powi(power))
    }
}

/// A column in its own unit, with the differences between rows.
#[derive(Clone, Debug)]
enum Quantity {
    Floats(Vec<f64>),
    Decimals(Vec<i128>, i8),
    Nanoseconds(Vec<i64>),
}

impl Quantity {
    fn array(&self) -> ArrayRef {
        match self {
            Self::Floats(values) => floats(values),
            Self::Decimals(values, scale) => decimals(values, *scale),
            Self::Nanoseconds(values) => nanoseconds(values),
        }
    }

    /// `column[b] - column[a]`, rounded once before it is brought to its unit.
    fn difference(&self, a: usize, b: usize) -> Wide {
        let integer = |negative: bool, distance: u128, power: i32| {
            let distance = Wide::new(distance as f64).div(Wide::new(10.0_f64.powi(power)));
            if negative { distance.neg() } else { distance }
        };
        match self {
            Self::Floats(values) => Wide::new(values[b]).add(Wide::new(values[a]).neg()),
            Self::Decimals(values, scale) => {
                integer(values[b] < values[a], values[b].abs_diff(values[a]), i32::from(*scale))
            },
            Self::Nanoseconds(values) => integer(values[b] < values[a], values[b].abs_diff(values[a]).into(), 9),
        }
    }
}

/// The slope at a row and the sum of the terms that it is made of.
fn slope(
    rows: usize,
    edge_order: EdgeOrder,
    row: usize,
    slope: impl Fn(usize) -> Wide,
    step: impl Fn(usize) -> Wide,
) -> [Wide; 2] {
    let last = rows - 1;
    let ends = |near: usize, far: usize| {
        let weight = step(near).div(step(near).add(step(far)));
        let [near, far] = [slope(near), slope(far)];
        let sum = near.abs().add(near.abs().add(far.abs()).mul(weight));
        [near.add(near.add(far.neg()).mul(weight)), sum]
    };
    match edge_order {
        EdgeOrder::First if row == 0 => [slope(0), slope(0).abs()],
        EdgeOrder::First if row == last => [slope(last - 1), slope(last - 1).abs()],
        EdgeOrder::Second if row == 0 => ends(0, 1),
        EdgeOrder::Second if row == last => ends(last - 1, last - 2),
        _ => {
            let [h1, h2] = [step(row - 1), step(row)];
            let [t1, t2] = [slope(row - 1).mul(h2), slope(row).mul(h1)];
            [t1.add(t2).div(h1.add(h2)), t1.abs().add(t2.abs()).div(h1.add(h2).abs())]
        },
    }
}

/// Checks slopes against arithmetic whose exponents do not overflow, to the rounding of their largest terms. Rises near the
/// smallest float have few digits, and so do their parts: these are rounded to multiples of it.
fn close_to_wide(
    slopes: &ArrayRef,
    y: &Quantity,
    step: impl Fn(usize) -> Wide,
    edge_order: EdgeOrder,
) -> Result<(), TestCaseError> {
    let rows = slopes.len();
    let between = |row: usize| y.difference(row, row + 1).div(step(row));
    for (row, got) in values(slopes).into_iter().enumerate() {
        let [expected, terms] = slope(rows, edge_order, row, between, &step);
        let beside = row.saturating_sub(2)..(row + 2).min(rows - 1);
        let tiny = beside.fold(Wide::new(1e-321), |sum, row| {
            sum.add(Wide::new(1e-321).div(step(row).abs()))
        });
        let bound = terms.mul(Wide::new(1e-14)).add(tiny);
        let [lowest, highest] = [bound.neg(), bound].map(|bound| expected.add(bound).float());
        let got = got.ok_or_else(|| TestCaseError::fail(format!("no slope in row {row}")))?;
        prop_assert!(
            (lowest..=highest).contains(&got),
            "row {row}: {got:e} is not from {lowest:e} to {highest:e}, {edge_order:?}"
        );
    }
    Ok(())
}

/// Floats of either sign, of any magnitude or of the same.
fn any_floats(rows: Range<usize>) -> impl Strategy<Value = Vec<f64>> {
    let exponents = prop_oneof![Just(-1060..1023), (-1060..1000).prop_map(|least| least..least + 20)];
    (exponents, rows).prop_flat_map(|(exponents, rows)| {
        let value = (1.0..2.0, exponents, any::<bool>());
        prop::collection::vec(value, rows).prop_map(|values| {
            let value = |(mantissa, exponent, negative)| {
                let magnitude = Wide { mantissa, exponent };
                (if negative { magnitude.neg() } else { magnitude }).float()
            };
            values.into_iter().map(value).collect()
        })
    })
}

fn any_decimals(rows: Range<usize>) -> impl Strategy<Value = Quantity> {
    let limit = 10_i128.pow(38);
    (prop::collection::vec(any::<i128>(), rows), 0..120, 0_i8..=38).prop_map(move |(values, shift, scale)| {
        Quantity::Decimals(
            values.into_iter().map(|value| (value >> shift) % limit).collect(),
            scale,
        )
    })
}

fn any_y() -> impl Strategy<Value = Quantity> {
    prop_oneof![any_floats(12..13).prop_map(Quantity::Floats), any_decimals(12..13)]
}

fn sorted<T: Copy + PartialOrd>(mut values: Vec<T>, falling: bool) -> Vec<T> {
    values.sort_by(|a, b| a.partial_cmp(b).expect("no NaN"));
    values.dedup_by(|a, b| *a == *b);
    if falling {
        values.reverse();
    }
    values
}

/// A strictly monotonic x of up to twelve rows.
fn any_x() -> impl Strategy<Value = Quantity> {
    let times = (prop::collection::vec(any::<i64>(), 3..13), 0..55)
        .prop_map(|(values, shift)| Quantity::Nanoseconds(values.into_iter().map(|value| value >> shift).collect()));
    let unsorted = prop_oneof![any_floats(3..13).prop_map(Quantity::Floats), any_decimals(3..13), times];
    (unsorted, any::<bool>()).prop_map(|(x, falling)| match x {
        Quantity::Floats(values) => Quantity::Floats(sorted(values, falling)),
        Quantity::Decimals(values, scale) => Quantity::Decimals(sorted(values, falling), scale),
        Quantity::Nanoseconds(values) => Quantity::Nanoseconds(sorted(values, falling)),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn slopes_of_any_magnitude_are_those_of_wide_arithmetic(y in any_y(), x in any_x()) {
        let x_array = x.array();
        prop_assume!(x_array.len() > 2);
        let y_array = y.array().slice(0, x_array.len());
        for edge_order in EDGE_ORDERS {
            let slopes = arrow::evaluate(&y_array, gradient(edge_order), &domain().x(x_array.clone()))?;
            close_to_wide(&slopes, &y, |row| x.difference(row, row + 1), edge_order)?;
        }
    }

    #[test]
    fn slopes_over_any_spacing_are_those_of_wide_arithmetic(y in any_y(), step in any_floats(1..2)) {
        for edge_order in EDGE_ORDERS {
            let slopes = arrow::evaluate(&y.array(), gradient(edge_order), &domain().spacing(step[0]))?;
            close_to_wide(&slopes, &y, |_| Wide::new(step[0]), edge_order)?;
        }
    }

    #[test]
    fn slopes_over_any_time_step_are_those_of_wide_arithmetic(y in any_y(), step in 1_i64..i64::MAX, shift in 0_u32..62) {
        let step = (step >> shift).max(1);
        let seconds = Wide::new(step as f64).div(Wide::new(1e9));
        for edge_order in EDGE_ORDERS {
            let in_time = domain().spacing(Duration::from_nanos(step.cast_unsigned()));
            let slopes = arrow::evaluate(&y.array(), gradient(edge_order), &in_time)?;
            close_to_wide(&slopes, &y, |_| seconds, edge_order)?;
        }
    }
}

// Narrow types.

const GROUPS: usize = 90;
const ROWS_PER_GROUP: usize = 100;

/// The group and the place in it of each row: more rows than a tile of groups that stand together, or in turns.
fn rows(in_turns: bool) -> Vec<(usize, usize)> {
    if in_turns {
        let turn = |place: usize| (0..GROUPS).map(move |group| ((group * 37 + place * 11) % GROUPS, place));
        (0..ROWS_PER_GROUP).flat_map(turn).collect()
    } else {
        (0..GROUPS)
            .flat_map(|group| (0..ROWS_PER_GROUP).map(move |place| (group, place)))
            .collect()
    }
}

/// Numbers of 7 bits: every type has them.
fn narrow_values(rows: &[(usize, usize)], with_nulls: bool) -> [Vec<Option<i8>>; 2] {
    let known = |row: usize, every: usize| !with_nulls || row % every != 3;
    let value = |number: usize| i8::try_from(number).expect("7 bits");
    let y = |(row, &(group, place)): (usize, &(usize, usize))| {
        known(row, 13).then(|| value((place * place * 31 + group * 17) % 101))
    };
    // A step of two in the middle.
    let x = |(row, &(group, place)): (usize, &(usize, usize))| {
        known(row, 17).then(|| value(place + usize::from(place > group)))
    };
    [
        rows.iter().enumerate().map(y).collect(),
        rows.iter().enumerate().map(x).collect(),
    ]
}

type F16 = <Float16Type as ArrowPrimitiveType>::Native;

/// A column of a narrow type that counts in its own unit.
type Narrow = fn(&[Option<i8>]) -> ArrayRef;

const NUMBERS: [Narrow; 8] = [
    |values| Arc::new(values.iter().copied().collect::<Int8Array>()),
    |values| Arc::new(values.iter().map(|value| value.map(i16::from)).collect::<Int16Array>()),
    |values| Arc::new(values.iter().map(|value| value.map(i32::from)).collect::<Int32Array>()),
    |values| {
        Arc::new(
            values
                .iter()
                .map(|value| value.map(i8::cast_unsigned))
                .collect::<UInt8Array>(),
        )
    },
    |values| {
        Arc::new(
            values
                .iter()
                .map(|value| value.map(|value| i16::from(value).cast_unsigned()))
                .collect::<UInt16Array>(),
        )
    },
    |values| {
        Arc::new(
            values
                .iter()
                .map(|value| value.map(|value| i32::from(value).cast_unsigned()))
                .collect::<UInt32Array>(),
        )
    },
    |values| {
        Arc::new(
            values
                .iter()
                .map(|value| value.map(|value| i64::from(value).cast_unsigned()))
                .collect::<UInt64Array>(),
        )
    },
    |values| {
        Arc::new(
            values
                .iter()
                .map(|value| value.map(|value| F16::from_f32(value.into())))
                .collect::<Float16Array>(),
        )
    },
];

fn wide(values: &[Option<i8>]) -> ArrayRef {
    Arc::new(values.iter().map(|value| value.map(i64::from)).collect::<Int64Array>())
}

/// What a test does with both types: keys or none, every edge order and rule of nulls, slices.
fn assert_same(
    y: [&ArrayRef; 2],
    x: [&ArrayRef; 2],
    per: [Option<Duration>; 2],
    key: &ArrayRef,
    expected: impl Fn(ArrayRef) -> ArrayRef,
) -> Result<(), ArrowError> {
    for edge_order in EDGE_ORDERS {
        for nulls in [Nulls::Propagate, Nulls::Skip, Nulls::Split] {
            for part in [0..key.len(), 13..key.len() - 70] {
                let slopes = |which: usize| {
                    let part = |column: &ArrayRef| column.slice(part.start, part.len());
                    let domain = domain().x(part(x[which])).by([part(key)]).nulls(nulls);
                    let domain = match per[which] {
                        Some(unit) => domain.per(unit),
                        None => domain,
                    };
                    arrow::evaluate(&part(y[which]), gradient(edge_order), &domain)
                };
                let (got, wide) = (slopes(0)?, expected(slopes(1)?));
                let types = [y[0], x[0]].map(arrow_array::Array::data_type);
                assert!(
                    got.as_ref() == wide.as_ref(),
                    "{types:?} by groups, {edge_order:?}, {nulls:?}, rows {part:?}"
                );
                assert!(got.null_count() < got.len() / 2, "slopes to compare");
            }
        }
    }
    Ok(())
}

/// The columns of a test: `y`, `x` and the key.
fn columns(in_turns: bool, with_nulls: bool) -> (Vec<Option<i8>>, Vec<Option<i8>>, ArrayRef) {
    let rows = rows(in_turns);
    let [y, x] = narrow_values(&rows, with_nulls);
    let key = rows
        .iter()
        .map(|&(group, _)| Some(group as i32))
        .collect::<Int32Array>();
    (y, x, Arc::new(key))
}

fn half(slopes: &ArrayRef) -> ArrayRef {
    let slopes = slopes.as_primitive::<Float64Type>().iter();
    Arc::new(slopes.map(|slope| slope.map(F16::from_f64)).collect::<Float16Array>())
}

#[test]
fn narrow_numbers_have_the_bits_of_wide_ones() -> Result<(), ArrowError> {
    for (in_turns, with_nulls) in [(false, false), (false, true), (true, false), (true, true)] {
        let (y, x, key) = columns(in_turns, with_nulls);
        let [wide_y, wide_x] = [&y, &x].map(|column| wide(column));
        for (index, narrow) in NUMBERS.iter().enumerate() {
            let [narrow_y, narrow_x] = [&y, &x].map(|column| narrow(column));
            let is_half = index == NUMBERS.len() - 1;
            let result = |slopes| if is_half { half(&slopes) } else { slopes };
            assert_same([&narrow_y, &wide_y], [&narrow_x, &wide_x], [None; 2], &key, result)?;
            assert_same([&wide_y, &wide_y], [&narrow_x, &wide_x], [None; 2], &key, |slopes| {
                slopes
            })?;
            assert_same([&narrow_y, &wide_y], [&wide_x, &wide_x], [None; 2], &key, result)?;
        }
    }
    Ok(())
}

#[test]
fn narrow_times_have_the_bits_of_numbers() -> Result<(), ArrowError> {
    let times: [(Narrow, Duration); 3] = [
        (
            |values| Arc::new(values.iter().map(|value| value.map(i32::from)).collect::<Date32Array>()),
            Duration::from_secs(86_400),
        ),
        (
            |values| {
                Arc::new(
                    values
                        .iter()
                        .map(|value| value.map(i32::from))
                        .collect::<Time32SecondArray>(),
                )
            },
            Duration::from_secs(1),
        ),
        (
            |values| {
                Arc::new(
                    values
                        .iter()
                        .map(|value| value.map(i32::from))
                        .collect::<Time32MillisecondArray>(),
                )
            },
            Duration::from_millis(1),
        ),
    ];
    for (in_turns, with_nulls) in [(false, true), (true, true)] {
        let (y, x, key) = columns(in_turns, with_nulls);
        let [wide_y, wide_x] = [&y, &x].map(|column| wide(column));
        for (time, unit) in times {
            assert_same(
                [&wide_y, &wide_y],
                [&time(&x), &wide_x],
                [Some(unit), None],
                &key,
                |slopes| slopes,
            )?;
        }
        // A date over numbers is a duration in microseconds.
        let date = times[0].0(&y);
        let microseconds: TimestampMicrosecondArray = y
            .iter()
            .map(|day| day.map(|day| i64::from(day) * 86_400_000_000))
            .collect();
        let microseconds: ArrayRef = Arc::new(microseconds);
        assert_same([&date, &microseconds], [&wide_x, &wide_x], [None; 2], &key, |slopes| {
            slopes
        })?;
        let time = times[1].0(&y);
        let seconds: ArrayRef = Arc::new(
            y.iter()
                .map(|second| second.map(i64::from))
                .collect::<TimestampSecondArray>(),
        );
        assert_same([&time, &seconds], [&wide_x, &wide_x], [None; 2], &key, |slopes| slopes)?;
    }
    Ok(())
}

#[test]
fn booleans_are_the_x_of_pairs() -> Result<(), ArrowError> {
    let rows = 9000_i64;
    let known = |row: i64| row % 23 != 3;
    let bits: ArrayRef = Arc::new(
        (0..rows)
            .map(|row| known(row).then_some(row % 2 == 1))
            .collect::<BooleanArray>(),
    );
    let numbers: ArrayRef = Arc::new(
        (0..rows)
            .map(|row| known(row).then_some(row % 2))
            .collect::<Int64Array>(),
    );
    let y: ArrayRef = Arc::new((0..rows).map(|row| Some(row * row % 1009)).collect::<Int64Array>());
    for in_turns in [false, true] {
        // In turns each row stands three before or after the other row of its pair, of another parity.
        let pair = |row: i64| if in_turns { row / 6 * 3 + row % 3 } else { row / 2 };
        let key: ArrayRef = Arc::new((0..rows).map(|row| Some(pair(row))).collect::<Int64Array>());
        for nulls in [Nulls::Propagate, Nulls::Skip, Nulls::Split] {
            let [got, expected] = [&bits, &numbers].map(|x| {
                let domain = domain().x(x.clone()).by([key.clone()]).nulls(nulls);
                arrow::evaluate(&y, Gradient::new(), &domain)
            });
            assert_eq!(&got?, &expected?, "{nulls:?}, in turns: {in_turns}");
        }
    }
    Ok(())
}

#[test]
fn narrow_numbers_without_keys_have_the_bits_of_wide_ones() -> Result<(), ArrowError> {
    let x = (0..9000_i64).map(|row| 3 * row + row % 2).collect::<Vec<_>>();
    let y = (0..9000_i64).map(|row| row * row % 113);
    let wide: ArrayRef = Arc::new(x.iter().map(|&x| Some(x)).collect::<Int64Array>());
    let xs: [ArrayRef; 5] = [
        Arc::new(x.iter().map(|&x| Some(x as i16)).collect::<Int16Array>()),
        Arc::new(x.iter().map(|&x| Some(x as i32)).collect::<Int32Array>()),
        Arc::new(
            x.iter()
                .map(|&x| Some((x as i16).cast_unsigned()))
                .collect::<UInt16Array>(),
        ),
        Arc::new(
            x.iter()
                .map(|&x| Some((x as i32).cast_unsigned()))
                .collect::<UInt32Array>(),
        ),
        Arc::new(x.iter().map(|&x| Some(x.cast_unsigned())).collect::<UInt64Array>()),
    ];
    for every in [usize::MAX, 29] {
        let y: Vec<_> = y
            .clone()
            .enumerate()
            .map(|(row, y)| (row % every != 5 || every > 9000).then_some(y as i8))
            .collect();
        let wide_y: ArrayRef = Arc::new(y.iter().map(|y| y.map(i64::from)).collect::<Int64Array>());
        for edge_order in EDGE_ORDERS {
            for nulls in [Nulls::Propagate, Nulls::Skip, Nulls::Split] {
                let slopes = |y: &ArrayRef, domain: Domain<ArrayRef>| {
                    arrow::evaluate(y, gradient(edge_order), &domain.nulls(nulls))
                };
                let expected = slopes(&wide_y, domain().x(wide.clone()))?;
                for x in &xs {
                    let got = slopes(&wide_y, domain().x(x.clone()))?;
                    assert!(
                        got.as_ref() == expected.as_ref(),
                        "{} as x, {edge_order:?}, {nulls:?}",
                        x.data_type()
                    );
                }
                let expected = slopes(&wide_y, domain())?;
                for (index, narrow) in NUMBERS.iter().enumerate() {
                    let column = narrow(&y);
                    let got = slopes(&column, domain())?;
                    let expected = if index == NUMBERS.len() - 1 {
                        half(&expected)
                    } else {
                        expected.clone()
                    };
                    assert!(
                        got.as_ref() == expected.as_ref(),
                        "{} as y, {edge_order:?}, {nulls:?}",
                        column.data_type()
                    );
                }
            }
        }
    }
    Ok(())
}
