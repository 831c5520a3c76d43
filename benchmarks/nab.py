"""Series of the Numenta Anomaly Benchmark: labelled windows found, and false events on what is healthy.

    python -m benchmarks.nab FOLDER --preset quick --json OUT.json

As NAB does, the first 15 % of a series, at most 750 rows, are there to learn from, and rows are steps
whatever time lies between them; a time given twice keeps its later row. A window is found by an event that
overlaps it. Beside the counts stand what knows nothing (flagging everything, our own sequences shifted, a
random score) and the cost of the published recipe. The reference of the paired interval is Telemanom where it
is trained, else the statistical detector with Telemanom's dynamic threshold.
Reference: Lavin and Ahmad, "Evaluating real-time anomaly detection algorithms: the Numenta Anomaly
Benchmark", ICMLA 2015.
"""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from benchmarks.detection_tables import (
    CHANCES,
    SHIFTS,
    STATISTICAL,
    Figures,
    Windows,
    f1_interval,
    flags,
    judged,
    key_figures,
    per_ten_thousand,
    raiser_of,
    stretches,
    windows_by_chance,
)
from benchmarks.published_recipe import Taught, add_options, against_recipe
from benchmarks.single_threaded import single_threaded
from benchmarks.tables import cpu_s, peak_mb, show, write
from core.detectors.robust_regression import RobustRegression
from core.detectors.telemanom import Telemanom
from core.ensembles.contract import Raiser
from core.ensembles.raise_events import EventRaiser
from core.results import Mode
from core.signal import Mask, Signal
from core.thresholds.dynamic import DynamicThreshold
from core.workflows.requests import PRESET_NAMES

LABELS: Final = "combined_windows.json"
PROBATION: Final = 0.15
PROBATION_ROWS: Final = 750
HEALTHY_STRETCH: Final = "machine_temperature"
"""The series whose rows before its first window are judged once more, as a healthy series of their own."""

LSTM: Final = "Telemanom"
PUBLISHED_RULE: Final = "statistical with dynamic threshold"

Judge = Callable[[Signal, int], Mask]


@dataclass(frozen=True, eq=False)
class Series:
    """One series with its labels.

    Parameters
    ----------
    name
        As its file's.
    signal
        Its rows.
    windows
        Half-open steps of its labelled windows.
    rows
        How many of the first rows are learned from and not judged.
    repeated
        Whether it is part of another series and left out of sums over all.
    """

    name: str
    signal: Signal
    windows: tuple[tuple[int, int], ...]
    rows: int
    repeated: bool = False

    @property
    def judged_steps(self) -> int:
        """Steps after the probationary period."""
        return len(self.signal) - self.rows

    @property
    def judged_windows(self) -> list[tuple[int, int]]:
        """Half-open steps of its windows, from the first judged step on."""
        return [(max(0, a - self.rows), b - self.rows) for a, b in self.windows if b > self.rows]


@dataclass(frozen=True)
class Counts:
    """What a method found in one series.

    Parameters
    ----------
    seeds
        By seed, or one.
    share
        Mean share of judged steps that it flags.
    cpu_s
        CPU seconds of learning and judging, of the first seed.
    """

    seeds: tuple[Windows, ...]
    share: float
    cpu_s: float = 0.0

    @property
    def mean(self) -> Windows:
        """Mean over seeds."""
        return Windows.mean(self.seeds)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help=f"holds {LABELS} and the series that it names")
    parser.add_argument("--series", help="only those whose name contains one of these words, by commas")
    parser.add_argument("--preset", choices=(STATISTICAL, *PRESET_NAMES), default="quick")
    parser.add_argument("--mode", choices=("causal", "review"), default="causal")
    parser.add_argument("--telemanom", action="store_true", help="train its LSTM too, minutes a series")
    parser.add_argument("--seeds", type=int, default=5, help="of our own judge; the LSTM takes the first")
    parser.add_argument("--json", type=Path)
    add_options(parser)
    options = parser.parse_args(arguments)
    if options.seeds < 1:
        parser.error("--seeds must be at least 1")
    wanted = options.series.split(",") if options.series else [""]
    series = [one for one in _read(options.folder) if any(word in one.name for word in wanted)]
    if not series:
        raise SystemExit(f"no series of {options.folder / LABELS} has one of {', '.join(wanted)} in its name")
    ours = f"{options.preset}, this run"
    # The statistical detector draws no random number.
    seeds = 1 if options.preset == STATISTICAL else options.seeds
    judges = _judges(ours, options.preset, options.mode, seeds, telemanom=options.telemanom)
    figures: Figures = {"preset": options.preset, "mode": options.mode}
    figures |= {"series_count": len(series), "draws_count": SHIFTS, "seeds_count": seeds}
    rows = []
    totals: dict[str, list[tuple[Series, Counts]]] = {}
    for one in series:
        for name, counts in _counted(one, judges, ours).items():
            rows.append(_row(one, name, counts))
            figures |= key_figures(f"{one.name} {name.split(',')[0]}", _values(one, counts))
            if not one.repeated:
                totals.setdefault(name, []).append((one, counts))
    show(
        f"{len(series)} series; the first {PROBATION:.0%}, at most {PROBATION_ROWS} rows, are learned from",
        ["series", "method", "windows", "false", "false per 10,000 steps", "flagged"],
        rows,
    )
    if totals:
        figures |= _summed(totals, LSTM if options.telemanom else PUBLISHED_RULE)
        if not options.no_recipe:
            costs = {name: sum(counts.cpu_s for _, counts in totals[name]) for name in judges}
            taught = [_taught(one) for one in series if not one.repeated]
            figures |= against_recipe(taught, costs, batches=options.recipe_batches)
    figures |= {"cpu_s": round(cpu_s(), 1), "memory_peak_mb": round(peak_mb())}
    print(f"{cpu_s():.1f} CPU s, peak {peak_mb():.0f} MB")
    write(options.json, figures)


def _counted(one: Series, judges: Mapping[str, Sequence[Judge]], ours: str) -> dict[str, Counts]:
    """Return what each method finds in the judged steps, references among them."""
    found: dict[str, Counts] = {}
    chances: dict[str, list[Windows]] = {name: [] for name in CHANCES}
    for name, seeds in judges.items():
        costs, masks = [], []
        for judge in seeds:
            before = cpu_s()
            masks.append(judge(one.signal, one.rows)[one.rows :])
            costs.append(cpu_s() - before)
        found[name] = _told(one, masks, costs[0])
        if name == ours:
            for chance, draw in CHANCES.items():
                chances[chance] += [
                    windows_by_chance(draw, inside, one.judged_windows, seed=seed)
                    for seed, inside in enumerate(masks)
                ]
    found["flag everything (cheat)"] = _told(one, [np.ones(one.judged_steps, dtype=np.bool_)])
    return found | {name: Counts(tuple(each), found[ours].share) for name, each in chances.items()}


def _told(one: Series, masks: Sequence[Mask], seconds: float = 0.0) -> Counts:
    windows = tuple(Windows.of(stretches(inside), one.judged_windows) for inside in masks)
    return Counts(windows, float(np.mean([inside.mean() for inside in masks])), seconds)


def _taught(one: Series) -> Taught:
    """Return a series as the recipe gets it: it predicts the steps that are judged."""
    return Taught.scaled(one.name, one.signal.values[: one.rows], one.signal.values[one.rows :])


def _judges(ours: str, preset: str, mode: Mode, seeds: int, *, telemanom: bool) -> dict[str, list[Judge]]:
    """Return our own judges, one a seed, named first, and those that any run can afford beside it."""
    judges: dict[str, list[Judge]] = {
        ours: [partial(_judge, partial(raiser_of, preset, mode=mode, seed=seed)) for seed in range(seeds)],
        "statistical detector": [partial(_judge, partial(raiser_of, STATISTICAL, mode="causal", seed=0))],
        PUBLISHED_RULE: [partial(_judge, lambda: EventRaiser(RobustRegression(), DynamicThreshold()))],
    }
    if telemanom:
        judges[LSTM] = [partial(_judge, lambda: EventRaiser(Telemanom(seed=0), DynamicThreshold()))]
    return judges


def _judge(make: Callable[[], Raiser], signal: Signal, rows: int) -> Mask:
    """Return what a new judge flags after learning from the first `rows` steps."""
    return flags(judged(make(), signal, rows))


def _values(one: Series, counts: Counts) -> dict[str, float]:
    found = counts.mean
    return {
        "windows_found_count": found.found,
        "windows_count": found.found + found.missed,
        "false_events_count": found.wrong,
        "false_events_per_10000_steps": per_ten_thousand(found.wrong, one.judged_steps),
        "flagged_ratio": counts.share,
    }


def _row(one: Series, name: str, counts: Counts) -> list[str]:
    found = counts.mean
    total = round(found.found + found.missed)
    return [
        one.name,
        name,
        f"{found.found:.3g} of {total}" if total else "-",
        f"{found.wrong:.3g}",
        f"{per_ten_thousand(found.wrong, one.judged_steps):.2f}",
        f"{counts.share:.3f}",
    ]


def _summed(totals: Mapping[str, Sequence[tuple[Series, Counts]]], reference: str) -> Figures:
    """Show and return the sums over series, beside the reference."""
    figures: Figures = {"reference": reference}
    rows = []
    theirs = [counts.mean for _, counts in totals[reference]]
    for name, parts in totals.items():
        by_seed = [Windows.total(each) for each in zip(*(counts.seeds for _, counts in parts), strict=True)]
        mean, f1 = Windows.mean(by_seed), [one.f1 for one in by_seed]
        steps = sum(one.judged_steps for one, _ in parts)
        rate = per_ten_thousand(mean.wrong, steps)
        share = sum(counts.share * one.judged_steps for one, counts in parts) / steps
        values = {
            "windows_found_count": mean.found,
            "windows_count": mean.found + mean.missed,
            "false_events_count": mean.wrong,
            "false_events_per_10000_steps": rate,
            "flagged_ratio": share,
            "f1_ratio": float(np.mean(f1)),
            "f1_deviation_ratio": float(np.std(f1)),
        }
        beside = ""
        if name != reference:
            low, high = f1_interval([counts.mean for _, counts in parts], theirs, seed=0)
            difference = mean.f1 - Windows.total(theirs).f1
            beside = f"{difference:+.3f} ({low:+.3f} to {high:+.3f})"
            values |= {"difference_ratio": difference, "difference_low_ratio": low}
            values["difference_high_ratio"] = high
        figures |= key_figures(f"all {name.split(',')[0]}", values)
        told = f"{mean.found:.3g} of {round(mean.found + mean.missed)}"
        deviation = f" ± {np.std(f1):.3f}" if len(f1) > 1 else ""
        cells = [name, told, f"{mean.wrong:.3g}", f"{rate:.2f}", f"{share:.3f}"]
        rows.append([*cells, f"{np.mean(f1):.3f}{deviation}", beside])
    header = ["method", "windows", "false", "false per 10,000 steps", "flagged", "F1 of windows"]
    show("All files", [*header, f"against {reference}, 95 %"], rows)
    return figures


def _read(folder: Path) -> list[Series]:
    """Return all series in the order of the labels, and the healthy stretch of the machine's temperature."""
    labels = json.loads((folder / LABELS).read_text("utf-8"))
    series = []
    for file, labelled in labels.items():
        signal = _signal(folder / file)
        edges = [
            np.searchsorted(signal.timestamps, np.array(window, dtype="datetime64[us]"))
            for window in labelled
        ]
        # Both ends of a window are labelled.
        windows = tuple((int(first), int(last) + 1) for first, last in edges)
        one = Series(Path(file).stem, signal, windows, _probation(len(signal)))
        series.append(one)
        if HEALTHY_STRETCH in file and windows:
            # Learned from as many rows as the whole series is, since it is the same beginning.
            series.append(Series(f"{one.name} before", signal.slice(0, windows[0][0]), (), one.rows, True))
    return series


def _probation(rows: int) -> int:
    return min(int(PROBATION * rows), PROBATION_ROWS)


def _signal(path: Path) -> Signal:
    frame = pl.read_csv(path, try_parse_dates=True).unique("timestamp", keep="last").sort("timestamp")
    times = frame["timestamp"].to_numpy().astype("datetime64[us]")
    values = frame["value"].to_numpy().astype(np.float32)[:, None]
    step = float(np.median(np.diff(times)) / np.timedelta64(1, "s"))
    return Signal(times, values, (path.stem,), ("",), timedelta(seconds=step), np.isfinite(values[:, 0]))


if __name__ == "__main__":
    with single_threaded():
        main()
