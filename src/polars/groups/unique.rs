//! Tests integers for uniqueness with a bit set that spans their range.

use crate::bits::ROWS;
use crate::parallel::try_par_map;

/// Whether no integer comes twice in all parts together; `None` if the bit set would take more memory than the integers.
pub(super) fn integers_are_unique(parts: &[Vec<i64>]) -> Option<bool> {
    let parts: Vec<_> = parts.iter().filter(|part| !part.is_empty()).collect();
    let count = parts.iter().map(|part| part.len()).sum();
    let sets = match try_par_map(parts.len(), count, |part| BitSet::new(parts[part])) {
        Ok(sets) => sets,
        Err(answer) => return answer,
    };
    let first = sets.iter().map(|part| part.first).min()?;
    let end = sets.iter().map(BitSet::end).max()?;
    let mut all = words(first, end, count)?;
    for part in &sets {
        let all = &mut all[part.first.abs_diff(first) as usize..];
        for (all, part) in all.iter_mut().zip(&part.words) {
            if *all & part != 0 {
                return Some(false);
            }
            *all |= part;
        }
    }
    Some(true)
}

/// A set of integers, 64 per word.
struct BitSet {
    /// The index of the first word: it holds the integers from 64 times this on.
    first: i64,
    words: Vec<u64>,
}

impl BitSet {
    /// # Errors
    ///
    /// The answer of [`integers_are_unique`], if these integers alone decide it.
    fn new(numbers: &[i64]) -> Result<Self, Option<bool>> {
        let (min, max) = numbers.iter().fold((i64::MAX, i64::MIN), |(min, max), &number| {
            (min.min(number), max.max(number))
        });
        let first = word_of(min);
        let mut words = words(first, word_of(max) + 1, numbers.len()).ok_or(None)?;
        for &number in numbers {
            let (word, bit) = (
                &mut words[word_of(number).abs_diff(first) as usize],
                1 << number.rem_euclid(ROWS as i64),
            );
            if *word & bit != 0 {
                return Err(Some(false));
            }
            *word |= bit;
        }
        Ok(Self { first, words })
    }

    fn end(&self) -> i64 {
        self.first + self.words.len() as i64
    }
}

fn word_of(number: i64) -> i64 {
    number.div_euclid(ROWS as i64)
}

/// Zeroed words for a range of word indices, unless these are more than `count`.
fn words(first: i64, end: i64, count: usize) -> Option<Vec<u64>> {
    let length = usize::try_from(end - first).ok()?;
    (length <= count).then(|| vec![0; length])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicates_within_a_part_and_across_parts_are_found() {
        assert_eq!(integers_are_unique(&[vec![3, -1, 2], vec![], vec![64, 65]]), Some(true));
        assert_eq!(integers_are_unique(&[vec![3, -1, 3], vec![64]]), Some(false));
        assert_eq!(integers_are_unique(&[vec![3, -1], vec![5, -1]]), Some(false));
        assert_eq!(integers_are_unique(&[vec![-66, 7, -2], vec![7, 8, 9]]), Some(false));
    }

    #[test]
    fn a_wide_range_is_left_undecided() {
        assert_eq!(integers_are_unique(&[vec![0, 1_000]]), None);
        assert_eq!(integers_are_unique(&[vec![0], vec![1_000]]), None);
        assert_eq!(integers_are_unique(&[vec![i64::MIN, i64::MAX]]), None);
        assert_eq!(integers_are_unique(&[vec![i64::MIN], vec![i64::MAX]]), None);
    }
}
