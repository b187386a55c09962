//! Lagged copies of columns, shifted by Polars or made of a whole column.

use polars::prelude::*;
use polars_arrow::bitmap::{Bitmap, BitmapBuilder};

use super::bits;
use super::groups::broadcast;
use super::numbers::{Physical, repeated};
use crate::segments::{InGroup, Lags, Reach};

/// The lagged copies of y and x, furthest row back first.
pub(super) struct Lagged {
    lags: Vec<LaggedColumn>,
    /// The index of the rows themselves.
    this: usize,
}

/// A copy of y and x, some rows before or after.
pub(super) struct LaggedColumn {
    pub(super) y: Series,
    pub(super) x: Option<Series>,
    /// The number of successive y that share an x.
    pub(super) share: usize,
    /// The number of successive y in one cell, if they are in arrays.
    pub(super) cell: usize,
    /// Which rows exist, part by part; others are beyond the end of their group.
    in_group: Vec<(usize, Option<Bitmap>)>,
}

impl Lagged {
    pub(super) fn new(lags: Vec<LaggedColumn>, this: usize) -> Self {
        Self { lags, this }
    }

    /// The lagged copies of whole columns within which groups start.
    pub(super) fn of_groups(y: &Series, x: Option<&Series>, starts: &Bitmap, reach: Reach) -> Self {
        let several = starts.set_bits() > 1;
        let lag = |ahead: isize| {
            let shift = |column: &Series| column.shift(-ahead as i64);
            let mut lag = LaggedColumn::new(shift(y), x.map(shift));
            let rows = y.len();
            let is_there = (0..rows).map(|row| {
                let Some(other) = row.checked_add_signed(ahead).filter(|&other| other < rows) else {
                    return false;
                };
                !several || (row.min(other) + 1..=row.max(other)).all(|between| !starts.get_bit(between))
            });
            if ahead != 0 {
                lag.in_group = vec![(rows, Some(is_there.collect()))];
            }
            lag
        };
        let aheads = -(reach.before as isize)..=reach.after as isize;
        Self::new(aheads.map(lag).collect(), reach.before)
    }

    /// The lagged copies of a column of points, shifted by Polars. A single point is broadcast.
    ///
    /// # Errors
    ///
    /// `ShapeMismatch` where they differ in length.
    pub(super) fn of_points(points: &[Series], this: usize) -> PolarsResult<Self> {
        let rows = points
            .iter()
            .map(|points| points.len())
            .find(|&rows| rows != 1)
            .unwrap_or(1);
        let lag = |points: &Series| {
            let points = broadcast(points, rows)?;
            let points = points.struct_()?;
            let mut fields = points.fields_as_series().into_iter();
            let y = fields
                .next()
                .ok_or_else(|| polars_err!(ComputeError: "points must have a y"))?;
            Ok(LaggedColumn {
                in_group: points
                    .chunks()
                    .iter()
                    .map(|chunk| (chunk.len(), chunk.validity().cloned()))
                    .collect(),
                ..LaggedColumn::new(y, fields.next())
            })
        };
        Ok(Self::new(points.iter().map(lag).collect::<PolarsResult<_>>()?, this))
    }

    pub(super) fn lags(&self) -> &[LaggedColumn] {
        &self.lags
    }

    /// The index of the rows themselves.
    pub(super) fn this_lag(&self) -> usize {
        self.this
    }

    /// The rows themselves.
    pub(super) fn this(&self) -> &LaggedColumn {
        &self.lags[self.this]
    }

    pub(super) fn in_group(&self) -> Vec<InGroup<'_>> {
        self.lags.iter().map(|lag| in_parts(&lag.in_group)).collect()
    }

    pub(super) fn physical(&self) -> PolarsResult<PhysicalLags> {
        let share = self.this().share;
        let y = self.lags.iter().map(|lag| Physical::new(&lag.y));
        let x = self.lags.iter().filter_map(|lag| lag.x.as_ref());
        let x = x.map(|x| repeated(Physical::new(x)?, share));
        Ok(PhysicalLags {
            y: y.collect::<PolarsResult<_>>()?,
            x: x.collect::<PolarsResult<_>>()?,
        })
    }
}

fn in_parts(parts: &[(usize, Option<Bitmap>)]) -> InGroup<'_> {
    parts
        .iter()
        .map(|(rows, there)| (*rows, there.as_ref().map(bits)))
        .collect()
}

/// The memory that the lags are read from.
pub(super) struct PhysicalLags {
    y: Vec<Physical>,
    x: Vec<Physical>,
}

impl PhysicalLags {
    pub(super) fn y(&self) -> PolarsResult<Lags<'_>> {
        lags(&self.y)
    }

    pub(super) fn x(&self) -> PolarsResult<Option<Lags<'_>>> {
        if self.x.is_empty() {
            return Ok(None);
        }
        polars_ensure!(
            self.x.len() == self.y.len(),
            ComputeError: "{} lagged copies of x for {} of y", self.x.len(), self.y.len()
        );
        lags(&self.x).map(Some)
    }
}

fn lags(columns: &[Physical]) -> PolarsResult<Lags<'_>> {
    let numbers = columns.iter().map(Physical::numbers).collect::<PolarsResult<_>>()?;
    Lags::new(numbers).ok_or_else(|| polars_err!(ComputeError: "the lagged copies of a column must be of one dtype"))
}

impl LaggedColumn {
    /// A copy all of whose rows exist.
    pub(super) fn new(y: Series, x: Option<Series>) -> Self {
        Self {
            in_group: vec![(y.len(), None)],
            y,
            x,
            share: 1,
            cell: 1,
        }
    }

    pub(super) fn with(y: Series, x: Option<Series>, (share, cell): (usize, usize), in_group: Option<Bitmap>) -> Self {
        Self {
            in_group: vec![(y.len(), in_group)],
            y,
            x,
            share,
            cell,
        }
    }

    pub(super) fn x(&self) -> Option<&Series> {
        self.x.as_ref()
    }

    /// Which rows exist, in one bitmap; `None` if all do.
    pub(super) fn in_group(&self) -> Option<Bitmap> {
        if self.in_group.iter().all(|(_, there)| there.is_none()) {
            return None;
        }
        let mut all = BitmapBuilder::with_capacity(self.y.len());
        for (rows, there) in &self.in_group {
            match there {
                Some(there) => all.extend_from_bitmap(there),
                None => all.extend_constant(*rows, true),
            }
        }
        Some(all.freeze())
    }
}
