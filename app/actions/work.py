"""Work that a person starts: training, validation, scoring, the demo fleet."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.actions.jobs import heads_of, standing
from app.clock import now
from app.roles import Profile, require
from core.errors import ParameterError
from core.workflows.requests import (
    FOLDS,
    MOST_FOLDS,
    TrainRequest,
    checked_preset,
    ids_of,
    payload_of,
)
from core.workflows.train_all import training_of
from warehouse.documents import JSON
from warehouse.home import Warehouse
from warehouse.jobs import URGENT, Asked, Job, NewJob

VALIDATED_AT_ONCE: Final = 500


@dataclass(frozen=True)
class Started:
    """What became of asking for trainings.

    Parameters
    ----------
    batch_id
        The batch that holds them; None for a single sensor.
    job_ids
        The trainings that were queued, in the order of the sensors.
    already_ids
        Those that somebody had asked for before: a sensor is not trained twice at once.
    told
        A sentence for each of the latter: ``Pump 7/speed is being trained already by ada: job 12``.
    """

    batch_id: int | None
    job_ids: tuple[int, ...]
    already_ids: tuple[int, ...]
    told: tuple[str, ...]


def start_training(
    profile: Profile,
    warehouse: Warehouse,
    sensor_ids: Sequence[int],
    *,
    preset: str,
    mode: str = "causal",
    seed: int = 0,
    parameters: Mapping[str, JSON] | None = None,
    title: str | None = None,
) -> Started:
    """Queue one training a sensor, each followed by scoring; several are one batch.

    Parameters
    ----------
    preset, mode, seed, parameters
        See `core.workflows.requests.TrainRequest`.
    title
        Of the batch; None for one that says how many sensors it trains.

    Raises
    ------
    NotAllowed
        The profile is no trainer.
    CatalogError
        A sensor is unknown.
    ParameterError
        No sensor, one that is no target, or a preset, mode, seed or parameter that does not exist or is out
        of range; `field` names it.
    """
    require(profile, "trainer", "start a training")
    if not sensor_ids:
        raise ParameterError("choose at least one sensor to train", field="sensors")
    sensors = [warehouse.catalog.sensor(one) for one in dict.fromkeys(sensor_ids)]
    known = checked_preset(preset, mode)
    asks: list[NewJob] = []
    for sensor in sensors:
        if sensor.role != "target":
            raise ParameterError(
                f"{sensor.key} is a {sensor.role} sensor: it explains others and is not judged itself",
                field="sensors",
            )
        request = TrainRequest(sensor.id, preset, seed, profile.name, known, parameters or {})
        asks.append(training_of(request))
    if len(asks) == 1:
        first = _ask_followed(warehouse, asks[0], actor=profile.name)
        return _started(warehouse, None, (first.job,), () if first.new else (first.job.id,))
    words = f"{preset.capitalize()} training of {len(asks)} sensors"
    batch = warehouse.jobs.ask_batch(title or words, asks, actor=profile.name, at=now())
    return _started(warehouse, batch.id, heads_of(warehouse, batch), batch.already)


def start_validation(profile: Profile, warehouse: Warehouse, version_ids: Sequence[int]) -> Asked:
    """Queue the judging of versions on readings that none of them learned from.

    Raises
    ------
    NotAllowed
        The profile is no trainer.
    CatalogError
        A version is unknown.
    ParameterError
        No version was chosen, or too many.
    """
    require(profile, "trainer", "validate a version")
    wanted = tuple(dict.fromkeys(version_ids))
    if not 0 < len(wanted) <= VALIDATED_AT_ONCE:
        raise ParameterError(
            f"choose 1 to {VALIDATED_AT_ONCE} versions to validate, not {len(wanted)}", field="versions"
        )
    versions = [warehouse.catalog.version(one) for one in wanted]
    return warehouse.jobs.ask(
        "validate",
        {
            "version_ids": list(wanted),
            "sensor_ids": sorted({one.sensor_id for one in versions}),
            "actor": profile.name,
        },
        actor=profile.name,
        at=now(),
        key=f"validate {' '.join(str(one) for one in sorted(wanted))}",
        exclusive=True,
    )


def start_backtest(
    profile: Profile,
    warehouse: Warehouse,
    sensor_id: int,
    *,
    preset: str,
    mode: str = "causal",
    seed: int = 0,
    folds: int = FOLDS,
) -> Asked:
    """Queue trainings of a sensor on ever more of its past, each judged on what came next; registers nothing.

    Raises
    ------
    NotAllowed
        The profile is no trainer.
    CatalogError
        The sensor is unknown.
    ParameterError
        It is no target, or the preset, mode, seed or number of folds can't be.
    """
    require(profile, "trainer", "start a backtest")
    if not 2 <= folds <= MOST_FOLDS:
        raise ParameterError(f"folds must be from 2 to {MOST_FOLDS}, not {folds}", field="folds")
    sensor = warehouse.catalog.sensor(sensor_id)
    if sensor.role != "target":
        raise ParameterError(
            f"{sensor.key} is a {sensor.role} sensor and is not judged itself", field="sensors"
        )
    request = TrainRequest(sensor.id, preset, seed, profile.name, checked_preset(preset, mode))
    return warehouse.jobs.ask(
        "backtest",
        {**payload_of(request), "folds": folds},
        actor=profile.name,
        at=now(),
        key=f"backtest {sensor.id} {preset} {mode} {seed} {folds}",
        exclusive=True,
    )


def start_scoring(profile: Profile, warehouse: Warehouse, sensor_ids: Sequence[int]) -> Job:
    """Queue the judging of what is new on some sensors.

    Raises
    ------
    NotAllowed
        The profile is no labeller.
    ParameterError
        No sensor was chosen.
    """
    require(profile, "labeller", "start scoring")
    if not sensor_ids:
        raise ParameterError("choose at least one sensor to score")
    return warehouse.jobs.add(
        "score", {"sensor_ids": list(sensor_ids)}, actor=profile.name, at=now(), priority=URGENT
    )


def start_demo(profile: Profile, warehouse: Warehouse, *, seed: int) -> Job:
    """Queue the demo fleet.

    Raises
    ------
    NotAllowed
        The profile is no admin.
    """
    require(profile, "admin", "create the demo fleet")
    return warehouse.jobs.add("demo", {"seed": seed}, actor=profile.name, at=now(), key="demo")


def _ask_followed(warehouse: Warehouse, new: NewJob, *, actor: str) -> Asked:
    first = warehouse.jobs.ask(
        new.kind, new.payload, actor=actor, at=now(), key=new.key, exclusive=new.exclusive
    )
    if first.new and new.then is not None:
        warehouse.jobs.ask(new.then.kind, new.then.payload, actor=actor, at=now(), needs=(first.job.id,))
    return first


def _started(
    warehouse: Warehouse, batch_id: int | None, trainings: Sequence[Job], already: Collection[int]
) -> Started:
    there = [job for job in trainings if job.id in already]
    return Started(
        batch_id=batch_id,
        job_ids=tuple(job.id for job in trainings if job.id not in already),
        already_ids=tuple(job.id for job in there),
        told=tuple(
            f"{_names(warehouse, job)} is being trained already by {job.actor}: "
            f"job {job.id} ({standing(job)})"
            for job in there
        ),
    )


def _names(warehouse: Warehouse, job: Job) -> str:
    ids = ids_of(job.payload.get("sensor_ids"), f"job {job.id} needs sensor_ids")
    return ", ".join(warehouse.catalog.sensor(one).key for one in ids)
