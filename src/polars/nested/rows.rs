//! Down the rows of nested columns: each place in the cells is a column of its own.
//!
//! The neighbours of a cell are cells, and those of its values the values in the same places: a lagged of cells becomes
//! one of values, and the stencil is what it was.

use polars::prelude::*;
use polars_arrow::array::Array;
use polars_arrow::bitmap::{Bitmap, BitmapBuilder};

use super::cells::{Cells, in_chunks, leaf, with_leaf};
use crate::domain::Nulls;
use crate::polars::evaluator::Evaluator;
use crate::polars::failure::Failure;
use crate::polars::groups::Groups;
use crate::polars::lagged::{Lagged, LaggedColumn};
use crate::polars::series_in_parallel;

impl Evaluator {
    /// The gradient of a lagged of cells.
    ///
    /// # Errors
    ///
    /// Where a cell and its neighbour, or its x, differ in length, if `strict` is set.
    pub(in crate::polars) fn of_cells(&self, lagged: &Lagged) -> Result<Series, Failure> {
        if let Some(arrays) = as_arrays(lagged) {
            let slopes = self.of_lagged(&arrays)?;
            let slope = slopes.array()?.inner_dtype().clone();
            return Ok(slopes.cast(&DataType::List(Box::new(slope)))?);
        }
        let this = Cells::new(&lagged.this().y)?;
        let members = lagged.lags().iter().map(Member::new);
        let members = members.collect::<PolarsResult<Vec<_>>>()?;
        let are_alone = self.are_alone(&members, lagged.this_lag())?;
        let reach = lagged.this_lag();
        let values = members.iter().enumerate().map(|(index, member)| {
            let are_alone = are_alone.as_ref().filter(|_| index != reach);
            member.values(&this, are_alone)
        });
        let values = Lagged::new(values.collect::<PolarsResult<_>>()?, reach);
        let slopes = self.of_lagged(&values);
        let slopes = slopes.map_err(|failure| failure.map_row(|value| this.cell_of(value)))?;
        Ok(this.with_values(&slopes)?)
    }

    /// Which cells cannot be compared with those beside them, having another length; `None` if all can.
    fn are_alone(&self, members: &[Member], this_lag: usize) -> Result<Option<Bitmap>, Failure> {
        let this = &members[this_lag];
        let beside = || members[this_lag.saturating_sub(1)..members.len().min(this_lag + 2)].iter();
        let cells = || beside().map(|member| &member.y).chain(&this.x_cells);
        if this.y.width().is_some() && cells().all(|other| other.width() == this.y.width()) {
            return Ok(None);
        }
        let mut alone = BitmapBuilder::with_capacity(this.y.len());
        for row in 0..this.y.len() {
            let length = this.y.length(row);
            let there = beside().filter(|member| member.exists.as_ref().is_none_or(|exists| exists.get_bit(row)));
            let mut others = there
                .map(|member| &member.y)
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
            alone.push(differs.is_some());
        }
        Ok(Some(alone.freeze()))
    }

    /// The result of a whole column of cells down the rows, group by group.
    pub(in crate::polars) fn of_cells_in_groups(
        &self,
        y: &Series,
        x: Option<&Series>,
        groups: Groups,
    ) -> Result<Series, Failure> {
        if self.nulls == Nulls::Skip {
            return self.place_by_place(y, x, &groups);
        }
        let reach = self.operator.reach();
        let Some(rows) = groups.rows else {
            return self.of_lagged(&Lagged::of_groups(y, x, &groups.starts, reach));
        };
        let x = x.map(|x| taken(x, &rows)).transpose()?;
        let lagged = Lagged::of_groups(&taken(y, &rows)?, x.as_ref(), &groups.starts, reach);
        let slopes = self.of_lagged(&lagged);
        let slopes = slopes.map_err(|failure| failure.map_row(|position| rows[position] as usize))?;
        Ok(slopes.take(&inverse(&rows, y.len()))?)
    }

    /// One place in the cells after the other: by [`Nulls::Skip`] each has neighbours of its own.
    fn place_by_place(&self, y: &Series, x: Option<&Series>, groups: &Groups) -> Result<Series, Failure> {
        let member = Member::new(&LaggedColumn::new(y.clone(), x.cloned()))?;
        let width = one_length([&member.y].into_iter().chain(&member.x_cells))?;
        let slope = with_leaf(member.y.values().dtype(), leaf(&self.dtype).clone());
        let mut slopes = Series::new_empty(member.y.name().into(), &slope);
        for place in 0..width {
            let x = match &member.x_cells {
                Some(cells) => Some(cells.at(place)?),
                None => member.x.clone(),
            };
            slopes.append_owned(self.of_groups(&member.y.at(place)?, x.as_ref(), groups.clone())?)?;
        }
        Ok(member.y.with_values(&member.y.cell_by_cell(&slopes)?)?)
    }
}

/// The length of all cells that are not null.
///
/// # Errors
///
/// Where there are several.
fn one_length<'a>(columns: impl Iterator<Item = &'a Cells>) -> PolarsResult<usize> {
    let mut known = None;
    for cells in columns {
        for length in (0..cells.len()).filter_map(|cell| cells.length(cell)) {
            let first = *known.get_or_insert(length);
            polars_ensure!(
                length == first,
                ComputeError: "by `nulls` \"skip\" all cells must have one length down the rows, but in column `{}` there \
                are {first} and {length} values; use \"propagate\" or \"split\"",
                cells.name()
            );
        }
    }
    Ok(known.unwrap_or(0))
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
    let to_arrays = |column: &Series| match column.dtype() {
        DataType::List(inner) => column.cast(&DataType::Array(inner.clone(), width)).ok(),
        _ => Some(column.clone()),
    };
    let members = lagged.lags().iter().map(|member| {
        let y = to_arrays(&member.y)?;
        let x = match &member.x {
            Some(x) => Some(in_chunks(&to_arrays(x)?, y.chunk_lengths().map(|rows| rows / member.share)).ok()?),
            None => None,
        };
        // A cast may change the chunks.
        Some(LaggedColumn::with(y, x, (member.share, member.cell), member.in_group()))
    });
    Some(Lagged::new(members.collect::<Option<_>>()?, lagged.this_lag()))
}

/// A column of points whose y are cells.
struct Member {
    y: Cells,
    x: Option<Series>,
    /// Cells of x, if it has any; else there is one x for all the values of a cell.
    x_cells: Option<Cells>,
    share: usize,
    cell: usize,
    exists: Option<Bitmap>,
}

impl Member {
    fn new(points: &LaggedColumn) -> PolarsResult<Self> {
        let x = points.x.clone();
        Ok(Self {
            y: Cells::new(&points.y)?,
            x_cells: x
                .as_ref()
                .filter(|x| x.dtype().is_nested())
                .map(Cells::new)
                .transpose()?,
            x,
            share: points.share,
            cell: points.cell,
            exists: points.in_group(),
        })
    }

    /// The values in the places of those of the row itself, but where they are `alone`.
    fn values(&self, this: &Cells, alone: Option<&Bitmap>) -> PolarsResult<LaggedColumn> {
        let y = self.y.values_as(this)?;
        let (x, share) = match (&self.x_cells, &self.x, this.width()) {
            (Some(cells), ..) => (Some(in_chunks(&cells.values_as(this)?, y.chunk_lengths())?), 1),
            (None, Some(x), Some(width)) => (Some(x.clone()), self.share * width),
            (None, Some(x), None) => {
                let rows: Vec<_> = this.of_values().map(|cell| (cell / self.share) as IdxSize).collect();
                let values = x.take_slice(&rows)?;
                (Some(in_chunks(&values, y.chunk_lengths())?), 1)
            },
            (None, None, _) => (None, 1),
        };
        let exists = match (&self.exists, alone) {
            (None, None) => None,
            (Some(exists), None) => Some(exists.clone()),
            (None, Some(alone)) => Some(!alone),
            (Some(exists), Some(alone)) => Some(exists & &!alone),
        };
        let exists = exists.map(|exists| this.each_value(&exists));
        let cell = this.width().map_or(1, |width| self.cell * width);
        Ok(LaggedColumn::with(y, x, (share, cell), exists))
    }
}

/// Rows of a column, in another order.
fn taken(column: &Series, rows: &[IdxSize]) -> PolarsResult<Series> {
    series_in_parallel(column, rows.len(), |part| column.take_slice(&rows[part]))
}

/// The row that each position came from → the position of each row, if it has one.
fn inverse(rows: &[IdxSize], height: usize) -> IdxCa {
    let mut positions = vec![None; height];
    for (position, &row) in rows.iter().enumerate() {
        positions[row as usize] = Some(position as IdxSize);
    }
    positions.into_iter().collect()
}
