//! Who the neighbours of a row are.

mod shifted;

pub(crate) use shifted::{Chunk, Column, Window, in_step};
