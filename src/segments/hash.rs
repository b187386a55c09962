//! Numbers keys with hash tables.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};

use num_traits::AsPrimitive;

use super::counting::Numbered;
use crate::parallel::par_map;

/// Numbers keys, whose indices `I` can hold, given in parts.
///
/// Each thread numbers the keys of a part with a table of its own. The keys of these tables, few if keys come back often,
/// are then numbered again.
pub(crate) fn number_by_hash<K, I, S>(parts: &[impl Iterator<Item = K> + Clone + Sync], state: &S) -> Numbered<I>
where
    K: Copy + Eq + Hash + Send + Sync,
    I: AsPrimitive<usize> + Send + Sync,
    usize: AsPrimitive<I>,
    S: BuildHasher + Clone + Sync,
{
    let count = parts.iter().map(|keys| keys.size_hint().0).sum();
    let mut numbered = par_map(parts.len(), count, |part| Part::new(parts[part].clone(), state));
    if let [only] = &mut numbered[..] {
        return Numbered {
            parts: vec![std::mem::take(&mut only.numbers)],
            limit: only.keys.len(),
        };
    }
    let (renumbered, limit) = renumber(&numbered, state);
    let parts = par_map(numbered.len(), count, |part| {
        let numbers = numbered[part].numbers.iter();
        numbers.map(|number| renumbered[part][number.as_()]).collect()
    });
    Numbered { parts, limit }
}

/// The keys of a part, numbered in order of their first appearance.
struct Part<K, I> {
    numbers: Vec<I>,
    /// The key of each number, and its hash.
    keys: Vec<(K, u64)>,
}

impl<K, I> Part<K, I>
where
    K: Copy + Eq + Hash,
    I: AsPrimitive<usize>,
    usize: AsPrimitive<I>,
{
    fn new<S: BuildHasher + Clone>(keys: impl Iterator<Item = K>, state: &S) -> Self {
        let mut table = HashMap::with_hasher(state.clone());
        let mut numbers = Vec::with_capacity(keys.size_hint().0);
        let mut distinct = Vec::new();
        for key in keys {
            let number = table.entry(key).or_insert_with(|| {
                distinct.push((key, state.hash_one(key)));
                (distinct.len() - 1).as_()
            });
            numbers.push(*number);
        }
        Self {
            numbers,
            keys: distinct,
        }
    }
}

/// The number that the keys of all parts have together, for each number of a part; and how many keys there are.
fn renumber<K, I, S>(parts: &[Part<K, I>], state: &S) -> (Vec<Vec<I>>, usize)
where
    K: Copy + Eq + Hash + Send + Sync,
    I: AsPrimitive<usize> + Send + Sync,
    usize: AsPrimitive<I>,
    S: BuildHasher + Clone + Sync,
{
    let shares = parts.len();
    // A table takes the low bits of a hash for the place of a key and the high ones for comparing it.
    let share_of = |hash: u64| (hash >> 32) as usize % shares;
    let count = parts.iter().map(|part| part.keys.len()).sum();
    // Each thread numbers a share of the keys: equal keys are in one share.
    let mut numbered = par_map(shares, count, |share| {
        let keys = parts.iter().flat_map(|part| &part.keys);
        let keys = keys.filter(|(_, hash)| share_of(*hash) == share).map(|(key, _)| *key);
        Part::<K, I>::new(keys, state)
    });
    let mut limit = 0;
    for share in &mut numbered {
        let first = limit;
        limit += share.keys.len();
        share
            .numbers
            .iter_mut()
            .for_each(|number| *number = (number.as_() + first).as_());
    }
    let mut numbers: Vec<_> = numbered.iter().map(|share| share.numbers.iter().copied()).collect();
    let mut next = |&(_, hash): &(K, u64)| {
        numbers[share_of(hash)]
            .next()
            .expect("each key of a part is in a share")
    };
    let renumbered = parts.iter().map(|part| part.keys.iter().map(&mut next).collect());
    (renumbered.collect(), limit)
}

#[cfg(test)]
mod tests {
    use std::hash::RandomState;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn equal_keys_of_all_parts_have_one_number(parts in vec(vec(0..20_u8, 0..50), 1..5)) {
            let iterators: Vec<_> = parts.iter().map(|part| part.iter().copied()).collect();
            let numbered: Numbered<u32> = number_by_hash(&iterators, &RandomState::new());
            let numbers = numbered.parts.concat();
            let keys = parts.concat();
            prop_assert_eq!(numbers.len(), keys.len());
            for (key, number) in keys.iter().zip(&numbers) {
                for (other, of_other) in keys.iter().zip(&numbers) {
                    prop_assert_eq!(key == other, number == of_other);
                }
            }
            let mut distinct = numbers;
            distinct.sort_unstable();
            distinct.dedup();
            prop_assert!(distinct.into_iter().eq(0..numbered.limit as u32), "no number without a key");
        }
    }

    #[test]
    fn keys_of_one_part_are_numbered_in_order_of_appearance() {
        let numbered: Numbered<u32> = number_by_hash(&[[7, 3, 7, 5, 3].into_iter()], &RandomState::new());
        assert_eq!((numbered.parts, numbered.limit), (vec![vec![0, 1, 0, 2, 1]], 3));
    }
}
