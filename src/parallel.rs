//! Threads for long columns, within one budget of the process.

#[cfg(any(feature = "polars", feature = "arrow"))]
use std::convert::Infallible;
use std::num::NonZero;
use std::ops::Range;
use std::panic::resume_unwind;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::Builder;

/// Rows from which on a thread pays. Batches of the streaming engine are shorter.
const ROWS_PER_THREAD: usize = 1 << 17;

/// The number of helper threads running now, in all calls together.
static HELPERS: AtomicUsize = AtomicUsize::new(0);

/// The most threads that may work at once: `POLARS_MAX_THREADS` if it is set, else the number of cores.
///
/// A plugin cannot use the thread pool of Polars, so it applies the same limit to its own threads.
pub(crate) fn limit() -> usize {
    static LIMIT: OnceLock<usize> = OnceLock::new();
    *LIMIT.get_or_init(|| {
        let set = std::env::var("POLARS_MAX_THREADS").ok();
        let set = set
            .and_then(|threads| threads.parse().ok())
            .filter(|&threads| threads > 0);
        set.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, NonZero::get))
    })
}

/// Helper threads that a call has taken from the budget, given back when it ends.
pub(crate) struct Helpers(usize);

impl Helpers {
    /// As many as pay for a column of `rows` rows.
    pub(crate) fn for_rows(rows: usize) -> Self {
        match rows / ROWS_PER_THREAD {
            0 | 1 => Self(0),
            threads => Self::take(threads.min(limit()) - 1),
        }
    }

    /// At most `wanted`, and none if the budget is used up.
    fn take(wanted: usize) -> Self {
        let mut taken = 0;
        if wanted > 0 {
            let most = limit() - 1;
            let take = |running: usize| {
                taken = wanted.min(most.saturating_sub(running));
                (taken > 0).then_some(running + taken)
            };
            if HELPERS.fetch_update(Ordering::AcqRel, Ordering::Acquire, take).is_err() {
                taken = 0;
            }
        }
        Self(taken)
    }

    /// The number of threads that work, the calling one included.
    #[cfg(any(feature = "polars", feature = "arrow"))]
    pub(crate) fn threads(&self) -> usize {
        self.0 + 1
    }

    /// One result for each item, in order.
    ///
    /// # Errors
    ///
    /// The first one in order.
    #[cfg(any(feature = "polars", feature = "arrow"))]
    pub(crate) fn map<I: Sync, T: Send, E: Send>(
        &self,
        items: &[I],
        work: impl Fn(&I) -> Result<T, E> + Sync,
    ) -> Result<Vec<T>, E> {
        on_threads(self, items.len(), &|index| work(&items[index]))
    }
}

impl Drop for Helpers {
    fn drop(&mut self) {
        HELPERS.fetch_sub(self.0, Ordering::AcqRel);
    }
}

/// One result per range of rows, in order: a range per thread if threads pay, else a single one. Ranges begin at
/// multiples of `align`.
///
/// The threads live as long as the call. The number of ranges does not change a result.
///
/// # Errors
///
/// The first one in the order of the rows.
pub(crate) fn par_ranges<T: Send, E: Send>(
    rows: usize,
    align: usize,
    work: impl Fn(Range<usize>) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let helpers = Helpers::for_rows(rows);
    let ranges = helpers.0 + 1;
    let start = |range: usize| {
        if range == ranges {
            rows
        } else {
            rows / align * range / ranges * align
        }
    };
    on_threads(&helpers, ranges, &|range| work(start(range)..start(range + 1)))
}

/// Adjacent ranges of rows, as many as threads pay.
#[cfg(any(feature = "polars", feature = "arrow"))]
pub(crate) fn even_ranges(rows: usize) -> Vec<Range<usize>> {
    let ranges = (rows / ROWS_PER_THREAD).clamp(1, limit());
    let start = |range: usize| rows / ranges * range + rows % ranges * range / ranges;
    (0..ranges).map(|range| start(range)..start(range + 1)).collect()
}

/// One result for each of a few columns or parts, which have `rows` rows together, on several threads if these pay.
///
/// # Errors
///
/// The first one in the order of the parts.
#[cfg(any(feature = "polars", feature = "arrow"))]
pub(crate) fn try_par_map<T: Send, E: Send>(
    parts: usize,
    rows: usize,
    work: impl Fn(usize) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let helpers = if rows < ROWS_PER_THREAD {
        Helpers(0)
    } else {
        Helpers::take(parts.saturating_sub(1))
    };
    on_threads(&helpers, parts, &work)
}

/// [`try_par_map`] of work that does not fail.
#[cfg(any(feature = "polars", feature = "arrow"))]
pub(crate) fn par_map<T: Send>(parts: usize, rows: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    match try_par_map(parts, rows, |part| Ok::<_, Infallible>(work(part))) {
        Ok(results) => results,
    }
}

/// One result for each number below `count`. The calling thread and the helpers take the next number when they are
/// free. Through a pointer, so that it is compiled once for a type of result, not once for each loop.
fn on_threads<T: Send, E: Send>(
    helpers: &Helpers,
    count: usize,
    work: &(dyn Fn(usize) -> Result<T, E> + Sync),
) -> Result<Vec<T>, E> {
    if helpers.0 == 0 {
        return (0..count).map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let run = || {
        let mut results = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return results;
            }
            results.push((index, work(index)));
        }
    };
    let mut results = std::thread::scope(|scope| {
        // If the system cannot start a thread, the others do its work.
        let threads = (0..helpers.0).filter_map(|_| Builder::new().spawn_scoped(scope, run).ok());
        let threads: Vec<_> = threads.collect();
        let mut results = run();
        for thread in threads {
            results.extend(thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        results
    });
    results.sort_unstable_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_all_rows_in_order() {
        for (rows, align) in [
            (0, 1),
            (5, 64),
            (3 * ROWS_PER_THREAD + 17, 64),
            (9 * ROWS_PER_THREAD, 7),
        ] {
            let ranges = par_ranges(rows, align, Ok::<_, ()>).expect("no range fails");
            assert_eq!(ranges.first().map(|range| range.start), Some(0));
            assert_eq!(ranges.last().map(|range| range.end), Some(rows));
            for pair in ranges.windows(2) {
                assert_eq!(pair[0].end, pair[1].start);
                assert!(pair[1].start.is_multiple_of(align));
            }
        }
    }

    #[test]
    #[cfg(any(feature = "polars", feature = "arrow"))]
    fn even_ranges_are_all_rows_in_order() {
        for rows in [
            0,
            1,
            ROWS_PER_THREAD,
            3 * ROWS_PER_THREAD + 17,
            1_000 * ROWS_PER_THREAD + 1,
        ] {
            let ranges = even_ranges(rows);
            assert!(ranges.iter().cloned().flatten().eq(0..rows));
            assert!(ranges.len() <= limit());
        }
    }

    #[test]
    fn the_first_error_in_order_is_returned() {
        let fails_from =
            |first: usize| move |range: Range<usize>| if range.end > first { Err(range.start) } else { Ok(()) };
        assert_eq!(par_ranges(5 * ROWS_PER_THREAD, 1, fails_from(0)), Err(0));
        assert_eq!(par_ranges(10, 1, fails_from(10)), Ok(vec![()]));
    }

    #[test]
    fn helpers_keep_to_the_budget_and_are_given_back() {
        let all = Helpers::take(usize::MAX);
        let others = limit() - 1 - all.0;
        assert!(Helpers::take(1_000).0 <= others, "tests beside this one may run some");
        drop(all);
    }
}
