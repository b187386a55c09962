//! One sweep over a window: every row's slope, for any pair of numbers, on all cores worth it.

use std::ops::Range;

use num_traits::AsPrimitive;

use crate::bits::Bits;
use crate::kernel::{Sample, Scale};
use crate::neighbours::{Apart, Chunk, Column, Gathered, Links, Slots, Tile, in_step};
use crate::piece::Slopes;
use crate::threads::in_parallel_together;

/// A column as numbers with exact differences, chunk by chunk.
pub(crate) enum Numbers<'a> {
    F64(Vec<Column<'a, f64>>),
    F32(Vec<Column<'a, f32>>),
    I64(Vec<Column<'a, i64>>),
    I128(Vec<Column<'a, i128>>),
}

/// A column of points, or a shifted copy of it.
pub(crate) struct Member<'a> {
    pub(crate) y: Numbers<'a>,
    pub(crate) x: Option<Numbers<'a>>,
    /// Where each chunk has a point at all.
    pub(crate) exists: Vec<Option<Bits<'a>>>,
}

/// How the neighbours of the rows of a column are found.
pub(crate) enum Found<'a, I> {
    /// Beside each row, in shifted copies of the column.
    Shifted {
        /// Furthest row back first, the column itself in the middle.
        members: Vec<Member<'a>>,
        /// Which rows start a segment, as far as that is known before a value is read.
        starts: Option<Bits<'a>>,
        /// How many successive rows are to be in one part.
        together: usize,
    },
    /// In the order of its rows, by gathering them.
    Gathered {
        /// In one piece.
        column: Member<'a>,
        order: &'a Gathered<I>,
        /// Which positions of the order start a segment.
        starts: Bits<'a>,
        /// How many rows before and after each a stencil reads.
        reach: usize,
    },
}

/// Slopes, and a bit for each unless all are valid.
pub(crate) type Part<O> = (Vec<O>, Option<Vec<u8>>);

/// The slopes of a column, maybe in several parts: in `f32` for a y of `f32`, in `f64` for any other.
pub(crate) enum Parts {
    F64(Vec<Part<f64>>),
    F32(Vec<Part<f32>>),
}

/// What a sweep has to know of the points.
#[derive(Clone, Copy)]
pub(crate) struct Sweep {
    pub(crate) rows: usize,
    pub(crate) scale: Scale,
    pub(crate) apart: Apart,
    /// Whether a long column may take all cores.
    pub(crate) on_all_cores: bool,
}

impl Sweep {
    /// The slopes of points, all of one kind of numbers.
    ///
    /// A row whose x is not strictly monotonic is handed to `on_broken`, as counted in the order of neighbours, together
    /// with those that its stencil reads, counted from the furthest one back.
    ///
    /// # Errors
    ///
    /// What `on_broken` returns.
    pub(crate) fn run<I: Row, E: Send>(
        self,
        found: &Found<'_, I>,
        on_broken: impl Fn(usize, Range<usize>) -> Result<(), E> + Sync,
    ) -> Result<Parts, E> {
        match found.column().y {
            Numbers::F64(_) => self.over_any_x::<f64, f64, I, E>(found, &on_broken).map(Parts::F64),
            Numbers::F32(_) => self.over_any_x::<f32, f32, I, E>(found, &on_broken).map(Parts::F32),
            Numbers::I64(_) => self.over_any_x::<i64, f64, I, E>(found, &on_broken).map(Parts::F64),
            Numbers::I128(_) => self.over_any_x::<i128, f64, I, E>(found, &on_broken).map(Parts::F64),
        }
    }

    fn over_any_x<Y: Number, O: Slope, I: Row, E: Send>(
        self,
        found: &Found<'_, I>,
        on_broken: OnBroken<E>,
    ) -> Result<Vec<Part<O>>, E>
    where
        f64: AsPrimitive<O>,
    {
        match found.column().x {
            None | Some(Numbers::F64(_)) => self.over::<Y, f64, O, I, E>(found, on_broken),
            Some(Numbers::F32(_)) => self.over::<Y, f32, O, I, E>(found, on_broken),
            Some(Numbers::I64(_)) => self.over::<Y, i64, O, I, E>(found, on_broken),
            Some(Numbers::I128(_)) => self.over::<Y, i128, O, I, E>(found, on_broken),
        }
    }

    fn over<Y: Number, X: Number, O: Slope, I: Row, E: Send>(
        self,
        found: &Found<'_, I>,
        on_broken: OnBroken<E>,
    ) -> Result<Vec<Part<O>>, E>
    where
        f64: AsPrimitive<O>,
    {
        match found {
            Found::Shifted {
                members,
                starts,
                together,
            } => {
                let members: Vec<_> = members.iter().map(chunks::<Y, X>).collect();
                self.in_parts(self.rows, *together, |rows| {
                    let mut slopes = Slopes::with_capacity(rows.len());
                    in_step(&members, rows, |first, window| {
                        let links = Links::new(self.apart, *starts, first);
                        slopes.append(window, links, self.scale, &mut |row, read| on_broken(first + row, read))
                    })?;
                    Ok(slopes.into_parts())
                })
            },
            Found::Gathered {
                column,
                order,
                starts,
                reach,
            } => match chunks::<Y, X>(column).first() {
                Some(column) => Ok(vec![self.over_gathered(column, order, *starts, *reach, on_broken)?]),
                None => Ok(Vec::new()),
            },
        }
    }

    /// Tile by tile, so that nothing of the length of the column is held besides it, the order and the slopes.
    fn over_gathered<Y: Number, X: Number, O: Slope, I: Row, E: Send>(
        self,
        column: &Chunk<'_, Y, X>,
        order: &Gathered<I>,
        starts: Bits,
        reach: usize,
        on_broken: OnBroken<E>,
    ) -> Result<Part<O>, E>
    where
        f64: AsPrimitive<O>,
    {
        let rows = order.rows();
        let strands = order.strands(starts);
        let range = if strands.is_empty() { rows.len() } else { self.rows };
        let slots = Slots::new(self.rows, rows.len() == self.rows);
        let without = self.in_parts(range, 1, |part| {
            let mut without = Vec::new();
            for pieces in order.tiles(&strands, part) {
                let tile = Tile::new(column, rows, starts, pieces, reach);
                let window = tile.window();
                let mut slopes = Slopes::with_capacity(window[0].len());
                let links = Links::new(self.apart, Some(tile.starts()), reach);
                slopes.append(
                    &window,
                    links,
                    self.scale,
                    &mut |place, read| match tile.position(place) {
                        Some(position) => on_broken(position, read),
                        None => Ok(()),
                    },
                )?;
                let (slopes, validity) = slopes.into_parts();
                let validity = validity.as_ref().map(|bytes| Bits::new(bytes, 0));
                for &(first, ref piece) in tile.pieces() {
                    for (place, &row) in (first..).zip(&rows[piece.clone()]) {
                        // SAFETY: no row comes twice.
                        unsafe { slots.set(row.as_(), slopes[place]) };
                        if validity.is_some_and(|valid| !valid.get(place)) {
                            without.push(row);
                        }
                    }
                }
            }
            Ok(without)
        })?;
        // SAFETY: the tiles of all parts are the whole order, and that is all rows unless they had a default.
        Ok((unsafe { slots.into_values() }, order.validity(self.rows, &without)))
    }

    /// One result for each part, on all cores worth it or on this one.
    fn in_parts<T: Send, E: Send>(
        self,
        rows: usize,
        together: usize,
        work: impl Fn(Range<usize>) -> Result<T, E> + Sync,
    ) -> Result<Vec<T>, E> {
        if self.on_all_cores {
            in_parallel_together(rows, together, work)
        } else {
            Ok(vec![work(0..rows)?])
        }
    }
}

type OnBroken<'a, E> = &'a (dyn Fn(usize, Range<usize>) -> Result<(), E> + Sync);

impl<'a, I> Found<'a, I> {
    fn column(&self) -> &Member<'a> {
        match self {
            Self::Shifted { members, .. } => &members[0],
            Self::Gathered { column, .. } => column,
        }
    }
}

/// The chunks of points that are not empty.
fn chunks<'a, Y: Number, X: Number>(member: &Member<'a>) -> Vec<Chunk<'a, Y, X>> {
    let mut x = member.x.as_ref().map(|x| X::of(x).iter());
    Y::of(&member.y)
        .iter()
        .zip(&member.exists)
        .map(|(&y, &exists)| Chunk {
            y,
            x: x.as_mut().and_then(|x| x.next().copied()),
            exists,
        })
        .filter(|chunk| chunk.len() > 0)
        .collect()
}

/// One of the numbers that columns are made.
trait Number: Sample + Send + Sync {
    fn of<'a, 'b>(numbers: &'b Numbers<'a>) -> &'b [Column<'a, Self>];
}

macro_rules! number {
    ($($number:ty = $variant:ident),*) => {$(
        impl Number for $number {
            fn of<'a, 'b>(numbers: &'b Numbers<'a>) -> &'b [Column<'a, Self>] {
                match numbers {
                    Numbers::$variant(columns) => columns,
                    _ => unreachable!("all members are of one kind of numbers"),
                }
            }
        }
    )*};
}

number!(f64 = F64, f32 = F32, i64 = I64, i128 = I128);

/// One of the numbers that slopes are.
trait Slope: Copy + Default + Send + Sync + 'static {}

impl Slope for f64 {}
impl Slope for f32 {}

/// A number that counts rows.
pub(crate) trait Row: AsPrimitive<usize> + Send + Sync {}

impl<I: AsPrimitive<usize> + Send + Sync> Row for I {}
