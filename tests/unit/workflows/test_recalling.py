"""What judging keeps from call to call: it is used, it says the same, and what does not fit is said."""

import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from one_pump import batch, clock, pump

from core.detectors.discords import Discords
from core.errors import JobError
from core.results import Scores
from core.signal import Signal
from core.workflows.ingest import ingest
from core.workflows.reporting import Task, remarks_of
from core.workflows.requests import TrainRequest
from core.workflows.score import score_job
from core.workflows.train import train_sensor
from warehouse.home import Warehouse

STEPS, LEARNED = 2000, 1500
FAULT = (1700, 1800)


def put(home: Warehouse, first: int, last: int) -> None:
    flow, load = pump(STEPS)
    flow[FAULT[0] : FAULT[1]] += 90.0
    ingest(
        batch(flow[:last], load[:last], first=first), warehouse=home, clock=clock, actor="ada", queue=False
    )


def score(home: Warehouse) -> tuple[str, ...]:
    target = home.catalog.find_sensor("Pump/flow")
    return remarks_of(score_job({"sensor_ids": [target.id]}, Task(warehouse=home, clock=clock)))


def found(home: Warehouse) -> tuple[pl.DataFrame, pl.DataFrame]:
    target = home.catalog.find_sensor("Pump/flow")
    version = home.catalog.champion(target.id)
    assert version is not None
    events = home.results.events_current([target.id]).filter(version_id=version.id)
    return home.results.read_scores(target.id, version.id), events.select("event_id", "start", "end", "open")


def kept(home: Warehouse) -> Path:
    (file,) = home.layout.recalled.iterdir()
    return file


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home whose panel has judged up to the middle of the fault."""
    root = tmp_path_factory.mktemp("recalling") / "home"
    home = Warehouse.open(root)
    put(home, 0, LEARNED)
    target = home.catalog.find_sensor("Pump/flow")
    train_sensor(TrainRequest(target.id, "quick"), warehouse=home, clock=clock)
    put(home, LEARNED, 1750)
    assert score(home) == ()
    home.close()
    return root


@pytest.fixture
def home(scored: Path, tmp_path: Path) -> Warehouse:
    return Warehouse.open(shutil.copytree(scored, tmp_path / "home"))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the numbers of steps that distances were asked for."""
    steps: list[int] = []
    plain = Discords.score_newest

    def score_newest(detector: Discords, signal: Signal, first: int) -> Scores:
        steps.append(len(signal) - first)
        return plain(detector, signal, first)

    monkeypatch.setattr(Discords, "score_newest", score_newest)
    return steps


def test_new_steps_alone_are_scored_and_say_the_same(
    home: Warehouse, tmp_path: Path, asked: list[int]
) -> None:
    without = Warehouse.open(shutil.copytree(home.root, tmp_path / "without"))
    for first, last in ((1750, 1751), (1751, 1754), (1754, 1900), (1900, STEPS)):
        put(home, first, last)
        asked.clear()
        assert score(home) == ()
        assert set(asked) == {last - first}
        put(without, first, last)
        kept(without).unlink()
        asked.clear()
        assert score(without) == ()
        assert min(asked) > 1700
    (scores, events), (scores_anew, events_anew) = found(home), found(without)
    assert events.height == 1
    assert events.rows() == events_anew.rows()
    for column in ("score", "expected", "threshold"):
        mine, theirs = (one[column].fill_null(-1).to_numpy() for one in (scores, scores_anew))
        np.testing.assert_allclose(mine, theirs, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("damage", ["cut", "changed", "of another fit"])
def test_a_damaged_file_is_said_and_made_anew(home: Warehouse, damage: str, asked: list[int]) -> None:
    path = kept(home)
    content = path.read_bytes()
    match damage:
        case "cut":
            path.write_bytes(content[: len(content) // 2])
        case "changed":
            with np.load(path) as stored:
                arrays = dict(stored)
            arrays["values"][0, -1] += 1
            np.savez(path, **arrays)
        case _:
            with np.load(path) as stored:
                np.savez(path, **{**stored, "seal": np.array("0" * 64)})
    put(home, 1750, 1760)
    (remark,) = score(home)
    why = "can't be read" if damage == "cut" else "is damaged, or of another fit"
    assert remark == f"Pump/flow was read again at length: what was kept of it {why}."
    assert min(asked) > 1700
    put(home, 1760, 1770)
    asked.clear()
    assert score(home) == ()
    assert set(asked) == {10}


def test_readings_that_changed_since_are_said_and_judged_anew(home: Warehouse, asked: list[int]) -> None:
    """A correction that nobody told of: what is told of is judged again without asking."""
    flow, load = pump(STEPS)
    flow[1600] += 1.0
    ingest(batch(flow[:1601], load[:1601], first=1600), warehouse=home, clock=clock, actor="ada", queue=False)
    put(home, 1750, 1760)
    (remark,) = score(home)
    assert "not those that it was judged by before" in remark
    assert min(asked) > 1700


def test_a_folder_that_cant_be_written_is_one_clear_error(home: Warehouse) -> None:
    file = kept(home)
    shutil.rmtree(file.parent)
    file.parent.write_text("no folder", "utf-8")
    put(home, 1750, 1760)
    with pytest.raises(JobError, match="recalled"):
        score(home)


def test_what_was_kept_of_a_version_that_watches_no_more_is_removed(home: Warehouse) -> None:
    file, target = kept(home), home.catalog.find_sensor("Pump/flow")
    old, others = (file.with_name(f"{sensor}-999.npz") for sensor in (target.id, target.id + 10))
    for one in (old, others):
        shutil.copy(file, one)
    put(home, 1750, 1760)
    assert score(home) == ()
    assert sorted(file.parent.iterdir()) == sorted((file, others))
