"""How the settings of `benchmarks.tsb_ad` were chosen: by a search over a grid, judged on channels left out.

    python -m benchmarks.tsb_search DATA.zip PUBLISHED.csv --labels LABELS.csv --json OUT.json

In five folds of channels, stratified by spacecraft, the setting that is best on the other folds is judged on
the fold; channels with the same telemetry share a fold. What is chosen for good is best on all. Best is the
highest mean of the means over track and spacecraft.

The detector's score is a mean over lengths and a sum over views, so each part is computed once. The grid was
drawn up after single lengths (10 to 240), single views (four) and about 60 combinations had been looked at by
hand on all of these series: the folds judge the choice within the grid, not the grid.
"""

import argparse
import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.tables import cpu_s, show, write
from benchmarks.tsb_files import default_labels, read_series
from benchmarks.tsb_series import Series, as_run, identified
from core.detectors.neighbours import Neighbours, NeighboursParameters
from core.detectors.window_distance import View, moving_mean
from core.errors import InsufficientData

LENGTHS: Final[tuple[tuple[int, ...], ...]] = ((40, 80, 160), (80, 160, 240), (40, 80, 160, 240), (120, 240))
VIEWS: Final[tuple[tuple[View, ...], ...]] = (
    ("shape",),
    ("shape", "trend"),
    ("shape", "profile"),
    ("shape", "trend", "profile"),
)
SMOOTHING: Final = (1, 51, 101)
CONTEXT: Final = (0.0, 1.0)
REVISIONS: Final = 1
"""Grids that were searched, this one included."""

FOLDS: Final = 5

Doubles = NDArray[np.float64]
Setting = NeighboursParameters


def grid() -> list[Setting]:
    """Return every combination."""
    return [
        NeighboursParameters("review", lengths, views, smoothing=smoothing, context_weight=context)
        for lengths, views, smoothing, context in itertools.product(LENGTHS, VIEWS, SMOOTHING, CONTEXT)
    ]


@dataclass(frozen=True, eq=False)
class Parts:
    """A series and its scores by length, for each view and for context."""

    series: Series
    by_view: Mapping[tuple[int, View], Doubles]
    by_context: Mapping[int, Doubles]

    @classmethod
    def of(cls, series: Series) -> "Parts":
        """Score the series with each length and view alone."""
        by_view, by_context = {}, {}
        for length in sorted(set(itertools.chain(*LENGTHS))):
            for view in sorted(set(itertools.chain(*VIEWS))):
                alone = NeighboursParameters("review", (length,), (view,))
                try:
                    by_view[length, view] = scores(series, alone)
                except InsufficientData:
                    continue
                if series.values.shape[1] > 1 and length not in by_context:
                    both = scores(series, replace(alone, context_weight=1.0))
                    by_context[length] = both - by_view[length, view]
        return cls(series, by_view, by_context)

    def scores(self, setting: Setting) -> Doubles:
        """Put together what the detector would say with this setting."""
        known = [one for one in setting.lengths if (one, setting.views[0]) in self.by_view]
        parts = [self.by_view[one, view] for one in known for view in setting.views]
        parts += [setting.context_weight * self.by_context[one] for one in known if one in self.by_context]
        after = (setting.smoothing - 1) // 2
        total: Doubles = np.sum(parts, axis=0) / len(known)
        return moving_mean(np.maximum(total, 0.0), setting.smoothing - 1 - after, after)


def scores(series: Series, setting: Setting, *, seed: int = 0) -> Doubles:
    """Fit on the first `train_length` rows of the series and score all of them."""
    signal = as_run(series).signal()
    detector = Neighbours(setting, seed=seed).fit(signal.slice(0, series.train_length))
    return detector.score(signal).values.astype(np.float64)


def folds(series: Sequence[Series]) -> Iterator[tuple[int, list[int]]]:
    """Return the number of each fold and the places of its series."""
    by_telemetry: dict[str, dict[bytes, list[int]]] = defaultdict(lambda: defaultdict(list))
    for place, one in enumerate(series):
        by_telemetry[one.spacecraft][one.telemetry].append(place)
    for fold in range(FOLDS):
        groups = [list(found.values())[fold::FOLDS] for found in by_telemetry.values()]
        yield fold, sorted(itertools.chain(*itertools.chain(*groups)))


def objective(figures: Doubles, groups: Sequence[str]) -> Doubles:
    """Return (settings,) means over groups of means over their series, of (settings, series) figures."""
    names = np.array(groups)
    means: Doubles = np.mean([figures[:, names == one].mean(axis=1) for one in np.unique(names)], axis=0)
    return means


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the search."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("published", type=Path)
    parser.add_argument("--labels", type=Path, help="by default labeled_anomalies.csv beside DATA.zip")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    found = read_series(options.data, options.published, options.labels or default_labels(options.data))
    series = [identified(one) for one in found]
    settings, groups = grid(), [one.group for one in series]
    figures = np.empty((len(settings), len(series)))
    for place, one in enumerate(series):
        parts = Parts.of(one)
        figures[:, place] = [one.vus_pr(parts.scores(setting)) for setting in settings]
    held_out = np.empty(len(series))
    rows = []
    for fold, left_out in folds(series):
        others = [place for place in range(len(series)) if place not in left_out]
        best = int(objective(figures[:, others], [groups[place] for place in others]).argmax())
        held_out[left_out] = figures[best, left_out]
        rows.append([str(fold + 1), str(len(left_out)), _told(settings[best])])
    ranked = np.argsort(-objective(figures, groups))
    chosen = settings[int(ranked[0])]
    show("Chosen without each fold", ["fold", "series", "setting"], rows)
    report: dict[str, float | int | str] = {"chosen": _told(chosen), "grid_revisions_count": REVISIONS}
    report |= {"settings_count": len(settings), "series_count": len(series), "cpu_s": cpu_s()}
    names = sorted(set(groups))
    rows = [["held-out folds", *_means(held_out, groups, names)]]
    rows += [
        [_told(settings[one]), *_means(figures[one], groups, names)] for one in [*ranked[:5], ranked[-1]]
    ]
    show("VUS-PR, held-out folds pooled; then the five best settings and the worst", ["", *names], rows)
    for name in names:
        here = np.array(groups) == name
        report[f"{name}_held_out_vus_pr_ratio"] = float(held_out[here].mean())
        report[f"{name}_chosen_vus_pr_ratio"] = float(figures[ranked[0], here].mean())
        report[f"{name}_worst_setting_vus_pr_ratio"] = float(figures[:, here].mean(axis=1).min())
    print(f"chosen: {chosen}")
    write(options.json, report)


def _told(setting: Setting) -> str:
    lengths, views = ",".join(map(str, setting.lengths)), "+".join(setting.views)
    return f"{lengths} {views} smoothing {setting.smoothing} context {setting.context_weight:g}"


def _means(figures: Doubles, groups: Sequence[str], names: Sequence[str]) -> list[str]:
    return [f"{figures[np.array(groups) == name].mean():.3f}" for name in names]


if __name__ == "__main__":
    main()
