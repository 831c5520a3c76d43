"""Valve runs of SKAB under its own protocol, and false events on its anomaly-free run.

    python -m benchmarks.skab FOLDER --preset quick --json OUT.json

The first 400 rows of a run are learned from; every row is judged and counted one by one, pooled over runs
("whole"), or those after the 400 only ("rest", SKAB's strict leaderboard). A machine of several sensors can
be judged in many ways: the way is chosen by F1 on every other run and reported on those between, both ways
round. No label of a run is used for its own figures.
References of the same run: Hotelling's T² without and with Q, the published convolutional autoencoder trained
anew, flagging everything, and our own sequences shifted at random.
"""

import argparse
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.convolution_autoencoder import EPOCHS, reconstruction_alarms
from benchmarks.detection_tables import (
    SHIFTS,
    STATISTICAL,
    Points,
    key_figures,
    per_ten_thousand,
    raiser_of,
    shifted_points,
    stretches,
)
from benchmarks.hotelling import t_squared, t_squared_and_q
from benchmarks.skab_ways import FAMILIES, Run, chosen_across, read_run, ways_of
from benchmarks.tables import cpu_s, peak_mb, show, write
from core.signal import Mask
from core.workflows.requests import PRESET_NAMES

LEARNED_ROWS: Final = 400
HEALTHY_SHARE: Final = 0.4
"""Of the anomaly-free run, what is learned from."""

RESAMPLES: Final = 1000

CHOSEN, ANY, CHART = "chosen way", "any sensor alone", "all on one chart"
CHEAT: Final = "flag everything (cheat)"

PUBLISHED: Final[Mapping[str, tuple[float, float]]] = {
    "T-squared": (0.65, 0.66),
    "T-squared and Q": (0.75, 0.76),
    "convolutional autoencoder": (0.77, 0.78),
}
"""F1 over all 34 runs, whole and strict leaderboard: README of github.com/waico/SKAB at commit d4ca05a."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="holds valve1/*.csv and anomaly-free/anomaly-free.csv")
    parser.add_argument("--runs", help="names of valve runs, by commas; all without")
    parser.add_argument("--preset", choices=(STATISTICAL, *PRESET_NAMES), default="quick")
    parser.add_argument("--mode", choices=("causal", "review"), default="causal")
    parser.add_argument("--ways", default=",".join(FAMILIES), help="families of ways to judge, by commas")
    parser.add_argument(
        "--epochs", type=int, default=EPOCHS, help="most, of the autoencoder; 0 leaves it out"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    files = sorted((options.folder / "valve1").glob("*.csv"), key=lambda path: (len(path.stem), path.stem))
    wanted = options.runs.split(",") if options.runs else [path.stem for path in files]
    runs = [read_run(path) for path in files if path.stem in wanted]
    families = options.ways.split(",")
    if len(runs) < 2 or not families or not set(families) <= set(FAMILIES):
        raise SystemExit(f"needs at least two runs, and ways among {', '.join(FAMILIES)}")
    make = partial(raiser_of, options.preset, mode=options.mode, seed=options.seed)
    before = cpu_s()
    ways = [ways_of(run, LEARNED_ROWS, make, families) for run in runs]
    figures: dict[str, float | int | str] = {"ways_cpu_s": round(cpu_s() - before, 1)}
    ours, choices = chosen_across(runs, ways)
    print(f"chosen for runs {_names(runs[::2])}: {choices[0]}; for runs {_names(runs[1::2])}: {choices[1]}")
    rows = {CHOSEN: ours}
    rows |= {name: [one[way] for one in ways] for name, way in _fixed(families).items()}
    rows |= _references(runs, options.seed, options.epochs)
    figures |= _table(runs, rows, options.preset, options.seed)
    figures |= _differences(runs, rows, options.seed)
    figures |= _by_way(runs, ways)
    healthy = read_run(options.folder / "anomaly-free" / "anomaly-free.csv")
    learned = round(HEALTHY_SHARE * len(healthy.signal))
    figures |= _healthy(healthy, learned, ways_of(healthy, learned, make, families), choices)
    figures |= {"preset": options.preset, "mode": options.mode, "runs_count": len(runs)}
    figures |= {"chosen_for_even_runs": choices[0], "chosen_for_odd_runs": choices[1]}
    figures |= {"seed_number": options.seed, "shifts_count": SHIFTS, "resamples_count": RESAMPLES}
    figures |= {"cpu_s": round(cpu_s(), 1), "memory_peak_mb": round(peak_mb())}
    print(f"{cpu_s():.1f} CPU s, peak {peak_mb():.0f} MB")
    write(options.json, figures)


def _names(runs: Sequence[Run]) -> str:
    return ", ".join(run.name for run in runs)


def _fixed(families: Sequence[str]) -> dict[str, str]:
    """Return the ways that need no choice, by the name of their row."""
    fixed = {ANY: "1 sensors or more, alone"} if "alone" in families else {}
    return fixed | ({CHART: "all on one chart"} if "subspace" in families else {})


def _references(runs: Sequence[Run], seed: int, epochs: int) -> dict[str, list[Mask]]:
    """Return what the methods that we are held against flag in each run."""
    found = {
        "T-squared": [t_squared(run.readings, LEARNED_ROWS) for run in runs],
        "T-squared and Q": [t_squared_and_q(run.readings, LEARNED_ROWS) for run in runs],
    }
    if epochs:
        start = time.perf_counter()
        found["convolutional autoencoder"] = [
            reconstruction_alarms(run.readings, LEARNED_ROWS, seed=seed, epochs=epochs) for run in runs
        ]
        print(f"autoencoders trained in {time.perf_counter() - start:.0f} s")
    everything = [np.ones(len(run.signal), dtype=np.bool_) for run in runs]
    return found | {CHEAT: everything}


def _table(
    runs: Sequence[Run], rows: Mapping[str, Sequence[Mask]], preset: str, seed: int
) -> dict[str, float | int | str]:
    """Show and return F1, FAR and MAR of all methods in both protocols."""
    truth = [run.anomalous for run in runs]
    figures: dict[str, float | int | str] = {}
    cells = []
    for name, found in rows.items():
        row = [name]
        for part, first in (("whole", 0), ("rest", LEARNED_ROWS)):
            counts = Points.pooled(found, truth, first)
            row += [f"{counts.f1:.3f}", f"{counts.far:.1f}", f"{counts.mar:.1f}"]
            values = {"f1_ratio": counts.f1, "far_percent": counts.far, "mar_percent": counts.mar}
            figures |= key_figures(f"{part} {name}", values)
        published = PUBLISHED.get(name)
        cells.append([*row, f"{published[0]} / {published[1]}" if published else ""])
    row = ["ours shifted at random"]
    for part, first in (("whole", 0), ("rest", LEARNED_ROWS)):
        shifts = shifted_points(rows[CHOSEN], truth, first, seed=seed)
        row += [f"{shifts.mean():.3f}", "", ""]
        values = {"f1_mean_ratio": float(shifts.mean()), "f1_largest_ratio": float(shifts.max())}
        figures |= key_figures(f"{part} shifted", values)
    show(
        f"{len(runs)} valve runs, {preset}; published figures are of all 34 runs",
        ["method", "F1 whole", "FAR %", "MAR %", "F1 rest", "FAR %", "MAR %", "published F1 whole / rest"],
        [*cells, [*row, ""]],
    )
    return figures


def _differences(
    runs: Sequence[Run], rows: Mapping[str, Sequence[Mask]], seed: int
) -> dict[str, float | int | str]:
    """Show and return how far ours is ahead of each reference: runs resampled in pairs, whole protocol."""
    truth = [run.anomalous for run in runs]
    picks = np.random.default_rng(seed).integers(len(runs), size=(RESAMPLES, len(runs)))
    figures: dict[str, float | int | str] = {}
    cells = []
    for name, found in rows.items():
        if name not in PUBLISHED:
            continue
        pairs = [
            [
                Points.pooled([said[n] for n in pick], [truth[n] for n in pick]).f1
                for said in (rows[CHOSEN], found)
            ]
            for pick in picks
        ]
        low, high = np.quantile([ours - theirs for ours, theirs in pairs], (0.025, 0.975))
        wins = sum(
            Points.pooled([rows[CHOSEN][n]], [truth[n]]).f1 > Points.pooled([found[n]], [truth[n]]).f1
            for n in range(len(runs))
        )
        cells.append([name, f"{low:+.3f} to {high:+.3f}", f"{wins} of {len(runs)}"])
        values = {"f1_low_ratio": low, "f1_high_ratio": high, "runs_won_count": wins}
        figures |= key_figures(f"ahead of {name}", values)
    show("Chosen way ahead of", ["reference", "F1, 95 % of resampled runs", "runs won"], cells)
    return figures


def _by_way(runs: Sequence[Run], ways: Sequence[Mapping[str, Mask]]) -> dict[str, float | int | str]:
    """Show and return the F1 of every way that was there to choose, on all runs."""
    truth = [run.anomalous for run in runs]
    counts = {way: Points.pooled([one[way] for one in ways], truth) for way in ways[0]}
    ranked = sorted(counts.items(), key=lambda pair: -pair[1].f1)
    show(
        "Ways there were to choose from, on all runs (for information: none is picked from this table)",
        ["way", "F1 whole", "FAR %", "MAR %"],
        [[way, f"{one.f1:.3f}", f"{one.far:.1f}", f"{one.mar:.1f}"] for way, one in ranked],
    )
    figures: dict[str, float | int | str] = {}
    for way, one in counts.items():
        figures |= key_figures(f"way {way}", {"f1_ratio": one.f1})
    return figures


def _healthy(
    run: Run, learned: int, ways: Mapping[str, Mask], choices: Sequence[str]
) -> dict[str, float | int | str]:
    """Show and return false events on what follows the learned part of the anomaly-free run."""
    steps = len(run.signal) - learned
    found = {f"{CHOSEN}: {way}": [ways[way]] for way in dict.fromkeys(choices)}
    for family in ("alone", "explained"):
        each = [ways[f"{name} {family}"] for name in run.signal.channels if f"{name} {family}" in ways]
        found |= {f"mean of sensors {family}": each} if each else {}
    found |= {name: [ways[way]] for name, way in _fixed_among(ways).items()}
    found["T-squared"] = [t_squared(run.readings, learned)]
    found["T-squared and Q"] = [t_squared_and_q(run.readings, learned)]
    figures: dict[str, float | int | str] = {}
    cells = []
    for name, masks in found.items():
        events = sum(len(stretches(one[learned:])) for one in masks)
        share = float(np.mean([one[learned:].mean() for one in masks]))
        rate = per_ten_thousand(events, steps * len(masks))
        cells.append([name, str(events), f"{rate:.2f}", f"{share:.3f}"])
        values = {"false_events_count": events, "false_events_per_10000_steps": rate, "flagged_ratio": share}
        figures |= key_figures(f"healthy {name}", values)
    show(
        f"Anomaly-free run: {learned} rows learned from, {steps} judged, all alarms are false",
        ["method", "events", "per 10,000 steps", "flagged"],
        cells,
    )
    return figures


def _fixed_among(ways: Mapping[str, Mask]) -> dict[str, str]:
    return {name: way for name, way in _fixed(FAMILIES).items() if way in ways}


if __name__ == "__main__":
    main()
