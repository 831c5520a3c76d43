"""Committing a training: one version whatever is killed, and none of an attempt that was taken for dead."""

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from one_pump import batch, clock, pump

from core.errors import ArtifactError, Cancelled
from core.registry.tracking import Tracking
from core.workflows.commit import TrainOutcome, commit, take_back
from core.workflows.ingest import ingest
from core.workflows.learn import learn
from core.workflows.methods import load_version
from core.workflows.reporting import Reports
from core.workflows.requests import TrainRequest
from core.workflows.training_plan import TrainingPlan, plan
from warehouse.catalog import Catalog
from warehouse.home import Warehouse

_NUMBERS = count(1)


class Killed(BaseException):
    """What ends a process at any place."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """One home for all tests here: making MLflow's store costs seconds."""
    warehouse = Warehouse.open(tmp_path_factory.mktemp("committed") / "home")
    ingest(batch(*pump(500)), warehouse=warehouse, clock=clock, actor="ada")
    yield warehouse
    warehouse.close()


@pytest.fixture(scope="module")
def trained(store: Warehouse) -> tuple[TrainingPlan, Path]:
    """Return a plan and the folder of what it came to."""
    made = plan(TrainRequest(store.catalog.find_sensor("Pump/flow").id, "quick", actor="ada"), store)
    folder = store.root / "learned"
    learn(made, store.root, folder, Reports())
    return made, folder


@dataclass(frozen=True)
class Scene:
    """A training that was learned and is to be committed by a job of its own."""

    store: Warehouse
    trained: tuple[TrainingPlan, Path]
    maker: str

    def commit(
        self, trained: tuple[TrainingPlan, Path] | None = None, *, alive: Callable[[], bool] = lambda: True
    ) -> TrainOutcome:
        made, folder = trained or self.trained
        return commit(made, folder, made_by=self.maker, warehouse=self.store, clock=clock, alive=alive)

    def tracked(self) -> list[tuple[str, str]]:
        """Return run and status of each version that MLflow has of it, whatever it was registered as."""
        return self.asked(
            "SELECT r.run_uuid, r.status FROM model_versions v JOIN runs r ON r.run_uuid = v.run_id"
            " JOIN tags t ON t.run_uuid = r.run_uuid AND t.key = 'telltale.made_by' AND t.value = ?"
            " WHERE v.current_stage <> 'Deleted_Internal'",
            self.maker,
        )

    def asked(self, statement: str, *values: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.store.layout.tracking / "mlflow.db")) as database:
            return database.execute(statement, values).fetchall()

    def assert_one_version(self, outcome: TrainOutcome) -> None:
        version = outcome.version
        assert version is not None
        assert [one for one in self.store.catalog.versions() if one.made_by == self.maker] == [version]
        assert self.tracked() == [(version.run_id, "FINISHED")]
        assert self.asked("SELECT run_uuid FROM runs WHERE status = 'RUNNING'") == []
        assert outcome.promoted
        assert self.store.catalog.champion(version.sensor_id) == version
        assert self.asked(
            "SELECT v.run_id FROM registered_model_aliases a JOIN model_versions v"
            " ON v.name = a.name AND v.version = a.version WHERE a.alias = 'champion'"
        ) == [(version.run_id,)]
        load_version(version, self.store)


@pytest.fixture
def scene(store: Warehouse, trained: tuple[TrainingPlan, Path]) -> Scene:
    return Scene(store, trained, f"job {next(_NUMBERS)}")


STEPS = [
    pytest.param(Tracking, "_record", False, id="before anything is written to the run"),
    pytest.param(Tracking, "_record", True, id="after the run ended"),
    pytest.param(Tracking, "_numbered", True, id="after MLflow has the version"),
    pytest.param(Catalog, "add_version", False, id="before the catalogue"),
    pytest.param(Catalog, "add_version", True, id="after the catalogue"),
    pytest.param(Catalog, "promote", False, id="before the promotion"),
    pytest.param(Catalog, "promote", True, id="after the promotion"),
    pytest.param(Tracking, "crown", False, id="before the alias"),
    pytest.param(Tracking, "crown", True, id="after the alias"),
]


@pytest.mark.parametrize(("owner", "step", "after"), STEPS)
def test_a_kill_at_any_step_leaves_one_version_after_the_next_attempt(
    scene: Scene,
    monkeypatch: pytest.MonkeyPatch,
    owner: type,
    step: str,
    *,
    after: bool,
) -> None:
    real = getattr(owner, step)

    def dying(*arguments: object, **options: object) -> None:
        if after:
            real(*arguments, **options)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(owner, step, dying)
        # A killed process writes nothing more: what would mark the run as failed does not run either.
        patched.setattr("mlflow.tracking.MlflowClient.set_terminated", _only_finished())
        with pytest.raises(Killed):
            scene.commit()
    scene.assert_one_version(scene.commit())
    # And a third time, as when the job's row could not be written.
    scene.assert_one_version(scene.commit())


def _only_finished() -> Callable[..., None]:
    from mlflow.tracking import MlflowClient

    real = MlflowClient.set_terminated

    def ended(client: MlflowClient, run_id: str, status: str | None = None, **options: object) -> None:
        if status != "FAILED":
            real(client, run_id, status, **options)

    return ended


def test_a_whole_run_of_a_dead_attempt_is_taken_up_and_not_made_twice(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Catalog, "add_version", _killed)
        with pytest.raises(Killed):
            scene.commit()
    [(run, _)] = scene.tracked()
    outcome = scene.commit()
    assert outcome.version is not None
    assert outcome.version.run_id == run


def _killed(*_arguments: object, **_options: object) -> None:
    raise Killed


@pytest.mark.parametrize("damage", ["a file is missing", "a file was changed", "another model was learned"])
def test_a_run_that_is_not_what_is_registered_now_is_replaced(
    scene: Scene,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    damage: str,
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Catalog, "add_version", _killed)
        with pytest.raises(Killed):
            scene.commit()
    [(run, _)] = scene.tracked()
    made, folder = scene.trained
    if damage == "another model was learned":
        folder = tmp_path / "again"
        made = plan(
            TrainRequest(made.sensor.id, "quick", actor="ada", parameters={"share": 0.45}), scene.store
        )
        learn(made, scene.store.root, folder, Reports())
    else:
        [path] = (scene.store.layout.tracking / "artifacts").glob(f"**/{run}/**/panel.npz")
        path.unlink() if damage == "a file is missing" else path.write_bytes(b"x")
    outcome = scene.commit((made, folder))
    assert outcome.version is not None
    assert outcome.version.run_id != run
    scene.assert_one_version(outcome)


def test_an_attempt_that_was_taken_for_dead_registers_nothing(scene: Scene) -> None:
    with pytest.raises(Cancelled, match="took over"):
        scene.commit(alive=lambda: False)
    assert scene.tracked() == []
    assert scene.store.catalog.version_made_by(scene.maker) is None


def test_two_attempts_that_meet_leave_one_version(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second commits while the first, taken for dead, hangs between MLflow and the catalogue."""
    real = Catalog.add_version
    second: list[TrainOutcome] = []

    def late(catalog: Catalog, new: object) -> object:
        monkeypatch.setattr(Catalog, "add_version", real)
        # As a resumed attempt that learned something else would: its run can't be the first's.
        shutil.copytree(folder, other)
        document = json.loads((other / "outcome.json").read_text())
        document["figures"]["alarms_per_week"] += 1.0
        (other / "outcome.json").write_text(json.dumps(document))
        second.append(scene.commit((made, other)))
        return real(catalog, new)  # type: ignore[arg-type]

    made, folder = scene.trained
    other = scene.store.root / "other attempt"
    monkeypatch.setattr(Catalog, "add_version", late)
    first = scene.commit()
    assert first.version == second[0].version
    scene.assert_one_version(first)


def test_a_folder_whose_model_was_changed_is_refused(scene: Scene, tmp_path: Path) -> None:
    made, folder = scene.trained
    shutil.copytree(folder, tmp_path / "changed")
    [path] = (tmp_path / "changed").glob("model-*/panel.json")
    path.write_text(path.read_text().replace("0.4", "0.5", 1))
    with pytest.raises(ArtifactError, match=r"panel\.json"):
        scene.commit((made, tmp_path / "changed"))
    assert scene.tracked() == []


def test_what_will_never_be_committed_can_be_taken_back(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Catalog, "add_version", _killed)
        with suppress(Killed):
            scene.commit()
    assert len(take_back(scene.maker, scene.store)) == 1
    assert scene.tracked() == []
    assert take_back(scene.maker, scene.store) == ()
    # What is in the catalogue is not touched.
    outcome = scene.commit()
    assert take_back(scene.maker, scene.store) == ()
    scene.assert_one_version(outcome)


def test_the_alias_follows_the_run_where_numbers_no_longer_agree(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version that was taken back leaves a gap in MLflow's numbers and none in the catalogue's."""
    with monkeypatch.context() as patched:
        patched.setattr(Catalog, "add_version", _killed)
        with suppress(Killed):
            scene.commit()
    take_back(scene.maker, scene.store)
    outcome = scene.commit()
    assert outcome.version is not None
    [(number,)] = scene.asked(
        "SELECT version FROM model_versions WHERE run_id = ?", str(outcome.version.run_id)
    )
    assert number > outcome.version.number
    scene.assert_one_version(outcome)
