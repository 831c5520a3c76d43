"""Training many, and what a person does with jobs, from the command line."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command_line import ROOT, telltale, write_spacecraft

from app.commands import entry
from core.jobs.supervisor import supervisor_alive
from warehouse.home import Warehouse

WAIT_S = 120.0
Here = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with two channels; the training part of T-1 never changes."""
    folder = tmp_path_factory.mktemp("channels")
    archive, labels = write_spacecraft(folder, constant=True)
    done = telltale(folder / "home", "ingest", "smap-msl", str(archive), "--labels", str(labels))
    assert done.returncode == 0, done.stderr
    return folder / "home"


@pytest.fixture
def home(tmp_path: Path, built: Path) -> Path:
    shutil.copytree(built, tmp_path / "home")
    return tmp_path / "home"


def begun(home: Path, *arguments: str, **extra: str) -> subprocess.Popen[str]:
    """Start a command of Telltale's and let it run."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TELLTALE_")}
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=home.parent,
        env={**environment, "PYTHONPATH": str(ROOT), "TELLTALE_HOME": str(home), **extra},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def until(condition: Callable[[], object]) -> None:
    pause, ends = threading.Event(), time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < ends
        pause.wait(0.05)


@pytest.fixture
def supervised(home: Path) -> Iterator[Warehouse]:
    """The home with a supervisor and two training workers."""
    warehouse = Warehouse.open(home)
    process = begun(home, "-m", "core.jobs.supervisor", "--home", str(home), "--workers", "2")
    until(lambda: supervisor_alive(warehouse.layout))
    yield warehouse
    process.terminate()
    process.communicate(timeout=30)
    warehouse.close()


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    """Run a command in this process, which saves the start of another."""

    def run(home: Path, *arguments: str, **extra: str) -> tuple[int, str, str]:
        for name in [name for name in os.environ if name.startswith("TELLTALE_")]:
            monkeypatch.delenv(name)
        for name, value in {"TELLTALE_HOME": str(home), **extra}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["telltale", *arguments])
        with pytest.raises(SystemExit) as ended:
            entry.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run


def trained(warehouse: Warehouse) -> list[int]:
    return [one.sensor_id for one in warehouse.catalog.versions() if one.kind == "trained"]


@pytest.mark.learned
def test_a_sensor_that_fails_is_named_at_the_end_and_hides_no_other(home: Path) -> None:
    done = telltale(home, "train", "--all", "--preset", "telemanom", "--set", "epochs=1")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[0].startswith("P-1/telemetry: registered as version 1 and in production")
    assert lines[1] == "T-1/telemetry: failed"
    told = [line for line in done.stderr.splitlines() if line.startswith("telltale: ")]
    assert told[0].startswith("telltale: T-1/telemetry: all 720 readings of its training part are -1")
    assert told[1] == "telltale: 1 of 2 came to nothing; `telltale jobs retry --batch 1` tries them again"
    # What was learned was put to use, without another command.
    scored = telltale(home, "jobs", "list", "--kind", "score", "--sensor", "P-1").stdout.splitlines()
    assert scored[0].split()[:4] == ["3", "done", "Scoring", "P-1/telemetry"]

    nothing = telltale(home, "train", "--all", "--only", "stale", "--preset", "quick")
    assert (nothing.returncode, nothing.stdout) == (0, "Nothing to train: none of these sensors is stale.\n")
    failing = telltale(home, "train", "--all", "--only", "failing", "--preset", "quick")
    assert failing.returncode == 0, failing.stderr
    assert failing.stdout.startswith("T-1/telemetry: registered as version 1")
    assert "P-1" not in failing.stdout

    shown = telltale(home, "jobs", "show", "2").stdout
    assert "Training, telemanom" in shown
    assert "attempt 1 is done" in shown


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            ("train", "P-1", "--preset", "quick", "--set", "gap=-1"),
            "--set gap: Merge events closer than must be",
        ),
        (("train", "P-1", "--preset", "quick", "--set", "gap=wide"), "--set gap: 'wide' is no number"),
        (("train", "P-1", "--preset", "quick", "--set", "gap"), "--set takes NAME=VALUE"),
        (
            ("train", "P-1", "--preset", "quick", "--set", "gap=1", "--set", "gap=2"),
            "--set gap was given twice",
        ),
        (
            ("train", "P-1", "--preset", "quick", "--set", "depth=1"),
            "no parameter 'depth'; it has share, gap",
        ),
        (("train", "--all", "--only", "some"), "--only must be one of all, never"),
        (("jobs", "show", "99"), "there is no job 99"),
        (("jobs", "cancel", "99"), "there is no job 99"),
        (("jobs", "cancel", "1"), "job 1 is over already: done"),
        (("jobs", "cancel"), "name a job by its number, or a batch"),
        (("jobs", "resume", "1"), "job 1 stays as it is: done"),
        (("jobs", "retry", "--batch", "9"), "there is no batch 9"),
        (("jobs", "list", "--state", "odd"), "--state must be one of queued"),
        (("jobs", "list", "--kind", "odd"), "--kind must be one of train"),
        (("validate", "P-1"), "train one first"),
        (("validate", "P-1", "--version", "1"), "name versions, or sensors, not both"),
        (("backtest", "P-1", "--folds", "99"), "folds must be from 2 to 20"),
        (("schedule", "add", "0 2 * *"), "is no cron expression"),
        (("schedule", "add", "0 2 * * *", "--zone", "Mars/Base"), "no time zone 'Mars/Base'"),
        (("schedule", "remove", "7"), "there is no schedule 7"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_and_nothing_is_queued(
    built: Path, here: Here, arguments: tuple[str, ...], complaint: str
) -> None:
    status, _, told = here(built, *arguments)
    assert status == 1
    (line,) = told.splitlines()
    assert line.startswith("telltale: ")
    assert complaint in line
    warehouse = Warehouse.open(built)
    assert [job.kind for job in warehouse.jobs.list()] == ["score"]  # of the ingest
    warehouse.close()


def test_a_batch_that_is_stopped_by_the_keyboard_says_how_it_goes_on_and_does(home: Path) -> None:
    running = begun(home, "-m", "app.commands.entry", "train", "--all", "--preset", "quick")
    assert running.stderr is not None
    first = running.stderr.readline()
    assert first.startswith("Training 2 sensors"), first
    running.send_signal(signal.SIGINT)
    _, rest = running.communicate(timeout=WAIT_S)
    assert running.returncode == 130  # as a shell has it
    assert "telltale: `telltale jobs resume --batch 1` goes on with all of it" in rest
    warehouse = Warehouse.open(home)
    left = [job for job in warehouse.jobs.list(kind="train") if job.state in {"queued", "interrupted"}]
    assert left
    assert "Traceback" not in rest

    done = telltale(home, "jobs", "resume", "--batch", "1")
    assert done.returncode == 0, done.stderr
    assert sorted(trained(warehouse)) == sorted(set(trained(warehouse)))
    assert len(trained(warehouse)) == 2
    assert {job.state for job in warehouse.jobs.list()} == {"done"}
    assert telltale(home, "jobs", "resume", "--batch", "1").stdout == "Nothing of batch 1 is left to do.\n"
    warehouse.close()


def test_without_waiting_the_work_is_left_with_a_word_on_who_does_it(home: Path, here: Here) -> None:
    status, said, _ = here(home, "train", "--all", "--preset", "quick", "--no-wait")
    assert status == 0
    assert "Queued as batch 1" in said
    assert "start the app, or `telltale jobs resume --batch 1`" in said
    assert len(here(home, "jobs", "list", "--state", "queued")[1].splitlines()) == 4
    assert here(home, "jobs", "cancel", "--batch", "1")[0] == 0
    assert "cancelled by" in here(home, "jobs", "show", "2")[1]
    again = telltale(home, "jobs", "retry", "--batch", "1")
    assert again.returncode == 0, again.stderr
    assert again.stdout.count("registered as version 1") == 2
    cloned = here(home, "jobs", "clone", "2", "--no-wait")[1]
    assert "`telltale jobs resume 6`" in cloned
    shown = here(home, "jobs", "clone", "2", "--no-wait")[1]
    assert shown.startswith("Job 6 of ")


def test_versions_are_validated_and_a_preset_is_backtested(home: Path) -> None:
    assert telltale(home, "train", "P-1", "--preset", "quick").returncode == 0
    judged = telltale(home, "validate", "--all")
    assert judged.returncode == 0, judged.stderr
    assert "P-1/telemetry version 1" in judged.stdout
    tested = telltale(home, "backtest", "P-1", "--preset", "quick", "--folds", "2")
    assert tested.returncode == 0, tested.stderr
    assert "Fold 2: " in tested.stdout


def test_a_supervisor_s_workers_share_a_batch_and_the_command_watches(
    supervised: Warehouse, home: Path
) -> None:
    done = telltale(home, "train", "--all", "--preset", "quick", TELLTALE_PROFILE="ada")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("registered as version 1") == 2
    jobs = supervised.jobs.list(kind="train")
    assert len({job.pid for job in jobs} - {os.getpid()}) >= 1
    assert {job.state for job in supervised.jobs.list()} == {"done"}


def test_who_asks_second_is_shown_the_first_and_waits_for_it(supervised: Warehouse, home: Path) -> None:
    commands = [
        begun(home, "-m", "app.commands.entry", "train", "P-1", "--preset", "standard", TELLTALE_PROFILE=name)
        for name in ("ada", "bob")
    ]
    answers = [one.communicate(timeout=WAIT_S) for one in commands]
    assert [one.returncode for one in commands] == [0, 0], answers
    assert all("P-1/telemetry: registered as version 1" in out for out, _ in answers)
    (line,) = [out.splitlines()[0] for out, _ in answers if "is being trained already by" in out]
    (job,) = supervised.jobs.list(kind="train")
    assert f"P-1/telemetry is being trained already by {job.actor}: job {job.id} (" in line
    assert len(trained(supervised)) == 1


def test_schedules_are_added_listed_rested_and_removed(home: Path, here: Here) -> None:
    sundays = ("add", "0 2 * * SUN", "P-1", "--title", "Sundays", "--only", "stale")
    assert here(home, "schedule", *sundays)[1].startswith("Schedule 1: At 02:00 on Sunday (UTC), next ")
    assert "Sundays" in here(home, "schedule", "list")[1]
    assert here(home, "schedule", "pause", "1")[:2] == (0, "Sundays rests.\n")
    assert ", paused, " in here(home, "schedule", "list")[1]
    assert "goes on, next " in here(home, "schedule", "resume", "1")[1]
    assert here(home, "schedule", "remove", "1")[0] == 0
    assert "Nothing is scheduled" in here(home, "schedule", "list")[1]


@pytest.mark.parametrize(
    "arguments",
    [
        ("train", "P-1", "--preset", "quick"),
        ("jobs", "cancel", "1"),
        ("jobs", "clone", "1"),
        ("backtest", "P-1"),
        ("schedule", "add", "0 2 * * *"),
    ],
)
def test_a_viewer_starts_and_ends_nothing(built: Path, here: Here, arguments: tuple[str, ...]) -> None:
    status, _, told = here(built, *arguments, TELLTALE_ROLE="viewer")
    assert (status, "that takes trainer" in told) == (1, True)
