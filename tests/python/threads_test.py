"""An operator keeps to the threads that `POLARS_MAX_THREADS` allows, whatever is computed at once."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")

# The most threads at any time of some queries. A thread that lives for less than a look at the list of threads may be
# missed: columns are so long that each helper works for milliseconds, and queries run several times.
COUNT = """
import json
import os
import sys
import threading
import time

os.environ["POLARS_MAX_THREADS"] = sys.argv[1]

import polars as pl

import polars_grad as pg

columns, rows, engine = int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
names = [f"y{column}" for column in range(columns)]
row = pl.int_range(rows)
ys = {name: (row * 31 % 997).cast(pl.Float64) for name in names}
key = row * 7919 % 1009
frame = pl.select(t=row + row % 3 * 0.25, k=key, s=key.cast(pl.String), f=key % 7 / 2, **ys)
queries = {
    "sum": [pl.col(name) + pl.col("t") for name in names],
    "lagged": [pg.gradient(name, "t") for name in names],
    "edge_order=2": [pg.gradient(name, "t", edge_order=2) for name in names],
    "skip": [pg.gradient(name, "t", nulls="skip") for name in names],
    "expression": [pg.gradient(pl.col(name) * 2, "t") for name in names],
    "by": [pg.gradient(name, "t", by="k") for name in names],
    "by a string": [pg.gradient(name, "t", by="s") for name in names[:2]],
    "by two keys": [pg.gradient(name, "t", by=["k", "f"]) for name in names[:2]],
    "by a unique key": [pg.gradient(name, "t", by=pl.col("t") * -1) for name in names[:2]],
    "partials": [pg.partials(name, ["k", "t"]) for name in names[:2]],
}
most = []
done = False


# The name of a thread, or None where its work is done and the system has still to remove it.
def name_of(thread):
    try:
        with open(f"/proc/self/task/{thread}/stat") as stat:
            name, _, fields = stat.read().partition("(")[2].rpartition(")")
    except OSError:
        return None
    return None if int(fields.split()[6]) & 4 else name  # PF_EXITING


def watch():
    global most
    while not done:
        alive = os.listdir("/proc/self/task")
        if len(alive) > len(most):
            most = max(most, [name for name in map(name_of, alive) if name is not None], key=len)


watcher = threading.Thread(target=watch)
watcher.start()
# Threads that Polars starts once and keeps, the last one for a shift on the streaming engine.
frame.lazy().select(pl.col(names[0]).shift(1) + pl.col("t")).collect(engine=engine)
threads = {}
for query, expressions in queries.items():
    most = []
    for _ in range(2):
        frame.lazy().select(expressions).collect(engine=engine)
    while not most:  # the watcher waits for a processor
        time.sleep(0.001)
    threads[query] = sorted(most)
done = True
watcher.join()
print(json.dumps(threads))
"""


def most_threads(run: Run, limit: int, columns: int, rows: int, engine: str) -> dict[str, list[str]]:
    """Return the names of the threads, per query."""
    done = run(COUNT, limit, columns, rows, engine)
    assert done.returncode == 0, done.stderr
    # The allocator has threads of its own, and the streaming engine replaces those of its threads that have to wait.
    not_counted = ("jemalloc", "async-executor")
    queries = json.loads(done.stdout).items()
    return {query: [name for name in names if not name.startswith(not_counted)] for query, names in queries}


def assert_at_most(threads: dict[str, list[str]], more: int) -> None:
    """As many as `y + t` makes on the same engine, and some more."""
    for query, names in threads.items():
        assert len(names) <= len(threads["sum"]) + more, f"{query}: {names}, where y + t has {threads['sum']}"


@pytest.mark.parametrize("columns", [1, 24])
def test_one_thread_makes_no_other(columns: int, engine: str, run: Run) -> None:
    assert_at_most(most_threads(run, 1, columns, 400_000, engine), 0)


def test_one_column_has_a_helper_where_two_threads_are_allowed(run: Run) -> None:
    threads = most_threads(run, 2, 1, 2_000_000, "in-memory")
    assert_at_most(threads, 1)
    # The watcher sees helpers, or no test here would say anything.
    assert len(threads["lagged"]) == len(threads["sum"]) + 1


def test_many_columns_share_one_helper(engine: str, run: Run) -> None:
    assert_at_most(most_threads(run, 2, 24, 400_000, engine), 1)
