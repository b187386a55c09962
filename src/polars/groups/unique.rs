//! Whether integers are distinct, told by a bit for each one from the smallest to the largest.

use crate::bits::ROWS;
use crate::parallel::par_map;

/// Whether no number comes twice; `None` where the bits would be more memory than the numbers themselves.
pub(super) fn integers_are_unique(parts: &[Vec<i64>]) -> Option<bool> {
    let parts: Vec<_> = parts.iter().filter(|part| !part.is_empty()).collect();
    let count = parts.iter().map(|part| part.len()).sum();
    let seen = match par_map(parts.len(), count, |part| Seen::new(parts[part])) {
        Ok(seen) => seen,
        Err(answer) => return answer,
    };
    let first = seen.iter().map(|part| part.first).min()?;
    let end = seen.iter().map(Seen::end).max()?;
    let mut all = words(first, end, count)?;
    for part in &seen {
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

/// Numbers, 64 a word.
struct Seen {
    /// Which 64 numbers the first word stands for.
    first: i64,
    words: Vec<u64>,
}

impl Seen {
    /// # Errors
    ///
    /// The answer, if these numbers alone give it.
    fn new(numbers: &[i64]) -> Result<Self, Option<bool>> {
        let (least, most) = numbers.iter().fold((i64::MAX, i64::MIN), |(least, most), &number| {
            (least.min(number), most.max(number))
        });
        let first = word_of(least);
        let mut words = words(first, word_of(most) + 1, numbers.len()).ok_or(None)?;
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

/// As many words as there are from one to another, unless that is more than there are numbers.
fn words(first: i64, end: i64, count: usize) -> Option<Vec<u64>> {
    let length = usize::try_from(end - first).ok()?;
    (length <= count).then(|| vec![0; length])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_comes_twice_within_a_part_or_in_two() {
        assert_eq!(integers_are_unique(&[vec![3, -1, 2], vec![], vec![64, 65]]), Some(true));
        assert_eq!(integers_are_unique(&[vec![3, -1, 3], vec![64]]), Some(false));
        assert_eq!(integers_are_unique(&[vec![3, -1], vec![5, -1]]), Some(false));
        assert_eq!(integers_are_unique(&[vec![-66, 7, -2], vec![7, 8, 9]]), Some(false));
    }

    #[test]
    fn numbers_far_apart_are_not_compared() {
        assert_eq!(integers_are_unique(&[vec![0, 1_000]]), None);
        assert_eq!(integers_are_unique(&[vec![0], vec![1_000]]), None);
        assert_eq!(integers_are_unique(&[vec![i64::MIN, i64::MAX]]), None);
        assert_eq!(integers_are_unique(&[vec![i64::MIN], vec![i64::MAX]]), None);
    }
}
