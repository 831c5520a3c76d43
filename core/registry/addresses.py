"""Where MLflow's database says that things lie, rewritten when a home has moved.

MLflow stores absolute addresses: of an experiment's artifacts, of a run's, of each model version's. Which of
its columns hold some differs between its releases, so every text column is looked at, and only a value that
is the old home or begins with it and a slash is changed. Plain SQL on the file: mlflow is not needed for it.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlparse

from core.errors import RegistryError
from core.registry.tracking import ARTIFACTS, DATABASE, EXPERIMENT

_TEXT: Final = ("CHAR", "TEXT", "CLOB", "JSON")


def rehome(root: Path, old: Path, new: Path, *, store: str) -> int:
    """Rewrite every address below the home `old` to the home `new`, and return how many there were.

    Parameters
    ----------
    root
        The folder in which MLflow's store lies now; nothing is done where it holds no database.
    old, new
        Absolute; addresses may be paths or ``file://`` URIs, percent-encoded or not.
    store
        Name of the store's folder below a home: tells from the experiment's own address where the home lay
        when the store was made, where that is yet another place.

    Raises
    ------
    RegistryError
        The database can't be read or written; nothing is changed.
    """
    database = root / DATABASE
    if not database.is_file():
        return 0
    try:
        with closing(sqlite3.connect(database, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            spellings = [
                pair for home in (old, *_made_in(connection, store)) for pair in _spellings(home, new)
            ]
            changed = sum(
                _replace(connection, table, column, spellings) for table, column in _text_columns(connection)
            )
            connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise RegistryError(f"{database}: its addresses can't be rewritten: {error}") from error
    return changed


def _made_in(connection: sqlite3.Connection, store: str) -> list[Path]:
    """Return the home in which the experiment was made."""
    row = connection.execute(
        "SELECT artifact_location FROM experiments WHERE name = ?", (EXPERIMENT,)
    ).fetchone()
    if row is None or not row[0]:
        return []
    place = Path(unquote(urlparse(row[0]).path))
    return [place.parents[1]] if place.parts[-2:] == (store, ARTIFACTS) else []


def _spellings(old: Path, new: Path) -> list[tuple[str, str]]:
    pairs = [(old.as_uri(), new.as_uri()), (f"file://{old.as_posix()}", f"file://{new.as_posix()}")]
    pairs.append((str(old), str(new)))
    return list(dict(pairs).items())


def _text_columns(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return [
        (table, column)
        for (table,) in tables
        for column, kind in connection.execute("SELECT name, type FROM pragma_table_info(?)", (table,))
        if any(word in kind.upper() for word in _TEXT)
    ]


def _replace(
    connection: sqlite3.Connection, table: str, column: str, spellings: list[tuple[str, str]]
) -> int:
    # substr compares to the letter, where LIKE would know wildcards and no upper case. One statement, so that
    # nothing is rewritten twice where the new home lies below the old one.
    begins: list[str] = []
    cases: list[str] = []
    values: dict[str, str] = {}
    for number, (before, after) in enumerate(spellings):
        values |= {f"before{number}": before, f"after{number}": after}
        begins.append(
            f'("{column}" = :before{number}'
            f" OR substr(\"{column}\", 1, length(:before{number}) + 1) = :before{number} || '/')"
        )
        cases.append(
            f'WHEN {begins[-1]} THEN :after{number} || substr("{column}", length(:before{number}) + 1)'
        )
    return connection.execute(
        f'UPDATE "{table}" SET "{column}" = CASE {" ".join(cases)} END WHERE {" OR ".join(begins)}',  # noqa: S608 -- names
        values,
    ).rowcount
