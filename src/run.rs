//! One pass of an operator over a column, on several threads where they pay.

use std::cell::Cell;
use std::ops::Range;

use num_traits::AsPrimitive;

use crate::bits::Bits;
use crate::operators::{
    Columns, Extent, Reached, RowError, RowOperator, Rows, Scanned, SegmentOperator, SegmentTarget, Target,
};
use crate::parallel::{Helpers, par_ranges};
use crate::segments::{
    Atomic, BreakRules, Chunk, Contiguous, Gathered, InGroup, Lag, Lags, Number, Numbers, Part, Reach, RowOrder,
    Scatter, SegmentRules, Segments, Slice, Tile, for_each_chunk, narrowed, with_values,
};
use crate::units::ResultUnits;

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

/// The results of a run, in several parts of the column: in `f32` for a y of `f32`, exact for a y of integers whose
/// results keep their dtype, else in `f64`.
pub(crate) enum Parts {
    F64(Vec<Vec<Part<f64>>>),
    F32(Vec<Vec<Part<f32>>>),
    I128(Vec<Vec<Part<i128>>>),
}

impl Parts {
    /// Replaces the results of rows with those of other rows; `rows` has the other row and the row of each.
    pub(crate) fn replace(&mut self, others: Self, rows: impl Iterator<Item = (usize, usize)>) {
        match (self, others) {
            (Self::F64(parts), Self::F64(others)) => replace(parts, &others, rows),
            (Self::F32(parts), Self::F32(others)) => replace(parts, &others, rows),
            (Self::I128(parts), Self::I128(others)) => replace(parts, &others, rows),
            _ => unreachable!("the same operator on the same type of numbers"),
        }
    }
}

/// The results of a run: words, by their indices, if the operator gives any, and numbers.
pub(crate) struct Results {
    pub(crate) words: Vec<Part<u8>>,
    pub(crate) numbers: Parts,
}

impl From<Parts> for Results {
    fn from(numbers: Parts) -> Self {
        Self {
            words: Vec::new(),
            numbers,
        }
    }
}

fn replace<O: Copy>(parts: &mut [Vec<Part<O>>], others: &[Vec<Part<O>>], rows: impl Iterator<Item = (usize, usize)>) {
    let [mut of_others, mut of_parts] = [Places::new(others), Places::new(parts)];
    for (other, row) in rows {
        let (from, to) = (of_others.place(other), of_parts.place(row));
        for ((values, validity), target) in others[from.0].iter().zip(&mut parts[to.0]) {
            let is_valid = validity.as_ref().is_none_or(|bytes| Bits::new(bytes, 0).get(from.1));
            set(target, to.1, is_valid.then_some(values[from.1]));
        }
    }
}

/// Where rows are in the parts of a column.
struct Places {
    /// The first row of each part.
    firsts: Vec<usize>,
    /// The part of the last row that was asked for, which most often is that of the next.
    part: usize,
    rows: Range<usize>,
}

impl Places {
    fn new<O>(parts: &[Vec<Part<O>>]) -> Self {
        let firsts = parts.iter().scan(0, |next, part| {
            let first = *next;
            *next += part.first().map_or(0, |(values, _)| values.len());
            Some(first)
        });
        Self {
            firsts: firsts.collect(),
            part: 0,
            rows: 0..0,
        }
    }

    /// The part that holds a row, and the place of the row in it.
    fn place(&mut self, row: usize) -> (usize, usize) {
        if !self.rows.contains(&row) {
            // Of parts that begin at one row all but the last are empty.
            let next = self.firsts.partition_point(|&first| first <= row);
            self.part = next - 1;
            self.rows = self.firsts[self.part]..self.firsts.get(next).copied().unwrap_or(usize::MAX);
        }
        (self.part, row - self.rows.start)
    }
}

/// Sets a value of a part; `None` is null.
fn set<O: Copy>((values, validity): &mut Part<O>, place: usize, value: Option<O>) {
    if let Some(value) = value {
        values[place] = value;
    } else if validity.is_none() {
        *validity = Some(vec![u8::MAX; values.len().div_ceil(8)]);
    }
    if let Some(bytes) = validity {
        let bit = 1 << (place % 8);
        bytes[place / 8] = if value.is_some() {
            bytes[place / 8] | bit
        } else {
            bytes[place / 8] & !bit
        };
    }
}

/// Words, if there are any, and numbers of some rows.
type Worded<O> = (Option<Part<u8>>, Vec<Part<O>>);

/// An operator, and the properties of the column that its evaluation depends on.
#[derive(Clone, Copy)]
pub(crate) struct Run<'a, Op> {
    pub(crate) operator: Op,
    /// The lags that the operator reads.
    pub(crate) reach: Reach,
    pub(crate) rows: usize,
    /// The standard deviations of y that an operator by rows reads, in the order of the column; for lagged copies those of
    /// the rows beyond both ends as well.
    pub(crate) sigma: Option<&'a [f64]>,
    pub(crate) units: &'a ResultUnits,
    pub(crate) breaks: BreakRules,
    pub(crate) strict: bool,
    /// Whether a long column may take several threads.
    pub(crate) parallel: bool,
    /// Whether a group must be evaluated in one piece.
    pub(crate) sequential: bool,
}

/// Calls a function of the two number types of y and x and what else is in braces.
/// Without an x there is nothing of its type.
macro_rules! by_type {
    ($self:ident.$function:ident{$y_type:ty, $($more:ty),*}($y:ident, $x:expr, $types:ident, $($argument:expr),*)) => {
        match $x {
            None => $self.$function::<$y_type, f64, $($more),*>($y, None, $($argument),*),
            Some($types::F64(x)) => $self.$function::<$y_type, f64, $($more),*>($y, Some(x), $($argument),*),
            Some($types::F32(x)) => $self.$function::<$y_type, f32, $($more),*>($y, Some(x), $($argument),*),
            Some($types::I64(x)) => $self.$function::<$y_type, i64, $($more),*>($y, Some(x), $($argument),*),
            Some($types::I128(x)) => $self.$function::<$y_type, i128, $($more),*>($y, Some(x), $($argument),*),
        }
    };
}

impl<'r> Run<'r, RowOperator<'r>> {
    /// Evaluates the operator in every row.
    ///
    /// # Errors
    ///
    /// A row that is wrong, if `strict`.
    pub(crate) fn over<I: RowIndex>(self, neighbors: &Neighbors<'_, I>, exactly: bool) -> Result<Parts, RowError> {
        match neighbors {
            Neighbors::Lagged {
                y,
                x,
                in_group,
                starts,
                align,
            } => match y {
                Lags::F64(y) => {
                    by_type!(self.over_lagged{f64, f64}(y, x, Lags, in_group, *starts, *align)).map(Parts::F64)
                },
                Lags::F32(y) => {
                    by_type!(self.over_lagged{f32, f32}(y, x, Lags, in_group, *starts, *align)).map(Parts::F32)
                },
                Lags::I64(y) if exactly => {
                    by_type!(self.over_lagged{i64, i128}(y, x, Lags, in_group, *starts, *align)).map(Parts::I128)
                },
                Lags::I64(y) => {
                    by_type!(self.over_lagged{i64, f64}(y, x, Lags, in_group, *starts, *align)).map(Parts::F64)
                },
                Lags::I128(y) if exactly => {
                    by_type!(self.over_lagged{i128, i128}(y, x, Lags, in_group, *starts, *align)).map(Parts::I128)
                },
                Lags::I128(y) => {
                    by_type!(self.over_lagged{i128, f64}(y, x, Lags, in_group, *starts, *align)).map(Parts::F64)
                },
            },
            Neighbors::Permuted { y, x, order, starts } => match y {
                Numbers::F64(y) => {
                    by_type!(self.over_permuted{f64, f64, I}(y, x, Numbers, order, *starts)).map(Parts::F64)
                },
                Numbers::F32(y) => {
                    by_type!(self.over_permuted{f32, f32, I}(y, x, Numbers, order, *starts)).map(Parts::F32)
                },
                Numbers::I64(y) if exactly => {
                    by_type!(self.over_permuted{i64, i128, I}(y, x, Numbers, order, *starts)).map(Parts::I128)
                },
                Numbers::I64(y) => {
                    by_type!(self.over_permuted{i64, f64, I}(y, x, Numbers, order, *starts)).map(Parts::F64)
                },
                Numbers::I128(y) if exactly => {
                    by_type!(self.over_permuted{i128, i128, I}(y, x, Numbers, order, *starts)).map(Parts::I128)
                },
                Numbers::I128(y) => {
                    by_type!(self.over_permuted{i128, f64, I}(y, x, Numbers, order, *starts)).map(Parts::F64)
                },
            },
        }
    }

    fn over_lagged<Y: Number, X: Number, O: Target>(
        self,
        y: &[Vec<Chunk<'_, Y>>],
        x: Option<&Vec<Vec<Chunk<'_, X>>>>,
        in_group: &[InGroup<'_>],
        starts: Option<Bits>,
        align: usize,
    ) -> Result<Vec<Vec<Part<O>>>, RowError> {
        self.in_parts(self.rows, align, |rows| {
            let mut results = Columns::with_capacity(self.units.scales.len(), rows.len());
            let mut memory = Memory::default();
            for_each_chunk(y, x.map(Vec::as_slice), in_group, rows, |first, lags| {
                let rules = SegmentRules::new(self.breaks, starts, first);
                let sigma = self
                    .sigma
                    .map(|sigma| &sigma[first..first + lags[0].len() + self.reach.rows() - 1]);
                let evaluated = self.evaluate::<Y, X, O>(lags, sigma, rules, &mut memory, &mut results);
                evaluated.map_err(|error| error.map_row(|row| first + row))
            })?;
            Ok(results.into_parts())
        })
    }

    /// Evaluates tile by tile: besides the column, the order and the results nothing of their length is in memory.
    fn over_permuted<Y: Number, X: Number, O: Target + Atomic, I: RowIndex>(
        self,
        y: &[Chunk<'_, Y>],
        x: Option<&Vec<Chunk<'_, X>>>,
        order: &RowOrder<I>,
        starts: Bits,
    ) -> Result<Vec<Vec<Part<O>>>, RowError> {
        let (y, x) = (Contiguous::new(y), x.map(|x| Contiguous::new(x)));
        let (y, x) = (y.slice(), x.as_ref().map(Contiguous::slice));
        let rows = order.rows();
        let segments = order.segments(starts);
        let range = if segments.is_empty() { rows.len() } else { self.rows };
        let outputs = self.units.scales.len();
        let scatter = Scatter::new(order, outputs, self.rows);
        let nulls = self.in_parts(range, 1, |part| {
            let mut nulls = vec![Vec::new(); outputs];
            let mut memory = Memory::default();
            for ranges in order.tiles(&segments, part) {
                let tile = Tile::new(&y, x.as_ref(), self.sigma, rows, starts, ranges, self.reach);
                let lags = tile.lags();
                let mut results = Columns::<O>::with_capacity(outputs, lags[0].len());
                let rules = SegmentRules::new(self.breaks, Some(tile.starts()), self.reach.before);
                // Every step that a row of the halo reads is also read by a row of the tile.
                let evaluated = self.evaluate::<Y, X, O>(&lags, tile.sigma(), rules, &mut memory, &mut results);
                evaluated.map_err(|error| error.map_row(|place| tile.position(place)))?;
                scatter.set(&results.into_parts(), tile.ranges(), &mut nulls);
            }
            Ok(nulls)
        })?;
        Ok(vec![scatter.into_column(&nulls)])
    }

    /// Evaluates adjacent rows, in narrower types where these hold them.
    #[inline(never)]
    fn evaluate<Y: Number, X: Number, O: Target>(
        self,
        lags: &[Lag<'_, Y, X>],
        sigma: Option<&[f64]>,
        rules: SegmentRules,
        memory: &mut Memory<Y, X>,
        results: &mut Columns<O>,
    ) -> Result<(), RowError> {
        macro_rules! evaluate {
            ($lags:expr) => {
                O::evaluate(self.operator, &self.rows($lags, sigma, rules), results)
            };
        }
        if !Y::IS_WIDE && !X::IS_WIDE {
            return evaluate!(lags);
        }
        let y: Vec<_> = lags.iter().map(|lag| lag.y).collect();
        let x: Option<Vec<_>> = lags.iter().map(|lag| lag.x).collect();
        let narrow_y = narrowed(&y, &mut memory.y).filter(|_| self.units.zero == 0);
        let narrow_x = x.as_ref().and_then(|x| narrowed(x, &mut memory.x));
        match (narrow_y, narrow_x) {
            (Some(y), Some(x)) => evaluate!(&with_values(lags, &y, Some(&x))),
            (Some(y), None) => evaluate!(&with_values(lags, &y, x.as_deref())),
            (None, Some(x)) => evaluate!(&with_values(lags, &y, Some(&x))),
            (None, None) => evaluate!(lags),
        }
    }

    fn rows<'a, 'b, Y, X>(
        self,
        lags: &'b [Lag<'a, Y, X>],
        sigma: Option<&'b [f64]>,
        rules: SegmentRules<'b>,
    ) -> Rows<'a, 'b, Y, X>
    where
        'r: 'b,
    {
        Rows {
            lags,
            reach: self.reach,
            sigma,
            rules,
            units: self.units,
            strict: self.strict,
        }
    }
}

/// Memory for the rows of y and x in narrower types.
struct Memory<Y: Number, X: Number> {
    y: Vec<Y::Narrow>,
    x: Vec<X::Narrow>,
}

impl<Y: Number, X: Number> Default for Memory<Y, X> {
    fn default() -> Self {
        Self {
            y: Vec::new(),
            x: Vec::new(),
        }
    }
}

impl<Op: Copy + Sync> Run<'_, Op> {
    /// One result per part of the rows, on several threads where they pay.
    fn in_parts<T: Send>(
        self,
        rows: usize,
        align: usize,
        work: impl Fn(Range<usize>) -> Result<T, RowError> + Sync,
    ) -> Result<Vec<T>, RowError> {
        if self.parallel {
            par_ranges(rows, align, work)
        } else {
            Ok(vec![work(0..rows)?])
        }
    }
}

/// Rows at the start of a column that have been evaluated before, and what the operator has reached in them.
#[derive(Clone, Copy)]
pub(crate) struct Resumed<'a> {
    pub(crate) rows: usize,
    pub(crate) reached: &'a Cell<Reached>,
}

/// A whole column whose segments are evaluated one by one.
pub(crate) struct Whole<'a, I> {
    pub(crate) y: Numbers<'a>,
    pub(crate) x: Option<Numbers<'a>>,
    /// The standard deviations of y, in its numbers.
    pub(crate) sigma: Option<&'a [f64]>,
    /// The order of the rows, if it is not that of the column.
    pub(crate) order: Option<&'a RowOrder<I>>,
    /// The positions of the order that start a group.
    pub(crate) starts: Bits<'a>,
}

impl<'r> Run<'r, SegmentOperator<'r>> {
    /// Evaluates the operator in every row, but for those that have been evaluated before.
    ///
    /// # Errors
    ///
    /// A row that is wrong, if `strict`.
    pub(crate) fn over<I: RowIndex>(
        self,
        whole: &Whole<'_, I>,
        resumed: Option<Resumed<'_>>,
        exactly: bool,
    ) -> Result<Results, RowError> {
        let x = &whole.x;
        match &whole.y {
            Numbers::F64(y) => by_type!(self.over_whole{f64, f64, I}(y, x, Numbers, whole, resumed))
                .map(|parts| unzip(parts, Parts::F64)),
            Numbers::F32(y) => by_type!(self.over_whole{f32, f64, I}(y, x, Numbers, whole, resumed))
                .map(|parts| unzip(parts, Parts::F64)),
            Numbers::I64(y) if exactly => by_type!(self.over_whole{i64, i128, I}(y, x, Numbers, whole, resumed))
                .map(|parts| unzip(parts, Parts::I128)),
            Numbers::I64(y) => by_type!(self.over_whole{i64, f64, I}(y, x, Numbers, whole, resumed))
                .map(|parts| unzip(parts, Parts::F64)),
            Numbers::I128(y) if exactly => by_type!(self.over_whole{i128, i128, I}(y, x, Numbers, whole, resumed))
                .map(|parts| unzip(parts, Parts::I128)),
            Numbers::I128(y) => by_type!(self.over_whole{i128, f64, I}(y, x, Numbers, whole, resumed))
                .map(|parts| unzip(parts, Parts::F64)),
        }
    }

    fn over_whole<Y: Number, X: Number, O: SegmentTarget + Atomic, I: RowIndex>(
        self,
        y: &[Chunk<'_, Y>],
        x: Option<&Vec<Chunk<'_, X>>>,
        whole: &Whole<'_, I>,
        resumed: Option<Resumed<'_>>,
    ) -> Result<Vec<Worded<O>>, RowError> {
        let (y, x) = (Contiguous::new(y), x.map(|x| Contiguous::new(x)));
        let (y, x) = (y.slice(), x.as_ref().map(Contiguous::slice));
        let has_zeros = self.units.zero == 0 && self.units.zero_of_x.is_none_or(|zero| zero == 0);
        if !(Y::IS_WIDE || X::IS_WIDE) || !has_zeros {
            return self.over_slices(y, x, whole, resumed);
        }
        let mut memory = Memory::<Y, X>::default();
        let narrow_y = narrowed(&[y], &mut memory.y);
        let narrow_x = x.and_then(|x| narrowed(&[x], &mut memory.x));
        let units = ResultUnits {
            narrowed: [narrow_y.is_some(), narrow_x.is_some()],
            ..self.units.clone()
        };
        let run = Run { units: &units, ..self };
        match (narrow_y.as_deref(), narrow_x.as_deref()) {
            (Some(&[y]), Some(&[x])) => run.over_slices(y, Some(x), whole, resumed),
            (Some(&[y]), _) => run.over_slices(y, x, whole, resumed),
            (_, Some(&[x])) => run.over_slices(y, Some(x), whole, resumed),
            _ => run.over_slices(y, x, whole, resumed),
        }
    }

    fn over_slices<Y: Number, X: Number, O: SegmentTarget + Atomic, I: RowIndex>(
        self,
        y: Slice<'_, Y>,
        x: Option<Slice<'_, X>>,
        whole: &Whole<'_, I>,
        resumed: Option<Resumed<'_>>,
    ) -> Result<Vec<Worded<O>>, RowError> {
        let Some(order) = whole.order else {
            return self.over_segments(y, x, whole.sigma, whole.starts, resumed);
        };
        let y = y.gather(order.rows());
        let x = x.map(|x| x.gather(order.rows()));
        let sigma = whole.sigma.map(|sigma| order.gather(sigma));
        let x = x.as_ref().map(Gathered::slice);
        let parts = self.over_segments::<_, _, O>(y.slice(), x, sigma.as_deref(), whole.starts, resumed)?;
        let (words, numbers): (Vec<_>, _) = parts.into_iter().unzip();
        let words = words.into_iter().flatten().map(|words| vec![words]).collect::<Vec<_>>();
        let has_words = usize::from(self.units.has_words);
        Ok(vec![(
            order.scatter(words, has_words, self.rows).pop(),
            order.scatter(numbers, self.units.scales.len(), self.rows),
        )])
    }

    /// Evaluates the segments of a column in its own order.
    fn over_segments<Y: Number, X: Number, O: SegmentTarget>(
        self,
        y: Slice<'_, Y>,
        x: Option<Slice<'_, X>>,
        sigma: Option<&[f64]>,
        starts: Bits,
        resumed: Option<Resumed<'_>>,
    ) -> Result<Vec<Worded<O>>, RowError> {
        let rows = y.values.len();
        let scanned = Scanned {
            operator: self.operator,
            y,
            x,
            sigma,
            segments: &Segments::new(y, x, self.breaks, starts),
            units: self.units,
            strict: self.strict,
            whole_groups: self.sequential,
        };
        if let Some(resumed) = resumed {
            let results = scanned.evaluate(0..rows, resumed.rows, resumed.reached)?;
            return Ok(vec![results.into_worded()]);
        }
        if let Some(block) = self.operator.block().filter(|_| self.parallel && self.sequential) {
            let helpers = Helpers::for_rows(rows);
            let parts = scanned.in_parts(helpers.threads(), block, &helpers)?;
            return Ok(parts.into_iter().map(Columns::into_worded).collect());
        }
        // Segments of one group do not depend on each other.
        if self.parallel && self.operator.extent() == Extent::Segment {
            let helpers = Helpers::for_rows(rows);
            let parts = scanned.in_cut_parts(helpers.threads(), &helpers)?;
            return Ok(parts.into_iter().map(Columns::into_worded).collect());
        }
        self.in_parts(rows, 1, |part| {
            Ok(scanned.evaluate(part, 0, &Cell::default())?.into_worded())
        })
    }
}

/// The words and the numbers of all parts.
fn unzip<O>(parts: Vec<Worded<O>>, numbers_of: impl Fn(Vec<Vec<Part<O>>>) -> Parts) -> Results {
    let (words, numbers): (Vec<_>, _) = parts.into_iter().unzip();
    Results {
        words: words.into_iter().flatten().collect(),
        numbers: numbers_of(numbers),
    }
}

/// A number that counts rows.
pub(crate) trait RowIndex: AsPrimitive<usize> + Send + Sync {}

impl<I: AsPrimitive<usize> + Send + Sync> RowIndex for I {}
