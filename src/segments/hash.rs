//! Numbers keys with hash tables.
//!
//! A table of many keys does not fit in the cache. Keys are looked up in batches: loads for different keys do not depend on
//! each other, so that the processor waits for several cache misses at once.

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
    S: BuildHasher + Sync,
{
    let count = parts.iter().map(|keys| keys.size_hint().0).sum();
    let mut numbered = par_map(parts.len(), count, |part| {
        Part::new(parts[part].clone().map(|key| (key, state.hash_one(key))))
    });
    if let [only] = &mut numbered[..] {
        return Numbered {
            parts: vec![std::mem::take(&mut only.numbers)],
            limit: only.keys.len(),
        };
    }
    let (renumbered, limit) = renumber(&numbered);
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
    K: Copy + Eq,
    I: AsPrimitive<usize>,
    usize: AsPrimitive<I>,
{
    /// Numbers keys, given with their hashes.
    fn new(mut keys: impl Iterator<Item = (K, u64)>) -> Self {
        let mut table = Table::new();
        let mut numbers = Vec::with_capacity(keys.size_hint().0);
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            batch.clear();
            batch.extend(keys.by_ref().take(BATCH));
            if batch.is_empty() {
                let keys = table.keys;
                return Self { numbers, keys };
            }
            table.append(&batch, &mut numbers);
        }
    }
}

/// The number that the keys of all parts have together, for each number of a part; and how many keys there are.
fn renumber<K, I>(parts: &[Part<K, I>]) -> (Vec<Vec<I>>, usize)
where
    K: Copy + Eq + Send + Sync,
    I: AsPrimitive<usize> + Send + Sync,
    usize: AsPrimitive<I>,
{
    let shares = parts.len();
    // A table takes the low bits of a hash for the place of a key.
    let share_of = |hash: u64| (hash >> 32) as usize % shares;
    let count = parts.iter().map(|part| part.keys.len()).sum();
    // Each thread numbers a share of the keys: equal keys are in one share.
    let mut numbered = par_map(shares, count, |share| {
        let keys = parts.iter().flat_map(|part| &part.keys).copied();
        Part::<K, I>::new(keys.filter(|&(_, hash)| share_of(hash) == share))
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
    let mut next = |&(_, hash): &(K, u64)| numbers[share_of(hash)].next().expect("each key is in a share");
    let renumbered = parts.iter().map(|part| part.keys.iter().map(&mut next).collect());
    (renumbered.collect(), limit)
}

/// Keys that are looked up together.
const BATCH: usize = 64;

/// A hash table with linear probing, at most half full.
struct Table<K, I> {
    /// A power of two of them.
    slots: Vec<Slot<I>>,
    /// The key of each number, and its hash.
    keys: Vec<(K, u64)>,
}

/// A number, and the upper half of the hash of its key. Empty if no key has the number.
#[derive(Clone, Copy)]
struct Slot<I> {
    tag: u32,
    number: I,
}

impl<I> Slot<I>
where
    I: AsPrimitive<usize>,
    usize: AsPrimitive<I>,
{
    fn new(number: usize, hash: u64) -> Self {
        Self {
            tag: (hash >> 32) as u32,
            number: number.as_(),
        }
    }

    /// The largest number, which no key has.
    fn empty() -> Self {
        Self::new(usize::MAX, 0)
    }

    fn has_tag_of(self, hash: u64) -> bool {
        self.tag == (hash >> 32) as u32
    }
}

impl<K, I> Table<K, I>
where
    K: Copy + Eq,
    I: AsPrimitive<usize>,
    usize: AsPrimitive<I>,
{
    fn new() -> Self {
        Self {
            slots: vec![Slot::empty(); 8 * BATCH],
            keys: Vec::new(),
        }
    }

    /// Appends the numbers of at most [`BATCH`] keys; a new key gets the next number.
    fn append(&mut self, batch: &[(K, u64)], numbers: &mut Vec<I>) {
        if 2 * (self.keys.len() + batch.len()) > self.slots.len() {
            self.grow();
        }
        let mut slots = [Slot::empty(); BATCH];
        for (slot, &(_, hash)) in slots.iter_mut().zip(batch) {
            *slot = self.slots[self.first(hash)];
        }
        let mut found = [None; BATCH];
        for ((found, slot), &(_, hash)) in found.iter_mut().zip(&slots).zip(batch) {
            if slot.has_tag_of(hash) {
                *found = self.keys.get(slot.number.as_());
            }
        }
        // The keys move when one is inserted.
        let found = found.map(|key| key.map(|&(key, _)| key));
        for ((&(key, hash), slot), found) in batch.iter().zip(&slots).zip(found) {
            let is_found = found.is_some_and(|found| found == key);
            numbers.push(if is_found { slot.number } else { self.number(key, hash) });
        }
    }

    /// The number of a key.
    fn number(&mut self, key: K, hash: u64) -> I {
        let mut place = self.first(hash);
        loop {
            let slot = self.slots[place];
            match self.keys.get(slot.number.as_()) {
                None => break,
                Some(&(found, _)) if slot.has_tag_of(hash) && found == key => return slot.number,
                Some(_) => place = (place + 1) & (self.slots.len() - 1),
            }
        }
        let number = self.keys.len();
        self.slots[place] = Slot::new(number, hash);
        self.keys.push((key, hash));
        number.as_()
    }

    /// The first place of a key.
    fn first(&self, hash: u64) -> usize {
        hash as usize & (self.slots.len() - 1)
    }

    #[cold]
    fn grow(&mut self) {
        self.slots = vec![Slot::empty(); 2 * self.slots.len()];
        for number in 0..self.keys.len() {
            let hash = self.keys[number].1;
            let mut place = self.first(hash);
            while self.keys.get(self.slots[place].number.as_()).is_some() {
                place = (place + 1) & (self.slots.len() - 1);
            }
            self.slots[place] = Slot::new(number, hash);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::{Hasher, RandomState};

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

    /// Hashes that collide in their low bits, in their tags or in both.
    struct Colliding;

    impl BuildHasher for Colliding {
        type Hasher = Few;

        fn build_hasher(&self) -> Few {
            Few(0)
        }
    }

    struct Few(u64);

    impl Hasher for Few {
        fn finish(&self) -> u64 {
            (self.0 % 3) | ((self.0 % 5) << 32) | ((self.0 % 2) << 9)
        }

        fn write(&mut self, bytes: &[u8]) {
            self.0 = bytes.iter().fold(self.0, |hash, byte| hash * 7 + u64::from(*byte));
        }
    }

    #[test]
    fn keys_of_equal_hashes_have_numbers_of_their_own() {
        let keys: Vec<u32> = (0..3_000).map(|row| row * row % 1_499).collect();
        let halves = [keys[..1_000].iter().copied(), keys[1_000..].iter().copied()];
        let numbered: Numbered<u32> = number_by_hash(&halves, &Colliding);
        let numbers = numbered.parts.concat();
        let mut key_of = vec![None; numbered.limit];
        for (key, number) in keys.iter().zip(numbers) {
            assert_eq!(key_of[number as usize].get_or_insert(key), &key);
        }
        let distinct: HashSet<_> = keys.iter().collect();
        assert_eq!(numbered.limit, distinct.len());
    }

    #[test]
    fn keys_of_one_part_are_numbered_in_order_of_appearance() {
        let numbered: Numbered<u32> = number_by_hash(&[[7, 3, 7, 5, 3].into_iter()], &RandomState::new());
        assert_eq!((numbered.parts, numbered.limit), (vec![vec![0, 1, 0, 2, 1]], 3));
    }
}
