"""Model versions with their held-out figures, and where each comes from."""

import streamlit as st

from app.queries import house
from app.queries.failure import answered
from app.queries.fleet import title_words, version_words
from app.queries.house import Stamp
from app.queries.views import Lineage, ModelRow
from app.theme import MODE_WORDS
from core.workflows.records import facts_of
from warehouse.catalog import Version


@answered
def models(made: Stamp) -> tuple[ModelRow, ...]:
    """Return all versions, by machine and sensor, the one in use first, then the newest."""
    return _models(made)


@answered
def lineage(version_id: int) -> Lineage:
    """Return where a version comes from."""
    version = house.warehouse().catalog.version(version_id)
    sensor = house.warehouse().catalog.sensor(version.sensor_id)
    said = facts_of(version)
    facts = [
        ("Preset", said.preset or "none: it was not trained"),
        ("Judges", MODE_WORDS[said.mode]),
        ("Made from snapshot", f"{version.snapshot_id}, digest {version.snapshot_digest}"),
        ("Labels digest", version.labels_digest),
        ("Seed", str(version.seed)),
        ("MLflow run", version.run_id or "none: nothing was trained"),
        ("Registered as", version.registered_name or "not in the registry of models"),
        ("Files", version.folder),
    ]
    return Lineage(
        title=f"{sensor.asset_name} · {sensor.name}, {version_words(version)}",
        snapshot_id=version.snapshot_id,
        remarks=said.remarks,
        facts=tuple(facts),
        spans=tuple(
            (name, start, end)
            for name, (start, end) in sorted(version.spans.items(), key=lambda span: span[1])
        ),
        parameters=tuple((name, _plain(value)) for name, value in said.parameters),
        metrics=tuple(sorted(version.metrics.items())),
        artifacts=tuple(sorted(version.artifacts.items())),
    )


@st.cache_data(show_spinner=False, max_entries=4)
def _models(made: Stamp) -> tuple[ModelRow, ...]:
    catalog = house.opened(made).catalog
    sensors = {sensor.id: sensor for sensor in catalog.sensors()}
    in_use = catalog.champions()
    rows = [
        _row(version, sensors[version.sensor_id].asset_name, sensors[version.sensor_id].name, in_use)
        for version in catalog.versions()
    ]
    order = {sensor_id: place for place, sensor_id in enumerate(sorted(sensors))}
    return tuple(sorted(rows, key=lambda row: (order[row.sensor_id], not row.champion, -row.version_id)))


def _row(version: Version, machine: str, sensor: str, in_use: dict[int, int]) -> ModelRow:
    metrics, said = version.metrics, facts_of(version)
    return ModelRow(
        version_id=version.id,
        sensor_id=version.sensor_id,
        machine=machine,
        sensor=sensor,
        method=title_words(version),
        preset=said.preset,
        mode=said.mode,
        remarks=said.remarks,
        trained=version.kind == "trained",
        number=version.number,
        champion=in_use.get(version.sensor_id) == version.id,
        created_at=version.created_at,
        normalised_error=metrics.get("normalised_error"),
        persistence_error=metrics.get("persistence_error"),
        alarms_per_week=metrics.get("alarms_per_week"),
        f1=metrics.get("f1"),
    )


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


@answered
def targets(made: Stamp) -> dict[int, str]:
    """Return the sensors that can be trained, by id, in words."""
    return _targets(made)


@st.cache_data(show_spinner=False, max_entries=4)
def _targets(made: Stamp) -> dict[int, str]:
    sensors = house.opened(made).catalog.sensors(role="target")
    return {sensor.id: f"{sensor.asset_name} · {sensor.name}" for sensor in sensors}
