"""Letting verdicts take effect on later events, and taking that back."""

from app.actions.writers import Writer, in_process
from app.roles import Profile, require
from warehouse.documents import JSON


def apply_learning(
    profile: Profile,
    *,
    likeness: bool,
    threshold: bool,
    windows: bool = True,
    probability: bool = True,
    telling: bool = True,
    previewed: str,
    writer: Writer = in_process,
) -> None:
    """Let verdicts hold back later events, by the rules named, and teach by the other layers named.

    Parameters
    ----------
    likeness, threshold
        See `core.feedback.recurring.FeedbackRules`.
    windows, probability, telling
        See `warehouse.state.learning.FURTHER`.
    previewed
        What the preview said; it is kept with the decision.

    Raises
    ------
    NotAllowed
        The profile is no trainer.
    LabelError
        Nothing differs from what is usual, or from what is in force already.
    """
    require(profile, "trainer", "let verdicts take effect")
    payload: dict[str, JSON] = {"likeness": likeness, "threshold": threshold, "previewed": previewed}
    payload |= {"windows": windows, "probability": probability, "telling": telling}
    writer("learning.apply", payload, actor=profile.name)


def stop_learning(profile: Profile, *, writer: Writer = in_process) -> None:
    """Let verdicts take no effect any more: what they held back is shown again.

    Raises
    ------
    NotAllowed
        The profile is no trainer.
    LabelError
        They take none now.
    """
    require(profile, "trainer", "stop verdicts from taking effect")
    writer("learning.stop", {}, actor=profile.name)
