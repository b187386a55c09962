//! Points: adjacent rows of equal x, merged into one.

use std::iter::from_fn;
use std::ops::Range;

use super::column::{Contiguous, Number, Numbers, OwnedNumbers};
use super::slice::{Gathered, Slice};
use crate::bits::{Bitmap, Bits, ROWS, high_mask, set_bits, word_or_ones};
use crate::dispatch::{Kernel, dispatch};
use crate::domain::Duplicates;
use crate::kernel::{float_mean, float_rise, has_mean, whole_mean, whole_rise};
use crate::prefetch::prefetch;

/// A column of points: a row for each run of equal x.
pub(crate) struct Merged {
    y: OwnedNumbers,
    x: OwnedNumbers,
    points: Points,
    /// The first row whose y is too large for a mean.
    too_large: Option<usize>,
}

/// How a point gets its y.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Merging {
    pub(crate) duplicates: Duplicates,
    /// The number of binary digits after the point that a mean of integers has; 0 for floats, and where none fits.
    pub(crate) mean_digits: u32,
    /// The period of y, in its numbers.
    pub(crate) period: Option<f64>,
    /// Whether nulls end segments, and with them points.
    pub(crate) split_at_nulls: bool,
}

/// Calls a function with the numbers of a column in one slice, and the variant of their type.
macro_rules! in_one_slice {
    ($numbers:expr, |$slice:ident, $variant:ident| $call:expr) => {
        match $numbers {
            Numbers::F64(chunks) => in_one_slice!(@slice chunks, $slice, $variant, $call, F64),
            Numbers::F32(chunks) => in_one_slice!(@slice chunks, $slice, $variant, $call, F32),
            Numbers::I64(chunks) => in_one_slice!(@slice chunks, $slice, $variant, $call, I64),
            Numbers::I128(chunks) => in_one_slice!(@slice chunks, $slice, $variant, $call, I128),
        }
    };
    (@slice $chunks:ident, $slice:ident, $variant:ident, $call:expr, $of_type:ident) => {{
        let column = Contiguous::new($chunks);
        let $slice = column.slice();
        let $variant = OwnedNumbers::$of_type;
        $call
    }};
}

impl Merged {
    /// The points of a column, whose groups start at these rows.
    pub(crate) fn new(y: &Numbers, x: &Numbers, groups: Bits, merging: Merging) -> Self {
        in_one_slice!(y, |y, of_y| {
            let (x, points) = in_one_slice!(x, |x, of_x| {
                let (points, x) = dispatch(Find {
                    x,
                    y_validity: y.validity,
                    groups,
                    split: merging.split_at_nulls,
                });
                (of_x(x), points)
            });
            let too_large = too_large(&y, merging);
            let y = match merging.duplicates {
                Duplicates::Mean if merging.mean_digits > 0 || are_integers(&y) => {
                    OwnedNumbers::I128(whole_means(y, &points, merging, too_large.is_some()))
                },
                Duplicates::Mean => OwnedNumbers::F64(match merging.period {
                    None => points.means(y, OfFloats),
                    Some(period) => points.means(y, OfAngles { period }),
                }),
                Duplicates::Last => of_y(points.numbers(y, End::Last)),
                Duplicates::First | Duplicates::Error => of_y(points.numbers(y, End::First)),
            };
            Self {
                y,
                x,
                points,
                too_large,
            }
        })
    }

    /// The first row whose y is too large for a mean, in which it counts as null.
    pub(crate) fn too_large(&self) -> Option<usize> {
        self.too_large
    }

    /// The number of points.
    pub(crate) fn len(&self) -> usize {
        self.points.count
    }

    pub(crate) fn y(&self) -> Numbers<'_> {
        self.y.numbers()
    }

    pub(crate) fn x(&self) -> Numbers<'_> {
        self.x.numbers()
    }

    /// The standard deviation of the y of each point, from those of the rows: that of the row whose y it is, or that of the
    /// mean. NaN where a row that counts has none.
    pub(crate) fn deviations(&self, of_rows: &[f64], duplicates: Duplicates) -> Vec<f64> {
        let is_valid = self.valid();
        let of_point = |rows: Range<usize>| {
            let mut counts = rows.filter(|&row| is_valid.get(row)).map(|row| of_rows[row]);
            let deviation = match duplicates {
                Duplicates::First | Duplicates::Error => counts.next(),
                Duplicates::Last => counts.next_back(),
                Duplicates::Mean => deviation_of_mean(counts),
            };
            deviation.unwrap_or(f64::NAN)
        };
        self.all_rows().map(of_point).collect()
    }

    /// The rows of each point.
    fn all_rows(&self) -> impl Iterator<Item = Range<usize>> {
        let rows = self.points.rows;
        let mut firsts = self.is_first().ones(rows);
        let mut next = firsts.next();
        from_fn(move || {
            let first = next?;
            next = firsts.next();
            Some(first..next.unwrap_or(rows))
        })
    }

    /// The points that start a group.
    pub(crate) fn starts(&self) -> Bits<'_> {
        Bits::new(&self.points.starts, 0)
    }

    /// The rows of adjacent points.
    pub(crate) fn rows_of(&self, points: Range<usize>) -> Range<usize> {
        self.first_row(points.start)..self.first_row(points.end)
    }

    /// The first row of a point; the number of rows after the last one.
    pub(crate) fn first_row(&self, point: usize) -> usize {
        let Points { rows, before, .. } = &self.points;
        if point == self.len() {
            return *rows;
        }
        let block = before.partition_point(|&before| before <= point) - 1;
        let first = self.is_first().word(block * ROWS);
        let place = set_bits(first, ROWS).nth(point - before[block]);
        block * ROWS + place.expect("each point has a first row")
    }

    /// The first point that begins at a row or after it; the number of points if there is none.
    pub(crate) fn next_point(&self, row: usize) -> usize {
        let before = self.points.before.get(row / ROWS);
        before.map_or(self.len(), |before| {
            let first = self.is_first().word(row / ROWS * ROWS);
            before + (first & !(u64::MAX << (row % ROWS))).count_ones() as usize
        })
    }

    /// The number of points all of whose rows are among the first ones.
    pub(crate) fn points_within(&self, rows: usize) -> usize {
        if rows < self.points.rows {
            self.next_point(rows + 1).saturating_sub(1)
        } else {
            self.len()
        }
    }

    /// The rows that begin a point.
    pub(crate) fn is_first(&self) -> Bits<'_> {
        Bits::new(&self.points.is_first, 0)
    }

    /// The rows whose y and x are not null.
    pub(crate) fn valid(&self) -> Bits<'_> {
        Bits::new(&self.points.valid, 0)
    }
}

/// `sqrt(sum of sigma^2) / n`
fn deviation_of_mean(deviations: impl Iterator<Item = f64> + Clone) -> Option<f64> {
    // Squares of the largest deviations, and of the smallest, would leave the range of a float.
    let largest = deviations.clone().reduce(f64::max)?;
    let (mut sum, mut count) = (0.0, 0.0);
    for deviation in deviations {
        sum += (deviation / largest) * (deviation / largest);
        count += 1.0;
    }
    Some(largest * (f64::sqrt(sum) / count))
}

/// Which rows of a column are one point.
struct Points {
    rows: usize,
    /// The number of points.
    count: usize,
    /// The rows that begin a point.
    is_first: Vec<u8>,
    /// The number of points before each block of 64 rows.
    before: Vec<usize>,
    /// The points that start a group.
    starts: Vec<u8>,
    /// The rows whose y and x are not null.
    valid: Vec<u8>,
}

/// An end of a point.
#[derive(Clone, Copy, PartialEq)]
enum End {
    First,
    Last,
}

/// The loop that finds the adjacent rows of equal x in one group, which nulls end if they `split`, and packs their x.
struct Find<'a, X> {
    x: Slice<'a, X>,
    y_validity: Option<Bits<'a>>,
    groups: Bits<'a>,
    split: bool,
}

impl<X: Number> Kernel for Find<'_, X> {
    type Output = (Points, Gathered<X>);

    #[inline(always)]
    fn run(self) -> Self::Output {
        let Self {
            x,
            y_validity,
            groups,
            split,
        } = self;
        let rows = x.values.len();
        let (mut is_first, mut all_valid) = (Bitmap::with_capacity(rows), Bitmap::with_capacity(rows));
        let mut starts = Bitmap::with_capacity(rows);
        let mut points_before = Vec::with_capacity(rows.div_ceil(ROWS));
        let mut packed = Packed::new(rows, x.validity.is_some());
        // Nothing is before the first row.
        let (mut before, mut last) = (0, X::default());
        let mut padded = [X::default(); ROWS];
        for row in (0..rows).step_by(ROWS) {
            let count = ROWS.min(rows - row);
            let x_valid = x.valid(row);
            let valid = x_valid & word_or_ones(y_validity, row);
            let counts = if split { valid } else { x_valid };
            let values = block(x.values, row, &mut padded);
            prefetch(values);
            let mut equal = u64::from(values[0] == last);
            for place in 1..ROWS {
                equal |= u64::from(values[place] == values[place - 1]) << place;
            }
            last = values[ROWS - 1];
            let group = groups.word(row);
            let counts_before = counts << 1 | before >> (ROWS - 1);
            let first = !(equal & counts & counts_before) | group;
            before = counts;
            let first = first & !high_mask(count);
            points_before.push(packed.length);
            let points = packed.push(values, x_valid, first);
            if points > 0 {
                starts.push(compressed(group, first), points);
            }
            is_first.push(first, count);
            all_valid.push(valid, count);
        }
        let points = Points {
            rows,
            count: packed.length,
            is_first: is_first.into_bytes(),
            before: points_before,
            starts: starts.into_bytes(),
            valid: all_valid.into_bytes(),
        };
        (points, packed.into_gathered())
    }
}

/// The values of 64 rows; fewer are padded with arbitrary ones.
#[inline(always)]
fn block<'a, T: Copy>(values: &'a [T], row: usize, padded: &'a mut [T; ROWS]) -> &'a [T; ROWS] {
    let values = &values[row..];
    if let Some(values) = values.first_chunk() {
        values
    } else {
        padded[..values.len()].copy_from_slice(values);
        padded
    }
}

/// The bits of a word at the set bits of a mask, adjacent.
#[inline(always)]
fn compressed(word: u64, mask: u64) -> u64 {
    let word = word & mask;
    // Usually all rows are valid, and none starts a group.
    if word == mask || word == 0 {
        return if word == 0 { 0 } else { u64::MAX };
    }
    let places = set_bits(mask, ROWS).enumerate();
    places.fold(0, |bits, (point, place)| bits | (word >> place & 1) << point)
}

/// Copies the rows of a mask to the start of a slice, which has room for a block.
#[inline(always)]
fn pack<T: Copy>(values: &[T; ROWS], taken: u64, to: &mut [T]) {
    /// Values that are copied without a branch for each. Measured: 0.24 ns a row, 0.31 one by one. Eight would be gathered in
    /// vector registers, in 0.48.
    const TOGETHER: usize = 4;
    let to = &mut to[..ROWS];
    if taken == u64::MAX {
        to.copy_from_slice(values);
        return;
    }
    let mut left = taken;
    let needed = (taken.count_ones() as usize).div_ceil(TOGETHER);
    for to in to.as_chunks_mut::<TOGETHER>().0.iter_mut().take(needed) {
        for to in to {
            *to = values[left.trailing_zeros() as usize % ROWS];
            left &= left.wrapping_sub(1);
        }
    }
}

/// Numbers of points, packed from blocks of 64 rows.
struct Packed<T> {
    /// With room for a block.
    values: Vec<T>,
    length: usize,
    validity: Option<Bitmap>,
}

impl<T: Copy + Default> Packed<T> {
    /// No numbers, and room for some; some may be null if there `are_nulls`.
    fn new(rows: usize, are_nulls: bool) -> Self {
        Self {
            values: vec![T::default(); rows + ROWS],
            length: 0,
            validity: are_nulls.then(|| Bitmap::with_capacity(rows)),
        }
    }

    /// Appends the rows of a mask, and returns their number.
    #[inline(always)]
    fn push(&mut self, values: &[T; ROWS], valid: u64, taken: u64) -> usize {
        let count = taken.count_ones() as usize;
        pack(values, taken, &mut self.values[self.length..]);
        self.length += count;
        if let Some(validity) = &mut self.validity
            && count > 0
        {
            validity.push(compressed(valid, taken), count);
        }
        count
    }

    fn into_gathered(mut self) -> Gathered<T> {
        self.values.truncate(self.length);
        Gathered {
            values: self.values,
            validity: self.validity.map(Bitmap::into_bytes),
        }
    }
}

impl Points {
    /// Mask of the rows, of 64, that begin a point. Rows beyond the end do.
    #[inline(always)]
    fn first(&self, row: usize) -> u64 {
        if row < self.rows {
            Bits::new(&self.is_first, 0).word(row) | high_mask(self.rows - row)
        } else {
            u64::MAX
        }
    }

    /// Mask of the rows, of 64, that end a point.
    #[inline(always)]
    fn last(&self, row: usize) -> u64 {
        self.first(row) >> 1 | self.first(row + ROWS) << (ROWS - 1)
    }

    /// Mask of the rows, of 64, in which a column is valid. Rows beyond the end are not.
    fn valid(&self, validity: Option<Bits>, row: usize) -> u64 {
        if row < self.rows {
            word_or_ones(validity, row) & !high_mask(self.rows - row)
        } else {
            0
        }
    }

    /// Masks of one row of each point: the one at an end of those that are valid, if there are any.
    fn ends(&self, validity: Option<Bits>, end: End) -> Vec<u64> {
        let blocks = (0..self.rows).step_by(ROWS);
        if validity.is_none() {
            let own = blocks.map(|row| match end {
                End::First => self.first(row) & !high_mask(self.rows - row),
                End::Last => self.last(row) & !high_mask(self.rows - row),
            });
            return own.collect();
        }
        let words = blocks.map(|row| (self.first(row), self.last(row), self.valid(validity, row), row));
        let mut ends: Vec<_> = match end {
            End::First => first_valid(words.map(|(first, last, valid, _)| [first, last, valid])).collect(),
            End::Last => {
                // The same, backwards.
                let words = words.rev();
                let words = words.map(|(first, last, valid, _)| [last, first, valid].map(u64::reverse_bits));
                first_valid(words).map(u64::reverse_bits).collect()
            },
        };
        if end == End::Last {
            ends.reverse();
        }
        if let Some(last) = ends.last_mut() {
            *last &= !high_mask((self.rows - 1) % ROWS + 1);
        }
        ends
    }

    /// The number of each point at an end of those that are not null.
    fn numbers<T: Number>(&self, column: Slice<'_, T>, end: End) -> Gathered<T> {
        dispatch(Pack {
            column,
            taken: &self.ends(column.validity, end),
        })
    }

    /// The mean of each point.
    fn means<T: Number, A: Mean<T>>(&self, column: Slice<'_, T>, mean: A) -> Gathered<A::Mean> {
        dispatch(Means {
            column,
            leads: &self.ends(column.validity, End::First),
            count: self.count,
            mean,
        })
    }
}

/// The first valid row of each point, and the last row of a point that has none, from masks of the rows that begin a point,
/// end one and are valid.
fn first_valid(words: impl Iterator<Item = [u64; 3]>) -> impl Iterator<Item = u64> {
    // Whether the point of the row before still lacks one.
    let mut is_lacking = false;
    words.map(move |[first, last, valid]| {
        let first = first | u64::from(is_lacking);
        let candidates = valid | last;
        // From the first row of each point the borrow goes up to its first candidate.
        let passed = candidates ^ candidates.wrapping_sub(first);
        let found = candidates & passed;
        let of_last_point = u64::MAX << (ROWS as u32 - 1).saturating_sub(first.leading_zeros());
        is_lacking = last >> (ROWS - 1) == 0 && first != 0 && found & of_last_point == 0;
        found
    })
}

/// The loop that packs one row of each point.
struct Pack<'a, T> {
    column: Slice<'a, T>,
    taken: &'a [u64],
}

impl<T: Number> Kernel for Pack<'_, T> {
    type Output = Gathered<T>;

    // It moves numbers one by one.
    const WIDEST: bool = false;

    #[inline(always)]
    fn run(self) -> Gathered<T> {
        let Self { column, taken } = self;
        let mut packed = Packed::new(column.values.len(), column.validity.is_some());
        let mut padded = [T::default(); ROWS];
        for (row, &taken) in (0..).step_by(ROWS).zip(taken) {
            let values = block(column.values, row, &mut padded);
            prefetch(values);
            packed.push(values, column.valid(row), taken);
        }
        packed.into_gathered()
    }
}

/// The arithmetic of a mean: `first + sum of rises / count`.
trait Mean<T>: Copy {
    type Sum: Copy + Default;
    type Mean;

    /// The rise from the first number to another one; nothing unless the lowest bit of `counts` is set.
    fn rise(self, number: T, first: T, counts: u64) -> Self::Sum;

    fn add(self, sum: Self::Sum, rise: Self::Sum) -> Self::Sum;

    fn mean(self, first: T, sum: Self::Sum, count: u32) -> Self::Mean;
}

/// Means of floats.
#[derive(Clone, Copy)]
struct OfFloats;

/// Means of floats that have a period.
#[derive(Clone, Copy)]
struct OfAngles {
    period: f64,
}

macro_rules! of_floats {
    ($($mean:ty: |$this:pat_param| $period:expr;)*) => {$(
        impl<T: Number> Mean<T> for $mean {
            type Sum = f64;
            type Mean = f64;

            #[inline(always)]
            fn rise(self, number: T, first: T, counts: u64) -> f64 {
                let $this = self;
                let rise = float_rise(number, first, $period);
                f64::from_bits(rise.to_bits() & 0_u64.wrapping_sub(counts & 1))
            }

            #[inline(always)]
            fn add(self, sum: f64, rise: f64) -> f64 {
                sum + rise
            }

            #[inline(always)]
            fn mean(self, first: T, sum: f64, count: u32) -> f64 {
                float_mean(first, sum, count)
            }
        }
    )*};
}

of_floats! {
    OfFloats: |_| None;
    OfAngles: |this| Some(this.period);
}

/// Means of integers, with binary digits after the point.
#[derive(Clone, Copy)]
struct OfIntegers {
    period: Option<i128>,
    digits: u32,
}

impl<T: Number> Mean<T> for OfIntegers {
    type Sum = i128;
    type Mean = i128;

    #[inline(always)]
    fn rise(self, number: T, first: T, counts: u64) -> i128 {
        whole_rise(number, first, self.period) * i128::from(counts & 1)
    }

    #[inline(always)]
    fn add(self, sum: i128, rise: i128) -> i128 {
        sum.saturating_add(rise)
    }

    #[inline(always)]
    fn mean(self, first: T, sum: i128, count: u32) -> i128 {
        whole_mean(first, sum, count, self.digits)
    }
}

/// The loop over the means of points.
///
/// The first numbers of points are packed, and the rises of all other rows are added to the sums of their points. Which rows
/// are these follows no pattern where points are short, so there no branch depends on it.
struct Means<'a, T, A> {
    column: Slice<'a, T>,
    /// The first valid row of each point.
    leads: &'a [u64],
    /// The number of points.
    count: usize,
    mean: A,
}

impl<T: Number, A: Mean<T>> Kernel for Means<'_, T, A> {
    type Output = Gathered<A::Mean>;

    // It adds numbers one by one.
    const WIDEST: bool = false;

    #[inline(always)]
    fn run(self) -> Self::Output {
        /// With at most as many points in 64 rows they are long, and their rows are added without a store for each.
        const FEW: usize = 8;
        let Self {
            column,
            leads,
            count,
            mean,
        } = self;
        let rows = column.values.len();
        // One point before the first, and room for a block after the last.
        let length = 1 + count + ROWS;
        let (mut firsts, mut sums) = (vec![T::default(); length], vec![A::Sum::default(); length]);
        let mut repeats_of = vec![0_u32; length];
        let mut validity = column.validity.map(|_| Bitmap::with_capacity(count));
        let mut padded = [T::default(); ROWS];
        let mut before = 0;
        for (row, &leads) in (0..).step_by(ROWS).zip(leads) {
            let values = block(column.values, row, &mut padded);
            prefetch(values);
            let valid = column.valid(row) & !high_mask(rows - row);
            let points = leads.count_ones() as usize;
            pack(values, leads, &mut firsts[1 + before..]);
            if let Some(validity) = &mut validity
                && points > 0
            {
                validity.push(compressed(valid, leads), points);
            }
            // The point of the row before, and those that begin here.
            let firsts: &[T; ROWS + 1] = firsts[before..].first_chunk().expect("room for a block");
            let sums: &mut [A::Sum; ROWS + 1] = sums[before..].first_chunk_mut().expect("room for a block");
            let counts: &mut [u32; ROWS + 1] = repeats_of[before..].first_chunk_mut().expect("room for a block");
            before += points;
            let repeats = valid & !leads;
            if repeats == 0 {
                continue;
            }
            if points > FEW {
                for place in set_bits(repeats, ROWS) {
                    let point = (leads << (ROWS - 1 - place % ROWS)).count_ones() as usize;
                    let rise = mean.rise(values[place % ROWS], firsts[point], 1);
                    sums[point] = mean.add(sums[point], rise);
                    counts[point] += 1;
                }
                continue;
            }
            let mut start = 0;
            for (point, end) in set_bits(leads, ROWS).chain([ROWS]).enumerate() {
                if start < end {
                    let mut sum = sums[point];
                    for (place, &number) in (start..end).zip(&values[start..end]) {
                        sum = mean.add(sum, mean.rise(number, firsts[point], repeats >> place));
                    }
                    sums[point] = sum;
                    counts[point] += (repeats >> start & !high_mask(end - start)).count_ones();
                }
                start = end + 1;
            }
        }
        let mut means = Vec::with_capacity(count);
        let numbers = firsts[1..=count]
            .iter()
            .zip(&sums[1..=count])
            .zip(&repeats_of[1..=count]);
        means.extend(numbers.map(|((&first, &sum), &repeats)| mean.mean(first, sum, 1 + repeats)));
        Gathered {
            values: means,
            validity: validity.map(Bitmap::into_bytes),
        }
    }
}

fn are_integers<T: Number>(_: &Slice<'_, T>) -> bool {
    T::INTEGER
}

/// The first number that 128 bits do not hold together with the digits of a mean.
fn too_large<T: Number>(column: &Slice<'_, T>, merging: Merging) -> Option<usize> {
    // A mean has at least 58 digits, and one of numbers of 64 bits 62.
    if merging.mean_digits == 0 || size_of::<T>() < size_of::<i128>() {
        return None;
    }
    let is_too_large = |row: &usize| {
        let number = column.get(*row);
        number.is_some_and(|number| !has_mean(number, merging.mean_digits))
    };
    (0..column.values.len()).find(is_too_large)
}

/// The means of integers, with binary digits after the point. Numbers without a mean count as null, if there are `any`.
fn whole_means<T: Number>(column: Slice<'_, T>, points: &Points, merging: Merging, any: bool) -> Gathered<i128> {
    let digits = merging.mean_digits;
    let mut valid = Bitmap::default();
    if any {
        for row in 0..column.values.len() {
            let has_mean = column.get(row).is_some_and(|number| has_mean(number, digits));
            valid.push(has_mean.into(), 1);
        }
    }
    let valid = valid.into_bytes();
    let validity = if any {
        Some(Bits::new(&valid, 0))
    } else {
        column.validity
    };
    let mean = OfIntegers {
        period: merging.period.map(|period| period as i128),
        digits,
    };
    points.means(Slice { validity, ..column }, mean)
}

#[cfg(test)]
mod tests {
    use super::super::column::Chunk;
    use super::*;

    fn merged(y: &[f64], x: &[i64], duplicates: Duplicates) -> Merged {
        let merging = Merging {
            duplicates,
            mean_digits: 0,
            period: None,
            split_at_nulls: false,
        };
        let y = Numbers::F64(vec![Chunk::new(y, None)]);
        let x = Numbers::I64(vec![Chunk::new(x, None)]);
        Merged::new(&y, &x, Bits::new(&[1, 0], 0), merging)
    }

    #[test]
    fn rows_of_one_x_are_one_point() {
        let (y, x) = ([0.0, 1.0, 3.0, 4.0], [0, 1, 1, 2]);
        for (duplicates, expected) in [
            (Duplicates::First, [0.0, 1.0, 4.0]),
            (Duplicates::Last, [0.0, 3.0, 4.0]),
            (Duplicates::Mean, [0.0, 2.0, 4.0]),
        ] {
            let points = merged(&y, &x, duplicates);
            let Numbers::F64(chunks) = points.y() else {
                panic!("floats stay floats")
            };
            assert_eq!(Contiguous::new(&chunks).slice().values, expected);
            assert_eq!(points.all_rows().collect::<Vec<_>>(), [0..1, 1..3, 3..4]);
            assert_eq!([0, 1, 2, 3].map(|point| points.first_row(point)), [0, 1, 3, 4]);
            assert_eq!([0, 1, 2, 3, 4].map(|row| points.next_point(row)), [0, 1, 2, 2, 3]);
        }
    }

    #[test]
    fn points_are_those_of_their_rows_one_by_one() {
        let rows = 3_000;
        let y: Vec<f64> = (0..rows).map(|row| f64::from(row * 7_919 % 1_009) * 0.1).collect();
        // One long point, and those of one to three rows.
        let x: Vec<i64> = (0..rows).map(|row| i64::from(row.clamp(200, 500) * 5 / 9)).collect();
        let x: Vec<i64> = x
            .iter()
            .zip(0..)
            .map(|(x, row)| match row {
                0..500 => *x,
                // A point of several words, all of whose y are null in one case.
                1_000..1_200 => 500,
                _ => row / 2,
            })
            .collect();
        let mut valid = Bitmap::default();
        for row in 0..rows {
            let is_valid = row % 3 > 0 && row % 11 > 2 && !(990..1_230).contains(&row);
            valid.push(u64::from(is_valid), 1);
        }
        let valid = valid.into_bytes();
        let valid = Bits::new(&valid, 0);
        let groups = vec![0; y.len() / 8 + 1];
        for (duplicates, validity) in [Duplicates::First, Duplicates::Last, Duplicates::Mean]
            .into_iter()
            .flat_map(|duplicates| [(duplicates, None), (duplicates, Some(valid))])
        {
            let merging = Merging {
                duplicates,
                mean_digits: 0,
                period: None,
                split_at_nulls: false,
            };
            let of_y = Numbers::F64(vec![Chunk::new(&y, validity)]);
            let of_x = Numbers::I64(vec![Chunk::new(&x, None)]);
            let points = Merged::new(&of_y, &of_x, Bits::new(&groups, 0), merging);
            let Numbers::F64(chunks) = points.y() else {
                panic!("floats stay floats")
            };
            let merged = Contiguous::new(&chunks);
            for (point, rows) in points.all_rows().enumerate() {
                assert!(x[rows.clone()].iter().all(|&own| own == x[rows.start]));
                assert!(x.get(rows.end).is_none_or(|&next| next != x[rows.start]));
                assert_eq!(points.rows_of(point..point + 1), rows);
                assert_eq!(
                    [rows.start, rows.start + 1].map(|row| points.next_point(row)),
                    [point, point + 1]
                );
                assert_eq!(
                    [rows.end - 1, rows.end].map(|row| points.points_within(row)),
                    [point, point + 1]
                );
                let mut numbers = rows
                    .filter(|&row| validity.is_none_or(|valid| valid.get(row)))
                    .map(|row| y[row]);
                let expected = match duplicates {
                    Duplicates::First | Duplicates::Error => numbers.next(),
                    Duplicates::Last => numbers.next_back(),
                    Duplicates::Mean => crate::kernel::mean_of_floats(numbers, None),
                };
                assert_eq!(merged.slice().get(point), expected, "{duplicates:?}, point {point}");
            }
        }
    }

    #[test]
    fn the_mean_of_integers_keeps_its_fraction() {
        let merging = Merging {
            duplicates: Duplicates::Mean,
            mean_digits: 62,
            period: None,
            split_at_nulls: false,
        };
        let y = Numbers::I64(vec![Chunk::new(&[i64::MAX, i64::MAX - 1, i64::MAX - 3], None)]);
        let x = Numbers::F64(vec![Chunk::new(&[7.0; 3], None)]);
        let points = Merged::new(&y, &x, Bits::new(&[1], 0), merging);
        let Numbers::I128(means) = points.y() else {
            panic!("integers become wider integers")
        };
        let means = Contiguous::new(&means);
        let mean = means.slice().values[0];
        let third = (1_i128 << 62) / 3;
        let expected = (i128::from(i64::MAX) << 62) - (1 << 62) - third;
        assert!((mean - expected).abs() <= 1, "{}", mean - expected);
    }
}
