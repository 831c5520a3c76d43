"""TSB-AD's benchmark: it ends, stores what it judged, and its references are the published ones."""

import csv
import io
import json
import os
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from command_line import ROOT

from benchmarks import tsb_ad, tsb_others, tsb_search
from benchmarks.detection_tables import Figures, mean_interval
from benchmarks.published_recipe import Taught
from benchmarks.tsb_files import default_labels, read_series
from benchmarks.tsb_published import MULTIVARIATE_WINDOW, kmeans_ad, poly, univariate_window
from benchmarks.tsb_series import Series, as_run, identified

DATA = Path(os.environ.get("TELLTALE_TEST_DATA", ROOT.parent / "shared" / "data"))
HEADER = ("track", "spacecraft", "series", "channel", "train_length", "method", "vus_pr")
LABELS = {"S-9": ("SMAP", [[900, 960]]), "M-9": ("MSL", [[1100, 1150]]), "P-9": ("MSL", [[1000, 1060]])}


def channel(seed: int, start: int, end: int) -> np.ndarray:
    """A wave that stands still where it is labelled, and a command that comes now and then."""
    rng = np.random.default_rng(seed)
    values = np.zeros((1500, 3))
    values[:, 0] = np.sin(np.arange(1500) / 8) + rng.normal(0, 0.05, 1500)
    values[start : end + 1, 0] = 0.3
    values[::70, 1] = 1.0
    values[start::25, 2] = 1.0
    return values


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    data, published = tmp_path / "data.zip", tmp_path / "published.csv"
    with zipfile.ZipFile(data, "w") as archive:
        for seed, (name, (_, [[start, end]])) in enumerate(LABELS.items()):
            for part in ("train", "test"):
                buffer = io.BytesIO()
                np.save(buffer, channel(seed, start, end))
                archive.writestr(f"data/{part}/{name}.npy", buffer.getvalue())
    with (tmp_path / "labeled_anomalies.csv").open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(("chan_id", "spacecraft", "anomaly_sequences", "class", "num_values"))
        rows.writerow(("S-9", "SMAP", "[[5, 9]]", "[point]", 1500))  # listed twice: the later line counts
        rows.writerows((one, craft, str(told), "[point]", 1500) for one, (craft, told) in LABELS.items())
    write(
        published, [("M", "SMAP", "1_SMAP_tr_500_1st_900.csv", "S-9"), ("U", "MSL", "2_MSL_1st_1100", "M-9")]
    )
    return data, published


def write(path: Path, series: list[tuple[str, str, str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(HEADER)
        for one in series:
            rows.writerows((*one, 500, method, vus) for method, vus in (("KMeansAD", 0.3), ("LOF", 0.1)))


def test_any_subset_is_judged_and_its_scores_are_stored(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "scores", tmp_path / "out.json"
    with files[1].open("a", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerow(("U", "MSL", "3_MSL.csv", "Q-7", 500, "KMeansAD", 0.9))
    tsb_ad.main(
        [*map(str, files), "--scores", str(folder), "--json", str(out), "--seeds", "2", "--no-recipe"]
    )
    found = json.loads(out.read_text("utf-8"))
    assert all(isinstance(value, int | float | str) for value in found.values())
    assert (found["series_count"], found["other_labels_count"]) == (2, 0)
    assert {path.name for path in folder.iterdir()} == {"1_SMAP_tr_500_1st_900.npy", "2_MSL_1st_1100.npy"}
    series = {one.name: one for one in read_series(*files, default_labels(files[0]))}
    for path in folder.iterdir():
        scores = np.load(path, allow_pickle=False)
        assert scores.shape == (1500,)
        assert scores.dtype == np.float64
        assert np.isfinite(scores).all()
        assert series[path.stem].vus_pr(scores) > 0.8
    assert found["m_smap_best_published_vus_pr_ratio"] == pytest.approx(0.3)
    assert found["m_smap_best_published_method"] == "KMeansAD"
    assert found["m_smap_wins_count"] == found["u_msl_wins_count"] == 1
    for name in ("m_smap", "u_msl"):
        low, high = found[f"{name}_difference_low_ratio"], found[f"{name}_difference_high_ratio"]
        assert low <= found[f"{name}_difference_ratio"] <= high
        assert found[f"{name}_shifted_at_random_vus_pr_ratio"] < 0.5 * found[f"{name}_vus_pr_ratio"]
        assert found[f"{name}_random_score_vus_pr_ratio"] < 0.5 * found[f"{name}_vus_pr_ratio"]
        assert found[f"{name}_flag_everything_vus_pr_ratio"] < 0.2
        assert 0 < found[f"{name}_flagged_ratio"] < 0.5
        assert found[f"{name}_labelled_ratio"] < 0.05
    told = capsys.readouterr().out
    assert "Left out, no test part in data.zip or no labels in labeled_anomalies.csv: Q-7" in told
    assert "KMeansAD, published" in told
    assert "shifted at random (cheat)" in told
    assert not any("recipe" in key for key in found)


def test_the_published_recipe_gets_the_same_rows(
    files: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {}

    def against_recipe(taught: list[Taught], ours: dict[str, float], *, batches: int) -> Figures:
        asked.update({one.name: (one.learned.shape, one.judged.shape) for one in taught})
        return {"ours_recipe_cpu_ratio": batches / ours["similarity detector"]}

    monkeypatch.setattr(tsb_ad, "against_recipe", against_recipe)
    out = tmp_path / "out.json"
    tsb_ad.main([*map(str, files), "--json", str(out), "--seeds", "1", "--recipe-batches", "2"])
    found = json.loads(out.read_text("utf-8"))
    assert found["ours_recipe_cpu_ratio"] == pytest.approx(2 / found["fit_and_score_cpu_s"])
    # What may be fitted on, and all rows, in all columns or in one.
    assert asked["M 1_SMAP_tr_500_1st_900"] == ((500, 3), (1500, 3))
    assert asked["U 2_MSL_1st_1100"] == ((500, 1), (1500, 1))


def test_channels_without_published_figures_are_judged_beside_the_same_methods(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tsb_others.main([*map(str, files), "--json", str(tmp_path / "out.json")])
    found = json.loads((tmp_path / "out.json").read_text("utf-8"))
    assert (found["series_count"], found["m_msl_series_count"]) == (2, 1)
    assert found["u_msl_similarity_detector_vus_pr_ratio"] > 0.8
    assert "P-9" in capsys.readouterr().out


def test_what_is_missing_is_told(files: tuple[Path, Path], tmp_path: Path) -> None:
    data, published = files
    write(published, [("M", "SMAP", "1.csv", "S-7"), ("U", "MSL", "2.csv", "Q-7")])
    with pytest.raises(SystemExit, match="Q-7"):
        tsb_ad.main([str(data), str(published)])
    published.write_text(",".join(HEADER) + "\n", "utf-8")
    with pytest.raises(SystemExit, match="holds no figures"):
        tsb_ad.main([str(data), str(published)])
    (tmp_path / "labeled_anomalies.csv").unlink()
    with pytest.raises(SystemExit, match="--labels"):
        tsb_ad.main([str(data), str(published)])


def test_the_search_judges_what_the_detector_says(files: tuple[Path, Path]) -> None:
    for series in read_series(*files, default_labels(files[0])):
        run = as_run(series)
        parts = tsb_search.Parts.of(run)
        for setting in (tsb_ad.CHOSEN, *tsb_search.grid()[::17]):
            told = tsb_search.scores(run, setting)
            assert np.allclose(parts.scores(setting), told, rtol=1e-4, atol=1e-5)


def test_what_was_chosen_is_of_the_grid() -> None:
    assert tsb_ad.CHOSEN in tsb_search.grid()


def test_channels_with_the_same_telemetry_share_a_fold(files: tuple[Path, Path]) -> None:
    first, second = read_series(*files, default_labels(files[0]))
    series = [replace(first, target=first.target + number) for number in range(6)]
    series += [replace(second, spacecraft="SMAP", channel="twin", target=first.target + 2)]
    found = dict(tsb_search.folds(series))
    assert sorted(place for places in found.values() for place in places) == list(range(7))
    assert next(places for places in found.values() if 2 in places) == [2, 6]


def test_the_interval_holds_the_mean_and_narrows_with_more_series() -> None:
    few, many = np.array([0.1, 0.5, -0.2]), np.tile([0.1, 0.5, -0.2], 30)
    ends = [mean_interval(one, seed=0) for one in (few, many)]
    assert ends[0][0] < ends[1][0] < few.mean() < ends[1][1] < ends[0][1]


def published_series() -> dict[str, Series]:
    folder = DATA / "smap_msl"
    found = read_series(
        folder / "data.zip", DATA / "tsb_ad" / "published_vus_pr.csv", default_labels(folder / "data.zip")
    )
    return {one.name: one for one in found}


@pytest.mark.nasa
@pytest.mark.skipif(
    not (DATA / "tsb_ad").is_dir(), reason=f"needs TSB-AD's figures in {DATA} (TELLTALE_TEST_DATA)"
)
def test_published_figures_are_reproduced() -> None:
    series = published_series()
    assert all(one.as_named for one in series.values())
    for name, column, buffer in (
        ("144_MSL_id_5_Sensor_tr_1525_1st_4590", 13, 240),
        ("140_MSL_id_1_Sensor_tr_530_1st_630", 54, 125),
        ("145_MSL_id_6_Sensor_tr_530_1st_630", 0, 125),
        ("533_SMAP_id_3_Sensor_tr_2052_1st_5300", 0, 37),
    ):
        one = identified(series[name])
        assert (one.column, one.buffer) == (column, buffer)
        values = as_run(one).values
        assert one.vus_pr(poly(values[:, 0])) == pytest.approx(one.published["POLY"], abs=2e-4)
        again = kmeans_ad(values, window=univariate_window(values[:, 0]), seed=0)
        assert one.vus_pr(again) == pytest.approx(one.published["KMeansAD"], abs=0.02)
    for name in ("002_MSL_id_1_Sensor_tr_500_1st_900", "144_SMAP_id_1_Sensor_tr_2052_1st_5300"):
        one = series[name]
        again = kmeans_ad(one.values, window=MULTIVARIATE_WINDOW, seed=0)
        assert one.vus_pr(again) == pytest.approx(one.published["KMeansAD"], abs=0.01)
