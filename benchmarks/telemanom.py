"""NASA channels end to end: ingest, train, score, count, beside the published run and a cheat.

    python -m benchmarks.telemanom DATA.zip LABELS.csv --reference EVENTS.csv --json OUT.json

Counts as Hundman et al. (KDD 2018): a detected event that overlaps a labelled sequence finds it, one that
overlaps none is a false alarm. Flagging everything scores high under that rule, hence the share of points.
"""

import argparse
import csv
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from app.clock import now
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

Intervals = list[tuple[int, int]]  # half-open steps of the test part


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
    options = parser.parse_args(arguments)
    channels = options.channels.split(",")
    truth: dict[str, Intervals] = defaultdict(list)
    for sequence in smap_msl.read_labels(options.labels):
        if sequence.channel in channels:
            truth[sequence.channel].append((sequence.start, sequence.end + 1))
    with tempfile.TemporaryDirectory(prefix="telltale-") as folder:
        home = Warehouse.open(Path(folder))
        batch = smap_msl.read(options.data, options.labels, now=now(), channels=channels)
        ingest(batch, warehouse=home, clock=now, actor="benchmark", queue=False)
        statistical = {one: _judge(home, home.catalog.find_sensor(one)) for one in channels}
        before = cpu_s()
        refused = _train(home, channels, options.preset, options.seed)
        train_cpu = cpu_s() - before
        before = cpu_s()
        learned = {one: _judge(home, home.catalog.find_sensor(one)) for one in channels}
        score_cpu = cpu_s() - before
        lengths = {one: _length(home, home.catalog.find_sensor(one)) for one in channels}
    found: dict[str, Mapping[str, Intervals]] = {
        f"{options.preset}, this run": learned,
        "statistical detector, this run": statistical,
        "flag everything (cheat)": {one: [(0, lengths[one])] for one in channels},
    }
    if options.reference is not None:
        found["published Telemanom run"] = _reference(options.reference, channels)
    figures: dict[str, float | int | str] = {
        "channels_count": len(channels),
        "refused_count": len(refused),
        "train_cpu_s": round(train_cpu, 2),
        "score_cpu_s": round(score_cpu, 2),
        "memory_peak_mb": round(peak_mb()),
        "preset": options.preset,
        "seed_number": options.seed,
    }
    rows = []
    for name, events in found.items():
        counted = _count(events, truth, lengths)
        rows.append(
            [name, *(f"{value:.3f}" if isinstance(value, float) else str(value) for value in counted)]
        )
        key = name.split(",")[0].split(" (")[0].lower().replace(" ", "_")
        for column, value in zip(("tp", "fp", "fn", "f1", "flagged"), counted, strict=True):
            figures[f"{key}_{column}_{'ratio' if column in {'f1', 'flagged'} else 'count'}"] = value
    show(
        f"{len(channels)} channels: {', '.join(channels)}",
        ["detector", "tp", "fp", "fn", "F1", "flagged"],
        rows,
    )
    for one, reason in refused.items():
        print(f"{one}: not trained, {reason}")
    print(f"training {train_cpu:.1f} CPU s, scoring {score_cpu:.1f} CPU s, peak {peak_mb():.0f} MB")
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


def _judge(home: Warehouse, sensor: Sensor) -> Intervals:
    """Score a channel with its champion and return its events as steps of the test part."""
    score_sensor(sensor, warehouse=home, clock=now)
    part = declared(home.catalog.parts(sensor.asset_id), "test")
    if part is None or sensor.interval_s is None:
        raise SystemExit(f"{sensor.key} has no declared test part")
    step = sensor.interval_s
    return [
        (round((start - part[0]).total_seconds() / step), round((end - part[0]).total_seconds() / step))
        for start, end in home.results.events_current([sensor.id]).select("start", "end").iter_rows()
    ]


def _length(home: Warehouse, sensor: Sensor) -> int:
    part = declared(home.catalog.parts(sensor.asset_id), "test")
    return 0 if part is None else round((part[1] - part[0]).total_seconds() / (sensor.interval_s or 1))


def _reference(path: Path, channels: Sequence[str]) -> dict[str, Intervals]:
    events: dict[str, Intervals] = {one: [] for one in channels}
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if row["channel"] in events:
                events[row["channel"]].append((int(row["start"]), int(row["end"]) + 1))
    return events


def _count(
    events: Mapping[str, Intervals], truth: Mapping[str, Intervals], lengths: Mapping[str, int]
) -> tuple[int, int, int, float, float]:
    """Return true and false positives, false negatives, F1 and the share of flagged steps."""
    tp = fp = fn = flagged = 0
    for channel, found in events.items():
        known, hit = truth[channel], set()
        for start, end in sorted(found):
            match = next((n for n, (a, b) in enumerate(known) if start < b and end > a), None)
            if match is None:
                fp += 1
            else:
                hit.add(match)
            flagged += end - start
        tp, fn = tp + len(hit), fn + len(known) - len(hit)
    f1 = 2 * tp / (2 * tp + fp + fn) if tp else 0.0
    return tp, fp, fn, f1, flagged / max(1, sum(lengths.values()))


if __name__ == "__main__":
    main()
