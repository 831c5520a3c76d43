"""Processes killed in the middle of ingest and compaction: nothing lost, doubled or left over."""

import random
import shutil
import threading
from pathlib import Path

import polars as pl
import pytest
from running import times
from storage_processes import Writer, duration, killed, moment
from storage_writer import big_rows
from stored_truth import DAYS, NOW, batch, differences, filled, leftovers, stored, write

from warehouse.home import Warehouse
from warehouse.schema import READINGS


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that is copied before it is touched."""
    root = tmp_path_factory.mktemp("stored") / "pristine"
    filled(root).close()
    return root


def test_ingests_killed_in_the_middle(pristine: Path, tmp_path: Path, record_property) -> None:
    kills = times(2, 20)
    took = duration(shutil.copytree(pristine, tmp_path / "timed"), "big")
    rng = random.Random(20260510)
    rows = big_rows()
    wanted = len({(key, ts) for key, ts, _ in rows})
    corrected = pl.DataFrame({"ts": [ts for _, ts, _ in rows]}, schema={"ts": READINGS["ts"]})
    beside = stored(DAYS).filter(pl.col("sensor_id") == 1).join(corrected, on="ts", how="anti").height
    late = stored(DAYS).filter(pl.col("sensor_id") == 2).height
    midway = 0
    for kill in range(kills):
        root = shutil.copytree(pristine, tmp_path / f"home{kill}")
        done = killed(root, "big", **moment(kill, took, rng))
        home = Warehouse.open(root)
        left = leftovers(home)
        midway += bool(left)

        # All of it or nothing; what was acknowledged is there.
        report_of_all = home.telemetry.read([1]).filter(pl.col("value") < 0).height
        assert report_of_all in ({wanted} if done else {0, wanted}), f"kill {kill + 1}"
        if not report_of_all:
            assert differences(home, DAYS) == [], f"kill {kill + 1}"
        assert home.verify() == []
        home.collect(now=NOW, grace_s=0)
        assert leftovers(home) == []

        again = home.ingest(batch(rows), at=NOW, actor="ada")
        assert again.added + again.replaced + again.unchanged == wanted
        assert (again.unchanged == wanted) == bool(report_of_all)
        found = home.telemetry.read([1, 2])
        assert not found.select(pl.struct("sensor_id", "ts").is_duplicated().any()).item()
        assert found.height == wanted + late + beside
        assert home.telemetry.rollup([1, 2], None, None, 86_400)["count"].sum() == found.height
        assert home.telemetry.spans()["rows"].sum() == found.height
        home.close()
        shutil.rmtree(root)
    # A control of the kills: most left files that were begun and not named.
    assert midway >= kills / 3
    record_property("ingests killed", kills)
    record_property("of them with files begun and not named, collected afterwards", midway)


def test_a_row_of_ingests_is_killed_and_goes_on(pristine: Path, tmp_path: Path, record_property) -> None:
    root = shutil.copytree(pristine, tmp_path / "home")
    kills = times(2, 10)
    rng = random.Random(7)
    made = DAYS
    for _ in range(kills):
        writer = Writer(root, "ingest", str(made))
        writer.start()
        acknowledged = [writer.acknowledged() for _ in range(rng.randint(1, 12))]
        threading.Event().wait(rng.random() * 0.03)
        acknowledged += writer.kill()
        made = int(acknowledged[-1]) + 1
        home = Warehouse.open(root)
        # The write that the kill met may have been committed and not acknowledged.
        if differences(home, made):
            made += 1
        assert differences(home, made) == []
        assert write(home, made - 1).changed is False
        home.collect(now=NOW, grace_s=0)
        assert leftovers(home) == []
        assert home.verify() == []
        home.close()
    record_property("rows of small ingests killed", kills)


def test_compactions_killed_in_the_middle(pristine: Path, tmp_path: Path, record_property) -> None:
    kills = times(2, 20)
    took = duration(shutil.copytree(pristine, tmp_path / "timed"), "compact")
    rng = random.Random(20260511)
    midway = 0
    for kill in range(kills):
        root = shutil.copytree(pristine, tmp_path / f"home{kill}")
        killed(root, "compact", **moment(kill, took, rng))
        home = Warehouse.open(root)
        before = len(home.manifest.live("readings")) + len(home.manifest.live("rollups"))
        midway += bool(leftovers(home)) or before < _files(pristine)
        assert differences(home, DAYS) == [], f"kill {kill + 1}"
        assert home.verify() == []
        home.collect(now=NOW, grace_s=0)
        assert leftovers(home) == []

        home.tidy(now=NOW)
        assert len(home.manifest.live("readings")) + len(home.manifest.live("rollups")) < _files(pristine)
        assert differences(home, DAYS) == [], f"after kill {kill + 1}"
        home.close()
        shutil.rmtree(root)
    assert midway >= kills / 3
    record_property("compactions killed", kills)
    record_property("of them with files begun and not named, or months done and others not", midway)


def test_control_a_lost_and_a_doubled_reading_are_noticed(pristine: Path, tmp_path: Path) -> None:
    home = Warehouse.open(shutil.copytree(pristine, tmp_path / "home"))
    assert differences(home, DAYS) == []
    file = next(iter(home.manifest.live("readings")))
    for change in (
        "UPDATE files SET ended_in = 1, ended_us = 1 WHERE id = ?",
        "UPDATE files SET ended_in = NULL, ended_us = NULL WHERE kind = 'readings' AND id <> ?",
    ):
        with home.database.transaction() as connection:
            connection.execute(change, (file.id,))
        assert differences(home, DAYS)
    home.close()


def _files(root: Path) -> int:
    home = Warehouse.open(root)
    count = len(home.manifest.live("readings")) + len(home.manifest.live("rollups"))
    home.close()
    return count
