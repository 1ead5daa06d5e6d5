"""Spark on this machine's cores against the local pipeline on the same texts, start-up apart.

Both read one Parquet file and write Parquet. Before the clock starts Spark's JVM is up, and its Python workers have
loaded the model; the local pipeline's scorer is loaded too.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.generate import texts
from benchmarks.measure import Figure, ratio
from benchmarks.texts import MODEL

REACH = -1.3
"""Times the local pipeline's time, at most."""

_TASKS_A_CORE = 8


def figures(rounds: int, count: int, cores: int = 2) -> Iterator[Figure]:
    """Measure on a number of made texts."""
    from textsent.distributed import score_spark
    from textsent.files import score_file
    from textsent.score import load

    with tempfile.TemporaryDirectory() as folder:
        path, output = Path(folder, "made.parquet"), Path(folder, "scored")
        _write(path, count, cores * _TASKS_A_CORE)
        spark = _session(cores, max(1, path.stat().st_size // (cores * _TASKS_A_CORE)))
        scorer = load(MODEL, device="cpu", workers=cores)

        def on_spark(source: Path = path) -> None:
            shutil.rmtree(output, ignore_errors=True)
            score_spark(spark.read.parquet(str(source)), model=MODEL, device="cpu").write.parquet(str(output))

        def here() -> None:
            score_file(path, Path(folder, "scored.parquet"), scorer, overwrite=True)

        tenth = Path(folder, "tenth.parquet")
        _write(tenth, count // 10, cores * _TASKS_A_CORE)
        on_spark(tenth)  # the Python workers load the model
        held = [_held(spark)]
        here()
        share, local, distributed = ratio(rounds, here, on_spark)
        held.append(_held(spark))
        parts = spark.read.parquet(str(path)).rdd.getNumPartitions()
        spark.stop()
    what = f"{count:,} texts, Parquet to Parquet, {cores} cores"
    yield Figure("spark", f"{what}, the local pipeline", count / local, "texts/s")
    yield Figure("spark", f"{what}, Spark in {parts} tasks", count / distributed, "texts/s")
    yield Figure("spark", f"{what}, Spark's time against the local one's", share, "times", reach=REACH)
    yield Figure("spark", f"what Spark's JVM holds after {count // 10:,} texts", held[0], "MB")
    yield Figure("spark", f"what Spark's JVM holds after {count:,} texts, {rounds} times", held[1], "MB")


def _write(path: Path, count: int, groups: int) -> None:
    """Write texts in row groups, at which Spark can divide a file."""
    import pyarrow as pa
    import pyarrow.parquet

    made = texts()
    schema = pa.schema([("number", pa.int64()), ("text", pa.string())])
    rows_of_group = max(1, count // groups)
    with pyarrow.parquet.ParquetWriter(path, schema) as writer:
        for start in range(0, count, rows_of_group):
            rows = min(rows_of_group, count - start)
            chunk = [range(start, start + rows), list(islice(made, rows))]
            writer.write_batch(pa.record_batch(chunk, schema=schema))


def _held(spark: Any) -> float:
    """Return the megabytes that Spark's JVM, which is driver and executor here, has in use."""
    machine = spark._jvm
    machine.java.lang.System.gc()
    runtime = machine.java.lang.Runtime.getRuntime()
    return (runtime.totalMemory() - runtime.freeMemory()) / 1e6


def _session(cores: int, partition_bytes: int) -> Any:
    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.files.maxPartitionBytes": str(partition_bytes),
        "spark.sql.files.openCostInBytes": "0",
    }
    builder = SparkSession.builder.master(f"local[{cores}]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()
