//! Groups equal keys with hash tables.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};

use num_traits::AsPrimitive;

use crate::parallel::par_parts;

/// The indices of keys, those of equal keys side by side in rising order.
pub(crate) struct Grouped<I> {
    pub(crate) indices: Vec<I>,
    /// The number of indices of each key, in order of its first appearance in this part.
    pub(crate) lengths: Vec<I>,
}

/// Groups `count` keys, whose indices `I` can hold, in one part per thread. Equal keys are in the same part.
///
/// Each thread passes over all keys and leaves those that belong to the others.
pub(crate) fn group_by_hash<K, I, S>(
    keys: &(impl Iterator<Item = K> + Clone + Sync),
    count: usize,
    state: &S,
) -> Vec<Grouped<I>>
where
    K: Eq + Hash,
    I: AsPrimitive<usize> + Send,
    usize: AsPrimitive<I>,
    S: BuildHasher + Clone + Sync,
{
    par_parts(count, |part, parts| {
        group_part(keys.clone(), part, parts, state.clone())
    })
}

fn group_part<K, I, S>(keys: impl Iterator<Item = K>, part: usize, parts: usize, state: S) -> Grouped<I>
where
    K: Eq + Hash,
    I: AsPrimitive<usize>,
    usize: AsPrimitive<I>,
    S: BuildHasher,
{
    // A table takes the low bits of a hash for the place of a key and the high ones for comparing it.
    let is_other = |key: &K, state: &S| parts > 1 && (state.hash_one(key) >> 32) as usize % parts != part;
    let mut groups = HashMap::with_hasher(state);
    let mut members: Vec<(I, I)> = Vec::new();
    let mut ends: Vec<usize> = Vec::new();
    for (index, key) in keys.enumerate() {
        if is_other(&key, groups.hasher()) {
            continue;
        }
        let next = ends.len();
        let group = *groups.entry(key).or_insert_with(|| next.as_());
        if group.as_() == next {
            ends.push(0);
        }
        ends[group.as_()] += 1;
        members.push((index.as_(), group));
    }
    drop(groups);
    let lengths = ends.iter().map(|&length| length.as_()).collect();
    let mut end = 0;
    for group in &mut ends {
        end += std::mem::replace(group, end);
    }
    // Each is the start of its group now, and moves to its end.
    let mut indices = vec![0.as_(); members.len()];
    for (index, group) in members {
        let place = &mut ends[group.as_()];
        indices[*place] = index;
        *place += 1;
    }
    Grouped { indices, lengths }
}

#[cfg(test)]
mod tests {
    use std::hash::RandomState;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parts_hold_each_index_once_beside_those_of_equal_keys(keys in vec(0..20_u8, 0..200), parts in 1..4_usize) {
            let state = RandomState::new();
            let mut seen = vec![false; keys.len()];
            let mut found = Vec::new();
            for part in 0..parts {
                let Grouped::<u32> { indices, lengths } = group_part(keys.iter(), part, parts, state.clone());
                let mut rest = &indices[..];
                for length in lengths {
                    let (group, others) = rest.split_at(length as usize);
                    prop_assert!(group.is_sorted());
                    prop_assert!(group.iter().all(|&index| keys[index as usize] == keys[group[0] as usize]));
                    found.push(keys[group[0] as usize]);
                    rest = others;
                }
                prop_assert!(rest.is_empty());
                for index in indices {
                    prop_assert!(!std::mem::replace(&mut seen[index as usize], true));
                }
            }
            prop_assert!(seen.into_iter().all(|seen| seen));
            found.sort_unstable();
            prop_assert!(found.windows(2).all(|pair| pair[0] < pair[1]), "no key in two groups");
        }
    }

    #[test]
    fn groups_of_one_part_are_in_order_of_appearance() {
        let Grouped::<u32> { indices, lengths } = group_part([7, 3, 7, 5, 3].into_iter(), 0, 1, RandomState::new());
        assert_eq!((indices, lengths), (vec![0, 2, 1, 4, 3], vec![2, 2, 1]));
    }
}
