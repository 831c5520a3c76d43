"""Real trainings that a person cancels or stops, and that go on from where they were."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
from running import TELLTALE, Telltale, bare_environment, free_port, gone, wait_for
from training_batch import (
    EPOCHS,
    ask_trainings,
    epochs_by_attempt,
    home_with_pumps,
    lines,
    processes_of,
    real_clock,
    repeated,
    require_whole,
)

from warehouse.jobs import Job

pytestmark = [pytest.mark.learned, pytest.mark.timeout(900)]


@pytest.fixture
def home(tmp_path: Path):
    warehouse = home_with_pumps(tmp_path / "home", 1)
    yield warehouse
    warehouse.close()


def seen(home, job: Job) -> Job:
    return home.jobs.get(job.id)


def cancelled_after_s(home, job: Job) -> float:
    asked = time.monotonic()
    home.jobs.cancel(job.id, actor="bob", at=real_clock())
    assert seen(home, job).cancel_asked_at is not None  # what a page shows at once
    assert wait_for(lambda: seen(home, job).state == "cancelled", 20)
    assert seen(home, job).error == "cancelled by bob"
    return time.monotonic() - asked


def test_a_training_is_cancelled_while_it_loads_and_while_it_learns_and_goes_on(home, record_property):
    with Telltale(home.root, TELLTALE_WORKERS="1") as telltale:
        telltale.up()
        _, (job,) = ask_trainings(home)
        assert wait_for(lambda: "loading" in seen(home, job).message)
        loading_s = cancelled_after_s(home, job)
        home.jobs.resume(job.id, actor="bob", at=real_clock())
        assert wait_for(lambda: (seen(home, job).checkpoint or 0) >= 2, 120)
        worker = seen(home, job).pid
        learning_s = cancelled_after_s(home, job)
        home.jobs.resume(job.id, actor="bob", at=real_clock())
        assert wait_for(lambda: seen(home, job).ended, 120)
        assert seen(home, job).state == "done"
        family = telltale.family()
    assert gone(family)
    assert loading_s < 5
    assert learning_s < 2
    assert seen(home, job).pid == worker, "a training that asks ends without its process"
    first, second = epochs_by_attempt(lines(home, job.id))
    assert (first[0], second[-1]) == (1, EPOCHS)
    assert repeated(lines(home, job.id))[0] <= 1
    require_whole(home, [job])
    record_property("a training that loads is cancelled after, s", f"{loading_s:.2f}")
    record_property("a training that learns is cancelled after, s", f"{learning_s:.2f}")


def test_a_command_that_trains_is_stopped_by_ctrl_c_and_the_app_goes_on(home, tmp_path):
    environment = bare_environment(home.root, free_port())
    arguments = ["train", "Pump 1/flow", "--preset", "telemanom", "--set", f"epochs={EPOCHS}"]
    with (tmp_path / "out").open("wb") as output:
        command = subprocess.Popen(
            [*TELLTALE, *arguments], env=environment, stdout=output, stderr=output, stdin=subprocess.DEVNULL
        )
    try:
        assert wait_for(lambda: [one for one in home.jobs.running() if (one.checkpoint or 0) >= 2], 120)
        (job,) = home.jobs.running(command.pid)
        assert job.memory_mb is not None, "it gives signs of life as a worker does"
        os.kill(command.pid, signal.SIGINT)
        assert command.wait(20) == 130
    finally:
        command.kill()
        command.wait()
    assert seen(home, job).state == "interrupted"
    told = " ".join((tmp_path / "out").read_text().split())
    assert re.search(
        rf"job {job.id} was interrupted .* `telltale jobs resume {job.id}` .* after step \d+", told
    )
    assert "Traceback" not in told
    assert processes_of(home.root) == []
    with Telltale(home.root, TELLTALE_WORKERS="1") as telltale:
        telltale.up()
        assert wait_for(lambda: seen(home, job).ended, 200)
    assert (seen(home, job).state, seen(home, job).attempt) == ("done", 2)
    assert repeated(lines(home, job.id))[0] <= 1
    require_whole(home, [job])


def test_a_closed_app_goes_on_where_it_was_when_it_is_opened_again(home):
    _, (job,) = ask_trainings(home)
    with Telltale(home.root, TELLTALE_WORKERS="1") as telltale:
        telltale.up()
        assert wait_for(lambda: (seen(home, job).checkpoint or 0) >= 2, 120)
        assert telltale.stop() == 0
    assert seen(home, job).state == "interrupted"
    with Telltale(home.root, TELLTALE_WORKERS="1") as telltale:
        telltale.up()
        assert wait_for(lambda: seen(home, job).ended, 120)
    assert (seen(home, job).state, seen(home, job).attempt) == ("done", 2)
    assert repeated(lines(home, job.id))[0] <= 1
    require_whole(home, [job])
