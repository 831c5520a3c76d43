"""What a person does to jobs that were asked for: cancel, resume, retry, clone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from app.clock import now
from app.roles import Profile, require
from core.errors import JobError
from warehouse.home import Warehouse
from warehouse.jobs import Asked, Batch, Job

_UNDONE: Final = frozenset({"cancelled", "interrupted"})
_LOST: Final = frozenset({"failed", "cancelled"})


@dataclass(frozen=True)
class Revived:
    """What became of bringing jobs back.

    Parameters
    ----------
    job_ids
        Those that wait again.
    told
        A sentence for each that does not, because it is done, runs, or another one does its work.
    """

    job_ids: tuple[int, ...]
    told: tuple[str, ...]


def cancel_job(profile: Profile, warehouse: Warehouse, job_id: int) -> Job:
    """Cancel a job: at once where it waits, within seconds where it runs; one that is over stays as it is.

    Raises
    ------
    NotAllowed
        The profile is no trainer.
    JobError
        There is no such job.
    """
    require(profile, "trainer", "cancel a job")
    return warehouse.jobs.cancel(job_id, actor=profile.name, at=now())


def resume_jobs(profile: Profile, warehouse: Warehouse, job_ids: Sequence[int]) -> Revived:
    """Let jobs that failed, were cancelled or interrupted go on from what they kept.

    Raises
    ------
    NotAllowed
        The profile is no trainer.
    JobError
        There is no such job.
    """
    require(profile, "trainer", "resume a job")
    return _revived(job_ids, lambda one: warehouse.jobs.resume(one, actor=profile.name, at=now()))


def retry_jobs(profile: Profile, warehouse: Warehouse, job_ids: Sequence[int]) -> Revived:
    """Begin jobs anew that failed, were cancelled or interrupted.

    Raises
    ------
    NotAllowed
        The profile is no trainer.
    JobError
        There is no such job.
    """
    require(profile, "trainer", "retry a job")
    return _revived(job_ids, lambda one: warehouse.jobs.retry(one, actor=profile.name, at=now()))


def clone_job(profile: Profile, warehouse: Warehouse, job_id: int) -> Asked:
    """Ask again for what a job was asked for; not new where somebody did already.

    Raises
    ------
    NotAllowed
        The profile is no trainer.
    JobError
        There is no such job.
    """
    require(profile, "trainer", "repeat a job")
    return warehouse.jobs.clone(job_id, actor=profile.name, at=now())


def cancel_batch(profile: Profile, warehouse: Warehouse, batch_id: int) -> tuple[Job, ...]:
    """Cancel what is left of a batch, what waits before what runs, and return it.

    Jobs that were asked for before the batch are not its own, and go on.

    Raises
    ------
    NotAllowed
        The profile is no trainer.
    JobError
        There is no such batch.
    """
    require(profile, "trainer", "cancel a batch")
    left = [job for job in batch_jobs(warehouse, batch_id) if not job.ended]
    # Were one that runs ended first, its worker would take the next.
    ordered = sorted(left, key=lambda job: (job.state == "running", bool(job.needs), job.id))
    return tuple(warehouse.jobs.cancel(job.id, actor=profile.name, at=now()) for job in ordered)


def resume_batch(profile: Profile, warehouse: Warehouse, batch_id: int) -> Revived:
    """Let go on what of a batch was cancelled or interrupted; what failed stays, for `retry_batch`.

    Raises
    ------
    NotAllowed
        The profile is no trainer.
    JobError
        There is no such batch.
    """
    require(profile, "trainer", "resume a batch")
    wanted = [job.id for job in batch_jobs(warehouse, batch_id) if job.state in _UNDONE and not job.needs]
    return resume_jobs(profile, warehouse, wanted)


def retry_batch(profile: Profile, warehouse: Warehouse, batch_id: int) -> Revived:
    """Begin anew what of a batch failed or was cancelled.

    Raises
    ------
    NotAllowed
        The profile is no trainer.
    JobError
        There is no such batch.
    """
    require(profile, "trainer", "retry a batch")
    lost = [job for job in batch_jobs(warehouse, batch_id) if job.state in _LOST]
    heads = {job.id for job in lost if not job.needs}
    # What was cancelled because another failed comes back with that one.
    wanted = [job.id for job in lost if not heads.intersection(job.needs)]
    return retry_jobs(profile, warehouse, wanted)


def batch_jobs(warehouse: Warehouse, batch_id: int) -> tuple[Job, ...]:
    """Return the jobs that a batch queued, oldest first.

    Raises
    ------
    JobError
        There is no such batch.
    """
    if warehouse.jobs.batch(batch_id) is None:
        raise JobError(f"there is no batch {batch_id}")
    return warehouse.jobs.list(batch_id=batch_id, limit=-1)[::-1]


def heads_of(warehouse: Warehouse, batch: Batch) -> tuple[Job, ...]:
    """Return the jobs that a batch was asked for, in that order, those that were there first last.

    What only follows them, as scoring does, is left out.
    """
    own = [job for job in batch_jobs(warehouse, batch.id) if not job.needs]
    first = [job for one in batch.already if (job := warehouse.jobs.get(one)) is not None]
    return (*own, *(job for job in first if not job.needs))


def standing(job: Job) -> str:
    """Return how a job stands in a few words, such as ``running, 40 %``."""
    if job.state == "running":
        return f"running, {job.progress:.0%}".replace("%", " %")
    return {"queued": "waiting", "interrupted": "interrupted, goes on by itself"}.get(job.state, job.state)


def _revived(job_ids: Sequence[int], revive: Callable[[int], Asked]) -> Revived:
    back: list[int] = []
    told: list[str] = []
    for one in dict.fromkeys(job_ids):
        asked = revive(one)
        if asked.new:
            back.append(one)
        elif asked.job.id == one:
            told.append(f"job {one} stays as it is: {standing(asked.job)}")
        else:
            told.append(
                f"job {one} stays as it is: job {asked.job.id} of {asked.job.actor} does the same "
                f"({standing(asked.job)})"
            )
    return Revived(tuple(back), tuple(told))
