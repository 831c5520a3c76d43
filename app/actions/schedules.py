"""Work that a person lets be done again and again."""

from collections.abc import Sequence

from app.clock import now
from app.roles import Profile, require
from core.errors import ParameterError
from core.workflows.requests import checked_preset
from core.workflows.train_all import ONLY
from warehouse.documents import JSON
from warehouse.errors import ScheduleError
from warehouse.home import Warehouse
from warehouse.jobs import Schedule
from warehouse.schedules import next_run


def add_training_schedule(
    profile: Profile,
    warehouse: Warehouse,
    *,
    title: str,
    cron: str,
    zone: str,
    preset: str,
    mode: str = "causal",
    only: str = "all",
    sensor_ids: Sequence[int] = (),
) -> Schedule:
    """Train sensors whenever a cron expression says so.

    Parameters
    ----------
    cron
        Five fields, such as ``0 2 * * SUN``.
    zone
        Name of the time zone that its hours are of.
    only
        One of `ONLY`, told when it is due.
    sensor_ids
        Those to choose from; none are all targets.

    Raises
    ------
    NotAllowed
        The profile is no trainer.
    ParameterError
        The title is empty, the expression or the zone can't be understood, the preset or mode does not exist,
        or `only` is unknown; `field` names it.
    CatalogError
        A sensor is unknown.
    """
    require(profile, "trainer", "add a schedule")
    if not title.strip():
        raise ParameterError("a schedule needs a title, such as `Train all on Sundays`", field="title")
    if only not in ONLY:
        raise ParameterError(f"only must be one of {', '.join(ONLY)}, not {only!r}", field="only")
    payload: dict[str, JSON] = {
        "only": only,
        "preset": preset,
        "mode": checked_preset(preset, mode),
        "seed": 0,
        "actor": profile.name,
    }
    if sensor_ids:
        payload["sensor_ids"] = [warehouse.catalog.sensor(one).id for one in dict.fromkeys(sensor_ids)]
    require_times(cron, zone)
    return warehouse.jobs.schedules.add(
        title, cron, "train-all", payload, actor=profile.name, at=now(), zone=zone
    )


def require_times(cron: str, zone: str) -> None:
    """Let a cron expression and a zone pass that tell when something is due.

    Raises
    ------
    ParameterError
        One of them can't be understood, or no such time ever comes; `field` names it.
    """
    at = now()
    for field, its_zone in (("cron", "UTC"), ("zone", zone)):
        try:
            next_run(cron, its_zone, at)
        except ScheduleError as error:
            raise ParameterError(str(error), field=field) from error


def pause_schedule(profile: Profile, warehouse: Warehouse, schedule_id: int, *, paused: bool) -> Schedule:
    """Pause a schedule, or let it go on; what was due meanwhile is not made up for.

    Raises
    ------
    NotAllowed
        The profile is no trainer.
    ScheduleError
        There is no such schedule.
    """
    require(profile, "trainer", "pause a schedule")
    return warehouse.jobs.schedules.set_enabled(schedule_id, not paused, at=now())


def remove_schedule(profile: Profile, warehouse: Warehouse, schedule_id: int) -> None:
    """Delete a schedule; what it queued stays.

    Raises
    ------
    NotAllowed
        The profile is no trainer.
    ScheduleError
        There is no such schedule.
    """
    require(profile, "trainer", "remove a schedule")
    warehouse.jobs.schedules.remove(schedule_id)
