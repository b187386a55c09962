//! The gradient of columns of numbers and times: a window, or a whole column in groups → slopes.

use polars::prelude::*;
use polars_arrow::array::PrimitiveArray;
use polars_arrow::bitmap::Bitmap;

use super::bits;
use super::groups::{Groups, broadcast};
use super::nested::{leaf, with_leaf};
use super::numbers::described;
use super::points::{known, points};
use super::unsorted::{LENIENT, Remedy, group, not_monotonic};
use super::window::{Shifted, Window};
use crate::bits::Bits;
use crate::neighbours::Gathered;
use crate::options::{GradientOptions, Nulls};
use crate::plan::{Plan, Slope, whole};
use crate::sweep::{Found, Part, Parts, Sweep};

/// A gradient of columns whose dtypes are known.
#[derive(Clone)]
pub(super) struct Gradient {
    pub(super) plan: Plan,
    /// The dtype of the result.
    pub(super) dtype: DataType,
    /// What errors call x.
    pub(super) x_name: PlSmallStr,
    pub(super) reach: usize,
    pub(super) nulls: Nulls,
    pub(super) strict: bool,
    /// Whether x is a coordinate of a grid, and so in order wherever the rows are.
    pub(super) is_grid: bool,
    /// Whether a long column may take all cores.
    pub(super) on_all_cores: bool,
}

/// The group that a row belongs to, in words, for errors.
pub(super) type Named<'a> = &'a (dyn Fn(usize) -> PolarsResult<String> + Sync);

/// The only group there is needs no words.
pub(super) const NO_GROUP: Named = &|_| Ok(String::new());

impl Gradient {
    /// # Errors
    ///
    /// Where there is no gradient of such columns, or by such options.
    pub(super) fn new<C>(y: &Field, x: Option<&Field>, options: &GradientOptions<C>) -> PolarsResult<Self> {
        let plan = Plan::new(described(y), x.map(described), options)?;
        let slope = match plan.slope {
            Slope::Duration { nanoseconds: 1 } => DataType::Duration(TimeUnit::Nanoseconds),
            Slope::Duration { nanoseconds: 1_000 } => DataType::Duration(TimeUnit::Microseconds),
            Slope::Duration { .. } => DataType::Duration(TimeUnit::Milliseconds),
            Slope::Number => match leaf(y.dtype()) {
                float @ (DataType::Float32 | DataType::Float16) => float.clone(),
                _ => DataType::Float64,
            },
        };
        Ok(Self {
            plan,
            dtype: with_leaf(y.dtype(), slope),
            x_name: x.map(|x| x.name().clone()).unwrap_or_default(),
            reach: options.edge_order.reach(),
            nulls: options.nulls,
            strict: options.strict,
            is_grid: false,
            on_all_cores: true,
        })
    }

    #[cfg(any(feature = "lazy", feature = "python"))]
    pub(super) fn of_points<C>(points: &Field, options: &GradientOptions<C>) -> PolarsResult<Self> {
        let DataType::Struct(fields) = points.dtype() else {
            polars_bail!(InvalidOperation: "`gradient` takes a column of points, got {}", points.dtype());
        };
        Self::new(&fields[0], fields.get(1), options)
    }

    /// The gradient of a whole column, along any axis.
    pub(super) fn of_columns(&self, y: &Series, x: Option<&Series>, by: &[Series]) -> PolarsResult<Series> {
        if self.plan.axis > 0 {
            return self.inside_cells(y, x);
        }
        self.of_column(&points(y, x)?, by)
    }

    /// The gradient of a whole column of points, group by group.
    pub(super) fn of_column(&self, points: &Series, by: &[Series]) -> PolarsResult<Series> {
        let height = points.len();
        let by = by
            .iter()
            .map(|key| broadcast(key, height))
            .collect::<PolarsResult<Vec<_>>>()?;
        self.of_groups(points, Groups::new(&by, height)?, &|row| group(&by, row))
    }

    /// The gradient of a whole column of points whose groups are known.
    pub(super) fn of_groups(&self, points: &Series, groups: Groups, named: Named) -> PolarsResult<Series> {
        if points.struct_()?.struct_fields()[0].dtype().is_nested() {
            return self.down_groups(points, groups, named);
        }
        let height = points.len();
        let known = match self.nulls {
            Nulls::Skip => known(points)?,
            _ => None,
        };
        let starts = bits(&groups.starts);
        match Gathered::needed(starts, groups.rows, known.as_ref().map(bits), height) {
            Some(order) => self.of_gathered(points, &order, order.starts(starts), named),
            None => self.of_segments(&Window::of_column(points, self.reach)?, Some(starts), named),
        }
    }

    /// The gradient of points whose neighbours somebody else has found.
    pub(super) fn of_window(&self, window: &Window, named: Named) -> PolarsResult<Series> {
        match window.this().y.dtype() {
            DataType::Array(..) | DataType::List(_) => self.down_window(window, named),
            _ => self.of_segments(window, None, named),
        }
    }

    /// The gradient of points whose neighbours stand beside them, but for the starts of segments.
    fn of_segments(&self, window: &Window, starts: Option<Bits>, named: Named) -> PolarsResult<Series> {
        let this = window.this();
        let rows = this.y.len();
        if window.has_nulls_only() {
            return Ok(self.nulls(&this.y));
        }
        let columns = window.columns()?;
        let found = Found::Shifted::<IdxSize> {
            members: window.to_sweep(&columns)?,
            starts,
            together: this.cell.max(1),
        };
        let slopes = self.sweep(rows).run(&found, |row, read| {
            self.if_strict(|| Ok(self.not_monotonic(&columns.x_at(read, row)?, &named(row)?)))
        })?;
        self.finish(slopes, this.y.name())
    }

    /// The gradient of points whose neighbours stand anywhere in the column.
    fn of_gathered(
        &self,
        points: &Series,
        order: &Gathered<IdxSize>,
        starts: Bits,
        named: Named,
    ) -> PolarsResult<Series> {
        let window = Window::of_shifted(std::iter::once(&points.rechunk()))?;
        let Shifted { y, x, .. } = window.this();
        if window.has_nulls_only() {
            return Ok(self.nulls(y));
        }
        let columns = window.columns()?;
        let found = Found::Gathered {
            column: window.to_sweep(&columns)?.remove(0),
            order,
            starts,
            reach: self.reach,
        };
        let row = |position: usize| order.rows()[position] as usize;
        let slopes = self.sweep(y.len()).run(&found, |position, read| {
            self.if_strict(|| {
                let read = read.map(|member| row(position + member - self.reach));
                let x = x.iter().flat_map(|x| read.clone().map(|row| x.get(row)));
                let x = x.collect::<PolarsResult<Vec<_>>>()?;
                Ok(self.not_monotonic(&x, &named(row(position))?))
            })
        })?;
        self.finish(slopes, y.name())
    }

    fn sweep(&self, rows: usize) -> Sweep {
        Sweep {
            rows,
            scale: self.plan.scale,
            apart: self.plan.apart,
            on_all_cores: self.on_all_cores,
        }
    }

    /// The error of an x out of order, unless that only makes nulls.
    fn if_strict(&self, error: impl FnOnce() -> PolarsResult<PolarsError>) -> PolarsResult<()> {
        if self.strict { Err(error()?) } else { Ok(()) }
    }

    fn not_monotonic(&self, x: &[AnyValue], group: &str) -> PolarsError {
        not_monotonic(&self.x_name, x, group, self.remedy())
    }

    /// What helps against an x out of order.
    fn remedy(&self) -> Remedy {
        match self.plan.axis {
            _ if self.is_grid => Remedy::Grid,
            0 => Remedy::Rows,
            _ => Remedy::Cells,
        }
    }

    /// The slopes of a column that has no values.
    fn nulls(&self, y: &Series) -> Series {
        Series::full_null(y.name().clone(), y.len(), leaf(&self.dtype))
    }

    /// Slopes as computed → the dtype promised.
    fn finish(&self, slopes: Parts, name: &PlSmallStr) -> PolarsResult<Series> {
        let slopes = match slopes {
            Parts::F64(parts) => column::<Float64Type>(parts),
            Parts::F32(parts) => column::<Float32Type>(parts),
        };
        match leaf(&self.dtype) {
            dtype @ DataType::Duration(unit) => {
                let slopes = slopes.f64()?;
                let whole: Int64Chunked = slopes
                    .iter()
                    .map(|slope| slope.and_then(whole))
                    .collect_ca_trusted(name.clone());
                polars_ensure!(
                    !self.strict || whole.null_count() == slopes.null_count(),
                    ComputeError: "the gradient of `{name}` does not fit in a {dtype}; \
                    cast y to an integer, or {} to get nulls there",
                    LENIENT
                );
                Ok(whole.into_duration(*unit).into_series())
            },
            dtype => Ok(slopes.cast(dtype)?.with_name(name.clone())),
        }
    }
}

/// Values and the bits of those that are valid, chunk by chunk.
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
