//! One sweep over a window: every row's slope, for any pair of numbers, on all cores worth it.

use std::ops::Range;

use arrow::array::PrimitiveArray;
use arrow::bitmap::BitmapBuilder;
use num_traits::AsPrimitive;
use polars::prelude::*;

use crate::kernel::Sample;
use crate::neighbours::{Segments, Window, in_step};
use crate::piece;
use crate::plan::Plan;
use crate::quantity::canonical;
use crate::threads::in_parallel;
use crate::unsorted::not_monotonic;

/// The slopes of points whose neighbours are known, as the numbers they are computed as.
///
/// `group` names the group of a row, for errors.
pub(crate) fn slopes(
    window: &Window,
    segments: Option<&Segments>,
    plan: &Plan,
    strict: bool,
    group: impl Fn(usize) -> PolarsResult<String> + Sync,
) -> PolarsResult<Series> {
    let y = window.field(0);
    let x = window.has_x().then(|| window.field(1));
    let name = window.this().name().clone();
    let columns = [Some(&y), x.as_ref()];
    if columns.into_iter().flatten().any(|column| column[0].dtype().is_null()) {
        return Ok(Series::full_null(name, window.this().len(), &DataType::Float64));
    }
    let numbers = |columns: &[Series]| columns.iter().map(canonical).collect::<PolarsResult<Vec<_>>>();
    let sweep = Sweep {
        window,
        segments,
        plan,
        y: numbers(&y)?,
        x: x.as_deref().map(numbers).transpose()?,
        on_broken: |row, read| {
            let x = x.as_deref().unwrap_or_default();
            if strict {
                Err(not_monotonic(x, row, read, &group(row)?)?)
            } else {
                Ok(())
            }
        },
    };
    Ok(sweep.dispatch_y()?.with_name(name))
}

struct Sweep<'a, F> {
    window: &'a Window,
    segments: Option<&'a Segments>,
    plan: &'a Plan,
    y: Vec<Series>,
    x: Option<Vec<Series>>,
    on_broken: F,
}

impl<F: Fn(usize, Range<usize>) -> PolarsResult<()> + Sync> Sweep<'_, F> {
    fn dispatch_y(&self) -> PolarsResult<Series> {
        match self.y[0].dtype() {
            DataType::Float64 => self.dispatch_x::<Float64Type, Float64Type>(),
            DataType::Float32 => self.dispatch_x::<Float32Type, Float32Type>(),
            DataType::Int64 => self.dispatch_x::<Int64Type, Float64Type>(),
            _ => self.dispatch_x::<Int128Type, Float64Type>(),
        }
    }

    fn dispatch_x<Y, O>(&self) -> PolarsResult<Series>
    where
        Y: PolarsNumericType<Native: Sample>,
        O: PolarsNumericType,
        ChunkedArray<O>: IntoSeries,
        f64: AsPrimitive<O::Native>,
    {
        match self.x.as_deref().map(|x| x[0].dtype()) {
            None | Some(DataType::Float64) => self.run::<Y, Float64Type, O>(),
            Some(DataType::Float32) => self.run::<Y, Float32Type, O>(),
            Some(DataType::Int64) => self.run::<Y, Int64Type, O>(),
            Some(_) => self.run::<Y, Int128Type, O>(),
        }
    }

    fn run<Y, X, O>(&self) -> PolarsResult<Series>
    where
        Y: PolarsNumericType<Native: Sample>,
        X: PolarsNumericType<Native: Sample>,
        O: PolarsNumericType,
        ChunkedArray<O>: IntoSeries,
        f64: AsPrimitive<O::Native>,
    {
        let y = typed::<Y>(&self.y)?;
        let x = self.x.as_deref().map(typed::<X>).transpose()?;
        let members = self.window.chunks(&y, x.as_deref());

        let chunk = |rows: Range<usize>| {
            let mut slopes = Vec::with_capacity(rows.len());
            let mut validity = BitmapBuilder::with_capacity(rows.len());
            in_step(&members, rows, |start, window| {
                if let Some(segments) = self.segments {
                    segments.cut(start, window);
                }
                self.plan.apart.cut(window);
                let on_broken = |row, read| (self.on_broken)(start + row, read);
                match piece::differentiate(window, self.plan.scale, on_broken, &mut slopes)? {
                    Some(valid) => validity.extend_from_bitmap(&valid),
                    None => validity.extend_constant(window[0].len(), true),
                }
                Ok(())
            })?;
            Ok(PrimitiveArray::from_vec(slopes).with_validity(validity.into_opt_validity()))
        };
        let chunks = in_parallel(self.window.this().len(), chunk)?;
        Ok(ChunkedArray::<O>::from_chunk_iter(PlSmallStr::EMPTY, chunks).into_series())
    }
}

fn typed<T: PolarsNumericType>(columns: &[Series]) -> PolarsResult<Vec<&ChunkedArray<T>>> {
    columns.iter().map(|column| column.unpack()).collect()
}
