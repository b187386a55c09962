//! Which cores a long column is worth.

use std::num::NonZero;
use std::ops::Range;
use std::panic::resume_unwind;
use std::thread::Builder;

/// One result per core for a column long enough to pay for the threads, in the order of the rows; else a single one.
///
/// The threads live as long as the call: a plugin cannot borrow those of Polars, and a pool of its own would compete with
/// them. On the streaming engine, which keeps all cores busy with short batches, no thread is ever started.
///
/// # Errors
///
/// The first one that `work` returns.
pub(crate) fn in_parallel<T: Send, E: Send>(
    rows: usize,
    work: impl Fn(Range<usize>) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    const ROWS_PER_THREAD: usize = 1 << 17;
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let parts = cores.min(rows / ROWS_PER_THREAD).max(1);
    let work = &work;
    let part = move |index: usize| rows * index / parts..rows * (index + 1) / parts;
    std::thread::scope(|scope| {
        let spawn = |index| (index, Builder::new().spawn_scoped(scope, move || work(part(index))));
        let others: Vec<_> = (1..parts).map(spawn).collect();
        let first = work(part(0));
        let others = others.into_iter().map(|(index, thread)| match thread {
            Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
            // The system has no thread to spare.
            Err(_) => work(part(index)),
        });
        std::iter::once(first).chain(others).collect()
    })
}
