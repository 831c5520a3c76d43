"""In which order a fixed number of events is judged: by time, at random, or those first that teach most."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np

from benchmarks.learning_events import Truth
from benchmarks.learning_trials import SAMPLED, half_of
from core.feedback.probability import EventProbability
from core.feedback.recurring import FeedbackRules, held_back
from core.feedback.teaching import most_telling
from core.feedback.verdicts import Verdict

Chooser = Callable[[Sequence[Truth], int, np.random.Generator], list[Truth]]

POOL: Final = 0.5
"""Share of the events, the earliest, that may be judged; the others are later ones."""

_AT_ONCE: Final = 5
"""Verdicts after which the list is put in order again, as a person sees it."""


def choosers() -> Mapping[str, Chooser]:
    """Return by name how so many events of a pool are chosen."""
    return {"in time order": _by_time, "random order": _at_random, "what teaches most": _by_teaching}


def order_trial(
    events: Sequence[Truth], verdicts: int, choose: Chooser, *, order: int
) -> tuple[float, float, float] | None:
    """Return the shares of later false alarms left and true events lost, and the later ones' Brier score.

    Parameters
    ----------
    order
        Seed of the sensors that the analyst looks at, and of what is drawn.

    Returns
    -------
    tuple | None
        None where the pool is smaller than that, or nothing is there to be counted.
    """
    looked_at, generator = half_of(events, order), np.random.default_rng(order)
    cut = events[int(POOL * len(events))].event.end_us
    own = [one for one in events if one.event.sensor_id in looked_at]
    pool = [one for one in own if one.event.end_us < cut]
    later = [one for one in own if one.event.end_us >= cut]
    false, true = ([one for one in later if one.real is real] for real in (False, True))
    if len(pool) < verdicts or not false or not true:
        return None
    said = _said(choose(pool, verdicts, generator), cut)
    left, kept = (
        sum(held_back(one.event, said, FeedbackRules()) is None for one in some) / len(some)
        for some in (false, true)
    )
    model = EventProbability(said)
    drawn = generator.choice(len(later), min(SAMPLED, len(later)), replace=False)
    errors = [model.of(later[int(k)].event).value - later[int(k)].real for k in drawn]
    return left, 1 - kept, float(np.square(errors).mean())


def _said(chosen: Sequence[Truth], at_us: int) -> list[Verdict]:
    return [Verdict(one.event, one.real, at_us) for one in chosen]


def _by_time(pool: Sequence[Truth], count: int, generator: np.random.Generator) -> list[Truth]:
    del generator
    return list(pool[:count])


def _at_random(pool: Sequence[Truth], count: int, generator: np.random.Generator) -> list[Truth]:
    return [pool[int(k)] for k in generator.choice(len(pool), count, replace=False)]


def _by_teaching(pool: Sequence[Truth], count: int, generator: np.random.Generator) -> list[Truth]:
    del generator
    chosen: list[Truth] = []
    while len(chosen) < count:
        open_ = [one for one in pool if one not in chosen]
        ranked = most_telling([one.event for one in open_], _said(chosen, 0))
        chosen += [open_[k] for k in ranked[: min(_AT_ONCE, count - len(chosen))]]
    return chosen
