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

columns, rows = int(sys.argv[2]), int(sys.argv[3])
names = [f"y{column}" for column in range(columns)]
row = pl.int_range(rows)
ys = {name: (row * 31 % 997).cast(pl.Float64) for name in names}
frame = pl.select(t=row + row % 3 * 0.25, k=row * 7919 % 1009, **ys)
queries = {
    "sum": [pl.col(name) + pl.col("t") for name in names],
    "lagged": [pg.gradient(name, "t") for name in names],
    "edge_order=2": [pg.gradient(name, "t", edge_order=2) for name in names],
    "skip": [pg.gradient(name, "t", nulls="skip") for name in names],
    "expression": [pg.gradient(pl.col(name) * 2, "t") for name in names],
    "by": [pg.gradient(name, "t", by="k") for name in names],
}
most = 0
done = False


# Threads whose work is done, and that the system has still to remove.
def is_ending(thread):
    try:
        with open(f"/proc/self/task/{thread}/stat", "rb") as stat:
            flags = int(stat.read().rpartition(b") ")[2].split()[6])
    except OSError:
        return True
    return flags & 4 != 0  # PF_EXITING


def watch():
    global most
    while not done:
        threads = os.listdir("/proc/self/task")
        if len(threads) > most:
            most = max(most, sum(not is_ending(thread) for thread in threads))


watcher = threading.Thread(target=watch)
watcher.start()
# Threads that Polars starts once and keeps, the last one for a shift on the streaming engine.
for engine in ("in-memory", "streaming"):
    frame.lazy().select(pl.col(names[0]).shift(1) + pl.col("t")).collect(engine=engine)
threads = {}
for name, query in queries.items():
    for engine in ("in-memory", "streaming"):
        most = 0
        for _ in range(3):
            frame.lazy().select(query).collect(engine=engine)
        while most == 0:  # the watcher waits for a processor
            time.sleep(0.001)
        threads[f"{name}, {engine}"] = most
done = True
watcher.join()
print(json.dumps(threads))
"""


def most_threads(run: Run, limit: int, columns: int, rows: int) -> dict[str, int]:
    done = run(COUNT, limit, columns, rows)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def assert_at_most(threads: dict[str, int], more: int, limit: int) -> None:
    """As many as `y + t` makes on the same engine, and some more."""
    for query, number in threads.items():
        name, engine = query.split(", ")
        # Groups are found with the Polars inside of the plugin, which has a pool of its own; the call waits for it.
        pool = limit if name == "by" else 0
        assert number <= threads[f"sum, {engine}"] + more + pool, threads


def test_one_thread_makes_no_other(run: Run) -> None:
    assert_at_most(most_threads(run, limit=1, columns=1, rows=1_000_000), 0, limit=1)


def test_one_column_has_a_helper_where_two_threads_are_allowed(run: Run) -> None:
    threads = most_threads(run, limit=2, columns=1, rows=2_000_000)
    assert_at_most(threads, 1, limit=2)
    # The watcher sees helpers, or no test here would say anything.
    assert threads["lagged, in-memory"] == threads["sum, in-memory"] + 1, threads


def test_many_columns_share_one_helper(run: Run) -> None:
    assert_at_most(most_threads(run, limit=2, columns=24, rows=400_000), 1, limit=2)
