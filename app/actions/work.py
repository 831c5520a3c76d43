"""Work that a person starts: training, scoring, the demo fleet."""

from collections.abc import Sequence

from app.clock import now
from app.roles import Profile, require
from core.errors import ParameterError
from core.workflows.requests import checked_preset
from warehouse.documents import JSON
from warehouse.home import Warehouse
from warehouse.jobs import Job


def start_training(
    profile: Profile,
    warehouse: Warehouse,
    sensor_ids: Sequence[int],
    *,
    preset: str,
    mode: str = "causal",
    seed: int = 0,
) -> tuple[Job, ...]:
    """Queue one training a sensor and return the jobs; the same training that waits already is returned.

    Parameters
    ----------
    preset, mode, seed
        See `core.workflows.requests.TrainRequest`.

    Raises
    ------
    NotAllowed
        The profile is no trainer.
    CatalogError
        A sensor is unknown.
    ParameterError
        No sensor, one that is no target, or a preset or mode that does not exist.
    """
    require(profile, "trainer", "start a training")
    wanted: dict[str, JSON] = {"preset": preset, "mode": checked_preset(preset, mode), "seed": seed}
    if not sensor_ids:
        raise ParameterError("choose at least one sensor to train")
    sensors = [warehouse.catalog.sensor(one) for one in sensor_ids]
    for sensor in sensors:
        if sensor.role != "target":
            raise ParameterError(
                f"{sensor.key} is a {sensor.role} sensor: it explains others and is not judged itself"
            )
    return tuple(
        warehouse.jobs.add(
            "train",
            {"sensor_ids": [sensor.id], "actor": profile.name, **wanted},
            actor=profile.name,
            at=now(),
            key=f"train {sensor.id} {preset} {mode} {seed}",
        )
        for sensor in sensors
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
        "score", {"sensor_ids": list(sensor_ids)}, actor=profile.name, at=now(), urgent=True
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
