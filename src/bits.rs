//! Bitmaps with one bit per row, and words of 64 rows.

/// Rows per word. Their values are still in the first-level cache when some rows are computed again.
pub(crate) const ROWS: usize = 64;

/// A borrowed bitmap, least significant bit first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bits<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Bits<'a> {
    /// The bits of `bytes` from the bit `offset` on.
    pub(crate) const fn new(bytes: &'a [u8], offset: usize) -> Self {
        Self { bytes, offset }
    }

    /// The bits from `row` on.
    pub(crate) fn from(self, row: usize) -> Self {
        Self::new(self.bytes, self.offset + row)
    }

    #[inline(always)]
    pub(crate) fn get(self, row: usize) -> bool {
        let place = self.offset + row;
        self.bytes[place / 8] >> (place % 8) & 1 != 0
    }

    /// The bits of 64 rows from `row` on. Bits beyond the end are unspecified.
    #[inline(always)]
    pub(crate) fn word(self, row: usize) -> u64 {
        let place = self.offset + row;
        let bytes = self.bytes.get(place / 8..).unwrap_or_default();
        // 64 bits that are not aligned to a byte extend into a ninth one.
        let Some((eight, &[ninth, ..])) = bytes.split_first_chunk() else {
            return last(bytes) >> (place % 8);
        };
        u64::from_le_bytes(*eight) >> (place % 8) | u64::from(ninth) << 1 << (63 - place % 8)
    }

    /// Those of the first `rows` rows whose bit is set.
    pub(crate) fn ones(self, rows: usize) -> impl Iterator<Item = usize> {
        let mut row = 0;
        let words = std::iter::from_fn(move || {
            row = self.next_word(row, rows);
            let first = row;
            row += ROWS;
            (first < rows).then_some(first)
        });
        words.flat_map(move |row| set_bits(self.word(row), ROWS.min(rows - row)).map(move |place| row + place))
    }

    /// The first row from one on, below `rows`, whose bit is set; else `rows`.
    pub(crate) fn next_one(self, row: usize, rows: usize) -> usize {
        let row = self.next_word(row, rows);
        if row < rows {
            rows.min(row + self.word(row).trailing_zeros() as usize)
        } else {
            rows
        }
    }

    /// A row from one on, up to which no bit is set, and from which on one is set in the next 64 rows; `rows` or more if none
    /// is set below that.
    #[inline(always)]
    fn next_word(self, mut row: usize, rows: usize) -> usize {
        while row < rows && self.word(row) == 0 {
            row += ROWS.max(self.zeros(row));
        }
        row
    }

    /// The last row before one whose bit is set.
    pub(crate) fn last_one(self, row: usize) -> Option<usize> {
        let mut end = row;
        while end > 0 {
            // The last 64 rows, and the 64 before them, and so on.
            let first = end.saturating_sub(ROWS);
            let word = self.word(first) & u64::MAX >> (ROWS - (end - first));
            if word != 0 {
                return Some(first + word.ilog2() as usize);
            }
            end = first - self.zeros_before(first);
        }
        None
    }

    /// The number of rows from one on in chunks of bytes that are zero.
    fn zeros(self, row: usize) -> usize {
        let place = self.offset + row;
        let chunks = self.bytes.get(place / 8..).unwrap_or_default().as_chunks().0;
        (zeros(chunks.iter()) * 8 * ZEROS).saturating_sub(place % 8)
    }

    /// The number of rows before one in chunks of bytes that are zero.
    fn zeros_before(self, row: usize) -> usize {
        let place = self.offset + row;
        let (bytes, rest) = self.bytes.split_at(self.bytes.len().min(place / 8));
        let is_zero = rest.first().is_none_or(|byte| byte & !(u8::MAX << (place % 8)) == 0);
        let chunks = bytes.as_rchunks().1;
        match zeros(chunks.iter().rev()) {
            chunks @ 1.. if is_zero => row.min(chunks * 8 * ZEROS + place % 8),
            _ => 0,
        }
    }
}

/// Bytes that are looked at together where most are zero.
const ZEROS: usize = 64;

/// The number of chunks before the first one that is not zero.
fn zeros<'a>(chunks: impl Iterator<Item = &'a [u8; ZEROS]>) -> usize {
    chunks
        .take_while(|bytes| bytes.iter().fold(0, |all, byte| all | byte) == 0)
        .count()
}

/// At most eight bytes as a little-endian number.
#[cold]
fn last(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// The bits of 64 rows; all ones without a bitmap.
#[inline(always)]
pub(crate) fn word_or_ones(bits: Option<Bits>, row: usize) -> u64 {
    bits.map_or(u64::MAX, |bits| bits.word(row))
}

/// A growing bitmap.
#[derive(Debug, Default)]
pub(crate) struct Bitmap {
    bytes: Vec<u8>,
    /// The bits that do not fill a word yet.
    last: u64,
    length: usize,
}

impl Bitmap {
    pub(crate) fn with_capacity(rows: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(rows.div_ceil(ROWS) * size_of::<u64>()),
            ..Self::default()
        }
    }

    /// A bit for each of `rows` rows, set for those in `set`.
    #[cfg(any(feature = "polars", feature = "arrow"))]
    pub(crate) fn of_rows(rows: usize, set: impl IntoIterator<Item = usize>) -> Self {
        let mut bitmap = Self::with_capacity(rows);
        bitmap.extend(rows, |_| 0);
        set.into_iter().for_each(|row| bitmap.set(row));
        bitmap
    }

    /// Appends the lowest `bits` bits of a word, at least one.
    #[inline(always)]
    pub(crate) fn push(&mut self, word: u64, bits: usize) {
        let word = word & low_mask(bits);
        let filled = self.length % ROWS;
        self.last |= word << filled;
        if filled + bits >= ROWS {
            self.bytes.extend_from_slice(&self.last.to_le_bytes());
            self.last = word >> 1 >> (ROWS - 1 - filled);
        }
        self.length += bits;
    }

    /// Appends `bits` bits; `word` returns the bits of 64 rows from a row on.
    pub(crate) fn extend(&mut self, bits: usize, word: impl Fn(usize) -> u64) {
        for row in (0..bits).step_by(ROWS) {
            self.push(word(row), ROWS.min(bits - row));
        }
    }

    /// Sets a bit that has been appended.
    pub(crate) fn set(&mut self, row: usize) {
        match self.bytes.get_mut(row / 8) {
            Some(byte) => *byte |= 1 << (row % 8),
            None => self.last |= 1 << (row % ROWS),
        }
    }

    pub(crate) fn into_bytes(mut self) -> Vec<u8> {
        self.bytes.extend_from_slice(&self.last.to_le_bytes());
        self.bytes
    }
}

/// Mask of the lowest `bits` bits, from 1 to 64.
#[inline(always)]
fn low_mask(bits: usize) -> u64 {
    u64::MAX >> (ROWS - bits)
}

/// Mask of the bits of a word from bit `rows` on; `rows` is at least 1.
#[inline(always)]
pub(crate) fn high_mask(rows: usize) -> u64 {
    !low_mask(ROWS.min(rows))
}

/// Packs 64 bytes, each 0 or 1, into a word; the first byte becomes the lowest bit.
#[inline(always)]
pub(crate) fn movemask(bytes: &[u8; ROWS]) -> u64 {
    let (eights, _) = bytes.as_chunks::<8>();
    eights.iter().enumerate().fold(0, |word, (index, eight)| {
        // The product brings the lowest bit of every byte into the highest byte.
        let bits = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        word | bits << (8 * index)
    })
}

/// Mask of the values that differ from the values at the same index of `other`.
#[cfg(feature = "polars")]
#[inline(always)]
pub(crate) fn differ<T: PartialEq>(values: &[T; ROWS], other: &[T; ROWS]) -> u64 {
    (0..ROWS).fold(0, |word, place| {
        word | u64::from(values[place] != other[place]) << place
    })
}

/// Compresses the even bits of a word into its lower half.
#[cfg(feature = "polars")]
#[inline(always)]
pub(crate) fn every_other(word: u64) -> u64 {
    let mut bits = word & 0x5555_5555_5555_5555;
    bits = (bits | bits >> 1) & 0x3333_3333_3333_3333;
    bits = (bits | bits >> 2) & 0x0f0f_0f0f_0f0f_0f0f;
    bits = (bits | bits >> 4) & 0x00ff_00ff_00ff_00ff;
    bits = (bits | bits >> 8) & 0x0000_ffff_0000_ffff;
    (bits | bits >> 16) & 0x0000_0000_ffff_ffff
}

/// The positions of the set bits among the lowest `bits`.
#[inline(always)]
pub(crate) fn set_bits(word: u64, bits: usize) -> impl Iterator<Item = usize> {
    let mut left = word & low_mask(bits);
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
        let word = movemask(&bytes);
        assert_eq!(word, set.iter().fold(0, |word, place| word | 1 << place));
        assert!(set_bits(word, ROWS).eq(set));
        assert!(set_bits(word, 8).eq([0, 1, 7]));
    }

    #[test]
    fn a_bitmap_reads_as_it_was_written_from_any_row_on() {
        let row = |row: usize| row.is_multiple_of(3) || row % 7 == 2;
        let mut bitmap = Bitmap::with_capacity(300);
        let mut rows = 0..300;
        for bits in [1, 63, 64, 5, 64, 60, 43] {
            let word = rows.by_ref().take(bits).enumerate();
            let word = word.fold(0, |word, (place, r)| word | u64::from(row(r)) << place);
            // Bits beyond those asked for are not taken.
            bitmap.push(word | u64::MAX.checked_shl(bits as u32).unwrap_or(0), bits);
        }
        let bytes = bitmap.into_bytes();
        for first in [0, 1, 8, 63, 64, 100, 236, 290] {
            let bits = Bits::new(&bytes, 0).from(first);
            let word = bits.word(0);
            for place in 0..ROWS.min(300 - first) {
                assert_eq!(word >> place & 1 != 0, row(first + place), "row {first} + {place}");
                assert_eq!(bits.get(place), row(first + place));
            }
        }
    }

    #[test]
    fn bits_are_found_behind_long_runs_without_any() {
        let set = [0, 3, 700, 1_290, 4_095];
        let mut bytes = [0_u8; 513];
        for row in set {
            bytes[row / 8] |= 1 << (row % 8);
        }
        // Beyond the end of the rows.
        bytes[512] = 1;
        for first in [0, 1, 3, 5, 100, 699, 701, 1_291] {
            let bits = Bits::new(&bytes, first);
            let expected = set.iter().filter(|&&row| row >= first).map(|row| row - first);
            let rows = 4_096 - first;
            assert!(bits.ones(rows).eq(expected.clone()), "from {first}");
            for row in [0, 1, 64, 130, 600] {
                let next = expected.clone().find(|&one| one >= row);
                assert_eq!(bits.next_one(row, rows), next.unwrap_or(rows), "from {first} + {row}");
            }
            for row in [0, 1, 5, 64, 700, 1_290, 1_291, 2_000, 2_788, 4_094 - first, rows] {
                let last = expected.clone().take_while(|&one| one < row).last();
                assert_eq!(bits.last_one(row), last, "from {first} + {row}");
            }
            assert_eq!(bits.next_one(rows, rows), rows);
            assert_eq!(bits.next_one(4_000 - first, 4_090 - first), 4_090 - first);
        }
    }
}
