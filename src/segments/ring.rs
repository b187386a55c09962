//! Rings: groups whose last row stands before their first one, a period of x away.
//!
//! Only rows near the two ends of a group read across the seam. They are evaluated again, in *arcs*: copies of the rows
//! around the seam, where these have neighbours on both sides. With a reach of one row:
//!
//! ```text
//! group             0 1 2 3 4 5 6 7 8 9
//! arcs      9 - P  [0] 1           8 [9]  0 + P        in brackets: the rows that are evaluated again
//! ```
//!
//! A ring that is shorter than the reach is read around more than once.

use std::iter::once;
use std::ops::Range;

use super::column::{Chunk, Number, Numbers, OwnedNumbers, Values};
use super::reach::Reach;
use super::slice::{Gathered, Slice};
use crate::bits::{Bitmap, Bits};

/// A period of x, and how far an operator reads across the seam.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ring {
    pub(crate) period: Period,
    pub(crate) reach: Across,
}

/// The period of x in its numbers; without an x, in rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Period {
    pub(crate) float: f64,
    /// The same, if it is a whole number.
    pub(crate) integer: Option<i128>,
}

/// How far around its own row an operator reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Across {
    /// Rows before and after.
    Rows(Reach),
    /// A length of x before and after, shorter than the period.
    Length(f64),
}

/// A group that goes round the whole period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Around {
    /// The positions of its first and last row whose x is not null.
    pub(crate) ends: [usize; 2],
    /// The number of its rows.
    pub(crate) rows: usize,
}

/// A column of arcs, each a segment.
pub(crate) struct Seam {
    y: OwnedNumbers,
    x: Option<OwnedNumbers>,
    /// The rows that start an arc.
    starts: Vec<u8>,
    arcs: Arcs,
    /// The row of the column that each row is a copy of.
    rows: Vec<usize>,
}

impl Seam {
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn y(&self) -> Numbers<'_> {
        self.y.numbers()
    }

    pub(crate) fn x(&self) -> Option<Numbers<'_>> {
        self.x.as_ref().map(OwnedNumbers::numbers)
    }

    pub(crate) fn starts(&self) -> Bits<'_> {
        Bits::new(&self.starts, 0)
    }

    /// The row of the column that each row is a copy of.
    pub(crate) fn rows(&self) -> &[usize] {
        &self.rows
    }

    /// The position of a row in the order of the groups.
    pub(crate) fn position(&self, row: usize) -> usize {
        let after = self.arcs.arcs.partition_point(|arc| arc.first <= row);
        let arc = &self.arcs.arcs[after - 1];
        let number = arc.numbers.start + (row - arc.first).cast_signed();
        arc.ring.start + number.rem_euclid(arc.ring.len() as isize) as usize
    }

    /// The rows whose results replace those of the column, each with its row there.
    pub(crate) fn evaluated(&self) -> impl Iterator<Item = (usize, usize)> {
        let rows = self.arcs.arcs.iter().flat_map(|arc| {
            let row = |number: isize| arc.first + (number - arc.numbers.start).cast_unsigned();
            row(arc.evaluated.start)..row(arc.evaluated.end)
        });
        rows.map(|row| (row, self.rows[row]))
    }
}

/// The rings of a column whose groups begin at `starts` of all positions, some at a time: what is copied of these stays
/// in the cache.
pub(crate) fn rings(starts: Bits<'_>, positions: usize) -> impl Iterator<Item = Vec<Range<usize>>> {
    let mut first = None;
    let groups = starts.ones(positions).chain(once(positions)).filter_map(move |end| {
        let start = first.replace(end)?;
        // A single row is no neighbour of its own.
        (end - start > 1).then_some(start..end)
    });
    let mut groups = groups.peekable();
    std::iter::from_fn(move || {
        groups.peek()?;
        Some(groups.by_ref().take(AT_A_TIME).collect())
    })
}

/// Rings whose seams are evaluated together.
const AT_A_TIME: usize = 2_048;

impl Ring {
    /// The rows around the seams of some rings. `row_at` is the row of the column at a position.
    ///
    /// Without an x there are two columns: of rings that the rows close evenly, and of others, where x counts rows.
    ///
    /// # Errors
    ///
    /// If `strict`, a group that goes round the whole period.
    pub(crate) fn seams(
        &self,
        y: &Numbers,
        x: Option<&Numbers>,
        row_at: &dyn Fn(usize) -> usize,
        rings: &[Range<usize>],
        strict: bool,
    ) -> Result<Vec<Seam>, Around> {
        macro_rules! seams_along {
            ($chunks:ident) => {{
                let x = Column::new($chunks);
                let arcs = self.arcs(&x, row_at, rings, strict)?;
                let rows = arcs.rows(row_at);
                let moved = self.moved(x.gather(&rows), &arcs);
                Ok(arcs.seam(rows, y, Some(moved)).into_iter().collect())
            }};
        }
        match x {
            Some(Numbers::F64(x)) => seams_along!(x),
            Some(Numbers::F32(x)) => seams_along!(x),
            Some(Numbers::I64(x)) => seams_along!(x),
            Some(Numbers::I128(x)) => seams_along!(x),
            None => {
                let [even, uneven] = self.arcs_of_rows(rings, strict)?;
                let (of_even, of_uneven) = (even.rows(row_at), uneven.rows(row_at));
                let counted = self.counted(&uneven);
                let seams = [even.seam(of_even, y, None), uneven.seam(of_uneven, y, Some(counted))];
                Ok(seams.into_iter().flatten().collect())
            },
        }
    }

    /// The arcs of rows that are a step apart: of rings that the rows close evenly, and of others.
    fn arcs_of_rows(&self, rings: &[Range<usize>], strict: bool) -> Result<[Arcs; 2], Around> {
        let [mut even, mut uneven] = [Arcs::default(), Arcs::default()];
        let period = self.period.integer.unwrap_or_default();
        for ring in rings {
            let rows = ring.len();
            if strict && rows as i128 > period {
                let ends = [ring.start, ring.end - 1];
                return Err(Around { ends, rows });
            }
            let arcs = if rows as i128 == period { &mut even } else { &mut uneven };
            arcs.push(ring, 1, self.ends(|_, _| rows));
        }
        Ok([even, uneven])
    }

    /// The arcs of rows with an x.
    fn arcs<T: Number>(
        &self,
        x: &Column<'_, T>,
        row_at: &dyn Fn(usize) -> usize,
        rings: &[Range<usize>],
        strict: bool,
    ) -> Result<Arcs, Around> {
        let mut arcs = Arcs::default();
        let x_at = |position: usize| x.get(row_at(position));
        for ring in rings {
            let known = |position: usize| Some((position, x_at(position)?));
            let mut from_first = ring.clone().filter_map(known);
            // Without two x there is no direction, and no step across the seam.
            let (Some((first, first_x)), Some((_, next_x))) = (from_first.next(), from_first.next()) else {
                continue;
            };
            let Some((last, last_x)) = ring.clone().rev().find_map(known) else {
                continue;
            };
            let turn = if next_x < first_x { -1 } else { 1 };
            let are_finite = [first_x, last_x].map(T::zero_unless_finite) == [0.0; 2];
            if strict && are_finite && !self.ends_in_time(first_x, last_x, turn) {
                let (ends, rows) = ([first, last], ring.len());
                return Err(Around { ends, rows });
            }
            let within = |length: f64, from_last: bool| {
                let end = if from_last { last_x } else { first_x };
                let is_beyond = |place: &usize| {
                    let position = if from_last {
                        ring.end - 1 - place
                    } else {
                        ring.start + place
                    };
                    x_at(position).is_some_and(|x| x.minus(end).abs() > length)
                };
                (0..ring.len()).find(is_beyond).unwrap_or(ring.len())
            };
            arcs.push(ring, turn, self.ends(within));
        }
        Ok(arcs)
    }

    /// Whether a group ends before its first row comes again, a period later.
    fn ends_in_time<T: Number>(&self, first: T, last: T, turn: isize) -> bool {
        match self.period.integer {
            Some(period) if T::INTEGER => {
                let ahead = last.to_integer().saturating_sub(first.to_integer());
                ahead.saturating_mul(turn as i128) < period
            },
            _ if T::INTEGER => last.minus(first) * (turn as f64) < self.period.float,
            _ => {
                let [first, last] = [first, last].map(|x| x.minus(T::default()));
                let next = first + turn as f64 * self.period.float;
                if turn > 0 { last < next } else { last > next }
            },
        }
    }

    /// The two ends of a ring. `within(length, from_last)` is the number of rows up to a length from the first or the last
    /// row.
    fn ends(&self, within: impl Fn(f64, bool) -> usize) -> [End; 2] {
        match self.reach {
            Across::Rows(Reach { before, after }) => {
                let end = |beyond, inside| End {
                    beyond,
                    evaluated: beyond,
                    inside,
                };
                [end(before, after), end(after, before)]
            },
            Across::Length(length) => {
                // A row more than the length holds, so that no window passes an end of the arc.
                let end = |from_last: bool| {
                    let evaluated = within(length, from_last) + 1;
                    End {
                        beyond: within(length, !from_last) + 1,
                        evaluated,
                        inside: (within(2.0 * length, from_last) + 2).saturating_sub(evaluated),
                    }
                };
                [end(false), end(true)]
            },
        }
    }

    /// The number of each row of arcs in its group, as x.
    fn counted(&self, arcs: &Arcs) -> OwnedNumbers {
        let period = self.period.integer.unwrap_or_default();
        let mut values = Vec::with_capacity(arcs.len);
        for arc in &arcs.arcs {
            arc.for_each(|row, laps| {
                let before = period.saturating_mul(laps as i128);
                values.push(before.saturating_add(row as i128));
            });
        }
        OwnedNumbers::I128(Gathered { values, validity: None })
    }

    /// The x of arcs, each moved by its periods.
    ///
    /// Integers are counted from the first x of their arc, so that they stay exact.
    fn moved<T: Number>(&self, x: Gathered<T>, arcs: &Arcs) -> OwnedNumbers {
        let Gathered { values, validity } = x;
        match self.period.integer {
            Some(period) if T::INTEGER => {
                let values = moved(&values, arcs, |x, base, laps| {
                    let from_base = x.to_integer().saturating_sub(base.to_integer());
                    from_base.saturating_add(period.saturating_mul(laps as i128))
                });
                OwnedNumbers::I128(Gathered { values, validity })
            },
            _ => {
                let values = moved(&values, arcs, |x, base, laps| {
                    let base = if T::INTEGER { base } else { T::default() };
                    x.minus(base) + self.period.float * laps as f64
                });
                OwnedNumbers::F64(Gathered { values, validity })
            },
        }
    }
}

/// A function of each x of arcs, the first x of its arc, and the number of periods that it is moved by.
fn moved<T: Number, O>(x: &[T], arcs: &Arcs, of: impl Fn(T, T, isize) -> O) -> Vec<O> {
    let mut moved = Vec::with_capacity(x.len());
    for arc in &arcs.arcs {
        let mut x = x[arc.first..].iter();
        let base = x.as_slice().first().copied().unwrap_or_default();
        arc.for_each(|_, laps| moved.extend(x.next().map(|&x| of(x, base, laps))));
    }
    moved
}

/// The rows of an arc at one end of a ring.
#[derive(Clone, Copy)]
struct End {
    /// Rows across the seam.
    beyond: usize,
    /// Rows that are evaluated again.
    evaluated: usize,
    /// Rows further inside that these read.
    inside: usize,
}

/// Adjacent rows of a ring, which go on beyond its ends.
struct Arc {
    /// Its first row among those of all arcs.
    first: usize,
    /// The positions of the ring.
    ring: Range<usize>,
    /// 1 if the x of the ring rise, -1 if they fall.
    turn: isize,
    /// Numbers of rows, of which the first of the ring has number 0.
    numbers: Range<isize>,
    /// Those that are evaluated again.
    evaluated: Range<isize>,
}

impl Arc {
    /// Visits each row: its number within the ring, and the number of periods that its x is moved by.
    #[inline(always)]
    fn for_each(&self, mut visit: impl FnMut(usize, isize)) {
        let rows = self.ring.len();
        let mut row = self.numbers.start.rem_euclid(rows as isize) as usize;
        let mut laps = self.numbers.start.div_euclid(rows as isize) * self.turn;
        for _ in self.numbers.clone() {
            visit(row, laps);
            row += 1;
            if row == rows {
                row = 0;
                laps += self.turn;
            }
        }
    }
}

/// Arcs, one after another.
#[derive(Default)]
struct Arcs {
    arcs: Vec<Arc>,
    /// The number of rows of all.
    len: usize,
}

impl Arcs {
    /// Adds those of a ring whose x rises (`turn` is 1) or falls (-1).
    fn push(&mut self, ring: &Range<usize>, turn: isize, [first, last]: [End; 2]) {
        let rows = ring.len() as isize;
        let [before, after] = [first, last].map(|end| end.beyond as isize);
        let [of_first, of_last] = [first, last].map(|end| (end.evaluated + end.inside) as isize);
        if of_first + of_last >= rows {
            self.push_arc(ring, turn, -before..rows + after, 0..rows);
            return;
        }
        if first.evaluated > 0 {
            self.push_arc(ring, turn, -before..of_first, 0..first.evaluated as isize);
        }
        if last.evaluated > 0 {
            let evaluated = rows - last.evaluated as isize..rows;
            self.push_arc(ring, turn, rows - of_last..rows + after, evaluated);
        }
    }

    fn push_arc(&mut self, ring: &Range<usize>, turn: isize, numbers: Range<isize>, evaluated: Range<isize>) {
        let first = self.len;
        self.len += numbers.len();
        self.arcs.push(Arc {
            first,
            ring: ring.clone(),
            turn,
            numbers,
            evaluated,
        });
    }

    /// The row of the column that each row is a copy of.
    fn rows(&self, row_at: &dyn Fn(usize) -> usize) -> Vec<usize> {
        let mut rows = Vec::with_capacity(self.len);
        for arc in &self.arcs {
            arc.for_each(|row, _| rows.push(row_at(arc.ring.start + row)));
        }
        rows
    }

    /// The column of the arcs with these rows and x; `None` if there are none.
    fn seam(self, rows: Vec<usize>, y: &Numbers, x: Option<OwnedNumbers>) -> Option<Seam> {
        if rows.is_empty() {
            return None;
        }
        let starts = Bitmap::of_rows(rows.len(), self.arcs.iter().map(|arc| arc.first)).into_bytes();
        let y = match y {
            Numbers::F64(y) => OwnedNumbers::F64(Column::new(y).gather(&rows)),
            Numbers::F32(y) => OwnedNumbers::F32(Column::new(y).gather(&rows)),
            Numbers::I64(y) => OwnedNumbers::I64(Column::new(y).gather(&rows)),
            Numbers::I128(y) => OwnedNumbers::I128(Column::new(y).gather(&rows)),
        };
        Some(Seam {
            y,
            x,
            starts,
            arcs: self,
            rows,
        })
    }
}

/// A column of which a few values are read. Chunks are neither joined nor converted.
struct Column<'a, T> {
    chunks: &'a [Chunk<'a, T>],
    /// The first row of each chunk.
    firsts: Vec<usize>,
}

impl<'a, T: Number> Column<'a, T> {
    fn new(chunks: &'a [Chunk<'a, T>]) -> Self {
        let firsts = chunks.iter().scan(0, |next, chunk| {
            let first = *next;
            *next += chunk.len();
            Some(first)
        });
        let firsts = firsts.collect();
        Self { chunks, firsts }
    }

    #[inline(always)]
    fn get(&self, row: usize) -> Option<T> {
        if let [chunk] = self.chunks {
            return chunk.get(row);
        }
        // Of chunks that begin at one row all but the last are empty.
        let chunk = self.firsts.partition_point(|&first| first <= row) - 1;
        self.chunks[chunk].get(row - self.firsts[chunk])
    }

    fn gather(&self, rows: &[usize]) -> Gathered<T> {
        if let &[
            Chunk {
                values: Values::InPlace(values),
                validity,
            },
        ] = self.chunks
        {
            return Slice { values, validity }.gather(rows);
        }
        let has_nulls = self.chunks.iter().any(|chunk| chunk.validity.is_some());
        let mut validity = has_nulls.then(|| Bitmap::with_capacity(rows.len()));
        let values = rows.iter().map(|&row| {
            let value = self.get(row);
            if let Some(validity) = &mut validity {
                validity.push(value.is_some().into(), 1);
            }
            value.unwrap_or_default()
        });
        Gathered {
            values: values.collect(),
            validity: validity.map(Bitmap::into_bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Period = Period {
        float: 10.0,
        integer: Some(10),
    };

    /// The positions of each arc, with the x that they are moved to, and the positions that are evaluated again.
    fn arcs(x: &[f64], starts: &[usize], reach: Across) -> (Vec<Vec<(usize, f64)>>, Vec<usize>) {
        let ring = Ring { period: PERIOD, reach };
        let mut bits = vec![0_u8; x.len() / 8 + 1];
        for start in starts {
            bits[start / 8] |= 1 << (start % 8);
        }
        let column = Numbers::F64(vec![Chunk::new(x, None)]);
        let rings: Vec<_> = rings(Bits::new(&bits, 0), x.len()).flatten().collect();
        let seams = ring.seams(&column, Some(&column), &|row| row, &rings, true);
        let [seam] = &seams.expect("less than a period")[..] else {
            panic!("one column of arcs")
        };
        let Some(Numbers::F64(chunks)) = seam.x() else {
            panic!("floats stay floats")
        };
        let mut arcs: Vec<Vec<_>> = Vec::new();
        for row in 0..seam.len() {
            if seam.starts().get(row) {
                arcs.push(Vec::new());
            }
            let x = chunks[0].get(row).expect("no nulls");
            arcs.last_mut()
                .expect("the first row starts an arc")
                .push((seam.position(row), x));
        }
        (arcs, seam.evaluated().map(|(_, position)| position).collect())
    }

    #[test]
    fn rows_beside_the_seam_are_evaluated_between_those_of_both_ends() {
        let reach = Across::Rows(Reach { before: 1, after: 1 });
        let x = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let (first, last) = (vec![(6, -4.0), (0, 0.0), (1, 1.0)], vec![(5, 5.0), (6, 6.0), (0, 10.0)]);
        assert_eq!(arcs(&x, &[0], reach), (vec![first, last], vec![0, 6]));
        // A short group is evaluated as a whole; a single row has no neighbour.
        let (short, falls) = ([0.0, 3.0, 4.0, 5.0], [5.0, 3.0]);
        let groups = [&short[..], &falls].concat();
        let whole = vec![(2, -6.0), (1, 3.0), (2, 4.0), (1, 13.0)];
        let of_falls = vec![(5, 13.0), (4, 5.0), (5, 3.0), (4, -5.0)];
        let (all, evaluated) = arcs(&groups, &[0, 1, 3, 4], reach);
        assert_eq!((all, evaluated), (vec![whole, of_falls], vec![1, 2, 4, 5]));
    }

    #[test]
    fn lengths_read_as_many_rows_as_they_hold() {
        let x = [0.0, 0.5, 1.0, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 9.0];
        let (arcs, evaluated) = arcs(&x, &[0], Across::Length(1.0));
        let positions: Vec<Vec<_>> = arcs
            .iter()
            .map(|arc| arc.iter().map(|(row, _)| *row).collect())
            .collect();
        assert_eq!(positions, [vec![8, 9, 0, 1, 2, 3, 4], vec![6, 7, 8, 9, 0, 1, 2, 3]]);
        assert_eq!(evaluated, [0, 1, 2, 3, 8, 9]);
    }
}
