//! Evaluates a plan over a whole column: in its own order or in that of its groups, row by row or point by point.

use crate::bits::Bits;
use crate::domain::Duplicates;
use crate::inputs::Inputs;
use crate::operators::{Form, Reason, RowError, SigmaUse};
use crate::plan::Plan;
use crate::run::{Neighbors, Parts, Results, Resumed, RowIndex, Run, Whole};
use crate::segments::{
    Around, Atomic, Deviations, Lags, Merged, Merging, Numbers, OwnedNumbers, Part, RowOrder, in_column, padded, rings,
};
use crate::units::Kind;

/// A whole column and its groups.
pub(crate) struct WholeColumn<'a, I> {
    pub(crate) inputs: Inputs<Numbers<'a>>,
    pub(crate) height: usize,
    /// The rows, group after group, if that is not their order.
    pub(crate) rows: Option<Vec<I>>,
    /// The positions in this order that start a group.
    pub(crate) starts: Bits<'a>,
    /// The rows that count, if nulls are skipped and there are any.
    pub(crate) valid: Option<Bits<'a>>,
}

/// A row that has no result because a value is wrong.
pub(crate) struct WrongRow {
    pub(crate) row: usize,
    /// The rows that are wrong: those whose x are unsorted, or the one whose y or sigma is.
    pub(crate) reads: Vec<usize>,
    pub(crate) reason: Reason,
}

/// How a plan is evaluated.
#[derive(Clone, Copy)]
pub(crate) struct Mode {
    /// Whether a row that is wrong is an error, or null.
    pub(crate) strict: bool,
    /// Whether a long column may take several threads.
    pub(crate) parallel: bool,
}

impl Plan {
    /// The results of a whole column. The first rows may have been evaluated before, by an operator that passes over
    /// groups.
    ///
    /// # Errors
    ///
    /// A row that is wrong, if `strict`.
    pub(crate) fn over<I: RowIndex>(
        &self,
        column: WholeColumn<'_, I>,
        mode: Mode,
        resumed: Option<Resumed<'_>>,
    ) -> Result<Results, WrongRow>
    where
        usize: num_traits::AsPrimitive<I>,
    {
        let sigma = self.deviations(&column.inputs, mode)?;
        let order = RowOrder::new(column.starts, column.rows, column.valid, column.height);
        let order = order.as_ref();
        let starts = order.map_or(column.starts, |order| order.starts(column.starts));
        let at = |position: usize| order.map_or(position, |order| order.rows()[position].as_());
        let Inputs { y, x, .. } = column.inputs;
        let weighed = sigma.as_ref().filter(|_| self.weighs()).map(Deviations::are_known);
        let y = match &weighed {
            Some(weighed) => y.with_validity(Bits::new(weighed, 0)),
            None => y,
        };
        let sigma = sigma.as_ref().map(|sigma| sigma.values.as_slice());
        let resumed = resumed.map(|resumed| Resumed {
            rows: order.map_or(resumed.rows, |order| {
                let rows = order.rows().iter();
                rows.take_while(|row| row.as_() < resumed.rows).count()
            }),
            ..resumed
        });
        if let (Some(x), true) = (&x, self.duplicates != Duplicates::Error) {
            let merging = Merging {
                duplicates: self.duplicates,
                mean_digits: self.mean_digits,
                // The numbers have no digits after the point yet.
                period: self
                    .units
                    .period
                    .map(|period| period / 2_f64.powi(self.mean_digits as i32)),
                split_at_nulls: self.breaks.at_nulls,
            };
            let gathered = order.map(|order| [&y, x].map(|column| column.gather(order.rows())));
            let [y, x] = match &gathered {
                Some(gathered) => gathered.each_ref().map(OwnedNumbers::numbers),
                None => [y, x.clone()],
            };
            let rows = order.map_or(column.height, |order| order.rows().len());
            if sigma.is_none() && self.ring.is_none() {
                let tiles = self.over_tiles_of_points::<I>([&y, &x], rows, starts, merging, mode);
                if let Some(numbers) = tiles {
                    return Ok(in_order(numbers.into(), order, column.height));
                }
            }
            let points = Merged::new(&y, &x, starts, merging);
            if let (Some(position), true) = (points.too_large(), mode.strict) {
                let (row, reason) = (at(position), Reason::TooLarge { before: 0 });
                return Err(WrongRow {
                    row,
                    reads: vec![row],
                    reason,
                });
            }
            let sigma = sigma.map(|sigma| match order {
                Some(order) => points.deviations(&order.gather(sigma), self.duplicates),
                None => points.deviations(sigma, self.duplicates),
            });
            let resumed = resumed.map(|resumed| Resumed {
                rows: points.points_within(resumed.rows),
                ..resumed
            });
            let whole = Whole {
                y: points.y(),
                x: Some(points.x()),
                sigma: sigma.as_deref(),
                order: None::<&RowOrder<I>>,
                starts: points.starts(),
            };
            let first_row = |point: usize| at(points.first_row(point));
            let results = self.over_rings(whole, points.len(), mode, resumed, first_row)?;
            return Ok(in_order(self.of_rows(results, &points), order, column.height));
        }
        let whole = Whole {
            y,
            x,
            sigma,
            order,
            starts,
        };
        self.over_rings(whole, column.height, mode, resumed, at)
    }

    /// The results of rows whose groups are rings, if x has a period; `at` is the row of the user at a position.
    fn over_rings<I: RowIndex>(
        &self,
        whole: Whole<'_, I>,
        height: usize,
        mode: Mode,
        resumed: Option<Resumed<'_>>,
        at: impl Fn(usize) -> usize,
    ) -> Result<Results, WrongRow> {
        let Some(ring) = &self.ring else {
            let results = self.over_rows(whole, height, mode, resumed);
            return results.map_err(|error| WrongRow::new(error, at));
        };
        let Whole {
            ref y,
            ref x,
            sigma,
            order,
            starts,
        } = whole;
        let row_at = |position: usize| order.map_or(position, |order| order.rows()[position].as_());
        let positions = order.map_or(height, |order| order.rows().len());
        let (y, x) = (y.clone(), x.clone());
        let results = self.over_rows(whole, height, mode, resumed);
        let mut results = results.map_err(|error| WrongRow::new(error, &at))?;
        for rings in rings(starts, positions) {
            let seams = ring.seams(&y, x.as_ref(), &row_at, &rings, mode.strict);
            let seams = seams.map_err(|Around { ends, rows }| WrongRow {
                row: at(ends[0]),
                reads: ends.into_iter().map(&at).collect(),
                reason: Reason::Around { rows },
            })?;
            for seam in seams {
                let sigma = sigma.map(|sigma| seam.rows().iter().map(|&row| sigma[row]).collect::<Vec<_>>());
                let arcs = Whole {
                    y: seam.y(),
                    x: seam.x(),
                    sigma: sigma.as_deref(),
                    order: None::<&RowOrder<I>>,
                    starts: seam.starts(),
                };
                let again = self.over_rows(arcs, seam.len(), mode, None);
                let again = again.map_err(|error| WrongRow::new(error, |row| at(seam.position(row))))?;
                results.numbers.replace(again.numbers, seam.evaluated());
            }
        }
        Ok(results)
    }

    /// The standard deviations of y; none for a row whose y or x is null.
    ///
    /// # Errors
    ///
    /// A row whose number is not finite and positive, if `strict`.
    fn deviations(&self, inputs: &Inputs<Numbers>, mode: Mode) -> Result<Option<Deviations>, WrongRow> {
        let (Some(unit), Some(sigma)) = (&self.sigma, &inputs.sigma) else {
            return Ok(None);
        };
        let mut counts = inputs.y.are_valid();
        if let Some(x) = &inputs.x {
            let valid = x.are_valid();
            counts
                .iter_mut()
                .zip(valid)
                .for_each(|(counts, valid)| *counts &= valid);
        }
        let deviations = Deviations::new(sigma, unit.zero, unit.scale, Bits::new(&counts, 0));
        match deviations.wrong.filter(|_| mode.strict) {
            Some(row) => Err(WrongRow {
                row,
                reads: vec![row],
                reason: Reason::Deviation,
            }),
            None => Ok(Some(deviations)),
        }
    }

    /// Whether rows are weighed by their standard deviations, so that one without it counts as null.
    pub(crate) fn weighs(&self) -> bool {
        self.sigma.is_some_and(|sigma| sigma.used == SigmaUse::Weights)
    }

    /// The results of rows whose neighbours are adjacent, or in the given order.
    pub(crate) fn over_rows<I: RowIndex>(
        &self,
        column: Whole<'_, I>,
        height: usize,
        mode: Mode,
        resumed: Option<Resumed<'_>>,
    ) -> Result<Results, RowError> {
        match self.operator.form() {
            Form::Rows(operator) => {
                let reach = self.operator.reach();
                let Whole {
                    y,
                    x,
                    sigma,
                    order,
                    starts,
                } = column;
                let around = sigma.filter(|_| order.is_none()).map(|sigma| padded(sigma, reach));
                let neighbors = match order {
                    None => Neighbors::Lagged {
                        y: Lags::of_column(&y, reach),
                        x: x.map(|x| Lags::of_column(&x, reach)),
                        in_group: in_column(height, reach),
                        // Of one group the ends are known.
                        starts: (!is_one_group(starts, height)).then_some(starts),
                        align: 1,
                    },
                    Some(order) => Neighbors::Permuted { y, x, order, starts },
                };
                let run = Run {
                    sigma: around.as_deref().or(sigma),
                    ..self.run(operator, height, mode)
                };
                run.over(&neighbors, self.is_exact()).map(Results::from)
            },
            Form::Segments(operator) => self.run(operator, height, mode).over(&column, resumed, self.is_exact()),
        }
    }

    pub(crate) fn run<Op>(&self, operator: Op, rows: usize, mode: Mode) -> Run<'_, Op> {
        Run {
            operator,
            reach: self.operator.reach(),
            rows,
            sigma: None,
            units: &self.units,
            breaks: self.breaks,
            strict: mode.strict,
            parallel: mode.parallel,
            sequential: self.is_sequential(),
        }
    }

    /// Whether integers stay integers: whether there are results in the dtype of y.
    pub(crate) fn is_exact(&self) -> bool {
        self.outputs.iter().any(|output| output.kind == Kind::OfY)
    }
}

/// Whether no position but the first starts a group.
fn is_one_group(starts: Bits<'_>, positions: usize) -> bool {
    starts.ones(positions).all(|position| position == 0)
}

impl WrongRow {
    /// The error of a position, where `at` is the row at a position.
    fn new(error: RowError, at: impl Fn(usize) -> usize) -> Self {
        let RowError { row: position, reason } = error;
        Self {
            row: at(position),
            reads: reason.reads(position).map(at).collect(),
            reason,
        }
    }
}

/// The results of a column, from those of its rows in another order.
fn in_order<I: RowIndex>(results: Results, order: Option<&RowOrder<I>>, height: usize) -> Results {
    fn scattered<O: Atomic>(
        parts: Vec<Vec<Part<O>>>,
        order: &RowOrder<impl RowIndex>,
        height: usize,
    ) -> Vec<Vec<Part<O>>> {
        let outputs = parts.first().map_or(0, Vec::len);
        vec![order.scatter(parts, outputs, height)]
    }
    let Some(order) = order else {
        return results;
    };
    let words = results.words.into_iter().map(|words| vec![words]).collect();
    Results {
        words: scattered(words, order, height).into_iter().flatten().collect(),
        numbers: match results.numbers {
            Parts::F64(parts) => Parts::F64(scattered(parts, order, height)),
            Parts::F32(parts) => Parts::F32(scattered(parts, order, height)),
            Parts::I128(parts) => Parts::I128(scattered(parts, order, height)),
        },
    }
}

/// Transposes the outputs of each part to the parts of each output.
pub(crate) fn by_output<O>(parts: Vec<Vec<Part<O>>>) -> Vec<Vec<Part<O>>> {
    let outputs = parts.first().map_or(0, Vec::len);
    let mut columns: Vec<_> = (0..outputs).map(|_| Vec::with_capacity(parts.len())).collect();
    for part in parts {
        for (column, part) in columns.iter_mut().zip(part) {
            column.push(part);
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Domain;
    use crate::operators::{RollingSlope, WindowSize};
    use crate::segments::{Across, Chunk, Period, Reach, Ring};
    use crate::units::ColumnInfo;

    const MODE: Mode = Mode {
        strict: true,
        parallel: false,
    };

    fn plan(window: WindowSize) -> Plan {
        let slope = RollingSlope::new(window).and_then(|slope| slope.center(true));
        let column = ColumnInfo::of_floats;
        let operator = slope.expect("an odd window").into();
        Plan::new(
            &operator,
            Inputs::new(column("y"), Some(column("x"))),
            &Domain::<()>::new(),
        )
        .expect("numbers")
    }

    fn slopes(plan: &Plan, y: &[f64], x: &[f64], starts: Bits) -> Vec<Option<f64>> {
        let height = y.len();
        let [y, x] = [y, x].map(|numbers| Numbers::F64(vec![Chunk::new(numbers, None)]));
        let column = WholeColumn::<u32> {
            inputs: Inputs::new(y, Some(x)),
            height,
            rows: None,
            starts,
            valid: None,
        };
        let Ok(Results {
            numbers: Parts::F64(parts),
            ..
        }) = plan.over(column, MODE, None)
        else {
            panic!("floats that rise")
        };
        let [(values, validity)] = &by_output(parts)[0][..] else {
            panic!("one part")
        };
        let valid = |row: usize| validity.as_ref().is_none_or(|bytes| Bits::new(bytes, 0).get(row));
        (0..values.len()).map(|row| valid(row).then(|| values[row])).collect()
    }

    /// Windows of rows and of lengths are those of the rows between others of their own, a period away.
    #[test]
    fn operators_by_segments_read_across_the_seam() {
        const PERIOD: f64 = 100.0;
        let period = Period {
            float: PERIOD,
            integer: Some(100),
        };
        let x: Vec<_> = (0..40_u32)
            .map(|row| f64::from(row * row % 7) / 4.0 + 2.25 * f64::from(row))
            .collect();
        let y: Vec<_> = (0..40_u32).map(|row| f64::from(row * 17 % 23)).collect();
        let around: Vec<_> = [-1.0, 0.0, 1.0]
            .iter()
            .flat_map(|lap| x.iter().map(move |x| x + lap * PERIOD))
            .collect();
        let (start, mut whole) = ([1, 0, 0, 0, 0], [0; 16]);
        whole[0] = 1;
        for rows in [40, 9, 3] {
            let windows = [
                (WindowSize::Rows(7), Across::Rows(Reach { before: 3, after: 3 })),
                (WindowSize::from(6.0), Across::Length(6.0)),
                (WindowSize::from(90.0), Across::Length(90.0)),
            ];
            for (window, reach) in windows {
                let open = plan(window);
                let mut ring = open.clone();
                ring.ring = Some(Ring { period, reach });
                let laps: Vec<_> = (0..3).map(|lap| &around[40 * lap..40 * lap + rows]).collect();
                let expected = slopes(&open, &y[..rows].repeat(3), &laps.concat(), Bits::new(&whole, 0));
                let got = slopes(&ring, &y[..rows], &x[..rows], Bits::new(&start, 0));
                assert_eq!(got, expected[rows..2 * rows], "{window:?}, {rows} rows");
            }
        }
    }
}
