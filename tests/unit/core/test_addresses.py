"""Addresses in MLflow's database, rewritten for a home that has moved."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from core.errors import RegistryError
from core.registry.addresses import rehome


@pytest.fixture
def store(tmp_path: Path) -> Path:
    folder = tmp_path / "somewhere" / "mlflow"
    folder.mkdir(parents=True)
    with closing(sqlite3.connect(folder / "mlflow.db")) as db:
        db.execute("CREATE TABLE experiments (name VARCHAR(256), artifact_location VARCHAR(256))")
        db.execute("CREATE TABLE runs (id INTEGER, artifact_uri VARCHAR(200), content TEXT, size BIGINT)")
    return folder


def put(store: Path, *addresses: str) -> None:
    with closing(sqlite3.connect(store / "mlflow.db")) as db, db:
        db.executemany("INSERT INTO runs (artifact_uri) VALUES (?)", [(one,) for one in addresses])


def found(store: Path) -> list[str]:
    with closing(sqlite3.connect(store / "mlflow.db")) as db:
        return [address for (address,) in db.execute("SELECT artifact_uri FROM runs ORDER BY rowid")]


def test_uris_and_paths_move_and_keep_their_spelling(store: Path) -> None:
    put(
        store,
        "file:///srv/my%20home/mlflow/artifacts/1",
        "file:///srv/my home/mlflow/artifacts/1",
        "/srv/my home/mlflow/artifacts/1",
        "file:///srv/my%20home",
    )
    assert rehome(store, Path("/srv/my home"), Path("/mnt/é 100%"), store="mlflow") == 4
    assert found(store) == [
        "file:///mnt/%C3%A9%20100%25/mlflow/artifacts/1",
        "file:///mnt/é 100%/mlflow/artifacts/1",
        "/mnt/é 100%/mlflow/artifacts/1",
        "file:///mnt/%C3%A9%20100%25",
    ]


def test_only_what_begins_with_the_old_home_moves(store: Path) -> None:
    others = [
        "file:///srv/home2/mlflow/artifacts",
        "file:///srv/HOME/mlflow/artifacts",
        "file:///backup/srv/home/mlflow",
        "/srv/hom_/x",
        "s3://srv/home/mlflow",
        "read from /srv/home/x",
    ]
    put(store, *others)
    assert rehome(store, Path("/srv/home"), Path("/new"), store="mlflow") == 0
    assert found(store) == others


@pytest.mark.parametrize("old", ["/srv/h_me", "/srv/h%me", "/srv/[h]ome"])
def test_letters_that_a_pattern_would_read_otherwise_are_letters(store: Path, old: str) -> None:
    put(store, f"{old}/mlflow", "/srv/home/mlflow")
    assert rehome(store, Path(old), Path("/new"), store="mlflow") == 1
    assert found(store) == ["/new/mlflow", "/srv/home/mlflow"]


@pytest.mark.parametrize(("old", "new"), [("/srv", "/srv/deep/er"), ("/srv/deep/er", "/srv"), ("/a", "/a")])
def test_a_home_may_move_below_or_above_its_old_place(store: Path, old: str, new: str) -> None:
    put(store, f"file://{old}/mlflow", f"{old}/mlflow")
    rehome(store, Path(old), Path(new), store="mlflow")
    assert found(store) == [f"file://{new}/mlflow", f"{new}/mlflow"]


def test_what_was_made_in_a_place_before_the_old_one_moves_too(store: Path) -> None:
    """A home that a person moved by hand still names the place where its experiment was made."""
    with closing(sqlite3.connect(store / "mlflow.db")) as db, db:
        db.execute("INSERT INTO experiments VALUES ('telltale', 'file:///first/home/mlflow/artifacts')")
    put(store, "file:///first/home/mlflow/artifacts/7", "file:///second/home/mlflow/artifacts/8")
    rehome(store, Path("/second/home"), Path("/third"), store="mlflow")
    assert found(store) == ["file:///third/mlflow/artifacts/7", "file:///third/mlflow/artifacts/8"]


def test_a_home_without_models_has_nothing_to_rewrite(tmp_path: Path) -> None:
    assert rehome(tmp_path, Path("/old"), Path("/new"), store="mlflow") == 0
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(RegistryError, match=r"mlflow\.db: its addresses can't be rewritten"):
        rehome(tmp_path, Path("/old"), Path("/new"), store="mlflow")
