"""NASA channels end to end: ingest, train, score, count, beside the published run and a cheat.

    python -m benchmarks.telemanom DATA.zip LABELS.csv --reference EVENTS.csv --json OUT.json

Counts as `benchmarks.smap_channels` does, after Hundman et al. (KDD 2018). Flagging everything scores high
under that rule, hence the share of points, and our own sequences moved at random.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from app.clock import now
from benchmarks.detection_tables import SHIFTS, Figures
from benchmarks.event_counting import everything, moved_at_random
from benchmarks.published_recipe import add_options, against_recipe
from benchmarks.smap_channels import Span, read_channels
from benchmarks.smap_costs import taught
from benchmarks.smap_rows import HEADER, Row, of_events, read_events, told
from benchmarks.tables import cpu_s, peak_mb, show, write
from core.errors import CoreError
from core.workflows.ingest import ingest
from core.workflows.requests import PRESET_NAMES, TrainRequest
from core.workflows.score import score_sensor
from core.workflows.signals import declared
from core.workflows.train import train_sensor
from warehouse.catalog import Sensor
from warehouse.home import Warehouse
from warehouse.sources import smap_msl

_JUDGED: Final = HEADER.index("train s")
"""Columns before those of costs, which are told below the table."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--reference", type=Path, help="events of the published run: channel,start,end")
    parser.add_argument("--channels", default="P-1,T-1,E-8,A-4")
    parser.add_argument("--preset", choices=PRESET_NAMES, default="telemanom")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    add_options(parser)
    options = parser.parse_args(arguments)
    channels = read_channels(options.data, options.labels, options.channels.split(","))
    names = [one.name for one in channels]
    with tempfile.TemporaryDirectory(prefix="telltale-") as folder:
        home = Warehouse.open(Path(folder))
        batch = smap_msl.read(options.data, options.labels, now=now(), channels=names)
        ingest(batch, warehouse=home, clock=now, actor="benchmark", queue=False)
        statistical = {one: _judge(home, home.catalog.find_sensor(one)) for one in names}
        before = cpu_s()
        refused = _train(home, names, options.preset, options.seed)
        train_cpu = cpu_s() - before
        before = cpu_s()
        learned = {one: _judge(home, home.catalog.find_sensor(one)) for one in names}
        score_cpu = cpu_s() - before
    rows = [
        of_events(f"{options.preset} (this run)", channels, learned),
        of_events("statistical detector (this run)", channels, statistical),
        of_events("flag everything (cheat)", channels, everything(channels)),
        Row(
            f"our sequences moved at random (cheat, {SHIFTS:,} draws)",
            moved_at_random(channels, learned, seed=0),
            {},
        ),
    ]
    reference = None
    if options.reference is not None:
        events = read_events(options.reference, channels)
        reference = of_events("published Telemanom run", channels, events)
        rows.append(reference)
    figures: Figures = {
        "channels_count": len(channels),
        "refused_count": len(refused),
        "train_cpu_s": round(train_cpu, 2),
        "score_cpu_s": round(score_cpu, 2),
        "memory_peak_mb": round(peak_mb()),
        "preset": options.preset,
        "seed_number": options.seed,
    }
    lines = []
    for row in rows:
        cells, found = told(row, reference)
        lines.append(cells[:_JUDGED])
        figures |= found
    show(f"{len(channels)} channels: {', '.join(names)}", HEADER[:_JUDGED], lines)
    for one, reason in refused.items():
        print(f"{one}: not trained, {reason}")
    print(f"training {train_cpu:.1f} CPU s, scoring {score_cpu:.1f} CPU s, peak {peak_mb():.0f} MB")
    if not options.no_recipe:
        costs = {f"{options.preset} (from storage to storage)": train_cpu + score_cpu}
        figures |= against_recipe(taught(channels), costs, batches=options.recipe_batches)
    write(options.json, figures)


def _train(home: Warehouse, channels: Sequence[str], preset: str, seed: int) -> dict[str, str]:
    refused = {}
    for one in channels:
        try:
            train_sensor(
                TrainRequest(home.catalog.find_sensor(one).id, preset, seed), warehouse=home, clock=now
            )
        except CoreError as error:
            refused[one] = str(error)
    return refused


def _judge(home: Warehouse, sensor: Sensor) -> list[Span]:
    """Score a channel with its champion and return its events as inclusive steps of the test part."""
    score_sensor(sensor, warehouse=home, clock=now)
    part = declared(home.catalog.parts(sensor.asset_id), "test")
    if part is None or sensor.interval_s is None:
        raise SystemExit(f"{sensor.key} has no declared test part")
    step = sensor.interval_s
    return [
        (round((start - part[0]).total_seconds() / step), round((end - part[0]).total_seconds() / step) - 1)
        for start, end in home.results.events_current([sensor.id]).select("start", "end").iter_rows()
    ]


if __name__ == "__main__":
    main()
