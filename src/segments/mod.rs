//! Which rows belong to the same segment, and which rows are the neighbours of each.
//!
//! - `column`: the numbers of a column
//! - `half`: halves as wider floats, and back
//! - `narrow`: integers of 128 bits in 64, where these hold them
//! - `lag`: the same column, some rows before or after
//! - `rules`: what ends a segment: a known start, a null, a gap
//! - `hash`: numbers of keys, by which `counting` groups them
//! - `merge`: rows of equal x as one point
//! - `sigma`: the standard deviations of y
//! - `whole`: the segments of a whole column
//! - `ring`: the rows around the seam where the last row of a group stands before its first
//! - `carry`: the rows of a batch that windows of a length in others read
//! - `order`: the rows in another order or some of them; gathered a `tile` at a time, written back by `scatter`

mod carry;
#[cfg(any(feature = "polars", feature = "arrow"))]
mod column;
#[cfg(any(feature = "polars", feature = "arrow"))]
mod counting;
#[cfg(any(feature = "polars", feature = "arrow"))]
mod half;
#[cfg(any(feature = "polars", feature = "arrow"))]
mod hash;
#[cfg(any(feature = "polars", feature = "arrow"))]
mod lag;
#[cfg(any(feature = "polars", feature = "arrow"))]
mod merge;
#[cfg(any(feature = "polars", feature = "arrow"))]
mod narrow;
#[cfg(any(feature = "polars", feature = "arrow"))]
mod order;
mod reach;
#[cfg(any(feature = "polars", feature = "arrow"))]
mod ring;
mod rules;
#[cfg(any(feature = "polars", feature = "arrow"))]
mod scatter;
#[cfg(any(feature = "polars", feature = "arrow"))]
mod sigma;
mod slice;
#[cfg(any(feature = "polars", feature = "arrow"))]
mod tile;
mod whole;

pub(crate) use carry::Lengths;
#[cfg(any(feature = "polars", feature = "arrow"))]
pub(crate) use column::{Chunk, Contiguous, Number, Numbers, OwnedNumbers};
#[cfg(feature = "polars")]
pub(crate) use counting::Grouped;
#[cfg(any(feature = "polars", feature = "arrow"))]
pub(crate) use counting::Numbered;
#[cfg(any(feature = "polars", feature = "arrow"))]
pub(crate) use half::{Half, halves};
#[cfg(any(feature = "polars", feature = "arrow"))]
pub(crate) use hash::number_by_hash;
#[cfg(any(feature = "polars", feature = "arrow"))]
pub(crate) use lag::{InGroup, Lags, for_each_chunk, in_column};
#[cfg(any(feature = "polars", feature = "arrow"))]
pub(crate) use merge::{Merged, Merging};
#[cfg(any(feature = "polars", feature = "arrow"))]
pub(crate) use narrow::{narrowed, with_values};
#[cfg(any(feature = "polars", feature = "arrow"))]
pub(crate) use order::{RowOrder, Scatter};
pub use reach::Reach;
#[cfg(any(feature = "polars", feature = "arrow"))]
pub(crate) use ring::{Across, Around, Period, Ring, rings};
pub(crate) use rules::{BreakRules, SegmentRules};
#[cfg(any(feature = "polars", feature = "arrow"))]
pub(crate) use scatter::Atomic;
#[cfg(any(feature = "polars", feature = "arrow"))]
pub(crate) use sigma::{Deviations, padded};
#[cfg(any(feature = "polars", feature = "arrow"))]
pub(crate) use slice::Gathered;
pub(crate) use slice::{Lag, Part, Slice};
#[cfg(any(feature = "polars", feature = "arrow"))]
pub(crate) use tile::Tile;
pub(crate) use whole::Segments;
