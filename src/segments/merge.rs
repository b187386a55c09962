//! Points: adjacent rows of equal x, merged into one.

use std::ops::Range;

use num_traits::AsPrimitive;

use super::column::{Contiguous, Number, Numbers, OwnedNumbers};
use super::order::RowOrder;
use super::scatter::Part;
use super::slice::{Gathered, Slice};
use crate::bits::{Bitmap, Bits};
use crate::domain::Duplicates;
use crate::kernel::{float_mean, has_mean, whole_mean};
use crate::operators::Repeats;

/// A column of points: a row for each run of equal x.
pub(crate) struct Merged {
    y: OwnedNumbers,
    x: OwnedNumbers,
    starts: Vec<u8>,
    /// The position of the first row of each point, and the number of positions.
    firsts: Vec<usize>,
    /// The positions whose y and x are not null.
    valid: Vec<u8>,
    /// The first position whose y is too large for a mean.
    too_large: Option<usize>,
}

/// How a point gets its y.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Merging {
    pub(crate) duplicates: Duplicates,
    /// The number of binary digits after the point that a mean of integers has.
    pub(crate) mean_digits: u32,
    /// Whether the numbers are whole, although they are floats.
    pub(crate) are_whole: bool,
    /// The period of y, in its numbers.
    pub(crate) period: Option<f64>,
    /// Whether nulls end segments, and with them points.
    pub(crate) split_at_nulls: bool,
}

/// Calls a function with the numbers of a column in one slice, in the given order.
macro_rules! in_order {
    ($numbers:expr, $order:expr, |$slice:ident| $call:expr) => {
        match $numbers {
            Numbers::F64(chunks) => in_order!(@slice chunks, $order, $slice, $call, F64),
            Numbers::F32(chunks) => in_order!(@slice chunks, $order, $slice, $call, F32),
            Numbers::I64(chunks) => in_order!(@slice chunks, $order, $slice, $call, I64),
            Numbers::I128(chunks) => in_order!(@slice chunks, $order, $slice, $call, I128),
        }
    };
    (@slice $chunks:ident, $order:expr, $slice:ident, $call:expr, $variant:ident) => {{
        let column = Contiguous::new($chunks);
        let gathered;
        let $slice = match $order {
            None => column.slice(),
            Some(order) => {
                gathered = column.slice().gather(order.rows());
                gathered.slice()
            },
        };
        $call
    }};
}

impl Merged {
    /// The points of a column, whose groups start at these positions of the order.
    pub(crate) fn new<I: AsPrimitive<usize>>(
        y: &Numbers,
        x: &Numbers,
        order: Option<&RowOrder<I>>,
        groups: Bits,
        merging: Merging,
    ) -> Self {
        in_order!(x, order, |x| in_order!(y, order, |y| {
            let nulls = |row: usize| !(is_valid(&y, row) && is_valid(&x, row));
            let rows = y.values.len();
            let is_first = |row: usize| {
                row == 0
                    || groups.get(row)
                    || !(is_valid(&x, row) && is_valid(&x, row - 1) && x.values[row] == x.values[row - 1])
                    || (merging.split_at_nulls && (nulls(row) || nulls(row - 1)))
            };
            let mut firsts: Vec<_> = (0..rows).filter(|&row| is_first(row)).collect();
            let mut starts = Bitmap::with_capacity(firsts.len());
            for &first in &firsts {
                starts.push(groups.get(first).into(), 1);
            }
            let mut valid = Bitmap::with_capacity(rows);
            for row in 0..rows {
                valid.push((!nulls(row)).into(), 1);
            }
            let x_of_points = x.gather(&firsts);
            firsts.push(rows);
            Self {
                y: merged(&y, &firsts, merging),
                x: Merge::owned(x_of_points),
                starts: starts.into_bytes(),
                too_large: too_large(&y, merging),
                firsts,
                valid: valid.into_bytes(),
            }
        }))
    }

    /// The first position whose y is too large for a mean, in which it counts as null.
    pub(crate) fn too_large(&self) -> Option<usize> {
        self.too_large
    }

    /// The number of points.
    pub(crate) fn len(&self) -> usize {
        self.firsts.len() - 1
    }

    pub(crate) fn y(&self) -> Numbers<'_> {
        self.y.numbers()
    }

    pub(crate) fn x(&self) -> Numbers<'_> {
        self.x.numbers()
    }

    /// The points that start a group.
    pub(crate) fn starts(&self) -> Bits<'_> {
        Bits::new(&self.starts, 0)
    }

    /// The positions of a point.
    pub(crate) fn rows(&self, point: usize) -> Range<usize> {
        self.firsts[point]..self.firsts[point + 1]
    }

    /// The results of rows, from those of points, for one output. Of the rows of a point that are not null each gets
    /// what `repeats` says.
    pub(crate) fn expand<O: Copy + Default>(&self, parts: Vec<Part<O>>, repeats: Repeats) -> Part<O> {
        let height = self.firsts[self.len()];
        let mut values = Vec::with_capacity(height);
        let mut validity = Bitmap::with_capacity(height);
        let is_valid = Bits::new(&self.valid, 0);
        let mut point = 0;
        for (of_points, valid_points) in parts {
            let valid_points = valid_points.as_ref().map(|bytes| Bits::new(bytes, 0));
            for (place, value) in of_points.into_iter().enumerate() {
                let mut result = valid_points.is_none_or(|valid| valid.get(place)).then_some(value);
                for row in self.rows(point) {
                    let own = result.filter(|_| is_valid.get(row));
                    values.push(own.unwrap_or_default());
                    validity.push(own.is_some().into(), 1);
                    if is_valid.get(row) {
                        result = match repeats {
                            Repeats::Each => result,
                            Repeats::FirstThenZero => Some(O::default()),
                            Repeats::FirstThenNull => None,
                        };
                    }
                }
                point += 1;
            }
        }
        (values, Some(validity.into_bytes()))
    }
}

fn is_valid<T>(column: &Slice<'_, T>, row: usize) -> bool {
    column.validity.is_none_or(|valid| valid.get(row))
}

/// A number whose runs are merged.
trait Merge: Number {
    fn owned(column: Gathered<Self>) -> OwnedNumbers;

    /// The mean of numbers, as one with differences as exact as theirs.
    fn means(column: &Slice<'_, Self>, firsts: &[usize], merging: Merging) -> OwnedNumbers;
}

/// The y of each point.
fn merged<T: Merge>(column: &Slice<'_, T>, firsts: &[usize], merging: Merging) -> OwnedNumbers {
    match merging.duplicates {
        Duplicates::Mean if merging.are_whole => whole_means(column, firsts, merging),
        Duplicates::Mean => T::means(column, firsts, merging),
        Duplicates::Last => T::owned(of_points(column, firsts, |valid| valid.next_back())),
        Duplicates::First | Duplicates::Error => T::owned(of_points(column, firsts, |valid| valid.next())),
    }
}

/// A number for each point, from its numbers that are not null; null if there are none.
fn of_points<T: Copy, U: Default>(
    column: &Slice<'_, T>,
    firsts: &[usize],
    number: impl Fn(&mut dyn DoubleEndedIterator<Item = T>) -> Option<U>,
) -> Gathered<U> {
    let mut validity = Bitmap::with_capacity(firsts.len());
    let values = firsts.windows(2).map(|point| {
        let number = number(&mut (point[0]..point[1]).filter_map(|row| column.get(row)));
        validity.push(number.is_some().into(), 1);
        number.unwrap_or_default()
    });
    Gathered {
        values: values.collect(),
        validity: Some(validity.into_bytes()),
    }
}

macro_rules! merge_floats {
    ($($float:ty: $variant:ident;)*) => {$(
        impl Merge for $float {
            fn owned(column: Gathered<Self>) -> OwnedNumbers {
                OwnedNumbers::$variant(column)
            }

            fn means(column: &Slice<'_, Self>, firsts: &[usize], merging: Merging) -> OwnedNumbers {
                OwnedNumbers::F64(of_points(column, firsts, |valid| float_mean(valid, merging.period)))
            }
        }
    )*};
}

/// The first number that 128 bits do not hold together with the digits of a mean.
fn too_large<T: Number>(column: &Slice<'_, T>, merging: Merging) -> Option<usize> {
    if merging.duplicates != Duplicates::Mean || !merging.are_whole {
        return None;
    }
    let is_too_large = |row: &usize| {
        let number = column.get(*row);
        number.is_some_and(|number| !has_mean(number, merging.mean_digits))
    };
    (0..column.values.len()).find(is_too_large)
}

/// The means of integers, with binary digits after the point.
fn whole_means<T: Number>(column: &Slice<'_, T>, firsts: &[usize], merging: Merging) -> OwnedNumbers {
    let digits = merging.mean_digits;
    let period = merging.period.map(|period| period as i128);
    OwnedNumbers::I128(of_points(column, firsts, |valid| whole_mean(valid, digits, period)))
}

macro_rules! merge_integers {
    ($($integer:ty: $variant:ident;)*) => {$(
        impl Merge for $integer {
            fn owned(column: Gathered<Self>) -> OwnedNumbers {
                OwnedNumbers::$variant(column)
            }

            fn means(column: &Slice<'_, Self>, firsts: &[usize], merging: Merging) -> OwnedNumbers {
                whole_means(column, firsts, merging)
            }
        }
    )*};
}

merge_floats! {
    f64: F64;
    f32: F32;
}

merge_integers! {
    i64: I64;
    i128: I128;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segments::Chunk;

    fn merged(y: &[f64], x: &[i64], duplicates: Duplicates) -> Merged {
        let merging = Merging {
            duplicates,
            mean_digits: 62,
            are_whole: false,
            period: None,
            split_at_nulls: false,
        };
        let y = Numbers::F64(vec![Chunk::new(y, None)]);
        let x = Numbers::I64(vec![Chunk::new(x, None)]);
        Merged::new(&y, &x, None::<&RowOrder<u32>>, Bits::new(&[1, 0], 0), merging)
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
            let (values, _) = points.expand(vec![(vec![7.0, 8.0, 9.0], None)], Repeats::Each);
            assert_eq!(values, [7.0, 8.0, 8.0, 9.0]);
            let (values, _) = points.expand(vec![(vec![7.0, 8.0, 9.0], None)], Repeats::FirstThenZero);
            assert_eq!(values, [7.0, 8.0, 0.0, 9.0]);
            let (_, validity) = points.expand(vec![(vec![7.0, 8.0, 9.0], None)], Repeats::FirstThenNull);
            assert_eq!(validity.expect("a null")[0], 0b1011);
        }
    }

    #[test]
    fn the_mean_of_integers_keeps_its_fraction() {
        let y = [i64::MAX, i64::MAX - 1, i64::MAX - 3];
        let slice = Slice {
            values: &y,
            validity: None,
        };
        let merging = Merging {
            duplicates: Duplicates::Mean,
            mean_digits: 62,
            are_whole: true,
            period: None,
            split_at_nulls: false,
        };
        let OwnedNumbers::I128(means) = whole_means(&slice, &[0, 3], merging) else {
            panic!("integers become wider integers")
        };
        let third = (1_i128 << 62) / 3;
        let expected = (i128::from(i64::MAX) << 62) - (1 << 62) - third;
        assert!(
            (means.values[0] - expected).abs() <= 1,
            "{}",
            means.values[0] - expected
        );
    }
}
