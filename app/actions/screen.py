"""The actions as pages call them: plain values in, this machine's profile as actor, one kind of failure."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from app import settings
from app.actions import data, jobs, label, learning, schedules, uploads, work
from app.actions.failure import FAILURES, ActionFailed, told
from app.actions.jobs import Revived
from app.actions.work import Started
from app.queries import house
from warehouse.documents import JSON
from warehouse.state.labels import NewLabel

__all__ = [
    "ActionFailed",
    "Revived",
    "Started",
    "acknowledge",
    "add_schedule",
    "apply_learning",
    "backtest",
    "build_demo",
    "cancel_batch",
    "cancel_job",
    "clone_job",
    "give_verdict",
    "keep_snapshot",
    "keep_upload",
    "pause_schedule",
    "remove_schedule",
    "resume_batch",
    "resume_jobs",
    "retry_batch",
    "retry_jobs",
    "set_limits",
    "set_unit",
    "stop_learning",
    "store_table",
    "take_back",
    "train",
    "validate",
]


@told
def give_verdict(
    *,
    sensor_id: int,
    start: datetime,
    end: datetime,
    verdict: str,
    fault_class: str,
    note: str,
    event_id: str,
    version_id: int,
) -> int:
    """Store a verdict on an event and return its label id, once it is committed.

    Raises
    ------
    ActionFailed
        It was not stored.
    """
    new = NewLabel(
        sensor_id=sensor_id,
        start=start,
        end=end,
        verdict=verdict,
        fault_class=fault_class,
        note=note,
        event_id=event_id,
        version_id=version_id,
    )
    return label.set_label(house.profile(), new)


@told
def take_back(label_id: int) -> None:
    """Take a verdict back; the log keeps both.

    Raises
    ------
    ActionFailed
        It stays.
    """
    label.undo_label(house.profile(), label_id)


@told
def acknowledge(event_id: str) -> None:
    """Note that this person has seen an event.

    Raises
    ------
    ActionFailed
        It was not stored.
    """
    label.acknowledge(house.profile(), event_id)


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


def keep_upload(name: str, content: bytes | memoryview) -> uploads.Upload:
    """Keep a file that was sent until it is stored or dropped.

    Raises
    ------
    ActionFailed
        It is too large, or can't be written.
    """
    if len(content) > uploads.MAX_BYTES:
        raise ActionFailed(
            f"{uploads.plain_name(name)} is larger than {uploads.MAX_BYTES // 2**20} MB; store it with "
            "`telltale ingest`, or split it"
        )
    try:
        return uploads.keep(house.warehouse().layout.uploads, name, content)
    except FAILURES as error:
        raise ActionFailed(f"{uploads.plain_name(name)} can't be kept: {error}") from error


def store_table(
    upload: uploads.Upload, mapping: Mapping[str, JSON], progress: Callable[[float, str], None]
) -> data.Stored:
    """Store an uploaded table as mapped, and drop the upload.

    Raises
    ------
    ActionFailed
        Nothing was stored.
    """
    store = told(data.store_table)
    stored = store(house.profile(), house.warehouse(), upload, mapping, progress=progress)
    upload.drop()
    return stored


@told
def set_limits(sensor_id: int, limits: Mapping[str, float | None]) -> None:
    """Put limits of a sensor into force.

    Raises
    ------
    ActionFailed
        The former ones stay.
    """
    data.set_limits(house.profile(), sensor_id, limits)


@told
def set_unit(sensor_id: int, unit: str | None) -> None:
    """Show a sensor in another unit; None is the one that its source states.

    Raises
    ------
    ActionFailed
        The former one stays.
    """
    data.set_unit(house.profile(), sensor_id, unit)


@told
def keep_snapshot(snapshot_id: int, *, keep: bool) -> None:
    """Keep a snapshot, or let go of it.

    Raises
    ------
    ActionFailed
        Nothing changed.
    """
    data.keep_snapshot(house.profile(), snapshot_id, keep=keep)


@told
def apply_learning(*, likeness: bool, threshold: bool, previewed: str) -> None:
    """Let verdicts hold back later events, by the rules named.

    Raises
    ------
    ActionFailed
        Nothing changed.
    """
    learning.apply_learning(house.profile(), likeness=likeness, threshold=threshold, previewed=previewed)


@told
def stop_learning() -> None:
    """Show again what verdicts held back.

    Raises
    ------
    ActionFailed
        Nothing changed.
    """
    learning.stop_learning(house.profile())
