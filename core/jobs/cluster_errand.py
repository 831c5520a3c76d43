"""One training that is carried out on a worker of the cluster, from its dispatcher's side."""

import logging
import threading
import time
from pathlib import Path
from typing import Final

from core.errors import Cancelled, CoreError
from core.jobs.cluster_client import Cluster, ClusterGone, Sent
from core.jobs.cluster_post import Post, Receiver
from core.jobs.cluster_worker import Answer, Order, release
from core.jobs.workers import KILLED_AFTER
from core.workflows.learn import Learned, whole_outcome
from core.workflows.reporting import Reports
from core.workflows.training_plan import TrainingPlan

POSTS: Final = "cluster"
"""Below a job's folder: a folder an attempt, with what is said there."""

_POLL_S: Final = 0.1

_log = logging.getLogger(__name__)


class Errand:
    """A training that a worker is sent; `learn` takes the place of `core.workflows.learn.learn`.

    Parameters
    ----------
    cluster
        The connection.
    worker
        Address of the worker, which has no other training.
    """

    def __init__(self, cluster: Cluster, worker: str) -> None:
        self._cluster, self._worker = cluster, worker
        self._sent: Sent | None = None
        self._recalled, self._left = threading.Event(), threading.Event()
        self._why = ""
        self._used: tuple[float | None, float | None] = (None, None)

    def recall(self, why: str) -> None:
        """End the training from another thread; it waits to go on."""
        if not self._recalled.is_set():
            self._why = why
            self._recalled.set()

    @property
    def over(self) -> bool:
        """Whether the worker has nothing to do with it any more; its job may still be registered."""
        return self._left.is_set() and (self._sent is None or self._sent.state != "on its way")

    def leave(self) -> None:
        """Note that nothing will be sent, or sent again."""
        self._left.set()

    def forget(self) -> None:
        """Tell the scheduler that nobody waits for it."""
        if self._sent is not None:
            self._sent.forget()

    def usage(self) -> tuple[float | None, float | None]:
        """Return memory (MB) and CPU time (s) of the worker, as last told."""
        return self._used

    def learn(
        self, plan: TrainingPlan, root: Path, folder: Path, reports: Reports, *, attempt: int
    ) -> Learned:
        """Have a plan carried out, and return what was left in `folder`; see `core.workflows.learn.learn`.

        Raises
        ------
        Cancelled
            The training was told to end, or its worker is lost: it goes on from what it kept.
        CoreError, WarehouseError
            Why it can't be trained.
        """
        known = whole_outcome(folder, plan)
        if known is not None:
            reports.log("the model is there already: going on to its registration")
            return known
        posts = folder.parent / POSTS
        for earlier in posts.glob("attempt-*"):
            Post(earlier).cancel()  # its worker may never have heard that it was given up
        post = Post(posts / f"attempt-{attempt}")
        post.open()
        order = Order(
            release=release(),
            root=str(root),
            plan=plan.to_json(),
            folder=str(folder),
            checkpoints=None if reports.checkpoints is None else str(reports.checkpoints),
            post=str(post.folder),
        )
        self._sent = self._cluster.send(order.text(), f"telltale-{post.folder.resolve()}", self._worker)
        try:
            reports.log(f"sent to {self._worker}")
            self._wait(self._sent, post, reports)
            return self._learned(self._sent, plan, folder)
        finally:
            self.leave()

    def _wait(self, sent: Sent, post: Post, reports: Reports) -> None:
        """Hand on what is told until the training is over there.

        Raises
        ------
        Cancelled
            It was told to end, here or by `recall`.
        """
        receiver = Receiver(post, reports, self._note)
        try:
            while sent.state == "on its way":
                receiver.hand_on()
                reports.check()
                self._go_on()
            receiver.hand_on()
        except Cancelled:
            post.cancel()
            self._see_off(sent)
            raise

    def _go_on(self) -> None:
        if self._recalled.wait(_POLL_S):
            raise Cancelled(self._why)

    def _see_off(self, sent: Sent) -> None:
        """Give a worker a moment to end what was cancelled, and have one restarted that does not."""
        deadline = time.monotonic() + KILLED_AFTER.total_seconds()
        while sent.state == "on its way" and time.monotonic() < deadline:
            if self._recalled.wait(_POLL_S):
                return  # there is no worker to wait for, or no time
        if sent.state == "on its way":
            # It takes seconds, which the job, cancelled by now, does not wait for.
            threading.Thread(target=self._restart, name=f"restart of {self._worker}", daemon=True).start()

    def _restart(self) -> None:
        done = self._cluster.restart(self._worker)
        told = "was restarted" if done else "gets no other before it has: it has no nanny to restart it"
        _log.warning("%s did not end a cancelled training and %s", self._worker, told)

    def _learned(self, sent: Sent, plan: TrainingPlan, folder: Path) -> Learned:
        if sent.state == "lost":
            raise Cancelled(f"{self._worker} is lost")
        if sent.state == "failed":
            raise CoreError(f"{self._worker} failed: {_why(sent.trouble())}") from sent.trouble()
        try:
            answer = Answer.of(sent.answer())
        except ClusterGone as error:
            raise Cancelled(str(error)) from error
        if answer.ending == "refused":
            raise answer.refusal()
        if answer.ending != "learned":
            raise Cancelled(f"{self._worker} ended it: {answer.message}")
        learned = whole_outcome(folder, plan)
        if learned is None:
            raise Cancelled(f"what {self._worker} learned can't be read here in {folder}")
        return learned

    def _note(self, memory_mb: float, cpu_s: float) -> None:
        self._used = (memory_mb, cpu_s)


def _why(trouble: BaseException) -> str:
    if isinstance(trouble, ImportError):
        return f"{trouble}; install this release of telltale[cluster] there"
    return f"{type(trouble).__name__}: {trouble}"
