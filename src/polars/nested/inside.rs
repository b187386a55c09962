//! Along an axis inside of cells: their values are one long column, and each cell is a segment of it.

use polars::prelude::*;

use super::cells::{Cells, axes, count};
use crate::polars::evaluator::Evaluator;
use crate::polars::groups::Groups;
use crate::polars::series_in_parallel;
use crate::polars::unsorted::LENIENT;

/// The coordinates of the values in cells.
enum Coordinates {
    /// One for each value: a column of the same cells.
    OfValues(Series),
    /// One for each place along the axis: a cell for each of y, or a single one that serves all.
    OfPlaces(Series),
}

impl Evaluator {
    /// The gradient inside of the cells of a column; each cell is on its own.
    ///
    /// # Errors
    ///
    /// `ShapeMismatch` where y and x differ in length; `ComputeError` where their cells do, if `strict` is set.
    pub(in crate::polars) fn inside(&self, y: &Series, x: Option<&Series>) -> PolarsResult<Series> {
        let rows = match x.map_or(1, |x| x.len()) {
            1 => y.len(),
            rows => rows,
        };
        let y = match y.len() {
            1 => &y.new_from_index(0, rows),
            length if length == rows => y,
            length => polars_bail!(
                ShapeMismatch: "`x` must be as long as y, or be coordinates for all rows: got {rows} and {length} rows"
            ),
        };
        let on_one_core = Self {
            parallel: false,
            ..self.clone()
        };
        let values = count(y);
        // Cells mostly are of one length: so many values are about so many rows.
        let row = |value: usize| (value * rows).checked_div(values);
        let slopes = Series::new_empty(y.name().clone(), &self.dtype);
        series_in_parallel(&slopes, values, |part| {
            let (start, end) = (row(part.start).unwrap_or(0), row(part.end).unwrap_or(rows));
            let y = y.slice(start as i64, end - start);
            on_one_core.in_rows(&y, x.map(|x| of_rows(x, start, y.len())).as_ref())
        })
    }

    /// Chunk by chunk, so that none is copied.
    fn in_rows(&self, y: &Series, x: Option<&Series>) -> PolarsResult<Series> {
        let mut slopes = Series::new_empty(y.name().clone(), &self.dtype);
        for chunk in (0..y.n_chunks()).map(|index| y.select_chunk(index)) {
            let x = x.map(|x| of_rows(x, slopes.len(), chunk.len()));
            let x = x.map(|x| match axes(x.dtype()) {
                1 => Coordinates::OfPlaces(x),
                _ if x.len() == chunk.len() => Coordinates::OfValues(x),
                _ => Coordinates::OfValues(x.new_from_index(0, chunk.len())),
            });
            let inside = self.in_cells(&chunk, x, self.plan.axis)?;
            slopes.append_owned(inside.with_name(y.name().clone()))?;
        }
        Ok(slopes)
    }

    /// The gradient so many axes further inside.
    fn in_cells(&self, y: &Series, x: Option<Coordinates>, axis: usize) -> PolarsResult<Series> {
        let y = Cells::new(y)?;
        if axis > 1 {
            let x = match x {
                Some(Coordinates::OfValues(x)) => Some(Coordinates::OfValues(self.aligned(&Cells::new(&x)?, &y)?)),
                Some(Coordinates::OfPlaces(x)) if x.len() > 1 => {
                    let cells: Vec<_> = y.of_values().map(|cell| cell as IdxSize).collect();
                    Some(Coordinates::OfPlaces(x.take_slice(&cells)?))
                },
                one => one,
            };
            return y.with_values(&self.in_cells(y.values(), x, axis - 1)?);
        }
        let x = match x {
            None => None,
            Some(Coordinates::OfPlaces(x) | Coordinates::OfValues(x)) => {
                let x = Cells::new(&x)?;
                Some(if serves_all(&x, &y) {
                    tiled(x.values(), y.values().len())?
                } else {
                    self.aligned(&x, &y)?
                })
            },
        };
        let groups = Groups {
            starts: y.starts(),
            rows: None,
        };
        let results = self.of_groups(y.values(), x.as_ref(), groups);
        y.with_values(&results.map_err(|failure| self.error(failure, |_| Ok(String::new())))?)
    }

    /// The coordinates of all values, where the cells of x are as long as those of y.
    fn aligned(&self, x: &Cells, y: &Cells) -> PolarsResult<Series> {
        if self.strict {
            let lengths = (0..y.len()).map(|cell| y.length(cell).zip(x.length(x.one_or_each(cell))));
            if let Some((of_y, of_x)) = lengths.flatten().find(|(of_y, of_x)| of_y != of_x) {
                polars_bail!(
                    ComputeError: "`x` must have as many values as y in each cell, but {of_x} of column `{}` meet {of_y} \
                    of column `{}`; mend them, or {} to get nulls there",
                    x.name(),
                    y.name(),
                    LENIENT
                );
            }
        }
        x.values_as(y)
    }
}

/// Some of the cells of coordinates; the one that serves all, if there is only one.
fn of_rows(x: &Series, start: usize, rows: usize) -> Series {
    if x.len() == 1 {
        x.clone()
    } else {
        x.slice(start as i64, rows)
    }
}

/// Whether there is one cell of coordinates, for all the others.
fn serves_all(x: &Cells, y: &Cells) -> bool {
    let fits = |cell| y.length(cell).unwrap_or(y.places(cell).len()) == x.places(0).len() || y.places(cell).is_empty();
    x.len() == 1 && x.length(0).is_some_and(|length| length > 0) && (0..y.len()).all(fits)
}

/// Some values over and over, up to so many rows; in chunks that share their memory.
fn tiled(values: &Series, rows: usize) -> PolarsResult<Series> {
    const ROWS: usize = 1 << 14;
    let mut tile = values.clear();
    while tile.len() < ROWS.min(rows) {
        tile.append(values)?;
    }
    let tile = tile.rechunk();
    let mut whole = values.clear();
    while whole.len() < rows {
        let left = rows - whole.len();
        whole.append_owned(tile.slice(0, left.min(tile.len())))?;
    }
    Ok(whole)
}
