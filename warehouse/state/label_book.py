"""The log of verdicts inside one transaction: numbered as they come, written in one go."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import duckdb
import polars as pl

from warehouse import schema
from warehouse.errors import LabelConflict
from warehouse.state.labels import NewLabel, current
from warehouse.state.overlap import with_verdicts
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

Span = tuple[datetime, datetime]


class LabelBook:
    """The verdicts of one transaction; many at once, as a statement each would cost more than they do.

    Parameters
    ----------
    cursor
        In the open transaction.
    event_ids
        Events that verdicts may be given to.
    """

    def __init__(self, cursor: duckdb.DuckDBPyConnection, event_ids: Iterable[str]) -> None:
        self._cursor = cursor
        self._event_ids = list(event_ids)
        self._events: dict[tuple[str, int], Span] | None = None
        self._next: int | None = None
        self._rows: list[tuple[object, ...]] = []
        self._pending: list[tuple[NewLabel, str]] = []

    def add(self, label: NewLabel, write_id: str, write: Write) -> int:
        """Append a verdict and return its label_id."""
        seq = self.number()
        self._rows.append(
            (
                seq,
                write_id,
                "set",
                seq,
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
        self._pending.append((label, write.actor))
        return seq

    def number(self) -> int:
        """Return the number of the next row."""
        if self._next is None:
            self._next = next_seq(self._cursor, "label_log")
        self._next += 1
        return self._next - 1

    def written(self) -> duckdb.DuckDBPyConnection:
        """Write what was appended and return a cursor that sees it."""
        self._cursor.complete()
        if self._rows:
            incoming = pl.DataFrame(self._rows, schema=LABEL_LOG, orient="row")
            self._cursor.register("incoming_labels", incoming)
            self._cursor.execute("INSERT INTO label_log BY NAME SELECT * FROM incoming_labels")
            self._cursor.unregister("incoming_labels")
            self._rows.clear()
            self._pending.clear()
        return self._cursor

    def unseen(self, label: NewLabel, seen: int, actor: str) -> LabelConflict | None:
        """Return the conflict with the latest label of somebody else that applies, if newer than `seen`."""
        bounds = self._bounds(label)
        if not self._may_be(label, bounds, seen, actor):
            return None
        later = self.written().sql(
            "SELECT * FROM label_log WHERE label_id IN (SELECT label_id FROM label_log"
            " WHERE action = 'set' AND sensor_id = $1 AND label_id > $2 AND actor <> $3)",
            params=[label.sensor_id, seen, actor],
        )
        event = pl.DataFrame(
            [(label.event_id or "", label.sensor_id, *bounds)],
            schema={"event_id": pl.String, "sensor_id": pl.Int32, "start": schema.TIME, "end": schema.TIME},
            orient="row",
        )
        found = with_verdicts(event, current(later.pl())).row(0, named=True)
        if found["label_id"] is None:
            return None
        return LabelConflict(
            label_id=found["label_id"],
            actor=found["label_actor"],
            verdict=found["verdict"],
            at=found["label_at"],
        )

    def _bounds(self, label: NewLabel) -> Span:
        """Return the bounds of the event; a label's own where it was drawn, or its event is not current."""
        if self._events is None:
            self._cursor.complete()
            rows = self._cursor.sql(
                'SELECT event_id, sensor_id, "start", "end" FROM events'
                " WHERE event_id IN (SELECT unnest($1::VARCHAR[]))",
                params=[self._event_ids],
            ).pl()
            self._events = {
                (event_id, sensor_id): (start, end) for event_id, sensor_id, start, end in rows.iter_rows()
            }
        return self._events.get((label.event_id or "", label.sensor_id), (label.start, label.end))

    def _may_be(self, label: NewLabel, bounds: Span, seen: int, actor: str) -> bool:
        """Return whether somebody else's label meets the event at all; most often none does."""
        for other, who in self._pending:
            same = other.event_id is not None and other.event_id == label.event_id
            meets = same or (other.start < bounds[1] and other.end > bounds[0])
            if other.sensor_id == label.sensor_id and who != actor and meets:
                return True
        found = self._cursor.execute(
            "SELECT label_id FROM label_log WHERE action = 'set' AND sensor_id = $1 AND label_id > $2"
            ' AND actor <> $3 AND (event_id = $4 OR ("start" < $5 AND "end" > $6)) LIMIT 1',
            [label.sensor_id, seen, actor, label.event_id, bounds[1], bounds[0]],
        ).fetchone()
        return found is not None
