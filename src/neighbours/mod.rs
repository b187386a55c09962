//! Who the neighbours of a row are.
//!
//! - [`shifted`](mod@shifted): the rows before and after it, by the same column, shifted.
//! - [`segments`]: the same, but not across the start of a segment known beforehand, as where a key changes.
//! - [`apart`]: the same, but not across what the values tell: a null, a gap.
//! - [`gathered`]: the rows before and after it in another order, or with rows left out.

mod apart;
mod changes;
mod gathered;
mod groups;
mod segments;
mod shifted;

pub(crate) use apart::Apart;
pub(crate) use gathered::Gathered;
pub(crate) use groups::Groups;
pub(crate) use segments::Segments;
pub(crate) use shifted::{Chunk, Column, Window, both, in_step};
