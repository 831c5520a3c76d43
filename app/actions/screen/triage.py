"""Working through events together, as pages do it: who looks after what, what waits, what is worked on."""

from collections.abc import Sequence
from datetime import datetime

from app.actions import label, triage
from app.actions.failure import told
from app.queries import house


@told
def acknowledge(event_id: str) -> None:
    """Note that this person has seen an event.

    Raises
    ------
    ActionFailed
        It was not stored.
    """
    label.acknowledge(house.profile(), event_id)


@told
def unacknowledge(event_ids: Sequence[str]) -> None:
    """Take this person's acknowledgements of events back.

    Raises
    ------
    ActionFailed
        They stay.
    """
    triage.unacknowledge(house.profile(), event_ids)


@told
def assign(event_ids: Sequence[str], assignee: str | None) -> None:
    """Say who looks after events; None: nobody does.

    Raises
    ------
    ActionFailed
        It was not stored.
    """
    triage.assign(house.profile(), event_ids, assignee)


@told
def snooze(event_ids: Sequence[str], until: datetime | None) -> None:
    """Keep events out of the queue until a time; None brings them back.

    Raises
    ------
    ActionFailed
        It was not stored.
    """
    triage.snooze(house.profile(), event_ids, until)


@told
def set_maintenance(asset_id: int, start: datetime, end: datetime, reason: str) -> int:
    """Say when and why a machine is worked on, and return the window's id.

    Raises
    ------
    ActionFailed
        It was not stored.
    """
    return triage.set_maintenance(house.profile(), asset_id, start, end, reason)


@told
def end_maintenance(window_id: int) -> None:
    """Take a window of maintenance back: what it suppressed is shown again.

    Raises
    ------
    ActionFailed
        It stays.
    """
    triage.end_maintenance(house.profile(), window_id)


@told
def set_criticality(asset_id: int, level: str) -> None:
    """Say how much a machine matters: low, normal, high or vital.

    Raises
    ------
    ActionFailed
        The former level stays.
    """
    triage.set_criticality(house.profile(), asset_id, level)


@told
def save_view(page: str, name: str, address: str) -> int:
    """Keep the query string of a page under a name, and return the view's id; the same name replaces.

    Raises
    ------
    ActionFailed
        It was not stored.
    """
    return triage.save_view(house.profile(), page, name, address)


@told
def remove_view(view_id: int) -> None:
    """Remove a kept view.

    Raises
    ------
    ActionFailed
        It stays.
    """
    triage.remove_view(house.profile(), view_id)


@told
def add_fault_class(name: str) -> None:
    """Add a class to the list of faults.

    Raises
    ------
    ActionFailed
        The list stays as it is.
    """
    triage.add_fault_class(house.profile(), name)


@told
def retire_fault_class(name: str) -> None:
    """Take a class off the list of faults; verdicts that name it keep it.

    Raises
    ------
    ActionFailed
        The list stays as it is.
    """
    triage.retire_fault_class(house.profile(), name)
