"""Processes that want the same job, or die while they have it: one winner, and nothing twice."""

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from running import ROOT, times, wait_for

from warehouse.jobs import Jobs, NewJob

NOW = datetime(2026, 3, 28, 12, tzinfo=UTC)
RACERS = 4


class Racer:
    def __init__(self, path: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("job_racer.py")), str(path)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @property
    def pid(self) -> int:
        return self.process.pid

    def tell(self, do: str, start: float = 0.0, at: datetime = NOW, **rest: object) -> None:
        print(
            json.dumps({"do": do, "start": start, "at": at.isoformat(), **rest}),
            file=self.process.stdin,
            flush=True,
        )

    def answer(self) -> object:
        line = self.process.stdout.readline()
        assert line, "the racer has ended"
        return json.loads(line)

    def ask(self, do: str, **rest: object) -> object:
        self.tell(do, **rest)
        return self.answer()

    def kill(self) -> list[object]:
        """Kill it and return what it had said before."""
        self.process.kill()
        said = self.process.communicate()[0]
        return [json.loads(line) for line in said.splitlines() if line]


@contextmanager
def racers(path: Path, count: int = RACERS) -> Iterator[list[Racer]]:
    them = [Racer(path) for _ in range(count)]
    try:
        assert [one.answer() for one in them] == ["ready"] * count
        yield them
    finally:
        for one in them:
            one.kill()


def race(them: Sequence[Racer], do: str, **rest: object) -> list[object]:
    """Let all do the same at the same moment."""
    start = time.time() + 0.02
    for one in them:
        one.tell(do, start, **rest)
    return [one.answer() for one in them]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    Jobs(tmp_path / "jobs.sqlite").close()
    return tmp_path / "jobs.sqlite"


@pytest.fixture
def jobs(path: Path) -> Iterator[Jobs]:
    opened = Jobs(path)
    yield opened
    opened.close()


def winners(answers: Sequence[object]) -> int:
    return sum(1 for new, _ in answers if new)


def test_one_sensor_asked_for_by_many_at_once_is_trained_once(
    path: Path, jobs: Jobs, record_property: Callable[[str, object], None]
) -> None:
    races = times(2, 20)
    record_property(f"races of {RACERS} processes for one sensor", races)
    with racers(path) as them:
        for number in range(races):
            answers = race(them, "ask", key=f"train {number}", exclusive=True)
            assert winners(answers) == 1
            assert len({job_id for _, job_id in answers}) == 1
            (job,) = [one for one in jobs.list() if one.key == f"train {number}"]
            # Whoever runs it, the next asker still sees the first.
            assert jobs.claim(os.getpid(), NOW, job_id=job.id) is not None
            assert winners(race(them, "ask", key=f"train {number}", exclusive=True)) == 0
            assert len(jobs.list()) == number + 1


def test_without_a_key_each_asker_would_win(path: Path) -> None:
    with racers(path) as them:
        assert winners(race(them, "ask", key=None, exclusive=False)) == RACERS


def test_a_job_resumed_by_many_at_once_is_queued_once(path: Path, jobs: Jobs) -> None:
    first = jobs.add("train", {}, actor="ada", at=NOW, key="train 1", exclusive=True)
    with racers(path) as them:
        for _ in range(times(2, 20)):
            running = jobs.claim(os.getpid(), NOW)
            assert running is not None
            jobs.fail(running, "the disk is full", NOW)
            answers = race(them, "resume", job_id=first.id)
            assert winners(answers) == 1
            assert {job_id for _, job_id in answers} == {first.id}


def test_a_time_of_a_schedule_counts_once_however_many_look(path: Path, jobs: Jobs) -> None:
    # Each night of a week in which the clocks of the zone go forward, and one in which they go back.
    nights = times(2, 8)
    with racers(path) as them:
        for first in (NOW, datetime(2026, 10, 24, 12, tzinfo=UTC)):
            schedule = jobs.schedules.add(
                "Nightly", "30 2 * * *", "train", {}, actor="ada", at=first, zone="Europe/Zurich"
            )
            before = len(jobs.list())
            for _ in range(nights):
                (at,) = [one.next_at for one in jobs.schedules.list() if one.id == schedule.id]
                answers = race(them, "due", at=at)
                assert winners([one for answer in answers for one in answer]) == 1
                job = jobs.claim(os.getpid(), at)
                assert job is not None
                jobs.finish(job, {}, at)
            assert len(jobs.list()) - before == nights
            jobs.schedules.remove(schedule.id)


def test_claims_at_the_same_moment_give_different_jobs(path: Path, jobs: Jobs) -> None:
    with racers(path) as them:
        for _ in range(times(3, 30)):
            wanted = {jobs.add("train", {}, actor="ada", at=NOW).id for _ in range(RACERS - 1)}
            claimed = [tuple(one) for one in race(them, "claim") if one is not None]
            assert sorted(job_id for job_id, _ in claimed) == sorted(wanted)
            assert {attempt for _, attempt in claimed} == {1}


def test_a_process_that_comes_back_after_its_lease_ran_out_changes_nothing(path: Path, jobs: Jobs) -> None:
    job = jobs.add("train", {}, actor="ada", at=NOW)
    with racers(path, 2) as (zombie, second):
        assert zombie.ask("claim") == [job.id, 1]
        late = NOW + timedelta(minutes=5)
        (left,) = jobs.abandoned(late)
        jobs.interrupt(left, "its lease ran out", late)
        nothing = [False] * 9
        assert zombie.ask("write", job_id=job.id) == nothing
        assert second.ask("claim", at=late) == [job.id, 2]
        before = jobs.get(job.id), jobs.lines(job.id), jobs.metrics(job.id)
        assert zombie.ask("write", job_id=job.id) == nothing
        assert (jobs.get(job.id), jobs.lines(job.id), jobs.metrics(job.id)) == before
        # The same writes by the one that has it are taken, until it ends.
        assert second.ask("write", job_id=job.id) == [True] * 6 + [False] * 3


def test_jobs_of_processes_that_are_killed_are_each_done_once(
    path: Path, jobs: Jobs, record_property: Callable[[str, object], None]
) -> None:
    """Kill claimers at any moment, start others, and count who says that it finished what."""
    kills, seeded = times(5, 50), random.Random(5)
    wanted = {*jobs.ask_batch("Many", [NewJob("train", {})] * 120 * kills, actor="ada", at=NOW).job_ids}
    told: list[object] = []
    caught = 0
    with racers(path, 1) as (steady,):
        for _ in range(kills):
            with racers(path, 1) as (victim,):
                victim.tell("claim_all")
                threading.Event().wait(seeded.uniform(0.0, 0.08))
                told += victim.kill()
            for left in jobs.abandoned(NOW):
                assert left.pid == victim.pid
                assert jobs.interrupt(left, "killed", NOW).state == "interrupted"
                caught += 1
        steady.tell("claim_all")
        while (said := steady.answer()) != "all":
            told.append(said)
    told = [one for one in told if one != "all"]
    assert {job.id for job in jobs.list(("done",), limit=-1)} == wanted
    # A death between the commit and the word loses the word, never the job.
    assert len(told) == len(set(told))
    assert len(wanted) - len(told) <= kills
    assert sum(job.attempt for job in jobs.list(limit=-1)) == len(wanted) + caught
    record_property("claimers killed", kills)
    record_property("of them while they had a job", caught)


def test_a_batch_whose_asker_is_killed_is_there_whole_or_not_at_all(path: Path, jobs: Jobs) -> None:
    seeded, whole = random.Random(7), 0
    for number in range(times(3, 30)):
        with racers(path, 1) as (victim,):
            victim.tell("batch", key=f"batch {number}", count=100)
            threading.Event().wait(seeded.uniform(0.0, 0.06))
            victim.kill()
        made = [one for one in jobs.batches(limit=1) if one.title == f"batch {number}"]
        stored = jobs.list(limit=-1)
        whole += len(made)
        assert len(stored) == 200 * whole
        assert all(len(one.job_ids) == 200 for one in made)
        assert sum(1 for one in stored if one.needs) == 100 * whole


def test_two_processes_write_while_a_third_reads_and_none_waits_in_vain(path: Path, jobs: Jobs) -> None:
    for _ in range(200):
        jobs.add("train", {}, actor="ada", at=NOW)
    with racers(path, 2) as them:
        for one in them:
            one.tell("claim_all")
        assert wait_for(lambda: not jobs.list(("queued", "running")))
        said = [[], []]
        for answers, one in zip(said, them, strict=True):
            while (answer := one.answer()) != "all":
                answers.append(answer)
    assert len({*said[0], *said[1]}) == len(said[0]) + len(said[1]) == 200
