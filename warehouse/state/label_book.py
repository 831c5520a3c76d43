"""The log of verdicts inside one transaction: looked up once, numbered as they come, written in one go.

Fifty people who label at once share a transaction, and a statement each would cost more than all they do.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import duckdb
import polars as pl

from warehouse import schema
from warehouse.errors import LabelConflict, LabelError
from warehouse.instants import microseconds, moment_of
from warehouse.state.appending import append
from warehouse.state.labels import NewLabel
from warehouse.state.overlap import belong
from warehouse.state.writes import Write, next_seq

LABEL_LOG: Final = pl.Schema(
    [
        ("seq", pl.Int64),
        ("write_id", pl.String),
        ("action", pl.String),
        ("label_id", pl.Int64),
        ("sensor_id", pl.Int32),
        ("start", schema.TIME),
        ("end", schema.TIME),
        ("verdict", pl.String),
        ("fault_class", pl.String),
        ("note", pl.String),
        ("event_id", pl.String),
        ("version_id", pl.Int32),
        ("actor", pl.String),
        ("recorded_at", schema.TIME),
    ]
)

_ROW: Final = (
    'action, label_id, sensor_id, epoch_us("start"), epoch_us("end"), verdict, fault_class, note, event_id,'
    " version_id, actor, epoch_us(recorded_at)"
)

_ASKED: Final = """
FROM (
    SELECT
        unnest($1::INTEGER[]) AS place,
        unnest($2::INTEGER[]) AS sensor,
        unnest($3::BIGINT[]) AS seen,
        unnest($4::VARCHAR[]) AS person,
        unnest($5::VARCHAR[]) AS event,
        unnest($6::BIGINT[]) AS begin_us,
        unnest($7::BIGINT[]) AS end_us
) JOIN label_log ON sensor_id = sensor AND label_id > seen AND actor <> person
WHERE action = 'set' AND (event_id = event OR (epoch_us("start") < end_us AND epoch_us("end") > begin_us))
"""

_NAMED: Final = "FROM label_log WHERE label_id IN (SELECT unnest($1::BIGINT[]))"

_FROM: Final = """
FROM (SELECT unnest($1::INTEGER[]) AS sensor, unnest($2::BIGINT[]) AS first)
JOIN label_log ON sensor_id = sensor AND label_id >= first
"""


@dataclass(frozen=True)
class Asked:
    """A verdict that somebody wants to give.

    Parameters
    ----------
    seen
        Number of the newest verdict that they saw on the event, 0 for none; None when others don't matter.
    """

    label: NewLabel
    actor: str
    seen: int | None


@dataclass(frozen=True)
class _Entry:
    """A row of the log."""

    action: str
    label_id: int
    label: NewLabel
    actor: str
    at: datetime


class LabelBook:
    """The verdicts of one transaction.

    Parameters
    ----------
    cursor
        In the open transaction.
    asked
        Every verdict that may be given.
    label_ids
        Every label that may be taken back.
    """

    def __init__(
        self, cursor: duckdb.DuckDBPyConnection, asked: Sequence[Asked], label_ids: Iterable[int]
    ) -> None:
        self._cursor = cursor
        self._next: int | None = None
        self._rows: list[tuple[object, ...]] = []
        self._added: defaultdict[int, list[_Entry]] = defaultdict(list)
        self._undone: dict[int, str] = {}
        careful = [one for one in asked if one.seen is not None]
        self._bounds = self._current(careful) if careful else {}
        self._near = self._met(careful) if careful else {}
        self._later: defaultdict[int, list[_Entry]] | None = None
        self._named: dict[int, NewLabel] = {}
        named = list(label_ids)
        if named:
            for one in self._entries(_NAMED, [named]):
                self._named[one.label_id] = one.label
                if one.action == "undo":
                    self._undone[one.label_id] = one.actor

    def add(self, label: NewLabel, write_id: str, write: Write) -> int:
        """Append a verdict and return its label_id."""
        seq = self._number()
        self._append(seq, write_id, write, _Entry("set", seq, label, write.actor, write.at))
        return seq

    def undo(self, label_ids: Sequence[int], write_ids: Sequence[str], write: Write) -> list[int]:
        """Append the taking back of labels, all or none, and return their sensors.

        Raises
        ------
        LabelError
            One does not exist, or was taken back before.
        """
        labels = [self._standing(label_id) for label_id in label_ids]
        for label_id, write_id, label in zip(label_ids, write_ids, labels, strict=True):
            entry = _Entry("undo", label_id, label, write.actor, write.at)
            self._append(self._number(), write_id, write, entry)
            self._undone[label_id] = write.actor
        return [label.sensor_id for label in labels]

    def unseen(self, asked: Asked) -> LabelConflict | None:
        """Return the conflict with the latest label of somebody else that applies and was not seen."""
        if asked.seen is None:
            return None
        event, seen = self._event(asked.label), asked.seen
        added = [
            one
            for one in self._added[asked.label.sensor_id]
            if one.label_id > seen and one.actor != asked.actor
        ]
        near = [*self._near.get(asked, ()), *added]
        applying = [one for one in near if belong(one.label, event, "shorter")]
        in_force = self._in_force(asked.label.sensor_id, applying) if applying else []
        if not in_force:
            return None
        newest = max(in_force, key=lambda one: one.label_id)
        return LabelConflict(
            label_id=newest.label_id, actor=newest.actor, verdict=newest.label.verdict, at=newest.at
        )

    def write(self) -> None:
        """Write what was appended."""
        append(self._cursor, "label_log", LABEL_LOG, self._rows)
        self._rows.clear()

    def _number(self) -> int:
        if self._next is None:
            self._next = next_seq(self._cursor, "label_log")
        self._next += 1
        return self._next - 1

    def _append(self, seq: int, write_id: str, write: Write, entry: _Entry) -> None:
        label = entry.label
        self._rows.append(
            (
                seq,
                write_id,
                entry.action,
                entry.label_id,
                label.sensor_id,
                label.start,
                label.end,
                label.verdict,
                label.fault_class,
                label.note,
                label.event_id,
                label.version_id,
                write.actor,
                write.at,
            )
        )
        if entry.action == "set":
            self._added[label.sensor_id].append(entry)
            self._named[entry.label_id] = label

    def _standing(self, label_id: int) -> NewLabel:
        """Return a label that was not taken back."""
        label = self._named.get(label_id)
        if label is None:
            raise LabelError(f"there is no label {label_id}")
        if label_id in self._undone:
            raise LabelError(f"label {label_id} was taken back already, by {self._undone[label_id]}")
        return label

    def _in_force(self, sensor_id: int, some: Sequence[_Entry]) -> list[_Entry]:
        """Return those of `some` that were neither taken back nor replaced by their own person."""
        rows = self._after().get(sensor_id, [])
        undone = {one.label_id for one in rows if one.action == "undo"} | self._undone.keys()
        later = [one for one in (*rows, *self._added[sensor_id]) if one.label_id not in undone]
        return [
            one
            for one in some
            if one.label_id not in undone
            and not any(
                other.actor == one.actor
                and other.label_id > one.label_id
                and belong(one.label, other.label, "longer")
                for other in later
            )
        ]

    def _after(self) -> Mapping[int, Sequence[_Entry]]:
        """Return, by sensor, what the log holds from the first label on that somebody may not have seen."""
        if self._later is None:
            firsts: dict[int, int] = {}
            for one in (one for some in self._near.values() for one in some):
                sensor_id = one.label.sensor_id
                firsts[sensor_id] = min(one.label_id, firsts.get(sensor_id, one.label_id))
            self._later = defaultdict(list)
            for one in self._entries(_FROM, [[*firsts], [*firsts.values()]]) if firsts else ():
                self._later[one.label.sensor_id].append(one)
        return self._later

    def _event(self, label: NewLabel) -> NewLabel:
        """Return a label with its event's bounds; its own where it was drawn, or its event is not current."""
        bounds = self._bounds.get((label.event_id or "", label.sensor_id))
        return label if bounds is None else replace(label, start=bounds[0], end=bounds[1])

    def _current(self, asked: Sequence[Asked]) -> Mapping[tuple[str, int], tuple[datetime, datetime]]:
        """Return the bounds of the current events that labels are given to."""
        rows = self._cursor.execute(
            'SELECT event_id, sensor_id, epoch_us("start"), epoch_us("end") FROM events'
            " WHERE event_id IN (SELECT unnest($1::VARCHAR[]))",
            [[one.label.event_id for one in asked if one.label.event_id is not None]],
        ).fetchall()
        return {(event, sensor): (moment_of(start), moment_of(end)) for event, sensor, start, end in rows}

    def _met(self, asked: Sequence[Asked]) -> Mapping[Asked, Sequence[_Entry]]:
        """Return the labels of others, newer than what was seen, that meet what labels are given to."""
        events = [self._event(one.label) for one in asked]
        rows = self._cursor.execute(
            f"SELECT place, {_ROW} {_ASKED}",
            [
                [*range(len(asked))],
                [one.label.sensor_id for one in asked],
                [one.seen for one in asked],
                [one.actor for one in asked],
                [one.event_id for one in events],
                [microseconds(one.start) for one in events],
                [microseconds(one.end) for one in events],
            ],
        ).fetchall()
        found: defaultdict[Asked, list[_Entry]] = defaultdict(list)
        for place, *row in rows:
            found[asked[place]].append(_entry(row))
        return found

    def _entries(self, rows_of: str, params: Sequence[object]) -> list[_Entry]:
        """Return rows of the log, oldest first."""
        rows = self._cursor.execute(f"SELECT {_ROW} {rows_of} ORDER BY seq", params).fetchall()
        return [_entry(row) for row in rows]


def _entry(row: Sequence[Any]) -> _Entry:
    action, label_id, sensor_id, start, end, verdict, fault_class, note, event_id, version_id, actor, at = row
    label = NewLabel(
        sensor_id, moment_of(start), moment_of(end), verdict, fault_class, note, event_id, version_id
    )
    return _Entry(action, label_id, label, actor, moment_of(at))
