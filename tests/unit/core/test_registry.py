"""Runs and versions in MLflow, and hashes of their files."""

import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.errors import ArtifactError, RegistryError
from core.registry.artifacts import digests, verify
from core.registry.tracking import NewRun, Tracking


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One MLflow store for all tests here: making one costs seconds."""
    return tmp_path_factory.mktemp("home") / "mlflow"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "staged"
    (folder / "detector").mkdir(parents=True)
    (folder / "detector" / "parameters.json").write_text('{"method": "telemanom"}')
    (folder / "threshold.json").write_text("{}")
    return folder


def run_of(model: Path, name: str = "sensor-7-telemanom") -> NewRun:
    return NewRun(
        name="P-1/telemetry telemanom",
        registered_name=name,
        parameters={"detector.hidden": [80, 80], "preset": "quick"},
        metrics={"normalised_error": 0.21, "steps": 8505.0},
        curves=[(1, "train loss", 0.5), (2, "train loss", 0.25), (1, "validation loss", 0.6)],
        tags={"snapshot": "ab" * 32, "span.train": "2000-01-01 2000-01-02", "seed": "3"},
        folder=model,
        finished_at=datetime(2024, 3, 1, 12, tzinfo=UTC),
    )


def test_a_version_has_its_files_figures_curve_and_lineage(store: Path, model: Path) -> None:
    registered = Tracking(store).register(run_of(model))
    assert digests(registered.folder) == digests(model)
    assert registered.folder.is_relative_to(store)
    with sqlite3.connect(store / "mlflow.db") as db:
        rows = db.execute("select key, value, step from metrics where run_uuid = ?", [registered.run_id])
        assert {("train loss", 0.25, 2), ("held_out.normalised_error", 0.21, 0)} <= set(rows)
        tags = dict(db.execute("select key, value from tags where run_uuid = ?", [registered.run_id]))
        assert (tags["snapshot"], tags["seed"]) == ("ab" * 32, "3")
        params = dict(db.execute("select key, value from params where run_uuid = ?", [registered.run_id]))
        assert params["detector.hidden"] == "[80, 80]"
        (status,) = db.execute("select status from runs where run_uuid = ?", [registered.run_id]).fetchone()
        assert status == "FINISHED"
    db.close()


def test_versions_are_numbered_by_registered_name(store: Path, model: Path) -> None:
    tracking = Tracking(store)
    first = tracking.register(run_of(model, "sensor-8"))
    second = Tracking(store).register(run_of(model, "sensor-8"))
    other = tracking.register(run_of(model, "sensor-9"))
    assert [first.number, second.number, other.number] == [1, 2, 1]
    assert first.folder != second.folder


def test_the_champion_is_an_alias_that_moves(store: Path, model: Path) -> None:
    tracking = Tracking(store)
    for number in (1, 2):
        registered = tracking.register(run_of(model, "sensor-10"))
        assert registered.number == number
        tracking.crown("sensor-10", registered.run_id)
    with sqlite3.connect(store / "mlflow.db") as db:
        aliases = db.execute("select alias, version from registered_model_aliases where name = 'sensor-10'")
        assert aliases.fetchall() == [("champion", 2)]
    db.close()


def test_a_version_that_does_not_exist_can_not_be_crowned(store: Path) -> None:
    with pytest.raises(RegistryError, match="sensor-99"):
        Tracking(store).crown("sensor-99", "0" * 32)


@pytest.mark.parametrize("metrics", [{}, {"normalised_error": float("nan")}])
def test_no_version_without_out_of_sample_figures(
    store: Path, model: Path, metrics: dict[str, float]
) -> None:
    with pytest.raises(RegistryError, match="held-out"):
        Tracking(store).register(replace(run_of(model, "sensor-11"), metrics=metrics))
    with sqlite3.connect(store / "mlflow.db") as db:
        assert db.execute("select * from model_versions where name = 'sensor-11'").fetchall() == []
    db.close()


def test_a_registration_that_fails_leaves_a_failed_run_and_no_version(store: Path, model: Path) -> None:
    with pytest.raises(RegistryError, match="lost: registering it failed"):
        Tracking(store).register(replace(run_of(model, "no/such/name"), name="lost"))
    with sqlite3.connect(store / "mlflow.db") as db:
        assert db.execute("select status from runs where name = 'lost'").fetchall() == [("FAILED",)]
        assert db.execute("select * from model_versions where name = 'no/such/name'").fetchall() == []
    db.close()


def test_mlflow_is_told_to_report_nothing_before_it_is_loaded(store: Path, model: Path) -> None:
    import os

    Tracking(store).register(run_of(model, "sensor-13"))
    assert "mlflow" in sys.modules
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert os.environ["DO_NOT_TRACK"] == "true"


def test_unchanged_files_pass(model: Path) -> None:
    expected = digests(model)
    assert sorted(expected) == ["detector/parameters.json", "threshold.json"]
    verify(model, expected)


def test_a_changed_file_is_named_and_refused(model: Path) -> None:
    expected = digests(model)
    path = model / "detector" / "parameters.json"
    path.write_text(path.read_text().replace("telemanom", "telemanum"))
    with pytest.raises(ArtifactError, match=r"parameters\.json"):
        verify(model, expected)


def test_a_missing_or_additional_file_is_named_and_refused(model: Path) -> None:
    expected = digests(model)
    (model / "extra.keras").write_text("x")
    with pytest.raises(ArtifactError, match=r"extra\.keras"):
        verify(model, expected)
    (model / "extra.keras").unlink()
    (model / "threshold.json").unlink()
    with pytest.raises(ArtifactError, match=r"threshold\.json"):
        verify(model, expected)


def test_nothing_is_registered_without_files(store: Path, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no file to register"):
        Tracking(store).register(run_of(tmp_path / "nowhere", "sensor-12"))


def test_an_empty_folder_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no file"):
        digests(tmp_path)
