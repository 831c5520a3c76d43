"""Backtest: what a preset would have done on a sensor, trained on ever more of its past; registers nothing.

Rolling origin: the past is cut into one block more than there are folds; each fold learns from all blocks
before one and judges that one. It leaves out the true anomalies that people had named by then: one who waited
for the next block knew no verdict that was given later.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any, Final

import numpy as np

from core.errors import Cancelled, CoreError, InsufficientData, JobError, ParameterError
from core.signal import Signal, instant
from core.splits import Split, span
from core.workflows.advanced import TRAINED
from core.workflows.learn import digest_of, fit_and_judge
from core.workflows.records import figures
from core.workflows.reporting import Task
from core.workflows.requests import FOLDS, MOST_FOLDS, request_of
from core.workflows.signals import declared, labelled_steps
from core.workflows.training_folder import prepared, put_away
from core.workflows.training_plan import TrainingPlan
from warehouse.documents import JSON, store
from warehouse.errors import IntegrityError

KEPT: Final = "folds.json"
"""Below a job's folder: the folds that are done."""

_MEANS: Final = ("normalised_error", "persistence_error", "alarms_per_week", "flagged_share")


def backtest_job(payload: Mapping[str, JSON], task: Task) -> dict[str, JSON]:
    """Train and judge a sensor's preset on several stretches of its past, in order of time.

    A fold that can't be trained is named with its reason and hides no other.

    Parameters
    ----------
    payload
        What `core.workflows.train.train_job` takes, and ``folds``.

    Raises
    ------
    ParameterError
        The number of folds is out of range.
    JobError
        The payload does not name one sensor, or no fold could be trained.
    CoreError
        The sensor can't be read.
    Cancelled
        The job was told to end; folds that were done are kept.
    """
    request, folds = request_of(payload), payload.get("folds", FOLDS)
    if type(folds) is not int or not 2 <= folds <= MOST_FOLDS:
        raise ParameterError(f"folds must be from 2 to {MOST_FOLDS}, not {folds!r}", field="folds")
    plan = prepared(request, task)
    try:
        done, failed = _folds(plan, folds, task)
    except Cancelled:
        raise
    except (CoreError, IntegrityError):
        put_away(task)  # the same data would fail again
        raise
    put_away(task)
    if not done:
        raise JobError("; ".join(f"{name}: {reason}" for name, reason in failed.items()))
    means = _means(done)
    summary = f"{len(done)} of {folds} folds of {plan.sensor.key}, {request.preset}: "
    summary += (
        f"mean error {means['normalised_error']:.3f} of a standard deviation "
        f"(predicting no change: {means['persistence_error']:.3f}), "
        if "normalised_error" in means
        else ""
    )
    summary += f"{means['alarms_per_week']:.2g} alarms a week"
    return {"summary": summary, "folds": done, "figures": means, "failed": failed}


def _folds(plan: TrainingPlan, folds: int, task: Task) -> tuple[list[dict[str, Any]], dict[str, JSON]]:
    """Return what each fold came to, in order of time, and why others could not be trained."""
    task.progress(0.01, f"Reading {plan.sensor.key}")
    signal = _past(plan, task.warehouse.root)
    kept = _Kept(task.checkpoints, f"{digest_of(plan)} {folds}")
    done: list[dict[str, Any]] = []
    failed: dict[str, JSON] = {}
    for number in range(1, folds + 1):
        known = kept.folds.get(str(number))
        if known is None:
            task.check()
            known = _fold(plan, _split(signal, plan, number, folds), number, folds, task)
            kept.add(number, known)
        reason = known.get("failed")
        if reason is not None:
            failed[f"fold {number}"] = reason
            continue
        done.append({"fold": number, **known})
        for name in ("normalised_error", "alarms_per_week"):
            if name in known["figures"]:
                task.metric(number, f"fold {name.replace('_', ' ')}", known["figures"][name])
    return done, failed


def _past(plan: TrainingPlan, root: Path) -> Signal:
    """Return what may be learned from: a declared test part, and what follows it, is not."""
    signal, part = plan.readings(root), declared(plan.parts, "test")
    if part is None:
        return signal
    return signal.slice(0, int(np.searchsorted(signal.timestamps, instant(part[0]))))


def _split(signal: Signal, plan: TrainingPlan, number: int, folds: int) -> Split:
    """Return what a fold, counted from 1, learns from and the block that it judges."""
    cuts = [round(len(signal) * block / (folds + 1)) for block in range(folds + 2)]
    origin, end = cuts[number], cuts[number + 1]
    train = round(origin * TRAINED)
    if not 0 < train < origin < end:
        raise InsufficientData(
            f"{signal.channels[0]}: cutting into {folds + 1} blocks",
            needed=2 * (folds + 1),
            found=len(signal),
        )
    block = signal.slice(origin, end)
    known = signal.without(plan.left_out(said_by=span(block)[0]))
    # What people said since is no part of what a model knew, but it tells what no alarm is false on.
    return Split(known.slice(0, train), known.slice(train, origin), block.without(plan.left_out()))


def _fold(plan: TrainingPlan, split: Split, number: int, folds: int, task: Task) -> dict[str, Any]:
    """Return what one fold came to, or under ``failed`` why it could not be trained."""
    reports = replace(
        task.within((number - 1) / folds, number / folds).keeping(f"fold-{number}"),
        metric=lambda step, name, value: task.metric(step, f"{name}, fold {number}", value),
    )
    task.log(f"fold {number} of {folds} begins")
    # Its block is the test part, and published anomalies count where the block has some.
    marked = [part for part in plan.parts if part.name == "anomaly"]
    own = replace(plan, parts=tuple(marked) if labelled_steps(marked, split.test) else ())
    try:
        found = fit_and_judge(own, split, reports)
    except Cancelled:
        raise
    except CoreError as error:
        return {"failed": str(error)}
    return {
        "spans": {name: [moment.isoformat() for moment in one] for name, one in split.spans.items()},
        "figures": dict(figures(found.figures)),
        "remarks": list(found.raiser.remarks),
    }


def _means(done: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return the mean of each figure over the folds that have it."""
    found = {
        name: [one["figures"][name] for one in done if math.isfinite(one["figures"].get(name, math.nan))]
        for name in _MEANS
    }
    return {name: fmean(values) for name, values in found.items() if values}


class _Kept:
    """The folds that were done before a job was interrupted, in a file of its folder; none without one."""

    def __init__(self, folder: Path | None, key: str) -> None:
        self.folds: dict[str, dict[str, Any]] = {}
        self._key, self._path = key, None if folder is None else folder / KEPT
        try:
            known = json.loads(self._path.read_text()) if self._path is not None else {}
        except (FileNotFoundError, ValueError):
            known = {}
        if known.get("key") == key:
            self.folds.update(known["folds"])

    def add(self, number: int, fold: Mapping[str, Any]) -> None:
        """Keep a fold."""
        self.folds[str(number)] = dict(fold)
        if self._path is not None:
            store({"key": self._key, "folds": self.folds}, self._path)
