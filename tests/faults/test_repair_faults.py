"""A repair that is killed is begun again, one beside a busy app loses none of what is written meanwhile."""

import random
import shutil
from pathlib import Path

import pytest
from running import times, wait_for
from storage_processes import Counted, duration, killed, moment
from stored_truth import DAYS, NOW, differences, filled, leftovers

from warehouse.home import Warehouse


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that is copied before it is touched."""
    root = tmp_path_factory.mktemp("stored") / "pristine"
    filled(root).close()
    return root


def damage(root: Path, rng: random.Random, *, files: int) -> None:
    """Flip a bit in some readings and some rollups, and find it."""
    home = Warehouse.open(root)
    for kind in ("readings", "rollups"):
        for file in rng.sample(home.manifest.live(kind), files):
            content = bytearray((root / file.path).read_bytes())
            content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
            (root / file.path).write_bytes(bytes(content))
    assert len(home.verify(at=NOW)) == 2 * files
    home.close()


def test_repairs_killed_in_the_middle_are_begun_again(pristine, tmp_path, record_property):
    kills = times(2, 20)
    rng = random.Random(3)
    damaged = shutil.copytree(pristine, tmp_path / "damaged")
    damage(damaged, rng, files=4)
    took = duration(shutil.copytree(damaged, tmp_path / "timed"), "repair", str(pristine))
    midway = 0
    for kill in range(kills):
        root = shutil.copytree(damaged, tmp_path / f"home{kill}")
        killed(root, "repair", str(pristine), **moment(kill, took, rng))
        home = Warehouse.open(root)
        left = len(home.damage())
        midway += left < 8 or bool(leftovers(home))
        assert len(home.repair(at=NOW, actor="ada", backup=pristine)) == left
        assert home.damage() == ()
        assert differences(home, DAYS) == [], f"kill {kill + 1}"
        assert home.verify() == []
        with home.database.reading() as connection:
            assert connection.execute("SELECT count(*), count(DISTINCT path) FROM repairs").fetchone() == (
                8,
                8,
            )
        home.collect(now=NOW, grace_s=0)
        assert leftovers(home) == []
        home.close()
        shutil.rmtree(root)
    assert midway >= kills / 3
    record_property("repairs killed", kills)


def test_a_repair_beside_writes_and_compaction_loses_and_doubles_nothing(pristine, tmp_path, record_property):
    root = shutil.copytree(pristine, tmp_path / "home")
    damage(root, random.Random(4), files=3)
    home = Warehouse.open(root)
    ingest, tidy = Counted(root, "ingest", str(DAYS)), Counted(root, "tidy")
    ingest.start()
    tidy.start()
    try:
        assert wait_for(lambda: ingest.count >= 3)
        repaired = home.repair(at=NOW, actor="ada", backup=pristine)
        during = ingest.count
        assert wait_for(lambda: ingest.count >= during + 2)
    finally:
        ingest.stop()
        tidy.stop()
    assert [one.outcome for one in repaired] == ["restored"] * 3 + ["rebuilt"] * 3
    # The last write may have been committed and not acknowledged.
    made = DAYS + ingest.count
    assert not (differences(home, made) and differences(home, made + 1))
    assert home.verify() == []
    home.close()
    record_property("ingests beside a repair, none lost", ingest.count)
