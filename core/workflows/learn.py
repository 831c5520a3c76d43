"""The second phase of a training: fit, judge the held-out part, and leave model and outcome in a folder.

Nothing here reads or writes the catalogue or MLflow, so that it may run on another machine, twice, or be
killed.
"""

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, Final, Self
from uuid import uuid4

from core.ensembles.contract import Raiser
from core.ensembles.members import loss_curves
from core.errors import ArtifactError
from core.networks.training import Epoch
from core.registry.artifacts import digests, verify
from core.results import HeldOutFigures
from core.splits import Split
from core.workflows.advanced import fit, raiser_of
from core.workflows.baseline import evaluated
from core.workflows.epochs import EpochLog
from core.workflows.records import figures_from, recorded
from core.workflows.reporting import Reports
from core.workflows.training_plan import TrainingPlan
from warehouse.documents import JSON, dumps, store

OUTCOME: Final = "outcome.json"
"""Written last: the model that it names is whole."""

NETWORKS: Final[Mapping[str, int]] = {"quick": 0, "standard": 0, "thorough": 1, "telemanom": 1}
"""How many networks each preset trains, one after the other."""

_FORMAT: Final = 1


@dataclass(frozen=True)
class Learned:
    """What a training came to, before anything is registered.

    Parameters
    ----------
    plan
        Digest of the plan that it carried out.
    method
        Name of the method.
    parameters
        What the version records of itself.
    figures
        On the test part, which neither fitting nor calibration saw.
    remarks
        Sentences that a person must see about what was fitted.
    spans
        Half-open intervals in UTC of ``train``, ``calibrate`` and ``test``.
    steps
        Steps of all three together.
    curves
        (epoch, name, value) of every loss.
    model
        Name of the folder of the model's files, beside the outcome.
    artifacts
        SHA-256 of each of these files, by its path below that folder.
    """

    plan: str
    method: str
    parameters: Mapping[str, JSON]
    figures: HeldOutFigures
    remarks: tuple[str, ...]
    spans: Mapping[str, tuple[datetime, datetime]]
    steps: int
    curves: tuple[tuple[int, str, float], ...]
    model: str
    artifacts: Mapping[str, str]

    @property
    def refused(self) -> str:
        """Why nothing is to be registered; empty where a version is."""
        return "" if self.figures.steps else "none of the steps of its held-out part could be judged"

    def to_json(self) -> dict[str, JSON]:
        """Return it as plain values; `from_json` returns what is equal."""
        plain: dict[str, JSON] = {
            "format": _FORMAT,
            "plan": self.plan,
            "method": self.method,
            "parameters": self.parameters,
            "figures": {name: _finite(value) for name, value in asdict(self.figures).items()},
            "remarks": self.remarks,
            "spans": {name: [moment.isoformat() for moment in span] for name, span in self.spans.items()},
            "steps": self.steps,
            "curves": [[step, name, _finite(value)] for step, name, value in self.curves],
            "model": self.model,
            "artifacts": self.artifacts,
        }
        return plain

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Return what `to_json` made plain.

        Raises
        ------
        ArtifactError
            The document is not one of a training of this release.
        """
        if document.get("format") != _FORMAT:
            raise ArtifactError(
                f"this is no outcome of a training of this release: {document.get('format')!r}"
            )
        try:
            _require_plain(document["model"], *document["artifacts"])
            return cls(
                plan=str(document["plan"]),
                method=str(document["method"]),
                parameters=dict(document["parameters"]),
                figures=figures_from(document["figures"]),
                remarks=tuple(document["remarks"]),
                spans={
                    name: (datetime.fromisoformat(start), datetime.fromisoformat(end))
                    for name, (start, end) in document["spans"].items()
                },
                steps=int(document["steps"]),
                curves=tuple(
                    (int(step), str(name), math.nan if value is None else float(value))
                    for step, name, value in document["curves"]
                ),
                model=str(document["model"]),
                artifacts=dict(document["artifacts"]),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ArtifactError(f"this is no outcome of a training: {error}") from error


@dataclass(frozen=True)
class Fitted:
    """A fitted ensemble, its figures on what it did not see, and the losses of its networks."""

    raiser: Raiser
    figures: HeldOutFigures
    curves: tuple[tuple[int, str, float], ...]


Learner = Callable[[TrainingPlan, Path, Path, Reports], Learned]
"""What carries out a plan: `learn`, here or somewhere else."""


def learn(plan: TrainingPlan, root: Path, folder: Path, reports: Reports) -> Learned:
    """Carry out a plan and leave a model's files and ``outcome.json`` in `folder`.

    Where `folder` holds the outcome of the same plan already, that one is returned and nothing is done.

    Parameters
    ----------
    root
        The folder that the paths of the plan's files start from.
    folder
        Of this training alone; made when it is missing.
    reports
        Its `checkpoints` keep the networks after each epoch; they need not lie in `folder`.

    Raises
    ------
    Cancelled
        The training was told to end.
    InsufficientData
        The training part is too short; the message has the number needed.
    ConstantSignal
        The training part never changes.
    CoreError
        Why else it can't be trained.
    IntegrityError
        A file of readings is missing or is not what was written.
    """
    known = whole_outcome(folder, plan)
    if known is not None:
        reports.log("the model is there already: going on to its registration")
        return known
    reports.check()
    reports.progress(0.01, f"Reading {plan.sensor.key}")
    signal = plan.signal(root)
    split = plan.split(signal)
    found = fit_and_judge(plan, split, reports)
    # A name of its own: an attempt that was taken for dead may still write.
    model = folder / f"model-{uuid4().hex[:12]}"
    found.raiser.save(model)
    learned = Learned(
        plan=digest_of(plan),
        method=found.raiser.name,
        parameters=recorded(found.raiser, preset=plan.request.preset, chosen=plan.request.parameters),
        figures=found.figures,
        remarks=found.raiser.remarks,
        spans=split.spans,
        steps=len(signal),
        curves=found.curves,
        model=model.name,
        artifacts=digests(model),
    )
    reports.check()
    store(learned.to_json(), folder / OUTCOME)
    return learned


def outcome_in(folder: Path) -> Learned:
    """Return the outcome that lies in `folder`; whether the model beside it is whole is not looked at.

    Raises
    ------
    ArtifactError
        There is none, or it can't be read.
    """
    path = folder / OUTCOME
    try:
        return Learned.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, AttributeError) as error:
        raise ArtifactError(
            f"{path} holds no outcome of a training ({error}): train the sensor again"
        ) from error


def whole_outcome(folder: Path, plan: TrainingPlan) -> Learned | None:
    """Return the outcome of `plan` that lies in `folder` with its whole model; None without one."""
    try:
        learned = outcome_in(folder)
        verify(folder / learned.model, learned.artifacts)
    except ArtifactError:
        return None  # what a kill or a full disk left half is learned again, not registered
    return learned if learned.plan == digest_of(plan) else None


def fit_and_judge(plan: TrainingPlan, split: Split, reports: Reports) -> Fitted:
    """Fit what a plan asks for on a split, and judge its test part.

    Raises
    ------
    Cancelled
        The training was told to end.
    CoreError
        Why it can't be trained.
    """
    key, networks = plan.sensor.key, NETWORKS[plan.request.preset]
    raiser = raiser_of(plan.request)
    epochs = EpochLog(key, networks, progress=reports.progress, metric=reports.metric)

    def epoch_made(one: Epoch) -> None:
        epochs(one)
        if reports.checkpoints is not None and one.number > 1:
            reports.checkpointed(one.number - 1)  # an epoch is told first, then kept

    reports.progress(0.03, f"{key}: {'loading TensorFlow' if networks else 'fitting'}")
    fit(
        raiser,
        plan.request,
        split,
        progress=epoch_made,
        stop=reports.check,
        checkpoints=reports.checkpoints,
    )
    epochs.complete(loss_curves(raiser.detectors.values()))
    reports.check()
    reports.progress(0.88, f"{key}: judging the held-out part")
    return Fitted(raiser, evaluated(raiser, split, plan.parts), tuple(epochs.curves))


def digest_of(plan: TrainingPlan) -> str:
    """Return the SHA-256 that tells a plan from every other one."""
    return hashlib.sha256(dumps(plan.to_json()).encode()).hexdigest()


def _require_plain(model: str, *artifacts: str) -> None:
    """Let names pass that stay below the folder that they are looked for in.

    Raises
    ------
    ValueError
        One leads elsewhere.
    """
    paths = [PurePosixPath(one) for one in (model, *artifacts)]
    if "/" in model or any(one.is_absolute() or ".." in one.parts for one in paths):
        raise ValueError("it names files outside of its folder")


def _finite(value: float | None) -> float | None:
    return None if isinstance(value, float) and not math.isfinite(value) else value
