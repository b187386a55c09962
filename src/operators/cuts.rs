//! Cuts through long segments, so that several threads pass over one group.
//!
//! ```text
//! the column is cut into equal parts, in a long segment between two blocks of it
//! on all threads    the sums of the blocks between the cuts of a segment
//! one by one        what is reached at each cut
//! on all threads    the results of the parts
//! ```

use std::cell::Cell;
use std::convert::Infallible;
use std::ops::Range;

use super::SegmentOperator;
use super::rows::{Columns, RowError};
use super::scan::{Reached, Scanned, SegmentTarget, Sums};
use crate::kernel::Sample;
use crate::parallel::Helpers;
use crate::segments::Segments;

impl<Y: Sample + Sync, X: Sample + Sync> Scanned<'_, Y, X> {
    /// Evaluates the column in a number of parts, of an operator whose segments may be cut between blocks.
    ///
    /// # Errors
    ///
    /// The first row that is wrong, if the run is strict.
    pub(crate) fn in_parts<O: SegmentTarget>(
        self,
        parts: usize,
        block: usize,
        helpers: &Helpers,
    ) -> Result<Vec<Columns<O>>, RowError> {
        let cuts = cuts(self.segments, self.y.values.len(), parts, block);
        let pieces: Vec<_> = cuts.iter().flat_map(|cut| cut.pieces(parts, block)).collect();
        let sums = helpers.map(&pieces, |(segment, blocks)| {
            Ok::<_, Infallible>(self.sums(*segment, blocks.clone()))
        });
        let sums = match sums {
            Ok(sums) => sums,
            Err(never) => match never {},
        };
        let parts = reached(self.operator, &cuts, &pieces, &sums);
        let scanned = Self {
            whole_groups: false,
            ..self
        };
        helpers.map(&parts, |(rows, reached)| {
            scanned.evaluate(rows.clone(), 0, &Cell::new(*reached))
        })
    }
}

/// The end of a part, where the next one begins.
struct Cut {
    row: usize,
    /// The first row of the segment that is cut; `row` if none is.
    segment: usize,
    /// The rows of the segment that belong to the part.
    blocks: Range<usize>,
}

impl Cut {
    /// The rows of the segment that belong to the part in several pieces, with the first row of the segment.
    fn pieces(&self, pieces: usize, block: usize) -> impl Iterator<Item = (usize, Range<usize>)> {
        let Range { start, end } = self.blocks;
        let rows = (end - start).div_ceil(pieces).next_multiple_of(block).max(block);
        (start..end)
            .step_by(rows)
            .map(move |first| (self.segment, first..end.min(first + rows)))
    }
}

/// The ends of the parts of a column. That of the last part cuts nothing.
fn cuts(segments: &Segments, rows: usize, parts: usize, block: usize) -> Vec<Cut> {
    let mut before = 0;
    let ends = (1..=parts).map(|part| {
        let row = rows * part / parts;
        let (row, segment) = if row < rows {
            let Range { start, end } = segments.around(row);
            let cut = start + (row - start).next_multiple_of(block);
            if cut < end { (cut, start) } else { (end, end) }
        } else {
            (rows, rows)
        };
        let blocks = before.max(segment)..row;
        before = row;
        Cut { row, segment, blocks }
    });
    ends.collect()
}

/// The rows of each part, and what is reached at its start.
fn reached(
    operator: SegmentOperator<'_>,
    cuts: &[Cut],
    pieces: &[(usize, Range<usize>)],
    sums: &[Sums],
) -> Vec<(Range<usize>, Reached)> {
    let mut sums = pieces.iter().zip(sums).peekable();
    let (mut first, mut at_first) = (0, Reached::default());
    let parts = cuts.iter().map(|cut| {
        let part = (first..cut.row, at_first);
        let mut reached = (cut.segment < cut.blocks.start).then_some(at_first);
        while let Some((_, sums)) = sums.next_if(|((_, blocks), _)| blocks.start < cut.row) {
            reached = Some(operator.reached(reached, sums));
        }
        (first, at_first) = (cut.row, reached.unwrap_or_default());
        part
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bits::{Bitmap, Bits};
    use crate::domain::Domain;
    use crate::inputs::Inputs;
    use crate::operators::{Form, Integral};
    use crate::plan::Plan;
    use crate::segments::{BreakRules, Slice};
    use crate::units::ColumnInfo;

    const BLOCK: usize = crate::kernel::trapezoids::BLOCK;

    fn plan() -> Plan {
        let column = ColumnInfo::of_floats;
        let columns = Inputs::new(column("y"), Some(column("x")));
        let integral = Integral::new().initial(0.5).into();
        Plan::new(&integral, columns, &Domain::<()>::new()).expect("numbers")
    }

    /// The results of a column in parts, as bits; `None` is null.
    fn results(y: Slice<'_, f64>, x: &[f64], groups: Bits, at_nulls: bool, parts: usize) -> Vec<Option<u64>> {
        let plan = plan();
        let Form::Segments(operator) = plan.operator.form() else {
            panic!("an operator of segments")
        };
        let x = Slice {
            values: x,
            validity: None,
        };
        let breaks = BreakRules {
            at_nulls,
            max_gap: None,
        };
        let scanned = Scanned {
            operator,
            y,
            x: Some(x),
            sigma: None,
            segments: &Segments::new(y, Some(x), breaks, groups),
            units: &plan.units,
            strict: false,
            whole_groups: true,
        };
        let no_helpers = Helpers::for_rows(0);
        let columns = scanned.in_parts::<f64>(parts, BLOCK, &no_helpers);
        let parts = columns.expect("not strict").into_iter().flat_map(Columns::into_parts);
        let rows = parts.flat_map(|(values, validity)| {
            let is_valid = move |row| validity.as_ref().is_none_or(|bytes| Bits::new(bytes, 0).get(row));
            let rows = values.into_iter().enumerate();
            rows.map(move |(row, value)| is_valid(row).then_some(value.to_bits()))
                .collect::<Vec<_>>()
        });
        rows.collect()
    }

    /// Groups, a turn of x, nulls that end segments or not, a NaN: parts have the bits of the whole.
    #[test]
    fn parts_have_the_results_of_the_whole() {
        let rows = 2_000_usize;
        let mut x: Vec<_> = (0..rows)
            .map(|row| row as f64 * 0.7 + (row * 7 % 5) as f64 * 0.1)
            .collect();
        x[1_500] = -1.0;
        let mut y: Vec<_> = (0..rows)
            .map(|row| ((row * 7_919 % 1_009) as f64 - 500.0) * 0.013)
            .collect();
        y[1_900] = f64::NAN;
        for (starts, nulls) in [
            (vec![0], vec![]),
            (vec![0, 100, 101, 900, 1_800], vec![]),
            (vec![0, 1_000], vec![300, 301, 1_200]),
        ] {
            let bits = |rows_set: &[usize], inside: bool| {
                let mut bits = Bitmap::default();
                (0..rows).for_each(|row| bits.push((rows_set.contains(&row) == inside).into(), 1));
                bits.into_bytes()
            };
            let (groups, valid) = (bits(&starts, true), bits(&nulls, false));
            let y = Slice {
                values: &y,
                validity: Some(Bits::new(&valid, 0)),
            };
            for at_nulls in [false, true] {
                let of_parts = |parts| results(y, &x, Bits::new(&groups, 0), at_nulls, parts);
                let whole = of_parts(1);
                assert_eq!(whole.len(), rows);
                for parts in 2..12 {
                    assert_eq!(of_parts(parts), whole, "{parts} parts, {starts:?}, {nulls:?}");
                }
            }
        }
    }
}
