"""Trainings, their jobs and schedules, as pages ask for them."""

from collections.abc import Mapping, Sequence

from app import settings
from app.actions import jobs, schedules, work
from app.actions.failure import told
from app.actions.jobs import Revived
from app.actions.work import Started
from app.queries import house
from warehouse.documents import JSON


@told
def train(
    sensor_ids: Sequence[int],
    preset: str,
    mode: str,
    parameters: Mapping[str, JSON] | None = None,
    *,
    seed: int = 0,
) -> Started:
    """Queue one training a sensor; what is being trained already is told and not queued again.

    Raises
    ------
    ActionFailed
        Nothing was queued; its `field` is ``sensors``, ``preset``, ``mode``, ``seed`` or a parameter's name.
    """
    return work.start_training(
        house.profile(),
        house.warehouse(),
        sensor_ids,
        preset=preset,
        mode=mode,
        seed=seed,
        parameters=parameters,
    )


@told
def validate(version_ids: Sequence[int]) -> int:
    """Queue the judging of versions on what none of them learned from, and return the job's id.

    Raises
    ------
    ActionFailed
        Nothing was queued.
    """
    return work.start_validation(house.profile(), house.warehouse(), version_ids).job.id


@told
def backtest(sensor_id: int, preset: str, mode: str, *, folds: int = 5) -> int:
    """Queue trainings on ever more of a sensor's past, and return the job's id; nothing is registered.

    Raises
    ------
    ActionFailed
        Nothing was queued.
    """
    asked = work.start_backtest(
        house.profile(), house.warehouse(), sensor_id, preset=preset, mode=mode, folds=folds
    )
    return asked.job.id


@told
def cancel_job(job_id: int) -> None:
    """Cancel a job that waits, or tell the one that runs to end.

    Raises
    ------
    ActionFailed
        It goes on.
    """
    jobs.cancel_job(house.profile(), house.warehouse(), job_id)


@told
def cancel_batch(batch_id: int) -> None:
    """Cancel what is left of a batch.

    Raises
    ------
    ActionFailed
        It goes on.
    """
    jobs.cancel_batch(house.profile(), house.warehouse(), batch_id)


@told
def resume_jobs(job_ids: Sequence[int]) -> Revived:
    """Let jobs that failed, were cancelled or interrupted go on from what they kept.

    Raises
    ------
    ActionFailed
        They stay as they are.
    """
    return jobs.resume_jobs(house.profile(), house.warehouse(), job_ids)


@told
def resume_batch(batch_id: int) -> Revived:
    """Let go on what of a batch was cancelled or interrupted; what failed stays.

    Raises
    ------
    ActionFailed
        It stays as it is.
    """
    return jobs.resume_batch(house.profile(), house.warehouse(), batch_id)


@told
def retry_batch(batch_id: int) -> Revived:
    """Begin anew what of a batch failed or was cancelled.

    Raises
    ------
    ActionFailed
        It stays as it is.
    """
    return jobs.retry_batch(house.profile(), house.warehouse(), batch_id)


@told
def retry_jobs(job_ids: Sequence[int]) -> Revived:
    """Begin jobs anew that failed, were cancelled or interrupted.

    Raises
    ------
    ActionFailed
        They stay as they are.
    """
    return jobs.retry_jobs(house.profile(), house.warehouse(), job_ids)


@told
def clone_job(job_id: int) -> int:
    """Ask again for what a job was asked for, and return the id of the job that does it.

    Raises
    ------
    ActionFailed
        Nothing was queued.
    """
    return jobs.clone_job(house.profile(), house.warehouse(), job_id).job.id


@told
def add_schedule(
    title: str,
    cron: str,
    zone: str,
    *,
    preset: str,
    mode: str = "causal",
    only: str = "all",
    sensor_ids: Sequence[int] = (),
) -> int:
    """Train sensors whenever a cron expression says so, and return the schedule's id.

    Raises
    ------
    ActionFailed
        It was not stored; its `field` is ``title``, ``cron``, ``zone``, ``only``, ``preset`` or ``mode``.
    """
    added = schedules.add_training_schedule(
        house.profile(),
        house.warehouse(),
        title=title,
        cron=cron,
        zone=zone,
        preset=preset,
        mode=mode,
        only=only,
        sensor_ids=sensor_ids,
    )
    return added.id


@told
def pause_schedule(schedule_id: int, *, paused: bool) -> None:
    """Pause a schedule, or let it go on.

    Raises
    ------
    ActionFailed
        It stays as it is.
    """
    schedules.pause_schedule(house.profile(), house.warehouse(), schedule_id, paused=paused)


@told
def remove_schedule(schedule_id: int) -> None:
    """Delete a schedule; what it queued stays.

    Raises
    ------
    ActionFailed
        It stays.
    """
    schedules.remove_schedule(house.profile(), house.warehouse(), schedule_id)


@told
def build_demo() -> None:
    """Queue the demo fleet.

    Raises
    ------
    ActionFailed
        It was not queued.
    """
    work.start_demo(house.profile(), house.warehouse(), seed=settings.load().demo_seed)
