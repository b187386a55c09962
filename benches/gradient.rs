//! How fast the kernel, Polars columns and Arrow arrays are differentiated; first of all, that they agree.
//!
//! ```console
//! $ cargo bench --features arrow
//! $ cargo bench --features arrow -- series/f64
//! ```
//!
//! The names are `face/dtype of y, what else/rows`. x is irregular and `Float64`, unless it is a `Datetime`. A small frame
//! shows the fixed cost, one of 100 000 rows fits in a processor's cache, one of a million does not.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type as ArrowF32, Float64Type as ArrowF64};
use arrow_array::{ArrayRef, Float32Array, Float64Array, Int32Array, Int64Array, TimestampNanosecondArray};
use criterion::{BenchmarkId, Criterion, Throughput};
use num_traits::AsPrimitive;
use polars::prelude::*;
use polars_grad::kernel::{NeighborMask, Points, Sample, Scale, ThreePoint, even, irregular};
use polars_grad::{Domain, Gradient, arrow, evaluate};

const SIZES: [usize; 3] = [1_000, 100_000, 1_000_000];
const GROUPS: usize = 1_000;

#[derive(Clone, Copy, Debug)]
enum Dtype {
    F64,
    F32,
    I64,
    /// `f64` over times.
    Datetime,
}

impl Dtype {
    const ALL: [Self; 4] = [Self::F64, Self::F32, Self::I64, Self::Datetime];

    fn name(self) -> &'static str {
        match self {
            Self::F64 => "f64",
            Self::F32 => "f32",
            Self::I64 => "i64",
            Self::Datetime => "f64 over datetime",
        }
    }
}

/// What is differentiated.
#[derive(Clone, Copy, Debug)]
struct Case {
    dtype: Dtype,
    /// One row in ten.
    nulls: bool,
    chunks: usize,
    /// A thousand, one after the other.
    groups: bool,
}

impl Case {
    fn plain(dtype: Dtype) -> Self {
        Self {
            dtype,
            nulls: false,
            chunks: 1,
            groups: false,
        }
    }

    /// The cases that cost more than a plain column.
    fn harder(dtype: Dtype) -> [Self; 3] {
        let plain = Self::plain(dtype);
        [
            Self { nulls: true, ..plain },
            Self { chunks: 16, ..plain },
            Self { groups: true, ..plain },
        ]
    }

    fn name(self) -> String {
        let mut name = self.dtype.name().to_owned();
        for (is_so, what) in [
            (self.nulls, ", 10 % nulls"),
            (self.chunks > 1, ", 16 chunks"),
            (self.groups, ", 1000 groups"),
        ] {
            name += if is_so { what } else { "" };
        }
        name
    }
}

/// Numbers from which every face makes its columns.
struct Data {
    y: Vec<f64>,
    x: Vec<f64>,
    nanoseconds: Vec<i64>,
}

impl Data {
    fn new(rows: usize) -> Self {
        let x: Vec<_> = (0..rows).map(|row| row as f64 + 0.3 * (row as f64).sin()).collect();
        Self {
            y: x.iter().map(|x| 1000.0 * (x / 50.0).sin() + x).collect(),
            nanoseconds: x.iter().map(|x| 1_700_000_000_000_000_000 + (x * 1e6) as i64).collect(),
            x,
        }
    }

    fn rows(&self) -> usize {
        self.y.len()
    }

    /// The values of y as another type.
    fn y_as<T: Copy + 'static>(&self) -> Vec<T>
    where
        f64: AsPrimitive<T>,
    {
        self.y.iter().map(|y| y.as_()).collect()
    }

    /// The same with the nulls of a case.
    fn nullable<T: Copy + 'static>(&self, case: Case) -> Vec<Option<T>>
    where
        f64: AsPrimitive<T>,
    {
        let known = |row: usize| !case.nulls || row % 10 != 7;
        let values = self.y.iter().enumerate();
        values.map(|(row, y)| known(row).then(|| y.as_())).collect()
    }

    fn keys(&self) -> Vec<i32> {
        let rows = self.rows();
        (0..rows).map(|row| (row * GROUPS / rows) as i32).collect()
    }

    fn columns(&self, case: Case) -> (Column, Domain<Column>) {
        let name = "y".into();
        let y = match case.dtype {
            Dtype::F64 | Dtype::Datetime if !case.nulls => Series::new(name, &self.y),
            Dtype::F64 | Dtype::Datetime => Series::new(name, self.nullable::<f64>(case)),
            Dtype::F32 => Series::new(name, self.nullable::<f32>(case)),
            Dtype::I64 => Series::new(name, self.nullable::<i64>(case)),
        };
        let x = match case.dtype {
            Dtype::Datetime => Int64Chunked::from_slice("t".into(), &self.nanoseconds)
                .into_datetime(TimeUnit::Nanoseconds, None)
                .into_series(),
            _ => Series::new("x".into(), &self.x),
        };
        let [y, x] = [y, x].map(|column| cut(&column, case.chunks).into_column());
        let domain = Domain::new().x(x);
        if case.groups {
            (y, domain.by([Series::new("id".into(), self.keys())]))
        } else {
            (y, domain)
        }
    }

    fn arrays(&self, case: Case) -> (ArrayRef, Domain<ArrayRef>) {
        let y: ArrayRef = match case.dtype {
            Dtype::F64 | Dtype::Datetime if !case.nulls => Arc::new(Float64Array::from(self.y.clone())),
            Dtype::F64 | Dtype::Datetime => Arc::new(Float64Array::from(self.nullable(case))),
            Dtype::F32 => Arc::new(Float32Array::from(self.nullable(case))),
            Dtype::I64 => Arc::new(Int64Array::from(self.nullable(case))),
        };
        let x: ArrayRef = match case.dtype {
            Dtype::Datetime => Arc::new(TimestampNanosecondArray::from(self.nanoseconds.clone())),
            _ => Arc::new(Float64Array::from(self.x.clone())),
        };
        let domain = Domain::new().x(x);
        if case.groups {
            let keys: ArrayRef = Arc::new(Int32Array::from(self.keys()));
            (y, domain.by([keys]))
        } else {
            (y, domain)
        }
    }
}

/// The same column in so many chunks.
fn cut(column: &Series, chunks: usize) -> Series {
    let length = column.len().div_ceil(chunks);
    let mut parts = (0..chunks).map(|chunk| column.slice((chunk * length) as i64, length));
    let mut cut = parts.next().expect("at least one chunk");
    for part in parts {
        cut.append(&part).expect("the same dtype");
    }
    assert_eq!((cut.n_chunks(), cut.len()), (chunks, column.len()));
    cut
}

/// A value more at each end, as the kernel wants it.
fn padded<T: Copy>(column: &[T]) -> Vec<T> {
    [&column[..1], column, &column[column.len() - 1..]].concat()
}

fn kernel_slopes<Y, X, O>(y: &[Y], x: &[X], scale: Scale) -> Vec<O>
where
    Y: Sample,
    X: Sample,
    O: Copy + 'static,
    f64: AsPrimitive<O>,
{
    let (y, x) = (ThreePoint::padded(y), ThreePoint::padded(x));
    let rows = y.this.len();
    let mut slopes = Vec::with_capacity(rows);
    let unsorted = irregular(
        Points { y, x, scale },
        NeighborMask::of_segment(rows),
        true,
        &mut slopes,
    );
    assert_eq!(unsorted, Ok(Vec::new()));
    slopes
}

const PER_SECOND: Scale = Scale {
    numerator: 1e9,
    denominator: 1.0,
};

/// The faces agree to the bit, whatever the column.
fn check() {
    let data = Data::new(10 * GROUPS + 7);
    let bits = |slopes: &[Option<f64>]| slopes.iter().map(|slope| slope.map(f64::to_bits)).collect::<Vec<_>>();
    for dtype in Dtype::ALL {
        for case in [Case::plain(dtype)].into_iter().chain(Case::harder(dtype)) {
            let (y, domain) = data.columns(case);
            let column = evaluate(&y, Gradient::new(), &domain).expect("a sorted x");
            let column = column.cast(&DataType::Float64).expect("a number");
            let column = column.f64().expect("a Float64 column").to_vec();

            let (y, domain) = data.arrays(case);
            let array = arrow::evaluate(&y, Gradient::new(), &domain).expect("a sorted x");
            let array: Vec<_> = match array.as_primitive_opt::<ArrowF64>() {
                Some(array) => array.iter().collect(),
                None => array
                    .as_primitive::<ArrowF32>()
                    .iter()
                    .map(|slope| slope.map(f64::from))
                    .collect(),
            };
            assert_eq!(bits(&column), bits(&array), "{case:?}");
            if case.nulls || case.groups {
                continue;
            }

            let (x, time) = (padded(&data.x), padded(&data.nanoseconds));
            let slopes: Vec<f64> = match dtype {
                Dtype::F64 => kernel_slopes(&padded(&data.y), &x, Scale::ONE),
                Dtype::F32 => {
                    let slopes: Vec<f32> = kernel_slopes(&padded(&data.y_as::<f32>()), &x, Scale::ONE);
                    slopes.into_iter().map(f64::from).collect()
                },
                Dtype::I64 => kernel_slopes(&padded(&data.y_as::<i64>()), &x, Scale::ONE),
                Dtype::Datetime => kernel_slopes(&padded(&data.y), &time, PER_SECOND),
            };
            let slopes: Vec<_> = slopes.into_iter().map(Some).collect();
            assert_eq!(bits(&column), bits(&slopes), "{case:?}");
        }
    }
}

fn kernel(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("kernel");
    for rows in SIZES {
        let data = Data::new(rows);
        let x = padded(&data.x);
        let f64s = padded(&data.y);
        let f32s = padded(&data.y_as::<f32>());
        let i64s = padded(&data.y_as::<i64>());
        group.throughput(Throughput::Elements(rows as u64));
        group.bench_function(BenchmarkId::new("irregular, f64", rows), |bencher| {
            bencher.iter(|| kernel_slopes::<_, _, f64>(black_box(&f64s), &x, Scale::ONE));
        });
        group.bench_function(BenchmarkId::new("irregular, f32", rows), |bencher| {
            bencher.iter(|| kernel_slopes::<_, _, f32>(black_box(&f32s), &x, Scale::ONE));
        });
        group.bench_function(BenchmarkId::new("irregular, i64", rows), |bencher| {
            bencher.iter(|| kernel_slopes::<_, _, f64>(black_box(&i64s), &x, Scale::ONE));
        });
        group.bench_function(BenchmarkId::new("even, f64", rows), |bencher| {
            bencher.iter(|| {
                let mut slopes: Vec<f64> = Vec::with_capacity(rows);
                even(
                    ThreePoint::padded(black_box(&f64s)),
                    Scale::ONE,
                    NeighborMask::of_segment(rows),
                    &mut slopes,
                );
                slopes
            });
        });
    }
    group.finish();
}

fn series(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("series");
    for (data, case) in cases() {
        let (y, domain) = data.columns(case);
        group.throughput(Throughput::Elements(data.rows() as u64));
        group.bench_function(BenchmarkId::new(case.name(), data.rows()), |bencher| {
            bencher.iter(|| evaluate(black_box(&y), Gradient::new(), &domain).expect("a sorted x"));
        });
    }
    group.finish();
}

fn arrays(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("arrow");
    // An array is one chunk.
    for (data, case) in cases().filter(|(_, case)| case.chunks == 1) {
        let (y, domain) = data.arrays(case);
        group.throughput(Throughput::Elements(data.rows() as u64));
        group.bench_function(BenchmarkId::new(case.name(), data.rows()), |bencher| {
            bencher.iter(|| arrow::evaluate(black_box(&y), Gradient::new(), &domain).expect("a sorted x"));
        });
    }
    group.finish();
}

/// Each dtype as it is in every size, and `f64` with all that makes a long column harder.
fn cases() -> impl Iterator<Item = (Arc<Data>, Case)> {
    SIZES.into_iter().flat_map(|rows| {
        let data = Arc::new(Data::new(rows));
        let harder = Case::harder(Dtype::F64).into_iter().filter(move |_| rows > GROUPS);
        let cases = Dtype::ALL.map(Case::plain).into_iter().chain(harder);
        cases.map(move |case| (Arc::clone(&data), case))
    })
}

fn main() {
    check();
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    kernel(&mut criterion);
    series(&mut criterion);
    arrays(&mut criterion);
    criterion.final_summary();
}
