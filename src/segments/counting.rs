//! Groups keys by their numbers: a counting sort on several threads.

use num_traits::AsPrimitive;

use super::scatter::{Atomic, ScatterBuffer};
use crate::parallel::par_map;

/// The numbers of keys: equal keys have equal numbers.
pub(crate) struct Numbered<I> {
    /// The numbers of adjacent keys, part after part.
    pub(crate) parts: Vec<Vec<I>>,
    /// All numbers are less than this.
    pub(crate) limit: usize,
}

/// The indices of keys, those of equal keys side by side in rising order.
pub(crate) struct Grouped<I> {
    pub(crate) indices: Vec<I>,
    /// How many indices each number has, which may be none.
    pub(crate) lengths: Vec<I>,
}

impl<I: AsPrimitive<usize>> Grouped<I> {
    /// The number of groups.
    pub(crate) fn groups(&self) -> usize {
        self.lengths.iter().filter(|length| length.as_() > 0).count()
    }

    /// The place of the first index of each group.
    #[cfg(any(feature = "polars", test))]
    pub(crate) fn starts(&self) -> impl Iterator<Item = usize> {
        let mut end = 0;
        let start = move |length: &I| {
            let start = end;
            end += length.as_();
            (end > start).then_some(start)
        };
        self.lengths.iter().filter_map(start)
    }
}

impl<I> Numbered<I>
where
    I: Atomic + AsPrimitive<usize> + Send + Sync,
    usize: AsPrimitive<I>,
{
    /// Groups the keys, whose indices `I` can hold.
    pub(crate) fn group(&self) -> Grouped<I> {
        let count = self.parts.iter().map(Vec::len).sum();
        // Each thread counts for itself: the counts of all take no more memory than two indices per key.
        let threads = self.parts.len().min(2 * count / self.limit.max(1)).max(1);
        let shares: Vec<_> = self.parts.chunks(self.parts.len().div_ceil(threads).max(1)).collect();
        let mut places = par_map(shares.len(), count, |share| self.counts(shares[share]));
        let mut lengths = Vec::with_capacity(self.limit);
        let mut end = 0;
        for number in 0..self.limit {
            let start = end;
            // Of equal keys those of the first share come first.
            for places in &mut places {
                let place = &mut places[number];
                end += std::mem::replace(place, end.as_()).as_();
            }
            lengths.push((end - start).as_());
        }
        let buffer = ScatterBuffer::new(count);
        par_map(shares.len(), count, |share| {
            let first = shares[..share].iter().copied().flatten().map(Vec::len).sum::<usize>();
            let mut places = places[share].clone();
            for (index, number) in (first..).zip(shares[share].iter().flatten()) {
                let place = &mut places[number.as_()];
                buffer.set(place.as_(), index.as_());
                *place = (place.as_() + 1).as_();
            }
        });
        Grouped {
            indices: buffer.into_values(),
            lengths,
        }
    }

    /// How many keys have each number.
    fn counts(&self, parts: &[Vec<I>]) -> Vec<I> {
        let mut counts = vec![0.as_(); self.limit];
        for number in parts.iter().flatten() {
            let count = &mut counts[number.as_()];
            *count = (count.as_() + 1).as_();
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn indices_are_sorted_by_number_and_then_rise(parts in vec(vec(0..20_u32, 0..50), 0..4), limit in 20..200_usize) {
            let numbers = parts.concat();
            let Grouped { indices, lengths } = Numbered { parts, limit }.group();
            let mut expected: Vec<_> = (0..numbers.len() as u32).collect();
            expected.sort_by_key(|&index| numbers[index as usize]);
            prop_assert_eq!(indices, expected);
            let count = |number| numbers.iter().filter(|&&other| other == number).count() as u32;
            prop_assert_eq!(lengths, (0..limit as u32).map(count).collect::<Vec<_>>());
        }
    }

    #[test]
    fn numbers_without_a_key_are_no_groups() {
        let numbered = Numbered {
            parts: vec![vec![4_u32, 1], vec![4, 7]],
            limit: 9,
        };
        let grouped = numbered.group();
        assert_eq!(grouped.groups(), 3);
        assert!(grouped.starts().eq([0, 1, 3]));
    }
}
