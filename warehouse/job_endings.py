"""How jobs end and come back, and what that does to those that wait for them.

It always holds that a job that waits needs only jobs that are done, wait or run.
"""

import sqlite3
from collections import deque
from heapq import heappop, heappush
from typing import Final, Literal

from warehouse import job_log
from warehouse.job_records import Asked, by_id

_CANCELLED: Final = {"failed": "failed", "cancelled": "was cancelled"}


def end(
    connection: sqlite3.Connection,
    job_id: int,
    state: Literal["failed", "cancelled"],
    error: str,
    at_us: int,
    *,
    cancelled_for: int | None = None,
) -> None:
    """End a job that waits or runs other than by being done, and cancel all that wait for it."""
    ending: deque[tuple[int, str, str, int | None]] = deque([(job_id, state, error, cancelled_for)])
    found = {job_id}
    while ending:
        one, how, why, cause = ending.popleft()
        connection.execute(
            "UPDATE job SET state = ?, error = ?, finished_at = ?, cancelled_for = ?, lease_until = NULL,"
            " not_before = NULL WHERE id = ?",
            (how, why, at_us, cause, one),
        )
        job_log.append(connection, one, f"{how}: {why}", at_us)
        dependents = connection.execute(
            "SELECT id FROM job JOIN job_need ON job_id = id"
            " WHERE needs_id = ? AND state IN ('queued', 'interrupted') ORDER BY id",
            (one,),
        ).fetchall()
        for (dependent,) in dependents:
            if dependent not in found:
                found.add(dependent)
                reason = f"job {one}, which it waits for, {_CANCELLED[how]}"
                ending.append((dependent, "cancelled", reason, one))


def hindrance(connection: sqlite3.Connection, job_id: int) -> tuple[int, str] | None:
    """Return a job that `job_id` needs and that failed or was cancelled, with a reason; None if none did."""
    row = connection.execute(
        "SELECT id, state FROM job JOIN job_need ON needs_id = id"
        " WHERE job_id = ? AND state IN ('failed', 'cancelled') ORDER BY id LIMIT 1",
        (job_id,),
    ).fetchone()
    return None if row is None else (row[0], f"job {row[0]}, which it waits for, {_CANCELLED[row[1]]}")


def rival(
    connection: sqlite3.Connection, key: str | None, *, exclusive: bool, besides: int | None = None
) -> int | None:
    """Return the job that stands in the way of another with `key`, None if there is none.

    Parameters
    ----------
    exclusive
        A job that runs stands in the way as well.
    besides
        A job that does not count: the one that is to come back.
    """
    row = connection.execute(
        "SELECT id FROM job WHERE key = ?1 AND state IN ('queued', 'interrupted', 'running')"
        " AND (?2 OR state <> 'running') AND id IS NOT ?3 ORDER BY id LIMIT 1",
        (key, exclusive, besides),
    ).fetchone()
    return None if row is None else int(row[0])


def revive(connection: sqlite3.Connection, job_id: int, why: str, at_us: int, *, fresh: bool) -> Asked:
    """Queue again a job that failed, was cancelled or interrupted, with what it needs and what waits for it.

    Parameters
    ----------
    why
        A line for its log.
    fresh
        From the start: what earlier attempts kept is dropped.

    Returns
    -------
    Asked
        Not new: the job is in another state and stays as it is, or another one with its key was there first.

    Raises
    ------
    JobError
        There is no such job.
    """
    job = by_id(connection, job_id)
    if job.state not in {"failed", "cancelled", "interrupted"}:
        return Asked(job, new=False)
    first = rival(connection, job.key, exclusive=job.exclusive, besides=job.id)
    if first is not None:
        return Asked(by_id(connection, first), new=False)
    for needed in job.needs:
        _revive_needed(connection, job.id, needed, at_us)
    first = rival(connection, job.key, exclusive=job.exclusive, besides=job.id)
    if first is not None:
        # One that it needs, and that came back just now, has its key.
        return Asked(by_id(connection, first), new=False)
    _queue(connection, job.id, why, at_us, fresh=fresh)
    _bring_back(connection, job.id, at_us)
    return Asked(by_id(connection, job.id), new=True)


def _revive_needed(connection: sqlite3.Connection, job_id: int, needed: int, at_us: int) -> None:
    if by_id(connection, needed).state not in {"failed", "cancelled"}:
        return
    again = revive(
        connection, needed, f"queued again, for job {job_id} waits for it", at_us, fresh=False
    ).job.id
    if again != needed:
        # Another job does that work now.
        connection.execute("DELETE FROM job_need WHERE job_id = ? AND needs_id = ?", (job_id, needed))
        connection.execute("INSERT OR IGNORE INTO job_need (job_id, needs_id) VALUES (?, ?)", (job_id, again))


def _queue(connection: sqlite3.Connection, job_id: int, why: str, at_us: int, *, fresh: bool) -> None:
    connection.execute(
        "UPDATE job SET state = 'queued', error = NULL, finished_at = NULL, not_before = NULL, message = '',"
        " cancel_asked_at = NULL, cancel_asked_by = NULL, cancelled_for = NULL, fresh = ?, stalls = 0,"
        " retries = 0 WHERE id = ?",
        (fresh, job_id),
    )
    if fresh:
        connection.execute(
            "UPDATE job SET progress = 0, furthest = 0, checkpoint = NULL WHERE id = ?", (job_id,)
        )
        connection.execute("DELETE FROM job_metric WHERE job_id = ?", (job_id,))
    job_log.append(connection, job_id, why, at_us)


def _bring_back(connection: sqlite3.Connection, job_id: int, at_us: int) -> None:
    """Queue the jobs that were cancelled because this one ended, as far as nothing else stands in the way.

    Lower ids first: what a job needs is older, so it is decided before.
    """
    waiting = _cancelled_for(connection, job_id)
    while waiting:
        one, needed = heappop(waiting)
        job = by_id(connection, one)
        other = hindrance(connection, one)
        first = rival(connection, job.key, exclusive=job.exclusive, besides=one)
        if other is not None:
            connection.execute("UPDATE job SET cancelled_for = ?, error = ? WHERE id = ?", (*other, one))
        elif first is not None:
            error = f"job {first} does this now"
            connection.execute("UPDATE job SET cancelled_for = NULL, error = ? WHERE id = ?", (error, one))
        else:
            why = f"queued again with job {needed}, which it waits for"
            _queue(connection, one, why, at_us, fresh=False)
            for dependent in _cancelled_for(connection, one):
                heappush(waiting, dependent)


def _cancelled_for(connection: sqlite3.Connection, needed: int) -> list[tuple[int, int]]:
    """Return the jobs that were cancelled because `needed` ended, each with `needed`, in order."""
    return connection.execute(
        "SELECT id, cancelled_for FROM job WHERE cancelled_for = ? AND state = 'cancelled' ORDER BY id",
        (needed,),
    ).fetchall()
