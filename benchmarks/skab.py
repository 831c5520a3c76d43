"""Valve runs of SKAB under its own protocol, and false events on its anomaly-free run.

    python -m benchmarks.skab FOLDER --preset quick --json OUT.json

The first 400 rows of a run are learned from; every row is judged and counted one by one, pooled over runs
("whole"), or those after the 400 only ("rest", SKAB's strict leaderboard). A machine of several sensors can
be judged in many ways: the way is chosen by F1 on every other run and reported on those between, both ways
round. No label of a run is used for its own figures.
References of the same run: Hotelling's T² without and with Q, the published convolutional autoencoder trained
anew for each seed, flagging everything, our own sequences shifted at random and a random score. The published
recipe costs a network a sensor and run, each with all sensors as its inputs.
"""

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.convolution_autoencoder import EPOCHS, reconstruction_alarms
from benchmarks.detection_tables import (
    CHANCES,
    DRAWS,
    SHIFTS,
    STATISTICAL,
    Figures,
    Points,
    f1_interval,
    key_figures,
    per_ten_thousand,
    points_by_chance,
    raiser_of,
    stretches,
)
from benchmarks.hotelling import t_squared, t_squared_and_q
from benchmarks.published_recipe import Taught, add_options, against_recipe
from benchmarks.single_threaded import single_threaded
from benchmarks.skab_ways import FAMILIES, Run, chosen_across, of_target, read_run, ways_of
from benchmarks.tables import cpu_s, peak_mb, show, write
from core.signal import Mask
from core.workflows.requests import PRESET_NAMES

LEARNED_ROWS: Final = 400
HEALTHY_SHARE: Final = 0.4
"""Of the anomaly-free run, what is learned from."""

CHOSEN, ANY, CHART = "chosen way", "any sensor alone", "all on one chart"
CHEAT: Final = "flag everything (cheat)"

PUBLISHED: Final[Mapping[str, tuple[float, float]]] = {
    "T-squared": (0.65, 0.66),
    "T-squared and Q": (0.75, 0.76),
    "convolutional autoencoder": (0.77, 0.78),
}
"""F1 over all 34 runs, whole and strict leaderboard: README of github.com/waico/SKAB at commit d4ca05a."""

PARTS: Final = (("whole", 0), ("rest", LEARNED_ROWS))

Found = Mapping[str, Sequence[Sequence[Mask]]]
"""What each method flags: by seed, or once, and by run."""


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
    parser.add_argument("--seeds", type=int, default=5, help="of our judges and of the autoencoder")
    parser.add_argument("--json", type=Path)
    add_options(parser)
    options = parser.parse_args(arguments)
    files = sorted((options.folder / "valve1").glob("*.csv"), key=lambda path: (len(path.stem), path.stem))
    wanted = options.runs.split(",") if options.runs else [path.stem for path in files]
    runs = [read_run(path) for path in files if path.stem in wanted]
    families = [one for one in FAMILIES if one in options.ways.split(",")]
    if len(runs) < 2 or len(families) < len(options.ways.split(",")) or options.seeds < 1:
        raise SystemExit(f"needs at least two runs and a seed, and ways among {', '.join(FAMILIES)}")
    healthy = read_run(options.folder / "anomaly-free" / "anomaly-free.csv")
    learned = round(HEALTHY_SHARE * len(healthy.signal))
    # The statistical detector draws no random number.
    seeds = range(1 if options.preset == STATISTICAL else options.seeds)
    makes = [partial(raiser_of, options.preset, mode=options.mode, seed=seed) for seed in seeds]
    ways, costs = [], dict.fromkeys(families, 0.0)
    for seed, make in enumerate(makes):
        found: list[dict[str, Mask]] = [{} for _ in runs]
        for family in families:
            before = cpu_s()
            for each, run in zip(found, runs, strict=True):
                each.update(ways_of(run, LEARNED_ROWS, make, [family]))
            costs[family] += cpu_s() - before if seed == 0 else 0.0
        ways.append(found)
    chosen = [chosen_across(runs, found) for found in ways]
    choices = [" or ".join(dict.fromkeys(choice[half] for _, choice in chosen)) for half in (0, 1)]
    print(f"chosen for runs {_names(runs[::2])}: {choices[0]}; for runs {_names(runs[1::2])}: {choices[1]}")
    rows: dict[str, Sequence[Sequence[Mask]]] = {CHOSEN: [ours for ours, _ in chosen]}
    for name, way in _fixed(families).items():
        rows[name] = [[one[way] for one in found] for found in ways]
    rows |= _references(runs, range(options.seeds), options.epochs)
    figures = _table(runs, rows, options.preset)
    figures |= _differences(runs, rows)
    figures |= _by_way(runs, ways)
    by_seed = [ways_of(healthy, learned, make, families) for make in makes]
    figures |= _healthy(healthy, learned, by_seed, [choice for _, pair in chosen for choice in pair])
    figures |= {"preset": options.preset, "mode": options.mode, "runs_count": len(runs)}
    figures |= {"chosen_for_even_runs": choices[0], "chosen_for_odd_runs": choices[1]}
    figures |= {"seeds_count": len(seeds), "draws_count": SHIFTS, "resamples_count": DRAWS}
    if not options.no_recipe:
        named = {f"all sensors {family} (first seed)": costs[family] for family in families}
        figures |= against_recipe(_taught(runs), named, batches=options.recipe_batches)
    figures |= {f"ways_{family}_cpu_s": costs[family] for family in families}
    figures |= {"cpu_s": round(cpu_s(), 1), "memory_peak_mb": round(peak_mb())}
    print(f"{cpu_s():.1f} CPU s, peak {peak_mb():.0f} MB")
    write(options.json, figures)


def _names(runs: Sequence[Run]) -> str:
    return ", ".join(run.name for run in runs)


def _fixed(families: Sequence[str]) -> dict[str, str]:
    """Return the ways that need no choice, by the name of their row."""
    fixed = {ANY: "1 sensors or more, alone"} if "alone" in families else {}
    return fixed | ({CHART: "all on one chart"} if "subspace" in families else {})


def _taught(runs: Sequence[Run]) -> list[Taught]:
    """Return what the recipe is taught: each sensor of each run from all of them, the whole run predicted."""
    found = []
    for run in runs:
        for place, sensor in enumerate(run.signal.channels):
            values = of_target(run.signal, place, explained=True).values
            found.append(Taught.scaled(f"{run.name} {sensor}", values[:LEARNED_ROWS], values))
    return found


def _references(runs: Sequence[Run], seeds: Sequence[int], epochs: int) -> dict[str, list[list[Mask]]]:
    """Return what the methods that we are held against flag in each run."""
    found = {
        "T-squared": [[t_squared(run.readings, LEARNED_ROWS) for run in runs]],
        "T-squared and Q": [[t_squared_and_q(run.readings, LEARNED_ROWS) for run in runs]],
    }
    if epochs:
        before = cpu_s()
        found["convolutional autoencoder"] = [
            [reconstruction_alarms(run.readings, LEARNED_ROWS, seed=seed, epochs=epochs) for run in runs]
            for seed in seeds
        ]
        print(f"autoencoders trained in {(cpu_s() - before) / len(seeds):.0f} CPU s a seed")
    return found | {CHEAT: [[np.ones(len(run.signal), dtype=np.bool_) for run in runs]]}


def _table(runs: Sequence[Run], rows: Found, preset: str) -> Figures:
    """Show and return F1, the flagged share, FAR and MAR of all methods in both protocols."""
    truth = [run.anomalous for run in runs]
    figures: Figures = {}
    cells = []
    for name, found in rows.items():
        row = [name]
        for part, first in PARTS:
            told, values = _told([Points.pooled(one, truth, first) for one in found])
            row += told
            figures |= key_figures(f"{part} {name}", values)
        published = PUBLISHED.get(name)
        cells.append([*row, f"{published[0]} / {published[1]}" if published else ""])
    for name, chance in CHANCES.items():
        row = [name]
        for part, first in PARTS:
            drawn = points_by_chance(chance, rows[CHOSEN][0], truth, first, seed=0)
            told, values = _told(drawn)
            row += told
            values["f1_largest_ratio"] = max(one.f1 for one in drawn)
            figures |= key_figures(f"{part} {name}", values)
        cells.append([*row, ""])
    columns = [f"{one} {part}" for part, _ in PARTS for one in ("F1", "flagged %", "FAR %", "MAR %")]
    show(
        f"{len(runs)} valve runs, {preset}; published figures are of all 34 runs",
        ["method", *columns, "published F1 whole / rest"],
        cells,
    )
    return figures


def _told(counts: Sequence[Points]) -> tuple[list[str], dict[str, float]]:
    """Return the cells and figures of one method: means over seeds, and the deviation of F1."""
    f1, deviation = (float(of([one.f1 for one in counts])) for of in (np.mean, np.std))
    flagged, far, mar = (
        float(np.mean([getattr(one, part) for one in counts])) for part in ("flagged_share", "far", "mar")
    )
    values = {"f1_ratio": f1, "f1_deviation_ratio": deviation, "flagged_ratio": flagged}
    cells = [f"{f1:.3f}" + (f" ± {deviation:.3f}" if len(counts) > 1 else "")]
    cells += [f"{100 * flagged:.1f}", f"{far:.1f}", f"{mar:.1f}"]
    return cells, values | {"far_percent": far, "mar_percent": mar}


def _differences(runs: Sequence[Run], rows: Found) -> Figures:
    """Show and return how far ours is ahead of each reference: runs resampled in pairs, seeds pooled."""
    figures: Figures = {}
    cells = []
    for part, first in PARTS:
        ours = _by_run(runs, rows[CHOSEN], first)
        for name in [one for one in rows if one in PUBLISHED]:
            theirs = _by_run(runs, rows[name], first)
            low, high = f1_interval(ours, theirs, seed=0)
            difference = sum(ours, Points()).f1 - sum(theirs, Points()).f1
            wins = sum(mine.f1 > other.f1 for mine, other in zip(ours, theirs, strict=True))
            told = f"{difference:+.3f} ({low:+.3f} to {high:+.3f})"
            cells.append([name, part, told, f"{wins} of {len(runs)}"])
            values = {"f1_ratio": difference, "f1_low_ratio": low, "f1_high_ratio": high}
            figures |= key_figures(f"{part} ahead of {name}", values | {"runs_won_count": wins})
    show("Chosen way ahead of", ["reference", "protocol", "F1, 95 % of resampled runs", "runs won"], cells)
    return figures


def _by_run(runs: Sequence[Run], found: Sequence[Sequence[Mask]], first: int) -> list[Points]:
    """Return each run's counts, seeds added up."""
    return [
        sum((Points.pooled([seed[n]], [run.anomalous], first) for seed in found), Points())
        for n, run in enumerate(runs)
    ]


def _by_way(runs: Sequence[Run], ways: Sequence[Sequence[Mapping[str, Mask]]]) -> Figures:
    """Show and return the F1 of every way that was there to choose, on all runs."""
    truth = [run.anomalous for run in runs]
    counts = {
        way: [Points.pooled([one[way] for one in found], truth) for found in ways] for way in ways[0][0]
    }
    told = {way: _told(each) for way, each in counts.items()}
    ranked = sorted(told.items(), key=lambda pair: -pair[1][1]["f1_ratio"])
    show(
        "Ways there were to choose from, on all runs (for information: none is picked from this table)",
        ["way", "F1 whole", "flagged %", "FAR %", "MAR %"],
        [[way, *cells] for way, (cells, _) in ranked],
    )
    figures: Figures = {}
    for way, (_, values) in told.items():
        figures |= key_figures(f"way {way}", {"f1_ratio": values["f1_ratio"]})
    return figures


def _healthy(run: Run, learned: int, ways: Sequence[Mapping[str, Mask]], choices: Sequence[str]) -> Figures:
    """Show and return false events on what follows the learned part of the anomaly-free run."""
    steps = len(run.signal) - learned
    found = {f"{CHOSEN}: {way}": [one[way] for one in ways] for way in dict.fromkeys(choices)}
    for family in ("alone", "explained"):
        each = [f"{name} {family}" for name in run.signal.channels if f"{name} {family}" in ways[0]]
        found |= {f"mean of sensors {family}": [one[way] for one in ways for way in each]} if each else {}
    fixed = {name: way for name, way in _fixed(FAMILIES).items() if way in ways[0]}
    found |= {name: [one[way] for one in ways] for name, way in fixed.items()}
    found["T-squared"] = [t_squared(run.readings, learned)]
    found["T-squared and Q"] = [t_squared_and_q(run.readings, learned)]
    figures: Figures = {}
    cells = []
    for name, masks in found.items():
        events = sum(len(stretches(one[learned:])) for one in masks) / len(masks)
        share = float(np.mean([one[learned:].mean() for one in masks]))
        rate = per_ten_thousand(events, steps)
        cells.append([name, f"{events:.3g}", f"{rate:.2f}", f"{share:.3f}"])
        values = {"false_events_count": events, "false_events_per_10000_steps": rate, "flagged_ratio": share}
        figures |= key_figures(f"healthy {name}", values)
    show(
        f"Anomaly-free run: {learned} rows learned from, {steps} judged, all alarms are false",
        ["method", "events, mean", "per 10,000 steps", "flagged"],
        cells,
    )
    return figures


if __name__ == "__main__":
    with single_threaded():
        main()
