//! Windows of a length of x over columns that come in batches.

use std::ops::Range;

use polars::prelude::*;

use super::bits;
use super::evaluator::{Evaluator, valid};
use super::groups::Groups;
use super::numbers::Physical;
use crate::domain::Nulls;
use crate::kernel::Sample;
use crate::segments::{Contiguous, Lengths, Numbers, Slice};

/// What is asked of windows of a length.
#[derive(Clone, Copy)]
pub(super) enum Ask {
    /// The first row that later rows may change, and the rows before it that are still read.
    Settled,
    /// The rows that rows after all of these may read.
    Later,
    /// The rows that rows before all of these may read.
    Earlier,
}

impl Evaluator {
    /// The number of rows that no later row changes, and the ranges of rows that are asked for.
    ///
    /// # Errors
    ///
    /// Where y or x has cells.
    pub(super) fn carry(
        &self,
        y: &Series,
        x: &Series,
        by: &[Series],
        ask: Ask,
    ) -> PolarsResult<(usize, Vec<Range<usize>>)> {
        self.check_flat(y)?;
        self.check_flat(x)?;
        if x.dtype().is_null() || y.dtype().is_null() {
            return Ok((x.len(), Vec::new()));
        }
        let groups = Groups::run_starts(by, x.len())?;
        let numbers = Physical::new(x)?;
        // Of y only its nulls count.
        let validity = valid([Some(y), None, None]);
        let y = Slice {
            values: &[0.0_f64; 0],
            validity: validity.as_ref().map(bits),
        };
        macro_rules! of_numbers {
            ($chunks:expr) => {
                self.carry_of(y, Contiguous::new(&$chunks).slice(), bits(&groups), ask)
            };
        }
        Ok(match numbers.numbers()? {
            Numbers::F64(chunks) => of_numbers!(chunks),
            Numbers::F32(chunks) => of_numbers!(chunks),
            Numbers::I64(chunks) => of_numbers!(chunks),
            Numbers::I128(chunks) => of_numbers!(chunks),
        })
    }

    fn carry_of<X: Sample>(
        &self,
        y: Slice<'_, f64>,
        x: Slice<'_, X>,
        groups: crate::bits::Bits,
        ask: Ask,
    ) -> (usize, Vec<Range<usize>>) {
        let height = x.values.len();
        let Some([before, after]) = self.plan.lengths else {
            return (height, Vec::new());
        };
        let lengths = Lengths {
            y,
            x,
            groups,
            breaks: self.plan.breaks,
            skip_nulls: self.nulls == Nulls::Skip,
            before,
            after,
        };
        match ask {
            Ask::Settled => {
                let settled = lengths.settled();
                (settled, lengths.read_later(settled))
            },
            Ask::Later => (height, lengths.read_later(height)),
            Ask::Earlier => (height, lengths.read_earlier()),
        }
    }
}
