"""A lazy frame into ordered batches, and back: all that Polars calls unstable is used here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polars.io.plugins import register_io_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import polars as pl


# Numbers in a batch: 16 MB. Handing over a batch from thread to thread takes a while, whatever its size.
VALUES_PER_BATCH = 2_000_000


def to_batches(lf: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    """Run a query, and give its rows in their order, as they come, in bounded memory."""
    rows = max(1, VALUES_PER_BATCH // max(1, len(lf.collect_schema())))
    return iter(lf.collect_batches(engine="streaming", maintain_order=True, lazy=True, chunk_size=rows))


def from_batches(
    batches: Callable[[Sequence[str]], Iterator[pl.DataFrame]], schema: Callable[[], pl.Schema]
) -> pl.LazyFrame:
    """Make a lazy frame of the rows that `batches` gives when it runs, told which columns are needed."""

    def source(
        with_columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, _batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        columns = schema().names() if with_columns is None else with_columns
        needed = columns if predicate is None else list(dict.fromkeys([*columns, *predicate.meta.root_names()]))
        left = n_rows
        for batch in batches(needed):
            # Polars counts rows before it filters them.
            rows = batch if left is None else batch.head(left)
            yield (rows if predicate is None else rows.filter(predicate)).select(columns)
            if left is not None:
                left -= rows.height
                if left == 0:
                    return

    return register_io_source(source, schema=schema)
