//! Down the rows of nested columns: each index in the cells is a column of its own.
//!
//! The neighbours of a cell are cells, and those of its values the values at the same index: lagged copies of cells
//! become lagged copies of values, and the stencil stays the same.

use polars::prelude::*;
use polars_arrow::array::Array;
use polars_arrow::bitmap::{Bitmap, BitmapBuilder};

use super::cells::{Cells, in_chunks, leaf, with_leaf};
use crate::domain::{Duplicates, Nulls};
use crate::inputs::Inputs;
use crate::operators::Form;
use crate::polars::evaluator::Evaluator;
use crate::polars::failure::Failure;
use crate::polars::groups::Groups;
use crate::polars::lagged::{Lagged, LaggedColumn};
use crate::polars::take::{take_or_null, take_parallel};

impl Evaluator {
    /// The result of lagged copies of cells.
    ///
    /// # Errors
    ///
    /// If `strict` is set, where a cell differs in length from a neighbour or from its x.
    pub(in crate::polars) fn down_lagged(&self, lagged: &Lagged) -> Result<Series, Failure> {
        if let Some(arrays) = as_arrays(lagged) {
            let results = self.of_lagged(&arrays)?;
            let inner = results.array()?.inner_dtype().clone();
            return Ok(results.cast(&DataType::List(Box::new(inner)))?);
        }
        let this_lag = lagged.this_lag();
        let cells = Cells::new(&lagged.this().y)?;
        let lags = lagged.lags().iter().map(CellsLag::new);
        let lags = lags.collect::<PolarsResult<Vec<_>>>()?;
        let isolated = self.isolated(&lags, this_lag)?;
        // The x of a row is checked whether its cell is null or not, as in flat columns and in arrays.
        let padded = match &lags[this_lag] {
            CellsLag {
                x: Some(_), x_cells, ..
            } if self.strict => {
                cells.pad_null_lists(|row| x_cells.as_ref().map_or(Some(1), |x| x.length(row)).unwrap_or(0))?
            },
            _ => None,
        };
        let this = padded.as_ref().unwrap_or(&cells);
        if this.values().is_empty() {
            let result = with_leaf(this.values().dtype(), leaf(&self.dtype).clone());
            return Ok(cells.with_values(&Series::new_empty(PlSmallStr::EMPTY, &result))?);
        }
        let values = lags.iter().enumerate().map(|(index, lag)| {
            let isolated = isolated.as_ref().filter(|_| index != this_lag);
            lag.values(this, isolated)
        });
        let values = Lagged::new(values.collect::<PolarsResult<_>>()?, this_lag);
        let results = self.of_lagged(&values);
        let results = results.map_err(|failure| failure.map_row(|value| this.cell_of(value)))?;
        let results = match &padded {
            Some(padded) => padded.unpad(&results, &cells)?,
            None => results,
        };
        Ok(cells.with_values(&results)?)
    }

    /// Which cells have no neighbours because of their length; `None` if lengths agree everywhere.
    fn isolated(&self, lags: &[CellsLag], this_lag: usize) -> Result<Option<Bitmap>, Failure> {
        let this = &lags[this_lag];
        let neighbours = || lags[this_lag.saturating_sub(1)..lags.len().min(this_lag + 2)].iter();
        let mut others = neighbours().map(|lag| &lag.y).chain(&this.x_cells);
        if this.y.width().is_some() && others.all(|other| other.width() == this.y.width()) {
            return Ok(None);
        }
        let mut isolated = BitmapBuilder::with_capacity(this.y.len());
        for row in 0..this.y.len() {
            let length = this.y.length(row);
            let existing = neighbours().filter(|lag| lag.exists.as_ref().is_none_or(|exists| exists.get_bit(row)));
            let mut others = existing
                .map(|lag| &lag.y)
                .chain(&this.x_cells)
                .filter_map(|other| other.length(row));
            let other = others.find(|&other| Some(other) != length);
            let differs = length.zip(other);
            if let Some((length, other)) = differs.filter(|_| self.strict) {
                return Err(Failure::Lengths {
                    row,
                    name: this.y.name().into(),
                    length,
                    other,
                });
            }
            isolated.push(differs.is_some());
        }
        Ok(Some(isolated.freeze()))
    }

    /// The result of a whole column of cells down the rows, group by group.
    pub(in crate::polars) fn down_groups(&self, columns: Inputs<&Series>, groups: Groups) -> Result<Series, Failure> {
        let Inputs { y, x, sigma } = columns;
        let merges = self.plan.duplicates != Duplicates::Error;
        let are_whole =
            matches!(self.plan.operator.form(), Form::Segments(_)) || sigma.is_some() || self.plan.ring.is_some();
        if self.nulls == Nulls::Skip || merges || are_whole {
            return self.index_by_index(columns, &groups);
        }
        let reach = self.plan.operator.reach();
        let Some(rows) = groups.rows else {
            return self.of_lagged(&Lagged::of_groups(y, x, &groups.starts, reach));
        };
        let x = x.map(|x| take_parallel(x, &rows)).transpose()?;
        let lagged = Lagged::of_groups(&take_parallel(y, &rows)?, x.as_ref(), &groups.starts, reach);
        let results = self.of_lagged(&lagged);
        let results = results.map_err(|failure| failure.map_row(|position| rows[position] as usize))?;
        Ok(take_or_null(&results, &positions(&rows, y.len()))?)
    }

    /// Evaluates each index in the cells by itself: with [`Nulls::Skip`] neighbours differ from index to index.
    fn index_by_index(&self, columns: Inputs<&Series>, groups: &Groups) -> Result<Series, Failure> {
        let Inputs { y, x, sigma } = columns;
        let lag = CellsLag::new(&LaggedColumn::new(y.clone(), x.cloned()))?;
        let sigma_cells = sigma
            .filter(|sigma| sigma.dtype().is_nested())
            .map(Cells::new)
            .transpose()?;
        let all_cells = [Some(&lag.y), lag.x_cells.as_ref(), sigma_cells.as_ref()]
            .into_iter()
            .flatten();
        let width = longest(&all_cells.collect::<Vec<_>>(), groups)?;
        let result = with_leaf(lag.y.values().dtype(), leaf(&self.dtype).clone());
        let mut results = Series::new_empty(lag.y.name().into(), &result);
        for index in 0..width {
            let x = match &lag.x_cells {
                Some(cells) => Some(cells.nth(index)?),
                None => lag.x.clone(),
            };
            let sigma = match &sigma_cells {
                Some(cells) => Some(cells.nth(index)?),
                None => sigma.cloned(),
            };
            let columns = Inputs {
                y: &lag.y.nth(index)?,
                x: x.as_ref(),
                sigma: sigma.as_ref(),
            };
            results.append_owned(self.of_groups(columns, groups.clone())?)?;
        }
        Ok(lag.y.with_values(&lag.y.transpose(&results)?)?)
    }
}

/// The length of the longest cells, those of each group having one length.
///
/// # Errors
///
/// If cells of a group, or of its x and sigma, differ in length. Each group is checked by itself, so that the result does not
/// depend on chunks and batches.
fn longest(columns: &[&Cells], groups: &Groups) -> Result<usize, Failure> {
    let (mut longest, mut length) = (0, None);
    for position in 0..groups.len() {
        if groups.starts.get_bit(position) {
            length = None;
        }
        let row = groups.row(position);
        for cells in columns {
            let Some(found) = cells.length(row) else { continue };
            let first = *length.get_or_insert(found);
            if found != first {
                return Err(Failure::SkippedLengths {
                    row,
                    name: cells.name().into(),
                    length: first,
                    other: found,
                });
            }
            longest = longest.max(found);
        }
    }
    Ok(longest)
}

/// Lists as arrays, if all of them have one length.
fn as_arrays(lagged: &Lagged) -> Option<Lagged> {
    let lists = lagged.this().y.list().ok()?;
    let width = lists.downcast_iter().find_map(|chunk| {
        let is_valid = |row: &usize| chunk.is_valid(*row);
        (0..chunk.len())
            .find(is_valid)
            .map(|row| chunk.offsets().length_at(row))
    })?;
    if width == 0 {
        return None;
    }
    let to_arrays = |column: &Series| match column.dtype() {
        DataType::List(inner) => column.cast(&DataType::Array(inner.clone(), width)).ok(),
        _ => Some(column.clone()),
    };
    let lags = lagged.lags().iter().map(|lag| {
        let y = to_arrays(&lag.y)?;
        let x = match &lag.x {
            Some(x) => Some(in_chunks(&to_arrays(x)?, y.chunk_lengths().map(|rows| rows / lag.share)).ok()?),
            None => None,
        };
        // A cast may change the chunks.
        Some(LaggedColumn::with(y, x, (lag.share, lag.cell), lag.in_group()))
    });
    Some(Lagged::new(lags.collect::<Option<_>>()?, lagged.this_lag()))
}

/// A lagged copy whose y are cells.
struct CellsLag {
    y: Cells,
    x: Option<Series>,
    /// x, if it is nested like y; else one x is shared by all values of a cell.
    x_cells: Option<Cells>,
    share: usize,
    cell: usize,
    exists: Option<Bitmap>,
}

impl CellsLag {
    fn new(lag: &LaggedColumn) -> PolarsResult<Self> {
        let x = lag.x.clone();
        Ok(Self {
            y: Cells::new(&lag.y)?,
            x_cells: x
                .as_ref()
                .filter(|x| x.dtype().is_nested())
                .map(Cells::new)
                .transpose()?,
            x,
            share: lag.share,
            cell: lag.cell,
            exists: lag.in_group(),
        })
    }

    /// The values at the indices of `this`, the cells of the rows themselves; null where these are `isolated`.
    fn values(&self, this: &Cells, isolated: Option<&Bitmap>) -> PolarsResult<LaggedColumn> {
        let y = self.y.values_like(this)?;
        let (x, share) = match (&self.x_cells, &self.x, this.width()) {
            (Some(cells), ..) => (Some(in_chunks(&cells.values_like(this)?, y.chunk_lengths())?), 1),
            (None, Some(x), Some(width)) => (Some(x.clone()), self.share * width),
            (None, Some(x), None) => {
                let rows: Vec<_> = this.cell_indices().map(|cell| (cell / self.share) as IdxSize).collect();
                let values = x.take_slice(&rows)?;
                (Some(in_chunks(&values, y.chunk_lengths())?), 1)
            },
            (None, None, _) => (None, 1),
        };
        let exists = match (&self.exists, isolated) {
            (None, None) => None,
            (Some(exists), None) => Some(exists.clone()),
            (None, Some(isolated)) => Some(!isolated),
            (Some(exists), Some(isolated)) => Some(exists & &!isolated),
        };
        let exists = exists.map(|exists| this.expand(&exists));
        let cell = this.width().map_or(1, |width| self.cell * width);
        Ok(LaggedColumn::with(y, x, (share, cell), exists))
    }
}

/// The inverse of a row order: the position of each row, null for rows that are not in it.
fn positions(rows: &[IdxSize], height: usize) -> IdxCa {
    let mut positions = vec![None; height];
    for (position, &row) in rows.iter().enumerate() {
        positions[row as usize] = Some(position as IdxSize);
    }
    positions.into_iter().collect()
}
