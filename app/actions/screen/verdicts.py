"""Verdicts, as pages give them and take them back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from types import EllipsisType

from app.actions import label
from app.actions.failure import told
from app.queries import house
from warehouse.state.labels import NewLabel


@dataclass(frozen=True)
class GivenVerdict:
    """One of several verdicts that are given together.

    Parameters
    ----------
    start, end
        Half-open, with a zone.
    event_id, version_id
        The event it is given to and the version that raised it; None for a drawn interval.
    seen
        As `give_verdict` says.
    """

    sensor_id: int
    start: datetime
    end: datetime
    verdict: str
    fault_class: str = ""
    note: str = ""
    event_id: str | None = None
    version_id: int | None = None
    seen: int | EllipsisType | None = ...

    def label(self) -> NewLabel:
        """Return it as the state stores it."""
        return NewLabel(
            sensor_id=self.sensor_id,
            start=self.start,
            end=self.end,
            verdict=self.verdict,
            fault_class=self.fault_class,
            note=self.note,
            event_id=self.event_id,
            version_id=self.version_id,
        )


@told
def give_verdict(
    *,
    sensor_id: int,
    start: datetime,
    end: datetime,
    verdict: str,
    fault_class: str,
    note: str,
    event_id: str | None,
    version_id: int | None,
    seen: int | EllipsisType | None = ...,
) -> int:
    """Store a verdict on an event or a drawn interval and return its label id, once it is committed.

    Parameters
    ----------
    event_id, version_id
        None for a drawn interval.
    seen
        Label id of the newest verdict, whoever's, that was on the screen; None where none was. Not given:
        what others said meanwhile is not looked at.

    Raises
    ------
    VerdictConflict
        Another person said something of the event that was not on the screen; nothing was stored.
    ActionFailed
        It was not stored.
    """
    given = GivenVerdict(sensor_id, start, end, verdict, fault_class, note, event_id, version_id, seen)
    return label.set_label(house.profile(), given.label(), seen=seen)


@told
def give_verdicts(labels: Sequence[GivenVerdict]) -> tuple[int, ...]:
    """Store several verdicts, all or none, and return their label ids in the given order.

    Raises
    ------
    VerdictConflict
        Another person said something of one of the events that was not on the screen; nothing was stored.
    ActionFailed
        None was stored.
    """
    return label.set_labels(house.profile(), [(one.label(), one.seen) for one in labels])


@told
def take_back(label_id: int) -> None:
    """Take a verdict back; the log keeps both.

    Raises
    ------
    ActionFailed
        It stays.
    """
    label.undo_label(house.profile(), label_id)


@told
def take_back_many(label_ids: Sequence[int]) -> None:
    """Take several verdicts back, all or none; the log keeps them.

    Raises
    ------
    ActionFailed
        All of them stay.
    """
    label.undo_labels(house.profile(), label_ids)
