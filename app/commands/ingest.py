"""`telltale ingest`: telemetry from files."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, cast

import typer

from app.clock import now
from app.commands.console import Desk, desk, out, progress
from app.commands.watching import see_through
from app.roles import require
from core.workflows.ingest import Ingested, ingest
from warehouse.errors import SourceError
from warehouse.sources import csv_table, smap_msl
from warehouse.sources.base import SourceBatch
from warehouse.sources.csv_mapping import CsvMapping

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
def csv_command(
    file: Annotated[Path, typer.Argument(help="A table with a header line, UTF-8.")],
    time: Annotated[str, typer.Option(help="Name of the time column.")],
    zone: Annotated[
        str | None,
        typer.Option(
            help="Zone of the times, such as UTC or Europe/Berlin; not needed if each has an offset."
        ),
    ] = None,
    asset: Annotated[str | None, typer.Option(help="Name of the machine the columns belong to.")] = None,
    layout: Annotated[str, typer.Option(help="wide: a column a sensor. long: a row a reading.")] = "wide",
    sensor_column: Annotated[str | None, typer.Option(help="long: column with the sensor.")] = None,
    value_column: Annotated[str | None, typer.Option(help="long: column with the value.")] = None,
    asset_column: Annotated[str | None, typer.Option(help="long: column with the machine.")] = None,
    column: Annotated[list[str] | None, typer.Option(help="wide: only this column; repeatable.")] = None,
    unit: Annotated[
        list[str] | None, typer.Option(help="SENSOR=UNIT, such as flow=m3/h; repeatable.")
    ] = None,
    role: Annotated[
        list[str] | None, typer.Option(help="SENSOR=target, context or state; default target; repeatable.")
    ] = None,
    delimiter: Annotated[str | None, typer.Option(help="Found by itself when not given.")] = None,
    decimal: Annotated[str, typer.Option(help="Mark of decimals, . or ,")] = ".",
    time_format: Annotated[
        str | None, typer.Option(help="epoch_s, epoch_ms, epoch_us or a strptime format; else ISO 8601.")
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="The machine goes on sending after this file.")
    ] = False,
) -> None:
    """Store a table; every row that can't be read goes to quarantine with its line and reason."""
    mapping = CsvMapping(
        time=time,
        zone=zone,
        layout=cast("Literal['long', 'wide']", layout),
        asset=asset,
        columns=tuple(column) if column else None,
        asset_column=asset_column,
        sensor_column=sensor_column,
        value_column=value_column,
        units=_pairs(unit, "--unit"),
        roles=_pairs(role, "--role"),
        historical=not live,
        delimiter=delimiter,
        decimal=cast("Literal['.', ',']", decimal),
        time_format=time_format,
    )
    _store(desk(), csv_table.read(file, mapping, now=now()), f"Ingesting {file.name}")


def _pairs(given: list[str] | None, option: str) -> dict[str, str]:
    pairs = {}
    for text in given or ():
        name, mark, value = text.partition("=")
        if not mark or not name:
            raise SourceError(f"{option} {text!r} must be SENSOR=VALUE")
        pairs[name] = value
    return pairs


def _store(place: Desk, batch: SourceBatch, title: str) -> None:
    require(place.profile, "trainer", "ingest telemetry")
    with progress(title) as report:
        done = ingest(batch, warehouse=place.warehouse, clock=now, actor=place.profile.name, progress=report)
    _tell(done)
    if done.scoring is not None:
        ended = see_through(place, done.scoring, "Scoring what is new", wait=False)
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
