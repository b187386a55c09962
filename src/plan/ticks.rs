//! Durations as whole numbers of ticks.

use crate::dispatch::{Kernel, dispatch};

/// The nearest whole number of ticks of a duration, if 64 bits hold it.
#[inline(always)]
pub(crate) fn ticks(duration: f64) -> Option<i64> {
    let nearest = duration.round_ties_even();
    let fits = nearest >= i64::MIN as f64 && nearest < i64::MAX as f64;
    fits.then_some(nearest as i64)
}

/// The [`ticks`] of some durations, if 64 bits hold all of them.
pub(crate) fn all_ticks(durations: &[f64]) -> Option<Vec<i64>> {
    let mut ticks = Vec::with_capacity(durations.len());
    dispatch(AllTicks {
        durations,
        ticks: &mut ticks,
    })
    .then_some(ticks)
}

struct AllTicks<'a> {
    durations: &'a [f64],
    ticks: &'a mut Vec<i64>,
}

impl Kernel for AllTicks<'_> {
    type Output = bool;

    #[inline(always)]
    fn run(self) -> bool {
        let mut all_fit = true;
        self.ticks.extend(self.durations.iter().map(|&duration| {
            let ticks = ticks(duration);
            all_fit &= ticks.is_some();
            ticks.unwrap_or_default()
        }));
        all_fit
    }
}
