"""TSB-AD's series of NASA's channels: the similarity detector beside the published methods, by VUS-PR.

    python -m benchmarks.tsb_ad DATA.zip PUBLISHED.csv --scores DIR --json OUT.json

Fitted on the first `train_length` rows of a series, then all of it is scored, in review mode; one setting for
all, which `benchmarks.tsb_search` chose. VUS-PR with 250 thresholds; its longest buffer is the period of the
series' first column (highest maximum of the autocorrelation, 125 without one), as `core.evaluation.range_auc`
says. Labels are NASA's, ``labeled_anomalies.csv`` beside DATA.zip unless ``--labels`` says otherwise.

``--scores`` gets one ``<series>.npy`` each: float64, one number a row, none missing, higher is stranger;
``<series>`` is what PUBLISHED.csv has in its column `series`, without ``.csv``.

KMeansAD and POLY are run as published, to show that series and measure are those of the published figures.
Three things that know nothing are judged, too: our own scores shifted in a circle by a random number of rows,
a random score, and the same score for every row, which flags everything.

VUS-PR ranks, it flags nothing. The share of rows flagged is told for a bar that needs no labels: the quantile
threshold at its defaults, twice the 0.999 quantile of the scores of the last fifth of the training rows, by
the detector fitted on the four fifths before. The figures of VUS-PR don't use it.
"""

import argparse
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.detection_tables import Figures, flags, judged, mean_interval
from benchmarks.published_recipe import Taught, add_options, against_recipe
from benchmarks.single_threaded import single_threaded
from benchmarks.tables import cpu_s, peak_mb, show, write
from benchmarks.tsb_files import default_labels, read_series
from benchmarks.tsb_published import MULTIVARIATE_WINDOW, kmeans_ad, poly, univariate_window
from benchmarks.tsb_search import scores
from benchmarks.tsb_series import TARGET, Series, as_run, identified
from core.detectors.neighbours import Neighbours, NeighboursParameters
from core.ensembles.raise_events import EventRaiser
from core.errors import InsufficientData
from core.thresholds.quantile import QuantileThreshold

CHOSEN: Final = NeighboursParameters("review", (40, 80, 160, 240), ("shape", "profile"), smoothing=101)
"""The best setting of `benchmarks.tsb_search` on the series of 34 channels."""

SHIFTS: Final = 20
"""Draws of a random shift, and of a random score."""

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Judged:
    """VUS-PR of one series.

    Parameters
    ----------
    series
        The series as identified.
    seeds
        Of the detector, one a seed.
    causal
        Of the same setting in causal mode and without smoothing, its warm-up told as not strange.
    on_target
        Of the detector on the channel's own telemetry, where the series is another column.
    shifted, random, same
        Of our scores shifted at random, of random scores, and of the same score for every row.
    flagged
        Share of rows in events of the detector with the quantile threshold; NaN where the training rows don't
        allow for a bar of its own.
    kmeans, poly
        Of the published methods in this run; POLY in track U only.
    seconds
        CPU seconds of fitting and scoring, one a seed.
    """

    series: Series
    seeds: tuple[float, ...]
    causal: float
    on_target: float
    shifted: float
    random: float
    same: float
    flagged: float
    kmeans: float
    poly: float | None
    seconds: tuple[float, ...]

    @property
    def ours(self) -> float:
        """Mean over seeds."""
        return float(np.mean(self.seeds))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("published", type=Path)
    parser.add_argument("--labels", type=Path, help="by default labeled_anomalies.csv beside DATA.zip")
    parser.add_argument("--scores", type=Path, help="folder for <series>.npy")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    add_options(parser)
    options = parser.parse_args(arguments)
    if options.seeds < 1:
        parser.error("--seeds must be at least 1")
    found = read_series(options.data, options.published, options.labels or default_labels(options.data))
    every = [judge(one, options.seeds, options.scores) for one in found]
    groups: dict[str, list[Judged]] = defaultdict(list)
    for one in every:
        groups[one.series.group].append(one)
    report: Figures = {
        "series_count": len(every),
        "other_labels_count": sum(not one.series.as_named for one in every),
        "channels_count": len({one.series.channel for one in every}),
        "seeds_count": options.seeds,
    }
    _show_series(every)
    rows = []
    for name, members in sorted(groups.items()):
        figures = summary(members)
        report |= {f"{name}_{key}": value for key, value in figures.items()}
        rows += _rows(name, figures)
    header = ["series", "method", "VUS-PR", "flagged", "ours less the best published, 95 %"]
    show("Means over series; flagged by the quantile threshold", header, rows)
    seconds = sum(np.mean(one.seconds) for one in every)
    steps = sum(one.series.labels.size for one in every)
    report |= {"fit_and_score_cpu_s": float(seconds), "fit_and_score_rows_per_s": steps / float(seconds)}
    report |= {"cpu_s": cpu_s(), "peak_memory_mb": peak_mb()}
    print(f"fitting and scoring {steps} rows once: {seconds:.1f} CPU s; all of this run {cpu_s():.0f} CPU s")
    if not options.no_recipe:
        taught = [_taught(one.series) for one in every]
        ours = {"similarity detector": float(seconds)}
        report |= against_recipe(taught, ours, batches=options.recipe_batches)
    write(options.json, report)


def judge(published: Series, seeds: int, folder: Path | None) -> Judged:
    """Run everything on one series, and store its scores."""
    series = identified(published)
    found, seconds = [], []
    for seed in range(seeds):
        before = cpu_s()
        found.append(scores(series, CHOSEN, seed=seed))
        seconds.append(cpu_s() - before)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / f"{series.name}.npy", found[0], allow_pickle=False)
    values = as_run(series).values
    window = MULTIVARIATE_WINDOW if series.track == "M" else univariate_window(values[:, 0])
    choose = np.random.default_rng(0)
    shifts = choose.integers(0, found[0].size, SHIFTS)
    figures = tuple(series.vus_pr(one) for one in found)
    causal = np.nan_to_num(scores(series, replace(CHOSEN, mode="causal", smoothing=1)), nan=0.0)
    return Judged(
        series=series,
        seeds=figures,
        causal=series.vus_pr(causal),
        on_target=float(np.mean(figures))
        if series.column == TARGET
        else published.vus_pr(scores(published, CHOSEN)),
        shifted=float(np.mean([series.vus_pr(np.roll(found[0], int(by))) for by in shifts])),
        random=float(np.mean([series.vus_pr(choose.random(found[0].size)) for _ in range(SHIFTS)])),
        same=series.vus_pr(np.zeros(found[0].size)),
        flagged=_flagged_share(series),
        kmeans=series.vus_pr(kmeans_ad(values, window=window, seed=0)),
        poly=series.vus_pr(poly(values[:, 0])) if series.track == "U" and series.changes else None,
        seconds=tuple(seconds),
    )


def _flagged_share(series: Series) -> float:
    raiser = EventRaiser(Neighbours(CHOSEN), QuantileThreshold())
    try:
        return float(flags(judged(raiser, as_run(series).signal(), series.train_length)).mean())
    except InsufficientData:
        return float("nan")


def _taught(series: Series) -> Taught:
    """Return a series as the recipe gets it: what may be fitted on, and all of it predicted."""
    values = as_run(series).values
    return Taught.scaled(f"{series.track} {series.name}", values[: series.train_length], values)


def summary(members: Sequence[Judged]) -> Figures:
    """Return the figures of one track and spacecraft."""
    ours = np.array([one.ours for one in members])
    best, reference = best_published([one.series.published for one in members])
    low, high = mean_interval(ours - reference, seed=0)
    barred = [one.flagged for one in members if np.isfinite(one.flagged)]
    by_seed = np.array([one.seeds for one in members]).mean(axis=0)
    found: Figures = {
        "series_count": len(members),
        "vus_pr_ratio": float(ours.mean()),
        "deviation_over_seeds_ratio": float(by_seed.std()),
        "deviation_over_series_ratio": float(ours.std()),
        "best_published_method": best,
        "best_published_vus_pr_ratio": float(reference.mean()),
        "wins_count": int((ours > reference).sum()),
        "best_of_each_series_vus_pr_ratio": float(
            np.mean([max(one.series.published.values()) for one in members])
        ),
        "difference_ratio": float((ours - reference).mean()),
        "difference_low_ratio": low,
        "difference_high_ratio": high,
        "causal_vus_pr_ratio": float(np.mean([one.causal for one in members])),
        "target_column_vus_pr_ratio": float(np.mean([one.on_target for one in members])),
        "other_columns_count": sum(one.series.column != TARGET for one in members),
        "shifted_at_random_vus_pr_ratio": float(np.mean([one.shifted for one in members])),
        "random_score_vus_pr_ratio": float(np.mean([one.random for one in members])),
        "flag_everything_vus_pr_ratio": float(np.mean([one.same for one in members])),
        "flagged_ratio": float(np.mean(barred)) if barred else "no bar",
        "without_bar_count": len(members) - len(barred),
        "labelled_ratio": float(np.mean([one.series.labels.mean() for one in members])),
        "kmeans_ad_this_run_vus_pr_ratio": float(np.mean([one.kmeans for one in members])),
    }
    for method, name in (("KMeansAD", "kmeans_ad"), ("POLY", "poly")):
        published = [one.series.published[method] for one in members if method in one.series.published]
        if published:
            found[f"{name}_published_vus_pr_ratio"] = float(np.mean(published))
    again = [one.poly for one in members if one.poly is not None]
    if again:
        found["poly_this_run_vus_pr_ratio"] = float(np.mean(again))
    return found


def best_published(published: Sequence[Mapping[str, float]]) -> tuple[str, Doubles]:
    """Return the method with the highest mean among those published for every series, and its figures."""
    common = set.intersection(*(set(one) for one in published))
    if not common:
        raise SystemExit("no method was published for every series of a track and spacecraft")
    best = max(sorted(common), key=lambda method: sum(one[method] for one in published))
    return best, np.array([one[best] for one in published])


def _show_series(judged: Sequence[Judged]) -> None:
    header = ["series", "channel", "column", "buffer", "ours", "best published", "KMeansAD", "this run"]
    rows = []
    for one in judged:
        series = one.series
        best = max(series.published, key=lambda method: series.published[method])
        known = series.published.get("KMeansAD")
        column = "all" if series.track == "M" else str(series.column)
        figures = [f"{one.ours:.3f}", f"{series.published[best]:.3f} {best}"]
        figures += ["none" if known is None else f"{known:.3f}", f"{one.kmeans:.3f}"]
        rows.append([f"{series.track} {series.name}", series.channel, column, str(series.buffer), *figures])
    show("Every series: the best of all published methods is another one for each", header, rows)


def _rows(name: str, figures: Mapping[str, float | int | str]) -> list[list[str]]:
    title = name.upper().replace("_", " ")
    beside = (
        f"{figures['best_published_method']} {figures['difference_ratio']:+.3f} "
        f"({figures['difference_low_ratio']:+.3f} to "
        f"{figures['difference_high_ratio']:+.3f}), wins {figures['wins_count']} of {figures['series_count']}"
    )
    told = [
        ("similarity detector, review", "vus_pr_ratio", beside),
        ("the same on column 0 throughout", "target_column_vus_pr_ratio", ""),
        ("the same, causal", "causal_vus_pr_ratio", ""),
        (f"{figures['best_published_method']}, published", "best_published_vus_pr_ratio", ""),
        ("KMeansAD, published", "kmeans_ad_published_vus_pr_ratio", ""),
        ("KMeansAD, this run", "kmeans_ad_this_run_vus_pr_ratio", ""),
        ("POLY, published", "poly_published_vus_pr_ratio", ""),
        ("POLY, this run", "poly_this_run_vus_pr_ratio", ""),
        ("our scores, shifted at random (cheat)", "shifted_at_random_vus_pr_ratio", ""),
        ("random score (cheat)", "random_score_vus_pr_ratio", ""),
        ("flag everything (cheat)", "flag_everything_vus_pr_ratio", ""),
    ]
    if figures["best_published_method"] in {"KMeansAD", "POLY"}:
        told = [one for one in told if one[1] != "best_published_vus_pr_ratio"]
    share = figures["flagged_ratio"]
    flagged = {
        "vus_pr_ratio": f"{share:.3f}" if isinstance(share, float) else share,
        "flag_everything_vus_pr_ratio": "1.000",
    }
    return [
        [title, label, _figure(figures, key), str(flagged.get(key, "")), note]
        for label, key, note in told
        if key in figures
    ]


def _figure(figures: Mapping[str, float | int | str], key: str) -> str:
    deviation = f" ± {figures['deviation_over_seeds_ratio']:.3f}" if key == "vus_pr_ratio" else ""
    return f"{figures[key]:.3f}{deviation}"


if __name__ == "__main__":
    with single_threaded():
        main()
