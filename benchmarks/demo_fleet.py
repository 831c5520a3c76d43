"""The demo fleet: how long until its events are there, which faults are found, how many alarms are wrong.

    python -m benchmarks.demo_fleet --preset quick --json OUT.json

With a preset, its ensemble judges the same sensors on the same parts as the statistical detector. The
reference of the same run is the limit that a control room would set by hand: an alarm while a target is
outside its 0.05 % and 99.95 % quantiles of the part that the statistical detector learns from.

The statistical detector, which panels trust where context explains a target, was developed on this simulator
with seed 7: figures of that seed are in-sample, those of others of the same kind of machine.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import polars as pl

from app.clock import now
from benchmarks.single_threaded import single_threaded
from benchmarks.tables import cpu_s, peak_mb, show, write
from core.ensembles.presets import new_raiser
from core.results import Mode
from core.splits import chronological
from core.workflows.baseline import FRACTIONS
from core.workflows.demo import demo_job
from core.workflows.reporting import Task
from core.workflows.requests import PRESET_NAMES
from core.workflows.signals import load_signal
from warehouse.catalog import Sensor
from warehouse.home import Warehouse
from warehouse.sources import demo

Intervals = list[tuple[datetime, datetime]]
QUANTILES = (0.0005, 0.9995)
REPEATS = 50


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--preset", choices=PRESET_NAMES, help="judge with this ensemble too")
    parser.add_argument("--mode", choices=("causal", "review"), default="causal")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="telltale-") as folder:
        home = Warehouse.open(Path(folder))
        wall, cpu = time.perf_counter(), cpu_s()
        demo_job({"seed": options.seed}, Task(warehouse=home, clock=now))
        wall, cpu = time.perf_counter() - wall, cpu_s() - cpu
        settings = home.catalog.source_settings("demo") or {}
        anchor = datetime.fromisoformat(settings["anchor"])
        first = anchor - timedelta(days=demo.HISTORY_DAYS * (1 - FRACTIONS[0]))
        targets = {one.id: one.key for one in home.catalog.sensors(role="target")}
        ours: dict[str, Intervals] = {key: [] for key in targets.values()}
        for sensor, start, end in (
            home.results.events_current().select("sensor_id", "start", "end").iter_rows()
        ):
            ours[targets[sensor]].append((start, end))
        judged: dict[str, Mapping[str, Intervals]] = {"statistical detector": ours}
        before = cpu_s()
        if options.preset is not None:
            with single_threaded():
                judged[f"{options.preset} ensemble"] = {
                    one.key: _ensemble_alarms(home, one, options.preset, options.mode)
                    for one in home.catalog.sensors(role="target")
                }
        ensemble_cpu = cpu_s() - before
        judged["hand-set limits"] = {
            key: _limit_alarms(home, one, first, anchor) for one, key in targets.items()
        }
        windows = _windows(home, next(iter(targets)), anchor)
    truth = demo.truth(options.seed, anchor, first, anchor)
    figures: dict[str, float | int | str] = {
        "ready_wall_s": round(wall, 1),
        "ready_cpu_s": round(cpu, 1),
        "memory_peak_mb": round(peak_mb()),
        "ensemble_cpu_s": round(ensemble_cpu, 1),
        "preset": options.preset or "none",
        **windows,
    }
    rows = []
    for name, events in judged.items():
        found, faults, benign, wrong, healthy = _count(events, truth, anchor - first)
        rows.append([name, f"{found} of {faults}", str(benign), str(wrong), f"{healthy:.2f}"])
        key = name.replace(" ", "_").replace("-", "_")
        figures |= {
            f"{key}_faults_found_count": found,
            f"{key}_faults_count": faults,
            f"{key}_benign_alarms_count": benign,
            f"{key}_other_false_alarms_count": wrong,
            f"{key}_false_alarms_per_healthy_sensor_month": round(healthy, 3),
        }
    show(
        f"Demo fleet, seed {options.seed}: {(anchor - first).days} days, {len(targets)} targets",
        ["detector", "faults found", "benign alarms", "other false", "false per healthy sensor and month"],
        rows,
    )
    print(f"events on the screen after {wall:.1f} s ({cpu:.1f} CPU s), peak {peak_mb():.0f} MB")
    print(", ".join(f"{name} {value}" for name, value in windows.items()))
    write(options.json, figures)


def _ensemble_alarms(home: Warehouse, sensor: Sensor, preset: str, mode: Mode) -> Intervals:
    """Return a preset's events after the part that it learns from, split as for the statistical detector."""
    signal = load_signal(home, sensor)
    split = chronological(signal, fractions=FRACTIONS)
    found = new_raiser(preset, mode=mode, seed=0).fit(split.train, split.calibrate).detect(signal)
    starts = [moment.replace(tzinfo=UTC) for moment in signal.timestamps.astype("datetime64[us]").tolist()]
    return [
        (starts[event.start], starts[event.end - 1] + signal.interval)
        for event in found.events
        if event.end > len(split.train)
    ]


def _limit_alarms(home: Warehouse, sensor_id: int, first: datetime, anchor: datetime) -> Intervals:
    """Return the stretches outside the quantiles of what came before `first`, gaps under an hour closed."""
    rows = home.telemetry.read([sensor_id], None, anchor).drop_nulls("value")
    learned = rows.filter(pl.col("ts") < first)["value"]
    low, high = (learned.quantile(share) for share in QUANTILES)
    outside = rows.filter((pl.col("ts") >= first) & ((pl.col("value") < low) | (pl.col("value") > high)))
    alarms: Intervals = []
    for ts in outside["ts"]:
        if alarms and ts - alarms[-1][1] <= timedelta(hours=1):
            alarms[-1] = (alarms[-1][0], ts + timedelta(minutes=1))
        else:
            alarms.append((ts, ts + timedelta(minutes=1)))
    return alarms


def _count(
    events: Mapping[str, Intervals], truth: Sequence[demo.TruthInterval], span: timedelta
) -> tuple[int, int, int, int, float]:
    """Return found faults, faults, benign alarms, other false alarms, and false ones a healthy sensor-month.

    A drop-out leaves nothing to judge: it shows as a silent sensor and is not counted here.
    """
    slack = timedelta(hours=2)
    faults = [one for one in truth if not one.benign and one.kind != "drop-out" and one.key in events]
    found = sum(any(a < one.end and b > one.start for a, b in events[one.key]) for one in faults)
    benign = wrong = 0
    quiet = {key: 0 for key in events if not any(one.key == key and not one.benign for one in truth)}
    for key, intervals in events.items():
        for start, end in intervals:
            near = [
                one for one in truth if one.key == key and start < one.end + slack and end > one.start - slack
            ]
            if any(not one.benign for one in near):
                continue
            benign, wrong = benign + bool(near), wrong + (not near)
            if key in quiet and not near:
                quiet[key] += 1
    months = len(quiet) * span / timedelta(days=30)
    return found, len(faults), benign, wrong, sum(quiet.values()) / months if months else 0.0


def _windows(home: Warehouse, sensor_id: int, anchor: datetime) -> dict[str, float]:
    """Return median milliseconds of a day and of all time in at most 2,000 points, beside a plain scan."""
    figures = {}
    for name, days in (("day", 1), ("all_time", 90)):
        start = anchor - timedelta(days=days)
        window = partial(home.telemetry.window, sensor_id, start, anchor, 2000)
        figures[f"window_{name}_p50_ms"] = _median_ms(window)
    files = [home.root / one.path for one in home.manifest.live("readings")]
    figures["plain_scan_all_time_p50_ms"] = _median_ms(
        lambda: pl.scan_parquet(files).filter(pl.col("sensor_id") == sensor_id).collect()
    )
    return figures


def _median_ms(read: Callable[[], object]) -> float:
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        read()
        times.append((time.perf_counter() - start) * 1000)
    return round(sorted(times)[REPEATS // 2], 2)


if __name__ == "__main__":
    main()
