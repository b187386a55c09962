//! Points: adjacent rows of equal x, merged into one.

use std::borrow::Cow;
use std::ops::Range;

use super::column::{Contiguous, Number, Numbers, OwnedNumbers};
use super::slice::{Gathered, Slice};
use crate::bits::{Bitmap, Bits, ROWS, set_bits, word_or_ones};
use crate::dispatch::{Kernel, dispatch};
use crate::domain::Duplicates;
use crate::kernel::{float_mean, float_rise, has_mean, whole_mean, whole_rise};

/// A column of points: a row for each run of equal x.
pub(crate) struct Merged {
    y: OwnedNumbers,
    x: OwnedNumbers,
    starts: Vec<u8>,
    /// The first row of each point, and the number of rows.
    firsts: Vec<usize>,
    /// The same as a bit for each row.
    is_first: Vec<u8>,
    /// The rows whose y and x are not null.
    valid: Vec<u8>,
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
                let points = dispatch(Find {
                    x,
                    y_validity: y.validity,
                    groups,
                    split: merging.split_at_nulls,
                });
                (of_x(x.gather(points.firsts())), points)
            });
            let too_large = too_large(&y, merging);
            let y = match merging.duplicates {
                Duplicates::Mean if merging.mean_digits > 0 || are_integers(&y) => {
                    OwnedNumbers::I128(whole_means(&y, &points, merging, too_large.is_some()))
                },
                Duplicates::Mean => OwnedNumbers::F64(float_means(&y, &points, merging.period)),
                Duplicates::Last => of_y(points.numbers(&y, End::Last)),
                Duplicates::First | Duplicates::Error => of_y(points.numbers(&y, End::First)),
            };
            Self {
                y,
                x,
                starts: points.starts,
                firsts: points.bounds,
                is_first: points.is_first,
                valid: points.valid,
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
        self.firsts.len() - 1
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
        let of_point = |point: usize| {
            let mut counts = self
                .rows(point)
                .filter(|&row| is_valid.get(row))
                .map(|row| of_rows[row]);
            let deviation = match duplicates {
                Duplicates::First | Duplicates::Error => counts.next(),
                Duplicates::Last => counts.next_back(),
                Duplicates::Mean => deviation_of_mean(counts),
            };
            deviation.unwrap_or(f64::NAN)
        };
        (0..self.len()).map(of_point).collect()
    }

    /// The points that start a group.
    pub(crate) fn starts(&self) -> Bits<'_> {
        Bits::new(&self.starts, 0)
    }

    /// The rows of a point.
    pub(crate) fn rows(&self, point: usize) -> Range<usize> {
        self.rows_of(point..point + 1)
    }

    /// The rows of adjacent points.
    pub(crate) fn rows_of(&self, points: Range<usize>) -> Range<usize> {
        self.firsts[points.start]..self.firsts[points.end]
    }

    /// The first point that begins at a row or after it; the number of points if there is none.
    pub(crate) fn next_point(&self, row: usize) -> usize {
        self.firsts[..self.len()].partition_point(|&first| first < row)
    }

    /// The rows that begin a point.
    pub(crate) fn is_first(&self) -> Bits<'_> {
        Bits::new(&self.is_first, 0)
    }

    /// The rows whose y and x are not null.
    pub(crate) fn valid(&self) -> Bits<'_> {
        Bits::new(&self.valid, 0)
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
    /// The first row of each point, and the number of rows.
    bounds: Vec<usize>,
    /// The same as a bit for each row.
    is_first: Vec<u8>,
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

/// The loop that finds the adjacent rows of equal x in one group, which nulls end if they `split`.
struct Find<'a, X> {
    x: Slice<'a, X>,
    y_validity: Option<Bits<'a>>,
    groups: Bits<'a>,
    split: bool,
}

impl<X: Number> Kernel for Find<'_, X> {
    type Output = Points;

    #[inline(always)]
    fn run(self) -> Points {
        let Self {
            x,
            y_validity,
            groups,
            split,
        } = self;
        let rows = x.values.len();
        let mut bounds = Vec::with_capacity(rows + 1);
        let (mut is_first, mut all_valid) = (Bitmap::with_capacity(rows), Bitmap::with_capacity(rows));
        let mut starts = Bitmap::with_capacity(rows);
        // Nothing is before the first row.
        let (mut before, mut last) = (0, X::default());
        let mut padded = [X::default(); ROWS];
        for row in (0..rows).step_by(ROWS) {
            let count = ROWS.min(rows - row);
            let x_valid = x.valid(row);
            let valid = x_valid & word_or_ones(y_validity, row);
            let counts = if split { valid } else { x_valid };
            let values = if let Some(values) = x.values[row..].first_chunk() {
                values
            } else {
                padded[..count].copy_from_slice(&x.values[row..]);
                &padded
            };
            let mut equal = u64::from(values[0] == last);
            for place in 1..ROWS {
                equal |= u64::from(values[place] == values[place - 1]) << place;
            }
            last = values[ROWS - 1];
            let counts_before = counts << 1 | before >> (ROWS - 1);
            let first = !(equal & counts & counts_before) | groups.word(row);
            before = counts;
            let group = groups.word(row);
            let mut places = [0; ROWS];
            let mut points = 0;
            for place in set_bits(first, count) {
                places[points] = row + place;
                points += 1;
            }
            bounds.extend_from_slice(&places[..points]);
            if points > 0 {
                // Few words hold the start of a group.
                let places = set_bits(if group == 0 { 0 } else { first }, count).enumerate();
                let start = places.fold(0, |start, (point, place)| start | (group >> place & 1) << point);
                starts.push(start, points);
            }
            is_first.push(first, count);
            all_valid.push(valid, count);
        }
        bounds.push(rows);
        Points {
            bounds,
            is_first: is_first.into_bytes(),
            starts: starts.into_bytes(),
            valid: all_valid.into_bytes(),
        }
    }
}

impl Points {
    fn len(&self) -> usize {
        self.bounds.len() - 1
    }

    fn firsts(&self) -> &[usize] {
        &self.bounds[..self.len()]
    }

    /// The row of each point at an end of those that are not null, and which points have one.
    fn ends(&self, validity: Option<Bits>, end: End) -> (Cow<'_, [usize]>, Option<Vec<u8>>) {
        let Some(valid) = validity else {
            let ends = match end {
                End::First => self.firsts().into(),
                End::Last => self.bounds[1..].iter().map(|next| next - 1).collect(),
            };
            return (ends, None);
        };
        let mut have_one = Bitmap::with_capacity(self.len());
        let ends = self.bounds.windows(2).map(|point| {
            let mut rows = (point[0]..point[1]).filter(|&row| valid.get(row));
            let row = match end {
                End::First => rows.next(),
                End::Last => rows.next_back(),
            };
            have_one.push(row.is_some().into(), 1);
            row.unwrap_or(point[0])
        });
        (ends.collect(), Some(have_one.into_bytes()))
    }

    /// The number of each point at an end of those that are not null.
    fn numbers<T: Number>(&self, column: &Slice<'_, T>, end: End) -> Gathered<T> {
        let (rows, validity) = self.ends(column.validity, end);
        Gathered {
            values: rows.iter().map(|&row| column.values[row]).collect(),
            validity,
        }
    }

    /// The mean of each point, from the sum of the rises from its first number to the others.
    ///
    /// `rise` gets a number, the first one of its point, and a bit: whether the number counts. The second rows of all
    /// points are added first, then the third ones, and so on: without branches, as the lengths of points follow no
    /// pattern, and without waiting for a sum.
    #[inline(never)]
    fn means<T: Number, S: Copy + Default, M>(
        &self,
        column: &Slice<'_, T>,
        rise: impl Fn(T, T, u64) -> S,
        add: impl Fn(S, S) -> S,
        mean: impl Fn(T, S, u32) -> M,
    ) -> Gathered<M> {
        let (leads, validity) = self.ends(column.validity, End::First);
        let firsts: Vec<_> = leads.iter().map(|&row| column.values[row]).collect();
        let repeats = column.validity.map(|valid| self.repeats(valid, &leads));
        let is_repeat = |row: usize| match &repeats {
            None => 1,
            Some(bytes) => u64::from(bytes[row / 8] >> (row % 8) & 1),
        };
        let points = || self.bounds.windows(2).map(|point| (point[0], point[1] - point[0]));
        // A point of one row gets its own row a second time, which does not count.
        let second = |(row, rows): (usize, usize)| (row + usize::from(rows > 1), u64::from(rows > 1));
        let mut counts: Vec<_> = points()
            .map(second)
            .map(|(row, has_one)| 1 + (has_one & is_repeat(row)) as u32)
            .collect();
        let mut sums: Vec<_> = points()
            .map(second)
            .zip(&firsts)
            .map(|((row, has_one), &first)| {
                let rise = rise(column.values[row], first, has_one & is_repeat(row));
                add(S::default(), rise)
            })
            .collect();
        // The points that have a row this far from their first one.
        let mut longer: Vec<_> = (0..self.len()).collect();
        keep(&mut longer, |point| self.bounds[point + 1] - self.bounds[point] > 2);
        for ahead in 2.. {
            if longer.is_empty() {
                break;
            }
            keep(&mut longer, |point| {
                let row = self.bounds[point] + ahead;
                let counts_too = is_repeat(row);
                sums[point] = add(sums[point], rise(column.values[row], firsts[point], counts_too));
                counts[point] += counts_too as u32;
                row + 1 < self.bounds[point + 1]
            });
        }
        let numbers = firsts.into_iter().zip(sums).zip(counts);
        Gathered {
            values: numbers.map(|((first, sum), count)| mean(first, sum, count)).collect(),
            validity,
        }
    }

    /// The rows that are not null, but for the first one of each point.
    fn repeats(&self, valid: Bits, leads: &[usize]) -> Vec<u8> {
        let rows = self.bounds[self.len()];
        let mut repeats = Bitmap::with_capacity(rows);
        repeats.extend(rows, |row| valid.word(row));
        let mut repeats = repeats.into_bytes();
        for row in leads {
            repeats[row / 8] &= !(1 << (row % 8));
        }
        repeats
    }
}

/// Keeps some of the points, without a branch for each.
#[inline(always)]
fn keep(points: &mut Vec<usize>, mut is_kept: impl FnMut(usize) -> bool) {
    let mut kept = 0;
    for place in 0..points.len() {
        let point = points[place];
        points[kept] = point;
        kept += usize::from(is_kept(point));
    }
    points.truncate(kept);
}

/// The means of floats.
fn float_means<T: Number>(column: &Slice<'_, T>, points: &Points, period: Option<f64>) -> Gathered<f64> {
    points.means(
        column,
        |number, first, counts| {
            let rise = float_rise(number, first, period);
            f64::from_bits(rise.to_bits() & 0_u64.wrapping_sub(counts))
        },
        |sum, rise| sum + rise,
        float_mean,
    )
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
fn whole_means<T: Number>(column: &Slice<'_, T>, points: &Points, merging: Merging, any: bool) -> Gathered<i128> {
    let digits = merging.mean_digits;
    let period = merging.period.map(|period| period as i128);
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
    points.means(
        &Slice { validity, ..*column },
        |number, first, counts| whole_rise(number, first, period) * i128::from(counts),
        i128::saturating_add,
        |first, sum, count| whole_mean(first, sum, count, digits),
    )
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
            assert_eq!([points.rows(0), points.rows(1), points.rows(2)], [0..1, 1..3, 3..4]);
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
            .map(|(x, row)| if row < 500 { *x } else { row / 2 })
            .collect();
        let mut valid = Bitmap::default();
        for row in 0..rows {
            valid.push(u64::from(row % 3 > 0 && row % 11 > 2), 1);
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
            for point in 0..points.len() {
                let rows = points.rows(point);
                assert!(x[rows.clone()].iter().all(|&own| own == x[rows.start]));
                assert!(x.get(rows.end).is_none_or(|&next| next != x[rows.start]));
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
