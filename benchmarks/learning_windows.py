"""What it changes to leave confirmed anomalies out of a fit, and to keep false positives in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from core.errors import CoreError
from core.signal import Signal, instant
from core.workflows.methods import new_baseline
from warehouse.sources import demo

Interval = tuple[datetime, datetime]

WAYS: Final = ("nothing left out", "confirmed left out", "all that was judged left out")

SLACK: Final = timedelta(hours=2)
"""What is this near to something is taken for it."""

_LEARNED: Final = 0.7
"""Share of the days that the new fit learns from; the others are judged."""

_TRAINED: Final = 0.75


@dataclass(frozen=True)
class Refit:
    """What a fit on a time with faults in it finds later.

    Parameters
    ----------
    faults, found
        Faults after what was learned from, and how many of them an event touches.
    false
        Events there that touch no fault.
    """

    faults: int
    found: int
    false: int

    def __add__(self, other: "Refit") -> "Refit":
        return Refit(self.faults + other.faults, self.found + other.found, self.false + other.false)


def refitted(
    signal: Signal,
    confirmed: Sequence[Interval],
    refuted: Sequence[Interval],
    happened: Sequence[demo.TruthInterval],
) -> dict[str, Refit]:
    """Fit anew on most of a signal, in each of the `WAYS`, and judge the rest.

    Parameters
    ----------
    confirmed, refuted
        Half-open intervals in UTC that people called true anomalies and false positives.
    happened
        The truth about this sensor.

    Returns
    -------
    dict
        By way; empty where nothing was confirmed in the time that is learned from.
    """
    cut = round(len(signal) * _LEARNED)
    train = round(cut * _TRAINED)
    begin = signal.timestamps[cut]
    if not any(instant(start) < begin for start, _ in confirmed):
        return {}
    judged = signal.slice(max(0, cut - 2000), len(signal))
    times = judged.timestamps
    faults = [one for one in happened if not one.benign and instant(one.end) > begin]
    found: dict[str, Refit] = {}
    for way, left_out in zip(WAYS, ([], confirmed, [*confirmed, *refuted]), strict=True):
        known = signal.without(left_out)
        try:
            raiser = new_baseline().fit(known.slice(0, train), known.slice(train, cut))
        except CoreError:
            continue  # nothing was left to learn from
        spans = [
            (times[one.start], times[one.end - 1])
            for one in raiser.detect(judged).events
            if times[one.end - 1] >= begin
        ]
        hits = [[_touches(span, one) for one in faults] for span in spans]
        found[way] = Refit(
            faults=len(faults),
            found=sum(any(hit[k] for hit in hits) for k in range(len(faults))),
            false=sum(not any(hit) for hit in hits),
        )
    return found if len(found) == len(WAYS) else {}


def _touches(span: tuple[np.datetime64, np.datetime64], fault: demo.TruthInterval) -> bool:
    return bool(span[0] < instant(fault.end + SLACK) and span[1] > instant(fault.start - SLACK))
