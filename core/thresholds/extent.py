"""From where to where an event reaches, once a score exceeds its bar."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import ParameterError
from core.results import Event, Scores
from core.thresholds.intervals import event, merged, runs


@dataclass(frozen=True)
class Extent:
    """Rules of extent and merging, which every rule with a bar takes among its parameters.

    Parameters
    ----------
    release
        Share of the bar at which an event ends.
    shortest, brief_factor
        An event that exceeds the bar on fewer than `shortest` steps counts only if its peak reaches
        `brief_factor` times the bar.
    gap
        Events at most this many steps apart are one.

    Raises
    ------
    ParameterError
        A parameter is outside its range.
    """

    release: float = 0.6
    shortest: int = 5
    brief_factor: float = 1.5
    gap: int = 60

    def __post_init__(self) -> None:
        if not 0 < self.release <= 1 or self.shortest < 1 or not self.brief_factor >= 1 or self.gap < 0:
            raise ParameterError(f"threshold: release, shortest, brief_factor or gap out of range: {self}")


def raised(
    scores: Scores,
    level: NDArray[np.floating],
    ends: NDArray[np.floating],
    extent: Extent,
    probability: Callable[[int, float, int], float],
) -> tuple[Event, ...]:
    """Return the events of scores above their bars.

    A score must exceed its bar: one that only reaches it stays normal, so that scores as constant as those
    of the calibration part raise nothing.

    Parameters
    ----------
    scores
        Steps without a score are skipped over; they neither end an event nor count as a gap.
    level
        (n,) the bar of each step, in units of the score.
    ends
        (n,) the score at which an event that reaches the step ends, not above its bar.
    extent
        Which events count, and which are one.
    probability
        Share of normal stretches that stay below, from the step of the peak, its score and the steps of the
        event.
    """
    judged = np.flatnonzero(np.isfinite(scores.values))
    seen, bar = scores.values[judged].astype(np.float64), level[judged].astype(np.float64)
    above = seen > bar
    spans = runs(above | (seen > ends[judged]))
    count = np.concatenate([[0], np.cumsum(above)])
    spans = spans[count[spans[:, 1]] > count[spans[:, 0]]]
    events = []
    for low, high in merged(spans, extent.gap).tolist():
        loud = low + np.flatnonzero(above[low:high])
        if loud.size < extent.shortest and not (seen[loud] >= extent.brief_factor * bar[loud]).any():
            continue
        top = int(loud[np.argmax(seen[loud])])
        at, peak = int(judged[top]), float(seen[top])
        events.append(
            event(
                int(judged[low]),
                int(judged[high - 1]) + 1,
                at,
                peak_score=peak,
                threshold=float(bar[top]),
                probability=probability(at, peak, high - low),
                last=int(judged[-1]) + 1,
            )
        )
    return tuple(events)
