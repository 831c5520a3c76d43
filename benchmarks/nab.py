"""Series of the Numenta Anomaly Benchmark: labelled windows found, and false events on what is healthy.

    python -m benchmarks.nab FOLDER --preset quick --json OUT.json

As NAB does, the first 15 % of a series, at most 750 rows, are there to learn from, and rows are steps
whatever time lies between them; a time given twice keeps its later row. A window is found by an event that
overlaps it.
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
    SHIFTS,
    STATISTICAL,
    Windows,
    flags,
    judged,
    key_figures,
    per_ten_thousand,
    raiser_of,
    shifted_windows,
    stretches,
)
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
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    wanted = options.series.split(",") if options.series else [""]
    series = [one for one in _read(options.folder) if any(word in one.name for word in wanted)]
    if not series:
        raise SystemExit(f"no series of {options.folder / LABELS} has one of {', '.join(wanted)} in its name")
    ours = f"{options.preset}, this run"
    judges = _judges(options.preset, options.mode, options.seed)
    if options.telemanom:
        judges["Telemanom"] = partial(
            _judge, lambda: EventRaiser(Telemanom(seed=options.seed), DynamicThreshold())
        )
    figures: dict[str, float | int | str] = {"preset": options.preset, "mode": options.mode}
    figures |= {"series_count": len(series), "shifts_count": SHIFTS, "seed_number": options.seed}
    rows = []
    totals: dict[str, list[tuple[Windows, float, int]]] = {}
    for one in series:
        for name, (counts, share) in _counted(one, judges, ours, options.seed).items():
            rows.append(_row(one, name, counts, share))
            figures |= key_figures(f"{one.name} {name.split(',')[0]}", _values(one, counts, share))
            if not one.repeated:
                totals.setdefault(name, []).append((counts, share, one.judged_steps))
    show(
        f"{len(series)} series; the first {PROBATION:.0%}, at most {PROBATION_ROWS} rows, are learned from",
        ["series", "method", "windows", "false", "false per 10,000 steps", "flagged"],
        rows,
    )
    figures |= _summed(totals)
    figures |= {"cpu_s": round(cpu_s(), 1), "memory_peak_mb": round(peak_mb())}
    print(f"{cpu_s():.1f} CPU s, peak {peak_mb():.0f} MB")
    write(options.json, figures)


def _counted(
    one: Series, judges: Mapping[str, Judge], ours: str, seed: int
) -> dict[str, tuple[Windows, float]]:
    """Return the counts and the flagged share of each method on the judged steps, references among them."""
    found = {name: judge(one.signal, one.rows)[one.rows :] for name, judge in judges.items()}
    found["flag everything (cheat)"] = np.ones(one.judged_steps, dtype=np.bool_)
    windows = [(max(0, a - one.rows), b - one.rows) for a, b in one.windows if b > one.rows]
    counts = {
        name: (Windows.of(stretches(inside), windows), float(inside.mean())) for name, inside in found.items()
    }
    shifts = shifted_windows(found[ours], windows, seed=seed)
    return counts | {"ours shifted at random": (shifts, float(found[ours].mean()))}


def _judges(preset: str, mode: Mode, seed: int) -> dict[str, Judge]:
    """Return our own judge, named first, and those that any run can afford beside it."""
    return {
        f"{preset}, this run": partial(_judge, lambda: raiser_of(preset, mode=mode, seed=seed)),
        "statistical detector": partial(_judge, lambda: raiser_of(STATISTICAL, mode="causal", seed=0)),
        "statistical with dynamic threshold": partial(
            _judge, lambda: EventRaiser(RobustRegression(), DynamicThreshold())
        ),
    }


def _judge(make: Callable[[], Raiser], signal: Signal, rows: int) -> Mask:
    """Return what a new judge flags after learning from the first `rows` steps."""
    return flags(judged(make(), signal, rows))


def _values(one: Series, counts: Windows, share: float) -> dict[str, float]:
    return {
        "windows_found_count": counts.found,
        "windows_count": counts.found + counts.missed,
        "false_events_count": counts.wrong,
        "false_events_per_10000_steps": per_ten_thousand(counts.wrong, one.judged_steps),
        "flagged_ratio": share,
    }


def _row(one: Series, name: str, counts: Windows, share: float) -> list[str]:
    total = round(counts.found + counts.missed)
    return [
        one.name,
        name,
        f"{counts.found:.3g} of {total}" if total else "-",
        f"{counts.wrong:.3g}",
        f"{per_ten_thousand(counts.wrong, one.judged_steps):.2f}",
        f"{share:.3f}",
    ]


def _summed(totals: Mapping[str, Sequence[tuple[Windows, float, int]]]) -> dict[str, float | int | str]:
    """Show and return the sums over series."""
    figures: dict[str, float | int | str] = {}
    rows = []
    for name, parts in totals.items():
        found, missed, wrong = (
            sum(getattr(counts, part) for counts, _, _ in parts) for part in ("found", "missed", "wrong")
        )
        steps = sum(count for _, _, count in parts)
        rate = per_ten_thousand(wrong, steps)
        share = sum(part * count for _, part, count in parts) / steps
        rows.append(
            [name, f"{found:.3g} of {round(found + missed)}", f"{wrong:.3g}", f"{rate:.2f}", f"{share:.3f}"]
        )
        figures |= key_figures(
            f"all {name.split(',')[0]}",
            {
                "windows_found_count": found,
                "windows_count": found + missed,
                "false_events_count": wrong,
                "false_events_per_10000_steps": rate,
                "flagged_ratio": share,
            },
        )
    show("All files", ["method", "windows", "false", "false per 10,000 steps", "flagged"], rows)
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
    main()
