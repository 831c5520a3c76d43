"""A training elsewhere from its dispatcher's side, with a cluster of the test's own in place of Dask."""

import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest
from distributed import KilledWorker

from core.errors import Cancelled, CoreError, JobError
from core.jobs import cluster_errand
from core.jobs.cluster_client import Cluster, ClusterGone, Sent
from core.jobs.cluster_errand import Errand
from core.jobs.cluster_post import Post
from core.jobs.cluster_worker import Answer, learn_there
from core.workflows.ingest import ingest
from core.workflows.reporting import Reports
from core.workflows.requests import TrainRequest
from core.workflows.training_plan import TrainingPlan, plan
from warehouse.errors import IntegrityError
from warehouse.home import Warehouse

sys.path.append(str(Path(__file__).parents[1] / "workflows"))

from one_pump import batch, clock, pump

WORKER = "tcp://10.0.0.7:40000"


@dataclass
class Order:
    """An order in the twin's hands."""

    state: str = "on its way"
    said: str = ""
    error: Exception | None = None

    def answer(self) -> str:
        if self.error is not None:
            raise self.error
        return self.said

    def trouble(self) -> BaseException:
        assert self.error is not None
        return self.error

    def forget(self) -> None:
        self.state = "lost"


@dataclass
class Twin:
    """One worker in a thread of the test; `act` gets the order's text, its post, and the order itself."""

    act: Callable[[str, Order], None]
    sent: list[Order] = field(default_factory=list)
    restarted: threading.Event = field(default_factory=threading.Event)

    def send(self, text: str, name: str, worker: str) -> Order:
        assert (worker, name.startswith("telltale-")) == (WORKER, True)
        order = Order()
        self.sent.append(order)
        threading.Thread(target=self.act, args=(text, order), daemon=True).start()
        return order

    def restart(self, worker: str) -> bool:
        assert worker == WORKER
        self.restarted.set()
        return True


def really(text: str, order: Order) -> None:
    order.said = learn_there(text)
    order.state = "answered"


def never(text: str, order: Order) -> None:
    """Do nothing, as a worker that is stuck."""


@pytest.fixture
def planned(warehouse: Warehouse) -> TrainingPlan:
    ingest(batch(*pump(500)), warehouse=warehouse, clock=clock, actor="ada")
    return plan(TrainRequest(warehouse.catalog.find_sensor("Pump/flow").id, "quick"), warehouse)


def learned(twin: Twin, planned: TrainingPlan, warehouse: Warehouse, *, attempt: int = 1, **reports):
    errand = Errand(twin, WORKER)
    return errand, lambda: errand.learn(
        planned, warehouse.root, job_folder(warehouse) / "learned", Reports(**reports), attempt=attempt
    )


def job_folder(warehouse: Warehouse) -> Path:
    return warehouse.layout.checkpoints / "job-1"


def test_what_was_learned_there_is_there_and_told_here(warehouse: Warehouse, planned: TrainingPlan) -> None:
    told, log = [], []
    twin = Twin(really)
    errand, run = learned(
        twin, planned, warehouse, progress=lambda _, message: told.append(message), log=log.append
    )
    assert run().figures.steps > 0
    assert log == [f"sent to {WORKER}"]
    assert told[0] == "Reading Pump/flow"
    assert errand.usage()[0] > 1
    assert errand.over
    # What an earlier attempt left whole is not learned again.
    learned(twin, planned, warehouse, attempt=2)[1]()
    assert len(twin.sent) == 1


def test_a_worker_that_is_lost_leaves_the_training_to_another(
    warehouse: Warehouse, planned: TrainingPlan
) -> None:
    errand, run = learned(Twin(never), planned, warehouse)
    with ThreadPoolExecutor() as pool:
        running = pool.submit(run)
        errand.recall(f"{WORKER} is gone")
        with pytest.raises(Cancelled, match="is gone"):
            running.result(10)
    # Should it live after all, it hears that it is over.
    assert Post(job_folder(warehouse) / "cluster" / "attempt-1").cancelled


def test_an_attempt_that_was_given_up_ends_when_the_next_begins(
    warehouse: Warehouse, planned: TrainingPlan
) -> None:
    first = Post(job_folder(warehouse) / "cluster" / "attempt-1")
    first.open()
    learned(Twin(really), planned, warehouse, attempt=2)[1]()
    assert first.cancelled
    assert not Post(job_folder(warehouse) / "cluster" / "attempt-2").cancelled


@pytest.mark.parametrize("state", ["lost", "unreadable"])
def test_an_answer_that_is_lost_interrupts(warehouse: Warehouse, planned: TrainingPlan, state: str) -> None:
    def act(text: str, order: Order) -> None:
        order.error = ClusterGone("the answer is lost")
        order.state = "lost" if state == "lost" else "answered"

    with pytest.raises(Cancelled, match="lost"):
        learned(Twin(act), planned, warehouse)[1]()


@pytest.mark.parametrize(
    ("answer", "raised", "words"),
    [
        (Answer("refused", "IntegrityError", "a.parquet is damaged"), IntegrityError, "a.parquet"),
        (Answer("refused", "ConstantSignal", "Pump/flow never changes"), CoreError, "never changes"),
        (Answer("unable", message="it does not see /home"), Cancelled, f"{WORKER} ended it: .*does not see"),
        (Answer("lost", message="another had begun it"), Cancelled, "had begun"),
        (Answer("learned"), Cancelled, "can't be read here"),
    ],
)
def test_how_it_ended_there_decides_what_becomes_of_the_job(
    warehouse: Warehouse, planned: TrainingPlan, answer: Answer, raised: type[Exception], words: str
) -> None:
    def act(text: str, order: Order) -> None:
        order.said, order.state = answer.text(), "answered"

    with pytest.raises(raised, match=words):
        learned(Twin(act), planned, warehouse)[1]()


def test_a_worker_without_telltale_is_told_of(warehouse: Warehouse, planned: TrainingPlan) -> None:
    def act(text: str, order: Order) -> None:
        order.error, order.state = ModuleNotFoundError("No module named 'core'"), "failed"

    with pytest.raises(CoreError, match=r"No module named 'core'; install .* telltale\[cluster\] there"):
        learned(Twin(act), planned, warehouse)[1]()


def test_a_cancelled_training_that_does_not_end_has_its_worker_restarted(
    warehouse: Warehouse, planned: TrainingPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_errand, "KILLED_AFTER", cluster_errand.KILLED_AFTER / 10)

    def check() -> bool:
        raise Cancelled("job 1 was cancelled")

    twin = Twin(never)
    errand, run = learned(twin, planned, warehouse, check=check)
    with pytest.raises(Cancelled, match="was cancelled"):
        run()
    assert twin.restarted.wait(10)
    assert not errand.over  # its worker gets no other training before it has ended this one
    twin.sent[0].state = "lost"
    assert errand.over


@pytest.mark.parametrize(
    ("status", "error", "state"),
    [
        ("pending", None, "on its way"),
        ("finished", None, "answered"),
        ("error", ZeroDivisionError("a defect"), "failed"),
        ("error", KilledWorker("telltale-1", None, 0), "lost"),
        ("cancelled", None, "lost"),
        ("lost", None, "lost"),
    ],
)
def test_what_dask_says_of_an_order(status: str, error: Exception | None, state: str) -> None:
    future = SimpleNamespace(status=status, exception=lambda **_: error)
    assert Sent(future, WORKER).state == state


def test_without_dask_the_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(JobError, match=r"pip install 'telltale\[cluster\]'"):
        Cluster("tcp://127.0.0.1:8786", None)
