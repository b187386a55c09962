//! Row orders: all or some rows of a column in the order in which they are neighbours.
//!
//! Rows are gathered a tile at a time. If few segments interleave, a tile consists of short ranges of all of them whose
//! rows are close together, so that each cache line is read once.

use std::iter::from_fn;
use std::ops::Range;

use num_traits::AsPrimitive;

use super::scatter::{Atomic, ScatterBuffer};
use super::slice::Part;
use crate::bits::{Bitmap, Bits};

/// Rows of the column whose y, x and results fit into the cache of a core.
const SPAN: usize = 1 << 15;

/// Gathered rows that stay there besides.
const TILE: usize = 1 << 13;

/// Rows of a column in the order in which they are neighbours; no row comes twice.
pub(crate) struct RowOrder<I> {
    rows: Vec<I>,
    /// The positions that start a segment; `None` if they are those that start a group.
    starts: Option<Vec<u8>>,
}

impl<I: AsPrimitive<usize>> RowOrder<I> {
    /// The order of groups without the rows that are not `valid`; `None` if it is the order of the column.
    pub(crate) fn new(starts: Bits, rows: Option<Vec<I>>, valid: Option<Bits>, height: usize) -> Option<Self>
    where
        usize: AsPrimitive<I>,
    {
        match (valid, rows) {
            (Some(valid), rows) => Some(Self::of_valid(starts, rows.as_deref(), valid, height)),
            (None, Some(rows)) => Some(Self { rows, starts: None }),
            (None, None) => None,
        }
    }

    /// The valid rows alone.
    fn of_valid(group_starts: Bits, group_rows: Option<&[I]>, valid: Bits, height: usize) -> Self
    where
        usize: AsPrimitive<I>,
    {
        let mut rows = Vec::new();
        let mut starts = Bitmap::default();
        let mut starts_here = false;
        for position in 0..group_rows.map_or(height, <[_]>::len) {
            let row = group_rows.map_or(position, |rows| rows[position].as_());
            starts_here |= group_starts.get(position);
            if valid.get(row) {
                rows.push(row.as_());
                starts.push(starts_here.into(), 1);
                starts_here = false;
            }
        }
        Self {
            rows,
            starts: Some(starts.into_bytes()),
        }
    }

    /// The rows that start a segment, given those that start a group.
    pub(crate) fn starts<'a>(&'a self, groups: Bits<'a>) -> Bits<'a> {
        self.starts.as_ref().map_or(groups, |starts| Bits::new(starts, 0))
    }

    /// Some numbers of the rows, in this order.
    pub(crate) fn gather(&self, numbers: &[f64]) -> Vec<f64> {
        self.rows.iter().map(|row| numbers[row.as_()]).collect()
    }

    /// The rows in the order in which they are neighbours.
    pub(crate) fn rows(&self) -> &[I] {
        &self.rows
    }

    /// The segments if tiles of short ranges pay: if they are few and their rows rise. Else empty.
    pub(crate) fn segments(&self, starts: Bits) -> Vec<Range<usize>> {
        /// With more segments the ranges would be too short.
        const MOST: usize = SPAN / 16;
        /// Rows that are checked for rising.
        const CHECKED: usize = 64;
        let length = self.rows.len();
        let mut segments = Vec::new();
        let mut start = 0;
        for end in starts.ones(length).skip(1).chain([length]) {
            let checked = &self.rows[start..end.min(start + CHECKED)];
            if segments.len() == MOST || !checked.is_sorted_by_key(|row| row.as_()) {
                return Vec::new();
            }
            segments.push(start..end);
            start = end;
        }
        segments
    }

    /// Ranges of positions, tile by tile. The ranges of a tile fit into the cache together.
    ///
    /// With `segments` these are the positions whose rows are in `part`, and the rows of successive ranges are close
    /// together. Without, they are the positions in `part`.
    pub(crate) fn tiles(
        &self,
        segments: &[Range<usize>],
        part: Range<usize>,
    ) -> impl Iterator<Item = Vec<Range<usize>>> {
        let mut ranges = self.ranges(segments, part);
        from_fn(move || {
            let mut tile = Vec::new();
            let mut rows = 0;
            while rows < TILE {
                let Some(range) = ranges.next() else { break };
                rows += range.len();
                tile.push(range);
            }
            (rows > 0).then_some(tile)
        })
    }

    fn ranges(&self, segments: &[Range<usize>], part: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let cut = |segment: &Range<usize>| self.below(segment, part.start)..self.below(segment, part.end);
        let (mut left, mut limit) = match segments {
            [] => (vec![part], usize::MAX),
            segments => (segments.iter().map(cut).collect(), part.start + SPAN),
        };
        let mut turn = 0;
        from_fn(move || {
            loop {
                let Some(segment) = left.get_mut(turn) else {
                    if left.iter().all(Range::is_empty) {
                        return None;
                    }
                    turn = 0;
                    limit = limit.saturating_add(SPAN);
                    continue;
                };
                let end = self.below(&(segment.start..segment.end.min(segment.start + TILE)), limit);
                let range = segment.start..end;
                if !range.is_empty() {
                    segment.start = end;
                    return Some(range);
                }
                turn += 1;
            }
        })
    }

    /// The first of some positions whose row is not below a limit.
    fn below(&self, positions: &Range<usize>, limit: usize) -> usize {
        let mut rows = self.rows[positions.clone()].iter();
        rows.position(|row| row.as_() >= limit)
            .map_or(positions.end, |first| positions.start + first)
    }

    /// The results of a column whose results are in this order: part after part, one for each output.
    pub(crate) fn scatter<O: Atomic>(&self, parts: Vec<Vec<Part<O>>>, outputs: usize, height: usize) -> Vec<Part<O>> {
        let scatter = Scatter::new(self, outputs, height);
        let mut nulls = vec![Vec::new(); outputs];
        let mut start = 0;
        for part in parts {
            let end = start + part.first().map_or(0, |(values, _)| values.len());
            scatter.set(&part, &[(0, start..end)], &mut nulls);
            start = end;
        }
        scatter.into_column(&[nulls])
    }

    /// Bitmap of the rows of a column that have a result, given the rows of the order without one; `None` if all do.
    fn validity<'a>(&self, height: usize, nulls: impl Iterator<Item = &'a [I]> + Clone) -> Option<Vec<u8>>
    where
        I: 'a,
    {
        let are_all = self.rows.len() == height;
        if are_all && nulls.clone().all(<[I]>::is_empty) {
            return None;
        }
        let mut valid = vec![if are_all { u8::MAX } else { 0 }; height.div_ceil(8)];
        if !are_all {
            for row in self.rows.iter().map(|row| row.as_()) {
                valid[row / 8] |= 1 << (row % 8);
            }
        }
        for row in nulls.flatten().map(|row| row.as_()) {
            valid[row / 8] &= !(1 << (row % 8));
        }
        Some(valid)
    }
}

/// Results on their way from a row order to the column, from any thread.
pub(crate) struct Scatter<'a, I, O: Atomic> {
    order: &'a RowOrder<I>,
    height: usize,
    buffers: Vec<ScatterBuffer<O>>,
}

impl<'a, I: AsPrimitive<usize>, O: Atomic> Scatter<'a, I, O> {
    pub(crate) fn new(order: &'a RowOrder<I>, outputs: usize, height: usize) -> Self {
        Self {
            order,
            height,
            buffers: (0..outputs).map(|_| ScatterBuffer::new(height)).collect(),
        }
    }

    /// Sets the results at ranges of positions, each from a place of the results on. Appends the rows that are null in
    /// each output to `nulls`.
    pub(crate) fn set(&self, results: &[Part<O>], ranges: &[(usize, Range<usize>)], nulls: &mut [Vec<I>]) {
        for (((values, validity), buffer), nulls) in results.iter().zip(&self.buffers).zip(nulls) {
            let validity = validity.as_ref().map(|bytes| Bits::new(bytes, 0));
            for (first, positions) in ranges {
                let rows = &self.order.rows[positions.clone()];
                for (place, (&row, &value)) in (*first..).zip(rows.iter().zip(&values[*first..])) {
                    buffer.set(row.as_(), value);
                    if validity.is_some_and(|valid| !valid.get(place)) {
                        nulls.push(row);
                    }
                }
            }
        }
    }

    /// The column, given all rows that are null: one list for each output, from each thread.
    pub(crate) fn into_column(self, nulls: &[Vec<Vec<I>>]) -> Vec<Part<O>> {
        let part = |(output, buffer): (usize, ScatterBuffer<O>)| {
            let nulls = nulls.iter().map(|nulls| nulls[output].as_slice());
            (buffer.into_values(), self.order.validity(self.height, nulls))
        };
        self.buffers.into_iter().enumerate().map(part).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEIGHT: usize = 3 * SPAN + 17;

    /// The rows of this many interleaved groups, group after group.
    fn in_turns(groups: usize) -> (RowOrder<u32>, Vec<u8>) {
        let mut rows = Vec::new();
        let mut starts = Bitmap::default();
        for group in 0..groups {
            for row in (group..HEIGHT).step_by(groups) {
                rows.push(row as u32);
                starts.push(u64::from(row == group), 1);
            }
        }
        (RowOrder { rows, starts: None }, starts.into_bytes())
    }

    /// The tiles of all parts.
    fn tiles(order: &RowOrder<u32>, segments: &[Range<usize>], cuts: &[usize]) -> Vec<Vec<Range<usize>>> {
        let parts = cuts.windows(2).map(|cut| cut[0]..cut[1]);
        parts
            .flat_map(|part| order.tiles(segments, part).collect::<Vec<_>>())
            .collect()
    }

    fn is_each_once(tiles: &[Vec<Range<usize>>]) -> bool {
        let mut all: Vec<_> = tiles.iter().flatten().cloned().flatten().collect();
        all.sort_unstable();
        all.into_iter().eq(0..HEIGHT)
    }

    #[test]
    fn few_segments_interleave_in_tiles_and_many_follow_each_other() {
        for (groups, are_few) in [
            (1, true),
            (7, true),
            (SPAN / 16, true),
            (SPAN / 16 + 1, false),
            (HEIGHT, false),
        ] {
            let (order, starts) = in_turns(groups);
            let segments = order.segments(Bits::new(&starts, 0));
            assert_eq!(segments.len(), if are_few { groups } else { 0 }, "{groups} groups");
            for cuts in [&[0, HEIGHT][..], &[0, 5, HEIGHT], &[0, 5, SPAN + 1, HEIGHT / 2, HEIGHT]] {
                let all = tiles(&order, &segments, cuts);
                assert!(is_each_once(&all), "{groups} groups, {cuts:?}");
                for tile in &all {
                    let rows = tile
                        .iter()
                        .cloned()
                        .flatten()
                        .map(|position: usize| order.rows()[position]);
                    let (low, high) = rows.fold((u32::MAX, 0), |(low, high), row| (low.min(row), high.max(row)));
                    // A tile may end one span and begin the next.
                    assert!(
                        !are_few || ((high - low) as usize) < 2 * SPAN,
                        "{groups} groups, {cuts:?}"
                    );
                    assert!(tile.iter().map(Range::len).sum::<usize>() < 2 * TILE);
                }
            }
        }
    }

    #[test]
    fn rows_in_any_order_come_once_even_if_they_are_taken_for_rising() {
        let (mut order, _) = in_turns(3);
        order.rows.rotate_left(1_000);
        order.rows[SPAN..].reverse();
        let segments = [0..10, 10..HEIGHT / 2, HEIGHT / 2..HEIGHT];
        for cuts in [&[0, HEIGHT][..], &[0, 1, SPAN, HEIGHT - 1, HEIGHT]] {
            assert!(is_each_once(&tiles(&order, &segments, cuts)), "{cuts:?}");
        }
        order.rows = (0..HEIGHT as u32).rev().collect();
        assert!(
            order.segments(Bits::new(&vec![0; HEIGHT.div_ceil(8)], 0)).is_empty(),
            "one group whose rows fall"
        );
    }
}
