"""Tables of two layers of learning: the order in which events are judged, and what a new fit leaves out."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from benchmarks.detection_tables import keyed
from benchmarks.learning_events import Truth
from benchmarks.learning_orders import choosers, order_trial
from benchmarks.learning_windows import WAYS, Refit
from benchmarks.tables import show

Figures = dict[str, float | int | str]

VERDICTS: Final = (5, 10, 20)

MOST_ORDERS: Final = 50
"""Random orders of sensors a fleet that orders of asking are tried on, which takes long."""


def order_table(fleets: Mapping[int, Sequence[Truth]], orders: int) -> Figures:
    """Print and return what as many verdicts teach in different orders, on the same later events."""
    figures: Figures = {}
    rows: list[list[str]] = []
    for verdicts in VERDICTS:
        # Only what every order can be tried on: all are held against the same events.
        found = {
            name: [
                order_trial(events, verdicts, choose, order=order)
                for events in fleets.values()
                for order in range(min(orders, MOST_ORDERS))
            ]
            for name, choose in choosers().items()
        }
        for name, trials in found.items():
            known = np.array([one for one in trials if one is not None])
            if not known.size:
                continue
            left, lost, brier = known.mean(axis=0)
            rows.append(
                [str(verdicts), name, f"{left:.2f}", f"{100 * lost:.1f} %", f"{brier:.3f}", str(len(known))]
            )
            figures |= {
                f"{keyed(name)}_false_alarm_ratio_after_{verdicts}": round(float(left), 4),
                f"{keyed(name)}_recall_loss_after_{verdicts}": round(float(lost), 4),
                f"{keyed(name)}_brier_after_{verdicts}": round(float(brier), 4),
            }
    show(
        "The order of asking: verdicts on events of the first half, counted on those of the second",
        ["verdicts", "order", "false alarms left", "true events lost", "Brier score", "trials"],
        rows,
    )
    return figures


def window_table(refits: Sequence[Mapping[str, Refit]]) -> Figures:
    """Print and return what a new fit finds later, by what it left out."""
    figures: Figures = {}
    rows: list[list[str]] = []
    for way in WAYS:
        found = sum((one[way] for one in refits), Refit(0, 0, 0))
        rows.append([way, str(found.faults), str(found.found), str(found.false)])
        figures |= {
            f"{keyed(way)}_faults_count": found.faults,
            f"{keyed(way)}_found_count": found.found,
            f"{keyed(way)}_false_count": found.false,
        }
    show(
        "The statistical detector fitted anew on a time with faults in it: what it finds later",
        ["what was left out", "faults later", "found", "false alarms"],
        rows,
    )
    return figures
