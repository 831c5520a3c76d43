"""What the screens read of the state, as frames."""

from abc import abstractmethod
from threading import Lock

import polars as pl

from warehouse import schema
from warehouse.state.fleet import FLEET
from warehouse.state.labels import current
from warehouse.state.learning import LEARNING
from warehouse.state.limits import LIMITS
from warehouse.state.overlap import voices, with_verdicts
from warehouse.state.triage_reads import TriageReads


class StateReads(TriageReads):
    """Reads over `query`; frames are whole and belong to the caller."""

    def __init__(self) -> None:
        self._cache_lock = Lock()
        self._cached: tuple[int, pl.DataFrame] | None = None

    @property
    @abstractmethod
    def revision(self) -> int:
        """A number that grows with every write: equal numbers, equal answers."""

    def labels(self) -> pl.DataFrame:
        """Return the labels in force, oldest first, with the columns of `schema.LABELS`."""
        with self._cache_lock:
            # Asked before the rows, so that a write in between makes the cache old rather than wrong.
            revision = self.revision
            if self._cached is None or self._cached[0] != revision:
                self._cached = (revision, current(self.query("SELECT * FROM label_log ORDER BY seq")))
            return self._cached[1]

    def labels_for(self, sensor_id: int) -> pl.DataFrame:
        """Return the labels in force of one sensor, oldest first, with the columns of `schema.LABELS`."""
        return self.labels().filter(pl.col("sensor_id") == sensor_id)

    def label_history(self, sensor_id: int | None = None) -> pl.DataFrame:
        """Return every verdict and undo, of one sensor or of all, newest first, as label_log has them."""
        return self.query(
            "SELECT * FROM label_log WHERE ($1 IS NULL OR sensor_id = $1) ORDER BY seq DESC", [sensor_id]
        )

    def events_with_state(self, sensor_id: int | None = None, event_id: str | None = None) -> pl.DataFrame:
        """Return the current events, newest first, with what people said of them.

        Returns
        -------
        pl.DataFrame
            The columns of `schema.EVENTS`, those of `overlap.with_verdicts`, acknowledged_by and
            acknowledged_at, assignee and assigned_by, snoozed_until and snoozed_by; null where nobody said
            anything. snoozed_until may have passed: what is now is for the reader to say.
        """
        # Joined and sorted here: DuckDB takes twice as long for a thousand rows.
        events = self.query(
            "SELECT * FROM events WHERE ($1 IS NULL OR sensor_id = $1) AND ($2 IS NULL OR event_id = $2)",
            [sensor_id, event_id],
        ).cast(dict(schema.EVENTS.items()))
        acknowledged = self.query(
            "SELECT event_id, actor AS acknowledged_by, recorded_at AS acknowledged_at FROM acknowledgements"
        )
        for said in (acknowledged, self.assignments(), self.snoozes()):
            events = events.join(said, on="event_id", how="left")
        return with_verdicts(events.sort("start", "event_id", descending=[True, False]), self.labels())

    def voices(self, event_id: str) -> pl.DataFrame:
        """Return what each person says of a current event, oldest first, with `overlap.voices`' columns."""
        events = self.query("SELECT * FROM events WHERE event_id = ?", [event_id])
        return voices(events.cast(dict(schema.EVENTS.items())), self.labels())

    def fleet(self) -> pl.DataFrame:
        """Return one row a sensor with the columns of `fleet.FLEET`, by machine and sensor."""
        frame = schema.conform(self.query("SELECT * FROM fleet"), FLEET, "fleet")
        return frame.sort("asset", "role", "sensor", descending=[False, True, False])

    def limits(self, sensor_id: int | None = None) -> pl.DataFrame:
        """Return the limits in force of one sensor or of all, by sensor, with the columns of `limits.LIMITS`.

        A sensor whose limits were all taken away has no row.
        """
        newest = self.query(
            "SELECT * FROM limit_log l WHERE ($1 IS NULL OR sensor_id = $1) AND seq ="
            " (SELECT max(seq) FROM limit_log m WHERE m.sensor_id = l.sensor_id) ORDER BY sensor_id",
            [sensor_id],
        )
        some = pl.any_horizontal(pl.col("low_low", "low", "high", "high_high").is_not_null())
        return schema.conform(newest.filter(some), LIMITS, "limit_log")

    def learning_history(self) -> pl.DataFrame:
        """Return what was decided about learning, newest first, with the columns of `learning.LEARNING`.

        The newest is in force; ``stop`` means that verdicts take no effect.
        """
        found = self.query("SELECT * FROM learning_log ORDER BY seq DESC")
        return schema.conform(found, LEARNING, "learning_log")

    def edits(self) -> pl.DataFrame:
        """Return every edit of limits and units, newest first: kind, payload, actor, recorded_at, outcome."""
        return self.query("SELECT * FROM audit WHERE kind IN ('limits.set', 'sensor.unit') ORDER BY seq DESC")

    def audit(self, limit: int = 100) -> pl.DataFrame:
        """Return the newest writes of people: kind, payload, actor, recorded_at and outcome."""
        return self.query("SELECT * FROM audit ORDER BY seq DESC LIMIT ?", [limit])
