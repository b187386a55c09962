//! Neighbours by gathering: the rows of a column in another order, or some of them only.
//!
//! They are gathered piece by piece: in many short pieces that lie close together where the rows of few groups take
//! turns, so that memory is read once however many groups there are.

use std::iter::from_fn;
use std::ops::Range;

use num_traits::AsPrimitive;

use crate::bits::{Bitmap, Bits};

/// So many rows, with their y, their x and their slopes, stay in the cache of a core.
const SPAN: usize = 1 << 15;

/// So many that have been gathered stay there besides.
const TILE: usize = 1 << 13;

/// Rows of a column, none of them twice, in the order in which they are neighbours.
pub(crate) struct Gathered<I> {
    rows: Vec<I>,
    /// Which of them start a segment, if not simply those that start a group.
    starts: Option<Vec<u8>>,
}

impl<I: AsPrimitive<usize>> Gathered<I> {
    /// What has to be gathered for groups of rows, and without those not `known`; `None` if the column can stay as it is.
    pub(crate) fn needed(starts: Bits, rows: Option<Vec<I>>, known: Option<Bits>, height: usize) -> Option<Self>
    where
        usize: AsPrimitive<I>,
    {
        match (known, rows) {
            (Some(known), rows) => Some(Self::known(starts, rows.as_deref(), known, height)),
            (None, Some(rows)) => Some(Self { rows, starts: None }),
            (None, None) => None,
        }
    }

    /// The rows that are known, and only those: as if the others were absent.
    fn known(group_starts: Bits, group_rows: Option<&[I]>, known: Bits, height: usize) -> Self
    where
        usize: AsPrimitive<I>,
    {
        let mut rows = Vec::new();
        let mut starts = Bitmap::default();
        let mut starts_here = false;
        for position in 0..group_rows.map_or(height, <[_]>::len) {
            let row = group_rows.map_or(position, |rows| rows[position].as_());
            starts_here |= group_starts.get(position);
            if known.get(row) {
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

    /// Which of the rows start a segment, given those that start a group.
    pub(crate) fn starts<'a>(&'a self, groups: Bits<'a>) -> Bits<'a> {
        self.starts.as_ref().map_or(groups, |starts| Bits::new(starts, 0))
    }

    /// The rows, as they are neighbours.
    pub(crate) fn rows(&self) -> &[I] {
        &self.rows
    }

    /// The segments, if they are few and their rows rise: only then there is something to gain from an order of pieces.
    pub(crate) fn strands(&self, starts: Bits) -> Vec<Range<usize>> {
        /// With more of them a piece would be too short.
        const MOST: usize = SPAN / 16;
        /// Rows that are looked at to see whether they rise.
        const GLANCE: usize = 64;
        let length = self.rows.len();
        let mut strands = Vec::new();
        let mut start = 0;
        for end in starts.ones(length).skip(1).chain([length]) {
            let glance = &self.rows[start..end.min(start + GLANCE)];
            if strands.len() == MOST || !glance.is_sorted_by_key(|row| row.as_()) {
                return Vec::new();
            }
            strands.push(start..end);
            start = end;
        }
        strands
    }

    /// Some of the positions, tile by tile: pieces of the order that fit into the cache together.
    ///
    /// Of `strands` it is those whose rows are in `part`, and pieces that follow each other have rows that lie close
    /// together; without any, it is the positions in `part` themselves.
    pub(crate) fn tiles(
        &self,
        strands: &[Range<usize>],
        part: Range<usize>,
    ) -> impl Iterator<Item = Vec<Range<usize>>> {
        let mut pieces = self.pieces(strands, part);
        from_fn(move || {
            let mut tile = Vec::new();
            let mut rows = 0;
            while rows < TILE {
                let Some(piece) = pieces.next() else { break };
                rows += piece.len();
                tile.push(piece);
            }
            (rows > 0).then_some(tile)
        })
    }

    fn pieces(&self, strands: &[Range<usize>], part: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let cut = |strand: &Range<usize>| self.below(strand, part.start)..self.below(strand, part.end);
        let (mut left, mut limit) = match strands {
            [] => (vec![part], usize::MAX),
            strands => (strands.iter().map(cut).collect(), part.start + SPAN),
        };
        let mut turn = 0;
        from_fn(move || {
            loop {
                let Some(strand) = left.get_mut(turn) else {
                    if left.iter().all(Range::is_empty) {
                        return None;
                    }
                    turn = 0;
                    limit = limit.saturating_add(SPAN);
                    continue;
                };
                let end = self.below(&(strand.start..strand.end.min(strand.start + TILE)), limit);
                let piece = strand.start..end;
                if !piece.is_empty() {
                    strand.start = end;
                    return Some(piece);
                }
                turn += 1;
            }
        })
    }

    /// Where some positions first have a row that is not below a limit.
    fn below(&self, positions: &Range<usize>, limit: usize) -> usize {
        let mut rows = self.rows[positions.clone()].iter();
        rows.position(|row| row.as_() >= limit)
            .map_or(positions.end, |first| positions.start + first)
    }

    /// Which rows of a column have a slope, given those of the gathered ones that have none; `None` if all do.
    pub(crate) fn validity(&self, height: usize, without: &[Vec<I>]) -> Option<Vec<u8>> {
        let are_all = self.rows.len() == height;
        if are_all && without.iter().all(Vec::is_empty) {
            return None;
        }
        let mut valid = vec![if are_all { u8::MAX } else { 0 }; height.div_ceil(8)];
        if !are_all {
            for row in self.rows.iter().map(|row| row.as_()) {
                valid[row / 8] |= 1 << (row % 8);
            }
        }
        for row in without.iter().flatten().map(|row| row.as_()) {
            valid[row / 8] &= !(1 << (row % 8));
        }
        Some(valid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEIGHT: usize = 3 * SPAN + 17;

    /// The rows of so many groups that take turns, group after group.
    fn in_turns(groups: usize) -> (Gathered<u32>, Vec<u8>) {
        let mut rows = Vec::new();
        let mut starts = Bitmap::default();
        for group in 0..groups {
            for row in (group..HEIGHT).step_by(groups) {
                rows.push(row as u32);
                starts.push(u64::from(row == group), 1);
            }
        }
        (Gathered { rows, starts: None }, starts.into_bytes())
    }

    /// The tiles of all parts.
    fn tiles(order: &Gathered<u32>, strands: &[Range<usize>], cuts: &[usize]) -> Vec<Vec<Range<usize>>> {
        let parts = cuts.windows(2).map(|cut| cut[0]..cut[1]);
        parts
            .flat_map(|part| order.tiles(strands, part).collect::<Vec<_>>())
            .collect()
    }

    fn is_each_once(tiles: &[Vec<Range<usize>>]) -> bool {
        let mut all: Vec<_> = tiles.iter().flatten().cloned().flatten().collect();
        all.sort_unstable();
        all.into_iter().eq(0..HEIGHT)
    }

    #[test]
    fn few_groups_are_swept_side_by_side_and_many_one_after_the_other() {
        for (groups, are_few) in [
            (1, true),
            (7, true),
            (SPAN / 16, true),
            (SPAN / 16 + 1, false),
            (HEIGHT, false),
        ] {
            let (order, starts) = in_turns(groups);
            let strands = order.strands(Bits::new(&starts, 0));
            assert_eq!(strands.len(), if are_few { groups } else { 0 }, "{groups} groups");
            for cuts in [&[0, HEIGHT][..], &[0, 5, SPAN + 1, HEIGHT / 2, HEIGHT]] {
                let all = tiles(&order, &strands, cuts);
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
    fn rows_in_any_order_come_once_whoever_takes_them_for_rising() {
        let (mut order, _) = in_turns(3);
        order.rows.rotate_left(1_000);
        order.rows[SPAN..].reverse();
        let strands = [0..10, 10..HEIGHT / 2, HEIGHT / 2..HEIGHT];
        for cuts in [&[0, HEIGHT][..], &[0, 1, SPAN, HEIGHT - 1, HEIGHT]] {
            assert!(is_each_once(&tiles(&order, &strands, cuts)), "{cuts:?}");
        }
        order.rows = (0..HEIGHT as u32).rev().collect();
        assert!(
            order.strands(Bits::new(&vec![0; HEIGHT.div_ceil(8)], 0)).is_empty(),
            "one group whose rows fall"
        );
    }
}
