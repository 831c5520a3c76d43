from datetime import UTC, datetime
from pathlib import Path

import pytest

from warehouse import watched
from warehouse.errors import SourceError
from warehouse.home import Warehouse
from warehouse.sources.table_mapping import TableMapping
from warehouse.watched import WatchedFile

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MAPPING = TableMapping(
    "time",
    "Europe/Berlin",
    "wide",
    asset="Pump 1",
    columns=("flow",),
    units={"flow": "m³/h"},
    historical=False,
)


def add(home: Warehouse, folder: Path, pattern: str = "*.csv") -> watched.WatchedFolder:
    return watched.add(home.database, folder, pattern, MAPPING, home=home.root, actor="anna", at=NOW)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "arrivals").mkdir()
    return tmp_path / "arrivals"


def test_a_folder_comes_back_as_it_was_added(home: Warehouse, folder: Path) -> None:
    added = add(home, folder)
    assert watched.folders(home.database) == (added,)
    assert (added.path, added.mapping, added.actor, added.paused) == (folder, MAPPING, "anna", False)


def test_a_folder_is_watched_once(home: Warehouse, folder: Path) -> None:
    add(home, folder)
    (folder.parent / "link").symlink_to(folder)
    for again in (folder, folder / ".." / folder.name, folder.parent / "link"):
        with pytest.raises(SourceError, match="is watched already"):
            add(home, again)
    assert len(watched.folders(home.database)) == 1


def test_the_home_is_never_watched_nor_what_holds_it(home: Warehouse, tmp_path: Path) -> None:
    inside = home.root / "telemetry"
    inside.mkdir(exist_ok=True)
    (tmp_path / "link").symlink_to(inside)
    for place in (home.root, inside, home.root.parent, tmp_path / "link"):
        with pytest.raises(SourceError, match="lie in each other"):
            add(home, place)


def test_what_is_no_folder_or_no_pattern_is_refused(home: Warehouse, folder: Path) -> None:
    (folder / "a.csv").write_text("")
    with pytest.raises(SourceError, match="is no folder"):
        add(home, folder / "a.csv")
    with pytest.raises(SourceError, match=r"can't be watched \(No such file"):
        add(home, folder / "gone")
    for pattern in ("", "../*.csv"):
        with pytest.raises(SourceError, match="is no pattern of file names"):
            add(home, folder, pattern)


def test_removing_forgets_the_files_too(home: Warehouse, folder: Path) -> None:
    number = add(home, folder).id
    seen = WatchedFile("a.csv", 3, 5, NOW, "refused", "a.csv: is empty")
    watched.record(home.database, number, seen)
    assert watched.files(home.database, number) == (seen,)
    watched.remove(home.database, folder)
    assert watched.folders(home.database) == ()
    assert watched.files(home.database, number) == ()
    # A pass that was under way when the folder was removed leaves nothing behind.
    watched.record(home.database, number, seen)
    assert watched.files(home.database, number) == ()
    with pytest.raises(SourceError, match="is not watched"):
        watched.remove(home.database, folder)


def test_pausing_lasts_until_resumed(home: Warehouse, folder: Path) -> None:
    add(home, folder)
    watched.pause(home.database, folder, paused=True)
    assert [one.paused for one in watched.folders(home.database)] == [True]
    watched.pause(home.database, folder, paused=False)
    assert [one.paused for one in watched.folders(home.database)] == [False]
