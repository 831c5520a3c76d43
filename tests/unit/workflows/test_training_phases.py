"""Plan and learn: what a training learns from is fixed, kept for it, and enough to learn elsewhere."""

import json
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from one_pump import NOW, STEP, T0, batch, clock, label, pump

from core.errors import ArtifactError, Cancelled, InsufficientData, JobError
from core.workflows.ingest import ingest
from core.workflows.learn import Learned, learn
from core.workflows.reporting import Reports, Task
from core.workflows.requests import TrainRequest
from core.workflows.training_folder import prepared, put_away, sweep
from core.workflows.training_plan import TrainingPlan, plan
from warehouse.assets import PartSpec
from warehouse.errors import IntegrityError, SchemaError
from warehouse.home import Warehouse

STEPS = 500
LATER = NOW + timedelta(days=1)


@pytest.fixture
def stored(home: Warehouse) -> Warehouse:
    put(home, STEPS)
    return home


def put(home: Warehouse, steps: int, *, first: int = 0, offset: float = 0.0) -> None:
    flow, load = pump(steps)
    parts = (PartSpec("anomaly", T0 + 450 * STEP, T0 + 460 * STEP),)
    ingest(batch(flow + offset, load, first=first, parts=parts), warehouse=home, clock=clock, actor="ada")


def request(home: Warehouse, **options: object) -> TrainRequest:
    return TrainRequest(home.catalog.find_sensor("Pump/flow").id, "quick", **options)  # type: ignore[arg-type]


def job(home: Warehouse) -> Task:
    """Return the task of a claimed job."""
    added = home.jobs.add("train", {}, actor="ada", at=NOW)
    claimed = home.jobs.claim(1, NOW, job_id=added.id)
    assert claimed is not None
    folder = home.layout.checkpoints / f"job-{claimed.id}"
    return Task(warehouse=home, clock=clock, job_id=claimed.id, attempt=claimed.attempt, checkpoints=folder)


def replace_all(home: Warehouse) -> None:
    """Store other values for every reading, and remove every file that nothing holds."""
    put(home, STEPS, offset=5.0)
    home.collect(now=LATER, grace_s=0.0)


def test_a_plan_is_the_same_after_it_was_written_and_read(stored: Warehouse) -> None:
    made = replace(
        plan(request(stored, seed=3, actor="ada", parameters={"share": 0.45}), stored),
        confirmed=((T0, T0 + STEP, NOW),),
    )
    assert TrainingPlan.from_json(json.loads(json.dumps(made.to_json()))) == made
    assert made.files
    assert [one.key for one in made.sensors] == ["Pump/flow", "Pump/load"]


@pytest.mark.parametrize("lost", ["files", "snapshot_id", "request", "sensors"])
def test_a_document_that_is_no_plan_is_refused(stored: Warehouse, lost: str) -> None:
    document = plan(request(stored), stored).to_json()
    del document[lost]
    with pytest.raises(SchemaError, match="no plan"):
        TrainingPlan.from_json(document)


def test_a_context_sensor_has_no_plan(stored: Warehouse) -> None:
    with pytest.raises(JobError, match="explains others"):
        plan(TrainRequest(stored.catalog.find_sensor("Pump/load").id, "quick"), stored)


def test_learning_needs_the_planned_files_alone_and_gives_the_same_bytes(
    stored: Warehouse, tmp_path: Path
) -> None:
    made = TrainingPlan.from_json(json.loads(json.dumps(plan(request(stored), stored).to_json())))
    here = learn(made, stored.root, tmp_path / "here", Reports())
    for file in made.files:
        (tmp_path / "copy" / file.path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(stored.root / file.path, tmp_path / "copy" / file.path)
    there = learn(made, tmp_path / "copy", tmp_path / "there", Reports())
    assert there.artifacts == here.artifacts
    assert there.figures == here.figures
    assert there.spans == here.spans
    again = Learned.from_json(json.loads((tmp_path / "there" / "outcome.json").read_text()))
    assert again == there


def test_a_planned_file_that_was_changed_is_not_learned_from(stored: Warehouse, tmp_path: Path) -> None:
    made = plan(request(stored), stored)
    changed = replace(made, files=(replace(made.files[0], sha256="0" * 64), *made.files[1:]))
    with pytest.raises(IntegrityError):
        learn(changed, stored.root, tmp_path / "learned", Reports())
    assert not (tmp_path / "learned").exists()


def test_what_was_learned_is_not_learned_twice_but_again_where_it_is_damaged(
    stored: Warehouse, tmp_path: Path
) -> None:
    made, said = plan(request(stored), stored), list[str]()
    first = learn(made, stored.root, tmp_path, Reports(log=said.append))
    assert said == []
    assert learn(made, stored.root, tmp_path, Reports(log=said.append)) == first
    assert len(said) == 1
    next((tmp_path / first.model).glob("panel.npz")).write_bytes(b"half")
    second = learn(made, stored.root, tmp_path, Reports(log=said.append))
    assert second.artifacts == first.artifacts
    assert second.model != first.model
    other = replace(made, request=request(stored, seed=1))
    assert learn(other, stored.root, tmp_path, Reports(log=said.append)).plan != first.plan
    assert len(said) == 1


def test_a_training_that_is_told_to_end_leaves_no_outcome(stored: Warehouse, tmp_path: Path) -> None:
    def check() -> bool:
        raise Cancelled("enough")

    with pytest.raises(Cancelled):
        learn(plan(request(stored), stored), stored.root, tmp_path / "learned", Reports(check=check))
    assert not (tmp_path / "learned").exists()


def test_the_data_of_a_job_stays_until_it_is_put_away(stored: Warehouse, tmp_path: Path) -> None:
    task = job(stored)
    made = prepared(request(stored), task)
    reference = learn(made, stored.root, tmp_path / "before", Reports())
    replace_all(stored)
    # Another attempt, in another process: the same plan, and its files are all there.
    assert prepared(request(stored), task) == made
    assert learn(made, stored.root, tmp_path / "after", Reports()).artifacts == reference.artifacts
    put_away(task)
    stored.collect(now=LATER, grace_s=0.0)
    assert not all((stored.root / one.path).exists() for one in made.files)
    assert stored.manifest.held_by("job ") == ()


def test_without_a_job_nothing_is_pinned(stored: Warehouse) -> None:
    prepared(request(stored), Task(warehouse=stored, clock=clock))
    assert stored.manifest.held_by("") == ()


def test_a_job_whose_kept_data_is_gone_starts_anew_and_says_so(stored: Warehouse) -> None:
    said: list[str] = []
    task = replace(job(stored), log=said.append)
    made = prepared(request(stored), task)
    stored.manifest.release(f"job {task.job_id}")
    replace_all(stored)
    again = prepared(request(stored), task)
    assert again.snapshot_id > made.snapshot_id
    assert any("starting anew" in one for one in said)
    assert stored.manifest.held_by("job ") == (f"job {task.job_id}",)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"request": 3}'])
def test_a_damaged_plan_is_made_anew(stored: Warehouse, content: str) -> None:
    task = job(stored)
    made = prepared(request(stored), task)
    assert task.checkpoints is not None
    (task.checkpoints / "plan.json").write_text(content)
    (task.checkpoints / "of the old plan").write_text("x")
    assert prepared(request(stored), task) == made
    assert not (task.checkpoints / "of the old plan").exists()


def test_a_sweep_spares_what_will_go_on_and_lets_go_of_the_rest(stored: Warehouse) -> None:
    waiting, cancelled, done, forgotten = (job(stored) for _ in range(4))
    for task in (waiting, cancelled, done, forgotten):
        prepared(request(stored), task)

    def claimed(task: Task):
        return stored.jobs.get(task.job_id or 0)

    stored.jobs.interrupt(claimed(waiting), "the app was stopped", NOW)
    stored.jobs.cancel(claimed(cancelled).id, actor="ada", at=NOW)
    stored.jobs.cancelled(claimed(cancelled), NOW)
    stored.jobs.finish(claimed(done), {}, NOW)
    shutil.rmtree(forgotten.checkpoints)

    def held() -> set[str]:
        return set(stored.manifest.held_by("job "))

    swept = sweep(stored, now=NOW + timedelta(hours=1))
    assert (swept.folders, swept.pins, swept.runs) == (1, 2, 0)
    assert held() == {f"job {waiting.job_id}", f"job {cancelled.job_id}"}
    assert waiting.checkpoints.is_dir()
    # Nobody goes on with what was cancelled a month ago; what waits is not asked how long.
    sweep(stored, now=NOW + timedelta(days=40))
    assert held() == {f"job {waiting.job_id}"}
    assert not cancelled.checkpoints.exists()
    assert sweep(stored, now=NOW + timedelta(days=40)).folders == 0


def test_a_sensor_that_can_not_be_trained_keeps_nothing(home: Warehouse) -> None:
    from core.workflows.train import train

    put(home, 40)
    task = job(home)
    with pytest.raises(InsufficientData):
        train(request(home), task)
    assert not task.checkpoints.exists()
    assert home.manifest.held_by("job ") == ()


def test_published_anomalies_count_where_the_held_out_part_has_some(
    stored: Warehouse, tmp_path: Path
) -> None:
    found = learn(plan(request(stored), stored), stored.root, tmp_path, Reports())
    assert found.figures.recall is not None
    assert np.isfinite(found.figures.alarms_per_week)


def test_nothing_is_learned_from_what_people_called_an_anomaly(stored: Warehouse) -> None:
    sensor = request(stored).sensor_id
    before = plan(request(stored), stored)
    label(stored, sensor, (40, 60, "true_anomaly"), (100, 120, "false_positive"), (200, 220, "unsure"))
    made = plan(request(stored), stored)
    assert made.left_out() == ((T0 + 40 * STEP, T0 + 60 * STEP),)
    assert (before.labels_sequence, made.labels_sequence) == (0, 1)
    assert made.labels_digest != before.labels_digest
    assert list(np.flatnonzero(~made.signal(stored.root).valid)) == list(range(40, 60))


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "../model"},
        {"model": "/tmp"},  # noqa: S108 -- a path that must be refused
        {"model": ".."},
        {"artifacts": {"../../x": "0"}},
        {"artifacts": {"/etc/hosts": "0"}},
        {"spans": {"train": ["now", "then"]}},
        {"figures": 3},
        {"curves": [[1]]},
        {"format": 99},
        {"format": None},
    ],
)
def test_an_outcome_that_is_none_or_leads_elsewhere_is_refused(
    stored: Warehouse, tmp_path: Path, changes
) -> None:
    document = learn(plan(request(stored), stored), stored.root, tmp_path, Reports()).to_json()
    assert Learned.from_json(document)
    with pytest.raises(ArtifactError, match="no outcome"):
        Learned.from_json({**document, **changes})
