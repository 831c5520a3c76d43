"""Verdicts: giving one and taking it back."""

from app.actions.writers import Writer, in_process
from app.roles import Profile, require
from warehouse.state.labels import NewLabel


def set_label(profile: Profile, label: NewLabel, *, writer: Writer = in_process) -> int:
    """Store a verdict and return its label id, once it is committed.

    Raises
    ------
    NotAllowed
        The profile is no labeller.
    LabelError
        It can't be stored as given; nothing changed.
    """
    require(profile, "labeller", "give a verdict")
    outcome = writer("label.set", label.payload(), actor=profile.name)
    return _label_id(outcome)


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
    return _label_id(writer("label.undo", {"label_id": label_id}, actor=profile.name))


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


def _label_id(outcome: dict[str, object] | object) -> int:
    found = outcome.get("label_id") if isinstance(outcome, dict) else None
    if not isinstance(found, int):  # the owner's outcome of a label write always carries it
        raise TypeError(f"a label write answered {outcome!r}")
    return found
