//! Which cores a long column is worth.

use std::num::NonZero;
use std::ops::Range;
use std::panic::resume_unwind;
use std::thread::Builder;

/// Fewer rows do not pay for a thread; and the batches of the streaming engine are no longer.
const ROWS_PER_THREAD: usize = 1 << 17;

/// One result per core for a column long enough to pay for the threads, in the order of the rows; else a single one.
/// So many rows in a row stay together.
///
/// The threads live as long as the call: a plugin cannot borrow those of Polars, and a pool of its own would compete with
/// them. On the streaming engine, which keeps all cores busy with short batches, no thread is ever started.
///
/// # Errors
///
/// The first one that `work` returns.
pub(crate) fn in_parallel_together<T: Send, E: Send>(
    rows: usize,
    together: usize,
    work: impl Fn(Range<usize>) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let parts = match rows / ROWS_PER_THREAD {
        // Asking for the number of cores takes as long as 20,000 rows.
        0 | 1 => 1,
        worth => worth.min(std::thread::available_parallelism().map_or(1, NonZero::get)),
    };
    let end = |part: usize| {
        if part == parts {
            rows
        } else {
            rows / together * part / parts * together
        }
    };
    each_on_a_thread(parts, |part| work(end(part)..end(part + 1)))
}

/// [`in_parallel_together`], where any rows may be apart.
#[cfg(feature = "polars")]
pub(crate) fn in_parallel<T: Send, E: Send>(
    rows: usize,
    work: impl Fn(Range<usize>) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    in_parallel_together(rows, 1, work)
}

/// One result for each of a few columns, on a thread each if they are long enough to pay for it.
///
/// # Errors
///
/// The first one that `work` returns.
#[cfg(feature = "polars")]
pub(crate) fn side_by_side<T: Send, E: Send>(
    columns: usize,
    rows: usize,
    work: impl Fn(usize) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    if rows < ROWS_PER_THREAD {
        return (0..columns).map(work).collect();
    }
    each_on_a_thread(columns, work)
}

fn each_on_a_thread<T: Send, E: Send>(count: usize, work: impl Fn(usize) -> Result<T, E> + Sync) -> Result<Vec<T>, E> {
    let work = &work;
    std::thread::scope(|scope| {
        let spawn = |index| (index, Builder::new().spawn_scoped(scope, move || work(index)));
        let others: Vec<_> = (1..count).map(spawn).collect();
        let first = work(0);
        let others = others.into_iter().map(|(index, thread)| match thread {
            Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
            // The system has no thread to spare.
            Err(_) => work(index),
        });
        std::iter::once(first).chain(others).collect()
    })
}
