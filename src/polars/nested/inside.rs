//! Along an axis inside of cells: the values of all cells form one flat column, in which each cell is a segment.

use polars::prelude::*;

use super::cells::{Cells, axes, leaf, leaf_count, with_leaf};
use crate::inputs::Inputs;
use crate::polars::evaluator::Evaluator;
use crate::polars::groups::{Groups, broadcast};
use crate::polars::series_in_parallel;
use crate::polars::unsorted::LENIENT;

/// The coordinates of cells.
enum Coordinates {
    /// One per value: a column nested like y.
    PerValue(Series),
    /// One per index along the axis: a flat cell for each cell of y, or a single one for all of them.
    PerIndex(Series),
}

impl Evaluator {
    /// The gradient along an axis inside of cells, a function of each row alone.
    ///
    /// # Errors
    ///
    /// `ShapeMismatch` if y and x differ in length; if `strict` is set, `ComputeError` if a cell of x differs in length
    /// from the cell of y.
    pub(in crate::polars) fn inside_cells(&self, columns: Inputs<&Series>) -> PolarsResult<Series> {
        let Inputs { y, x, sigma } = columns;
        let others = [x, sigma].into_iter().flatten().map(|column| column.len());
        let rows = others.into_iter().find(|&rows| rows != 1).unwrap_or(y.len());
        let y = match y.len() {
            1 => &y.new_from_index(0, rows),
            length if length == rows => y,
            length => polars_bail!(
                ShapeMismatch: "`x` must be as long as y, or be coordinates for all rows: got {rows} and {length} rows"
            ),
        };
        let sigma = sigma.map(|sigma| broadcast(sigma, rows)).transpose()?;
        let on_one_core = Self {
            parallel: false,
            ..self.clone()
        };
        let values = leaf_count(y);
        // Balances the work between cores where cells are of similar lengths.
        let row = |value: usize| (value * rows).checked_div(values);
        let slopes = Series::new_empty(y.name().clone(), &self.dtype);
        series_in_parallel(&slopes, values, |part| {
            let (start, end) = (row(part.start).unwrap_or(0), row(part.end).unwrap_or(rows));
            let y = y.slice(start as i64, end - start);
            let x = x.map(|x| slice_or_single(x, start, y.len()));
            let sigma = sigma.as_ref().map(|sigma| sigma.slice(start as i64, y.len()));
            on_one_core.inside_chunks(&y, x.as_ref(), sigma.as_ref())
        })
    }

    /// Chunk by chunk, so that none is copied.
    fn inside_chunks(&self, y: &Series, x: Option<&Series>, sigma: Option<&Series>) -> PolarsResult<Series> {
        let mut slopes = Series::new_empty(y.name().clone(), &self.dtype);
        for chunk in (0..y.n_chunks()).map(|index| y.select_chunk(index)) {
            let x = x.map(|x| slice_or_single(x, slopes.len(), chunk.len()));
            let x = x.map(|x| match axes(x.dtype()) {
                1 => Coordinates::PerIndex(x),
                _ if x.len() == chunk.len() => Coordinates::PerValue(x),
                _ => Coordinates::PerValue(x.new_from_index(0, chunk.len())),
            });
            let sigma = sigma.map(|sigma| sigma.slice(slopes.len() as i64, chunk.len()));
            let inside = self.along_axis(&chunk, x, sigma, self.plan.axis)?;
            slopes.append_owned(inside.with_name(y.name().clone()))?;
        }
        Ok(slopes)
    }

    /// The gradient along an axis of the cells, 1 being that of the cells themselves.
    fn along_axis(
        &self,
        y: &Series,
        x: Option<Coordinates>,
        sigma: Option<Series>,
        axis: usize,
    ) -> PolarsResult<Series> {
        let y = Cells::new(y)?;
        let sigma = sigma.map(|sigma| self.aligned_values("sigma", &Cells::new(&sigma)?, &y));
        let sigma = sigma.transpose()?;
        if axis > 1 {
            let x = match x {
                Some(Coordinates::PerValue(x)) => {
                    Some(Coordinates::PerValue(self.aligned_values("x", &Cells::new(&x)?, &y)?))
                },
                Some(Coordinates::PerIndex(x)) if x.len() > 1 => Some(Coordinates::PerIndex(y.repeat_for_values(&x)?)),
                x => x,
            };
            return y.with_values(&self.along_axis(y.values(), x, sigma, axis - 1)?);
        }
        let x = match x {
            None => None,
            Some(Coordinates::PerIndex(x) | Coordinates::PerValue(x)) => {
                let x = Cells::new(&x)?;
                Some(if is_shared(&x, &y) {
                    repeat(x.values(), y.values().len())?
                } else {
                    self.aligned_values("x", &x, &y)?
                })
            },
        };
        if y.values().is_empty() {
            let slope = with_leaf(y.values().dtype(), leaf(&self.dtype).clone());
            return y.with_values(&Series::new_empty(PlSmallStr::EMPTY, &slope));
        }
        let columns = Inputs {
            y: y.values(),
            x: x.as_ref(),
            sigma: sigma.as_ref(),
        };
        let results = self.of_groups(columns, Groups::contiguous(y.starts()));
        y.with_values(&results.map_err(|failure| self.error(failure, |_| Ok(String::new())))?)
    }

    /// The coordinate or the standard deviation of each value of y; null in cells where x has not as many values.
    ///
    /// # Errors
    ///
    /// If `strict` is set, where a cell of x differs in length from the cell of y, which may be empty. Null cells match
    /// any. Each row is checked by itself, independent of chunks and batches.
    fn aligned_values(&self, argument: &str, x: &Cells, y: &Cells) -> PolarsResult<Series> {
        if self.strict {
            let lengths = (0..y.len()).map(|cell| y.length(cell).zip(x.length(x.broadcast_index(cell))));
            if let Some((of_y, of_x)) = lengths.flatten().find(|(of_y, of_x)| of_y != of_x) {
                polars_bail!(
                    ComputeError: "`{argument}` must have as many values as y in each cell, but column `{}` has {of_x} and \
                    column `{}` has {of_y}; correct them, or {} to get nulls there",
                    x.name(),
                    y.name(),
                    LENIENT
                );
            }
        }
        x.values_like(y)
    }
}

/// Some rows of the coordinates; a single one, for all rows, as it is.
fn slice_or_single(x: &Series, start: usize, rows: usize) -> Series {
    if x.len() == 1 {
        x.clone()
    } else {
        x.slice(start as i64, rows)
    }
}

/// Whether a single cell of coordinates fits every cell of y, so that it can be repeated.
fn is_shared(x: &Cells, y: &Cells) -> bool {
    let Some(length) = Some(x).filter(|x| x.len() == 1).and_then(|x| x.length(0)) else {
        return false;
    };
    let fits = |cell| match y.range(cell).len() {
        // A null list; an empty one does not fit.
        0 => y.length(cell).is_none(),
        of_y => of_y == length,
    };
    length > 0 && (0..y.len()).all(fits)
}

/// Values repeated up to a number of rows, in chunks that share their memory.
fn repeat(values: &Series, rows: usize) -> PolarsResult<Series> {
    const CHUNK: usize = 1 << 14;
    let mut chunk = values.clear();
    while chunk.len() < CHUNK.min(rows) {
        chunk.append(values)?;
    }
    let chunk = chunk.rechunk();
    let mut whole = values.clear();
    while whole.len() < rows {
        let left = rows - whole.len();
        whole.append_owned(chunk.slice(0, left.min(chunk.len())))?;
    }
    Ok(whole)
}
