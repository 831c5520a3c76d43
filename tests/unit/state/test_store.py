import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from warehouse.errors import IntegrityError, SchemaError, StateLocked, StateUnavailable
from warehouse.sqlite import MIGRATIONS
from warehouse.state.store import StateStore

FIRST = MIGRATIONS / "state" / "0001_first_floor.sql"


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    folder = tmp_path / "migrations"
    folder.mkdir()
    shutil.copy(FIRST, folder)
    return folder


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.duckdb"


def acknowledge(store: StateStore, event_id: str) -> None:
    store.write(
        lambda cursor: cursor.execute(
            "INSERT INTO acknowledgements VALUES (?, 1, 'ada', ?)",
            [event_id, datetime(2024, 5, 1, tzinfo=UTC)],
        )
    )


def test_an_older_file_is_backed_up_then_migrated(path, migrations):
    store = StateStore(path, migrations)
    acknowledge(store, "e-1")
    store.close()
    (migrations / "0002_more.sql").write_text(
        "ALTER TABLE acknowledgements ADD COLUMN why VARCHAR DEFAULT '';"
    )
    store = StateStore(path, migrations)
    assert store.query("SELECT event_id, why FROM acknowledgements").rows() == [("e-1", "")]
    store.close()
    backup = path.with_name("state.duckdb.v1.bak")
    with duckdb.connect(backup) as old:
        assert old.execute("SELECT event_id FROM acknowledgements").fetchall() == [("e-1",)]
        assert "why" not in {row[0] for row in old.execute("DESCRIBE acknowledgements").fetchall()}


def test_a_migration_that_fails_changes_nothing(path, migrations):
    store = StateStore(path, migrations)
    acknowledge(store, "e-1")
    store.close()
    second = migrations / "0002_broken.sql"
    second.write_text("DELETE FROM acknowledgements; SELECT no_such_column FROM acknowledgements;")
    with pytest.raises(duckdb.Error):
        StateStore(path, migrations)
    second.unlink()
    store = StateStore(path, migrations)
    assert store.query("SELECT count(*) AS n FROM acknowledgements").item() == 1
    store.close()


def test_a_file_of_a_newer_release_is_refused_and_left_alone(path, migrations):
    (migrations / "0002_more.sql").write_text("CREATE TABLE later (id INTEGER);")
    StateStore(path, migrations).close()
    (migrations / "0002_more.sql").unlink()
    before = path.read_bytes()
    with pytest.raises(SchemaError, match="version 2, this release knows 1"):
        StateStore(path, migrations)
    assert path.read_bytes() == before


def test_a_missing_migration_is_noticed(path, migrations):
    (migrations / "0003_more.sql").write_text("CREATE TABLE later (id INTEGER);")
    with pytest.raises(SchemaError, match="migration 0002 is missing"):
        StateStore(path, migrations)


def test_a_file_that_is_no_database_is_named(path):
    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(IntegrityError, match=r"state\.duckdb"):
        StateStore(path)


def test_a_file_that_another_program_has_open_is_named(path):
    StateStore(path).close()
    other = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import duckdb,sys; c=duckdb.connect(sys.argv[1]); print(); input()",
            str(path),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        other.stdout.readline()
        with pytest.raises(StateLocked, match="open in another program"):
            StateStore(path)
    finally:
        other.communicate(b"\n")


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_csv('/etc/hostname')",
        "COPY (SELECT 1) TO '{folder}/out.csv'",
        "ATTACH '{folder}/other.duckdb'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "SET TimeZone = 'Europe/Oslo'",
    ],
)
def test_sql_has_no_way_out_and_no_way_to_change_that(path, tmp_path, statement):
    store = StateStore(path)
    with pytest.raises(duckdb.Error):
        store.query(statement.format(folder=tmp_path))
    assert {one.name for one in tmp_path.iterdir()} <= {"state.duckdb", "state.duckdb.wal"}
    store.close()


def test_times_are_utc_whatever_the_machine_says(path):
    program = (
        "import sys; from pathlib import Path; from warehouse.state.store import StateStore;"
        "s = StateStore(Path(sys.argv[1])); print(s.query(\"SELECT TIMESTAMPTZ '2024-05-01 12:00:00' AS t\")"
        "['t'].item().isoformat()); s.close()"
    )
    found = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        env={**os.environ, "TZ": "Pacific/Auckland"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == "2024-05-01T12:00:00+00:00"


def test_a_failed_write_leaves_nothing(path):
    store = StateStore(path)

    def change(cursor):
        cursor.execute("INSERT INTO acknowledgements VALUES ('e-1', 1, 'ada', now())")
        raise ValueError("changed my mind")

    with pytest.raises(ValueError, match="changed my mind"):
        store.write(change)
    assert store.query("SELECT count(*) AS n FROM acknowledgements").item() == 0
    store.close()


def test_a_write_that_conflicts_is_run_again(path):
    store = StateStore(path)
    tries = []

    def change(cursor):
        tries.append(1)
        if len(tries) < 3:
            raise duckdb.TransactionException("Conflict on update!")
        return cursor.execute("SELECT 42").fetchone()[0]

    assert store.write(change) == 42
    assert len(tries) == 3
    store.close()
    with pytest.raises(StateUnavailable):
        store.write(change)
