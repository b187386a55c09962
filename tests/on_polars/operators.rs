//! Every operator on every face: a Series, a cell, an expression, an Arrow array and a live feed give the same bits.
//!
//! An operator joins by its line in `operators!`: [`Operator::all`] lists it.

use std::sync::Arc;
use std::time::Duration;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int8Type};
use arrow_array::{
    Array, ArrayRef, DurationMicrosecondArray, Float32Array, Float64Array, Int64Array, TimestampMicrosecondArray,
    UInt8Array,
};
use polars::prelude::*;
use polars_grad::{
    Closed, Derivative, Domain, Duplicates, EdgeOrder, Edges, ExprGrad, Gradient, Increase, Integral, Length, Live,
    LiveError, Nulls, Operator, Rate, Reset, RollingSlope, Savgol, Side, TurningPoints, Weights, WindowSize, arrow,
    evaluate, kernel::Sample,
};
use proptest::prelude::*;

/// What the numbers of a column are made of.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    F64,
    F32,
    I64,
    Time,
    /// For standard deviations of a time only.
    Duration,
}

/// Columns of `f64`, to be made of their kinds; rows in any order of keys, and of x.
#[derive(Clone, Debug)]
struct Data {
    y: Vec<Option<f64>>,
    x: Vec<Option<f64>>,
    /// Standard deviations.
    sigma: Vec<Option<f64>>,
    keys: Vec<Option<u8>>,
    /// Whether every x is finite and strictly monotonic.
    in_order: bool,
    /// Where chunks of y, x and the keys end.
    cuts: [Vec<prop::sample::Index>; 3],
}

/// A column in several chunks, some of which may be empty.
fn cut(column: &Series, cuts: &[prop::sample::Index]) -> Series {
    let rows = column.len();
    let mut places: Vec<_> = cuts.iter().map(|cut| cut.index(rows + 1)).collect();
    places.extend([0, rows]);
    places.sort_unstable();
    let mut whole = column.clear();
    for pair in places.windows(2) {
        let chunk = column.slice(pair[0] as i64, pair[1] - pair[0]);
        whole.append(&chunk).expect("the same dtype");
    }
    whole
}

/// Every operator with its default options, and some with others.
fn operators() -> Vec<Operator> {
    let mut operators = Operator::all();
    operators.push(Gradient::new().edge_order(EdgeOrder::Second).into());
    let rolling_slope = |rows| RollingSlope::new(WindowSize::Rows(rows)).expect("allowed");
    let savgol = |degree| Savgol::new(WindowSize::Rows(9), degree).expect("allowed");
    let derivative = |order, accuracy| Derivative::new(order, accuracy).expect("allowed");
    operators.extend([
        derivative(1, 4).into(),
        derivative(2, 2).into(),
        derivative(1, 3).side(Side::Backward).into(),
        derivative(2, 1).side(Side::Forward).into(),
        Increase::new().reset(Reset::Null).into(),
        Rate::new().max_rate(20.0).into(),
        Integral::new().initial(3.0).hold(true).into(),
        rolling_slope(3).with_error(true).into(),
        rolling_slope(7)
            .min_samples(2)
            .and_then(|slope| slope.center(true))
            .expect("allowed")
            .into(),
        RollingSlope::new(10.0).expect("allowed").into(),
        RollingSlope::new(25.0)
            .and_then(|slope| slope.center(true))
            .and_then(|slope| slope.closed(Closed::Left))
            .expect("allowed")
            .with_error(true)
            .into(),
        derivative(2, 2).with_error().into(),
        TurningPoints::new().min_swing(400.0).into(),
        savgol(3).with_error(true).into(),
        savgol(4).order(0).expect("allowed").with_error(true).into(),
        savgol(2)
            .min_samples(3)
            .expect("allowed")
            .weights(Weights::Tricube)
            .into(),
        savgol(2).edges(Edges::Null).into(),
        Savgol::new(15.0, 2).expect("allowed").into(),
    ]);
    operators
}

/// Whether an operator takes a column of standard deviations.
fn takes_sigma(operator: &Operator) -> bool {
    let domain = Domain::new().sigma(Column::new("sigma".into(), [1.0]));
    evaluate(&Column::new("y".into(), [1.0]), operator.clone(), &domain).is_ok()
}

fn data() -> impl Strategy<Value = Data> {
    let y = prop_oneof![
        6 => (-1000..1000_i32).prop_map(f64::from),
        6 => -1e3..1e3,
        1 => prop::sample::select(vec![f64::NAN, f64::INFINITY, -0.0, 1e300]),
    ];
    // Mostly rising; now and then it repeats, turns or is no number.
    let step = prop_oneof![40 => (1..5_i32).prop_map(f64::from), 40 => 0.5..9.0, 1 => -20.0..0.0, 1 => Just(0.0)];
    let is_number = prop::bool::weighted(0.99);
    let row = (
        prop::option::weighted(0.93, y),
        step,
        prop::bool::weighted(0.95),
        is_number,
        prop::option::weighted(0.9, 0..4_u8),
        prop::option::weighted(0.95, 0.25..40.0),
    );
    let rows = prop::collection::vec(row, 0..150);
    let cuts = prop::array::uniform3(prop::collection::vec(any::<prop::sample::Index>(), 0..5));
    (rows, any::<bool>(), any::<bool>(), any::<bool>(), cuts).prop_map(|(rows, in_order, falling, in_runs, cuts)| {
        let (y, x, sigma, keys) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut data = Data {
            y,
            x,
            sigma,
            keys,
            in_order,
            cuts,
        };
        let mut x = -30.0;
        for (y, step, known, is_number, key, sigma) in rows {
            x += if in_order { step.abs() + 0.25 } else { step };
            let value = if is_number || in_order { x } else { f64::NAN };
            data.y.push(y);
            data.x.push(known.then_some(if falling { -value } else { value }));
            data.keys.push(key);
            data.sigma.push(sigma);
        }
        if in_runs {
            data.keys.sort_unstable();
        }
        data
    })
}

fn integers(values: &[Option<f64>]) -> impl Iterator<Item = Option<i64>> {
    // Quarters, so that no step is lost; not a number is 0.
    values.iter().map(|value| value.map(|value| (value * 4.0) as i64))
}

fn singles(values: &[Option<f64>]) -> impl Iterator<Item = Option<f32>> {
    values.iter().map(|value| value.map(|value| value as f32))
}

impl Kind {
    fn series(self, name: &str, values: &[Option<f64>]) -> Series {
        match self {
            Self::F64 => Series::new(name.into(), values),
            Self::F32 => Series::new(name.into(), singles(values).collect::<Vec<_>>()),
            Self::I64 => Series::new(name.into(), integers(values).collect::<Vec<_>>()),
            Self::Time => Self::I64
                .series(name, values)
                .cast(&DataType::Datetime(TimeUnit::Microseconds, None))
                .expect("a count of microseconds"),
            Self::Duration => Self::I64
                .series(name, values)
                .cast(&DataType::Duration(TimeUnit::Microseconds))
                .expect("a count of microseconds"),
        }
    }

    fn array(self, values: &[Option<f64>]) -> ArrayRef {
        match self {
            Self::F64 => Arc::new(Float64Array::from(values.to_vec())),
            Self::F32 => Arc::new(singles(values).collect::<Float32Array>()),
            Self::I64 => Arc::new(integers(values).collect::<Int64Array>()),
            Self::Time => Arc::new(integers(values).collect::<TimestampMicrosecondArray>()),
            Self::Duration => Arc::new(integers(values).collect::<DurationMicrosecondArray>()),
        }
    }
}

/// The bits of slopes, any NaN being one.
type Slopes = Vec<Option<u64>>;

fn bits(slopes: impl IntoIterator<Item = Option<f64>>) -> Slopes {
    let bits = |slope: f64| {
        if slope.is_nan() {
            f64::NAN.to_bits()
        } else {
            slope.to_bits()
        }
    };
    slopes.into_iter().map(|slope| slope.map(bits)).collect()
}

/// Several outputs follow each other.
fn bits_of_series(slopes: &Series) -> Slopes {
    match slopes.dtype() {
        DataType::Struct(_) => {
            let outputs = slopes.struct_().expect("just seen").clone().unnest();
            let outputs = outputs.columns().iter().map(Column::as_materialized_series);
            outputs.flat_map(bits_of_series).collect()
        },
        DataType::Float64 => bits(slopes.f64().expect("just seen").iter()),
        DataType::Float32 => bits(
            slopes
                .f32()
                .expect("just seen")
                .iter()
                .map(|slope| slope.map(f64::from)),
        ),
        // A cell is read with the physical dtypes of its fields.
        DataType::Enum(..) | DataType::UInt8 => {
            let words = slopes.to_physical_repr();
            bits(words.u8().expect("few words").iter().map(|word| word.map(f64::from)))
        },
        // A duration or integers: whole numbers, none of them long.
        _ => bits(
            slopes
                .to_physical_repr()
                .i64()
                .expect("64 bits")
                .iter()
                .map(|slope| slope.map(|v| v as f64)),
        ),
    }
}

fn bits_of_array(slopes: &ArrayRef) -> Slopes {
    match slopes.data_type() {
        arrow_schema::DataType::Struct(_) => slopes.as_struct().columns().iter().flat_map(bits_of_array).collect(),
        arrow_schema::DataType::Float64 => bits(slopes.as_primitive::<Float64Type>()),
        arrow_schema::DataType::Dictionary(..) => {
            let words = slopes.as_dictionary::<Int8Type>().keys();
            bits(words.iter().map(|word| word.map(f64::from)))
        },
        arrow_schema::DataType::Float32 => bits(
            slopes
                .as_primitive::<Float32Type>()
                .iter()
                .map(|slope| slope.map(f64::from)),
        ),
        _ => {
            let counts = Int64Array::new(slopes.to_data().buffers()[0].clone().into(), slopes.nulls().cloned());
            bits(counts.iter().map(|slope| slope.map(|count| count as f64)))
        },
    }
}

/// What is evaluated and where, apart from the columns.
#[derive(Clone, Debug)]
struct Question {
    y: Kind,
    x: Option<Kind>,
    sigma: Option<Kind>,
    by: bool,
    operator: Operator,
    nulls: Nulls,
    max_gap: Option<f64>,
    duplicates: Duplicates,
    period: Option<f64>,
    /// Whether x has a period, and the last row stands before the first.
    goes_round: bool,
    strict: bool,
}

fn questions() -> impl Strategy<Value = Question> {
    let kind = prop::sample::select(vec![Kind::F64, Kind::F32, Kind::I64, Kind::Time]);
    (
        kind.clone(),
        prop::option::weighted(0.9, kind),
        prop::option::weighted(0.3, prop::sample::select(vec![Kind::F64, Kind::F32, Kind::I64])),
        any::<bool>(),
        prop::sample::select(operators()),
        prop::sample::select(vec![Nulls::Propagate, Nulls::Skip, Nulls::Split]),
        prop::option::of(2.0..20.0),
        prop_oneof![
            3 => Just(Duplicates::Error),
            1 => prop::sample::select(vec![Duplicates::First, Duplicates::Last, Duplicates::Mean])
        ],
        prop::option::weighted(0.2, Just(360.0)),
        (any::<bool>(), prop::bool::weighted(0.3)),
    )
        .prop_map(
            |(y, x, sigma, by, operator, nulls, max_gap, duplicates, period, (strict, goes_round))| Question {
                y,
                x,
                sigma: sigma.filter(|_| takes_sigma(&operator)).map(|sigma| match y {
                    Kind::Time => Kind::Duration,
                    _ => sigma,
                }),
                by,
                goes_round: goes_round && matches!(operator, Operator::Gradient(_) | Operator::Derivative(_)),
                operator,
                nulls,
                max_gap,
                duplicates,
                period,
                strict,
            },
        )
}

impl Question {
    fn operator(&self) -> Operator {
        self.operator.clone()
    }

    fn domain<C>(&self) -> Domain<C> {
        let domain = Domain::new()
            .nulls(self.nulls)
            .strict(self.strict)
            .duplicates(self.duplicates);
        let domain = match (self.period, self.y) {
            (Some(period), Kind::Time) => domain.y_period(Length::Nanoseconds((period * 4.0) as i64 * 1_000)),
            (Some(period), _) => domain.y_period(period),
            _ => domain,
        };
        let domain = match (&self.operator, self.x) {
            (Operator::Rate(_), None) => domain.spacing(1.0),
            _ => domain,
        };
        // Longer than most columns, so that groups seldom go all the way round.
        let domain = match self.x {
            _ if !self.goes_round => domain,
            None => domain.spacing(1.0).x_period(40.0),
            Some(Kind::Time) => domain.x_period(Length::Nanoseconds(3_000_000)),
            Some(Kind::I64) => domain.x_period(3_000.0),
            Some(_) => domain.x_period(700.0),
        };
        match (self.max_gap, self.x) {
            (Some(gap), Some(Kind::Time)) => domain.max_gap(Length::Nanoseconds((gap * 4.0) as i64 * 1_000)),
            (Some(gap), Some(Kind::I64)) => domain.max_gap(gap * 4.0),
            (Some(gap), Some(_)) => domain.max_gap(gap),
            _ => domain,
        }
    }

    fn of_series(&self, data: &Data) -> PolarsResult<Slopes> {
        let uncut: [_; 3] = Default::default();
        self.of_chunks(data, &uncut)
    }

    fn of_chunks(
        &self,
        data: &Data,
        [y_cuts, x_cuts, key_cuts]: &[Vec<prop::sample::Index>; 3],
    ) -> PolarsResult<Slopes> {
        let mut domain = self.domain::<Column>();
        if let Some(x) = self.x {
            domain = domain.x(cut(&x.series("x", &data.x), x_cuts));
        }
        if let Some(sigma) = self.sigma {
            domain = domain.sigma(cut(&sigma.series("sigma", &data.sigma), key_cuts));
        }
        if self.by {
            domain = domain.by([cut(&Series::new("key".into(), &data.keys), key_cuts)]);
        }
        let y = cut(&self.y.series("y", &data.y), y_cuts);
        evaluate(&y, self.operator(), &domain).map(|slopes| bits_of_series(&slopes))
    }

    /// The whole column in one cell of a list column.
    fn of_cell(&self, data: &Data) -> PolarsResult<Slopes> {
        let cell = |column: Series| column.implode().map(IntoSeries::into_series);
        let mut domain = self.domain::<Column>().axis(1);
        if let Some(x) = self.x {
            domain = domain.x(cell(x.series("x", &data.x))?);
        }
        if let Some(sigma) = self.sigma {
            domain = domain.sigma(cell(sigma.series("sigma", &data.sigma))?);
        }
        let slopes = evaluate(&cell(self.y.series("y", &data.y))?, self.operator(), &domain)?;
        Ok(bits_of_series(&slopes.list()?.get_as_series(0).expect("a cell")))
    }

    fn of_array(&self, data: &Data) -> Result<Slopes, arrow_schema::ArrowError> {
        let mut domain = self.domain::<ArrayRef>();
        if let Some(x) = self.x {
            domain = domain.x(x.array(&data.x));
        }
        if let Some(sigma) = self.sigma {
            domain = domain.sigma(sigma.array(&data.sigma));
        }
        if self.by {
            domain = domain.by([Arc::new(UInt8Array::from(data.keys.clone())) as ArrayRef]);
        }
        arrow::evaluate(&self.y.array(&data.y), self.operator(), &domain).map(|slopes| bits_of_array(&slopes))
    }

    /// In a lazy frame, with `by` or with `over`.
    fn of_expression(&self, data: &Data, over: bool, engine: Engine) -> PolarsResult<Slopes> {
        let x = self.x.unwrap_or(Kind::F64).series("x", &data.x);
        let [y_cuts, x_cuts, key_cuts] = &data.cuts;
        let key = Series::new("key".into(), &data.keys);
        let y = cut(&self.y.series("y", &data.y), y_cuts);
        let sigma = self.sigma.unwrap_or(Kind::F64).series("sigma", &data.sigma);
        let frame = df!("y" => y, "x" => cut(&x, x_cuts), "key" => cut(&key, key_cuts), "sigma" => sigma)?;
        // In four parts, so that also few rows cross the borders of chunks and batches.
        let (rows, part) = (frame.height(), frame.height() / 4 + 1);
        let parts: Vec<_> = (0..=rows)
            .step_by(part)
            .map(|first| frame.slice(first as i64, part).lazy())
            .collect();
        let frame = concat(
            parts,
            UnionArgs {
                rechunk: false,
                ..UnionArgs::default()
            },
        )?;
        let mut domain = self.domain::<Expr>();
        if self.x.is_some() {
            domain = domain.x(col("x"));
        }
        if self.sigma.is_some() {
            domain = domain.sigma(col("sigma"));
        }
        let slope = match self.by {
            true if over => col("y").grad(self.operator(), domain).over([col("key")])?,
            true => col("y").grad(self.operator(), domain.by([col("key")])),
            false => col("y").grad(self.operator(), domain),
        };
        let frame = frame
            .lazy()
            .select([slope])
            .collect_with_engine(engine)?
            .unwrap_single();
        Ok(bits_of_series(frame.column("y")?.as_materialized_series()))
    }

    /// Point by point; `None` for what a feed does not take.
    fn of_feed(&self, data: &Data) -> Option<Result<Slopes, LiveError>> {
        if self.goes_round || self.sigma.is_some() || matches!(self.operator, Operator::TurningPoints(_)) {
            return None;
        }
        // The increases of a feed are floats, which hold what an integer does not.
        let is_exact = data.y.iter().flatten().all(|y| y.abs() < 1e15);
        if matches!(self.operator, Operator::Increase(_)) && !is_exact {
            return None;
        }
        let (y, x) = (&data.y, &data.x);
        let slopes = match (self.y, self.x?) {
            (Kind::F64, Kind::F64) => self.fed(data, y.iter().copied(), x.iter().copied()),
            (Kind::F64, Kind::F32) => self.fed(data, y.iter().copied(), singles(x)),
            (Kind::F64, _) => self.fed(data, y.iter().copied(), integers(x)),
            (Kind::F32, Kind::F64) => self.fed(data, singles(y), x.iter().copied()),
            (Kind::F32, Kind::F32) => self.fed(data, singles(y), singles(x)),
            (Kind::F32, _) => self.fed(data, singles(y), integers(x)),
            (Kind::I64, Kind::F64) => self.fed(data, integers(y), x.iter().copied()),
            (Kind::I64, Kind::F32) => self.fed(data, integers(y), singles(x)),
            (Kind::I64, _) => self.fed(data, integers(y), integers(x)),
            // The y of a feed are numbers.
            (Kind::Time | Kind::Duration, _) => return None,
        };
        // A column of singles has slopes of singles.
        let rounded = |slope: f64| {
            if self.y == Kind::F32 {
                f64::from(slope as f32)
            } else {
                slope
            }
        };
        Some(slopes.map(|slopes| bits(slopes.into_iter().map(|slope| slope.map(rounded)))))
    }

    fn fed<Y, X>(
        &self,
        data: &Data,
        y: impl Iterator<Item = Option<Y>>,
        x: impl Iterator<Item = Option<X>>,
    ) -> Result<Vec<Option<f64>>, LiveError>
    where
        Y: Sample + Default,
        X: Sample + Default + std::fmt::Display,
    {
        let mut live = match self.x {
            Some(Kind::Time) => Live::over_time(self.operator(), &self.domain(), Duration::from_micros(1))?,
            _ => Live::new(self.operator(), &self.domain())?,
        };
        let keys = data.keys.iter().map(|key| key.filter(|_| self.by));
        let mut finished = Vec::new();
        live.extend(keys.zip(x).zip(y).map(|((key, x), y)| (key, x, y)), &mut finished)?;
        finished.extend(live.finish());
        finished.sort_by_key(|result| result.row);
        let outputs = finished.first().map_or(0, |result| result.values().len());
        let output = |output: usize| finished.iter().map(move |result| result.values()[output]);
        Ok((0..outputs).flat_map(output).collect())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn all_faces_give_the_same_bits_or_an_error(data in data(), question in questions()) {
        let expected = question.of_series(&data);
        let expected = expected.as_ref().map_err(|_| ());
        let chunks = question.of_chunks(&data, &data.cuts);
        prop_assert_eq!(chunks.as_ref().map_err(|_| ()), expected, "in chunks");
        if !question.by {
            let cell = question.of_cell(&data);
            prop_assert_eq!(cell.as_ref().map_err(|_| ()), expected, "in a cell");
        }
        let array = question.of_array(&data);
        prop_assert_eq!(array.as_ref().map_err(|_| ()), expected, "arrow");
        for engine in [Engine::InMemory, Engine::Streaming] {
            for over in [false, true] {
                let slopes = question.of_expression(&data, over, engine);
                prop_assert_eq!(slopes.as_ref().map_err(|_| ()), expected, "lazy, over: {}, {:?}", over, engine);
            }
        }
        if let Some(slopes) = question.of_feed(&data) {
            // A feed judges an x as it comes; whole columns only where both its neighbours turn out to be known.
            let is_counter = matches!(question.operator, Operator::Increase(_) | Operator::Rate(_));
            if expected.is_err() || slopes.is_ok() || data.in_order && !is_counter {
                prop_assert_eq!(slopes.as_ref().map_err(|_| ()), expected, "live");
            }
        }
    }
}

#[test]
fn all_faces_take_several_blocks_of_rows() {
    // Longer than what the random columns are: blocks of the kernel, and parts for threads.
    let rows = 300_000_i32;
    let number = |row: i32| f64::from(row * 71 % 1013);
    let data = Data {
        y: (0..rows).map(|row| (row % 997 != 0).then(|| number(row))).collect(),
        x: (0..rows)
            .map(|row| Some(f64::from(row) + f64::from(row % 3) / 4.0))
            .collect(),
        sigma: (0..rows)
            .map(|row| (row % 1013 != 5).then(|| 1.0 + f64::from(row % 7)))
            .collect(),
        keys: (0..3).cycle().map(Some).take(300_000).collect(),
        in_order: true,
        cuts: Default::default(),
    };
    for by in [false, true] {
        let with_error = Derivative::new(2, 2).expect("allowed").with_error();
        for operator in Operator::all().into_iter().chain([with_error.into()]) {
            let question = Question {
                y: Kind::F64,
                // A polynomial on an uneven grid takes minutes in a debug build.
                x: Some(Kind::F64).filter(|_| !matches!(operator, Operator::Savgol(_))),
                // A weighted line takes time in proportion to its window, much of it in a debug build.
                sigma: Some(Kind::F64)
                    .filter(|_| matches!(operator, Operator::Derivative(_)) && takes_sigma(&operator)),
                by,
                operator,
                // An integral is null from a null on.
                nulls: Nulls::Split,
                max_gap: None,
                duplicates: Duplicates::Error,
                period: None,
                goes_round: false,
                strict: true,
            };
            let expected = question.of_series(&data).expect("x rises");
            let least = match question.operator {
                // Two in 14 rows, of three outputs each.
                Operator::TurningPoints(_) => 100_000,
                _ => 290_000,
            };
            assert!(expected.iter().flatten().count() > least, "{question:?}");
            assert!(
                question.of_array(&data).expect("x rises") == expected,
                "arrow, {question:?}"
            );
            // A feed has no blocks; one of an operator of segments takes long in a debug build.
            let by_rows = !matches!(question.operator, Operator::Integral(_) | Operator::RollingSlope(_));
            if let Some(slopes) = by_rows.then(|| question.of_feed(&data)).flatten() {
                assert!(slopes.expect("x rises") == expected, "live, {question:?}");
            }
            let slopes = question
                .of_expression(&data, false, Engine::Streaming)
                .expect("x rises");
            assert!(slopes == expected, "lazy, {question:?}");
        }
    }
}

#[test]
fn a_column_sigma_is_an_error_in_words_where_there_is_none() {
    let domain = Domain::new().sigma(());
    let slope = RollingSlope::new(WindowSize::Rows(3)).expect("allowed");
    let derivative = Derivative::new(1, 2).expect("allowed");
    let error = Live::<()>::new(derivative.with_error(), &domain).expect_err("a feed has no columns");
    let expected = "`sigma` cannot be a column here; give `derivative` one for all rows, or drop it";
    assert_eq!(error.to_string(), expected);

    let column = |values: [f64; 3]| Column::new("s".into(), values);
    let y = Column::new("y".into(), [1.0, 2.0, 4.0]);
    let evaluated = |operator: Operator, sigma| evaluate(&y, operator, &Domain::new().sigma(sigma));
    for (operator, sigma, message) in [
        (
            Gradient::new().into(),
            [1.0; 3],
            "`gradient` takes no `sigma`, but column `s` is given; drop it",
        ),
        (
            derivative.into(),
            [1.0; 3],
            "`derivative` takes `sigma` for its standard error only, without `with_error`",
        ),
        (
            slope.sigma(1.0).into(),
            [1.0; 3],
            "`rolling_slope` has a `sigma` for all rows, but column `s` is given",
        ),
        (
            slope.into(),
            [1.0, 0.0, 1.0],
            "`sigma` must be finite and positive, but in column `s` there is 0",
        ),
    ] {
        let error = evaluated(operator, column(sigma))
            .expect_err("no sigma here")
            .to_string();
        assert!(error.contains(message), "{error}");
    }
    let sigma: ArrayRef = Arc::new(Float64Array::from(vec![1.0, f64::NAN, 1.0]));
    let y = Float64Array::from(vec![1.0, 2.0, 4.0]);
    let error = arrow::evaluate(&y, slope, &Domain::new().sigma(sigma)).expect_err("no deviation");
    assert!(
        error
            .to_string()
            .contains("`sigma` must be finite and positive, but in `sigma` there is NaN")
    );
}

#[test]
fn each_operator_and_where_it_is_evaluated_can_be_stored() -> serde_json::Result<()> {
    for operator in operators() {
        let stored = serde_json::to_string(&operator)?;
        assert!(stored.starts_with(&format!("{{\"{}\":", operator.name())), "{stored}");
        assert_eq!(serde_json::from_str::<Operator>(&stored)?, operator, "{stored}");
    }
    // Options that are left out have their defaults.
    for operator in Operator::all() {
        let stored = format!("{{\"{}\": {{}}}}", operator.name());
        assert_eq!(serde_json::from_str::<Operator>(&stored)?, operator);
    }
    assert!(serde_json::from_str::<Operator>("{\"gradient\": {\"edge_ordr\": 2}}").is_err());
    let domain: Domain<String> = Domain::new()
        .x("time")
        .sigma("noise")
        .by(["station", "day"])
        .per(Duration::from_secs(3600))
        .max_gap(Duration::from_secs(5400))
        .nulls(Nulls::Skip)
        .duplicates(Duplicates::Mean)
        .y_period(360.0)
        .x_period(Duration::from_secs(86_400))
        .axis(-1)
        .strict(false);
    let even: Domain<String> = Domain::new().spacing(0.1);
    for domain in [domain, even, Domain::new()] {
        let stored = serde_json::to_string(&domain)?;
        assert_eq!(serde_json::from_str::<Domain<String>>(&stored)?, domain, "{stored}");
    }
    assert_eq!(serde_json::from_str::<Domain<String>>("{}")?, Domain::new());
    assert!(serde_json::from_str::<Domain<String>>("{\"y\": \"time\"}").is_err());
    Ok(())
}
