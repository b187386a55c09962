//! One sweep over a window: every row's slope, for any pair of numbers, on all cores worth it.

use std::ops::Range;

use num_traits::AsPrimitive;

use crate::bits::Bits;
use crate::kernel::{Sample, Scale};
use crate::neighbours::{Apart, Chunk, Column, Links, in_step};
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

/// The slopes of a column in as many parts as cores were worth it: in `f32` for a y of `f32`, in `f64` for any other.
pub(crate) enum Parts {
    F64(Vec<Slopes<f64>>),
    F32(Vec<Slopes<f32>>),
}

/// What a sweep has to know of the points.
#[derive(Clone, Copy)]
pub(crate) struct Sweep<'a> {
    pub(crate) rows: usize,
    /// How many successive rows are to be in one part.
    pub(crate) together: usize,
    pub(crate) scale: Scale,
    pub(crate) apart: Apart,
    /// Which rows start a segment, as far as that is known before a value is read.
    pub(crate) starts: Option<Bits<'a>>,
    /// Whether a long column may take all cores.
    pub(crate) on_all_cores: bool,
}

impl Sweep<'_> {
    /// The slopes of points whose neighbours are known: the column and its shifted copies, furthest row back first, all
    /// of one kind of numbers.
    ///
    /// A row whose x is not strictly monotonic is handed to `on_broken`, together with the members that its stencil reads.
    ///
    /// # Errors
    ///
    /// What `on_broken` returns.
    pub(crate) fn run<E: Send>(
        self,
        members: &[Member<'_>],
        on_broken: impl Fn(usize, Range<usize>) -> Result<(), E> + Sync,
    ) -> Result<Parts, E> {
        match members[0].y {
            Numbers::F64(_) => self.over_any_x::<f64, f64, E>(members, on_broken).map(Parts::F64),
            Numbers::F32(_) => self.over_any_x::<f32, f32, E>(members, on_broken).map(Parts::F32),
            Numbers::I64(_) => self.over_any_x::<i64, f64, E>(members, on_broken).map(Parts::F64),
            Numbers::I128(_) => self.over_any_x::<i128, f64, E>(members, on_broken).map(Parts::F64),
        }
    }

    fn over_any_x<Y: Number, O, E: Send>(
        self,
        members: &[Member<'_>],
        on_broken: impl Fn(usize, Range<usize>) -> Result<(), E> + Sync,
    ) -> Result<Vec<Slopes<O>>, E>
    where
        O: Copy + Send + 'static,
        f64: AsPrimitive<O>,
    {
        match members[0].x {
            None | Some(Numbers::F64(_)) => self.over::<Y, f64, O, E>(members, on_broken),
            Some(Numbers::F32(_)) => self.over::<Y, f32, O, E>(members, on_broken),
            Some(Numbers::I64(_)) => self.over::<Y, i64, O, E>(members, on_broken),
            Some(Numbers::I128(_)) => self.over::<Y, i128, O, E>(members, on_broken),
        }
    }

    fn over<Y: Number, X: Number, O, E: Send>(
        self,
        members: &[Member<'_>],
        on_broken: impl Fn(usize, Range<usize>) -> Result<(), E> + Sync,
    ) -> Result<Vec<Slopes<O>>, E>
    where
        O: Copy + Send + 'static,
        f64: AsPrimitive<O>,
    {
        let members: Vec<_> = members.iter().map(chunks::<Y, X>).collect();
        let part = |rows: Range<usize>| {
            let mut slopes = Slopes::with_capacity(rows.len());
            in_step(&members, rows, |first, window| {
                let links = Links::new(self.apart, self.starts, first);
                slopes.append(window, links, self.scale, |row, read| on_broken(first + row, read))
            })?;
            Ok(slopes)
        };
        if self.on_all_cores {
            in_parallel_together(self.rows, self.together, part)
        } else {
            Ok(vec![part(0..self.rows)?])
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
