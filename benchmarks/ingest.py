"""From a file to sorted, deduplicated, durable readings with rollups: how fast, beside plain Polars.

    python -m benchmarks.ingest --rows 10000000 --json OUT.json

Each file goes the way of `telltale ingest`: its content is recognised, rows are checked, readings staged,
compared with what is stored, written, hashed, synced and committed with their rollups. Plain Polars reads,
sorts, drops doubles and writes zstd Parquet: no checks of rows, no hash, no sync, no rollups. What is stored
is compared with what plain Polars has; a difference ends the run.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import polars as pl

from benchmarks import tables_to_ingest
from benchmarks.tables import peak_mb, show, write
from benchmarks.tables_to_ingest import Tables
from warehouse.home import IngestReport, Warehouse
from warehouse.sources import table
from warehouse.sources.table_mapping import TableMapping

NOW: Final = datetime(2026, 11, 1, tzinfo=UTC)
GOALS: Final = {"csv_long": 1e6, "csv_wide": 1e6, "parquet": 1.5e6, "late": 1.5e6}
GOAL_MEMORY_MB: Final = 2000

_LONG: Final = TableMapping(
    "time", None, "long", asset="Mill", sensor_column="sensor", value_column="value"
)  # fmt: skip
_WIDE: Final = TableMapping("time", None, "wide", asset="Mill")
_PARQUET: Final = TableMapping(
    "time", "UTC", "long", asset="Mill", sensor_column="sensor", value_column="value"
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=10_000_000, help="readings of the Parquet files")
    parser.add_argument("--csv-rows", type=int, help="readings of either CSV file; half of --rows by default")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory(prefix="telltale-") as folder,
        # What is measured has a process of its own, so that its memory is not that of the references.
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as child,
    ):
        tables = Tables(Path(folder), options.rows, options.csv_rows or options.rows // 2, options.seed)
        figures = _run(tables, child)
    figures["seed_number"] = options.seed
    rows = []
    for name in ("csv_long", "csv_wide", "parquet", "late", "late_scattered", "reingest"):
        found, theirs = figures[f"{name}_rows_per_s"], figures.get(f"polars_{name}_rows_per_s", 0)
        goal = GOALS.get(name)
        met = "" if goal is None else "met" if found >= goal else "NOT MET"
        asked = "" if goal is None else f"{goal:,.0f}"
        beside = f"{theirs:,.0f}" if theirs else "–"
        rows.append(
            [
                name.replace("_", " "),
                f"{figures[f'{name}_rows_count']:,}",
                asked,
                f"{found:,.0f}",
                beside,
                met,
            ]
        )
    show(
        "Rows a second, from file to committed readings",
        ["file", "rows", "goal", "ours", "plain Polars", ""],
        rows,
    )
    met = "met" if figures["peak_memory_mb"] <= GOAL_MEMORY_MB else "NOT MET"
    print(f"peak memory {figures['peak_memory_mb']} MB (goal {GOAL_MEMORY_MB}, {met})")
    write(options.json, figures)


def _run(tables: Tables, child: Executor) -> dict[str, float | int]:
    counts = child.submit(tables_to_ingest.make, tables).result()
    steps = {
        "csv_long": (tables.long.name, _LONG, "long"),
        "csv_wide": (tables.wide.name, _WIDE, "wide"),
        "parquet": (tables.main.name, _PARQUET, "parquet"),
        "late": (tables.late.name, _PARQUET, "parquet"),
        "late_scattered": (tables.scattered.name, _PARQUET, "parquet"),
    }
    figures: dict[str, float | int] = {}
    for name, (file, mapping, home) in steps.items():
        took, report = _ingest(tables.folder / home, tables.folder / file, mapping)
        figures[f"{name}_rows_count"] = counts[file]
        figures[f"{name}_rows_per_s"] = round(counts[file] / took)
        figures["peak_memory_mb"] = round(peak_mb())
        theirs = child.submit(tables_to_ingest.reference, tables, file).result()
        figures[f"polars_{name}_rows_per_s"] = round(counts[file] / theirs)
        if report.refused:
            raise SystemExit(f"{file}: {report.refused} rows were refused")
        _require_same(tables, tables.folder / home, file)
    took, report = _ingest(tables.folder / "parquet", tables.main, _PARQUET)
    if report.added or report.replaced:
        raise SystemExit(f"{tables.main.name}: was stored already, and yet something changed: {report}")
    figures["reingest_rows_count"] = counts[tables.main.name]
    figures["reingest_rows_per_s"] = round(counts[tables.main.name] / took)
    return figures


def _ingest(root: Path, path: Path, mapping: TableMapping) -> tuple[float, IngestReport]:
    home = Warehouse.open(root)
    begin = time.perf_counter()
    batch = table.read(path, mapping, now=NOW, spill=home.layout.staging)
    report = home.ingest(batch, at=NOW, actor="benchmark")
    took = time.perf_counter() - begin
    home.close()
    return took, report


def _require_same(tables: Tables, root: Path, name: str) -> None:
    """Stop where what is stored is not what the reference has, sensor by sensor."""
    home = Warehouse.open(root)
    wanted = tables_to_ingest.expected(tables, name).lazy()
    for sensor in home.catalog.sensors():
        found = home.telemetry.read([sensor.id]).select(pl.col("ts").alias("time"), "value")
        of_sensor = wanted.filter(pl.col("sensor") == sensor.name).select("time", "value").collect()
        if not found.equals(of_sensor):
            raise SystemExit(f"{name}: {sensor.key} holds {found}, plain Polars has {of_sensor}")
    home.close()


if __name__ == "__main__":
    main()
