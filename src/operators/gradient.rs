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
        match (self.edge_order, rows.units.period) {
            (EdgeOrder::First, None) => evaluate::<3, _, _, _>(rows, results),
            (EdgeOrder::Second, None) => evaluate::<5, _, _, _>(rows, results),
            (EdgeOrder::First, Some(period)) => rows.relative(period, |rows| evaluate::<3, _, _, _>(rows, results)),
            (EdgeOrder::Second, Some(period)) => rows.relative(period, |rows| evaluate::<5, _, _, _>(rows, results)),
        }
    }
}

/// `LAGS` is 3 or 5: the row itself, and one or two rows on either side.
fn evaluate<const LAGS: usize, Y: Sample, X: Sample, O: Float>(
    rows: &Rows<'_, '_, Y, X>,
    results: &mut Columns<O>,
) -> Result<(), RowError>
where
    f64: AsPrimitive<O>,
{
    let this = LAGS / 2;
    let scale = rows.units.scales[0];
    let lags = [&rows.lags[this - 1], &rows.lags[this], &rows.lags[this + 1]];
    let y = lags.map(|lag| &lag.y);
    let x = match lags.map(|lag| lag.x.as_ref()) {
        [Some(x1), Some(x2), Some(x3)] => Some([x1, x2, x3]),
        _ => None,
    };
    let length = rows.len();
    let only_starts = rows.rules.only_starts(rows.lags);
    let mut valid = Valid::new(length);
    // Rows with neighbours on both sides; for edge order 2 the others need another formula.
    let mut inside = Vec::new();
    // Inlined into the loop: called through a pointer, it takes a third of the time of the loop.
    let mask = |row| {
        if only_starts && !rows.rules.has_starts() {
            return NeighborMask::BOTH;
        }
        let in_segment: [u64; LAGS] = if only_starts {
            rows.rules.between_starts(row)
        } else {
            rows.rules.in_segment(rows.lags, this, row)
        };
        let (before, after) = (in_segment[this - 1], in_segment[this + 1]);
        // Edge order 1 needs one neighbour. Edge order 2 has another formula for ends.
        let (mask, has_stencil) = if LAGS == 3 {
            (
                NeighborMask {
                    before,
                    after,
                    ..NeighborMask::BOTH
                },
                in_segment[this] & (before | after),
            )
        } else {
            (NeighborMask::BOTH, in_segment[this] & before & after)
        };
        let (x_valid, both_valid) = if only_starts {
            (has_stencil, has_stencil)
        } else {
            let x_valid = x.map_or(u64::MAX, |x| has_stencil & read(x, mask, row));
            (x_valid, has_stencil & read(y, mask, row) & x_valid)
        };
        valid.push(row, both_valid | high_mask(length - row));
        if LAGS > 3 {
            inside.push(before & after);
        }
        NeighborMask { valid: x_valid, ..mask }
    };
    let field = results.first();
    let start = field.len();
    if let Some(x) = x {
        let points = Points {
            y: three_points(y),
            x: three_points(x),
            scale,
        };
        let unsorted = irregular(points, mask, rows.strict, field.values_mut())
            .map_err(|row| RowError::unsorted(row, rows.reach, &reads::<LAGS, _, _>(rows, row)))?;
        for row in unsorted {
            valid.set(row, false);
        }
    } else {
        even(three_points(y), scale, mask, field.values_mut());
    }
    for (block, &inside) in inside.iter().enumerate() {
        let first = block * ROWS;
        if inside == u64::MAX {
            continue;
        }
        let in_segment: [u64; LAGS] = rows.rules.in_segment(rows.lags, this, first);
        for place in set_bits(!inside, ROWS.min(length - first)) {
            let row = first + place;
            let slope = end_slope(rows, row, in_segment.map(|word| word >> place & 1 != 0))?;
            valid.set(row, slope.is_some());
            field.values_mut()[start + row] = slope.unwrap_or_default().as_();
        }
    }
    field.extend_validity(&valid);
    Ok(())
}

/// The slope of the parabola at an end of a segment; `None` if the segment is too short, or null or unsorted there.
fn end_slope<const LAGS: usize, Y: Sample, X: Sample>(
    rows: &Rows<'_, '_, Y, X>,
    row: usize,
    in_segment: [bool; LAGS],
) -> Result<Option<f64>, RowError> {
    let this = LAGS / 2;
    let reads = if in_segment[this + 1] { this..LAGS } else { 0..this + 1 };
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
    let is_first = in_segment[this + 1];
    Ok(Some(three_point([y_a, y_b, y_c], x, is_first, rows.units.scales[0])))
}

/// The lags that the three-point stencil of a row reads.
fn reads<const LAGS: usize, Y: Sample, X: Sample>(rows: &Rows<'_, '_, Y, X>, row: usize) -> Range<usize> {
    let this = LAGS / 2;
    let in_segment: [u64; LAGS] = rows.rules.in_segment(rows.lags, this, row);
    let has = |lag: usize| (in_segment[lag] & 1) as usize;
    this - has(this - 1)..this + 1 + has(this + 1)
}

/// The rows whose stencil reads no null of a column.
#[inline(always)]
fn read<T: Sample>([previous, this, next]: [&Slice<'_, T>; 3], mask: NeighborMask, row: usize) -> u64 {
    let before = previous.valid(row) | !mask.before;
    let after = next.valid(row) | !mask.after;
    this.valid(row) & before & after
}

fn three_points<'a, T>([previous, this, next]: [&Slice<'a, T>; 3]) -> ThreePoint<'a, T> {
    ThreePoint {
        previous: previous.values,
        this: this.values,
        next: next.values,
    }
}
