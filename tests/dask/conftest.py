"""A cluster of two processes, started once; batches are whatever partitions are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dask
import pytest
from distributed import Client, LocalCluster
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

settings.register_profile(
    "tests", deadline=None, max_examples=60, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("tests")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Client]:
    """Two workers, each a process of its own, that nothing but loopback connects."""
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1") as cluster,
        Client(cluster) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def here() -> Iterator[None]:
    """This process alone, for many small frames."""
    as_it_is = {"dataframe.convert-string": False, "dataframe.shuffle.method": "tasks"}
    with dask.config.set({"scheduler": "sync", **as_it_is}):
        yield
