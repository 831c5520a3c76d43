"""NASA's SMAP and MSL channels: the chosen panels beside the reference's events, and what they cost.

    python -m benchmarks.smap_msl DATA.zip LABELS.csv --events E.csv --scores DIR --json OUT.json

Works on any channels that both files hold. A channel's training part is what is fitted and calibrated on,
its test part alone is judged. Settings are those of the presets, which `benchmarks.smap_search` chose in five
folds of 61 channels: on those the figures are in-sample, unlike those of ``--folds``, which searches again.

Events are counted as Hundman et al. (KDD 2018) do, a channel that is listed twice twice. Under that rule
flagging everything scores high, hence the share of points, and our own sequences moved at random. The
interval is a paired bootstrap over channels of the difference in F1 to the reference's own events.

E.csv holds ``channel,start,end``, inclusive steps of the test part; DIR gets one ``<channel>.npy`` each:
float64, one number a step, 0 while warming up. Both are of the panel of ``--preset`` and ``--mode``, first
seed. CPU seconds are of one thread of linear algebra; a network's are charged to every row that uses it.
"""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.detection_tables import SHIFTS, Figures
from benchmarks.event_counting import everything, moved_at_random
from benchmarks.panel_runs import Networks, Run, run_panel
from benchmarks.published_recipe import add_options, against_recipe
from benchmarks.single_threaded import single_threaded
from benchmarks.smap_channels import Channel, read_channels
from benchmarks.smap_costs import fleets, taught
from benchmarks.smap_folds import fold_figures
from benchmarks.smap_presets import panel_of
from benchmarks.smap_rows import HEADER, Row, lstm_run, of_events, read_events, told, write_events
from benchmarks.tables import cpu_s, peak_mb, show, write
from core.results import Mode

PANELS: Final[tuple[tuple[str, Mode], ...]] = (
    ("quick", "review"),
    ("quick", "causal"),
    ("standard", "review"),
    ("standard", "causal"),
    ("thorough", "review"),
    ("thorough", "causal"),
)
ROWS: Final = {"none": 0, "quick": 2, "all": 4, "every": 6}
"""How many of them each choice of ``--panels`` shows: ``every`` trains networks, ``all`` does not."""

TITLES: Final = {"quick": "instant tier"}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    options = _options(arguments)
    channels = read_channels(
        options.data, options.labels, options.channels.split(",") if options.channels else None
    )
    told_panels = PANELS[: ROWS[options.panels]]
    wanted = (options.preset, options.mode)
    panels = (*told_panels, *([] if wanted in told_panels else [wanted]))
    with single_threaded():
        networks, runs = Networks(channels), {}
        rows: list[Row] = []
        for preset, mode in panels:
            run = run_panel(channels, partial(panel_of, preset, mode), options.seeds, networks)
            runs[preset, mode] = run
            rows.append(Row.of(_title(preset, mode), run, channels))
        chosen: Run = runs[wanted]
        if options.lstm:
            rows.append(Row.of("LSTM with dynamic threshold", lstm_run(channels), channels))
    reference = _reference(options.reference, options.labels, channels)
    rows += [reference] if reference is not None else []
    rows.append(of_events("flag everything (cheat)", channels, everything(channels)))
    by_chance = moved_at_random(channels, chosen.events, seed=0)
    rows.append(Row(f"our sequences moved at random (cheat, {SHIFTS:,} draws)", by_chance, {}))
    figures: Figures = {
        "channels_count": len(channels),
        "labelled_lines_count": sum(len(one.truth) for one in channels),
        "test_steps_count": sum(len(one.test) for one in channels),
        "seeds_count": options.seeds,
        "events_preset": options.preset,
        "events_mode": options.mode,
    }
    lines = []
    for row in rows:
        cells, found = told(row, reference)
        lines.append(cells)
        figures |= found
    show(f"{len(channels)} channels, {options.seeds} seeds", HEADER, lines)
    _show_remarks(chosen)
    _store(options.events, options.scores, chosen)
    if options.folds:
        figures |= fold_figures(channels, options.seeds)
    if not options.no_recipe:
        costs = {_title(*key): run.costs.cpu_s for key, run in runs.items()}
        figures |= against_recipe(taught(channels), costs, batches=options.recipe_batches)
    if options.repeat:
        names = [one.name for one in channels]
        figures |= fleets(options.data, options.labels, names)
    figures |= {"all_cpu_s": cpu_s(), "all_peak_memory_mb": peak_mb()}
    write(options.json, figures)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--channels", help="names, by commas; all that both files hold without")
    parser.add_argument("--events", type=Path, help="E.csv")
    parser.add_argument("--scores", type=Path, help="folder for <channel>.npy")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--preset", default="standard", help="of what is written")
    parser.add_argument("--mode", choices=("review", "causal"), default="review", help="of what is written")
    parser.add_argument("--panels", choices=tuple(ROWS), default="all", help="rows besides it")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--reference", type=Path, help="by default reference_events.csv beside LABELS.csv")
    parser.add_argument("--lstm", action="store_true", help="train Telemanom's LSTM, too")
    parser.add_argument("--folds", action="store_true", help="search in five folds of these channels, too")
    add_options(parser)
    parser.add_argument("--repeat", action="store_true", help="cost of the instant tier for larger fleets")
    options = parser.parse_args(arguments)
    if options.seeds < 1:
        parser.error("--seeds must be at least 1")
    return options


def _title(preset: str, mode: Mode) -> str:
    return f"{TITLES.get(preset, f'{preset} panel')}, {mode}"


def _reference(path: Path | None, labels: Path, channels: Sequence[Channel]) -> Row | None:
    """Return the row of the reference's own events; None if it has none of these channels."""
    place = path or labels.parent / "reference_events.csv"
    if path is None and not place.is_file():
        return None
    events = read_events(place, channels)
    if not any(events.values()):
        print(f"{place.name} holds no events of these channels, so nothing is held against them")
        return None
    return of_events("the reference's own events", channels, events)


def _show_remarks(run: Run) -> None:
    for name, remark in sorted(run.remarks.items()):
        print(f"{name}: {remark}")
    if run.remarks:
        print()


def _store(events: Path | None, scores: Path | None, run: Run) -> None:
    if events is not None:
        write_events(events, run.events)
        print(f"written: {events}")
    if scores is not None:
        scores.mkdir(parents=True, exist_ok=True)
        for name, values in run.ranking.items():
            np.save(scores / f"{name}.npy", values, allow_pickle=False)
        print(f"written: {len(run.ranking)} files of scores in {scores}")


if __name__ == "__main__":
    main()
