"""Whatever people ask and processes do, in whatever order, the job table does what plain Python does."""

import os
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from job_model import OPEN, Model, ModelJob

from warehouse.jobs import Asked, Job, Jobs

START = datetime(2026, 5, 1, 12, tzinfo=UTC)
LEASE = timedelta(seconds=15)
KINDS = ("train", "score")

kinds = st.sampled_from(KINDS)
keys = st.sampled_from([None, None, "a", "b"])
actors = st.sampled_from(["ada", "bob"])
any_one = st.integers(0, 50)
seconds = st.sampled_from([0, 0, 5, 20]).map(lambda count: timedelta(seconds=count))
needs = st.one_of(st.just(set()), st.just(set()), st.sets(any_one, max_size=2))
asks = st.tuples(kinds, keys, st.booleans(), st.integers(0, 2), needs)
# What a process does with a job, and a step, a quarter or seconds to do it with.
Deed = tuple[str, int]
deeds = st.tuples(
    st.sampled_from(
        ["work", "keep", "beat", "figure", "finish", "fail", "later", "cancelled", "interrupt", "interrupt"]
    ),
    st.integers(0, 4),
)


class JobTable(RuleBasedStateMachine):
    """Jobs on one side and `job_model` on the other.

    `held` is every job as some process once claimed it: those that lost it try to write as well.
    """

    @initialize(first=st.lists(asks, min_size=2, max_size=5))
    def open(self, first: list[tuple[str, str | None, bool, int, set[int]]]) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.jobs = Jobs(Path(self.folder.name) / "jobs.sqlite")
        self.model = Model()
        self.held: list[Job] = []
        self.now = START
        for one in first:
            self.ask(one)

    def teardown(self) -> None:
        self.jobs.close()
        self.folder.cleanup()

    def pick(self, number: int) -> ModelJob:
        return self.model.jobs[1 + number % len(self.model.jobs)]

    def same(self, asked: Asked, expected: tuple[int, bool]) -> None:
        assert (asked.job.id, asked.new) == expected

    # Time, and what people do.

    @rule(by=seconds)
    def time_passes(self, by: timedelta) -> None:
        self.now += by

    @rule(what=asks)
    def ask(self, what: tuple[str, str | None, bool, int, set[int]]) -> None:
        kind, key, exclusive, priority, needs = what
        needed = {self.pick(one).id for one in needs} if self.model.jobs else set()
        asked = self.jobs.ask(
            kind,
            {},
            actor="ada",
            at=self.now,
            key=key,
            exclusive=exclusive,
            priority=priority,
            needs=sorted(needed),
        )
        self.same(asked, self.model.ask(kind, key, exclusive=exclusive, priority=priority, needs=needed))

    @rule(which=any_one, do=st.sampled_from(["cancel", "cancel", "resume", "retry", "clone"]), actor=actors)
    def decide(self, which: int, do: str, actor: str) -> None:
        job = self.pick(which)
        found = getattr(self.jobs, do)(job.id, actor=actor, at=self.now)
        if do == "cancel":
            self.model.cancel(job, actor)
            assert found.state == job.state
        elif do == "clone":
            expected = self.model.ask(
                job.kind, job.key, exclusive=job.exclusive, priority=job.priority, needs=()
            )
            self.same(found, expected)
        else:
            self.same(found, self.model.revive(job, fresh=do == "retry"))

    # What processes do.

    @rule(
        only=st.sampled_from([None, None, KINDS, ("score",)]),
        which=st.one_of(st.none(), st.none(), st.none(), any_one),
        does=st.lists(deeds, max_size=4),
    )
    def run(self, only: tuple[str, ...] | None, which: int | None, does: list[Deed]) -> None:
        """Claim a job, get on with it, and end it or leave it running."""
        self.run_one(only, None if which is None else self.pick(which).id, does)

    def run_one(self, only: tuple[str, ...] | None, wanted: int | None, does: list[Deed]) -> None:
        claimable = self.model.claimable(self.now, only or KINDS)
        expected = [one for one in claimable if wanted in {None, one}][:1]
        job = self.jobs.claim(1, self.now, job_id=wanted, kinds=only, lease=LEASE)
        assert ([] if job is None else [job.id]) == expected
        if job is None:
            return
        model = self.model.claim(job.id, self.now + LEASE)
        assert (job.attempt, job.fresh) == (model.attempt, model.fresh)
        self.held.append(job)
        for deed in does:
            self.do(job, deed)

    @rule(which=any_one, kills=st.integers(1, 4), reached=st.lists(st.integers(0, 4), min_size=1, max_size=2))
    def crash(self, which: int, kills: int, reached: list[int]) -> None:
        """Claim a job and let its process die, again and again."""
        for number in range(kills):
            before = len(self.held)
            self.run_one(
                None, self.pick(which).id, [("work", reached[number % len(reached)]), ("interrupt", 0)]
            )
            if len(self.held) == before:
                return

    @precondition(lambda self: self.held)
    @rule(which=any_one, deed=deeds)
    def go_on(self, which: int, deed: Deed) -> None:
        """Let a process do something with a job that it has, or had."""
        self.do(self.held[which % len(self.held)], deed)

    def do(self, job: Job, deed: Deed) -> None:
        name, number = deed
        model = self.model.jobs[job.id]
        if model.state != "running" or model.attempt != job.attempt:
            before = self.jobs.get(job.id)
            self.doings(job, number)[name]()
            assert self.jobs.get(job.id) == before
            return
        told = self.doings(job, number)[name]()
        assert told is True or name == "interrupt"
        {
            "work": lambda: self.model.progress(model, number / 4),
            "figure": lambda: model.figures.update({number: float(number)}),
            "beat": lambda: setattr(model, "lease_until", self.now + LEASE),
            "keep": lambda: self.model.checkpointed(model, number),
            "finish": lambda: self.model.finish(model),
            "fail": lambda: self.model.end(model, "failed", "constant"),
            "later": lambda: self.model.retry_later(model, self.now + timedelta(seconds=number)),
            "cancelled": lambda: self.model.cancelled(model),
            "interrupt": lambda: self.model.interrupt(model, "killed"),
        }[name]()

    def doings(self, job: Job, number: int) -> dict[str, Callable[[], object]]:
        jobs, now = self.jobs, self.now
        later = now + timedelta(seconds=number)
        return {
            "work": lambda: jobs.progress(job, number / 4, "", at=now),
            "figure": lambda: jobs.log_metric(job, number, "loss", number),
            "beat": lambda: jobs.beat(job, now + LEASE, memory_mb=None, cpu_s=None),
            "keep": lambda: jobs.checkpointed(job, number),
            "finish": lambda: jobs.finish(job, {}, now),
            "fail": lambda: jobs.fail(job, "constant", now),
            "later": lambda: jobs.fail(job, "locked", now, retry_at=later),
            "cancelled": lambda: jobs.cancelled(job, now),
            "interrupt": lambda: jobs.interrupt(job, "killed", now),
        }

    # What always holds.

    @invariant()
    def every_job_is_as_in_the_model(self) -> None:
        found = {job.id: job for job in self.jobs.list(limit=-1)}
        assert found.keys() == self.model.jobs.keys()
        for job in found.values():
            model = self.model.jobs[job.id]
            stored = (job.state, job.attempt, set(job.needs), job.not_before, job.lease_until, job.error)
            expected = (
                model.state,
                model.attempt,
                model.needs,
                model.not_before,
                model.lease_until,
                model.error,
            )
            assert stored == expected
            assert (job.progress, job.checkpoint, job.retries, job.fresh, job.cancel_asked_by) == (
                model.progress,
                model.checkpoint,
                model.retries,
                model.fresh,
                model.cancel_asked_by,
            )
            assert {one.step: one.value for one in self.jobs.metrics(job.id)} == model.figures

    @invariant()
    def an_exclusive_key_has_one_job_that_waits_or_runs(self) -> None:
        taken = [job.key for job in self.jobs.list(OPEN, limit=-1) if job.exclusive and job.key is not None]
        assert len(taken) == len(set(taken))

    @invariant()
    def nothing_waits_for_what_will_not_come(self) -> None:
        for job in self.jobs.list(OPEN, limit=-1):
            for needed in job.needs:
                found = self.jobs.get(needed)
                assert found is not None
                assert found.state in {*OPEN, "done"}

    @invariant()
    def only_whom_the_lease_left_is_abandoned(self) -> None:
        # Process 1 lives as long as the machine does.
        left = {job.id for job in self.jobs.abandoned(self.now)}
        assert left == {
            job.id
            for job in self.model.jobs.values()
            if job.lease_until is not None and job.lease_until < self.now
        }


TestJobTable = JobTable.TestCase
TestJobTable.settings = settings(
    max_examples=1000 if os.environ.get("TELLTALE_SOAK") else 80,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
