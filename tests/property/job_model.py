"""The job table as plain Python: dictionaries and loops, for `test_job_table` to compare with."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

OPEN = ("queued", "interrupted", "running")
STALLS = 3


@dataclass
class ModelJob:
    id: int
    kind: str
    key: str | None
    exclusive: bool
    priority: int
    needs: set[int]
    state: str = "queued"
    attempt: int = 0
    not_before: datetime | None = None
    lease_until: datetime | None = None
    cancel_asked_by: str | None = None
    cancelled_for: int | None = None
    error: str | None = None
    progress: float = 0.0
    furthest: float = 0.0
    checkpoint: int | None = None
    moved: bool = False
    stalls: int = 0
    retries: int = 0
    fresh: bool = False
    figures: dict[int, float] = field(default_factory=dict)


class Model:
    """What people and processes do to jobs; the answers are those that `warehouse.jobs.Jobs` has to give."""

    def __init__(self) -> None:
        self.jobs: dict[int, ModelJob] = {}

    def rival(self, key: str | None, *, exclusive: bool, besides: int | None = None) -> int | None:
        states = OPEN if exclusive else OPEN[:2]
        same = [
            one.id
            for one in self.jobs.values()
            if key is not None and one.key == key and one.state in states and one.id != besides
        ]
        return min(same, default=None)

    def ask(
        self, kind: str, key: str | None, *, exclusive: bool, priority: int, needs: Iterable[int]
    ) -> tuple[int, bool]:
        first = self.rival(key, exclusive=exclusive)
        if first is not None:
            return first, False
        job = ModelJob(len(self.jobs) + 1, kind, key, exclusive, priority, set(needs))
        self.jobs[job.id] = job
        cause = self.hindrance(job)
        if cause is not None:
            self.end(job, "cancelled", self.reason(cause), cause)
        return job.id, True

    def hindrance(self, job: ModelJob) -> int | None:
        return min(
            (one for one in job.needs if self.jobs[one].state in {"failed", "cancelled"}), default=None
        )

    def claimable(self, at: datetime, kinds: Iterable[str]) -> list[int]:
        return [
            job.id
            for job in sorted(self.jobs.values(), key=lambda one: (one.priority, one.id))
            if job.state in {"queued", "interrupted"}
            and job.kind in kinds
            and (job.not_before is None or job.not_before <= at)
            and all(self.jobs[one].state == "done" for one in job.needs)
        ]

    def claim(self, job_id: int, lease_until: datetime) -> ModelJob:
        job = self.jobs[job_id]
        job.state, job.attempt, job.lease_until = "running", job.attempt + 1, lease_until
        job.not_before, job.cancel_asked_by, job.moved = None, None, False
        return job

    def progress(self, job: ModelJob, fraction: float) -> None:
        job.moved = job.moved or fraction > job.furthest
        job.progress, job.furthest = fraction, max(job.furthest, fraction)

    def checkpointed(self, job: ModelJob, step: int) -> None:
        job.moved = job.moved or job.checkpoint is None or step > job.checkpoint
        job.checkpoint = step if job.checkpoint is None else max(step, job.checkpoint)
        job.fresh = False

    def finish(self, job: ModelJob) -> None:
        job.state, job.progress, job.lease_until, job.fresh, job.error = "done", 1.0, None, False, None

    def retry_later(self, job: ModelJob, at: datetime) -> None:
        if job.cancel_asked_by is not None:
            self.cancelled(job)
            return
        job.state, job.not_before, job.lease_until = "queued", at, None
        job.retries += 1

    def cancelled(self, job: ModelJob) -> None:
        self.end(job, "cancelled", f"cancelled by {job.cancel_asked_by or 'its process'}")

    def interrupt(self, job: ModelJob, reason: str) -> None:
        if job.cancel_asked_by is not None:
            self.cancelled(job)
            return
        job.stalls = 0 if job.moved else job.stalls + 1
        job.state, job.lease_until = "interrupted", None
        if job.stalls >= STALLS:
            self.end(
                job,
                "failed",
                f"{reason}; {STALLS} attempts in a row came no further, so it is not tried again",
            )

    def end(self, job: ModelJob, state: str, error: str, cause: int | None = None) -> None:
        """End a job, then those that need it, then those that need these: each for whom it hears of first."""
        wave = [(job, state, error, cause)]
        while wave:
            for one, how, why, whom in wave:
                one.state, one.error, one.cancelled_for = how, why, whom
                one.lease_until = one.not_before = None
            heard: dict[int, int] = {}
            for ended, *_ in wave:
                for one in self.jobs.values():
                    if ended.id in one.needs and one.state in {"queued", "interrupted"}:
                        heard.setdefault(one.id, ended.id)
            wave = [(self.jobs[one], "cancelled", self.reason(whom), whom) for one, whom in heard.items()]

    def reason(self, cause: int) -> str:
        word = "failed" if self.jobs[cause].state == "failed" else "was cancelled"
        return f"job {cause}, which it waits for, {word}"

    def cancel(self, job: ModelJob, actor: str) -> None:
        if job.state in {"queued", "interrupted"}:
            self.end(job, "cancelled", f"cancelled by {actor}")
        elif job.state == "running" and job.cancel_asked_by is None:
            job.cancel_asked_by = actor

    def revive(self, job: ModelJob, *, fresh: bool) -> tuple[int, bool]:
        if job.state not in {"failed", "cancelled", "interrupted"}:
            return job.id, False
        first = self.rival(job.key, exclusive=job.exclusive, besides=job.id)
        if first is not None:
            return first, False
        for needed in sorted(job.needs):
            if self.jobs[needed].state in {"failed", "cancelled"}:
                again, _ = self.revive(self.jobs[needed], fresh=False)
                job.needs = (job.needs - {needed}) | {again}
        first = self.rival(job.key, exclusive=job.exclusive, besides=job.id)
        if first is not None:
            return first, False
        self._queue(job, fresh=fresh)
        self._bring_back(job)
        return job.id, True

    def _queue(self, job: ModelJob, *, fresh: bool) -> None:
        job.state, job.error, job.not_before, job.fresh = "queued", None, None, fresh
        job.cancel_asked_by = job.cancelled_for = None
        job.stalls = job.retries = 0
        if fresh:
            job.progress, job.furthest, job.checkpoint, job.figures = 0.0, 0.0, None, {}

    def _bring_back(self, needed: ModelJob) -> None:
        back = {needed.id}
        while waiting := [
            one for one in self.jobs.values() if one.state == "cancelled" and one.cancelled_for in back
        ]:
            job = min(waiting, key=lambda one: one.id)
            other = self.hindrance(job)
            first = self.rival(job.key, exclusive=job.exclusive, besides=job.id)
            if other is not None:
                job.cancelled_for, job.error = other, self.reason(other)
            elif first is not None:
                job.cancelled_for, job.error = None, f"job {first} does this now"
            else:
                self._queue(job, fresh=False)
                back.add(job.id)
