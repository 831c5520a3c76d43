"""The setting of `benchmarks.tsb_ad` on channels that nobody looked at while it was chosen.

    python -m benchmarks.tsb_others DATA.zip PUBLISHED.csv --json OUT.json

TSB-AD publishes nothing on the channels that are left over, so KMeansAD and POLY are run beside it. As in
its series, the first quarter of the test part is fitted on, but at least 500 rows, and none of the last 100
before the first labelled one unless fewer than 500 are left. POLY sees column 0 in both tracks.
"""

import argparse
import csv
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.detection_tables import mean_interval
from benchmarks.tables import show, write
from benchmarks.tsb_ad import CHOSEN
from benchmarks.tsb_files import default_labels, left_over
from benchmarks.tsb_published import MULTIVARIATE_WINDOW, kmeans_ad, poly, univariate_window
from benchmarks.tsb_search import scores
from benchmarks.tsb_series import Series

METHODS: Final = ("similarity_detector", "kmeans_ad", "poly")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("published", type=Path)
    parser.add_argument("--labels", type=Path, help="by default labeled_anomalies.csv beside DATA.zip")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    with options.published.open(encoding="utf-8", newline="") as stream:
        seen = {row["channel"] for row in csv.DictReader(stream)}
    found = left_over(options.data, options.labels or default_labels(options.data), seen)
    groups: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    rows = []
    for series in found:
        figures = judge(series)
        groups[series.group].append(figures)
        rows.append([series.track, series.name, *(f"{one:.3f}" for one in figures)])
    show(
        "VUS-PR of channels without published figures", ["track", "channel", "ours", "KMeansAD", "POLY"], rows
    )
    report: dict[str, float | int | str] = {"series_count": len(found)}
    rows = []
    for name, members in sorted(groups.items()):
        table = np.array(members)
        report[f"{name}_series_count"] = len(members)
        report |= {
            f"{name}_{one}_vus_pr_ratio": float(m) for one, m in zip(METHODS, table.mean(0), strict=True)
        }
        best = table[:, 1 + int(table[:, 1:].mean(axis=0).argmax())]
        low, high = mean_interval(table[:, 0] - best, seed=0)
        report |= {f"{name}_difference_low_ratio": low, f"{name}_difference_high_ratio": high}
        wins = int((table[:, 0] > best).sum())
        report[f"{name}_wins_count"] = wins
        beside = (
            f"{(table[:, 0] - best).mean():+.3f} ({low:+.3f} to {high:+.3f}), wins {wins} of {len(members)}"
        )
        rows.append([name.upper().replace("_", " "), *(f"{one:.3f}" for one in table.mean(axis=0)), beside])
    show("Means", ["series", "ours", "KMeansAD", "POLY", "ours less the better of them, 95 %"], rows)
    write(options.json, report)


def judge(series: Series) -> tuple[float, ...]:
    """Return VUS-PR of the detector, of KMeansAD and of POLY."""
    first = series.values[:, 0]
    window = MULTIVARIATE_WINDOW if series.track == "M" else univariate_window(first)
    methods = (scores(series, CHOSEN), kmeans_ad(series.values, window=window, seed=0), poly(first))
    return tuple(series.vus_pr(one) for one in methods)


if __name__ == "__main__":
    main()
