//! One pass of an operator over a column, on several threads where they pay.

use std::ops::Range;

use num_traits::AsPrimitive;

use crate::bits::Bits;
use crate::kernel::Scale;
use crate::operators::{Columns, Float, Operator, Part, Rows, Unsorted};
use crate::parallel::par_ranges;
use crate::segments::{
    Atomic, BreakRules, Chunk, Contiguous, InGroup, Lag, Lags, Number, Numbers, RowOrder, ScatterBuffer, SegmentRules,
    Tile, for_each_chunk,
};

/// Where the neighbours of the rows of a column are.
pub(crate) enum Neighbors<'a, I> {
    /// In lagged copies of the column, at the same index.
    Lagged {
        y: Lags<'a>,
        x: Option<Lags<'a>>,
        in_group: Vec<InGroup<'a>>,
        /// The rows that start a segment, as far as they are known before any value is read.
        starts: Option<Bits<'a>>,
        /// Parts of the column begin at multiples of this many rows.
        align: usize,
    },
    /// Next to each other in a row order, by which the rows are gathered.
    Permuted {
        y: Numbers<'a>,
        x: Option<Numbers<'a>>,
        order: &'a RowOrder<I>,
        /// The positions of the order that start a segment.
        starts: Bits<'a>,
    },
}

/// The results of a run, in several parts of the column: in `f32` for a y of `f32`, else in `f64`.
pub(crate) enum Parts {
    F64(Vec<Vec<Part<f64>>>),
    F32(Vec<Vec<Part<f32>>>),
}

/// An operator, and the properties of the column that its evaluation depends on.
#[derive(Clone, Copy)]
pub(crate) struct Run<'a> {
    pub(crate) operator: &'a Operator,
    pub(crate) rows: usize,
    /// One for each output.
    pub(crate) scales: &'a [Scale],
    pub(crate) breaks: BreakRules,
    pub(crate) strict: bool,
    /// Whether a long column may take several threads.
    pub(crate) parallel: bool,
}

/// Calls a function of the two number types of y and x, and of the float of the result; and of what else is in braces.
/// Without an x there is nothing of its type.
macro_rules! by_type {
    ($self:ident.$function:ident{$($more:ident)?}($y:expr, $x:expr, $types:ident, $($argument:expr),*)) => {
        match $y {
            $types::F64(y) => by_type!(@x $self.$function{f64, f64, $($more)?}(y, $x, $types, $($argument),*)).map(Parts::F64),
            $types::F32(y) => by_type!(@x $self.$function{f32, f32, $($more)?}(y, $x, $types, $($argument),*)).map(Parts::F32),
            $types::I64(y) => by_type!(@x $self.$function{i64, f64, $($more)?}(y, $x, $types, $($argument),*)).map(Parts::F64),
            $types::I128(y) => by_type!(@x $self.$function{i128, f64, $($more)?}(y, $x, $types, $($argument),*)).map(Parts::F64),
        }
    };
    (@x $self:ident.$function:ident{$y_type:ty, $float:ty, $($more:ident)?}($y:ident, $x:expr, $types:ident, $($argument:expr),*)) => {
        match $x {
            None => $self.$function::<$y_type, f64, $float, $($more)?>($y, None, $($argument),*),
            Some($types::F64(x)) => $self.$function::<$y_type, f64, $float, $($more)?>($y, Some(x), $($argument),*),
            Some($types::F32(x)) => $self.$function::<$y_type, f32, $float, $($more)?>($y, Some(x), $($argument),*),
            Some($types::I64(x)) => $self.$function::<$y_type, i64, $float, $($more)?>($y, Some(x), $($argument),*),
            Some($types::I128(x)) => $self.$function::<$y_type, i128, $float, $($more)?>($y, Some(x), $($argument),*),
        }
    };
}

impl<'r> Run<'r> {
    /// Evaluates the operator in every row.
    ///
    /// # Errors
    ///
    /// An unsorted x, if `strict`.
    pub(crate) fn over<I: RowIndex>(self, neighbors: &Neighbors<'_, I>) -> Result<Parts, Unsorted> {
        match neighbors {
            Neighbors::Lagged {
                y,
                x,
                in_group,
                starts,
                align,
            } => by_type!(self.over_lagged{}(y, x, Lags, in_group, *starts, *align)),
            Neighbors::Permuted { y, x, order, starts } => {
                by_type!(self.over_permuted{I}(y, x, Numbers, order, *starts))
            },
        }
    }

    fn over_lagged<Y: Number, X: Number, O: Float>(
        self,
        y: &[Vec<Chunk<'_, Y>>],
        x: Option<&Vec<Vec<Chunk<'_, X>>>>,
        in_group: &[InGroup<'_>],
        starts: Option<Bits>,
        align: usize,
    ) -> Result<Vec<Vec<Part<O>>>, Unsorted>
    where
        f64: AsPrimitive<O>,
    {
        self.in_parts(self.rows, align, |rows| {
            let mut results = Columns::with_capacity(self.scales.len(), rows.len());
            for_each_chunk(y, x.map(Vec::as_slice), in_group, rows, |first, lags| {
                let rules = SegmentRules::new(self.breaks, starts, first);
                let evaluated = self.operator.evaluate(&self.rows(lags, rules), &mut results);
                evaluated.map_err(|unsorted| unsorted.map_row(|row| first + row))
            })?;
            Ok(results.into_parts())
        })
    }

    /// Evaluates tile by tile: besides the column, the order and the results nothing of their length is in memory.
    fn over_permuted<Y: Number, X: Number, O: Float + Atomic, I: RowIndex>(
        self,
        y: &[Chunk<'_, Y>],
        x: Option<&Vec<Chunk<'_, X>>>,
        order: &RowOrder<I>,
        starts: Bits,
    ) -> Result<Vec<Vec<Part<O>>>, Unsorted>
    where
        f64: AsPrimitive<O>,
    {
        let (y, x) = (Contiguous::new(y), x.map(|x| Contiguous::new(x)));
        let (y, x) = (y.slice(), x.as_ref().map(Contiguous::slice));
        let reach = self.operator.reach();
        let rows = order.rows();
        let segments = order.segments(starts);
        let range = if segments.is_empty() { rows.len() } else { self.rows };
        let outputs = self.scales.len();
        let buffers: Vec<_> = (0..outputs).map(|_| ScatterBuffer::<O>::new(self.rows)).collect();
        let nulls = self.in_parts(range, 1, |part| {
            let mut nulls = vec![Vec::new(); outputs];
            for ranges in order.tiles(&segments, part) {
                let tile = Tile::new(&y, x.as_ref(), rows, starts, ranges, reach);
                let lags = tile.lags();
                let mut results = Columns::<O>::with_capacity(outputs, lags[0].len());
                let rules = SegmentRules::new(self.breaks, Some(tile.starts()), reach.before);
                // Every step that a row of the halo reads is also read by a row of the tile.
                let evaluated = self.operator.evaluate(&self.rows(&lags, rules), &mut results);
                evaluated.map_err(|unsorted| unsorted.map_row(|place| tile.position(place)))?;
                for ((values, validity), (buffer, nulls)) in
                    results.into_parts().into_iter().zip(buffers.iter().zip(&mut nulls))
                {
                    let validity = validity.as_ref().map(|bytes| Bits::new(bytes, 0));
                    for &(first, ref range) in tile.ranges() {
                        for (place, &row) in (first..).zip(&rows[range.clone()]) {
                            buffer.set(row.as_(), values[place]);
                            if validity.is_some_and(|valid| !valid.get(place)) {
                                nulls.push(row);
                            }
                        }
                    }
                }
            }
            Ok(nulls)
        })?;
        let part = |(output, buffer): (usize, ScatterBuffer<O>)| {
            let nulls = nulls.iter().map(|nulls| nulls[output].as_slice());
            (buffer.into_values(), order.validity(self.rows, nulls))
        };
        Ok(vec![buffers.into_iter().enumerate().map(part).collect()])
    }

    fn rows<'a, 'b, Y, X>(self, lags: &'b [Lag<'a, Y, X>], rules: SegmentRules<'b>) -> Rows<'a, 'b, Y, X>
    where
        'r: 'b,
    {
        Rows {
            lags,
            reach: self.operator.reach(),
            rules,
            scales: self.scales,
            strict: self.strict,
        }
    }

    /// One result per part of the rows, on several threads where they pay.
    fn in_parts<T: Send>(
        self,
        rows: usize,
        align: usize,
        work: impl Fn(Range<usize>) -> Result<T, Unsorted> + Sync,
    ) -> Result<Vec<T>, Unsorted> {
        if self.parallel {
            par_ranges(rows, align, work)
        } else {
            Ok(vec![work(0..rows)?])
        }
    }
}

/// A number that counts rows.
pub(crate) trait RowIndex: AsPrimitive<usize> + Send + Sync {}

impl<I: AsPrimitive<usize> + Send + Sync> RowIndex for I {}
