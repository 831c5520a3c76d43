"""One score for all that a panel says of a step, the bar it is shown against, and events told by both."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Self

import numpy as np
from numpy.typing import NDArray

from core.ensembles.blend import Blend, Doubles, around, before
from core.ensembles.panel_parameters import PanelParameters
from core.ensembles.severity import grade
from core.ensembles.trusted import RELATION, Alarms
from core.ensembles.votes import Key, record_rule, standout_rule
from core.results import Event
from core.thresholds.intervals import event
from core.thresholds.record import broken
from core.thresholds.said import Said
from core.thresholds.standout import standing_out, stretches
from core.thresholds.tails import Tail

Steps = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Ranking:
    """What ranks judged steps.

    Parameters
    ----------
    scores, bars
        (m,) of the middle reading; where a trusted check raises, at least its own score, told in these bars.
    alone
        What each trusted check raises, by its name.
    """

    scores: Doubles
    bars: Doubles
    alone: Mapping[str, Alarms]

    @classmethod
    def of(
        cls,
        blends: Mapping[Blend, Doubles],
        p: PanelParameters,
        highest: Mapping[Key, float],
        alone: Mapping[str, Alarms],
        said: Said | None = None,
    ) -> Self:
        """Rank the steps of (m,) blends.

        Parameters
        ----------
        highest
            The highest training score of each blend and smoothing.
        said
            What people said of the steps.
        """
        scores, bars = _middle(blends, p, highest, said)
        for one in alone.values():
            scores = np.maximum(scores, one.ratios * bars)
        return cls(scores, bars, alone)

    def event(self, low: int, high: int, judged: Steps, tail: Tail, interval: timedelta) -> Event:
        """Return the graded event of the judged steps ``[low, high)``.

        Where the relation check made the peak, its own bar grades the event.

        Parameters
        ----------
        judged
            (m,) the steps of the signal that are ranked.
        tail
            Of the middle reading's training scores.
        """
        at = low + int(np.argmax(self.scores[low:high]))
        peak, bar = float(self.scores[at]), float(self.bars[at])
        graded = self.alone[RELATION].graded(at, peak, bar) if RELATION in self.alone else None
        usual = bar if graded else max(tail.level(10_000), 1e-9)
        raised = event(
            int(judged[low]),
            int(judged[high - 1]) + 1,
            int(judged[at]),
            peak_score=peak,
            threshold=min(bar, peak),
            probability=graded.probability if graded else tail.share_below(peak, high - low),
            last=int(judged[-1]) + 1,
        )
        return replace(raised, severity=grade(raised, usual, interval))


def _middle(
    blends: Mapping[Blend, Doubles], p: PanelParameters, highest: Mapping[Key, float], said: Said | None
) -> tuple[Doubles, Doubles]:
    """Return the (m,) score of the middle reading, and the bar that it is held against."""
    voters, (blend, steps) = p.voters, p.voters.middle
    factors, releases = sorted(voters.factors), sorted(voters.releases)
    factor, release = factors[len(factors) // 2], releases[len(releases) // 2]
    if p.mode == "causal":
        scores = before(blends[blend], steps)
        rule = record_rule(voters, factor, release, p.reach)
        return scores, broken(scores, max(voters.floors) * highest[voters.middle], rule, said)[1]
    scores = around(blends[blend], steps)
    found = stretches(scores, standout_rule(voters, release))
    kept = standing_out(found, factor)
    rest = kept[-1].rest if kept else found[0].height if found else float(scores.max())
    return scores, np.full(scores.size, factor * rest)
