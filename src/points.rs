//! Points of several rows: evaluated tile by tile where the operator reads adjacent points, and written to their rows.
//!
//! The rows of a tile are merged, the points are evaluated, and the results of rows are appended while all of them are in
//! the cache. A tile has a halo of the points that the operator reads beyond it.

use std::ops::Range;

use crate::bits::{Bits, ROWS, high_mask, set_bits};
use crate::column::{Mode, by_output};
use crate::dispatch::{Kernel, dispatch};
use crate::operators::{Column, Form, Repeats, Valid};
use crate::parallel::par_ranges;
use crate::plan::Plan;
use crate::run::{Parts, Results, RowIndex, Whole};
use crate::segments::{Merged, Merging, Numbers, Part, RowOrder};

/// Rows whose points fit into the second-level cache.
const TILE: usize = 1 << 13;

/// Rows before a tile that are looked at for the points that the first one reads.
const HALO: usize = ROWS;

/// The most rows that a tile may have, for a long point.
const LONGEST: usize = 1 << 16;

impl Plan {
    /// The results of all rows of y and x, merged and evaluated tile by tile.
    ///
    /// `None` if the column must be merged as a whole: for operators by segments, if a point is longer than a tile, and
    /// if a row is wrong, since the ends of a halo may be wrong where the column is not.
    pub(crate) fn over_tiles_of_points<I: RowIndex>(
        &self,
        columns: [&Numbers; 2],
        rows: usize,
        groups: Bits,
        merging: Merging,
        mode: Mode,
    ) -> Option<Parts> {
        if rows == 0 || !matches!(self.operator.form(), Form::Rows(_)) {
            return None;
        }
        let column = ByPoints {
            columns,
            rows,
            groups,
            merging,
        };
        let of_part = |part| self.over_part::<I>(&column, part, mode).ok_or(());
        let parts = if mode.parallel {
            par_ranges(rows, 1, of_part)
        } else {
            of_part(0..rows).map(|part| vec![part])
        };
        parts.ok().map(RowResults::into_parts)
    }

    /// The results of the points that begin in a part of the rows.
    fn over_part<I: RowIndex>(&self, column: &ByPoints, part: Range<usize>, mode: Mode) -> Option<RowResults> {
        let reach = self.operator.reach();
        let mut results = RowResults::default();
        // The points that begin before this row have results.
        let mut next = part.start;
        let (mut start, mut length) = (next.saturating_sub(HALO), TILE);
        loop {
            let around = start..column.rows.min(next + length);
            let merged = column.merged(around.clone());
            // The first and the last point may have rows beyond these.
            let is_enough = start == 0 || merged.next_point(next - start) > reach.before;
            let known = if around.end == column.rows {
                merged.len()
            } else {
                merged.len().saturating_sub(reach.after + 1)
            };
            let end = merged.next_point(part.end - start);
            let is_last = part.end <= around.end && end <= known;
            let points = merged.next_point(next - start)..if is_last { end } else { known };
            if !is_enough || points.is_empty() && !is_last {
                start = start.saturating_sub(length);
                length *= 8;
                if length > LONGEST {
                    return None;
                }
                continue;
            }
            let end = points.end;
            let tile = Tile { merged, points };
            self.append_tile::<I>(&tile, mode, &mut results, part.len())?;
            if is_last {
                return Some(results);
            }
            next = start + tile.merged.first_row(end);
            start += tile.merged.first_row(end.saturating_sub(reach.before + 1));
            length = TILE;
        }
    }

    /// Appends the results of the rows of a tile; `None` if a row is wrong.
    fn append_tile<I: RowIndex>(
        &self,
        tile: &Tile,
        mode: Mode,
        results: &mut RowResults,
        capacity: usize,
    ) -> Option<()> {
        let Tile { merged, points } = tile;
        if mode.strict && merged.too_large().is_some() {
            return None;
        }
        let whole = Whole {
            y: merged.y(),
            x: Some(merged.x()),
            sigma: None,
            order: None::<&RowOrder<I>>,
            starts: merged.starts(),
        };
        let mode = Mode {
            parallel: false,
            ..mode
        };
        let of_points = self.over_rows(whole, merged.len(), mode, None).ok()?;
        let repeats = self.operator.describe().repeats();
        macro_rules! append {
            ($columns:expr, $parts:expr) => {{
                let outputs = by_output($parts);
                $columns.resize_with(outputs.len(), || Column::with_capacity(capacity));
                for (column, parts) in $columns.iter_mut().zip(outputs) {
                    append_rows(merged, &parts, points.clone(), repeats, column);
                }
            }};
        }
        match of_points.numbers {
            Parts::F64(parts) => append!(results.f64, parts),
            Parts::F32(parts) => append!(results.f32, parts),
            Parts::I128(parts) => append!(results.i128, parts),
        }
        Some(())
    }

    /// The results of all rows, from those of points.
    pub(crate) fn of_rows(&self, of_points: Results, merged: &Merged) -> Results {
        let repeats = self.operator.describe().repeats();
        let points = 0..merged.len();
        macro_rules! rows {
            ($parts:expr) => {{
                let outputs = by_output($parts).into_iter();
                let rows = outputs.map(|parts| {
                    let mut column = Column::with_capacity(merged.rows_of(points.clone()).len());
                    append_rows(merged, &parts, points.clone(), repeats, &mut column);
                    column.into_part()
                });
                vec![rows.collect()]
            }};
        }
        let words = of_points.words.into_iter().map(|words| vec![words]).collect();
        let words: Vec<Vec<_>> = rows!(words);
        Results {
            words: words.into_iter().flatten().collect(),
            numbers: match of_points.numbers {
                Parts::F64(parts) => Parts::F64(rows!(parts)),
                Parts::F32(parts) => Parts::F32(rows!(parts)),
                Parts::I128(parts) => Parts::I128(rows!(parts)),
            },
        }
    }
}

/// A column that is evaluated point by point.
struct ByPoints<'a> {
    /// y and x.
    columns: [&'a Numbers<'a>; 2],
    rows: usize,
    /// The rows that start a group.
    groups: Bits<'a>,
    merging: Merging,
}

impl ByPoints<'_> {
    /// The points of adjacent rows.
    fn merged(&self, rows: Range<usize>) -> Merged {
        let [y, x] = self.columns.map(|column| column.part(rows.clone()));
        Merged::new(&y, &x, self.groups.from(rows.start), self.merging)
    }
}

/// The points of a tile and of its halo.
struct Tile {
    merged: Merged,
    /// Those that begin in the tile.
    points: Range<usize>,
}

/// The results of adjacent rows, of one of three types.
#[derive(Default)]
struct RowResults {
    f64: Vec<Column<f64>>,
    f32: Vec<Column<f32>>,
    i128: Vec<Column<i128>>,
}

impl RowResults {
    fn into_parts(parts: Vec<Self>) -> Parts {
        fn all<O>(columns: impl Iterator<Item = Vec<Column<O>>>) -> Vec<Vec<Part<O>>> {
            let parts = columns.map(|columns| columns.into_iter().map(Column::into_part).collect());
            parts.collect()
        }
        let parts = parts.into_iter();
        match parts.as_slice().first() {
            Some(part) if !part.i128.is_empty() => Parts::I128(all(parts.map(|part| part.i128))),
            Some(part) if !part.f32.is_empty() => Parts::F32(all(parts.map(|part| part.f32))),
            _ => Parts::F64(all(parts.map(|part| part.f64))),
        }
    }
}

/// Appends the results of the rows of some points, from those of all points in parts. Of the rows of a point that are not
/// null the first gets the result, the others what `repeats` says.
fn append_rows<O: Copy + Default>(
    merged: &Merged,
    parts: &[Part<O>],
    points: Range<usize>,
    repeats: Repeats,
    column: &mut Column<O>,
) {
    let mut start = 0;
    for (of_points, valid_points) in parts {
        let part = start..start + of_points.len();
        let points = points.start.max(part.start)..points.end.min(part.end);
        start = part.end;
        if points.is_empty() {
            continue;
        }
        dispatch(AppendRows {
            merged,
            rows: merged.rows_of(points.clone()),
            walk: Walk {
                next: points.start - part.start,
                has_result: false,
            },
            of_points,
            valid_points: valid_points.as_ref().map(|bytes| Bits::new(bytes, 0)),
            repeats,
            column,
        });
    }
}

/// The loop that appends the results of adjacent rows.
struct AppendRows<'a, O> {
    merged: &'a Merged,
    rows: Range<usize>,
    walk: Walk,
    of_points: &'a [O],
    valid_points: Option<Bits<'a>>,
    repeats: Repeats,
    column: &'a mut Column<O>,
}

impl<O: Copy + Default> Kernel for AppendRows<'_, O> {
    type Output = ();

    // It copies results one by one.
    const WIDEST: bool = false;

    #[inline(always)]
    fn run(self) {
        let Self {
            merged,
            rows,
            mut walk,
            of_points,
            valid_points,
            repeats,
            column,
        } = self;
        let mut valid = Valid::new(rows.len());
        for row in rows.clone().step_by(ROWS) {
            let count = ROWS.min(rows.end - row);
            let first = merged.is_first().word(row) & !high_mask(count);
            let of_rows = merged.valid().word(row);
            let mut valid_rows = of_rows;
            if let Some(valid_points) = valid_points {
                valid_rows &= walk.mask(first, count, valid_points);
            }
            let repeated = if repeats == Repeats::Each {
                0
            } else {
                walk.repeated(first, of_rows, count)
            };
            let values = column.values_mut();
            let block = values.len();
            walk.append(first, count, of_points, values);
            set_bits(repeated, count).for_each(|place| values[block + place] = O::default());
            match repeats {
                Repeats::FirstThenZero => valid_rows |= repeated,
                Repeats::Each | Repeats::FirstThenNull => valid_rows &= !repeated,
            }
            valid.push(row - rows.start, valid_rows | high_mask(count));
        }
        column.extend_validity(&valid);
    }
}

/// A walk over the rows of points, 64 at a time, given which of them begin a point.
struct Walk {
    /// The point after that of the last row.
    next: usize,
    /// Whether a row of that point has its result.
    has_result: bool,
}

impl Walk {
    /// Mask of the rows whose point has a bit.
    #[inline(always)]
    fn mask(&self, first: u64, count: usize, points: Bits) -> u64 {
        let has_before = self.next == 0 || points.get(self.next - 1);
        let begun = match first.count_ones() as usize {
            0 => u64::MAX,
            begun => points.word(self.next) | high_mask(begun),
        };
        // Usually all points have one.
        if has_before && begun == u64::MAX {
            return u64::MAX;
        }
        let mut next = self.next;
        (0..count).fold(0, |mask, place| {
            next += (first >> place & 1) as usize;
            mask | u64::from(points.get(next - 1)) << place
        })
    }

    /// Mask of the rows that are not null, but for the first of each point.
    #[inline(always)]
    fn repeated(&mut self, first: u64, valid: u64, count: usize) -> u64 {
        (0..count).fold(0, |mask, place| {
            let is_valid = valid >> place & 1 != 0;
            self.has_result &= first >> place & 1 == 0;
            let is_repeated = self.has_result & is_valid;
            self.has_result |= is_valid;
            mask | u64::from(is_repeated) << place
        })
    }

    /// Appends the value of the point of each row, and goes on to the next rows.
    #[inline(always)]
    fn append<O: Copy + Default>(&mut self, first: u64, count: usize, points: &[O], values: &mut Vec<O>) {
        let before = self.next.checked_sub(1);
        self.next += first.count_ones() as usize;
        // The point of the row before, and those that begin here.
        let window = before.and_then(|before| points[before..].first_chunk::<{ ROWS + 1 }>());
        match (first, before, window) {
            (u64::MAX, ..) => values.extend_from_slice(&points[self.next - ROWS..self.next]),
            (0, Some(before), _) => values.resize(values.len() + count, points[before]),
            (_, _, Some(window)) if count == ROWS => {
                let (mut point, mut left) = (0, first);
                values.extend((0..ROWS).map(|_| {
                    point += (left & 1) as usize;
                    left >>= 1;
                    window[point]
                }));
            },
            _ => {
                let mut next = before.map_or(0, |before| before + 1);
                values.extend((0..count).map(|place| {
                    next += (first >> place & 1) as usize;
                    points[next - 1]
                }));
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Domain, Duplicates};
    use crate::inputs::Inputs;
    use crate::operators::{Derivative, EdgeOrder, Gradient, Increase, Operator};
    use crate::segments::Chunk;
    use crate::units::ColumnInfo;

    const MODE: Mode = Mode {
        strict: true,
        parallel: true,
    };

    fn plan(operator: impl Into<Operator>, duplicates: Duplicates) -> Plan {
        let column = ColumnInfo::of_floats;
        let domain = Domain::<()>::new().duplicates(duplicates);
        let inputs = Inputs::new(column("y"), Some(column("x")));
        Plan::new(&operator.into(), inputs, &domain).expect("numbers")
    }

    fn merging(duplicates: Duplicates) -> Merging {
        Merging {
            duplicates,
            mean_digits: 0,
            period: None,
            split_at_nulls: false,
        }
    }

    /// The bits of the values that are not null.
    fn values(parts: Parts) -> Vec<Option<u64>> {
        let Parts::F64(parts) = parts else { panic!("floats") };
        let parts = by_output(parts).swap_remove(0);
        let of_part = |(values, validity): &Part<f64>| {
            let valid = validity.as_ref().map(|bytes| Bits::new(bytes, 0));
            let value = |row: usize| valid.is_none_or(|valid| valid.get(row)).then(|| values[row].to_bits());
            (0..values.len()).map(value).collect::<Vec<_>>()
        };
        parts.iter().flat_map(of_part).collect()
    }

    /// Points of one to `longest` rows, which cross the ends of all tiles.
    fn coordinates(rows: usize, longest: usize) -> Vec<f64> {
        let mut x = Vec::with_capacity(rows);
        for point in 0.. {
            let length = if point % 50 == 0 { longest } else { 1 + point * 7 % 3 };
            x.extend(std::iter::repeat_n(point as f64, length.min(rows - x.len())));
            if x.len() == rows {
                return x;
            }
        }
        x
    }

    #[test]
    fn tiles_have_the_bits_of_the_column_as_a_whole() {
        let rows = 5 * TILE / 2;
        let y: Vec<_> = (0..rows).map(|row| (row * 7_919 % 1_009) as f64 * 0.1).collect();
        let valid: Vec<_> = (0..rows.div_ceil(8))
            .map(|byte| if byte % 40 == 3 { 0b1101_0010 } else { 255 })
            .collect();
        let mut groups = vec![0; rows.div_ceil(8)];
        for start in [0, 1, 9, 700, TILE - 1, TILE + 3, 2 * TILE] {
            groups[start / 8] |= 1 << (start % 8);
        }
        let groups = Bits::new(&groups, 0);
        let third = Derivative::new(3, 4).expect("7 rows");
        let operators: [Operator; 3] = [
            Gradient::new().edge_order(EdgeOrder::Second).into(),
            Increase::new().into(),
            third.into(),
        ];
        for longest in [3, 40, 200, 2_000] {
            let x = coordinates(rows, longest);
            let x = Numbers::F64(vec![Chunk::new(&x[..TILE / 3], None), Chunk::new(&x[TILE / 3..], None)]);
            for validity in [None, Some(Bits::new(&valid, 0))] {
                let y = Numbers::F64(vec![Chunk::new(&y, validity)]);
                for operator in &operators {
                    for duplicates in [Duplicates::First, Duplicates::Last, Duplicates::Mean] {
                        let plan = plan(operator.clone(), duplicates);
                        let column = ByPoints {
                            columns: [&y, &x],
                            rows,
                            groups,
                            merging: merging(duplicates),
                        };
                        let cuts = [0, 1, rows / 5, rows / 5 + 7, rows - 40, rows];
                        let parts = cuts
                            .windows(2)
                            .map(|cut| plan.over_part::<u32>(&column, cut[0]..cut[1], MODE));
                        let parts: Option<Vec<_>> = parts.collect();
                        let tiles = parts.map(RowResults::into_parts);
                        let merged = Merged::new(&y, &x, groups, merging(duplicates));
                        let whole = Whole {
                            y: merged.y(),
                            x: Some(merged.x()),
                            sigma: None,
                            order: None::<&RowOrder<u32>>,
                            starts: merged.starts(),
                        };
                        let of_points = plan.over_rows(whole, merged.len(), MODE, None).expect("x rises");
                        let expected = values(plan.of_rows(of_points, &merged).numbers);
                        assert_eq!(expected.len(), rows);
                        let tiles = values(tiles.expect("no point is too long"));
                        assert!(
                            tiles == expected,
                            "{operator:?}, {duplicates:?}, points of {longest} rows"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_long_point_and_a_wrong_row_are_left_to_the_column_as_a_whole() {
        let rows = 4 * LONGEST;
        let plan = plan(Gradient::new(), Duplicates::First);
        let tiles = |x: &[f64]| {
            let x = Numbers::F64(vec![Chunk::new(x, None)]);
            let groups = [1, 0];
            plan.over_tiles_of_points::<u32>([&x, &x], rows, Bits::new(&groups, 0), merging(Duplicates::First), MODE)
        };
        assert!(tiles(&coordinates(rows, 3)).is_some());
        assert!(tiles(&coordinates(rows, 3 * LONGEST)).is_none());
        let mut turns = coordinates(rows, 3);
        turns[rows - 9] = 0.0;
        assert!(tiles(&turns).is_none());
    }
}
