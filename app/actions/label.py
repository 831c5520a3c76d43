"""Verdicts: giving them and taking them back, one or several at once."""

from collections.abc import Sequence
from types import EllipsisType

from app.actions.writers import Writer, in_process, number_in, numbers_in
from app.roles import Profile, require
from warehouse.documents import JSON
from warehouse.state.labels import NewLabel


def set_label(
    profile: Profile,
    label: NewLabel,
    *,
    seen: int | EllipsisType | None = ...,
    writer: Writer = in_process,
) -> int:
    """Store a verdict and return its label id, once it is committed.

    Parameters
    ----------
    seen
        Label id of the newest verdict on the event, whoever's, that the person knew of, None where there was
        none. Not given: what others said is not looked at.

    Raises
    ------
    NotAllowed
        The profile is no labeller.
    LabelConflict
        Another person said something of the event that this one did not know of; nothing changed.
    LabelError
        It can't be stored as given; nothing changed.
    """
    require(profile, "labeller", "give a verdict")
    return number_in(writer("label.set", _payload(label, seen), actor=profile.name), "label_id")


def set_labels(
    profile: Profile,
    labels: Sequence[tuple[NewLabel, int | EllipsisType | None]],
    *,
    writer: Writer = in_process,
) -> tuple[int, ...]:
    """Store verdicts, each with what its person had seen, all or none, and return their label ids.

    Raises
    ------
    NotAllowed
        The profile is no labeller.
    LabelConflict
        Another person said something of one of the events that this one did not know of; nothing changed.
    LabelError
        One can't be stored as given; nothing changed.
    """
    require(profile, "labeller", "give verdicts")
    payload: dict[str, JSON] = {"labels": [_payload(label, seen) for label, seen in labels]}
    return numbers_in(writer("label.set_many", payload, actor=profile.name), "label_ids")


def undo_label(profile: Profile, label_id: int, *, writer: Writer = in_process) -> int:
    """Take a verdict back and return its label id; the log keeps both.

    Raises
    ------
    NotAllowed
        The profile is no labeller.
    LabelError
        There is no such label, or it was taken back before.
    """
    require(profile, "labeller", "take a verdict back")
    return number_in(writer("label.undo", {"label_id": label_id}, actor=profile.name), "label_id")


def undo_labels(profile: Profile, label_ids: Sequence[int], *, writer: Writer = in_process) -> None:
    """Take verdicts back, all or none; the log keeps them.

    Raises
    ------
    NotAllowed
        The profile is no labeller.
    LabelError
        One does not exist, or was taken back before; all of them stay.
    """
    require(profile, "labeller", "take verdicts back")
    writer("label.undo_many", {"label_ids": [*label_ids]}, actor=profile.name)


def acknowledge(profile: Profile, event_id: str, *, writer: Writer = in_process) -> None:
    """Note that somebody has seen an event.

    Raises
    ------
    NotAllowed
        The profile is no labeller.
    LabelError
        The event id is not acceptable.
    """
    require(profile, "labeller", "acknowledge an event")
    writer("event.acknowledge", {"event_id": event_id}, actor=profile.name)


def _payload(label: NewLabel, seen: int | EllipsisType | None) -> dict[str, JSON]:
    return label.payload() if isinstance(seen, EllipsisType) else {**label.payload(), "seen": seen}
