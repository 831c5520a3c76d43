"""Smoke runs of the detection benchmarks, on made recordings in published formats and on published ones."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from command_line import ROOT

from benchmarks import nab, skab
from benchmarks.convolution_autoencoder import reconstruction_alarms
from benchmarks.detection_tables import (
    Figures,
    Points,
    Windows,
    f1_interval,
    scattered,
    shifted,
    stretches,
    windows_by_chance,
)
from benchmarks.hotelling import t_squared, t_squared_and_q
from benchmarks.published_recipe import Taught, against_recipe, at_quartiles
from benchmarks.skab_ways import Run, chosen_across, of_target, read_run

DATA = Path(os.environ.get("TELLTALE_TEST_DATA", ROOT.parent / "shared" / "data"))

published = pytest.mark.skipif(
    not (DATA / "skab").is_dir() or not (DATA / "nab").is_dir(), reason=f"needs SKAB and NAB in {DATA}"
)


def figures(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    assert all(isinstance(value, int | float | str) for value in found.values())
    return found


def readings(n: int, seed: int, *, fault: slice = slice(0, 0)) -> np.ndarray:
    """A pressure that hovers, and a flow that falls in a fault."""
    rng = np.random.default_rng(seed)
    values = np.stack([2 + rng.normal(0, 0.1, n), 30 + rng.normal(0, 0.4, n)], axis=1)
    values[fault, 1] -= 3
    return values


@pytest.fixture
def skab_folder(tmp_path: Path) -> Path:
    """Four valve runs with a fault in steps 500 to 700, and a run without one."""
    start = np.datetime64("2020-03-09T10:00:00", "us")
    for name, n, fault in [
        *((f"valve1/{k}", 800, slice(500, 700)) for k in range(4)),
        ("anomaly-free/anomaly-free", 1500, slice(0, 0)),
    ]:
        path = tmp_path / "skab" / f"{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        values = readings(n, seed=len(str(path)) + int(name[-1]) if name[-1].isdigit() else 9, fault=fault)
        frame = pl.DataFrame({"datetime": start + np.arange(n) * np.timedelta64(1, "s")})
        frame = frame.with_columns(pl.Series("Pressure", values[:, 0]), pl.Series("Flow", values[:, 1]))
        if name.startswith("valve"):
            label = np.zeros(n)
            label[fault] = 1
            frame = frame.with_columns(anomaly=pl.Series(label), changepoint=pl.Series(np.zeros(n)))
        frame.write_csv(path, separator=";", datetime_format="%Y-%m-%d %H:%M:%S")
    return tmp_path / "skab"


@pytest.fixture
def nab_folder(tmp_path: Path) -> Path:
    """A series with one labelled step up, and one without."""
    folder = tmp_path / "nab"
    start = np.datetime64("2014-04-01T00:00:00", "us")
    times = start + np.arange(4000) * np.timedelta64(5, "m")
    for name, fault in (("machine_temperature_made", slice(3000, 3200)), ("still_made", slice(0, 0))):
        values = 80 + np.random.default_rng(3).normal(0, 1, 4000)
        values[fault] += 15
        path = folder / "made" / f"{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        frame = pl.DataFrame({"timestamp": times, "value": values})
        # The clock is set back: the last hour comes once more, as in the published machine's temperature.
        frame = pl.concat([frame, frame.tail(12)])
        frame.write_csv(path, datetime_format="%Y-%m-%d %H:%M:%S")
    window = [str(times[2950]).replace("T", " "), str(times[3250]).replace("T", " ")]
    labels = {"made/machine_temperature_made.csv": [window], "made/still_made.csv": []}
    (folder / nab.LABELS).write_text(json.dumps(labels), "utf-8")
    return folder


@pytest.mark.parametrize("preset", ["statistical", "quick"])
def test_skab(preset: str, skab_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.json"
    few = ["--epochs", "0", "--seeds", "2", "--no-recipe"]
    skab.main([str(skab_folder), "--preset", preset, *few, "--json", str(out)])
    found, shown = figures(out), capsys.readouterr().out
    assert "T-squared and Q" in shown
    assert "flag everything" in shown
    assert "autoencoder" not in shown
    # 200 of 800 steps, and of the last 400, are anomalous in each run.
    assert found["whole_flag_everything_f1_ratio"] == pytest.approx(0.4)
    assert found["rest_flag_everything_f1_ratio"] == pytest.approx(2 / 3, abs=1e-4)
    assert found["whole_flag_everything_far_percent"] == 100
    assert found["whole_chosen_way_f1_ratio"] > 0.8
    assert found["seeds_count"] == (1 if preset == "statistical" else 2)
    assert found["whole_flag_everything_flagged_ratio"] == 1
    for name in ("ours_shifted_at_random", "random_score"):
        assert found[f"whole_{name}_f1_ratio"] < 0.6
        assert found[f"whole_{name}_flagged_ratio"] == found["whole_chosen_way_flagged_ratio"]
    low, high = (found[f"whole_ahead_of_t_squared_f1_{end}_ratio"] for end in ("low", "high"))
    assert low <= found["whole_ahead_of_t_squared_f1_ratio"] <= high
    assert not any("recipe" in key for key in found)
    assert found["healthy_mean_of_sensors_alone_flagged_ratio"] < 0.2
    assert found["rest_chosen_way_mar_percent"] == found["whole_chosen_way_mar_percent"]


def test_skab_with_one_family_of_ways_on_two_runs(skab_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    arguments = [
        "--runs",
        "0,3",
        "--ways",
        "subspace",
        "--preset",
        "statistical",
        "--epochs",
        "0",
        "--no-recipe",
    ]
    skab.main([str(skab_folder), *arguments, "--json", str(out)])
    found = figures(out)
    assert found["runs_count"] == 2
    assert found["chosen_for_even_runs"] == found["chosen_for_odd_runs"] == "all on one chart"
    with pytest.raises(SystemExit, match="at least two runs"):
        skab.main([str(skab_folder), "--runs", "0", "--preset", "statistical"])


def test_nab(nab_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.json"
    few = ["--preset", "statistical", "--no-recipe", "--json", str(out)]
    nab.main([str(nab_folder), *few])
    found, shown = figures(out), capsys.readouterr().out
    assert "flag everything" in shown
    assert "dynamic threshold" in shown
    assert found["series_count"] == 3
    assert found["all_statistical_windows_found_count"] == found["all_statistical_windows_count"] == 1
    assert found["machine_temperature_made_before_statistical_windows_count"] == 0
    # Both files have 4,000 rows once those given twice are one, of which 600 are learned from.
    assert found["all_flag_everything_false_events_per_10000_steps"] == pytest.approx(1e4 / 6800, abs=1e-3)
    assert found["all_statistical_f1_ratio"] > found["all_ours_shifted_at_random_f1_ratio"]
    assert found["all_random_score_flagged_ratio"] == found["all_statistical_flagged_ratio"]
    assert found["reference"] == "statistical with dynamic threshold"
    assert found["all_statistical_difference_low_ratio"] <= found["all_statistical_difference_ratio"]
    nab.main([str(nab_folder), "--series", "still", *few])
    assert figures(out)["series_count"] == 1
    with pytest.raises(SystemExit, match="nothing-like-it"):
        nab.main([str(nab_folder), "--series", "nothing-like-it"])


@pytest.mark.parametrize("judge", [t_squared, t_squared_and_q])
def test_the_charts_flag_a_fault_and_little_else(judge: Callable[[np.ndarray, int], np.ndarray]) -> None:
    inside = judge(readings(800, seed=1, fault=slice(500, 700)), 400)
    assert inside[504:700].mean() > 0.9
    assert inside[:500].mean() < 0.02
    assert inside[710:].mean() < 0.02


def test_t_squared_is_the_squared_mahalanobis_distance_held_against_twice_its_limit() -> None:
    values = readings(800, seed=2, fault=slice(500, 700))
    learned = values[:400]
    inverse = np.linalg.inv(np.cov(learned.T))
    gaps = values - learned.mean(axis=0)
    # The standardisation divides by the population's deviation; distances do not depend on it.
    distances = np.array([gap @ inverse @ gap for gap in gaps])
    limit = 2 * (399 * 401) / (400 * 398) * 6.996  # F(2, 398) at 0.999
    expected = [n >= 4 and np.median(distances[n - 4 : n + 1]) > 2 * limit for n in range(800)]
    assert (t_squared(values, 400) == np.array(expected)).mean() > 0.998


@pytest.mark.learned
def test_the_autoencoder_flags_a_fault() -> None:
    inside = reconstruction_alarms(readings(800, seed=3, fault=slice(500, 720)), 400, seed=0, epochs=8)
    assert inside.shape == (800,)
    assert inside[560:660].all()
    assert not inside[:440].any()
    assert not inside[800 - 2 * 60 + 2 :].any()  # windows that begin later are too few


def test_the_way_is_chosen_on_the_other_half() -> None:
    truth = np.r_[np.zeros(50, bool), np.ones(50, bool)]
    runs = [Run(str(n), None, truth) for n in range(4)]  # type: ignore[arg-type]
    right, wrong = {"a": truth, "b": ~truth}, {"a": ~truth, "b": truth}
    found, choices = chosen_across(runs, [right, wrong, right, wrong])
    assert choices == ("b", "a")  # what suits odd runs is reported on even ones, and the other way round
    assert Points.pooled(found, [truth] * 4).f1 == 0


def test_points_and_windows_are_counted_as_stated() -> None:
    found, truth = np.array([1, 1, 0, 0, 1], bool), np.array([0, 1, 1, 0, 0], bool)
    counts = Points.pooled([found], [truth])
    assert (counts.tp, counts.fp, counts.fn, counts.tn) == (1, 2, 1, 1)
    assert counts.f1 == pytest.approx(0.4)
    assert counts.far == pytest.approx(200 / 3)
    assert counts.mar == 50
    assert Points.pooled([found], [truth], first=3).fp == 1
    assert stretches(found) == [(0, 2), (4, 5)]
    assert Windows.of([(0, 2), (2, 4), (9, 12)], [(1, 3), (5, 8)]) == Windows(1, 1, 1)


def test_shifted_sequences_keep_their_length() -> None:
    inside = np.zeros(1000, bool)
    inside[100:150] = True
    moved = shifted(inside, np.random.default_rng(0))
    assert moved.sum() == 50
    assert not np.array_equal(moved, inside)
    # A window of 50 is met by 99 of 1,000 places of a sequence of 50.
    assert windows_by_chance(shifted, inside, [(100, 150)], seed=1).found == pytest.approx(0.099, abs=0.03)


def test_a_random_score_flags_as_many_steps() -> None:
    inside = np.zeros(1000, bool)
    inside[100:150] = True
    drawn = scattered(inside, np.random.default_rng(0))
    assert drawn.sum() == 50
    assert len(stretches(drawn)) > 30
    # 50 single steps nearly always meet a window of 100, and most of them lie outside.
    counts = windows_by_chance(scattered, inside, [(300, 400)], seed=1)
    assert counts.found > 0.97
    assert counts.wrong > 30


def test_counts_of_any_kind_are_compared_in_pairs() -> None:
    ours = [Points(tp=20, fp=2, fn=3), Points(tp=5, fp=1, fn=9), Points(tp=14)] * 4
    theirs = [Points(tp=10, fp=5, fn=13), Points(tp=4, fp=2, fn=10), Points(tp=11, fp=9, fn=3)] * 4
    low, high = f1_interval(ours, theirs, seed=0)
    assert 0 < low < sum(ours, Points()).f1 - sum(theirs, Points()).f1 < high
    # How often a side is counted does not matter: one seed is held against several.
    assert f1_interval([one + one for one in ours], theirs, seed=0) == pytest.approx((low, high))
    windows = [Windows(2, 1, 1), Windows(1, 0, 3)]
    assert f1_interval(windows, windows, seed=0) == (0.0, 0.0)
    assert Windows.total(windows) == Windows(3, 1, 4)
    assert Windows.total(windows).f1 == pytest.approx(6 / 11)


@pytest.mark.learned
def test_the_published_recipe_stands_beside_the_table(skab_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    few = ["--preset", "statistical", "--recipe-batches", "2", "--json", str(out)]
    skab.main([str(skab_folder), "--runs", "0,3", "--ways", "alone,subspace", "--epochs", "0", *few])
    found = figures(out)
    # Two runs of two sensors: four networks, of 141 windows each, which is one full batch to train on.
    assert found["recipe_cpu_s"] > found["recipe_predict_cpu_s"] > 0
    ratio = found["recipe_cpu_s"] / found["ways_alone_cpu_s"]
    assert found["all_sensors_alone_recipe_cpu_ratio"] == pytest.approx(ratio)
    assert found["all_sensors_alone_recipe_all_epochs_cpu_ratio"] > ratio


def test_the_published_recipe_gets_each_series_once(
    nab_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {}

    def against_recipe(taught: list[Taught], ours: dict[str, float], *, batches: int) -> Figures:
        asked.update({one.name: (one.learned.shape, one.judged.shape) for one in taught})
        return {f"{name.partition(',')[0]}_recipe_cpu_ratio": batches / each for name, each in ours.items()}

    monkeypatch.setattr(nab, "against_recipe", against_recipe)
    out = tmp_path / "out.json"
    nab.main([str(nab_folder), "--preset", "quick", "--seeds", "2", "--json", str(out)])
    found = figures(out)
    # The healthy beginning of the machine's temperature is no series of its own.
    assert asked == dict.fromkeys(("machine_temperature_made", "still_made"), ((600, 1), (3400, 1)))
    assert found["quick_recipe_cpu_ratio"] < found["statistical detector_recipe_cpu_ratio"]
    assert found["seeds_count"] == 2
    assert found["all_quick_f1_deviation_ratio"] >= 0


def test_series_too_short_for_the_recipe_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    values = readings(700, seed=1)
    able = Taught.scaled("able", values[:340], values)
    assert at_quartiles([able, Taught.scaled("short", values[:300], values)]) == [able]
    assert able.learned.min() == -1
    assert able.learned.max() == 1
    assert against_recipe([Taught.scaled("short", values[:300], values)], {"ours": 1.0}, batches=2) == {}
    assert "no training part is long enough" in capsys.readouterr().out


def test_a_target_is_put_first_and_its_gaps_are_its_own(skab_folder: Path) -> None:
    run = read_run(skab_folder / "valve1" / "0.csv")
    assert int(run.anomalous.sum()) == 200
    turned = of_target(run.signal, 1, explained=True)
    assert turned.channels == ("Flow", "Pressure")
    assert np.array_equal(turned.target, run.signal.values[:, 1])
    assert of_target(run.signal, 1, explained=False).channels == ("Flow",)


@pytest.mark.nasa
@published
def test_published_runs_of_skab(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    few = ["--preset", "statistical", "--epochs", "0", "--no-recipe"]
    skab.main([str(DATA / "skab"), *few, "--json", str(out)])
    found = figures(out)
    assert found["whole_flag_everything_f1_ratio"] == pytest.approx(0.513, abs=1e-3)
    assert found["whole_chosen_way_f1_ratio"] > found["whole_t_squared_f1_ratio"]
    assert found["whole_chosen_way_f1_ratio"] > found["whole_t_squared_and_q_f1_ratio"]


@pytest.mark.nasa
@published
def test_published_series_of_nab(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    nab.main([str(DATA / "nab"), "--preset", "statistical", "--no-recipe", "--json", str(out)])
    found = figures(out)
    assert found["series_count"] == 6
    assert found["all_statistical_windows_count"] == 8
    assert found["art_daily_small_noise_statistical_false_events_count"] == 0
