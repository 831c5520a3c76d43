"""NASA's benchmark: any channels, events counted as the referee does, and references that mean something."""

import csv
import io
import json
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from command_line import ROOT

from benchmarks import fleet_cost, published_recipe, smap_folds, smap_msl, smap_search
from benchmarks.detection_tables import f1_interval
from benchmarks.event_counting import everything, moved, moved_at_random
from benchmarks.smap_channels import Channel, Count, counted, read_channels
from benchmarks.smap_costs import taught
from benchmarks.smap_rows import read_events, write_events
from core.ensembles.panel import Panel
from core.ensembles.presets import new_raiser
from core.results import Mode

DATA = Path(os.environ.get("TELLTALE_TEST_DATA", ROOT.parent / "shared" / "data"))
REFEREE = DATA.parent / "checks" / "score_events.py"
LABELS = [
    ("S-9", "SMAP", [[900, 960]]),
    ("M-9", "MSL", [[1100, 1150]]),
    ("S-9", "SMAP", [[300, 310], [900, 960]]),
    ("X-1", "MSL", [[5, 9]]),  # labelled, without data
]
STEPS = 1500


def channel(seed: int, start: int, end: int, rows: int = STEPS) -> np.ndarray:
    """A wave that jumps where it is labelled, and a command that comes now and then."""
    rng = np.random.default_rng(seed)
    values = np.zeros((rows, 3))
    values[:, 0] = 0.5 * np.sin(np.arange(rows) / 8) + rng.normal(0, 0.05, rows)
    values[start : end + 1, 0] += 1.5
    values[::70, 1] = 1.0
    return values


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    data, labels = tmp_path / "data.zip", tmp_path / "labels.csv"
    parts = {
        "train/S-9": channel(0, 0, -1),
        "test/S-9": channel(1, 900, 960),
        "train/M-9": channel(2, 0, -1),
        "test/M-9": channel(3, 1100, 1150),
        "train/Z-1": channel(4, 0, -1),  # data without labels
        "test/Z-1": channel(5, 0, -1),
        "test/W-1": channel(6, 0, -1),  # nothing to learn from
    }
    with zipfile.ZipFile(data, "w") as archive:
        for name, values in parts.items():
            buffer = io.BytesIO()
            np.save(buffer, values)
            archive.writestr(f"data/{name}.npy", buffer.getvalue())
    with labels.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(("chan_id", "spacecraft", "anomaly_sequences"))
        rows.writerows((name, craft, str(spans)) for name, craft, spans in LABELS)
        rows.writerow(("W-1", "SMAP", "[[5, 9]]"))
    write_events(tmp_path / "reference_events.csv", {"S-9": [(905, 910)], "M-9": [(40, 60)], "Z-1": [(1, 2)]})
    return data, labels


def run(files: tuple[Path, Path], folder: Path, *more: str) -> dict[str, float | str]:
    written = [
        "--events",
        str(folder / "e.csv"),
        "--scores",
        str(folder / "s"),
        "--json",
        str(folder / "o.json"),
    ]
    smap_msl.main([*map(str, files), *written, "--no-recipe", *more])
    found: dict[str, float | str] = json.loads((folder / "o.json").read_text("utf-8"))
    return found


def test_any_channels_are_judged_counted_and_written(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = run(files, tmp_path, "--panels", "quick", "--preset", "quick", "--seeds", "2")
    assert all(isinstance(value, int | float | str) for value in found.values())
    assert (found["channels_count"], found["labelled_lines_count"]) == (2, 3)
    # S-9 is listed twice, its jump counts twice and one labelled sequence is none: at most 3 of 4.
    assert found["instant_tier_review_tp_count"] == 3
    assert found["instant_tier_review_fn_count"] == 1
    assert 0 < found["instant_tier_review_flagged_ratio"] < 0.3
    assert found["the_reference_s_own_events_tp_count"] == 2
    assert found["the_reference_s_own_events_fp_count"] == 1
    assert found["flag_everything_flagged_ratio"] == 1.0
    assert found["flag_everything_tp_count"] == 3
    assert found["our_sequences_moved_at_random_f1_ratio"] < found["instant_tier_review_f1_ratio"]
    low, high = (found[f"instant_tier_review_difference_{end}_ratio"] for end in ("low", "high"))
    assert low <= found["instant_tier_review_difference_ratio"] <= high
    assert found["instant_tier_causal_cpu_s"] > 0
    channels = read_channels(*files)
    events = read_events(tmp_path / "e.csv", channels)
    assert counted(channels, events).tp == 3
    assert any(start <= 960 and end >= 900 for start, end in events["S-9"])
    for name in ("S-9", "M-9"):
        scores = np.load(tmp_path / "s" / f"{name}.npy", allow_pickle=False)
        assert scores.shape == (STEPS,)
        assert scores.dtype == np.float64
        assert np.isfinite(scores).all()
        start, end = next(span for craft, _, (span, *_) in LABELS if craft == name)
        assert scores[start:end].mean() > 2 * np.median(scores)
    assert len(list((tmp_path / "s").iterdir())) == 2
    assert "moved at random" in capsys.readouterr().out


def test_channels_can_be_chosen_and_a_missing_one_is_told(files: tuple[Path, Path], tmp_path: Path) -> None:
    few = ("--panels", "none", "--preset", "quick", "--mode", "causal", "--seeds", "1")
    found = run(files, tmp_path, *few, "--channels", "M-9")
    assert found["channels_count"] == 1
    assert not any(key.startswith("instant_tier_review") for key in found)
    assert read_events(tmp_path / "e.csv", read_channels(*files)).keys() == {"S-9", "M-9"}
    for missing in ("X-1", "W-1"):
        with pytest.raises(SystemExit, match=missing):
            run(files, tmp_path, *few, "--channels", f"M-9,{missing}")


def test_without_a_reference_nothing_is_held_against_it(files: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "reference_events.csv").unlink()
    found = run(files, tmp_path, "--panels", "none", "--preset", "quick", "--seeds", "1")
    assert not any("difference" in key or "reference" in key for key in found)


def test_a_channel_too_short_to_learn_from_is_told_and_counted_as_missed(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, labels = files
    with zipfile.ZipFile(data) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    buffer = io.BytesIO()
    np.save(buffer, channel(2, 0, -1, rows=40))
    content["data/train/M-9.npy"] = buffer.getvalue()
    with zipfile.ZipFile(data, "w") as archive:
        for name, told in content.items():
            archive.writestr(name, told)
    found = run((data, labels), tmp_path, "--panels", "none", "--preset", "quick", "--seeds", "2")
    assert found["instant_tier_review_tp_count"] == 2
    assert "M-9: not judged" in capsys.readouterr().out
    assert not np.load(tmp_path / "s" / "M-9.npy", allow_pickle=False).any()


def test_moving_in_a_circle_keeps_what_is_flagged() -> None:
    events = [(0, 4), (10, 19)]
    for by in range(20):
        spans = moved(events, by, 20)
        flagged = sorted(step for start, end in spans for step in range(start, end + 1))
        expected = sorted((step + by) % 20 for start, end in events for step in range(start, end + 1))
        assert flagged == expected
    assert moved(events, 0, 20) == events


def test_cheats_know_nothing(files: tuple[Path, Path]) -> None:
    channels = read_channels(*files)
    assert counted(channels, everything(channels)).flagged_share == 1.0
    events = {one.name: [one.truth[0][0]] for one in channels}
    draws = moved_at_random(channels, events, seed=0, draws=400)
    share = counted(channels, events).flagged_share
    assert {round(one.flagged_share, 9) for one in draws} == {round(share, 9)}
    assert np.mean([one.f1 for one in draws]) < 0.4 * counted(channels, events).f1
    assert moved_at_random(channels, events, seed=0, draws=3) == draws[:3]


def test_the_interval_holds_the_difference_and_is_0_for_the_same_events() -> None:
    ours = [Count(tp=2), Count(tp=1, fp=1), Count(tp=1, fn=1), Count(fp=2, fn=1)] * 5
    theirs = [replace(one, fp=one.fp + 1) for one in ours]
    low, high = f1_interval(ours, theirs, seed=0)
    assert 0 < low < sum(ours, Count()).f1 - sum(theirs, Count()).f1 < high
    assert f1_interval(ours, ours, seed=0) == (0.0, 0.0)


def test_fleets_of_other_sizes_run_by_themselves(files: tuple[Path, Path]) -> None:
    found = fleet_cost.fleet_costs(*files, ["S-9", "M-9"], "causal", sizes=(1, 5))
    assert [one.sensors for one in found] == [1, 5]
    assert all(0 < one.sensor_cpu_s < 5 and one.peak_mb > 50 for one in found)


@pytest.mark.learned
def test_the_published_recipe_is_run_and_scaled(files: tuple[Path, Path]) -> None:
    channels = read_channels(*files)[:1]  # each that is measured takes seconds to be traced
    recipe = published_recipe.measure(taught(channels), batches=2, seed=0)
    assert [one.series for one in recipe.measured] == ["S-9"]
    assert all(one.epochs == published_recipe.FEWEST_EPOCHS and not one.whole for one in recipe.measured)
    assert recipe.train_windows == recipe.test_windows == STEPS - 260 + 1
    assert recipe.cpu_s == pytest.approx(11 * recipe.epoch_cpu_s + recipe.predict_cpu_s)
    assert recipe.most_cpu_s > recipe.cpu_s > recipe.predict_cpu_s > 0
    short = [
        replace(one, train=one.train.slice(0, 100), calibrate=one.calibrate.slice(0, 9)) for one in channels
    ]
    with pytest.raises(SystemExit, match="long enough"):
        published_recipe.measure(taught(short), batches=2, seed=0)


def test_the_channels_at_the_quartiles_stand_for_all(files: tuple[Path, Path]) -> None:
    one = read_channels(*files)[0]
    many = [replace(one, name=str(n), train=one.train.slice(0, 600 + 10 * n)) for n in (3, 1, 4, 0, 2)]
    assert [each.name for each in published_recipe.at_quartiles(taught(many))] == ["1", "2", "3"]


def test_the_folds_are_those_of_the_search(
    files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    entries = {"review": {"a": ("figures-50-whole",)}, "causal": {"a": ("figures-50-past",)}}
    monkeypatch.setattr(smap_folds.smap_search, "ENTRIES", entries)
    found = smap_folds.fold_figures(read_channels(*files), seeds=1)
    assert 0 <= found["held_out_causal_f1_ratio"] <= 1
    assert found["held_out_review_f1_deviation_ratio"] == 0
    assert "Held-out folds" in capsys.readouterr().out


@pytest.mark.parametrize("mode", ["review", "causal"])
@pytest.mark.parametrize("preset", ["quick", "standard", "thorough"])
def test_a_preset_is_a_point_of_the_grid_that_was_searched(preset: str, mode: Mode) -> None:
    chosen = new_raiser(preset, mode=mode)
    assert isinstance(chosen, Panel)
    every = smap_search.grid(mode, list(smap_search.ENTRIES[mode]))
    assert chosen.panel in [one.parameters(mode) for one in every]


def referee(events: Path, labels: Path) -> dict[str, dict[str, float]]:
    done = subprocess.run(
        [sys.executable, str(REFEREE), str(events), str(labels), "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    told: dict[str, dict[str, float]] = json.loads(done.stdout)
    return told


def some_labels(path: Path, names: set[str], folder: Path) -> Path:
    """Write the labels of some channels, as published."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.reader(stream) if row[0] in names or row[0] == "chan_id"]
    with (folder / "some.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(rows)
    return folder / "some.csv"


def assert_counted_alike(channels: list[Channel], events: Path, labels: Path) -> None:
    told = referee(events, labels)["total"]
    ours = counted(channels, read_events(events, channels))
    assert (ours.tp, ours.fp, ours.fn) == (told["tp"], told["fp"], told["fn"])
    assert ours.f1 == pytest.approx(told["f1"], abs=6e-5)


@pytest.mark.nasa
@pytest.mark.skipif(
    not (DATA / "smap_msl").is_dir() or not REFEREE.is_file(),
    reason=f"needs NASA's telemetry in {DATA} (TELLTALE_TEST_DATA) and the referee beside it",
)
def test_counts_are_the_referees(tmp_path: Path) -> None:
    folder = DATA / "smap_msl"
    data, labels = folder / "data.zip", folder / "labeled_anomalies.csv"
    channels = read_channels(data, labels)
    assert_counted_alike(channels, folder / "reference_events.csv", labels)
    write_events(tmp_path / "all.csv", everything(channels))
    assert_counted_alike(channels, tmp_path / "all.csv", labels)
    rng = np.random.default_rng(0)
    drawn = {one.name: [(int(a), int(a) + 60) for a in rng.integers(0, 1500, 4)] for one in channels}
    write_events(tmp_path / "drawn.csv", drawn)
    assert_counted_alike(channels, tmp_path / "drawn.csv", labels)
    names = {"P-2", "T-2", "M-6", "A-4"} & {one.name for one in channels}
    found = run(
        (data, labels),
        tmp_path,
        *("--panels", "none", "--preset", "quick", "--seeds", "1", "--channels", ",".join(sorted(names))),
    )
    told = referee(tmp_path / "e.csv", some_labels(labels, names, tmp_path))["total"]
    assert [found[f"instant_tier_review_{part}_count"] for part in ("tp", "fp", "fn")] == [
        told["tp"],
        told["fp"],
        told["fn"],
    ]
