//! The Rust face against a naive oracle: every cut into chunks, every null, every option.

use std::time::Duration;

use polars::prelude::*;
use polars_grad::{
    Derivative, Differentiable, Domain, EdgeOrder, Gradient, Increase, Length, Nulls, Operator, evaluate,
};
use proptest::prelude::*;

use crate::oracle::{all_nulls, close, edge_orders, naive, naive_in_segments, points};

/// A series of the values, cut into chunks at the given places.
fn chunked(name: &str, values: &[Option<f64>], cuts: &[prop::sample::Index]) -> Series {
    let mut places: Vec<_> = cuts.iter().map(|cut| cut.index(values.len() + 1)).collect();
    places.extend([0, values.len()]);
    places.sort_unstable();
    let mut series = Series::new_empty(name.into(), &DataType::Float64);
    for pair in places.windows(2) {
        series
            .append(&Series::new(name.into(), &values[pair[0]..pair[1]]))
            .expect("the same dtype");
    }
    series
}

fn values(series: &Series) -> Vec<Option<f64>> {
    series.f64().expect("a Float64 column").iter().collect()
}

fn domain() -> Domain<Column> {
    Domain::new()
}

fn gradient<Y: Differentiable>(y: &Y, edge_order: EdgeOrder, domain: &Domain<Column>) -> PolarsResult<Y> {
    evaluate(y, Gradient::new().edge_order(edge_order), domain)
}

/// How the rows of groups stand.
#[derive(Clone, Debug)]
enum Order {
    AsDrawn,
    Sorted,
    InRuns,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn matches_the_naive_formula(
        points in points(),
        edge_order in edge_orders(),
        y_cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        x_cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let (y, x): (Vec<_>, Vec<_>) = points.into_iter().unzip();
        let slopes = gradient(&chunked("y", &y, &y_cuts), edge_order, &domain().x(chunked("x", &x, &x_cuts)))?;
        close(&values(&slopes), &naive(&y, &x, edge_order))?;
    }

    #[test]
    fn groups_gaps_and_nulls_match_the_naive_formula_on_each_segment(
        points in points(),
        keys in prop::collection::vec(prop::option::weighted(0.9, 0..5_u8), 700),
        order in prop_oneof![Just(Order::AsDrawn), Just(Order::Sorted), Just(Order::InRuns)],
        edge_order in edge_orders(),
        nulls in all_nulls(),
        max_gap in prop::option::of(1.0..20.0),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let (y, x): (Vec<_>, Vec<_>) = points.into_iter().unzip();
        let mut keys = keys[..y.len()].to_vec();
        match order {
            Order::AsDrawn => {},
            Order::Sorted => keys.sort_unstable(),
            Order::InRuns => for run in keys.chunks_mut(17) { run.fill(run[0]) },
        }
        let by = Series::new("k".into(), &keys);
        let mut domain = domain().x(chunked("x", &x, &[])).by([by]).nulls(nulls);
        if let Some(gap) = max_gap {
            domain = domain.max_gap(gap);
        }
        let slopes = gradient(&chunked("y", &y, &cuts), edge_order, &domain)?;
        close(&values(&slopes), &naive_in_segments(&y, &x, &keys, edge_order, nulls, max_gap))?;
    }

    #[test]
    fn gives_the_same_bits_however_it_is_cut(
        points in points(),
        edge_order in edge_orders(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 1..9),
    ) {
        let (y, x): (Vec<_>, Vec<_>) = points.into_iter().unzip();
        let whole = gradient(&chunked("y", &y, &[]), edge_order, &domain().x(chunked("x", &x, &[])))?;
        let cut = gradient(&chunked("y", &y, &cuts), edge_order, &domain().x(chunked("x", &x, &cuts[1..])))?;
        prop_assert_eq!(values(&whole), values(&cut));
    }

    #[test]
    fn rows_one_step_apart_are_a_special_case(points in points(), edge_order in edge_orders()) {
        let (y, _): (Vec<_>, Vec<_>) = points.into_iter().unzip();
        let rows: Vec<_> = (0..y.len()).map(|row| Some(row as f64)).collect();
        let y = chunked("y", &y, &[]);
        let even = gradient(&y, edge_order, &domain())?;
        let irregular = gradient(&y, edge_order, &domain().x(chunked("x", &rows, &[])))?;
        for (a, b) in values(&even).into_iter().zip(values(&irregular)) {
            prop_assert_eq!(a.is_some(), b.is_some());
            let (a, b) = (a.unwrap_or_default(), b.unwrap_or_default());
            prop_assert!((a - b).abs() <= 1e-12 * (1e3 + a.abs()), "{} against {}", a, b);
        }
    }

    #[test]
    fn a_line_has_exactly_its_slope(
        steps in prop::collection::vec(1_i64..1_000_000_000, 1..600),
        slope in -1000_i64..1000,
        start in -1_000_000_000_000_i64..1_000_000_000_000,
    ) {
        let x: Vec<_> = steps.iter().scan(start, |x, step| { *x += step; Some(*x) }).collect();
        let y: Vec<_> = x.iter().map(|x| slope * (x - start)).collect();
        let [x, y] = [("x", x), ("y", y)].map(|(name, values)| Series::new(name.into(), values));
        let slopes = gradient(&y, EdgeOrder::First, &domain().x(x.clone()))?;
        let expected = (x.len() > 1).then_some(slope as f64);
        prop_assert!(values(&slopes).iter().all(|got| *got == expected));
    }
}

#[test]
fn an_unsorted_x_is_an_error_or_null() -> PolarsResult<()> {
    let y = Series::new("y".into(), [0.0, 1.0, 4.0, 9.0, 16.0]);
    let x = Series::new("t".into(), [0_i64, 1, 1, 2, 3]);
    let error = gradient(&y, EdgeOrder::First, &domain().x(x.clone())).expect_err("x repeats");
    assert!(matches!(error, PolarsError::ComputeError(_)));
    assert!(error.to_string().contains("column `t` 1 is followed by 1"), "{error}");

    let lenient = domain().x(x).strict(false);
    assert_eq!(
        values(&gradient(&y, EdgeOrder::First, &lenient)?),
        [Some(1.0), None, None, Some(6.0), Some(7.0)]
    );
    Ok(())
}

#[test]
fn a_column_for_several_threads_has_the_bits_of_its_parts() -> PolarsResult<()> {
    let rows = 1_200_000;
    let x: Vec<_> = (0..rows).map(|i| f64::from(i) + 0.4 * f64::from(i).sin()).collect();
    let y: Vec<_> = (0..rows)
        .map(|i| (i % 1001 != 0).then(|| f64::from(i * 7 % 13)))
        .collect();
    let [x, y] = [Series::new("x".into(), x), Series::new("y".into(), y)];
    for edge_order in [EdgeOrder::First, EdgeOrder::Second] {
        let whole = gradient(&y, edge_order, &domain().x(x.clone()))?;
        assert_eq!(whole.len(), x.len());
        for start in (0..x.len()).step_by(100_000) {
            let [x, y] = [&x, &y].map(|column| column.slice(start as i64, 100_002));
            let part = gradient(&y, edge_order, &domain().x(x.clone()))?;
            let inside = x.len().min(100_001) - 2;
            let [part, whole] = [part.slice(1, inside), whole.slice(start as i64 + 1, inside)];
            assert!(part.equals_missing(&whole), "from row {start}");
        }
    }
    Ok(())
}

#[test]
fn the_first_of_several_errors_is_shown() {
    let mut x: Vec<_> = (0..1_200_000).collect();
    x[1_100_000] = -1;
    x[700_000] = -2;
    x[90_000] = -3;
    let x = Series::new("x".into(), x);
    let error = gradient(&x, EdgeOrder::First, &domain().x(x.clone())).expect_err("x turns");
    assert!(error.to_string().contains("89999 is followed by -3"), "{error}");
}

#[test]
fn many_groups_on_several_threads_have_the_bits_of_each_alone() -> PolarsResult<()> {
    let (rows, group) = (1_200_000_u32, 7);
    let x: Vec<_> = (0..rows).map(|i| f64::from(i) + 0.4 * f64::from(i).sin()).collect();
    let y: Vec<_> = (0..rows)
        .map(|i| (i % 1001 != 0).then(|| f64::from(i * 7 % 13)))
        .collect();
    let [x, y] = [Series::new("x".into(), x), Series::new("y".into(), y)];
    let contiguous: Vec<_> = (0..rows).map(|i| i / group).collect();
    let turns: Vec<_> = (0..rows).map(|i| i % (rows / group)).collect();
    let names: Vec<_> = contiguous.iter().map(|key| format!("sensor number {key}")).collect();
    let keys = [
        Series::new("k".into(), contiguous),
        Series::new("k".into(), turns),
        Series::new("k".into(), names),
    ];
    for key in keys {
        let all = gradient(&y, EdgeOrder::First, &domain().x(x.clone()).by([key.clone()]))?;
        assert_eq!(all.len(), y.len());
        for row in [0, 5, 599_998, 1_199_999] {
            let rows = key.equal(&key.new_from_index(row, key.len()))?;
            let alone = gradient(&y.filter(&rows)?, EdgeOrder::First, &domain().x(x.filter(&rows)?))?;
            assert!(all.filter(&rows)?.equals_missing(&alone), "the group of row {row}");
        }
    }
    Ok(())
}

#[test]
fn an_error_names_the_group() {
    let id = Series::new("id".into(), ["a", "b", "a", "b"]);
    let day = Series::new("day".into(), [1, 1, 1, 1]);
    let x = Series::new("t".into(), [0, 0, 1, 0]);
    let error = gradient(&x, EdgeOrder::First, &domain().x(x.clone()).by([id, day])).expect_err("x repeats in b");
    assert!(
        error
            .to_string()
            .contains("0 is followed by 0 in the group `id` = \"b\", `day` = 1;"),
        "{error}"
    );
}

#[test]
fn an_increase_that_does_not_fit_is_shown() {
    let whole = Series::new("y".into(), [i64::MIN, i64::MAX]);
    let long = Series::new("y".into(), [i128::MIN, i128::MAX]);
    for (y, words) in [
        (&whole, format!("does not fit in i64: it is {}; cast", u64::MAX)),
        (
            &long,
            format!("does not fit in i128: y goes from {} to {}; cast", i128::MIN, i128::MAX),
        ),
    ] {
        let error = evaluate(y, Increase::new(), &domain()).expect_err("a rise over all of the dtype");
        assert!(error.to_string().contains(&words), "{error}");
    }
}

#[test]
fn a_not_finite_x_is_not_to_be_sorted() {
    let y = Series::new("y".into(), [0.0, 1.0, 4.0]);
    let x = Series::new("t".into(), [0.0, f64::NAN, 2.0]);
    let error = gradient(&y, EdgeOrder::First, &domain().x(x)).expect_err("NaN");
    let expected = "0.0 is followed by NaN; drop such rows, or turn `strict` off";
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn a_gap_is_of_the_kind_of_x() {
    let y = Series::new("y".into(), [0.0, 1.0, 4.0]);
    let at = y
        .cast(&DataType::Datetime(TimeUnit::Microseconds, None))
        .expect("a time");
    let step = Length::Step(1.0);
    let time = Length::Nanoseconds(1_000);
    for (x, max_gap, part) in [
        (None, step, "there is no `x`"),
        (Some(&y), time, "must be a number"),
        (Some(&at), step, "must be a duration"),
        (Some(&y), Length::Step(-1.0), "finite and positive"),
    ] {
        let mut domain = domain().max_gap(max_gap);
        if let Some(x) = x {
            domain = domain.x(x.clone());
        }
        let error = gradient(&y, EdgeOrder::First, &domain).expect_err("not a gap");
        assert!(matches!(error, PolarsError::InvalidOperation(_)), "{error:?}");
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[test]
fn lengths_must_agree() {
    let y = Series::new("y".into(), [0.0, 1.0, 4.0]);
    let x = Series::new("x".into(), [0.0, 1.0]);
    let error = gradient(&y, EdgeOrder::First, &domain().x(x.clone())).expect_err("x is shorter");
    assert!(matches!(error, PolarsError::ShapeMismatch(_)), "{error:?}");
}

#[test]
fn strings_and_booleans_have_no_gradient() {
    for y in [
        Series::new("s".into(), ["a", "b"]),
        Series::new("b".into(), [true, false]),
    ] {
        let error = gradient(&y, EdgeOrder::First, &domain()).expect_err("no differences");
        assert!(matches!(error, PolarsError::InvalidOperation(_)), "{error:?}");
        assert!(error.to_string().contains(&format!("column `{}`", y.name())), "{error}");
    }
}

#[test]
fn times_have_units() -> PolarsResult<()> {
    let hours = |unit: TimeUnit, per_hour: i64| {
        Int64Chunked::from_vec("at".into(), vec![0, per_hour, 3 * per_hour])
            .into_datetime(unit, None)
            .into_series()
    };
    let y = Series::new("y".into(), [0_u8, 3, 9]);
    let per_hour = domain().per(Duration::from_secs(3600));
    for (unit, count) in [
        (TimeUnit::Milliseconds, 3_600_000),
        (TimeUnit::Microseconds, 3_600_000_000),
        (TimeUnit::Nanoseconds, 3_600_000_000_000),
    ] {
        assert_eq!(
            values(&gradient(
                &y,
                EdgeOrder::First,
                &per_hour.clone().x(hours(unit, count))
            )?),
            [Some(3.0); 3]
        );
        // A time over rows is a duration; over a time, a pure ratio.
        let at = hours(unit, count);
        assert_eq!(
            gradient(&at, EdgeOrder::First, &domain())?.dtype(),
            &DataType::Duration(unit)
        );
        assert_eq!(
            values(&gradient(&at, EdgeOrder::First, &domain().x(at.clone()))?),
            [Some(1.0); 3]
        );
    }
    let every_ten_ms = domain().spacing(Duration::from_millis(10));
    assert_eq!(
        values(&gradient(&y, EdgeOrder::First, &every_ten_ms)?),
        [Some(300.0), Some(450.0), Some(600.0)]
    );
    Ok(())
}

#[test]
fn integers_do_not_wrap_around() -> PolarsResult<()> {
    let falling = Series::new("y".into(), [u64::MAX, 5, 0]);
    let slopes = values(&gradient(&falling, EdgeOrder::First, &domain())?);
    assert_eq!(
        slopes,
        [Some(-(u64::MAX as f64)), Some(-(u64::MAX as f64) / 2.0), Some(-5.0)]
    );
    let extremes = Series::new("y".into(), [i128::MIN, i128::MAX]);
    let slopes = values(&gradient(&extremes, EdgeOrder::First, &domain())?);
    assert_eq!(slopes, [Some(u128::MAX as f64); 2]);
    Ok(())
}

/// splitmix64
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Numbers of rows around those that are gathered together, and beyond several of these.
fn rows_to_gather() -> impl Strategy<Value = usize> {
    prop_oneof![
        1_usize..300,
        8_180_usize..8_200,
        32_750_usize..32_800,
        66_000_usize..90_000
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// What is gathered, evaluated and scattered back is what each group has that is filtered out first.
    #[test]
    fn shuffled_groups_and_skipped_nulls_have_the_bits_of_each_alone(
        rows in rows_to_gather(),
        groups in prop_oneof![Just(1_u64), 2_u64..5, 5_u64..40],
        skip in any::<bool>(),
        share_of_nulls in prop_oneof![Just(0_u64), 1_u64..60],
        operator in prop::sample::select(vec![
            Operator::from(Gradient::new()),
            Gradient::new().edge_order(EdgeOrder::Second).into(),
            Derivative::new(2, 4).expect("allowed").into(),
        ]),
        seed in any::<u64>(),
    ) {
        let mut state = seed;
        let mut x = 0.0;
        let mut points = || {
            x += 0.1 + (random(&mut state) % 1_000) as f64 / 100.0;
            let y = random(&mut state).cast_signed() as f64 / 1e15;
            let mut is_valid = || random(&mut state) % 100 >= share_of_nulls;
            (is_valid().then_some(y), is_valid().then_some(x))
        };
        let (y, x): (Vec<_>, Vec<_>) = (0..rows).map(|_| points()).unzip();
        let keys: Vec<_> = (0..rows).map(|_| random(&mut state) % groups).collect();
        let [y, x] = [("y", y), ("x", x)].map(|(name, values)| Series::new(name.into(), values));
        let keys = Series::new("key".into(), keys);
        let nulls = if skip { Nulls::Skip } else { Nulls::Propagate };
        let all = evaluate(&y, operator.clone(), &domain().x(x.clone()).by([keys.clone()]).nulls(nulls))?;

        let mut expected = vec![None; rows];
        for group in 0..groups {
            let mut is_here = keys.equal(group)?;
            if skip {
                is_here = is_here & y.is_not_null() & x.is_not_null();
            }
            let alone = evaluate(&y.filter(&is_here)?, operator.clone(), &domain().x(x.filter(&is_here)?))?;
            let rows_here = is_here.iter().enumerate().filter(|(_, is_here)| *is_here == Some(true));
            for ((row, _), result) in rows_here.zip(values(&alone)) {
                expected[row] = result;
            }
        }
        let bits = |results: Vec<Option<f64>>| results.into_iter().map(|result| result.map(f64::to_bits)).collect::<Vec<_>>();
        let wrong = std::iter::zip(bits(values(&all)), bits(expected)).position(|(got, expected)| got != expected);
        prop_assert_eq!(wrong, None);
    }
}

fn decimals(name: &str, units: Vec<i128>, scale: usize) -> Series {
    let units = Int128Chunked::from_vec(name.into(), units);
    units.into_decimal_unchecked(38, scale).into_series()
}

fn instants(ticks: Vec<i64>, unit: TimeUnit) -> Series {
    Int64Chunked::from_vec("t".into(), ticks)
        .into_datetime(unit, None)
        .into_series()
}

#[test]
fn units_never_leave_the_range_of_floats_on_the_way() -> PolarsResult<()> {
    let thirds = |unit: f64| Series::new("y".into(), [0.0, unit, 2.0 * unit]);
    let ten_to = |power: u32| 10_i128.pow(power);
    let seconds = instants(vec![0, 1_000_000_000, 2_000_000_000], TimeUnit::Nanoseconds);
    let units = decimals("x", vec![0, ten_to(30), 2 * ten_to(30)], 30);
    let y = decimals("y", vec![0, ten_to(10), 2 * ten_to(10)], 10);
    let second = Duration::from_secs(1);
    for (y, domain, slope) in [
        (&thirds(1e300), domain().x(seconds.clone()), 1e300),
        (&thirds(1e300), domain().spacing(second), 1e300),
        (
            &thirds(1e300),
            domain().x(seconds.clone()).per(Duration::from_nanos(1)),
            1e291,
        ),
        (&thirds(1e305), domain().spacing(1e300), 1e305 / 1e300),
        (&thirds(1e280), domain().x(units.clone()), 1e280),
        (&y, domain().x(thirds(1e299)), 1e-299),
        (&y, domain().spacing(1e299), 1e-299),
        (&y, domain().x(thirds(1e-299)), 1e299),
        (&y, domain().x(seconds.clone()), 1.0),
        (&thirds(1e-300), domain().x(units.clone()), 1e-300),
        (&thirds(1e-300), domain().x(seconds.clone()), 1e-300),
    ] {
        for edge_order in [EdgeOrder::First, EdgeOrder::Second] {
            let slopes = values(&gradient(y, edge_order, &domain)?);
            assert_eq!(slopes.len(), 3);
            for got in slopes {
                let got = got.expect("a slope");
                assert!(
                    (got / slope - 1.0).abs() < 1e-15,
                    "{got:e} for {slope:e}: {y:?}, {domain:?}"
                );
            }
        }
    }
    Ok(())
}

/// A float whose exponent has no end.
#[derive(Clone, Copy, Debug)]
struct Wide(f64, i32);

impl Wide {
    fn new(value: f64) -> Self {
        Self(value, 0).normalized()
    }

    fn normalized(self) -> Self {
        let Self(mut value, mut exponent) = self;
        if value == 0.0 {
            return Self(0.0, 0);
        }
        for (factor, shift) in [(64, 64), (1, 1)] {
            let power = 2.0_f64.powi(factor);
            while value.abs() >= power {
                value /= power;
                exponent += shift;
            }
            while value.abs() * power < 2.0 {
                value *= power;
                exponent -= shift;
            }
        }
        Self(value, exponent)
    }

    fn abs(self) -> Self {
        Self(self.0.abs(), self.1)
    }

    fn is_below(self, other: Self) -> bool {
        (self - other).0 < 0.0
    }
}

impl std::ops::Mul for Wide {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Self(self.0 * other.0, self.1 + other.1).normalized()
    }
}

impl std::ops::Div for Wide {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        Self(self.0 / other.0, self.1 - other.1).normalized()
    }
}

impl std::ops::Add for Wide {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        if self.0 == 0.0 || other.0 == 0.0 {
            return if self.0 == 0.0 { other } else { self };
        }
        let exponent = self.1.max(other.1);
        let [a, b] = [self, other].map(|wide| wide.0 * 2.0_f64.powi((wide.1 - exponent).max(-1_000)));
        Self(a + b, exponent).normalized()
    }
}

impl std::ops::Sub for Wide {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + Self(-other.0, other.1)
    }
}

/// A float of any magnitude.
fn any_float(state: &mut u64) -> f64 {
    let exponent = (random(state) % 2_097) as i32 - 1_074;
    let mantissa = 1.0 + (random(state) >> 11) as f64 / 2.0_f64.powi(53);
    let sign = if random(state).is_multiple_of(2) { 1.0 } else { -1.0 };
    // In two steps, as the smallest power is none of a normal float.
    let half = exponent / 2;
    sign * mantissa * 2.0_f64.powi(half) * 2.0_f64.powi(exponent - half)
}

/// An integer of any magnitude up to a number of bits.
fn any_integer(bits: u64, state: &mut u64) -> i128 {
    let wide = u128::from(random(state)) << 64 | u128::from(random(state));
    let magnitude = (wide >> (128 - 1 - random(state) % bits)).cast_signed();
    if random(state).is_multiple_of(2) {
        magnitude
    } else {
        -magnitude
    }
}

/// The numbers of a column.
enum Numbers {
    Floats(Vec<f64>),
    Integers(Vec<i128>),
}

/// Numbers and the size of their unit.
struct Quantity {
    numbers: Numbers,
    unit: Wide,
}

impl Quantity {
    fn floats(floats: &[f64]) -> Self {
        Self {
            numbers: Numbers::Floats(floats.to_vec()),
            unit: Wide::new(1.0),
        }
    }

    fn integers(integers: &[i128], unit: Wide) -> Self {
        Self {
            numbers: Numbers::Integers(integers.to_vec()),
            unit,
        }
    }

    fn decimals(units: &[i128], scale: usize) -> Self {
        let power: f64 = format!("1e-{scale}").parse().expect("a float");
        Self::integers(units, Wide::new(power))
    }

    fn rise(&self, first: usize, second: usize) -> Wide {
        let rise = match &self.numbers {
            Numbers::Floats(floats) => Wide::new(floats[second]) - Wide::new(floats[first]),
            Numbers::Integers(integers) => Wide::new((integers[second] - integers[first]) as f64),
        };
        rise * self.unit
    }
}

/// A slope and what rounding may take from it: the terms of the formula without their signs.
fn expected_slope(y: &Quantity, x: &Quantity, row: usize, last: usize, edge_order: EdgeOrder) -> [Wide; 2] {
    let slope = |a, b| y.rise(a, b) / x.rise(a, b);
    let (first, second) = match (row, edge_order) {
        (0, EdgeOrder::First) => return [slope(0, 1), slope(0, 1).abs()],
        (_, EdgeOrder::First) if row == last => return [slope(row - 1, row), slope(row - 1, row).abs()],
        (0, EdgeOrder::Second) => ((0, 1), (1, 2)),
        (_, EdgeOrder::Second) if row == last => ((row - 1, row), (row - 2, row - 1)),
        _ => {
            let (before, after) = (x.rise(row - 1, row), x.rise(row, row + 1));
            let whole = before + after;
            let (left, right) = (
                slope(row - 1, row) * (after / whole),
                slope(row, row + 1) * (before / whole),
            );
            return [left + right, left.abs() + right.abs()];
        },
    };
    let (near, far) = (slope(first.0, first.1), slope(second.0, second.1));
    let (h1, h2) = (x.rise(first.0, first.1), x.rise(second.0, second.1));
    let weight = (h1 / (h1 + h2)).abs();
    let sizes = near.abs() + (near.abs() + far.abs()) * weight;
    [near + (near - far) * weight, sizes]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn steps_and_rises_of_any_magnitude_have_the_slopes_of_wide_arithmetic(
        rows in 3_usize..80,
        float_y in any::<bool>(),
        x_kind in 0..6,
        scales in prop::array::uniform2(0_usize..=38),
        edge_order in edge_orders(),
        seed in any::<u64>(),
    ) {
        let mut state = seed;
        let tick = |nanoseconds: f64, per: Duration| Wide::new(nanoseconds) / Wide::new(per.as_nanos() as f64);
        let any_duration = |state: &mut u64| {
            let nanoseconds = random(state) >> (1 + random(state) % 63);
            Duration::from_nanos(nanoseconds.max(1))
        };
        let mut integers = |rows: usize, bits| -> Vec<_> { (0..rows).map(|_| any_integer(bits, &mut state)).collect() };
        let rising = |mut integers: Vec<i128>| {
            integers.sort_unstable();
            integers.dedup();
            integers
        };
        // 38 digits are 126 bits.
        let (decimal_y, decimal_x, ticks) = (integers(rows, 126), rising(integers(rows, 126)), rising(integers(rows, 63)));
        let per = any_duration(&mut state);
        let count: Vec<_> = (0..rows as i128).collect();
        let (x, rows, domain) = match x_kind {
            0 => {
                let mut x: Vec<_> = (0..rows).map(|_| any_float(&mut state)).collect();
                x.sort_by(f64::total_cmp);
                x.dedup();
                (Quantity::floats(&x), x.len(), domain().x(Series::new("x".into(), x)))
            },
            1 => {
                let scale = scales[1];
                (Quantity::decimals(&decimal_x, scale), decimal_x.len(), domain().x(decimals("x", decimal_x, scale)))
            },
            2 | 3 => {
                let (unit, nanoseconds) = if x_kind == 2 {
                    (TimeUnit::Nanoseconds, 1.0)
                } else {
                    (TimeUnit::Milliseconds, 1e6)
                };
                let x = Quantity::integers(&ticks, tick(nanoseconds, per));
                let ticks: Vec<_> = ticks.into_iter().map(|tick| tick as i64).collect();
                (x, ticks.len(), domain().x(instants(ticks, unit)).per(per))
            },
            4 => {
                let step = any_float(&mut state);
                (Quantity::integers(&count, Wide::new(step)), rows, domain().spacing(step))
            },
            _ => {
                let step = any_duration(&mut state);
                let unit = tick(step.as_nanos() as f64, per);
                (Quantity::integers(&count, unit), rows, domain().spacing(step).per(per))
            },
        };
        prop_assume!(rows > 2);
        let (column, y) = if float_y {
            let y: Vec<_> = (0..rows).map(|_| any_float(&mut state)).collect();
            (Series::new("y".into(), &y), Quantity::floats(&y))
        } else {
            let (y, scale) = (decimal_y[..rows].to_vec(), scales[0]);
            (decimals("y", y.clone(), scale), Quantity::decimals(&y, scale))
        };
        let slopes = gradient(&column, edge_order, &domain)?;
        for (row, got) in values(&slopes).into_iter().enumerate() {
            let got = got.expect("a slope");
            let [expected, sizes] = expected_slope(&y, &x, row, rows - 1, edge_order);
            let tolerance = sizes * Wide::new(1e-14);
            if got.is_finite() {
                let error = (Wide::new(got) - expected).abs();
                // The smallest floats have few digits.
                prop_assert!(error.is_below(tolerance + Wide(1.0, -1_072)), "row {}: {:e} for {:?}", row, got, expected);
            } else {
                let most = Wide::new(f64::MAX);
                prop_assert!(!(expected.abs() + tolerance).is_below(most), "row {}: {:e} for {:?}", row, got, expected);
                // Where terms cancel, the sign is open.
                let is_open = expected.abs().is_below(tolerance);
                prop_assert!(is_open || got.is_sign_positive() == (expected.0 > 0.0), "row {}: {:e} for {:?}", row, got, expected);
            }
        }
    }
}
