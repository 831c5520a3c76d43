"""One pass over watched folders: what is new, whole and good is stored, and nothing hides it."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.errors import Cancelled
from core.jobs.run import execute
from core.workflows import watch
from core.workflows.watch import arrivals, take
from warehouse import watched
from warehouse.errors import HomeError
from warehouse.home import Warehouse
from warehouse.sources.table_mapping import TableMapping

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
START = datetime(2026, 1, 1, tzinfo=UTC)


class Time:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Warehouse]:
    opened = Warehouse.open(tmp_path / "home")
    yield opened
    opened.close()


@pytest.fixture
def folder(tmp_path: Path, home: Warehouse) -> Path:
    """Return a watched folder."""
    place = tmp_path / "arrivals"
    place.mkdir()
    watch_folder(home, place)
    return place


def watch_folder(home: Warehouse, place: Path) -> None:
    mapping = TableMapping("time", None, "wide", asset=f"Pump {place.name}")
    watched.add(home.database, place, "*.csv", mapping, home=home.root, actor="anna", at=NOW)


def table(first: int = 0, rows: int = 5, value: float = 1.0) -> str:
    stamps = [START + timedelta(minutes=first + row) for row in range(rows)]
    return "time,flow\n" + "".join(f"{one:%Y-%m-%dT%H:%M:%SZ},{value}\n" for one in stamps)


def put(path: Path, content: str, age: timedelta = timedelta(minutes=5)) -> None:
    """Write a file whose last write was so long before NOW."""
    path.write_text(content)
    written = (NOW - age).timestamp()
    os.utime(path, (written, written))


def outcomes(home: Warehouse) -> dict[str, str]:
    found = watched.folders(home.database)
    return {one.name: one.outcome for each in found for one in watched.files(home.database, each.id)}


def stored(home: Warehouse) -> int:
    return int(home.telemetry.spans()["rows"].sum())


def test_files_that_match_are_taken_once(home: Warehouse, folder: Path, clock: Time) -> None:
    put(folder / "a.csv", table())
    put(folder / "b.csv", table(first=5))
    put(folder / "c.txt", table(first=10))
    done = take(home, clock=clock)
    assert [(one.name, one.added, one.error) for one in done.files] == [
        ("a.csv", 5, None),
        ("b.csv", 5, None),
    ]
    assert stored(home) == 10
    assert outcomes(home) == {"a.csv": "taken", "b.csv": "taken"}
    assert take(home, clock=clock).files == ()
    newest, _ = home.batches()
    assert (newest.origin, newest.actor, newest.added) == ("b.csv", "anna", 5)


def test_one_job_judges_what_a_pass_brought(home: Warehouse, folder: Path, clock: Time) -> None:
    put(folder / "a.csv", table(first=100))
    put(folder / "b.csv", table(first=20))
    done = take(home, clock=clock)
    (job,) = home.jobs.list(kind="score")
    assert done.scoring == job
    assert job.payload["since"] == (START + timedelta(minutes=20)).isoformat()
    assert job.payload["sensor_ids"] == [one.id for one in home.catalog.sensors()]


def test_a_pass_that_is_told_to_end_has_what_it_took_judged(
    home: Warehouse, folder: Path, clock: Time
) -> None:
    put(folder / "a.csv", table())
    put(folder / "b.csv", table(first=5))
    asked: list[bool] = []

    def check() -> bool:
        if asked:
            raise Cancelled("cancelled by anna")
        asked.append(True)
        return False

    with pytest.raises(Cancelled):
        take(home, clock=clock, check=check)
    assert stored(home) == 5
    assert len(home.jobs.list(kind="score")) == 1
    assert [one.name for one in take(home, clock=clock).files] == ["b.csv"]


def test_a_changed_file_is_taken_again(home: Warehouse, folder: Path, clock: Time) -> None:
    put(folder / "a.csv", table())
    take(home, clock=clock)
    put(folder / "a.csv", table(rows=7, value=2.0), timedelta(minutes=4))
    (file,) = take(home, clock=clock).files
    assert (file.added, file.replaced) == (2, 5)


def test_a_file_that_is_still_written_waits_until_it_stays_the_same(
    home: Warehouse, folder: Path, clock: Time
) -> None:
    put(folder / "a.csv", table(), timedelta(0))
    assert take(home, clock=clock).files == ()
    assert outcomes(home) == {"a.csv": "waiting"}
    put(folder / "a.csv", table(rows=6), timedelta(seconds=-2))
    clock.now += timedelta(seconds=5)
    assert take(home, clock=clock).files == ()
    clock.now += timedelta(seconds=5)
    assert [one.added for one in take(home, clock=clock).files] == [6]


def test_a_file_that_grows_while_it_is_read_is_taken_whole_by_the_next_pass(
    home: Warehouse, folder: Path, clock: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder / "a.csv", table())
    plainly = watch.ingest_table

    def while_written(path: Path, *arguments: object, **options: object) -> object:
        done = plainly(path, *arguments, **options)  # type: ignore[arg-type]
        put(path, table(rows=9), timedelta(minutes=1))
        return done

    monkeypatch.setattr(watch, "ingest_table", while_written)
    assert [one.added for one in take(home, clock=clock).files] == [5]
    monkeypatch.setattr(watch, "ingest_table", plainly)
    assert [one.added for one in take(home, clock=clock).files] == [4]
    assert take(home, clock=clock).files == ()


def test_a_bad_file_is_told_and_hides_no_other(home: Warehouse, folder: Path, clock: Time) -> None:
    put(folder / "a.csv", "no,table\n1,2\n")
    put(folder / "b.csv", table())
    put(folder / "c.csv", "")
    done = take(home, clock=clock)
    assert [one.error is None for one in done.files] == [False, True, False]
    assert stored(home) == 5
    (found,) = watched.folders(home.database)
    reasons = {one.name: one.error for one in watched.files(home.database, found.id)}
    assert reasons["a.csv"] == "a.csv: no column 'time'; the header has 'no', 'table'"
    assert str(reasons["c.csv"]).startswith("c.csv: is empty")
    assert "2 not taken: a.csv: no column 'time'" in done.summary
    # It is left alone until it changes or is asked for.
    assert arrivals(home, clock=clock) == ()
    assert [one.name for one in arrivals(home, clock=clock, again=True)] == ["a.csv", "c.csv"]
    put(folder / "a.csv", table(first=50), timedelta(minutes=1))
    assert [one.added for one in take(home, clock=clock).files] == [5]


def test_what_is_no_fault_of_the_file_is_tried_again(
    home: Warehouse, folder: Path, clock: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder / "a.csv", table())

    def full(*_: object, **__: object) -> None:
        raise HomeError("the disk is full")

    monkeypatch.setattr(watch, "ingest_table", full)
    assert [one.error for one in take(home, clock=clock).files] == ["a.csv: the disk is full"]
    assert outcomes(home) == {"a.csv": "failed"}
    monkeypatch.undo()
    assert take(home, clock=clock).files == ()
    clock.now += watch.RETRY
    assert [one.added for one in take(home, clock=clock).files] == [5]


def test_a_link_out_of_the_folder_is_not_followed(
    home: Warehouse, folder: Path, clock: Time, tmp_path: Path
) -> None:
    put(tmp_path / "secret.csv", table())
    (folder / "out.csv").symlink_to(tmp_path / "secret.csv")
    (folder / "dangling.csv").symlink_to(tmp_path / "gone.csv")
    (folder / "folder.csv").mkdir()
    os.mkfifo(folder / "pipe.csv")
    assert take(home, clock=clock).files == ()
    put(folder / "real.data", table())
    (folder / "in.csv").symlink_to(folder / "real.data")
    assert [one.name for one in take(home, clock=clock).files] == ["in.csv"]


def test_a_file_that_vanishes_meanwhile_is_no_failure(
    home: Warehouse, folder: Path, clock: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder / "a.csv", table())
    put(folder / "b.csv", table(first=5))
    plainly = watch.arrivals

    def then_gone(*arguments: object, **options: object) -> object:
        found = plainly(*arguments, **options)  # type: ignore[arg-type]
        (folder / "a.csv").unlink()
        return found

    monkeypatch.setattr(watch, "arrivals", then_gone)
    assert [one.name for one in take(home, clock=clock).files] == ["b.csv"]
    assert outcomes(home) == {"b.csv": "taken"}


def test_a_paused_or_absent_folder_keeps_no_other_from_being_taken(
    home: Warehouse, folder: Path, clock: Time, tmp_path: Path
) -> None:
    paused, absent = tmp_path / "paused", tmp_path / "absent"
    for place in (paused, absent):
        place.mkdir()
        watch_folder(home, place)
    watched.pause(home.database, paused, paused=True)
    absent.rmdir()
    put(paused / "p.csv", table())
    put(folder / "a.csv", table())
    assert [one.name for one in take(home, clock=clock).files] == ["a.csv"]
    watched.pause(home.database, paused, paused=False)
    assert [one.name for one in take(home, clock=clock).files] == ["p.csv"]


def test_a_job_takes_what_arrived_and_says_what_it_could_not(
    home: Warehouse, folder: Path, clock: Time
) -> None:
    put(folder / "a.csv", table())
    put(folder / "b.csv", "x,y\n1,2\n")
    home.jobs.add("ingest", {}, actor="supervisor", at=NOW)
    job = home.jobs.claim(os.getpid(), NOW)
    assert job is not None
    ended = execute(job, warehouse=home, clock=clock)
    assert ended.state == "done"
    assert ended.result is not None
    assert ended.result["files"] == 2
    assert ended.result["failed"] == ["b.csv: no column 'time'; the header has 'x', 'y'"]
    assert str(ended.result["summary"]).startswith("1 files taken, 5 new readings. 1 not taken")
