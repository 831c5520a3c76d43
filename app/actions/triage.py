"""Working through events together: who looks after them, what waits, what is worked on, what is kept."""

from collections.abc import Sequence
from datetime import datetime

from app.actions.writers import Writer, in_process, number_in
from app.roles import Profile, require


def unacknowledge(profile: Profile, event_ids: Sequence[str], *, writer: Writer = in_process) -> None:
    """Take this person's acknowledgements of events back; the audit keeps both.

    Raises
    ------
    NotAllowed
        The profile is no labeller.
    LabelError
        One of them was not acknowledged, or by somebody else.
    """
    require(profile, "labeller", "take an acknowledgement back")
    writer("event.unacknowledge", {"event_ids": [*event_ids]}, actor=profile.name)


def assign(
    profile: Profile, event_ids: Sequence[str], assignee: str | None, *, writer: Writer = in_process
) -> None:
    """Say who looks after events; None: nobody does.

    Raises
    ------
    NotAllowed
        The profile is no labeller.
    LabelError
        An event is unknown, or the assignee is no name.
    """
    require(profile, "labeller", "assign an event")
    writer("event.assign", {"event_ids": [*event_ids], "assignee": assignee}, actor=profile.name)


def snooze(
    profile: Profile, event_ids: Sequence[str], until: datetime | None, *, writer: Writer = in_process
) -> None:
    """Keep events out of the queue until a time; None brings them back.

    Raises
    ------
    NotAllowed
        The profile is no labeller.
    LabelError
        An event is unknown, or the time has passed or is more than a year away.
    """
    require(profile, "labeller", "snooze an event")
    moment = None if until is None else until.isoformat()
    writer("event.snooze", {"event_ids": [*event_ids], "until": moment}, actor=profile.name)


def set_maintenance(
    profile: Profile,
    asset_id: int,
    start: datetime,
    end: datetime,
    reason: str,
    *,
    writer: Writer = in_process,
) -> int:
    """Say when and why a machine is worked on, and return the window's id.

    Raises
    ------
    NotAllowed
        The profile is no labeller.
    LabelError
        The machine is unknown, no reason is given, or the window is empty or too long.
    """
    require(profile, "labeller", "set a window of maintenance")
    outcome = writer(
        "maintenance.set",
        {"asset_id": asset_id, "start": start.isoformat(), "end": end.isoformat(), "reason": reason},
        actor=profile.name,
    )
    return number_in(outcome, "window_id")


def end_maintenance(profile: Profile, window_id: int, *, writer: Writer = in_process) -> None:
    """Take a window of maintenance back; the log keeps it.

    Raises
    ------
    NotAllowed
        The profile is no labeller.
    LabelError
        There is no such window, or it was taken back before.
    """
    require(profile, "labeller", "take a window of maintenance back")
    writer("maintenance.end", {"window_id": window_id}, actor=profile.name)


def set_criticality(profile: Profile, asset_id: int, level: str, *, writer: Writer = in_process) -> None:
    """Say how much a machine matters.

    Raises
    ------
    NotAllowed
        The profile is no trainer.
    LabelError
        The machine or the level is unknown.
    """
    require(profile, "trainer", "say how much a machine matters")
    writer("asset.criticality", {"asset_id": asset_id, "level": level}, actor=profile.name)


def save_view(profile: Profile, page: str, name: str, address: str, *, writer: Writer = in_process) -> int:
    """Keep the query string of a page under a name, and return the view's id; the same name replaces.

    Raises
    ------
    NotAllowed
        The profile is no viewer.
    LabelError
        It has no name, or the address is no query string.
    """
    require(profile, "viewer", "keep a view")
    outcome = writer("view.save", {"page": page, "name": name, "address": address}, actor=profile.name)
    return number_in(outcome, "view_id")


def remove_view(profile: Profile, view_id: int, *, writer: Writer = in_process) -> None:
    """Remove a kept view.

    Raises
    ------
    NotAllowed
        The profile is no viewer.
    LabelError
        There is no such view, or it was removed or replaced before.
    """
    require(profile, "viewer", "remove a view")
    writer("view.remove", {"view_id": view_id}, actor=profile.name)


def add_fault_class(profile: Profile, name: str, *, writer: Writer = in_process) -> None:
    """Add a class to the list of faults.

    Raises
    ------
    NotAllowed
        The profile is no labeller.
    LabelError
        It has no name, or is on the list.
    """
    require(profile, "labeller", "add a fault class")
    writer("fault_class.add", {"name": name}, actor=profile.name)


def retire_fault_class(profile: Profile, name: str, *, writer: Writer = in_process) -> None:
    """Take a class off the list of faults; verdicts that name it keep it.

    Raises
    ------
    NotAllowed
        The profile is no labeller.
    LabelError
        It is not on the list.
    """
    require(profile, "labeller", "retire a fault class")
    writer("fault_class.retire", {"name": name}, actor=profile.name)
