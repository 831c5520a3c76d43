import os
import subprocess
import sys
from datetime import timedelta

from supervising import NOON, state, supervising

from core.jobs.chores import SCORE_KEY, Chores, minute_after
from core.jobs.silence import Silences
from warehouse.jobs import BACKGROUND


def tended(warehouse, clock, **rest) -> Chores:
    chores = Chores(warehouse, clock, feed=None, watch=None, **rest)
    chores.tend()
    chores.end()
    return chores


def left_running(warehouse, kind="train"):
    """Return a job whose process is gone."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    job = warehouse.jobs.add(kind, {}, actor="ada", at=NOON)
    assert warehouse.jobs.claim(gone.pid, NOON, job_id=job.id)
    return job


def test_what_a_killed_process_left_running_goes_on_at_the_start_and_every_few_seconds(warehouse):
    clock = [NOON]
    first = left_running(warehouse)
    chores = tended(warehouse, lambda: clock[0])
    assert state(warehouse, first) == "interrupted"
    second = left_running(warehouse)
    chores.tend()
    assert state(warehouse, second) == "running"
    clock[0] += timedelta(seconds=2)
    chores.tend()
    assert state(warehouse, second) == "interrupted"
    told = warehouse.jobs.lines(second.id)[-1].text
    assert told == "interrupted: the process that ran it ended while it ran its train job"


def test_a_command_whose_lid_was_closed_keeps_its_job_and_a_paused_one_loses_it(warehouse):
    """Both live and let their lease run out; one of them beats again."""
    closed, paused = (warehouse.jobs.add("train", {"n": n}, actor="ada", at=NOON) for n in (1, 2))
    closed, paused = (warehouse.jobs.claim(os.getpid(), NOON, job_id=one.id) for one in (closed, paused))
    clock, awake_s = [NOON + timedelta(hours=8)], [0.0]
    chores = Chores(warehouse, lambda: clock[0], feed=None, watch=None)
    chores._silences = Silences(lambda: awake_s[0])
    for _ in range(5):
        chores.tend()
        assert {state(warehouse, one) for one in (closed, paused)} == {"running"}
        clock[0] += timedelta(seconds=2)
        awake_s[0] += 2
        warehouse.jobs.beat(closed, clock[0] + timedelta(seconds=15), memory_mb=None, cpu_s=None)
    chores.tend()
    chores.end()
    assert state(warehouse, closed) == "running"
    assert state(warehouse, paused) == "interrupted"
    assert "gave no sign of life" in warehouse.jobs.lines(paused.id)[-1].text
    assert not warehouse.jobs.alive(paused)


def test_schedules_queue_their_jobs_when_due(warehouse):
    clock = [NOON]
    warehouse.jobs.schedules.add(
        "Train all on Thursdays",
        "0 2 * * THU",
        "train-all",
        {"only": "all"},
        actor="ada",
        at=NOON,
        zone="UTC",
    )
    chores = tended(warehouse, lambda: clock[0])
    assert not warehouse.jobs.list(kind="train-all")
    clock[0] += timedelta(days=8)  # the app was off: what was missed is made up for once
    chores.tend()
    chores.tend()
    (job,) = warehouse.jobs.list(kind="train-all")
    assert (job.actor, job.payload, job.schedule_id) == ("ada", {"only": "all"}, 1)


def test_files_are_merged_every_hour_after_everything_else(warehouse):
    clock = [NOON]
    chores = tended(warehouse, lambda: clock[0])
    assert not warehouse.jobs.list(kind="compaction")
    for _ in range(2):
        clock[0] += timedelta(hours=1, minutes=1)
        chores.tend()
        chores.end()
    (job,) = warehouse.jobs.list(kind="compaction")
    assert job.priority == BACKGROUND


def test_small_jobs_are_forgotten_after_a_week_and_trainings_are_not(warehouse):
    def done(kind: str, at):
        job = warehouse.jobs.add(kind, {}, actor="ada", at=at)
        warehouse.jobs.finish(warehouse.jobs.claim(os.getpid(), at, job_id=job.id), {}, at)
        return job

    old, young = NOON - timedelta(days=8), NOON - timedelta(days=6)
    gone = [done(kind, old) for kind in ("score", "ingest", "compaction")]
    kept = [done("train", old), *(done(kind, young) for kind in ("score", "ingest", "compaction"))]
    tended(warehouse, lambda: NOON)
    assert [warehouse.jobs.get(one.id) for one in gone] == [None] * 3
    assert None not in [warehouse.jobs.get(one.id) for one in kept]


def test_new_minutes_are_fed_and_their_scoring_is_queued_once_and_first(warehouse):
    clock, fed = [NOON + timedelta(seconds=30)], []

    def feed(_warehouse, moment):
        fed.append(moment())
        return [1, 2]

    chores = Chores(warehouse, lambda: clock[0], feed=feed, watch=None)
    warehouse.jobs.add("echo", {"say": "later"}, actor="ada", at=NOON)
    for minute in (0, 1, 2):
        clock[0] = max(clock[0], NOON + timedelta(minutes=minute))
        for _ in range(3):
            chores.tend()
            chores.end()
    assert len(fed) == 3  # at once, for what was missed, and then every minute
    scoring = warehouse.jobs.list(("queued",), kind="score")
    assert [(job.key, job.payload) for job in scoring] == [(SCORE_KEY, {"sensor_ids": [1, 2]})]
    assert warehouse.jobs.claim(os.getpid(), NOON).kind == "score"


def test_a_feed_that_fails_is_tried_again_at_the_next_minute(warehouse, wait_for):
    clock, calls = [NOON], []

    def feed(_warehouse, _clock):
        calls.append(1)
        if len(calls) == 1:
            raise OSError(28, "No space left on device")
        return []

    with supervising(warehouse, feed, lambda: clock[0]):
        assert wait_for(lambda: len(calls) == 1)
        clock[0] = NOON + timedelta(minutes=1)
        assert wait_for(lambda: len(calls) == 2)
    assert not [job for job in warehouse.jobs.list() if job.kind == "score"]


def test_full_minutes():
    assert minute_after(NOON) == NOON + timedelta(minutes=1)
    assert minute_after(NOON + timedelta(seconds=59.9)) == NOON + timedelta(minutes=1)
