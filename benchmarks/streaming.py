"""One new step of a fleet, judged with the memory that is carried from call to call; and batches beside it.

    python -m benchmarks.streaming --json OUT.json

A made fleet: waves with noise that follow commands now and then. ``--distinct`` machines are fitted and
stand in the fleet as often as it takes; each copy gets readings of its own. A step is timed from the call to
the answer for all sensors, in causal mode, and so is storing and reading back all that is remembered.
Batch scoring is told in steps, and in readings (steps times channels) a second: of the stream's own sources,
and of the quick preset's causal panel without and with its judging.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np

from benchmarks.single_threaded import single_threaded
from benchmarks.smap_presets import panel_of
from benchmarks.tables import cpu_s, peak_mb, show, write
from core.ensembles.sources import make
from core.ensembles.streaming import SOURCES, Stream
from core.signal import Signal
from core.splits import DECLARED_TRAIN_SHARE


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sensors", type=int, default=1000)
    parser.add_argument("--channels", type=int, default=25, help="of each sensor, its commands included")
    parser.add_argument("--distinct", type=int, default=25, help="machines that are fitted")
    parser.add_argument("--rows", type=int, default=12_000, help="of each training part")
    parser.add_argument("--steps", type=int, default=300, help="timed, after 100 that are not")
    parser.add_argument("--batch-rows", type=int, default=8000, help="of each signal scored as a batch")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    trains = [machine(seed, options.channels, 0, options.rows) for seed in range(options.distinct)]
    with single_threaded():
        figures = streamed(trains, options.sensors, options.steps)
        figures |= batches(trains, options.batch_rows)
    figures |= {"sensors_count": options.sensors, "channels_count": options.channels}
    figures |= {"distinct_count": options.distinct, "memory_peak_mb": peak_mb()}
    rows = [[key, f"{value:,.4g}"] for key, value in figures.items()]
    show(f"{options.sensors} sensors of {options.channels} channels, one thread", ["figure", "value"], rows)
    write(options.json, figures)


def streamed(trains: Sequence[Signal], sensors: int, steps: int) -> dict[str, float]:
    """Return what a step of the fleet takes, and what storing its memory does."""
    fleet = [trains[place % len(trains)] for place in range(sensors)]
    before = cpu_s()
    stream = Stream().fit(fleet)
    fit_s = cpu_s() - before
    warm, rng = 100, np.random.default_rng(1)
    rows = len(trains[0])
    waves = np.stack(
        [machine(seed, len(one.channels), rows, warm + steps).values for seed, one in enumerate(trains)]
    )
    repeated = waves[np.arange(len(fleet)) % len(trains)]
    noise = rng.normal(0, 0.05, (len(fleet), warm + steps)).astype(np.float32)
    repeated[:, :, 0] += noise
    took, alarms, used = [], 0, 0.0
    for step in range(warm + steps):
        readings = np.ascontiguousarray(repeated[:, step])
        cpu, clock = cpu_s(), time.perf_counter()
        told = stream.step(readings)
        if step >= warm:
            took.append(1000 * (time.perf_counter() - clock))
            used += cpu_s() - cpu
            alarms += int(told.alarms.sum())
    with tempfile.TemporaryDirectory(prefix="telltale-") as folder:
        clock = time.perf_counter()
        stream.save(Path(folder))
        stored = time.perf_counter() - clock
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
        clock = time.perf_counter()
        Stream.load(Path(folder))
        read = time.perf_counter() - clock
    return {
        "fit_cpu_s": fit_s,
        "step_median_ms": float(np.median(took)),
        "step_99th_percentile_ms": float(np.quantile(took, 0.99)),
        "step_longest_ms": float(np.max(took)),
        "step_mean_cpu_ms": 1000 * used / steps,
        "alarmed_steps_ratio": alarms / (steps * sensors),
        "store_s": stored,
        "read_s": read,
        "stored_mb": size / 1024**2,
    }


def batches(trains: Sequence[Signal], rows: int) -> dict[str, float]:
    """Return how fast long signals are scored as a batch."""
    figures: dict[str, float] = {}
    tests = [
        machine(seed, len(one.channels), len(one), rows)
        for seed, one in enumerate(trains[: min(10, len(trains))])
    ]
    steps, channels = sum(len(one) for one in tests), len(trains[0].channels)
    spent = 0.0
    for train, test in zip(trains, tests, strict=False):
        detectors = [make(name, 0).fit(train) for name in SOURCES]
        before = cpu_s()
        for one in detectors:
            one.score(test)
        spent += cpu_s() - before
    figures |= _rates("stream_sources_batch", steps, channels, spent)
    scored = judged = 0.0
    for train, test in zip(trains, tests, strict=False):
        cut = round(DECLARED_TRAIN_SHARE * len(train))
        panel = panel_of("quick", "causal", 0).fit(train.slice(0, cut), train.slice(cut, len(train)))
        before = cpu_s()
        scores = panel.scores(test, {})
        scored += cpu_s() - before
        panel.detect(test, given=scores)
        judged += cpu_s() - before
    figures |= _rates("quick_causal_scoring", steps, channels, scored)
    return figures | _rates("quick_causal_scoring_and_judging", steps, channels, judged)


def machine(seed: int, width: int, start: int, rows: int) -> Signal:
    """Return steps of a wave with noise that follows commands which are rarely on."""
    rng = np.random.default_rng([seed, start])
    steps = start + np.arange(rows)
    values = np.zeros((rows, width), np.float32)
    values[:, 1:] = rng.random((rows, width - 1)) < 0.02
    wave = np.sin(steps / (15 + seed)) + 0.3 * np.sin(steps / (4 + seed % 7))
    values[:, 0] = wave + values[:, 1:].sum(axis=1) * 0.1 + rng.normal(0, 0.1, rows)
    return Signal(
        timestamps=np.datetime64("2024-01-01T00:00", "us") + steps * np.timedelta64(1, "m"),
        values=values,
        channels=(f"sensor {seed}", *(f"command {one}" for one in range(1, width))),
        units=("V", *[""] * (width - 1)),
        interval=timedelta(minutes=1),
        valid=np.ones(rows, dtype=np.bool_),
    )


def _rates(name: str, steps: int, channels: int, seconds: float) -> dict[str, float]:
    return {f"{name}_steps_per_s": steps / seconds, f"{name}_readings_per_s": steps * channels / seconds}


if __name__ == "__main__":
    main()
