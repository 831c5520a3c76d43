"""Model versions: what was trained, on which data, how well it did, and which one is in production."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

from warehouse.documents import JSON
from warehouse.errors import CatalogError
from warehouse.instants import microseconds, moment_of

Spans: TypeAlias = Mapping[str, tuple[datetime, datetime]]
VersionKind = Literal["baseline", "trained"]


@dataclass(frozen=True)
class NewVersion:
    """A model version to be registered.

    Parameters
    ----------
    sensor_id
        The target sensor.
    method
        Name of the method, as shown to a person.
    kind
        ``baseline``: a statistical detector that learned nothing but robust statistics; ``trained``: a model.
    run_id, registered_name
        Its run and its name in the registry of models, None where there is none.
    created_at
        When it was registered.
    snapshot_id, snapshot_digest, labels_digest
        The state of data and labels it was made from.
    seed
        Seed of every random generator used.
    spans
        Half-open spans by name: train, calibrate, test.
    parameters
        Constructor parameters of the detector and the threshold.
    metrics
        Held-out figures by name.
    artifacts
        SHA-256 of each file, by its path relative to `folder`.
    folder
        Where the artifacts lie, relative to the home.
    made_by
        What made it, such as ``job 17``, of which there is one version at most; None where nobody asks.
    """

    sensor_id: int
    method: str
    kind: VersionKind
    run_id: str | None
    registered_name: str | None
    created_at: datetime
    snapshot_id: int
    snapshot_digest: str
    labels_digest: str
    seed: int
    spans: Spans
    parameters: Mapping[str, JSON]
    metrics: Mapping[str, float]
    artifacts: Mapping[str, str]
    folder: str
    made_by: str | None = None


@dataclass(frozen=True)
class Version:
    """A registered model version; `number` counts the versions of one method for one sensor."""

    id: int
    sensor_id: int
    method: str
    kind: VersionKind
    number: int
    run_id: str | None
    registered_name: str | None
    created_at: datetime
    snapshot_id: int
    snapshot_digest: str
    labels_digest: str
    seed: int
    spans: dict[str, tuple[datetime, datetime]]
    parameters: dict[str, JSON]
    metrics: dict[str, float]
    artifacts: dict[str, str]
    folder: str
    champion: bool
    made_by: str | None


_COLUMNS: Final = (
    "SELECT v.id, v.sensor_id, v.method, v.kind, v.number, v.run_id, v.registered_name, v.created_us,"
    " v.snapshot_id, v.snapshot_digest, v.labels_digest, v.seed, v.spans, v.parameters, v.metrics,"
    " v.artifacts, v.folder, c.version_id IS NOT NULL, v.made_by"
    " FROM versions v LEFT JOIN champions c ON c.version_id = v.id "
)


def insert(connection: sqlite3.Connection, new: NewVersion) -> int:
    """Add a version in the open transaction, pin its snapshot, and return its id.

    Where something with its `made_by` is registered already, that one's id is returned and nothing changes.

    Raises
    ------
    CatalogError
        Its sensor or snapshot is unknown.
    """
    if new.made_by is not None:
        first = made_by(connection, new.made_by)
        if first is not None:
            return first.id
    spans = {name: [microseconds(start), microseconds(end)] for name, (start, end) in new.spans.items()}
    try:
        row = connection.execute(
            "INSERT INTO versions (sensor_id, method, kind, number, run_id, registered_name, created_us,"
            " snapshot_id, snapshot_digest, labels_digest, seed, spans, parameters, metrics, artifacts,"
            " folder, made_by) SELECT ?1, ?2, ?3, 1 + coalesce(max(number), 0), ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
            " ?11, ?12, ?13, ?14, ?15, ?16 FROM versions WHERE sensor_id = ?1 AND method = ?2 RETURNING id",
            (
                new.sensor_id,
                new.method,
                new.kind,
                new.run_id,
                new.registered_name,
                microseconds(new.created_at),
                new.snapshot_id,
                new.snapshot_digest,
                new.labels_digest,
                new.seed,
                json.dumps(spans, sort_keys=True),
                json.dumps(dict(new.parameters), sort_keys=True),
                json.dumps(dict(new.metrics), sort_keys=True),
                json.dumps(dict(new.artifacts), sort_keys=True),
                new.folder,
                new.made_by,
            ),
        ).fetchone()
        connection.execute(
            "INSERT INTO pins (snapshot_id, holder) VALUES (?, ?)", (new.snapshot_id, f"version {row[0]}")
        )
    except sqlite3.IntegrityError as error:
        raise CatalogError(
            f"a version of sensor {new.sensor_id} can't be registered on snapshot {new.snapshot_id}: {error}"
        ) from error
    return int(row[0])


def select(connection: sqlite3.Connection, sensor_id: int | None = None) -> tuple[Version, ...]:
    """Return the versions of a sensor, or of all, in the order of their registration."""
    rows = connection.execute(
        _COLUMNS + "WHERE ?1 IS NULL OR v.sensor_id = ?1 ORDER BY v.id", (sensor_id,)
    ).fetchall()
    return tuple(_version(row) for row in rows)


def by_id(connection: sqlite3.Connection, version_id: int) -> Version:
    """Return one version.

    Raises
    ------
    CatalogError
        There is none of that id.
    """
    row = connection.execute(_COLUMNS + "WHERE v.id = ?", (version_id,)).fetchone()
    if row is None:
        raise CatalogError(f"there is no model version {version_id}")
    return _version(row)


def made_by(connection: sqlite3.Connection, maker: str) -> Version | None:
    """Return the version that `maker` made, None if there is none."""
    row = connection.execute(_COLUMNS + "WHERE v.made_by = ?", (maker,)).fetchone()
    return None if row is None else _version(row)


def makers(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Return what made versions, as far as it was said."""
    rows = connection.execute("SELECT made_by FROM versions WHERE made_by IS NOT NULL").fetchall()
    return tuple(maker for (maker,) in rows)


def champions(connection: sqlite3.Connection, sensor_id: int | None = None) -> dict[int, int]:
    """Return sensor id → id of the version in production: the promoted one, else the newest baseline."""
    rows = connection.execute(
        "SELECT sensor_id, max(id) FROM versions WHERE kind = 'baseline' AND (?1 IS NULL OR sensor_id = ?1)"
        " GROUP BY sensor_id",
        (sensor_id,),
    ).fetchall()
    found = {int(sensor): int(version) for sensor, version in rows}
    rows = connection.execute(
        "SELECT sensor_id, version_id FROM champions WHERE ?1 IS NULL OR sensor_id = ?1", (sensor_id,)
    ).fetchall()
    found.update({int(sensor): int(version) for sensor, version in rows})
    return found


def watching(connection: sqlite3.Connection, sensor_id: int | None = None) -> dict[int, tuple[int, ...]]:
    """Return sensor id → ids of the versions that raise its events, the one in production first.

    Beside a trained model the newest baseline goes on watching: a model that predicts from the last reading
    follows a slow drift and does not see it. A declared test part is judged by the version in production
    alone, so that its figures are those of one method.
    """
    found: dict[int, tuple[int, ...]] = {
        sensor: (version,) for sensor, version in champions(connection, sensor_id).items()
    }
    rows = connection.execute(
        "SELECT v.sensor_id, max(v.id) FROM versions v JOIN sensors s ON s.id = v.sensor_id"
        " WHERE v.kind = 'baseline' AND (?1 IS NULL OR v.sensor_id = ?1) AND NOT EXISTS ("
        "  SELECT 1 FROM parts p WHERE p.asset_id = s.asset_id AND p.name = 'test')"
        " GROUP BY v.sensor_id",
        (sensor_id,),
    ).fetchall()
    for sensor, version in rows:
        found[int(sensor)] = tuple(dict.fromkeys((*found[int(sensor)], int(version))))
    return found


def promote(connection: sqlite3.Connection, version_id: int, actor: str, at: datetime) -> None:
    """Make a version its sensor's only champion, in the open transaction, and keep the history.

    Raises
    ------
    CatalogError
        There is none of that id.
    """
    version = by_id(connection, version_id)
    connection.execute(
        "INSERT INTO champions (sensor_id, version_id) VALUES (?, ?)"
        " ON CONFLICT (sensor_id) DO UPDATE SET version_id = excluded.version_id",
        (version.sensor_id, version_id),
    )
    connection.execute(
        "INSERT INTO promotions (sensor_id, version_id, actor, at_us) VALUES (?, ?, ?, ?)",
        (version.sensor_id, version_id, actor, microseconds(at)),
    )


def _version(row: tuple[Any, ...]) -> Version:
    spans: dict[str, list[int]] = json.loads(row[12])
    return Version(
        id=row[0],
        sensor_id=row[1],
        method=row[2],
        kind=row[3],
        number=row[4],
        run_id=row[5],
        registered_name=row[6],
        created_at=moment_of(row[7]),
        snapshot_id=row[8],
        snapshot_digest=row[9],
        labels_digest=row[10],
        seed=row[11],
        spans={name: (moment_of(start), moment_of(end)) for name, (start, end) in spans.items()},
        parameters=json.loads(row[13]),
        metrics=json.loads(row[14]),
        artifacts=json.loads(row[15]),
        folder=row[16],
        champion=bool(row[17]),
        made_by=row[18],
    )
