"""A simulated analyst who answers from the truth in time order, and what comes of it on later events."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.learning_events import UNKNOWN, Truth
from core.feedback.probability import EventProbability
from core.feedback.recurring import FeedbackRules, held_back
from core.feedback.similarity import nearest
from core.feedback.verdicts import SeenEvent, Verdict

Holds = Callable[[SeenEvent, Sequence[Verdict]], bool]
Doubles = NDArray[np.float64]

_GRADES: Final = {"low": 0, "medium": 1, "high": 2, "critical": 3}
SAMPLED: Final = 40
"""Later events that a probability is held against, each time."""


@dataclass(frozen=True)
class Tally:
    """Events after the last verdict, and how many of them are not shown.

    Parameters
    ----------
    false, false_held, true, true_held
        On the sensors that the analyst looks at.
    other_false, other_false_held, other_true, other_true_held
        On those that were never labelled.
    """

    false: int
    false_held: int
    true: int
    true_held: int
    other_false: int
    other_false_held: int
    other_true: int
    other_true_held: int


def ways() -> dict[str, Holds]:
    """Return what may be done with verdicts: both rules, each alone, and two ways to read them against."""

    def ruled(event: SeenEvent, verdicts: Sequence[Verdict], rules: FeedbackRules) -> bool:
        return held_back(event, verdicts, rules) is not None

    def muted(event: SeenEvent, verdicts: Sequence[Verdict]) -> bool:
        return any(not one.real and one.event.sensor_id == event.sensor_id for one in verdicts)

    return {
        "verdicts used": partial(ruled, rules=FeedbackRules()),
        "likeness alone": partial(ruled, rules=FeedbackRules(threshold=False)),
        "threshold alone": partial(ruled, rules=FeedbackRules(likeness=False)),
        "sensor muted after a false alarm": muted,
        "verdicts ignored": lambda *_: False,
    }


def trial(events: Sequence[Truth], verdicts: int, holds: Holds, *, order: int) -> Tally | None:
    """Let the analyst give so many verdicts on half of the sensors, and count later events.

    Parameters
    ----------
    order
        Seed of the order of sensors, whose first half is looked at.

    Returns
    -------
    Tally | None
        None where there are fewer events to judge than that.
    """
    said, later, looked_at = _labelled(events, verdicts, order)
    if len(said) < verdicts:
        return None
    counts = np.zeros((2, 2, 2), dtype=np.int64)
    for one in later:
        held = holds(one.event, said)
        counts[int(one.event.sensor_id not in looked_at), int(one.real), int(held)] += 1
    both = counts.sum(axis=2)
    figures = [
        value for group in (0, 1) for real in (0, 1) for value in (both[group, real], counts[group, real, 1])
    ]
    return Tally(*map(int, figures))


def brier_scores(events: Sequence[Truth], verdicts: int, *, order: int) -> tuple[Doubles, Doubles] | None:
    """Return (m, 2) probability and truth of sampled later events, and the five ways' Brier scores.

    The ways are the learned probability, the base rate, an isotonic fit of the severity, one of the peak
    score over its threshold, and the learned probability without each sensor's own record.
    """
    from sklearn.isotonic import IsotonicRegression

    said, later, _ = _labelled(events, verdicts, order)
    if len(said) < verdicts or not later:
        return None
    generator = np.random.default_rng(order)
    chosen = [later[int(k)] for k in generator.choice(len(later), min(SAMPLED, len(later)), replace=False)]
    grades = {one.event.event_id: _GRADES[one.severity] for one in events}
    model = EventProbability(said)
    nobody = [replace(one, event=replace(one.event, sensor_id=-k)) for k, one in enumerate(said, start=1)]
    without_record = EventProbability(nobody)
    real = np.array([one.real for one in said], dtype=np.float64)
    truth = np.array([one.real for one in chosen], dtype=np.float64)
    learned = np.array([model.of(one.event).value for one in chosen])

    def isotonic(of: Callable[[SeenEvent], float]) -> Doubles:
        fit = IsotonicRegression(y_min=0.02, y_max=0.98, out_of_bounds="clip")
        fit.fit([of(one.event) for one in said], real)
        predicted: Doubles = fit.predict([of(one.event) for one in chosen])
        return predicted

    said_of = [
        learned,
        np.full(truth.size, model.base_rate),
        isotonic(lambda event: grades[event.event_id]),
        isotonic(lambda event: event.description.strength),
        np.array([without_record.of(one.event).value for one in chosen]),
    ]
    scores = np.array([np.square(one - truth).mean() for one in said_of])
    return np.column_stack([learned, truth]), scores


def half_of(events: Sequence[Truth], order: int) -> set[int]:
    """Return the sensors that the analyst looks at: the first half of them in a random order."""
    sensors = sorted({one.event.sensor_id for one in events})
    shuffled = np.random.default_rng(order).permutation(sensors)
    return {int(sensor) for sensor in shuffled[: len(sensors) // 2]}


def alike_shares(events: Sequence[Truth]) -> tuple[float, float, float]:
    """Return the shares of nearest, of five nearest and of random events that are of the same kind."""
    known = [one for one in events if one.kind != UNKNOWN]
    first: list[bool] = []
    five: list[bool] = []
    for one in known:
        others = [other for other in known if other is not one]
        same = [
            others[k].kind == one.kind
            for k in nearest(one.event.description, [other.event.description for other in others], 5)
        ]
        first.append(same[0])
        five += same
    kinds = [one.kind for one in known]
    chance = np.mean([(kinds.count(kind) - 1) / (len(kinds) - 1) for kind in kinds])
    return float(np.mean(first)), float(np.mean(five)), float(chance)


def _labelled(
    events: Sequence[Truth], verdicts: int, order: int
) -> tuple[list[Verdict], list[Truth], set[int]]:
    """Return the verdicts, all events that ended after the last of them, and the sensors looked at."""
    looked_at = half_of(events, order)
    own = [one for one in events if one.event.sensor_id in looked_at][:verdicts]
    said = [Verdict(one.event, one.real, one.event.end_us + 1) for one in own]
    last = said[-1].at_us if said else 0
    return said, [one for one in events if one.event.end_us >= last], looked_at
