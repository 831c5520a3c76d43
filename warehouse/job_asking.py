"""Asking for jobs: one, many in one transaction, and one like another."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime

from warehouse import job_endings, job_log
from warehouse.documents import JSON, dumps
from warehouse.instants import microseconds, moment_of
from warehouse.job_records import NORMAL, Asked, Batch, Job, NewJob, by_id
from warehouse.sqlite import Database


def insert(
    connection: sqlite3.Connection,
    new: NewJob,
    *,
    actor: str,
    at: datetime,
    needs: Sequence[int] = (),
    batch_id: int | None = None,
    cloned_from: int | None = None,
    schedule_id: int | None = None,
) -> Asked:
    """Queue a job in the open transaction, or return the one that was there first.

    Raises
    ------
    JobError
        A job that it needs does not exist.
    """
    if new.key is not None:
        first = job_endings.rival(connection, new.key, exclusive=new.exclusive)
        if first is not None:
            return Asked(by_id(connection, first), new=False)
    needed = {by_id(connection, one).id for one in needs}
    at_us = microseconds(at)
    (job_id,) = connection.execute(
        "INSERT INTO job (kind, payload, actor, key, exclusive, priority, created_at, batch_id, cloned_from,"
        " schedule_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        (
            new.kind,
            dumps(new.payload),
            actor,
            new.key,
            new.exclusive,
            new.priority,
            at_us,
            batch_id,
            cloned_from,
            schedule_id,
        ),
    ).fetchone()
    connection.executemany(
        "INSERT INTO job_need (job_id, needs_id) VALUES (?, ?)", [(job_id, one) for one in sorted(needed)]
    )
    job_log.append(connection, job_id, f"asked for by {actor}", at_us)
    hindrance = job_endings.hindrance(connection, job_id)
    if hindrance is not None:
        cause, reason = hindrance
        job_endings.end(connection, job_id, "cancelled", reason, at_us, cancelled_for=cause)
    return Asked(by_id(connection, job_id), new=True)


def _batch(connection: sqlite3.Connection, row: tuple[int, str, str, int, str]) -> Batch:
    ids = connection.execute("SELECT id FROM job WHERE batch_id = ? ORDER BY id", (row[0],)).fetchall()
    return Batch(
        id=row[0],
        title=row[1],
        actor=row[2],
        created_at=moment_of(row[3]),
        job_ids=tuple(one for (one,) in ids),
        already=tuple(json.loads(row[4])),
    )


class JobAsking:
    """The part of `Jobs` that queues jobs."""

    _database: Database

    def ask(
        self,
        kind: str,
        payload: Mapping[str, JSON],
        *,
        actor: str,
        at: datetime,
        key: str | None = None,
        exclusive: bool = False,
        priority: int = NORMAL,
        needs: Sequence[int] = (),
        batch_id: int | None = None,
        cloned_from: int | None = None,
        schedule_id: int | None = None,
    ) -> Asked:
        """Queue a job, or return the one with its key that was there first.

        Parameters
        ----------
        key
            Where a job with this key waits, that one is returned.
        exclusive
            Where one with this key runs, that one is returned too.
        needs
            Jobs that have to be done before. Where one of them failed or was cancelled, so is this one.

        Raises
        ------
        JobError
            A job that it needs does not exist.
        """
        with self._database.transaction() as connection:
            return insert(
                connection,
                NewJob(kind, payload, key, exclusive, priority),
                actor=actor,
                at=at,
                needs=needs,
                batch_id=batch_id,
                cloned_from=cloned_from,
                schedule_id=schedule_id,
            )

    def add(
        self,
        kind: str,
        payload: Mapping[str, JSON],
        *,
        actor: str,
        at: datetime,
        key: str | None = None,
        exclusive: bool = False,
        priority: int = NORMAL,
        needs: Sequence[int] = (),
        batch_id: int | None = None,
        cloned_from: int | None = None,
        schedule_id: int | None = None,
    ) -> Job:
        """Queue a job and return it, or the one that was there first; as `ask`."""
        return self.ask(
            kind,
            payload,
            actor=actor,
            at=at,
            key=key,
            exclusive=exclusive,
            priority=priority,
            needs=needs,
            batch_id=batch_id,
            cloned_from=cloned_from,
            schedule_id=schedule_id,
        ).job

    def ask_batch(self, title: str, asks: Sequence[NewJob], *, actor: str, at: datetime) -> Batch:
        """Queue many jobs, all of them or none, and those that follow each."""
        with self._database.transaction() as connection:
            (batch_id,) = connection.execute(
                "INSERT INTO job_batch (title, actor, created_at) VALUES (?, ?, ?) RETURNING id",
                (title, actor, microseconds(at)),
            ).fetchone()
            already: set[int] = set()
            for one in asks:
                new: NewJob | None = one
                needs: tuple[int, ...] = ()
                while new is not None:
                    asked = insert(connection, new, actor=actor, at=at, needs=needs, batch_id=batch_id)
                    if not asked.new and asked.job.batch_id != batch_id:
                        already.add(asked.job.id)
                    needs = (asked.job.id,)
                    new = new.then
                    if new is not None and not asked.new and _is_followed(connection, asked.job.id, new.kind):
                        break
            connection.execute(
                "UPDATE job_batch SET already = ? WHERE id = ?", (json.dumps(sorted(already)), batch_id)
            )
            return _batch(connection, (batch_id, title, actor, microseconds(at), json.dumps(sorted(already))))

    def clone(self, job_id: int, *, actor: str, at: datetime) -> Asked:
        """Queue a new job with the payload, key and priority of `job_id`, whatever became of that one.

        Raises
        ------
        JobError
            There is no such job.
        """
        with self._database.transaction() as connection:
            job = by_id(connection, job_id)
            new = NewJob(job.kind, job.payload, job.key, job.exclusive, job.priority)
            return insert(connection, new, actor=actor, at=at, cloned_from=job_id)

    def batch(self, batch_id: int) -> Batch | None:
        """Return the batch `batch_id`, None if there is none."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT id, title, actor, created_at, already FROM job_batch WHERE id = ?", (batch_id,)
            ).fetchone()
            return None if row is None else _batch(connection, row)

    def batches(self, limit: int = 20) -> tuple[Batch, ...]:
        """Return the newest batches first, at most `limit`."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT id, title, actor, created_at, already FROM job_batch ORDER BY id DESC LIMIT ?",
                (limit,),
            ).fetchall()
            return tuple(_batch(connection, row) for row in rows)


def _is_followed(connection: sqlite3.Connection, job_id: int, kind: str) -> bool:
    row = connection.execute(
        "SELECT 1 FROM job JOIN job_need ON job_id = id"
        " WHERE needs_id = ? AND kind = ? AND state IN ('queued', 'interrupted', 'running')",
        (job_id, kind),
    ).fetchone()
    return row is not None
