"""A stored verdict as the screens show it."""

from collections.abc import Mapping
from typing import Any

from app.queries.views import Verdict


def verdict_of(row: Mapping[str, Any]) -> Verdict:
    """Return the verdict of a row with the columns of `warehouse.schema.LABELS`."""
    return Verdict(
        label_id=row["label_id"],
        sensor_id=row["sensor_id"],
        start=row["start"],
        end=row["end"],
        verdict=row["verdict"],
        fault_class=row["fault_class"] or "",
        note=row["note"] or "",
        actor=row["actor"],
        recorded_at=row["recorded_at"],
        event_id=row["event_id"] or "",
    )


def inherited(row: Mapping[str, Any]) -> Verdict | None:
    """Return the verdict of an event's row with the columns of `overlap.with_verdicts`, None without one."""
    if row["label_id"] is None:
        return None
    own = {"start": "label_start", "end": "label_end", "actor": "label_actor", "recorded_at": "label_at"}
    return verdict_of({**row, **{name: row[column] for name, column in own.items()}})
