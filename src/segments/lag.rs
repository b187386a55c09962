//! Lagged copies of a column: at the index of each row, the rows before and after it.
//!
//! In memory a copy usually is the column itself, shifted, with other chunk boundaries. [`for_each_chunk`] aligns the
//! chunks of all copies.

use std::ops::Range;

use super::column::{Chunk, Number, Numbers, Values, of_rows};
use super::slice::{Lag, Slice};
use crate::bits::Bits;
use crate::segments::Reach;

/// The lagged copies of a column, furthest row back first, all of one type.
#[derive(Clone, Debug)]
pub(crate) enum Lags<'a> {
    F64(Vec<Vec<Chunk<'a, f64>>>),
    F32(Vec<Vec<Chunk<'a, f32>>>),
    I64(Vec<Vec<Chunk<'a, i64>>>),
    I128(Vec<Vec<Chunk<'a, i128>>>),
}

/// Which rows of a lagged copy exist, part by part: the number of rows, and a bit for each unless all exist.
pub(crate) type InGroup<'a> = Vec<(usize, Option<Bits<'a>>)>;

impl<'a> Lags<'a> {
    /// `None` if the copies differ in type, or if there are none.
    #[cfg(feature = "polars")]
    pub(crate) fn new(copies: Vec<Numbers<'a>>) -> Option<Self> {
        macro_rules! all {
            ($variant:ident) => {{
                let chunks = copies.into_iter().map(|copy| match copy {
                    Numbers::$variant(chunks) => Some(chunks),
                    _ => None,
                });
                Some(Self::$variant(chunks.collect::<Option<_>>()?))
            }};
        }
        match copies.first()? {
            Numbers::F64(_) => all!(F64),
            Numbers::F32(_) => all!(F32),
            Numbers::I64(_) => all!(I64),
            Numbers::I128(_) => all!(I128),
        }
    }

    /// The lagged copies of a whole column.
    pub(crate) fn of_column(column: &Numbers<'a>, reach: Reach) -> Self {
        macro_rules! all {
            ($variant:ident, $chunks:expr) => {
                Self::$variant(lags(reach).map(|ahead| shifted($chunks, ahead)).collect())
            };
        }
        match column {
            Numbers::F64(chunks) => all!(F64, chunks),
            Numbers::F32(chunks) => all!(F32, chunks),
            Numbers::I64(chunks) => all!(I64, chunks),
            Numbers::I128(chunks) => all!(I128, chunks),
        }
    }
}

/// The offset of each lag in rows, furthest back first.
pub(crate) fn lags(reach: Reach) -> impl Iterator<Item = isize> {
    -(reach.before as isize)..=reach.after as isize
}

/// Which rows of the lagged copies of a whole column exist.
pub(crate) fn in_column(rows: usize, reach: Reach) -> Vec<InGroup<'static>> {
    const NOWHERE: Bits = Bits::new(&[], 0);
    let copy = |ahead: isize| {
        let outside = ahead.unsigned_abs().min(rows);
        let (inside, outside) = ((rows - outside, None), (outside, Some(NOWHERE)));
        if ahead > 0 {
            vec![inside, outside]
        } else {
            vec![outside, inside]
        }
    };
    lags(reach).map(copy).collect()
}

/// A column shifted by `ahead` rows. Rows beyond its ends have arbitrary values.
fn shifted<'a, T: Number>(chunks: &[Chunk<'a, T>], ahead: isize) -> Vec<Chunk<'a, T>> {
    let rows: usize = chunks.iter().map(Chunk::len).sum();
    let outside = ahead.unsigned_abs().min(rows);
    let inside = if ahead > 0 { outside..rows } else { 0..rows - outside };
    let (inside, outside) = (of_rows(chunks, inside), of_rows(chunks, 0..outside));
    if ahead > 0 {
        [inside, outside]
    } else {
        [outside, inside]
    }
    .concat()
}

/// Rows converted or narrowed at a time: those of all copies fit into the second-level cache.
const TILE: usize = 1 << 12;

/// Calls `visit` with the first row and the lags of adjacent rows, for all of `rows` in order.
///
/// y, x and the masks may have different chunks: each visit ends at the first chunk boundary.
///
/// # Errors
///
/// What `visit` returns.
pub(crate) fn for_each_chunk<Y: Number, X: Number, E>(
    y: &[Vec<Chunk<'_, Y>>],
    x: Option<&[Vec<Chunk<'_, X>>]>,
    in_group: &[InGroup<'_>],
    rows: Range<usize>,
    mut visit: impl FnMut(usize, &[Lag<'_, Y, X>]) -> Result<(), E>,
) -> Result<(), E> {
    let mut y = Copies::at(y, rows.start);
    let mut x = x.map(|x| Copies::at(x, rows.start));
    let mut flags: Vec<_> = in_group.iter().map(|flags| Cursor::at(flags, rows.start)).collect();
    let mut row = rows.start;
    while row < rows.end {
        let left = [y.left(), x.as_ref().map_or(usize::MAX, Copies::left)];
        let left = left.into_iter().chain(flags.iter().map(Cursor::left)).min();
        let length = left.unwrap_or(0).min(rows.end - row);
        if length == 0 {
            break;
        }
        let y = y.take(length);
        let mut x = x.as_mut().map(|x| x.take(length).into_iter());
        let lags = y.into_iter().zip(&mut flags).map(|(y, flags)| Lag {
            y,
            x: x.as_mut().and_then(Iterator::next),
            in_group: flags.take(length),
        });
        visit(row, &lags.collect::<Vec<_>>())?;
        row += length;
    }
    Ok(())
}

/// The copies of one column, and a cursor in each.
struct Copies<'a, 'b, T> {
    cursors: Vec<Cursor<'b, Chunk<'a, T>>>,
    converted: Vec<Vec<T>>,
}

impl<'a, 'b, T: Number> Copies<'a, 'b, T> {
    fn at(copies: &'b [Vec<Chunk<'a, T>>], row: usize) -> Self {
        Self {
            cursors: copies.iter().map(|chunks| Cursor::at(chunks, row)).collect(),
            converted: vec![Vec::new(); copies.len()],
        }
    }

    fn left(&self) -> usize {
        let left = self.cursors.iter().map(Cursor::left).min().unwrap_or(0);
        let in_place = self.cursors.iter().all(|cursor| {
            let chunk = cursor.parts.first();
            chunk.is_none_or(|chunk| matches!(chunk.values, Values::InPlace(_)))
        });
        if in_place && !T::IS_WIDE { left } else { left.min(TILE) }
    }

    /// The next rows of each copy. Copies that share memory are converted once.
    fn take(&mut self, length: usize) -> Vec<Slice<'_, T>> {
        let chunks: Vec<_> = self.cursors.iter_mut().map(|cursor| cursor.take(length)).collect();
        let is_shared = chunks.len() > 1 && chunks.windows(2).all(|pair| pair[0].is_one_row_before(&pair[1]));
        for (index, chunk) in chunks.iter().enumerate() {
            if matches!(chunk.values, Values::InPlace(_)) {
                continue;
            }
            if is_shared && index > 0 {
                chunk.slice(length - 1, 1).append_to(&mut self.converted[0]);
            } else {
                self.converted[index].clear();
                chunk.append_to(&mut self.converted[index]);
            }
        }
        let converted = &self.converted;
        let slice = |(index, chunk): (usize, Chunk<'b, T>)| Slice {
            values: match chunk.values {
                Values::InPlace(values) => values,
                Values::Converted(_) if is_shared => &converted[0][index..index + length],
                Values::Converted(_) => &converted[index],
            },
            validity: chunk.validity,
        };
        chunks.into_iter().enumerate().map(slice).collect()
    }
}

/// A part of a column with a number of rows.
trait Part: Copy {
    type Taken;
    fn rows(&self) -> usize;
    fn taken(&self, offset: usize, length: usize) -> Self::Taken;
}

impl<T: Number> Part for Chunk<'_, T> {
    type Taken = Self;

    fn rows(&self) -> usize {
        self.len()
    }

    fn taken(&self, offset: usize, length: usize) -> Self {
        self.slice(offset, length)
    }
}

impl<'a> Part for (usize, Option<Bits<'a>>) {
    type Taken = Option<Bits<'a>>;

    fn rows(&self) -> usize {
        self.0
    }

    fn taken(&self, offset: usize, _: usize) -> Option<Bits<'a>> {
        self.1.map(|bits| bits.from(offset))
    }
}

/// A position in consecutive parts.
struct Cursor<'b, P> {
    parts: &'b [P],
    offset: usize,
}

impl<'b, P: Part> Cursor<'b, P> {
    fn at(mut parts: &'b [P], mut row: usize) -> Self {
        while let Some(part) = parts.first().filter(|part| part.rows() <= row) {
            row -= part.rows();
            parts = &parts[1..];
        }
        Self { parts, offset: row }
    }

    /// The rows up to the end of the part.
    fn left(&self) -> usize {
        self.parts.first().map_or(0, |part| part.rows() - self.offset)
    }

    fn take(&mut self, length: usize) -> P::Taken {
        let taken = self.parts[0].taken(self.offset, length);
        *self = Self::at(self.parts, self.offset + length);
        taken
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    const ROWS: usize = 2 * TILE + 100;
    const REACH: Reach = Reach { before: 2, after: 1 };

    /// y and x at each lag of a row, unless null; `None` where the row of the lag does not exist.
    type Read<T> = Vec<Option<[Option<T>; 2]>>;

    /// The rows between cuts.
    fn pieces<'a, T>(values: &'a [T], cuts: &[usize]) -> impl Iterator<Item = (usize, &'a [T])> {
        let cuts = [&[0], cuts, &[values.len()]].concat();
        (1..cuts.len()).map(move |end| (cuts[end - 1], &values[cuts[end - 1]..cuts[end]]))
    }

    /// What is read of some rows, and the numbers of adjacent rows.
    fn read<T: Number>(columns: [&[Chunk<'_, T>]; 2], rows: Range<usize>) -> (Vec<Read<T>>, Vec<usize>) {
        let [y, x] = columns.map(|chunks| lags(REACH).map(|ahead| shifted(chunks, ahead)).collect::<Vec<_>>());
        let (mut all, mut lengths) = (Vec::new(), Vec::new());
        let Ok(()) = for_each_chunk(&y, Some(&x), &in_column(ROWS, REACH), rows.clone(), |first, lags| {
            assert_eq!(first, rows.start + all.len());
            lengths.push(lags[0].len());
            for row in 0..lags[0].len() {
                let read = |lag: &Lag<'_, T, T>| {
                    (lag.in_group(row) & 1 == 1).then(|| [lag.y.get(row), lag.x.and_then(|x| x.get(row))])
                };
                all.push(lags.iter().map(read).collect());
            }
            Ok::<_, Infallible>(())
        });
        (all, lengths)
    }

    fn expected<T: Number>(columns: [&Chunk<'_, T>; 2], rows: Range<usize>) -> Vec<Read<T>> {
        let lag = |row: usize, ahead| {
            let row = row.checked_add_signed(ahead).filter(|&row| row < ROWS);
            row.map(|row| columns.map(|column| column.get(row)))
        };
        rows.map(|row| lags(REACH).map(|ahead| lag(row, ahead)).collect())
            .collect()
    }

    #[test]
    fn lags_are_the_rows_around_each_wherever_chunks_end() {
        let valid = Bits::new(&[0b1011_0111; ROWS.div_ceil(8)], 0);
        let (wide, narrow): (Vec<_>, Vec<_>) = (0..ROWS as i32).map(|row| (f64::from(row), row)).unzip();
        let whole = [Chunk::new(&wide, Some(valid)), Chunk::converted(&narrow, None)];
        for cuts in [[&[][..], &[]], [&[1, 3, TILE + 7], &[2, TILE, TILE]]] {
            // The chunks of a column are not adjacent in memory.
            let copies: Vec<_> = pieces(&narrow, cuts[1]).map(|(_, piece)| piece.to_vec()).collect();
            let wide = pieces(&wide, cuts[0]).map(|(first, piece)| Chunk::new(piece, Some(valid.from(first))));
            let chunks = [
                wide.collect(),
                copies
                    .iter()
                    .map(|piece| Chunk::converted(piece, None))
                    .collect::<Vec<_>>(),
            ];
            for columns in [[0, 1], [1, 0], [1, 1], [0, 0]] {
                for rows in [0..ROWS, 5..TILE + 3, ROWS - 1..ROWS, 3..3] {
                    let (read, lengths) = read(columns.map(|column| &chunks[column][..]), rows.clone());
                    let expected = expected(columns.map(|column| &whole[column]), rows.clone());
                    assert!(read == expected, "{cuts:?}, {columns:?}, {rows:?}");
                    assert!(lengths.iter().all(|&length| length > 0));
                }
            }
        }
    }

    #[test]
    fn copies_with_memory_of_their_own_are_converted_each() {
        let copies = [[1, 2, 3], [10, 20, 30]];
        let chunks = copies
            .each_ref()
            .map(|copy| vec![Chunk::<f64>::converted(&copy[..], None)]);
        let Ok(()) = for_each_chunk(
            &chunks,
            None::<&[Vec<Chunk<'_, f64>>]>,
            &vec![vec![(3, None)]; 2],
            0..3,
            |_, lags| {
                assert_eq!(lags[0].y.values, [1.0, 2.0, 3.0]);
                assert_eq!(lags[1].y.values, [10.0, 20.0, 30.0]);
                Ok::<_, Infallible>(())
            },
        );
    }

    #[test]
    fn rows_are_adjacent_up_to_the_next_end_of_a_chunk_or_a_tile() {
        let (wide, narrow) = (vec![0.0; ROWS], vec![0_i32; ROWS]);
        let (wide, narrow) = (Chunk::new(&wide, None), Chunk::converted(&narrow, None));
        let one = |chunk| read([&[chunk], &[chunk]], 0..ROWS).1;
        assert_eq!(one(wide), [1, 1, ROWS - 3, 1]);
        assert_eq!(one(narrow), [1, 1, TILE, TILE, ROWS - 2 * TILE - 3, 1]);
    }
}
