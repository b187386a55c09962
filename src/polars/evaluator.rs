//! Evaluates an operator over columns of numbers and times: lagged copies, or a whole column in groups.

use polars::prelude::*;
use polars_arrow::array::PrimitiveArray;
use polars_arrow::bitmap::Bitmap;

use super::bits;
use super::failure::Failure;
use super::groups::{Groups, broadcast};
use super::lagged::Lagged;
use super::nested::{leaf, with_leaf};
use super::numbers::{Physical, info};
use super::unsorted::{Remedy, group, up_to_wrong_step};
use crate::column::{Mode, WholeColumn, WrongRow, by_output};
use crate::domain::{Domain, Nulls};
use crate::inputs::Inputs;
use crate::operators::{Form, Operator, Reason, RowError};
use crate::plan::{Plan, all_ticks, ticks};
use crate::run::{Neighbors, Parts, Results, Resumed};
use crate::segments::{Part, halves};
use crate::units::{Kind, Unit};

/// An operator and a domain for columns whose dtypes are known.
#[derive(Clone)]
pub(super) struct Evaluator {
    pub(super) plan: Plan,
    /// The dtype of the result.
    pub(super) dtype: DataType,
    /// What errors call x.
    pub(super) x_name: PlSmallStr,
    /// What errors call the column of standard deviations.
    pub(super) sigma_name: PlSmallStr,
    pub(super) nulls: Nulls,
    pub(super) strict: bool,
    /// What errors suggest for an unsorted x.
    pub(super) remedy: Remedy,
    /// Whether a long column may take several threads.
    pub(super) parallel: bool,
}

impl Evaluator {
    /// # Errors
    ///
    /// Where the operator has no result for these columns and this domain.
    pub(super) fn new<C>(operator: &Operator, columns: Inputs<&Field>, domain: &Domain<C>) -> PolarsResult<Self> {
        let plan = Plan::new(operator, columns.map(info), domain)?;
        let Inputs { y, x, sigma } = columns;
        let name = |column: Option<&Field>| column.map(|column| column.name().clone()).unwrap_or_default();
        let dtype = |kind| -> PolarsResult<DataType> {
            Ok(match kind {
                Kind::Duration { nanoseconds: 1 } => DataType::Duration(TimeUnit::Nanoseconds),
                Kind::Duration { nanoseconds: 1_000 } => DataType::Duration(TimeUnit::Microseconds),
                Kind::Duration { .. } => DataType::Duration(TimeUnit::Milliseconds),
                Kind::OfY => leaf(y.dtype()).clone(),
                Kind::OfX => match x.map(|x| leaf(x.dtype())) {
                    Some(x) if x.is_temporal() || x == &DataType::Float32 => x.clone(),
                    _ => DataType::Float64,
                },
                Kind::Number => match leaf(y.dtype()) {
                    float @ (DataType::Float32 | DataType::Float16) => float.clone(),
                    _ => DataType::Float64,
                },
                Kind::Float64 => DataType::Float64,
                Kind::Word(words) => DataType::from_frozen_categories(FrozenCategories::new(words.iter().copied())?),
            })
        };
        let result = match &plan.outputs[..] {
            [output] => dtype(output.kind)?,
            outputs => {
                let fields = outputs
                    .iter()
                    .map(|output| Ok(Field::new(output.name.into(), dtype(output.kind)?)));
                DataType::Struct(fields.collect::<PolarsResult<_>>()?)
            },
        };
        Ok(Self {
            remedy: if plan.axis == 0 { Remedy::Rows } else { Remedy::Cells },
            plan,
            dtype: with_leaf(y.dtype(), result),
            x_name: name(x),
            sigma_name: name(sigma),
            nulls: domain.nulls,
            strict: domain.strict,
            parallel: true,
        })
    }

    /// The result of whole columns, along any axis.
    pub(super) fn of_columns(&self, columns: Inputs<&Series>, by: &[Series]) -> PolarsResult<Series> {
        if self.plan.axis > 0 {
            return self.inside_cells(columns);
        }
        let height = columns.y.len();
        let columns = columns.try_map(|column| broadcast(column, height))?;
        let by = by
            .iter()
            .map(|key| broadcast(key, height))
            .collect::<PolarsResult<Vec<_>>>()?;
        let groups = Groups::new(&by, height)?;
        let result = self.of_groups(columns.as_ref(), groups);
        result.map_err(|failure| self.error(failure, |row| group(&by, row)))
    }

    /// The result of rows in the order of their groups, the first of which have been evaluated before, and what is
    /// reached in all of them.
    #[cfg(feature = "python")]
    pub(super) fn resumed(
        &self,
        y: &Series,
        x: Option<&Series>,
        by: &[Series],
        rows: usize,
        reached: crate::operators::Reached,
    ) -> PolarsResult<(Series, crate::operators::Reached)> {
        self.check_flat(y)?;
        let groups = Groups::contiguous(Groups::run_starts(by, y.len())?);
        let reached = std::cell::Cell::new(reached);
        let resumed = Resumed {
            rows,
            reached: &reached,
        };
        let result = self.of_flat_groups(Inputs::new(y, x), groups, Some(resumed));
        let result = result.map_err(|failure| self.error(failure, |row| group(by, row)))?;
        Ok((result, reached.get()))
    }

    /// An error where y has cells, whose rows in other batches are not looked for.
    #[cfg(feature = "python")]
    pub(super) fn check_flat(&self, y: &Series) -> PolarsResult<()> {
        polars_ensure!(
            !y.dtype().is_nested(),
            ComputeError: "`{}` of cells down the rows needs whole columns, but y column `{}` is {} and comes in batches; \
            explode it, and give the index in the cell as a key",
            self.plan.operator.name(), y.name(), y.dtype()
        );
        Ok(())
    }

    /// The result of whole columns whose groups are known.
    pub(super) fn of_groups(&self, columns: Inputs<&Series>, groups: Groups) -> Result<Series, Failure> {
        if columns.y.dtype().is_nested() {
            return self.down_groups(columns, groups);
        }
        self.of_flat_groups(columns, groups, None)
    }

    fn of_flat_groups(
        &self,
        columns: Inputs<&Series>,
        groups: Groups,
        resumed: Option<Resumed>,
    ) -> Result<Series, Failure> {
        let Inputs { y, x, sigma } = columns;
        if y.dtype().is_null() || x.is_some_and(|x| x.dtype().is_null()) {
            return Ok(self.full_null(y));
        }
        let valid = match self.nulls {
            Nulls::Skip => valid([Some(y), x, sigma.filter(|_| self.plan.weighs())]),
            _ => None,
        };
        let starts = bits(&groups.starts);
        let physical = columns.try_map(Physical::new)?;
        let column = WholeColumn {
            inputs: physical.as_ref().try_map(Physical::numbers)?,
            height: y.len(),
            rows: groups.rows,
            starts,
            valid: valid.as_ref().map(bits),
        };
        match self.plan.over(column, self.mode(), resumed) {
            Ok(results) => self.finish(results, y.name(), x),
            Err(WrongRow { row, reads, reason }) => Err(Failure::of_row(row, &reason, columns, reads.into_iter())?),
        }
    }

    /// The result of lagged copies.
    pub(super) fn of_lagged(&self, lagged: &Lagged) -> Result<Series, Failure> {
        let this = lagged.this();
        if this.y.dtype().is_nested() {
            return self.down_lagged(lagged);
        }
        if this.y.dtype().is_null() || this.x.as_ref().is_some_and(|x| x.dtype().is_null()) {
            return Ok(self.full_null(&this.y));
        }
        let rows = this.y.len();
        let physical = lagged.physical()?;
        let neighbors = Neighbors::Lagged::<IdxSize> {
            y: physical.y()?,
            x: physical.x()?,
            in_group: lagged.in_group(),
            starts: None,
            align: this.cell.max(1),
        };
        let Form::Rows(operator) = self.plan.operator.form() else {
            let name = self.plan.operator.name();
            return Err(polars_err!(ComputeError: "`{name}` reads whole segments, not lagged copies").into());
        };
        match self
            .plan
            .run(operator, rows, self.mode())
            .over(&neighbors, self.plan.is_exact())
        {
            Ok(results) => self.finish(results.into(), this.y.name(), this.x.as_ref()),
            Err(RowError { row, reason }) => {
                let before = lagged.this_lag();
                let x = |lag: usize| {
                    lagged.lags()[lag]
                        .x()
                        .map(|x| Ok(x.get(row / this.share)?.into_static()))
                };
                if let Reason::Unsorted { .. } = reason {
                    let lags = reason.reads(before);
                    // Of a row within the batch the steps before have been found right.
                    let goes_on = row == 0 && lags.start < before;
                    let x = lags.filter_map(x).collect::<PolarsResult<_>>()?;
                    let x = match &this.x {
                        Some(rows) if goes_on => up_to_wrong_step(x, rows)?,
                        _ => x,
                    };
                    return Err(Failure::Unsorted { row, x });
                }
                if let Reason::TooLarge { .. } = reason {
                    let values = reason.reads(before).map(|lag| lagged.lags()[lag].y.get(row));
                    return Err(Failure::too_large(row, &this.y, values)?);
                }
                let wrong = &lagged.lags()[reason.reads(before).start].y;
                let wrong = Inputs::new(wrong, None);
                Err(Failure::of_row(row, &reason, wrong, std::iter::once(row))?)
            },
        }
    }

    fn mode(&self) -> Mode {
        Mode {
            strict: self.strict,
            parallel: self.parallel,
        }
    }

    /// The error for a failure; `group` describes the group of a row.
    pub(super) fn error(&self, failure: Failure, group: impl FnOnce(usize) -> PolarsResult<String>) -> PolarsError {
        let names = [self.x_name.as_str(), self.sigma_name.as_str()];
        failure.into_error(names, &self.plan.operator, self.remedy, group)
    }

    /// The results of a column of dtype Null.
    fn full_null(&self, y: &Series) -> Series {
        Series::full_null(y.name().clone(), y.len(), leaf(&self.dtype))
    }

    /// Converts results to the dtype of the plan.
    fn finish(&self, results: Results, name: &PlSmallStr, x: Option<&Series>) -> Result<Series, Failure> {
        let numbers = match results.numbers {
            Parts::F64(parts) => by_output(parts)
                .into_iter()
                .map(column::<Float64Type>)
                .collect::<Vec<_>>(),
            Parts::F32(parts) => by_output(parts).into_iter().map(column::<Float32Type>).collect(),
            Parts::I128(parts) => by_output(parts).into_iter().map(column::<Int128Type>).collect(),
        };
        let words = (!results.words.is_empty()).then(|| column::<UInt8Type>(results.words));
        let columns: Vec<_> = words.into_iter().chain(numbers).collect();
        let dtype = leaf(&self.dtype);
        let DataType::Struct(fields) = dtype else {
            return self.finish_column(&columns[0], self.plan.outputs[0].kind, dtype, name, x);
        };
        let finished = fields.iter().zip(&columns).zip(&self.plan.outputs);
        let finished = finished
            .map(|((field, column), output)| self.finish_column(column, output.kind, field.dtype(), field.name(), x));
        let mut finished = finished.collect::<Result<Vec<_>, Failure>>()?;
        // Where the first output does not fit in its dtype, the others are null too.
        if finished[0].null_count() > columns[0].null_count() {
            let valid = finished[0].is_not_null();
            for field in &mut finished[1..] {
                let null = Series::full_null(field.name().clone(), field.len(), field.dtype());
                *field = field.zip_with(&valid, &null)?;
            }
        }
        let mut results: Option<Series> = None;
        let mut start = 0;
        // Each part becomes a chunk of its own: a validity is that of a single chunk, and joining them copies all.
        for rows in columns[0].chunk_lengths() {
            let part: Vec<_> = finished.iter().map(|field| field.slice(start, rows)).collect();
            let mut chunk = StructChunked::from_series(name.clone(), rows, part.iter())?;
            // A row without its first output has no result.
            if let Some(validity) = part[0].rechunk_validity() {
                chunk = chunk.rechunk().into_owned().with_outer_validity(Some(validity));
            }
            match &mut results {
                Some(results) => _ = results.append(&chunk.into_series())?,
                None => results = Some(chunk.into_series()),
            }
            start += rows as i64;
        }
        Ok(results.unwrap_or_else(|| Series::new_empty(name.clone(), dtype)))
    }

    fn finish_column(
        &self,
        values: &Series,
        kind: Kind,
        dtype: &DataType,
        name: &PlSmallStr,
        x: Option<&Series>,
    ) -> Result<Series, Failure> {
        let finished = match dtype {
            dtype if kind == Kind::OfX && dtype.is_temporal() => places(values.f64()?, x, dtype)?,
            DataType::Enum(..) => words(values.u8()?, dtype)?,
            DataType::Duration(unit) => {
                let ticks = match values.f64() {
                    Ok(values) => {
                        let chunks = values.downcast_iter().map(|array| match all_ticks(array.values()) {
                            Some(ticks) => PrimitiveArray::from_vec(ticks).with_validity(array.validity().cloned()),
                            None => array.iter().map(|value| ticks(*value?)).collect(),
                        });
                        Int64Chunked::from_chunk_iter(name.clone(), chunks)
                    },
                    Err(_) => values.cast(&DataType::Int64)?.i64()?.clone(),
                };
                ticks.into_duration(*unit).into_series()
            },
            DataType::Decimal(precision, scale) => {
                let fits = 10_i128.pow((*precision).min(38) as u32);
                let values = values.i128()?.apply(|value| value.filter(|value| value.abs() < fits));
                values.into_decimal_unchecked(*precision, *scale).into_series()
            },
            // A time of day, modulo a day.
            DataType::Time => {
                let of_day = |value: i128| value.rem_euclid(i128::from(Unit::NANOSECONDS_OF_DAY)) as i64;
                let times = values.i128()?.iter().map(|value| value.map(of_day));
                let times: Int64Chunked = times.collect_ca_trusted(name.clone());
                times.into_time().into_series()
            },
            // A cast would move instants to another time zone.
            DataType::Datetime(unit, zone) => {
                let instants = values.cast(&DataType::Int64)?.i64()?.clone();
                instants.into_datetime(*unit, zone.clone()).into_series()
            },
            // Of Float64 values; a cast may round twice.
            DataType::Float16 => {
                let chunks = values.f64()?.downcast_iter();
                let chunks = chunks.map(|array| {
                    PrimitiveArray::from_vec(halves(array.values())).with_validity(array.validity().cloned())
                });
                Float16Chunked::from_chunk_iter(name.clone(), chunks).into_series()
            },
            dtype if dtype.is_temporal() => values.cast(&DataType::Int64)?.cast(dtype)?,
            dtype => values.cast(dtype)?,
        };
        if self.strict && finished.null_count() > values.null_count() {
            let lost = finished.is_null() & values.is_not_null();
            let row = lost.iter().position(|lost| lost == Some(true)).unwrap_or_default();
            let given = match (values.get(row)?, dtype) {
                (AnyValue::Float64(ticks), DataType::Duration(unit)) => format!(": it is {ticks:e} {unit}"),
                (AnyValue::Int128(ticks), DataType::Duration(unit)) => format!(": it is {ticks} {unit}"),
                (AnyValue::Int128(gain), dtype) if dtype.is_integer() => format!(": it is {gain}"),
                _ => String::new(),
            };
            return Err(Failure::TooLarge {
                row,
                name: name.clone(),
                dtype: dtype.clone(),
                given,
                wider: "a wider dtype",
            });
        }
        Ok(finished.with_name(name.clone()))
    }
}

/// The rows where no column is null; `None` if all are.
pub(super) fn valid(columns: [Option<&Series>; 3]) -> Option<Bitmap> {
    let columns = columns.into_iter().flatten().filter(|column| column.has_nulls());
    let valid = columns.map(|column| column.is_not_null()).reduce(|a, b| a & b);
    valid.as_ref().map(super::bitmap)
}

/// The places at some distances from a temporal x.
fn places(distances: &Float64Chunked, x: Option<&Series>, dtype: &DataType) -> PolarsResult<Series> {
    let Some(x) = x.filter(|x| x.len() == distances.len()) else {
        polars_bail!(ComputeError: "places need an x with as many rows");
    };
    let distances = distances.rechunk();
    let array = distances.downcast_as_array();
    let ticks = Physical::new(x)?.numbers()?.plus(array.values());
    let ticks = PrimitiveArray::from_vec(ticks).with_validity(array.validity().cloned());
    let ticks = Int64Chunked::with_chunk(PlSmallStr::EMPTY, ticks);
    Ok(match dtype {
        DataType::Date => ticks.cast(&DataType::Int32)?.i32()?.clone().into_date().into_series(),
        DataType::Datetime(unit, zone) => ticks.into_datetime(*unit, zone.clone()).into_series(),
        DataType::Time => ticks.into_time().into_series(),
        dtype => ticks.cast(dtype)?,
    })
}

/// The words of an Enum, from their indices.
fn words(indices: &UInt8Chunked, dtype: &DataType) -> PolarsResult<Series> {
    let words = dtype.cat_mapping()?.num_cats_upper_bound();
    let largest = |array: &PrimitiveArray<u8>| array.values().iter().copied().max();
    let largest = indices.downcast_iter().filter_map(largest).max().unwrap_or_default();
    polars_ensure!(usize::from(largest) < words, ComputeError: "word {largest} of {words}");
    // SAFETY: each is the index of a word of the dtype, whose few words are counted by bytes.
    let words = unsafe {
        CategoricalChunked::<Categorical8Type>::from_cats_and_dtype_unchecked(indices.clone(), dtype.clone())
    };
    Ok(words.into_series())
}

/// A column from the values and the validity of its chunks.
fn column<T>(chunks: Vec<Part<T::Native>>) -> Series
where
    T: PolarsNumericType,
    ChunkedArray<T>: IntoSeries,
{
    let chunks = chunks.into_iter().map(|(values, validity)| {
        let validity = validity.map(|bytes| Bitmap::from_u8_vec(bytes, values.len()));
        PrimitiveArray::from_vec(values).with_validity(validity)
    });
    ChunkedArray::<T>::from_chunk_iter(PlSmallStr::EMPTY, chunks).into_series()
}
