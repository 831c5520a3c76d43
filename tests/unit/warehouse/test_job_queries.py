"""What is asked of the job table many times a second does not walk through the jobs that ended long ago."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta

import pytest
from material import NOW

from warehouse.home import Warehouse
from warehouse.jobs import Jobs, NewJob

ME = os.getpid()
ENDED = 10_000


@pytest.fixture
def jobs(home: Warehouse) -> Jobs:
    """Ten thousand jobs that ended in the state that most end in, and one of each other state."""
    with home.jobs._database.transaction() as connection:
        connection.execute(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
            " INSERT INTO job (kind, payload, state, actor, key, created_at, started_at, finished_at,"
            " attempt) SELECT 'score', '{\"sensor_ids\":[1]}', 'done', 'ada', 'new data', 0, 0, 0, 1 FROM n",
            (ENDED,),
        )
    for state in ("failed", "cancelled", "interrupted", "running", "queued"):
        job = home.jobs.add("train", {"sensor_ids": [1]}, actor="ada", at=NOW)
        running = None if state == "queued" else home.jobs.claim(ME, NOW, job_id=job.id)
        if running is not None and state == "failed":
            home.jobs.fail(running, "its training part is constant", NOW)
        if running is not None and state == "cancelled":
            home.jobs.cancelled(running, NOW)
        if running is not None and state == "interrupted":
            home.jobs.interrupt(running, "killed", NOW)
    return home.jobs


def plans(jobs: Jobs, call: Callable[[], object]) -> list[str]:
    """Return how SQLite finds the rows for each statement of a call."""
    asked: list[str] = []
    connection: sqlite3.Connection = jobs._database._idle.get_nowait()
    connection.set_trace_callback(asked.append)
    jobs._database._idle.put(connection)
    call()
    connection.set_trace_callback(None)
    assert asked
    with closing(sqlite3.connect(jobs._database.path)) as beside:
        return [
            row[3]
            for statement in asked
            if not statement.startswith(("BEGIN", "COMMIT", "--"))
            for row in beside.execute(f"EXPLAIN QUERY PLAN {statement}")
        ]


def walks(found: list[str]) -> list[str]:
    """Return the steps that walk through all jobs; `job_waiting` holds those alone that wait."""
    return [
        step
        for step in found
        if step.startswith(("SCAN job", "SCAN needed")) and not step.endswith("INDEX job_waiting")
        if not step.startswith(("SCAN job_need", "SCAN job_line", "SCAN job_batch"))
    ]


CALLS: dict[str, Callable[[Jobs], object]] = {
    "a worker looks for work": lambda jobs: jobs.claim(ME, NOW, kinds={"ingest"}),
    "a worker takes work": lambda jobs: jobs.claim(ME, NOW),
    "a worker takes its job": lambda jobs: jobs.claim(ME, NOW, job_id=ENDED + 5),
    "a supervisor looks for abandoned jobs": lambda jobs: jobs.abandoned(NOW + timedelta(hours=1)),
    "a beat": lambda jobs: jobs.beat(jobs.running()[0], NOW, memory_mb=1.0, cpu_s=1.0),
    "progress": lambda jobs: jobs.progress(jobs.running()[0], 0.5, "halfway", at=NOW),
    "somebody asks": lambda jobs: jobs.ask("score", {}, actor="ada", at=NOW, key="new data", exclusive=True),
    "somebody asks for many": lambda jobs: jobs.ask_batch(
        "Two", [NewJob("train", {}, key="train 1", then=NewJob("score", {}))], actor="ada", at=NOW
    ),
    "somebody resumes": lambda jobs: jobs.resume(ENDED + 1, actor="ada", at=NOW),
    "somebody cancels": lambda jobs: jobs.cancel(ENDED + 5, actor="ada", at=NOW),
    "a page shows what runs": lambda jobs: jobs.list(("queued", "running", "interrupted")),
    "a page shows what failed": lambda jobs: jobs.list(("failed",), kind="train"),
    "a page shows a batch": lambda jobs: jobs.list(batch_id=1),
    "a page shows batches": lambda jobs: jobs.batches(),
    "schedules are looked at": lambda jobs: jobs.schedules.due(NOW),
}


@pytest.mark.parametrize("name", CALLS)
def test_it_finds_its_rows_by_an_index(jobs: Jobs, name: str) -> None:
    found = plans(jobs, lambda: CALLS[name](jobs))
    assert found
    assert walks(found) == []


def test_no_search_reads_more_ended_jobs_than_it_returns(jobs: Jobs) -> None:
    # Newest first of one state is the order of its index: nothing is sorted but the few that were found.
    found = plans(jobs, lambda: jobs.list(("done",), limit=3))
    assert "SEARCH job USING INDEX job_by_state (state=?)" in found
    assert found.count("USE TEMP B-TREE FOR ORDER BY") == 1


def test_a_walk_through_all_jobs_would_be_seen(jobs: Jobs) -> None:
    def careless() -> None:
        with jobs._database.reading() as connection:
            connection.execute("SELECT id FROM job WHERE message = 'x'").fetchall()

    assert walks(plans(jobs, careless)) == ["SCAN job"]


def test_waiting_jobs_are_taken_in_the_order_of_the_index(jobs: Jobs) -> None:
    found = plans(jobs, lambda: jobs.claim(ME, NOW, kinds={"ingest"}))
    assert "SCAN job USING INDEX job_waiting" in found
    assert not [step for step in found if "TEMP B-TREE" in step]
