//! `gradient`: the slope of the parabola through a row and its neighbours, as `numpy.gradient`.
//!
//! ```text
//! inside a segment     (d1/h1*h2 + d2/h2*h1) / (h1 + h2)     the parabola through three rows
//! at its ends          d/h                                   edge order 1: the line through two rows
//!                      s1 + (s1 - s2) * h1/(h1 + h2)         edge order 2: the parabola through the nearest three
//! ```
//!
//! with rises `d`, steps `h` and slopes `s = d/h`. The loop over the rows is in [`kernel`](crate::kernel).

use std::ops::Range;

use num_traits::AsPrimitive;
#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use super::{Columns, Describe, Evaluate, Extent, Float, Output, Reach, RowError, Rows, Valid};
use crate::bits::{ROWS, high_mask, set_bits};
use crate::kernel::{NeighborMask, Points, Sample, ThreePoint, even, irregular, is_monotonic, three_point};
use crate::segments::Slice;

/// The first derivative: `numpy.gradient` on any grid.
///
/// # Examples
///
/// ```
/// use polars_grad::{EdgeOrder, Gradient};
///
/// let gradient = Gradient::new().edge_order(EdgeOrder::Second);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(Serialize, Deserialize),
    serde(default, deny_unknown_fields)
)]
pub struct Gradient {
    edge_order: EdgeOrder,
}

impl Gradient {
    /// Two-point differences at the ends of segments.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The order of accuracy at the ends of segments.
    #[must_use]
    pub fn edge_order(mut self, edge_order: EdgeOrder) -> Self {
        self.edge_order = edge_order;
        self
    }

    /// The rows before and after its own that a row may read.
    pub(super) fn reads_at_most(self) -> Reach {
        let rows = match self.edge_order {
            EdgeOrder::First => 1,
            EdgeOrder::Second => 2,
        };
        Reach {
            before: rows,
            after: rows,
        }
    }
}

/// The order of accuracy of the one-sided differences at the ends of a segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(Serialize, Deserialize),
    serde(try_from = "u8", into = "u8")
)]
pub enum EdgeOrder {
    /// The two-point difference; a segment needs two rows.
    #[default]
    First,
    /// The three-point one-sided formula; a segment needs three rows.
    Second,
}

impl TryFrom<u8> for EdgeOrder {
    type Error = String;

    fn try_from(order: u8) -> Result<Self, Self::Error> {
        match order {
            1 => Ok(Self::First),
            2 => Ok(Self::Second),
            _ => Err(format!("`edge_order` must be 1 or 2, got {order}")),
        }
    }
}

impl From<EdgeOrder> for u8 {
    fn from(order: EdgeOrder) -> Self {
        match order {
            EdgeOrder::First => 1,
            EdgeOrder::Second => 2,
        }
    }
}

impl Describe for Gradient {
    fn extent(&self) -> Extent {
        Extent::Rows(self.reads_at_most())
    }

    fn outputs(&self) -> Vec<Output> {
        vec![Output::per_x(1)]
    }

    fn takes_x_period(&self) -> bool {
        true
    }
}

impl Evaluate for Gradient {
    fn evaluate_rows<Y: Sample, X: Sample, O: Float>(
        &self,
        rows: &Rows<'_, '_, Y, X>,
        results: &mut Columns<O>,
    ) -> Result<(), RowError>
    where
        f64: AsPrimitive<O>,
    {
        let Some(period) = rows.units.period else {
            let mut valid = Valid::new(rows.len());
            evaluate(rows, results.first().values_mut(), &mut valid)?;
            results.first().extend_validity(&valid);
            return Ok(());
        };
        let mut slopes = Vec::<f64>::new();
        rows.relative(period, |tile| {
            let mut valid = Valid::new(tile.len());
            slopes.clear();
            evaluate::<f64, X, f64>(tile, &mut slopes, &mut valid)?;
            let field = results.first();
            field.values_mut().extend(slopes.iter().map(|slope| slope.as_()));
            field.extend_validity(&valid);
            Ok(())
        })
    }
}

/// Rows whose masks are known before the loop over them begins.
const TILE: usize = 512 * ROWS;

/// Appends the slopes of the rows, and says which are valid.
#[inline(never)]
fn evaluate<Y: Sample, X: Sample, O: Float>(
    rows: &Rows<'_, '_, Y, X>,
    slopes: &mut Vec<O>,
    valid: &mut Valid,
) -> Result<(), RowError>
where
    f64: AsPrimitive<O>,
{
    let this = rows.reach.before;
    let scale = rows.units.scales[0];
    let lags = [&rows.lags[this - 1], &rows.lags[this], &rows.lags[this + 1]];
    let y = three_points(lags.map(|lag| &lag.y));
    let x = match lags.map(|lag| lag.x.as_ref()) {
        [Some(x1), Some(x2), Some(x3)] => Some(three_points([x1, x2, x3])),
        _ => None,
    };
    let length = rows.len();
    let only_rows = rows.rules.only_starts(rows.lags) && !rows.rules.has_starts();
    let tile = if only_rows { length.max(1) } else { TILE };
    let mut masks = Masks::default();
    for start in (0..length).step_by(tile) {
        let end = length.min(start + tile);
        if !only_rows {
            masks.read(rows, start..end, valid);
        }
        let first = slopes.len();
        let mask = NeighborMask::of_blocks(&masks.neighbors);
        if let Some(x) = x {
            let points = Points {
                y: y.rows(start, end),
                x: x.rows(start, end),
                scale,
            };
            let unsorted = irregular(points, mask, rows.strict, slopes).map_err(|row| {
                let row = start + row;
                RowError::unsorted(row, rows.reach, &reads(rows, row))
            })?;
            for row in unsorted {
                valid.set(start + row, false);
            }
        } else {
            even(y.rows(start, end), scale, mask, slopes);
        }
        for (block, &ends) in masks.ends.iter().enumerate() {
            if ends == 0 {
                continue;
            }
            let place = block * ROWS;
            let in_segment: [u64; 5] = rows.rules.in_segment(rows.lags, this, start + place);
            for bit in set_bits(ends, ROWS.min(end - start - place)) {
                let row = start + place + bit;
                let slope = end_slope(rows, row, in_segment.map(|word| word >> bit & 1 != 0))?;
                valid.set(row, slope.is_some());
                slopes[first + place + bit] = slope.unwrap_or_default().as_();
            }
        }
    }
    Ok(())
}

/// The neighbours of the rows of a tile, 64 rows a mask. No masks if all rows have neighbours on both sides.
#[derive(Default)]
struct Masks {
    neighbors: Vec<NeighborMask>,
    /// Rows without a neighbour on one side, which have another formula; none for edge order 1.
    ends: Vec<u64>,
}

impl Masks {
    /// Takes the masks of some rows, the first of which is a multiple of 64, and says which have a slope.
    fn read<Y: Sample, X: Sample>(&mut self, rows: &Rows<'_, '_, Y, X>, tile: Range<usize>, valid: &mut Valid) {
        let this = rows.reach.before;
        let lags = [&rows.lags[this - 1], &rows.lags[this], &rows.lags[this + 1]];
        let only_starts = rows.rules.only_starts(rows.lags);
        self.neighbors.clear();
        self.ends.clear();
        for row in tile.step_by(ROWS) {
            let [before, own, after] = if only_starts {
                rows.rules.between_starts(row)
            } else if this == 1 {
                rows.rules.in_segment(rows.lags, this, row)
            } else {
                let in_segment: [u64; 5] = rows.rules.in_segment(rows.lags, this, row);
                [in_segment[this - 1], in_segment[this], in_segment[this + 1]]
            };
            // Edge order 1 needs one neighbour. Edge order 2 has another formula for ends.
            let (mask, has_stencil) = if this == 1 {
                let mask = NeighborMask {
                    before,
                    after,
                    ..NeighborMask::BOTH
                };
                (mask, own & (before | after))
            } else {
                self.ends.push(!(before & after));
                (NeighborMask::BOTH, own & before & after)
            };
            let read = |valid: [u64; 3]| valid[1] & (valid[0] | !mask.before) & (valid[2] | !mask.after);
            let (x_valid, both_valid) = if only_starts {
                (has_stencil, has_stencil)
            } else {
                let x_valid = has_stencil & read(lags.map(|lag| lag.x.map_or(u64::MAX, |x| x.valid(row))));
                (x_valid, x_valid & read(lags.map(|lag| lag.y.valid(row))))
            };
            valid.push(row, both_valid | high_mask(rows.len() - row));
            self.neighbors.push(NeighborMask { valid: x_valid, ..mask });
        }
    }
}

/// The slope of the parabola at an end of a segment; `None` if the segment is too short, or null or unsorted there.
fn end_slope<Y: Sample, X: Sample>(
    rows: &Rows<'_, '_, Y, X>,
    row: usize,
    in_segment: [bool; 5],
) -> Result<Option<f64>, RowError> {
    let reads = if in_segment[3] { 2..5 } else { 0..3 };
    if !in_segment[reads.clone()].iter().all(|&is_there| is_there) {
        return Ok(None);
    }
    let [a, b, c] = &rows.lags[reads.clone()] else {
        return Ok(None);
    };
    let x = match (&a.x, &b.x, &c.x) {
        (Some(a), Some(b), Some(c)) => match (a.get(row), b.get(row), c.get(row)) {
            (Some(a), Some(b), Some(c)) => Some([a, b, c]),
            _ => return Ok(None),
        },
        _ => None,
    };
    if let Some(x) = x
        && !is_monotonic(&x)
    {
        return if rows.strict {
            Err(RowError::unsorted(row, rows.reach, &reads))
        } else {
            Ok(None)
        };
    }
    let (Some(y_a), Some(y_b), Some(y_c)) = (a.y.get(row), b.y.get(row), c.y.get(row)) else {
        return Ok(None);
    };
    let is_first = in_segment[3];
    Ok(Some(three_point([y_a, y_b, y_c], x, is_first, rows.units.scales[0])))
}

/// The lags that the three-point stencil of a row reads.
fn reads<Y: Sample, X: Sample>(rows: &Rows<'_, '_, Y, X>, row: usize) -> Range<usize> {
    let this = rows.reach.before;
    let in_segment: [u64; 5] = rows.rules.in_segment(rows.lags, this, row);
    let has = |lag: usize| (in_segment[lag] & 1) as usize;
    this - has(this - 1)..this + 1 + has(this + 1)
}

fn three_points<'a, T>([previous, this, next]: [&Slice<'a, T>; 3]) -> ThreePoint<'a, T> {
    ThreePoint {
        previous: previous.values,
        this: this.values,
        next: next.values,
    }
}
