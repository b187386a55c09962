//! Narrow dtypes: a column of any width has the slopes of the same numbers in a wide one.

use polars::prelude::*;
use polars_grad::{Domain, EdgeOrder, ExprGrad, Gradient, Nulls, evaluate};
use proptest::prelude::*;

/// A column and the same numbers as the kernel reads them.
#[derive(Debug)]
struct Pair {
    narrow: Series,
    wide: Series,
}

/// More rows than are converted at a time.
const ROWS: usize = 9_000;

const DTYPES: [DataType; 10] = [
    DataType::Int8,
    DataType::Int16,
    DataType::Int32,
    DataType::UInt8,
    DataType::UInt16,
    DataType::UInt32,
    DataType::UInt64,
    DataType::UInt128,
    DataType::Float16,
    DataType::Date,
];

/// splitmix64
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The range of the integers of a dtype.
fn range(dtype: &DataType) -> [i128; 2] {
    match dtype {
        DataType::Boolean => [0, 1],
        DataType::Int8 => [i8::MIN.into(), i8::MAX.into()],
        DataType::Int16 => [i16::MIN.into(), i16::MAX.into()],
        DataType::UInt8 => [0, u8::MAX.into()],
        DataType::UInt16 => [0, u16::MAX.into()],
        DataType::UInt32 => [0, u32::MAX.into()],
        DataType::UInt64 => [0, u64::MAX.into()],
        // Whole numbers that a half holds.
        DataType::Float16 => [-2_048, 2_048],
        DataType::UInt128 => [0, i128::MAX],
        // Rises are durations of 64 bits.
        DataType::Date => [-10_000_000, 10_000_000],
        _ => [i32::MIN.into(), i32::MAX.into()],
    }
}

impl Pair {
    /// Integers of a dtype, some of them null.
    fn new(name: &str, dtype: &DataType, values: Vec<Option<i128>>) -> PolarsResult<Self> {
        let values: Int128Chunked = values.into_iter().collect();
        let values = values.with_name(name.into()).into_series();
        let [narrow, wide] = match dtype {
            DataType::UInt64 | DataType::UInt128 => [values.strict_cast(dtype)?, values],
            DataType::Date => {
                let days = values.strict_cast(&DataType::Int32)?;
                let milliseconds = values.strict_cast(&DataType::Int64)? * 86_400_000_i64;
                let datetime = DataType::Datetime(TimeUnit::Milliseconds, None);
                [days.cast(dtype)?, milliseconds.cast(&datetime)?]
            },
            _ => {
                let floats = values.strict_cast(&DataType::Float64)?;
                [floats.strict_cast(dtype)?, floats]
            },
        };
        assert_eq!(narrow.null_count(), wide.null_count());
        Ok(Self { narrow, wide })
    }

    /// Values from all over the range of a dtype, its ends included.
    fn of_y(dtype: &DataType, nulls: u64, state: &mut u64) -> PolarsResult<Self> {
        let [least, most] = range(dtype);
        let values = (0..ROWS).map(|_| {
            let value = match random(state) % 8 {
                0 => least,
                1 => most,
                2 => (least / 2 + most / 2) + i128::from(random(state) % 100),
                // As far as 64 bits go.
                _ => least + i128::from(random(state)) % (most.saturating_sub(least)),
            };
            (random(state) % 100 >= nulls).then_some(value.clamp(least, most))
        });
        Self::new("y", dtype, values.collect())
    }

    /// Values that rise, and begin anew where the range ends.
    fn of_x(dtype: &DataType, nulls: u64, state: &mut u64) -> PolarsResult<Self> {
        let [least, most] = range(dtype);
        let mut x = least;
        let values = (0..ROWS).map(|_| {
            x += 1 + i128::from(random(state) % 9);
            if x > most {
                x = least;
            }
            (random(state) % 100 >= nulls).then_some(x)
        });
        Self::new("x", dtype, values.collect())
    }
}

/// A column in several chunks, some of which may be empty.
fn cut(column: &Series, chunks: u64, state: &mut u64) -> Series {
    let rows = column.len();
    let mut places: Vec<_> = (1..chunks)
        .map(|_| (random(state) % (rows as u64 + 1)) as usize)
        .collect();
    places.extend([0, rows]);
    places.sort_unstable();
    let mut whole = column.clear();
    for pair in places.windows(2) {
        let chunk = column.slice(pair[0] as i64, pair[1] - pair[0]);
        whole.append(&chunk).expect("the same dtype");
    }
    whole
}

/// The same numbers: to the bit, but for dates, whose unit is another one. There a result may be what is left of terms
/// that cancel: it is compared with the largest of the column.
fn agree(got: &Series, expected: &Series, to_the_bit: bool) -> Result<(), TestCaseError> {
    let floats = |column: &Series| -> PolarsResult<Vec<_>> {
        let column = column.to_physical_repr().cast(&DataType::Float64)?;
        Ok(column.f64()?.to_vec())
    };
    let (got, expected) = (floats(got)?, floats(expected)?);
    prop_assert_eq!(got.len(), expected.len());
    let sizes = expected.iter().flatten().map(|slope| slope.abs());
    let largest = sizes.filter(|size| size.is_finite()).fold(0.0, f64::max);
    for (row, pair) in got.into_iter().zip(expected).enumerate() {
        let same = match pair {
            (Some(got), Some(expected)) if to_the_bit => got.to_bits() == expected.to_bits(),
            (Some(got), Some(expected)) => (got - expected).abs() <= 1e-12 * expected.abs() + 1e-15 * largest + 1.0,
            (got, expected) => got.is_none() && expected.is_none(),
        };
        prop_assert!(same, "row {}: {:?}", row, pair);
    }
    Ok(())
}

/// The slopes of the wide columns, as a column of `y` has them.
fn in_dtype(slopes: Series, y: &DataType) -> PolarsResult<Series> {
    match y {
        // Rounded before the cast, which may round twice.
        DataType::Float16 => slopes.f64()?.apply_values(nearest_half).cast(y),
        _ => Ok(slopes),
    }
}

/// The half nearest to a number, on a tie the even one.
fn nearest_half(number: f64) -> f64 {
    if !number.is_finite() {
        return number;
    }
    // Those of half precision have 11 digits, from 2^-14 on; the last one is 2^-24 below that.
    let exponent = (number.abs().to_bits() >> 52) as i32 - 1023;
    let last_digit = 2.0_f64.powi(exponent.max(-14) - 10);
    let nearest = (number / last_digit).round_ties_even() * last_digit;
    if nearest.abs() >= 65_536.0 {
        number * f64::INFINITY
    } else {
        nearest
    }
}

fn dtypes() -> impl Strategy<Value = DataType> {
    prop::sample::select(DTYPES.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_narrow_column_has_the_slopes_of_a_wide_one(
        y in dtypes(),
        x in prop::option::weighted(0.8, prop_oneof![6 => dtypes(), 1 => Just(DataType::Boolean)]),
        nulls in prop_oneof![Just(Nulls::Propagate), Just(Nulls::Skip), Just(Nulls::Split)],
        groups in prop_oneof![Just(None), Just(Some(false)), Just(Some(true))],
        second in any::<bool>(),
        chunks in prop::array::uniform2(1_u64..5),
        share_of_nulls in prop_oneof![Just(0_u64), 1_u64..10],
        seed in any::<u64>(),
    ) {
        let mut state = seed;
        let operator = Gradient::new().edge_order(if second { EdgeOrder::Second } else { EdgeOrder::First });
        let is_date = |dtype: &DataType| dtype == &DataType::Date;
        let to_the_bit = !is_date(&y) && !x.as_ref().is_some_and(is_date);
        let y_pair = Pair::of_y(&y, share_of_nulls, &mut state)?;
        let x_pair = x.as_ref().map(|x| Pair::of_x(x, share_of_nulls, &mut state)).transpose()?;
        let keys: Vec<_> = (0..ROWS).map(|row| match groups {
            Some(true) => random(&mut state) % 7,
            _ => row as u64 / 1_234,
        }).collect();
        let key = Series::new("key".into(), keys);
        let domain = || Domain::<Column>::new().nulls(nulls).strict(false);
        let wide = match (y == DataType::Date, &x) {
            // Slopes are durations in microseconds: in milliseconds they would be rounded to these.
            (true, x) if !x.as_ref().is_some_and(is_date) => {
                y_pair.wide.cast(&DataType::Datetime(TimeUnit::Microseconds, None))?
            },
            _ => y_pair.wide.clone(),
        };
        let mut expected_in = domain();
        if let Some(x) = &x_pair {
            expected_in = expected_in.x(x.wide.clone());
        }
        if groups.is_some() {
            expected_in = expected_in.by([key.clone()]);
        }
        let expected = in_dtype(evaluate(&wide, operator, &expected_in)?, &y)?;
        prop_assert!(expected.null_count() < ROWS || x == Some(DataType::Boolean));

        let narrow = cut(&y_pair.narrow, chunks[0], &mut state);
        let x = x_pair.map(|x| cut(&x.narrow, chunks[1], &mut state));
        let mut narrow_in = domain();
        if let Some(x) = &x {
            narrow_in = narrow_in.x(x.clone());
        }
        if groups.is_some() {
            narrow_in = narrow_in.by([key.clone()]);
        }
        let slopes = evaluate(&narrow, operator, &narrow_in)?;
        prop_assert_eq!(slopes.dtype(), expected.dtype());
        agree(&slopes, &expected, to_the_bit)?;

        let mut columns = vec![narrow.into_column(), key.into_column()];
        let mut domain = Domain::<Expr>::new().nulls(nulls).strict(false);
        if let Some(x) = x {
            columns.push(x.into_column());
            domain = domain.x(col("x"));
        }
        let frame = DataFrame::new(ROWS, columns)?.lazy();
        let slope = match groups {
            None => col("y").grad(operator, domain),
            // `over` shifts group by group, `by` gathers.
            Some(_) if seed % 2 == 0 => col("y").grad(operator, domain).over([col("key")])?,
            Some(_) => col("y").grad(operator, domain.by([col("key")])),
        };
        for engine in [Engine::InMemory, Engine::Streaming] {
            let query = frame.clone().select([slope.clone()]);
            let slopes = query.collect_with_engine(engine)?.unwrap_single();
            agree(slopes.column("y")?.as_materialized_series(), &expected, to_the_bit)?;
        }
    }
}
