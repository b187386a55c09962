//! Nested columns: lists and arrays, differentiated inside of their cells or down the rows.

mod cells;
mod horizontal;
mod inside;
mod rows;
#[cfg(any(feature = "python", test))]
mod width;

pub(super) use self::cells::{Cells, axes, leaf, with_leaf};
#[cfg(feature = "python")]
pub(super) use self::horizontal::Across;
pub use self::horizontal::gradient_horizontal;
#[cfg(feature = "python")]
pub(super) use self::width::check_widths;
