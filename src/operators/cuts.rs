//! Cuts through long segments, so that several threads pass over one group.
//!
//! ```text
//! the column is cut into a first part and equal ones, in a long segment between two blocks of it
//! on all threads    the results of the first part; the sums of the blocks between the other cuts of a segment
//! one by one        what is reached at each cut
//! on all threads    the results of the other parts
//! ```
//!
//! The first part needs no sums. Where one segment spans the cuts, its results take the time of the sums of another part;
//! else it is empty.
//!
//! If the rows behind a cut need no sums, a segment is cut where its operator allows it, near the ends of equal parts.

use std::cell::Cell;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

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
        let rows = self.y.values.len();
        let first = first_part(self.segments, rows, parts);
        let cuts = cuts(self.segments, first..rows, parts, block);
        let pieces: Vec<_> = cuts[1..].iter().flat_map(|cut| cut.pieces(parts, block)).collect();
        // In memory of the calling thread: each helper is a new thread, to which the system would give new pages.
        let sums: Vec<_> = pieces
            .iter()
            .map(|(_, blocks)| Mutex::new(Sums::with_capacity(blocks.len() / block)))
            .collect();
        let scanned = Self {
            whole_groups: false,
            ..self
        };
        let numbers: Vec<_> = (0..=pieces.len()).collect();
        let mut evaluated = helpers.map(&numbers, |&number| {
            let Some(piece) = number.checked_sub(1) else {
                let reached = Cell::default();
                let results = scanned.evaluate(0..cuts[0].row, 0, &reached)?;
                return Ok(Some((results, reached.get())));
            };
            let (segment, blocks) = pieces[piece].clone();
            let mut sums = sums[piece].lock().unwrap_or_else(PoisonError::into_inner);
            self.sums(segment, blocks, &mut sums);
            Ok(None)
        })?;
        let sums = sums.into_iter();
        let sums: Vec<_> = sums
            .map(|sums| sums.into_inner().unwrap_or_else(PoisonError::into_inner))
            .collect();
        let (results, at_first) = evaluated.swap_remove(0).unzip();
        let parts = reached(self.operator, &cuts, at_first.unwrap_or_default(), &pieces, &sums);
        let others = helpers.map(&parts, |(rows, reached)| {
            scanned.evaluate(rows.clone(), 0, &Cell::new(*reached))
        })?;
        let first = results.filter(|_| cuts[0].row > 0);
        Ok(first.into_iter().chain(others).collect())
    }
}

impl<Y: Sample + Sync, X: Sample + Sync> Scanned<'_, Y, X> {
    /// Evaluates the column in at most a number of parts, of an operator that says at which rows a segment may be cut.
    ///
    /// # Errors
    ///
    /// The first row that is wrong, if the run is strict.
    pub(crate) fn in_cut_parts<O: SegmentTarget>(
        self,
        parts: usize,
        helpers: &Helpers,
    ) -> Result<Vec<Columns<O>>, RowError> {
        let rows = self.y.values.len();
        // A cut is near, or there is none that is worth a longer look.
        let most = rows / parts / 8;
        let ends = (1..parts).map(|part| self.end_near(rows * part / parts, most));
        let mut first = 0;
        let parts = ends.chain([rows]).map(|end| {
            // A segment may end behind the end of the next part.
            let part = first..end.max(first);
            first = part.end;
            part
        });
        let scanned = Self {
            whole_groups: false,
            ..self
        };
        helpers.map(&parts.collect::<Vec<_>>(), |rows| {
            scanned.evaluate(rows.clone(), 0, &Cell::default())
        })
    }

    /// The end of a part near a row: one of at most so many rows at which the segment may be cut, else its end.
    fn end_near(&self, row: usize, most: usize) -> usize {
        let Range { start, end } = self.segments.around(row);
        if row == start {
            return row;
        }
        self.cut(start, row..end.min(row + most)).unwrap_or(end)
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

/// The rows of the first part, which is evaluated while others are summed.
fn first_part(segments: &Segments, rows: usize, parts: usize) -> usize {
    /// The times of a row, measured: of its sum, and of its result.
    const SUM: usize = 7;
    const RESULT: usize = 10;
    let first = rows * SUM / (RESULT * parts + SUM);
    let last = rows - (rows - first) / parts;
    if parts > 1 && segments.around(first).contains(&last) {
        first
    } else {
        0
    }
}

/// The ends of the parts of a column: of the first one, and of equal ones behind it. That of the last part cuts nothing.
fn cuts(segments: &Segments, others: Range<usize>, parts: usize, block: usize) -> Vec<Cut> {
    let Range { start, end: rows } = others;
    let mut before = 0;
    let ends = (0..=parts).map(|part| {
        let row = start + (rows - start) * part / parts;
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

/// The rows of each part behind the first cut, and what is reached at its start.
fn reached(
    operator: SegmentOperator<'_>,
    cuts: &[Cut],
    at_first: Reached,
    pieces: &[(usize, Range<usize>)],
    sums: &[Sums],
) -> Vec<(Range<usize>, Reached)> {
    let mut sums = pieces.iter().zip(sums).peekable();
    let (mut first, mut at_first) = (cuts[0].row, at_first);
    let parts = cuts[1..].iter().map(|cut| {
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
    use crate::operators::{Form, Integral, Operator, TurningPoints};
    use crate::plan::Plan;
    use crate::segments::{BreakRules, Slice};
    use crate::units::ColumnInfo;

    const BLOCK: usize = crate::kernel::trapezoids::BLOCK;

    fn plan(operator: impl Into<Operator>, has_x: bool) -> Plan {
        let column = ColumnInfo::of_floats;
        let columns = Inputs::new(column("y"), has_x.then(|| column("x")));
        Plan::new(&operator.into(), columns, &Domain::<()>::new()).expect("numbers")
    }

    /// A bit for each row, set or not set in some.
    fn bits(rows: usize, of: &[usize], set: bool) -> Vec<u8> {
        let mut bits = Bitmap::default();
        (0..rows).for_each(|row| bits.push((of.contains(&row) == set).into(), 1));
        bits.into_bytes()
    }

    /// The results of a column in parts, as bits; `None` is null.
    fn results(y: Slice<'_, f64>, x: &[f64], groups: Bits, at_nulls: bool, parts: usize) -> Vec<Option<u64>> {
        let plan = plan(Integral::new().initial(0.5), true);
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
            (vec![0], vec![100]),
            (vec![0, 100, 101, 900, 1_800], vec![]),
            (vec![0, 1_000], vec![300, 301, 1_200]),
        ] {
            let (groups, valid) = (bits(rows, &starts, true), bits(rows, &nulls, false));
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

    #[test]
    fn a_first_part_is_evaluated_beside_sums_of_its_segment() {
        let y = Slice {
            values: &[0.0].repeat(2_700),
            validity: None,
        };
        for (starts, first) in [
            (vec![0], 700),
            (vec![0, 500, 2_000], 700),
            (vec![0, 1_500], 0),
            (vec![0, 710, 720], 0),
        ] {
            let groups = bits(2_700, &starts, true);
            let breaks = BreakRules {
                at_nulls: false,
                max_gap: None,
            };
            let segments = Segments::new::<_, f64>(y, None, breaks, Bits::new(&groups, 0));
            assert_eq!(first_part(&segments, 2_700, 2), first, "{starts:?}");
            assert_eq!(first_part(&segments, 2_700, 1), 0);
        }
    }

    /// Rising and falling x, single rows, numbers that are not finite, an x that turns, nulls: many segments at a time have
    /// the bits of each by itself.
    #[test]
    fn short_segments_have_the_results_that_each_has_alone() {
        let rows = 1_000_usize;
        let lengths = [1, 2, 3, 10, 1, 1, 16, 5, 30, 7, 4];
        let mut starts = vec![0];
        for length in lengths.iter().cycle() {
            starts.push(starts[starts.len() - 1] + length);
            if starts[starts.len() - 1] >= rows {
                break;
            }
        }
        starts.pop();
        let mut x = Vec::new();
        for (group, start) in starts.iter().enumerate() {
            let end = starts.get(group + 1).copied().unwrap_or(rows);
            let turn = if group % 3 == 1 { -0.7 } else { 0.9 };
            x.extend((0..end - start).map(|row| turn * row as f64 + (row * 7 % 5) as f64 * 0.01));
        }
        let mut y: Vec<_> = (0..rows)
            .map(|row| ((row * 7_919 % 1_009) as f64 - 500.0) * 0.013)
            .collect();
        (y[30], y[200], y[333], y[334]) = (f64::NAN, f64::INFINITY, f64::MAX, f64::MAX);
        (x[100], x[starts[20]], x[starts[44]]) = (f64::INFINITY, f64::NAN, 5e5);
        for nulls in [vec![], vec![500, 501, 640]] {
            let valid = bits(rows, &nulls, false);
            let slice = |rows: &Range<usize>| Slice {
                values: &y[rows.clone()],
                validity: (!nulls.is_empty()).then(|| Bits::new(&valid, rows.start)),
            };
            let groups = bits(rows, &starts, true);
            let together = results(slice(&(0..rows)), &x, Bits::new(&groups, 0), false, 1);
            let alone = starts.iter().enumerate().flat_map(|(group, start)| {
                let rows = *start..starts.get(group + 1).copied().unwrap_or(rows);
                results(slice(&rows), &x[rows.clone()], Bits::new(&[1, 0, 0, 0, 0], 0), false, 1)
            });
            let alone: Vec<_> = alone.collect();
            assert_eq!(together, alone);
            assert!(alone.iter().filter(|row| row.is_none()).count() > 3);
        }
    }

    /// The turning points of a column in parts: kinds and bits of places and heights; the places of null rows are null.
    fn turns(scanned: Scanned<'_, f64, f64>, parts: usize) -> Vec<Option<[u64; 3]>> {
        let columns = scanned.in_cut_parts::<f64>(parts, &Helpers::for_rows(0));
        let parts = columns.expect("not strict").into_iter().map(Columns::into_worded);
        let rows = parts.flat_map(|(words, numbers)| {
            let ((words, validity), numbers) = (words.expect("kinds"), numbers);
            let is_valid = |row| validity.as_ref().is_none_or(|bytes| Bits::new(bytes, 0).get(row));
            let rows = words.iter().enumerate().map(|(row, word)| {
                let [x, y] = [0, 1].map(|field: usize| numbers[field].0[row].to_bits());
                is_valid(row).then_some([u64::from(*word), x, y])
            });
            rows.collect::<Vec<_>>()
        });
        rows.collect()
    }

    /// Walks with plateaus across the cuts, groups, nulls that end segments or not, a NaN, an x that turns or is not there.
    #[test]
    fn segments_are_cut_where_nothing_changes() {
        let rows = 1_500;
        let mut state = 1_u64;
        let mut next = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            state >> 33
        };
        let mut cuts = 0;
        for (levels, repeats) in [(30, 2), (1_000, 1), (3, 90), (1, 1)] {
            let mut y = Vec::new();
            while y.len() < rows {
                let height = (next() % levels) as f64;
                y.extend(vec![height; 1 + next() as usize % repeats]);
            }
            y.truncate(rows);
            let mut x: Vec<_> = (0..rows).map(|row| (row * 8 + next() as usize % 7) as f64).collect();
            for (swing, starts, nulls, nan, turn) in [
                (0.0, vec![0], vec![], None, None),
                (0.0, vec![0, 10, 700, 1_400], vec![300, 301, 900], Some(1_200), None),
                (0.0, vec![0], vec![1_000], None, Some(800)),
                (12.0, vec![0], vec![], None, None),
                (12.0, vec![0, 600], vec![200, 350, 351], Some(1_100), Some(400)),
                (2.0, vec![0], vec![], Some(700), None),
            ] {
                let y: Vec<_> = (0..rows)
                    .map(|row| if nan == Some(row) { f64::NAN } else { y[row] })
                    .collect();
                if let Some(turn) = turn {
                    x[turn] = -1.0;
                }
                let (groups, valid) = (bits(rows, &starts, true), bits(rows, &nulls, false));
                let y = Slice {
                    values: &y,
                    validity: (!nulls.is_empty()).then(|| Bits::new(&valid, 0)),
                };
                let x = Slice {
                    values: &x,
                    validity: None,
                };
                for (at_nulls, x) in [(false, Some(x)), (true, Some(x)), (true, None)] {
                    let plan = plan(TurningPoints::new().min_swing(swing), x.is_some());
                    let Form::Segments(operator) = plan.operator.form() else {
                        panic!("an operator of segments")
                    };
                    let breaks = BreakRules {
                        at_nulls,
                        max_gap: None,
                    };
                    let segments = Segments::new(y, x, breaks, Bits::new(&groups, 0));
                    let scanned = Scanned {
                        operator,
                        y,
                        x,
                        sigma: None,
                        segments: &segments,
                        units: &plan.units,
                        strict: false,
                        whole_groups: true,
                    };
                    let whole = turns(scanned, 1);
                    assert_eq!(whole.len(), rows);
                    assert_eq!(whole.iter().any(Option::is_some), levels > 1 && swing < levels as f64);
                    for parts in 2..24 {
                        let of_parts = turns(scanned, parts);
                        assert!(
                            of_parts == whole,
                            "{parts} parts, {levels} levels, {swing}, {starts:?}, {nulls:?}"
                        );
                        let ends = (1..parts).map(|part| rows * part / parts);
                        cuts += ends
                            .filter(|&row| scanned.end_near(row, 60) < segments.around(row).end)
                            .count();
                    }
                }
            }
        }
        assert!(cuts > 5_000, "{cuts} parts end within a segment");
    }
}
