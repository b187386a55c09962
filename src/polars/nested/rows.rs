//! Down the rows of nested columns: each index in the cells is a column of its own.
//!
//! The neighbours of a cell are cells, and those of its values the values at the same index: a window of cells becomes a
//! window of values, and the stencil stays the same.

use polars::prelude::*;
use polars_arrow::array::Array;
use polars_arrow::bitmap::{Bitmap, BitmapBuilder};

use super::cells::{Cells, in_chunks, leaf, with_leaf};
use crate::options::Nulls;
use crate::polars::column::{Gradient, Named};
use crate::polars::groups::Groups;
use crate::polars::points::points;
use crate::polars::take::{take_or_null, take_parallel};
use crate::polars::unsorted::LENIENT;
use crate::polars::window::{Shifted, Window};

impl Gradient {
    /// The gradient of a window of cells.
    ///
    /// # Errors
    ///
    /// If `strict` is set, where a cell differs in length from a neighbour or from its x.
    pub(in crate::polars) fn down_window(&self, window: &Window, named: Named) -> PolarsResult<Series> {
        if let Some(arrays) = as_arrays(window) {
            let slopes = self.of_window(&arrays, named)?;
            let slope = slopes.array()?.inner_dtype().clone();
            return slopes.cast(&DataType::List(Box::new(slope)));
        }
        let cells = Cells::new(&window.this().y)?;
        let members = window.members().iter().map(CellsLag::new);
        let members = members.collect::<PolarsResult<Vec<_>>>()?;
        let isolated = self.isolated(&members, named)?;
        let reach = members.len() / 2;
        // The x of a row is checked whether its cell is null or not, as in flat columns and in arrays.
        let padded = match &members[reach] {
            CellsLag {
                x: Some(_), x_cells, ..
            } if self.strict => {
                cells.pad_null_lists(|row| x_cells.as_ref().map_or(Some(1), |x| x.length(row)).unwrap_or(0))?
            },
            _ => None,
        };
        let this = padded.as_ref().unwrap_or(&cells);
        if this.values().is_empty() {
            let slope = with_leaf(this.values().dtype(), leaf(&self.dtype).clone());
            return cells.with_values(&Series::full_null(PlSmallStr::EMPTY, cells.values().len(), &slope));
        }
        let values = members.iter().enumerate().map(|(index, member)| {
            let isolated = isolated.as_ref().filter(|_| index != reach);
            member.values(this, isolated)
        });
        let values = Window::new(values.collect::<PolarsResult<_>>()?);
        let slopes = self.of_window(&values, &|value| named(this.cell_of(value)))?;
        match padded {
            Some(padded) => cells.with_values(&padded.unpad(&slopes, &cells)?),
            None => cells.with_values(&slopes),
        }
    }

    /// Which cells have no neighbours because of their length; `None` if lengths agree everywhere.
    fn isolated(&self, members: &[CellsLag], named: Named) -> PolarsResult<Option<Bitmap>> {
        let reach = members.len() / 2;
        let this = &members[reach];
        let neighbours = [&members[reach - 1], &members[reach + 1]];
        let others = || neighbours.iter().map(|member| &member.y).chain(&this.x_cells);
        if this.y.width().is_some() && others().all(|other| other.width() == this.y.width()) {
            return Ok(None);
        }
        let mut isolated = BitmapBuilder::with_capacity(this.y.len());
        for row in 0..this.y.len() {
            let length = this.y.length(row);
            let existing = neighbours
                .iter()
                .filter(|member| member.exists.as_ref().is_none_or(|exists| exists.get_bit(row)));
            let mut others = existing
                .map(|member| &member.y)
                .chain(&this.x_cells)
                .filter_map(|other| other.length(row));
            let other = others.find(|&other| Some(other) != length);
            let differs = length.zip(other);
            if let Some((length, other)) = differs.filter(|_| self.strict) {
                polars_bail!(
                    ComputeError: "cells must have one length to be neighbours, but in column `{}` one of {length} values \
                    meets one of {other}{}; {} to get nulls there, or differentiate further inside with `axis`",
                    this.y.name(),
                    named(row)?,
                    LENIENT
                );
            }
            isolated.push(differs.is_some());
        }
        Ok(Some(isolated.freeze()))
    }

    /// The gradient of a whole column of cells down the rows, group by group.
    pub(in crate::polars) fn down_groups(&self, points: &Series, groups: Groups, named: Named) -> PolarsResult<Series> {
        if self.nulls == Nulls::Skip {
            return self.index_by_index(points, &groups, named);
        }
        let Some(rows) = groups.rows else {
            return self.of_window(&Window::of_groups(points, &groups.starts, self.reach)?, named);
        };
        let window = Window::of_groups(&take_parallel(points, &rows)?, &groups.starts, self.reach)?;
        let slopes = self.of_window(&window, &|position| named(rows[position] as usize))?;
        take_or_null(&slopes, &positions(&rows, points.len()))
    }

    /// One index in the cells after the other: with [`Nulls::Skip`] the neighbours differ from index to index.
    fn index_by_index(&self, column: &Series, groups: &Groups, named: Named) -> PolarsResult<Series> {
        let member = CellsLag::new(&Shifted::new(column.struct_()?))?;
        let width = longest(&member, groups, named)?;
        let slope = with_leaf(member.y.values().dtype(), leaf(&self.dtype).clone());
        let mut slopes = Series::new_empty(member.y.name().into(), &slope);
        for index in 0..width {
            let x = match &member.x_cells {
                Some(cells) => Some(cells.nth(index)?),
                None => member.x.clone(),
            };
            let points = points(&member.y.nth(index)?, x.as_ref())?;
            slopes.append_owned(self.of_groups(&points, groups.clone(), named)?)?;
        }
        member.y.with_values(&member.y.transpose(&slopes)?)
    }
}

/// The length of the longest cells, those of each group having one length.
///
/// # Errors
///
/// Where cells of a group, or of its x, differ in length. Other groups do not matter, nor do the cells of other rows
/// where these are groups, so that neither chunks nor batches decide.
fn longest(member: &CellsLag, groups: &Groups, named: Named) -> PolarsResult<usize> {
    let (mut longest, mut length) = (0, None);
    for position in 0..groups.len() {
        if groups.starts.get_bit(position) {
            length = None;
        }
        let row = groups.row(position);
        for cells in [&member.y].into_iter().chain(&member.x_cells) {
            let Some(found) = cells.length(row) else { continue };
            let first = *length.get_or_insert(found);
            polars_ensure!(
                found == first,
                ComputeError: "with `nulls` \"skip\" all cells must have one length down the rows, but in column `{}` there \
                are {first} and {found} values{}; use \"propagate\" or \"split\"",
                cells.name(),
                named(row)?
            );
            longest = longest.max(found);
        }
    }
    Ok(longest)
}

/// Lists as arrays, if all of them have one length.
fn as_arrays(window: &Window) -> Option<Window> {
    let lists = window.this().y.list().ok()?;
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
    let members = window.members().iter().map(|member| {
        let y = to_arrays(&member.y)?;
        let x = match &member.x {
            Some(x) => Some(in_chunks(&to_arrays(x)?, y.chunk_lengths().map(|rows| rows / member.share)).ok()?),
            None => None,
        };
        // A cast may change the chunks.
        Some(Shifted::with(
            y,
            x,
            (member.share, member.cell),
            member.exists().as_ref(),
        ))
    });
    members.collect::<Option<_>>().map(Window::new)
}

/// A lag of a window whose y are cells.
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
    fn new(points: &Shifted) -> PolarsResult<Self> {
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
            exists: points.exists(),
        })
    }

    /// The values at the indices of those of `this`, the cells of the row itself; none where these are `isolated`.
    fn values(&self, this: &Cells, isolated: Option<&Bitmap>) -> PolarsResult<Shifted> {
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
        Ok(Shifted::with(y, x, (share, cell), exists.as_ref()))
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
