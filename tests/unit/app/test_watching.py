"""A job that a command runs itself, since no supervisor lives."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.commands import watching
from app.commands.console import Desk
from app.settings import Settings
from core.errors import JobError
from core.jobs import run
from core.jobs.run import Kind
from warehouse.errors import ManifestConflict
from warehouse.jobs import Job
from warehouse.lock import ProcessLock

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def desk(tmp_path: Path):
    one = Desk(Settings(tmp_path / "home", profile="ada"))
    yield one
    one.warehouse.close()


@pytest.fixture
def ran(monkeypatch) -> list[int | None]:
    """Let every kind of job do nothing but note its id; ``"busy"`` fails in a way that passes, once."""
    seen: list[int | None] = []

    def work(payload, task):
        seen.append(task.job_id)
        if payload.get("busy") and task.attempt == 1:
            raise ManifestConflict("others wrote meanwhile")
        if payload.get("refused"):
            raise JobError("Pump 7: too short")
        return {}

    kinds = dict.fromkeys(("train", "score"), Kind(work, heavy=False, title="Test"))
    monkeypatch.setitem(run.execute.__kwdefaults__, "kinds", kinds)
    return seen


def ask(desk: Desk, kind: str = "train", needs: tuple[int, ...] = (), **payload: object) -> Job:
    return desk.warehouse.jobs.add(kind, payload, actor="ada", at=NOON, needs=needs)


def test_what_a_job_needs_is_run_before_it(desk, ran):
    first = ask(desk)
    second = ask(desk, "score", (first.id,))
    assert watching.see_through(desk, second, "Scoring").state == "done"
    assert ran == [first.id, second.id]


def test_why_a_job_failed_is_the_error_and_what_waits_for_it_does_not_run(desk, ran):
    first = ask(desk, refused=True)
    second = ask(desk, "score", (first.id,))
    with pytest.raises(JobError, match="Pump 7: too short"):
        watching.see_through(desk, first, "Training")
    with pytest.raises(JobError, match=f"job {first.id}, which it waits for, failed"):
        watching.see_through(desk, second, "Scoring")
    assert ran == [first.id]


def test_what_may_pass_is_tried_again_after_a_pause(desk, ran, monkeypatch):
    monkeypatch.setattr(run, "FIRST_PAUSE", run.FIRST_PAUSE / 20)
    job = ask(desk, busy=True)
    ended = watching.see_through(desk, job, "Training")
    assert (ended.state, ended.attempt) == ("done", 2)
    assert ran == [job.id, job.id]


def test_a_cancelled_job_is_an_error_that_says_by_whom(desk, ran):
    job = ask(desk)
    desk.warehouse.jobs.cancel(job.id, actor="bob", at=NOON)
    with pytest.raises(JobError, match="Training: cancelled by bob"):
        watching.see_through(desk, job, "Training")
    assert ran == []


def test_ctrl_c_leaves_the_job_to_go_on_and_says_how(desk, monkeypatch, capsys):
    def interrupted(payload, task):
        task.checkpointed(4)
        raise KeyboardInterrupt

    monkeypatch.setitem(
        run.execute.__kwdefaults__, "kinds", {"train": Kind(interrupted, heavy=True, title="Test")}
    )
    job = ask(desk)
    with pytest.raises(KeyboardInterrupt):
        watching.see_through(desk, job, "Training")
    assert desk.warehouse.jobs.get(job.id).state == "interrupted"
    said = capsys.readouterr().err
    assert f"`telltale jobs resume {job.id}` or the app, once it runs, goes on after step 4" in said


def test_a_defect_fails_the_job_and_shows_its_trace(desk, monkeypatch):
    def broken(payload, task):
        raise ZeroDivisionError

    monkeypatch.setitem(
        run.execute.__kwdefaults__, "kinds", {"train": Kind(broken, heavy=True, title="Test")}
    )
    job = ask(desk)
    with pytest.raises(ZeroDivisionError):
        watching.see_through(desk, job, "Training")
    assert desk.warehouse.jobs.get(job.id).state == "failed"


def test_where_a_supervisor_dies_the_command_takes_over(desk, ran, monkeypatch):
    monkeypatch.setattr(watching, "_ASK_S", 0.3)
    job = ask(desk)
    lock = ProcessLock(desk.warehouse.layout.supervisor_lock)
    lock.acquire()
    assert watching.see_through(desk, job, "Training", wait=False).state == "queued"
    alive = iter([True, True])

    def dying(layout) -> bool:
        if next(alive, False):
            return True
        lock.release()
        return False

    monkeypatch.setattr(watching, "supervisor_alive", dying)
    assert watching.see_through(desk, job, "Training").pid == os.getpid()
    assert ran == [job.id]
