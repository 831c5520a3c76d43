"""Work that is queued again and again, when a cron expression says so."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from warehouse import job_log
from warehouse.documents import JSON, dumps, loads
from warehouse.errors import ScheduleError
from warehouse.instants import microseconds, moment_of
from warehouse.job_asking import insert
from warehouse.job_records import Asked, NewJob
from warehouse.sqlite import Database

_EXAMPLE: Final = "write five fields such as `0 2 * * SUN`, Sundays at two"


@dataclass(frozen=True)
class Schedule:
    """A job that is queued at certain times.

    Parameters
    ----------
    cron
        Five fields: minute, hour, day of the month, month, day of the week.
    zone
        Name of the time zone that its hours are of, such as ``Europe/Zurich``.
    next_at
        When it is due next.
    last_at, last_job_id
        When it was due last, and the job that was queued then; None before the first time.
    """

    id: int
    title: str
    cron: str
    zone: str
    kind: str
    payload: dict[str, JSON]
    actor: str
    created_at: datetime
    enabled: bool
    next_at: datetime
    last_at: datetime | None
    last_job_id: int | None

    @property
    def words(self) -> str:
        """When it is due, in words."""
        return CronSim(self.cron, self.created_at).explain()


def next_run(cron: str, zone: str, after: datetime) -> datetime:
    """Return when a cron expression is due next.

    An hour that the clocks skip is due when they have jumped; one that they repeat is due once.

    Parameters
    ----------
    after
        The moment looked for is later than this.

    Returns
    -------
    datetime
        In UTC.

    Raises
    ------
    ScheduleError
        The expression or the zone can't be understood, or no such time ever comes.
    """
    try:
        local = after.astimezone(ZoneInfo(zone))
    except (KeyError, OSError, ValueError) as error:
        raise ScheduleError(
            f"there is no time zone {zone!r}: write one such as Europe/Zurich or UTC"
        ) from error
    if len(cron.split()) != 5:
        raise ScheduleError(f"{cron!r} is no cron expression: {_EXAMPLE}")
    try:
        runs = CronSim(cron, local)
        # In a repeated hour the parser gives the first one, which may be past.
        return next(run for run in runs if run.astimezone(UTC) > after).astimezone(UTC)
    except CronSimError as error:
        reason = str(error)[:1].lower() + str(error)[1:]
        raise ScheduleError(f"{cron!r} is no cron expression ({reason}): {_EXAMPLE}") from error
    except StopIteration as error:
        raise ScheduleError(f"{cron!r} is never due: no such day comes within 50 years") from error


_COLUMNS: Final = (
    "SELECT id, title, cron, zone, kind, payload, actor, created_at, enabled, next_at, last_at, last_job_id"
    " FROM schedule "
)


class Schedules:
    """The schedules in `jobs.sqlite`; safe to use from any thread and process.

    Parameters
    ----------
    database
        `jobs.sqlite`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        title: str,
        cron: str,
        kind: str,
        payload: Mapping[str, JSON],
        *,
        actor: str,
        at: datetime,
        zone: str,
    ) -> Schedule:
        """Store a schedule; it is due for the first time after `at`.

        Raises
        ------
        ScheduleError
            The title is empty, the expression or the zone can't be understood, or it is never due.
        """
        if not title.strip():
            raise ScheduleError("a schedule needs a title, such as `Train all on Sundays`")
        next_at = next_run(cron, zone, at)
        with self._database.transaction() as connection:
            (schedule_id,) = connection.execute(
                "INSERT INTO schedule (title, cron, zone, kind, payload, actor, created_at, next_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
                (
                    title.strip(),
                    cron,
                    zone,
                    kind,
                    dumps(payload),
                    actor,
                    microseconds(at),
                    microseconds(next_at),
                ),
            ).fetchone()
            return _by_id(connection, schedule_id)

    def list(self) -> tuple[Schedule, ...]:
        """Return all schedules in the order in which they were added."""
        with self._database.reading() as connection:
            rows = connection.execute(_COLUMNS + "ORDER BY id").fetchall()
            return tuple(_schedule(row) for row in rows)

    def set_enabled(self, schedule_id: int, enabled: bool, *, at: datetime) -> Schedule:
        """Pause a schedule or let it go on; times that passed meanwhile are not made up for.

        Raises
        ------
        ScheduleError
            There is no such schedule.
        """
        with self._database.transaction() as connection:
            schedule = _by_id(connection, schedule_id)
            next_at = next_run(schedule.cron, schedule.zone, at)
            connection.execute(
                "UPDATE schedule SET enabled = ?, next_at = ? WHERE id = ?",
                (enabled, microseconds(next_at), schedule_id),
            )
            return _by_id(connection, schedule_id)

    def remove(self, schedule_id: int) -> None:
        """Delete a schedule; the jobs that it queued stay.

        Raises
        ------
        ScheduleError
            There is no such schedule.
        """
        with self._database.transaction() as connection:
            _by_id(connection, schedule_id)
            connection.execute("DELETE FROM schedule WHERE id = ?", (schedule_id,))

    def due(self, at: datetime) -> tuple[Asked, ...]:
        """Queue the job of each schedule whose time has come, and move it on, in one transaction.

        However many processes ask at once, a time counts once; times that were missed, such as over night,
        count as one. Where the job of the last time still waits or runs, none is added. A schedule whose
        times can't be understood any more is paused, and the job's log says so.

        Returns
        -------
        tuple of Asked
            One for each schedule that was due, in the order of their ids.
        """
        at_us = microseconds(at)
        with self._database.reading() as connection:
            # Asked often: whoever finds nothing holds up no writer.
            if not _due(connection, at_us):
                return ()
        with self._database.transaction() as connection:
            return tuple(_queue(connection, schedule, at) for schedule in _due(connection, at_us))


def _due(connection: sqlite3.Connection, at_us: int) -> tuple[Schedule, ...]:
    rows = connection.execute(
        _COLUMNS + "WHERE enabled = 1 AND next_at <= ? ORDER BY id", (at_us,)
    ).fetchall()
    return tuple(_schedule(row) for row in rows)


def _queue(connection: sqlite3.Connection, schedule: Schedule, at: datetime) -> Asked:
    new = NewJob(schedule.kind, schedule.payload, key=f"schedule {schedule.id}", exclusive=True)
    asked = insert(connection, new, actor=schedule.actor, at=at, schedule_id=schedule.id)
    try:
        next_at, enabled = next_run(schedule.cron, schedule.zone, at), True
    except ScheduleError as error:
        # This machine knows another set of zones than the one it was made on.
        next_at, enabled = schedule.next_at, False
        job_log.append(connection, asked.job.id, f"its schedule is paused: {error}", microseconds(at))
    connection.execute(
        "UPDATE schedule SET enabled = ?, next_at = ?, last_at = ?, last_job_id = ? WHERE id = ?",
        (enabled, microseconds(next_at), microseconds(at), asked.job.id, schedule.id),
    )
    return asked


def _by_id(connection: sqlite3.Connection, schedule_id: int) -> Schedule:
    row = connection.execute(_COLUMNS + "WHERE id = ?", (schedule_id,)).fetchone()
    if row is None:
        raise ScheduleError(f"there is no schedule {schedule_id}; it may have been removed")
    return _schedule(row)


def _schedule(row: tuple[Any, ...]) -> Schedule:
    return Schedule(
        id=row[0],
        title=row[1],
        cron=row[2],
        zone=row[3],
        kind=row[4],
        payload=loads(row[5]),
        actor=row[6],
        created_at=moment_of(row[7]),
        enabled=bool(row[8]),
        next_at=moment_of(row[9]),
        last_at=None if row[10] is None else moment_of(row[10]),
        last_job_id=row[11],
    )
