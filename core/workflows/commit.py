"""The third phase of a training: register what was learned, once, and decide whether it takes over.

MLflow comes first and the row in the catalogue is the commit point: whatever is killed before it leaves no
version, and the next attempt takes up what lies in MLflow or takes it back.
"""

import math
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from core.errors import Cancelled
from core.registry.artifacts import verify
from core.registry.tracking import Tracking
from core.results import HeldOutFigures
from core.workflows.learn import outcome_in
from core.workflows.promotion import Decision, decide
from core.workflows.records import facts_of, figures_of
from core.workflows.registration import Registration, own_folder
from core.workflows.reporting import Clock
from core.workflows.training_plan import TrainingPlan
from warehouse.catalog import Version
from warehouse.durable import sync_folder
from warehouse.home import Warehouse

REGISTERING: Final = "registering"
"""A file beside the outcome once MLflow may hold something of it; see `take_back`."""


@dataclass(frozen=True)
class TrainOutcome:
    """How a training ended.

    Parameters
    ----------
    version
        The registered version, None if none was registered.
    promoted
        Whether it is the sensor's champion now.
    figures
        On the test part, which neither fitting nor calibration saw.
    reason
        Why it was not registered, or not promoted; empty otherwise.
    remarks
        Sentences that a person must see about what was fitted.
    compared
        What could not be held against the champion; empty when all was.
    steps
        Steps that it learned from, was calibrated on and was judged on; 0 where an earlier attempt registered
        it.
    """

    version: Version | None
    promoted: bool
    figures: HeldOutFigures
    reason: str
    remarks: tuple[str, ...] = ()
    compared: str = ""
    steps: int = 0

    @property
    def summary(self) -> str:
        """One sentence for a person."""
        if self.version is None:
            return f"trained but not registered, because {self.reason}"
        found, number = self.figures, self.version.number
        numbers = (
            f"held-out error {found.normalised_error:.3f} of a standard deviation "
            f"(predicting no change: {found.persistence_error:.3f})"
            if math.isfinite(found.normalised_error)
            else "no held-out error, because it predicts no value there"
        )
        numbers += f", {found.alarms_per_week:.2g} alarms a week"
        if found.f1 is not None:
            numbers += f", F1 {found.f1:.2f} against the published labels"
        if self.compared:
            numbers += f"; {self.compared}"
        if not self.promoted:
            return f"registered as version {number}, {numbers}; not in production, because {self.reason}"
        return f"registered as version {number} and in production: {numbers}"


def commit(
    plan: TrainingPlan,
    folder: Path,
    *,
    made_by: str | None,
    warehouse: Warehouse,
    clock: Clock,
    alive: Callable[[], bool],
    tracking: str = "",
) -> TrainOutcome:
    """Register what `learn` left in `folder`, and let it take over from the champion if it may.

    A second commit with the same `made_by` finds what the first did and returns it.

    Parameters
    ----------
    made_by
        What makes the version, such as ``job 17``; None where nobody can commit it twice.
    alive
        Tells whether the caller may still commit; asked just before each store is written to.
    tracking
        Address of MLflow's server; empty for the home's own store.

    Raises
    ------
    Cancelled
        The caller may no longer commit; nothing is registered.
    ArtifactError
        The folder does not hold a whole outcome.
    RegistryError
        MLflow refuses, or its server does not answer.
    """
    if made_by is not None:
        first = committed(
            made_by, actor=plan.request.actor, warehouse=warehouse, clock=clock, tracking=tracking
        )
        if first is not None:
            return first
    learned = outcome_in(folder)
    if learned.refused:
        return TrainOutcome(
            None, False, learned.figures, learned.refused, learned.remarks, steps=learned.steps
        )
    store, model = tracking_of(warehouse, tracking), folder / learned.model
    _require(alive)
    verify(model, learned.artifacts)
    (folder / REGISTERING).touch()
    sync_folder(folder)
    registration = Registration(plan, learned, model, clock(), made_by)
    registered = store.register(registration.run())
    _require(alive)
    version = warehouse.catalog.add_version(registration.version(registered, warehouse))
    return replace(_decided(version, store, plan.request.actor, warehouse, clock), steps=learned.steps)


def committed(
    made_by: str, *, actor: str, warehouse: Warehouse, clock: Clock, tracking: str = ""
) -> TrainOutcome | None:
    """Return what an earlier commit of `made_by` came to, finishing what it left; None if there was none.

    Raises
    ------
    RegistryError
        MLflow refuses, or its server does not answer.
    """
    version = warehouse.catalog.version_made_by(made_by)
    if version is None:
        return None
    return _decided(version, tracking_of(warehouse, tracking), actor, warehouse, clock)


def _decided(
    version: Version, store: Tracking, actor: str, warehouse: Warehouse, clock: Clock
) -> TrainOutcome:
    """Let a registered version take over if it may; what an earlier attempt did of that stays."""
    if version.made_by is not None:
        # An attempt that was taken for dead may have tracked a run of its own.
        _take_back(store, version.made_by, warehouse, keep=version.run_id)
    decision = Decision("") if version.champion else decide(version, warehouse)
    if not decision.held_back:
        if not version.champion:
            version = warehouse.catalog.promote(version.id, actor=actor, at=clock())
        if version.registered_name is not None and version.run_id is not None:
            store.crown(version.registered_name, version.run_id)
    return TrainOutcome(
        version=version,
        promoted=not decision.held_back,
        figures=figures_of(version),
        reason=decision.held_back,
        remarks=facts_of(version).remarks,
        compared=decision.remark,
    )


def take_back(made_by: str, warehouse: Warehouse, *, tracking: str = "") -> tuple[str, ...]:
    """Undo what `made_by` tracked without reaching the catalogue; return the ids of those runs.

    Raises
    ------
    RegistryError
        MLflow refuses, or its server does not answer.
    """
    version = warehouse.catalog.version_made_by(made_by)
    keep = None if version is None else version.run_id
    return _take_back(tracking_of(warehouse, tracking), made_by, warehouse, keep=keep)


def tracking_of(warehouse: Warehouse, address: str) -> Tracking:
    """Return MLflow's store: a server's, or the home's own where no address is given."""
    return Tracking(address or warehouse.layout.tracking)


def _take_back(store: Tracking, made_by: str, warehouse: Warehouse, *, keep: str | None) -> tuple[str, ...]:
    gone = store.discard(made_by, keep=keep)
    for run_id in gone:
        shutil.rmtree(own_folder(warehouse, run_id), ignore_errors=True)
    return gone


def _require(alive: Callable[[], bool]) -> None:
    if not alive():
        raise Cancelled("another attempt took over before this one registered its model")
