"""A lazy frame as ordered batches, and back: all that Polars calls unstable is used here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import polars.selectors as cs
from polars.io.plugins import register_io_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


# Numbers in a batch: 12 MB. Handing over a batch from thread to thread takes a while, whatever its size. So does a call
# of the plugin for each column, which is why a batch of a thousand columns has more numbers. Batches of 16 MB saved no
# time: three operators over 100 million rows took 570 to 610 MB of memory, where they now take 470 to 550.
VALUES_PER_BATCH = 1_500_000
FEWEST_ROWS = 5_000


def to_batches(lf: pl.LazyFrame, columns: int) -> Iterator[pl.DataFrame]:
    """Run a query of so many columns, and give its rows in their order, as they come, in bounded memory."""
    rows = max(FEWEST_ROWS, VALUES_PER_BATCH // max(1, columns))
    return iter(lf.collect_batches(engine="streaming", maintain_order=True, lazy=True, chunk_size=rows))


def from_batches(
    batches: Callable[[Sequence[str]], Iterator[pl.DataFrame]], schema: Callable[[], pl.Schema]
) -> pl.LazyFrame:
    """
    Make a lazy frame of the rows that `batches` gives when it runs.

    It is called with the columns that are needed; if there are none, only the heights of its frames count.
    """

    def with_barrier() -> pl.Schema:
        columns = schema()
        return pl.Schema([*columns.items(), (unlike(columns), pl.Null())])

    def source(
        with_columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, _batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        own = schema()
        barrier = unlike(own)
        columns = [*own, barrier] if with_columns is None else with_columns
        left = n_rows
        for batch in batches([column for column in columns if column != barrier]):
            # Polars counts rows before it filters them.
            rows = batch if left is None else batch.head(left)
            if barrier in columns:
                rows = rows.with_columns(pl.lit(None).alias(barrier))
            rows = rows if rows.columns == columns else rows[columns]
            yield rows if predicate is None else rows.filter(predicate)
            if left is not None:
                left -= rows.height
                if left == 0:
                    return

    # Polars hands a filter to a source in serialized form, which needs cloudpickle if it calls Python, and fails if
    # what it calls cannot be pickled. A filter does not pass a `shift`; the column that is shifted is dropped, so that
    # nothing remains of it when the query runs. A source with something on top is also read once in a self-join.
    lf = register_io_source(source, schema=with_barrier, is_pure=True)
    return lf.with_columns(cs.last().shift()).select(~cs.last())


def unlike(names: Iterable[str]) -> str:
    """Return a name that is longer than any of these, and so none of them."""
    return "_" * (1 + max(map(len, names), default=0))
