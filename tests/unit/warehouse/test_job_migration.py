"""The job table of an earlier release becomes today's, with all that was in it."""

import os
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from material import NOW

from warehouse.instants import microseconds
from warehouse.jobs import NORMAL, URGENT, Jobs
from warehouse.sqlite import MIGRATIONS, Database

AT = microseconds(NOW)
ROWS = (
    # id, kind, state, key, started_at, finished_at, result, error, pid, urgent
    (2, "score", "done", "new data", AT, AT, '{"summary":"Judged 9 steps"}', None, 4711, 1),
    (3, "train", "failed", None, AT, AT, None, "its training part is constant", 4711, 0),
    (5, "train", "running", None, AT, None, None, None, 4711, 0),
    (6, "train", "queued", None, None, None, None, None, None, 0),
    (8, "score", "queued", "new data", None, None, None, None, None, 1),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    first = tmp_path / "migrations"
    first.mkdir()
    shutil.copy(MIGRATIONS / "jobs" / "0001_first_floor.sql", first)
    database = Database(tmp_path / "jobs.sqlite", first)
    with database.transaction() as connection:
        connection.executemany(
            "INSERT INTO job (id, kind, payload, state, progress, message, actor, key, created_at,"
            " started_at, finished_at, result, error, pid, pid_mark, urgent)"
            " VALUES (?1, ?2, '{\"sensor_ids\":[1]}', ?3, 0.5, 'epoch 4 of 10', 'ada', ?4, ?11, ?5, ?6, ?7,"
            " ?8, ?9, '99', ?10)",
            [(*row, AT) for row in ROWS],
        )
        connection.executemany(
            "INSERT INTO job_metric (job_id, step, name, value) VALUES (?, ?, 'loss', ?)",
            [(3, 0, 0.5), (3, 1, None), (5, 0, 0.25)],
        )
        # The newest job of all was cleared away; its number is spent.
        connection.execute(
            "INSERT INTO job (id, kind, payload, actor, created_at) VALUES (9, 'x', '{}', 'a', 0)"
        )
        connection.execute("DELETE FROM job WHERE id = 9")
        connection.execute(
            "INSERT INTO inbox (write_id, kind, payload, actor, at)"
            " VALUES ('w-1', 'label.set', '{}', 'ada', 0)"
        )
    database.close()
    return tmp_path / "jobs.sqlite"


def test_every_job_survives_with_what_it_logged(path: Path) -> None:
    jobs = Jobs(path)
    found = {job.id: job for job in jobs.list()}
    assert {job.id: (job.kind, job.state) for job in found.values()} == {
        row[0]: (row[1], row[2]) for row in ROWS
    }
    assert {one.priority for one in found.values() if one.kind == "score"} == {URGENT}
    assert {one.priority for one in found.values() if one.kind == "train"} == {NORMAL}
    assert (found[2].result, found[3].error) == (
        {"summary": "Judged 9 steps"},
        "its training part is constant",
    )
    assert (found[5].progress, found[5].message, found[5].pid) == (0.5, "epoch 4 of 10", 4711)
    assert (found[5].started_at, found[5].created_at, found[6].started_at) == (NOW, NOW, None)
    assert [job.attempt for job in found.values()] == [0, 0, 1, 1, 1]
    assert {(one.exclusive, one.needs, one.batch_id, one.fresh) for one in found.values()} == {
        (False, (), None, False)
    }
    assert [(one.step, one.value) for one in jobs.metrics(5)] == [(0, 0.25)]
    assert len(jobs.metrics(3)) == 2
    assert [one.write_id for one in jobs.inbox.pending()] == ["w-1"]
    jobs.close()


def test_what_ran_goes_on_and_what_was_urgent_is_first(path: Path) -> None:
    jobs = Jobs(path)
    later = NOW + timedelta(days=1)
    # Whatever process has that number today, it is not the one that ran the job.
    (left,) = jobs.abandoned(later)
    assert left.id == 5
    jobs.interrupt(left, "the app was stopped", later)
    claimed = [job.id for _ in range(4) if (job := jobs.claim(os.getpid(), later)) is not None]
    assert claimed == [8, 5, 6]
    assert jobs.resume(3, actor="bob", at=later).new
    jobs.close()


def test_numbers_and_keys_go_on_as_they_were(path: Path) -> None:
    jobs = Jobs(path)
    assert jobs.add("score", {}, actor="ada", at=NOW, key="new data").id == 8
    assert jobs.add("train", {}, actor="ada", at=NOW).id == 10
    jobs.close()


def test_references_hold_after_the_tables_were_made_anew(path: Path) -> None:
    jobs = Jobs(path)
    assert jobs.forget("train", NOW + timedelta(days=1)) == 1
    assert jobs.metrics(3) == ()
    jobs.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
            connection.execute("INSERT INTO job_metric VALUES (77, 0, 'loss', 1.0)")
        with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
            connection.execute("UPDATE job SET state = 'lost'")
        (leftover,) = connection.execute(
            "SELECT count(*) FROM sqlite_master WHERE sql LIKE '%_2%' OR name LIKE '%_2'"
        ).fetchone()
        assert leftover == 0


def test_the_table_of_before_is_kept_beside_it(path: Path) -> None:
    Jobs(path).close()
    with closing(sqlite3.connect(path.with_name("jobs.sqlite.v1.bak"))) as backup:
        assert backup.execute("PRAGMA user_version").fetchone() == (1,)
        assert backup.execute("SELECT count(*) FROM job").fetchone() == (len(ROWS),)


def test_two_processes_that_open_it_at_once_migrate_it_once(path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(lambda _: Jobs(path), range(4)))
    assert {len(jobs.list()) for jobs in opened} == {len(ROWS)}
    for jobs in opened:
        jobs.close()
