"""Opening the folder that holds everything, or saying in one line why not."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from material import NOW, pump_batch, pump_rows

from warehouse.errors import DiskFull, HomeError, IntegrityError, SchemaError, WarehouseError
from warehouse.home import Warehouse
from warehouse.sqlite import MIGRATIONS, Database, connect, migrate


def one_line(error: BaseException) -> str:
    text = str(error)
    assert "\n" not in text
    return text


def test_what_was_stored_is_there_when_it_is_opened_again(tmp_path: Path) -> None:
    first = Warehouse.open(tmp_path / "new" / "home")
    first.ingest(pump_batch(pump_rows(10)), at=NOW, actor="ada")
    first.close()
    again = Warehouse.open(tmp_path / "new" / "home", create=False)
    assert again.telemetry.read([1]).height == 10
    again.close()


def test_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("hello")
    with pytest.raises(HomeError, match="is a file, not a folder; set TELLTALE_HOME") as caught:
        Warehouse.open(tmp_path / "home")
    one_line(caught.value)


def test_a_folder_that_can_not_be_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_only(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "touch", read_only)
    with pytest.raises(HomeError, match=r"can't be written to \(Read-only file system\); set TELLTALE_HOME"):
        Warehouse.open(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_can_not_be_made() -> None:
    with pytest.raises(HomeError, match="can't be written to"):
        Warehouse.open(Path("/proc/telltale/home"))


def test_a_home_that_is_not_to_be_made(tmp_path: Path) -> None:
    with pytest.raises(HomeError, match="does not exist"):
        Warehouse.open(tmp_path / "home", create=False)
    with pytest.raises(HomeError, match="holds no Telltale data"):
        Warehouse.open(tmp_path, create=False)
    assert list(tmp_path.iterdir()) == []


def test_a_home_of_a_newer_release(tmp_path: Path) -> None:
    Warehouse.open(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / "catalog.sqlite")) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(
        SchemaError, match="has version 99, this release knows 3: start the newer release"
    ) as caught:
        Warehouse.open(tmp_path)
    one_line(caught.value)


def test_a_damaged_catalogue(tmp_path: Path) -> None:
    (tmp_path / "catalog.sqlite").write_bytes(b"this is no database, " * 500)
    with pytest.raises(IntegrityError, match="restore it from a backup") as caught:
        Warehouse.open(tmp_path)
    one_line(caught.value)


def test_an_older_database_is_copied_before_it_is_migrated(tmp_path: Path) -> None:
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    shutil.copy(MIGRATIONS / "catalog" / "0001_first_floor.sql", scripts)
    path = tmp_path / "catalog.sqlite"
    Database(path, scripts).close()
    (scripts / "0002_more.sql").write_text("CREATE TABLE more (x INTEGER);\nINSERT INTO more VALUES (1);\n")

    database = Database(path, scripts)

    with database.reading() as connection:
        assert connection.execute("SELECT x FROM more").fetchone() == (1,)
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
    database.close()
    with closing(sqlite3.connect(tmp_path / "catalog.sqlite.v1.bak")) as backup:
        assert backup.execute("PRAGMA user_version").fetchone() == (1,)
        assert backup.execute("SELECT count(*) FROM assets").fetchone() == (0,)


def older(folder: Path) -> tuple[Path, Path]:
    """Return scripts of which the second fails, and a database that holds a row and only the first."""
    scripts = folder / "scripts"
    scripts.mkdir()
    (scripts / "0001_one.sql").write_text("CREATE TABLE a (x INTEGER);\nINSERT INTO a VALUES (7);\n")
    Database(folder / "x.sqlite", scripts).close()
    (scripts / "0002_two.sql").write_text("DELETE FROM a;\nCREATE TABLE a (x INTEGER);\n")
    return scripts, folder / "x.sqlite"


def test_a_second_attempt_to_migrate_keeps_the_whole_backup(tmp_path: Path) -> None:
    scripts, path = older(tmp_path)
    # What a kill in the midst of a backup left behind.
    (tmp_path / "x.sqlite.v1.bak.part").write_bytes(b"half a copy")
    for _ in range(2):
        with pytest.raises(WarehouseError, match=r"x\.sqlite: table a already exists"):
            Database(path, scripts)
        with closing(sqlite3.connect(tmp_path / "x.sqlite.v1.bak")) as backup:
            assert backup.execute("PRAGMA user_version").fetchone() == (1,)
            assert backup.execute("SELECT x FROM a").fetchall() == [(7,)]
    (scripts / "0002_two.sql").write_text("DELETE FROM a;\n")
    Database(path, scripts).close()
    with closing(sqlite3.connect(tmp_path / "x.sqlite.v1.bak")) as backup:
        assert backup.execute("SELECT x FROM a").fetchall() == [(7,)]
    assert not list(tmp_path.glob("*.part"))


def test_the_backup_of_a_migration_is_durable_before_anything_is_migrated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts, path = older(tmp_path)
    seen: list[tuple[str, list[str]]] = []
    real = os.fsync

    def noting(descriptor: int) -> None:
        what = Path(f"/proc/self/fd/{descriptor}").readlink().name
        seen.append((what, sorted(one.name for one in tmp_path.glob("*.bak*"))))
        real(descriptor)

    monkeypatch.setattr("os.fsync", noting)
    with pytest.raises(WarehouseError):
        Database(path, scripts)
    assert seen == [
        ("x.sqlite.v1.bak.part", ["x.sqlite.v1.bak.part"]),
        (tmp_path.name, ["x.sqlite.v1.bak"]),
    ]


def test_a_backup_that_finds_no_room_leaves_the_database_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts, path = older(tmp_path)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(DiskFull, match=r"the disk of .*x\.sqlite\.v1\.bak is full: .* make room"):
            Database(path, scripts)
    assert not list(tmp_path.glob("*.bak*"))
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (1,)
        assert database.execute("SELECT x FROM a").fetchall() == [(7,)]


def test_a_database_that_is_damaged_in_use_is_reported_as_such(tmp_path: Path) -> None:
    home = Warehouse.open(tmp_path)
    with home.database.transaction() as one:
        one.executemany(
            "INSERT INTO source_settings VALUES (?, ?)", [(f"name {n}", "x" * 500) for n in range(400)]
        )
        one.execute("PRAGMA user_version")
    home.close()
    with closing(sqlite3.connect(tmp_path / "catalog.sqlite")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray((tmp_path / "catalog.sqlite").read_bytes())
    content[len(content) // 2 :] = b"\xff" * (len(content) - len(content) // 2)
    (tmp_path / "catalog.sqlite").write_bytes(bytes(content))
    with (
        pytest.raises(
            IntegrityError, match=r"catalog\.sqlite is damaged.*restore it from a backup"
        ) as caught,
        Database(tmp_path / "catalog.sqlite", MIGRATIONS / "catalog").reading() as one,
    ):
        one.execute("SELECT sum(length(settings)) FROM source_settings").fetchall()
    one_line(caught.value)


def test_a_write_that_waits_too_long_for_another_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse.sqlite._BUSY_S", 0.05)
    home = Warehouse.open(tmp_path)
    with (
        home.database.transaction(),
        pytest.raises(WarehouseError, match=r"is held by another write for more than .* do it again"),
        home.database.transaction(),
    ):
        pass
    home.close()


def test_a_home_on_a_full_disk_can_be_opened_to_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Warehouse.open(tmp_path).close()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "touch", full)
    home = Warehouse.open(tmp_path)
    assert home.catalog.sensors() == ()
    home.close()


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "0001_one.sql").write_text("CREATE TABLE a (x INTEGER);\nCREATE TABLE a (x INTEGER);\n")
    with closing(connect(tmp_path / "x.sqlite")) as connection:
        with pytest.raises(sqlite3.OperationalError):
            migrate(connection, scripts)
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)


def test_a_gap_in_the_migrations_is_a_defect(tmp_path: Path) -> None:
    (tmp_path / "0002_two.sql").write_text("SELECT 1;")
    with pytest.raises(SchemaError, match="0001 is missing"):
        Database(tmp_path / "x.sqlite", tmp_path)


def test_writes_are_durable_and_keys_are_checked(tmp_path: Path) -> None:
    home = Warehouse.open(tmp_path)
    with home.database.reading() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA foreign_keys").fetchone() == (1,)
    home.close()


def test_a_statement_that_sqlite_refuses_is_reported_with_its_file(tmp_path: Path) -> None:
    home = Warehouse.open(tmp_path)
    with (
        pytest.raises(WarehouseError, match=r"catalog\.sqlite: no such column"),
        home.database.reading() as one,
    ):
        one.execute("SELECT unicorn FROM assets")
    home.close()
