"""What learning would have done: each event judged by the verdicts that were recorded before it ended.

Prequential evaluation (Dawid, "Statistical Theory: The Prequential Approach", JRSS A, 1984): nothing is said
of an event from what was only known later.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.feedback.recurring import FeedbackRules, HeldBack, held_back
from core.feedback.verdicts import SeenEvent, Verdict


@dataclass(frozen=True)
class Replay:
    """What would have been held back.

    Parameters
    ----------
    alarms
        Events that were looked at.
    held
        Event id → why, for those held back.
    confirmed, missed
        Events with the verdict of a true anomaly, and how many of them would have been held back.
    dismissed, spared
        Events with the verdict of a false positive, and how many of them would not have been shown.
    """

    alarms: int
    held: Mapping[str, HeldBack]
    confirmed: int
    missed: int
    dismissed: int
    spared: int


def replay(
    events: Sequence[SeenEvent], verdicts: Sequence[Verdict], rules: FeedbackRules | None = None
) -> Replay:
    """Judge each event by the verdicts recorded before it ended.

    Parameters
    ----------
    events
        Those to be judged, such as the last 30 days'.
    verdicts
        All that were given, on these and on older events. One on the event itself does not count for it.
    """
    rules = FeedbackRules() if rules is None else rules
    truth = {one.event.event_id: one.real for one in verdicts}
    held: dict[str, HeldBack] = {}
    for event in events:
        before = [
            one for one in verdicts if one.at_us < event.end_us and one.event.event_id != event.event_id
        ]
        why = held_back(event, before, rules)
        if why is not None:
            held[event.event_id] = why
    known = [one.event_id for one in events if one.event_id in truth]
    confirmed = [one for one in known if truth[one]]
    dismissed = [one for one in known if not truth[one]]
    return Replay(
        alarms=len(events),
        held=held,
        confirmed=len(confirmed),
        missed=sum(one in held for one in confirmed),
        dismissed=len(dismissed),
        spared=sum(one in held for one in dismissed),
    )
