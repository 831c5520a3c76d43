"""`telltale ingest`: telemetry from files."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from app.clock import now
from app.commands.console import Desk, desk, out, progress
from app.commands.mapping_options import takes_mapping
from app.commands.watching import see_through
from app.roles import require
from core.workflows.ingest import Ingested, ingest, ingest_table
from warehouse.jobs import Job
from warehouse.sources import smap_msl
from warehouse.sources.base import SourceBatch
from warehouse.sources.table_mapping import TableMapping

app = typer.Typer(no_args_is_help=True, help="Store telemetry from files; what is new is judged at once.")


@app.command("smap-msl")
def smap_msl_command(
    data: Annotated[
        Path, typer.Argument(help="The published zip, or a folder with train/ and test/ of npy.")
    ],
    labels: Annotated[Path, typer.Option(help="The published labeled_anomalies.csv.")],
    channel: Annotated[list[str] | None, typer.Option(help="Only this channel; may be repeated.")] = None,
    start: Annotated[
        datetime | None,
        typer.Option(help="UTC time of step 0: their time is anonymous. Default 2000-01-01T00:00:00."),
    ] = None,
) -> None:
    """Store NASA's SMAP and MSL telemetry; a channel is then named by its id, such as P-1."""
    place = desk()
    batch = smap_msl.read(
        data,
        labels,
        now=now(),
        start=smap_msl.START if start is None else start.replace(tzinfo=UTC),
        channels=channel or None,
    )
    _store(place, batch, "Ingesting SMAP/MSL")


@app.command("csv")
@takes_mapping()
def csv_command(
    file: Annotated[Path, typer.Argument(help="A table with a header line, UTF-8.")],
    mapping: TableMapping,
) -> None:
    """Store a table; every row that can't be read goes to quarantine with its line and reason."""
    _store_table(file, mapping)


@app.command("parquet")
@takes_mapping(without=("delimiter",))
def parquet_command(
    file: Annotated[Path, typer.Argument(help="A Parquet file; its columns hold times, numbers or text.")],
    mapping: TableMapping,
) -> None:
    """Store a Parquet file; every row that can't be read goes to quarantine with its number and reason."""
    _store_table(file, mapping)


def _store_table(file: Path, mapping: TableMapping) -> None:
    place = desk()
    require(place.profile, "trainer", "ingest telemetry")
    with progress(f"Ingesting {file.name}") as report:
        done = ingest_table(
            file,
            mapping,
            warehouse=place.warehouse,
            clock=now,
            actor=place.profile.name,
            progress=report,
        )
    _conclude(place, done)


def _store(place: Desk, batch: SourceBatch, title: str) -> None:
    require(place.profile, "trainer", "ingest telemetry")
    with progress(title) as report:
        done = ingest(batch, warehouse=place.warehouse, clock=now, actor=place.profile.name, progress=report)
    _conclude(place, done)


def _conclude(place: Desk, done: Ingested) -> None:
    _tell(done)
    if done.scoring is not None:
        judge(place, done.scoring)


def judge(place: Desk, scoring: Job) -> None:
    """See the judging of what is new through, or leave it to the app where that runs."""
    ended = see_through(place, scoring, "Scoring what is new", wait=False)
    if ended.state == "done":
        out.print(str((ended.result or {}).get("summary", "")), markup=False)
    else:
        out.print(f"The app judges what is new (job {ended.id}); watch it with `telltale status`.")


def _tell(done: Ingested) -> None:
    report = done.report
    if not report.added and not report.replaced:
        out.print(
            f"Nothing changed: all {report.unchanged:,} readings of {report.assets} machines "
            "are stored already."
        )
    else:
        out.print(
            f"Stored {report.added:,} new readings of {report.assets} machines, {report.sensors:,} sensors "
            f"({report.unchanged:,} were there, {report.replaced:,} replaced, {report.duplicates:,} doubled)."
        )
    if report.refused:
        out.print(
            f"{report.refused:,} rows were refused and are in quarantine: `telltale status --quarantine`."
        )
    for note in report.notes:
        out.print(note, markup=False)
