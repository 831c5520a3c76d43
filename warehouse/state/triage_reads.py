"""What a team said about working through events, as frames: the newest row of each log."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import polars as pl

from warehouse import schema
from warehouse.state.fault_classes import listed
from warehouse.state.maintenance import CRITICALITY, WINDOWS
from warehouse.state.saved_views import VIEWS


class TriageReads(ABC):
    """Reads over `query`; frames are whole and belong to the caller."""

    @abstractmethod
    def query(self, sql: str, params: Sequence[object] = ()) -> pl.DataFrame:
        """Run one SELECT and return all its rows; values go into `params`, times are UTC."""

    def assignments(self) -> pl.DataFrame:
        """Return who looks after which event: event_id, assignee, assigned_by."""
        return self.query(
            "SELECT event_id, assignee, actor AS assigned_by FROM assignment_log WHERE assignee IS NOT NULL"
            " AND seq IN (SELECT max(seq) FROM assignment_log GROUP BY event_id)"
        )

    def snoozes(self) -> pl.DataFrame:
        """Return until when events were put off, passed or not: event_id, snoozed_until, snoozed_by."""
        return self.query(
            "SELECT event_id, until AS snoozed_until, actor AS snoozed_by FROM snooze_log"
            " WHERE until IS NOT NULL AND seq IN (SELECT max(seq) FROM snooze_log GROUP BY event_id)"
        )

    def maintenance(self, asset_id: int | None = None) -> pl.DataFrame:
        """Return the windows that were not taken back, past and coming, by start: `maintenance.WINDOWS`."""
        found = self.query(
            "SELECT * FROM maintenance_log WHERE action = 'set' AND ($1 IS NULL OR asset_id = $1)"
            " AND window_id NOT IN (SELECT window_id FROM maintenance_log WHERE action = 'end')",
            [asset_id],
        )
        return schema.conform(found, WINDOWS, "maintenance_log").sort("start", "window_id")

    def criticality(self) -> pl.DataFrame:
        """Return how much machines matter, by machine, with `maintenance.CRITICALITY`; others are normal."""
        found = self.query(
            "SELECT * FROM criticality_log"
            " WHERE seq IN (SELECT max(seq) FROM criticality_log GROUP BY asset_id)"
        )
        return schema.conform(found, CRITICALITY, "criticality_log").sort("asset_id")

    def views(self, page: str | None = None) -> pl.DataFrame:
        """Return the kept views of a page or of all, by page and name, with the columns of `VIEWS`."""
        found = self.query(
            "SELECT * FROM view_log WHERE action = 'save' AND ($1 IS NULL OR page = $1)"
            " AND seq IN (SELECT max(seq) FROM view_log GROUP BY page, name)",
            [page],
        )
        return schema.conform(found, VIEWS, "view_log").sort("page", "name")

    def fault_classes(self) -> pl.DataFrame:
        """Return the list of fault classes with the columns of `FAULT_CLASSES`."""
        return listed(self.query("SELECT * FROM fault_class_log ORDER BY seq"))
