"""A Spark cluster on the loopback: two executors in processes of their own; their logs are in `work` beside pyspark."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pyspark
import pytest
from pyspark.sql import SparkSession

if TYPE_CHECKING:
    from collections.abc import Iterator

# A host's name need not lead to it; workers are to be of this environment, and Spark that of this package.
os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
os.environ["PYSPARK_PYTHON"] = sys.executable
os.environ["SPARK_HOME"] = str(Path(pyspark.__file__).parent)


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """One for all tests: it takes longer to start than most of them to run."""
    settings = {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": False,
        "spark.local.dir": tmp_path_factory.mktemp("spark"),
        "spark.sql.warehouse.dir": tmp_path_factory.mktemp("warehouse"),
        "spark.sql.shuffle.partitions": 3,
        # Groups are to go on from partition to partition, and from batch to batch.
        "spark.sql.execution.arrow.maxRecordsPerBatch": 7,
        # One that Polars does not know by this name.
        "spark.sql.session.timeZone": "+05:30",
        # An error is one at the first attempt.
        "spark.task.maxFailures": 1,
    }
    builder = SparkSession.builder.master("local-cluster[2,1,1024]")
    for key, value in settings.items():
        builder = builder.config(key, str(value))
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()
