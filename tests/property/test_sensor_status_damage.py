"""Statuses over rows that lost what they recorded: every target has one, and a reason to read."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.workflows.estimate import estimate
from core.workflows.status import sensor_statuses
from warehouse.assets import AssetSpec, SensorSpec
from warehouse.home import Warehouse

NOW_US = 1_780_000_000_000_000
SENSORS = 3
STATES = ("queued", "running", "done", "failed", "cancelled", "interrupted")

MOMENT = st.integers(NOW_US - 10**15, NOW_US + 10**15)
SPAN = st.tuples(MOMENT, MOMENT).map(sorted)
LOOSE = st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.text(max_size=3), st.just([]), st.just({}))
VERSION = st.fixed_dictionaries(
    {
        "sensor": st.integers(1, SENSORS),
        "kind": st.sampled_from(["trained", "baseline"]),
        "at": MOMENT,
        "spans": st.dictionaries(st.sampled_from(["train", "calibrate", "test", "x"]), SPAN, max_size=3),
        "metrics": st.dictionaries(
            st.sampled_from(["steps", "normalised_error"]), st.floats(0, 1), max_size=1
        ),
    }
)
JOB = st.fixed_dictionaries(
    {
        "payload": st.one_of(
            st.just({}),
            st.builds(lambda one: {"sensor_ids": one}, LOOSE),
            st.builds(lambda one: {"sensor_ids": [one]}, st.one_of(st.integers(1, SENSORS), LOOSE)),
        ),
        "state": st.sampled_from(STATES),
        "finished": st.one_of(st.none(), MOMENT),
        "result": st.one_of(
            st.none(),
            st.dictionaries(st.sampled_from(["registered", "reason", "seconds", "steps"]), LOOSE, max_size=4),
        ),
        "error": st.one_of(st.none(), st.text(max_size=5)),
    }
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    warehouse = Warehouse.open(tmp_path_factory.mktemp("damaged") / "home")
    assets = [
        AssetSpec(f"Pump {one}", "pump", sensors=(SensorSpec("flow"),)) for one in range(1, SENSORS + 1)
    ]
    warehouse.catalog.put_assets("csv", assets)
    warehouse.manifest.commit(
        add=[], end=[], base=0, touching=[], note="", at=datetime(2026, 1, 1, tzinfo=UTC)
    )
    yield warehouse
    warehouse.close()


def damage(home: Warehouse, versions: list[dict], jobs: list[dict]) -> None:
    """Replace what is stored by rows as an older release, a crash or a hand may have left them."""
    with closing(sqlite3.connect(home.layout.catalog)) as catalog, catalog:
        catalog.execute("DELETE FROM versions")
        for number, one in enumerate(versions, start=1):
            catalog.execute(
                "INSERT INTO versions (sensor_id, method, kind, number, created_us, snapshot_id,"
                " snapshot_digest, labels_digest, seed, spans, parameters, metrics, artifacts, folder)"
                " VALUES (?, 'panel', ?, ?, ?, 1, '', '', 0, ?, '{}', ?, '{}', '')",
                (
                    one["sensor"],
                    one["kind"],
                    number,
                    one["at"],
                    json.dumps(one["spans"]),
                    json.dumps(one["metrics"]),
                ),
            )
    with closing(sqlite3.connect(home.layout.jobs)) as table, table:
        table.execute("DELETE FROM job")
        for one in jobs:
            result = None if one["result"] is None else json.dumps(one["result"])
            table.execute(
                "INSERT INTO job (kind, payload, state, actor, created_at, finished_at, result, error)"
                " VALUES ('train', ?, ?, 'ada', ?, ?, ?, ?)",
                (json.dumps(one["payload"]), one["state"], NOW_US, one["finished"], result, one["error"]),
            )


@given(st.lists(VERSION, max_size=5), st.lists(JOB, max_size=5))
@settings(deadline=None, max_examples=60)
def test_every_target_has_a_status_whatever_its_rows_lost(home: Warehouse, versions, jobs) -> None:
    damage(home, versions, jobs)
    found = sensor_statuses(home)
    assert [one.sensor_id for one in found] == [1, 2, 3]
    trained = {one["sensor"] for one in versions if one["kind"] == "trained"}
    for one in found:
        assert one.why.strip()
        assert not one.why.endswith(".")
        assert (one.version_id is not None) == (one.sensor_id in trained)
        assert one.status != "never" or one.version_id is None
        assert one.status not in {"trained", "stale"} or one.version_id is not None
        assert one.status != "failing" or one.job_id is not None
    assert estimate("quick", [1, 2, 3], home).seconds == 0  # none of them has a reading
