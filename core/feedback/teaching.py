"""In which order to ask for verdicts, so that few of them teach much.

Uncertainty and novelty, as in pool-based active learning (Settles, "Active Learning Literature Survey",
2009): an event counts by how undecided its probability is, and by how far it is from all that was judged.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from core.feedback.probability import EventProbability
from core.feedback.similarity import distances
from core.feedback.verdicts import SeenEvent, Verdict

FAR: Final = 3.0
"""Distance at which an event is wholly new."""


def worth(event: SeenEvent, verdicts: Sequence[Verdict], model: EventProbability) -> float:
    """Return in [0, 1] how much a verdict on `event` would teach.

    Parameters
    ----------
    verdicts
        Those given so far, of any sensors.
    model
        Made of the same verdicts.
    """
    value = model.of(event).value
    undecided = 1 - abs(2 * value - 1)
    own = [one.event.description for one in verdicts if one.event.sensor_id == event.sensor_id]
    apart = float(distances(event.description, own).min()) if own else FAR
    return 0.5 * undecided + 0.5 * min(apart / FAR, 1.0)


def most_telling(events: Sequence[SeenEvent], verdicts: Sequence[Verdict]) -> tuple[int, ...]:
    """Return positions of `events`, those that teach most first; of two alike the first alone goes ahead.

    An event near one that was just chosen would teach the same: it goes to the end.
    """
    model = EventProbability(verdicts)
    values = [worth(one, verdicts, model) for one in events]
    order = [int(k) for k in np.argsort([-value for value in values], kind="stable")]
    ahead: list[int] = []
    after: list[int] = []
    for k in order:
        alike = [events[j].description for j in ahead if events[j].sensor_id == events[k].sensor_id]
        near = bool(alike) and float(distances(events[k].description, alike).min()) < 1.0
        (after if near else ahead).append(k)
    return (*ahead, *after)
