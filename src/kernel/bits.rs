//! 64 rows, a bit each.

/// Rows that share a word; their values still are in the first-level cache when some need a second look.
pub(crate) const ROWS: usize = 64;

/// A bit for each byte, all of them zero or one; the first one lowest.
#[inline(always)]
pub(crate) fn word(bytes: &[u8; ROWS]) -> u64 {
    let (eights, _) = bytes.as_chunks::<8>();
    eights.iter().enumerate().fold(0, |word, (index, eight)| {
        // The product brings the lowest bit of every byte into the highest byte.
        let bits = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        word | bits << (8 * index)
    })
}

/// The places of the bits that are set among the lowest ones.
#[inline(always)]
pub(crate) fn places(word: u64, bits: usize) -> impl Iterator<Item = usize> {
    let mut left = word & (u64::MAX >> (ROWS - bits));
    std::iter::from_fn(move || {
        let place = (left != 0).then(|| left.trailing_zeros() as usize);
        left &= left.wrapping_sub(1);
        place
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_has_the_bits_of_its_bytes_and_places_are_found_again() {
        let set = [0, 1, 7, 8, 30, 63];
        let mut bytes = [0; ROWS];
        for place in set {
            bytes[place] = 1;
        }
        let word = word(&bytes);
        assert_eq!(word, set.iter().fold(0, |word, place| word | 1 << place));
        assert!(places(word, ROWS).eq(set));
        assert!(places(word, 8).eq([0, 1, 7]));
    }
}
