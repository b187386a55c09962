//! Who stands before and after each row of a column.
//!
//! - `window`: the same column, one row further on; whoever moved it there.
//! - `links`: … but not across the start of a segment known beforehand, a null or a gap.
//! - `gathered`: the rows in another order, or some of them only; a `tile` of them at a time, put back into their `slots`.

#[cfg(any(feature = "polars", feature = "arrow"))]
mod gathered;
mod links;
#[cfg(any(feature = "polars", feature = "arrow"))]
mod slots;
#[cfg(any(feature = "polars", feature = "arrow"))]
mod tile;
mod window;

#[cfg(any(feature = "polars", feature = "arrow"))]
pub(crate) use gathered::Gathered;
pub(crate) use links::{Apart, Links, Reached};
#[cfg(any(feature = "polars", feature = "arrow"))]
pub(crate) use slots::Slots;
#[cfg(any(feature = "polars", feature = "arrow"))]
pub(crate) use tile::Tile;
#[cfg(any(feature = "polars", feature = "arrow"))]
pub(crate) use window::in_step;
#[cfg(feature = "arrow")]
pub(crate) use window::moved;
pub(crate) use window::{Chunk, Column};
