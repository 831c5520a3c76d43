"""Reads while other processes ingest late rows and merge files: each is of one whole state."""

import random
import shutil
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from running import times
from storage_processes import Counted
from stored_truth import DAYS, START, by_day, filled, stored

from warehouse.home import Warehouse

END = START + timedelta(days=DAYS)


class Truth:
    """What each kind of read is to return after every number of writes, made when it is first asked for."""

    def __init__(self) -> None:
        self._stored: dict[int, pl.DataFrame] = {}

    def after(self, writes: int) -> pl.DataFrame:
        if writes not in self._stored:
            self._stored[writes] = stored(writes)
        return self._stored[writes]


def read_all(home: Warehouse) -> pl.DataFrame:
    return home.telemetry.read([1, 2]).select("sensor_id", "ts", "value")


def read_a_day(home: Warehouse) -> pl.DataFrame:
    day = START + timedelta(days=random.randrange(DAYS))
    return home.telemetry.read([1, 2], day, day + timedelta(days=1)).select("sensor_id", "ts", "value")


def read_days(home: Warehouse) -> pl.DataFrame:
    rolled = home.telemetry.rollup([1, 2], None, None, 86_400)
    return rolled.select("sensor_id", "ts", "min", "max", "count")


def read_window(home: Warehouse) -> pl.DataFrame:
    found = home.telemetry.window(1, START, END, 300)
    return found.select(pl.col("min").min(), pl.col("max").max())


def is_of(name: str, found: pl.DataFrame, truth: pl.DataFrame) -> bool:
    """Tell whether a read is of the state that holds `truth`."""
    if name == "all":
        return found.equals(truth)
    if name == "days":
        return found.equals(by_day(truth))
    if name == "window":
        one = truth.filter(pl.col("sensor_id") == 1)["value"]
        return found.row(0) == (one.min(), one.max())
    day = found["ts"].dt.truncate("1d")[0]
    return found.equals(truth.filter(pl.col("ts").dt.truncate("1d") == day))


READS = {"all": read_all, "day": read_a_day, "days": read_days, "window": read_window}


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("stored") / "pristine"
    filled(root).close()
    return root


@pytest.fixture
def home(pristine: Path, tmp_path: Path) -> Iterator[Warehouse]:
    home = Warehouse.open(shutil.copytree(pristine, tmp_path / "home"))
    yield home
    home.close()


@pytest.mark.timeout(1200)
def test_no_read_is_wrong_under_ingest_and_compaction(home, record_property) -> None:
    reads = times(500, 5000)
    ingest, tidy = Counted(home.root, "ingest", str(DAYS)), Counted(home.root, "tidy")
    seen: list[tuple[str, int, int, pl.DataFrame]] = []
    lock = threading.Lock()

    def read(names: list[str]) -> None:
        for name in names:
            before = ingest.count
            found = READS[name](home)
            with lock:
                seen.append((name, before, ingest.count, found))

    ingest.start()
    tidy.start()
    names = [list(READS)[number % len(READS)] for number in range(reads)]
    readers = [threading.Thread(target=read, args=(names[offset::2],)) for offset in range(2)]
    try:
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
    finally:
        ingest.stop()
        tidy.stop()

    assert len(seen) == reads
    truth = Truth()
    # A write may be seen before it is acknowledged, and acknowledged before this process hears of it.
    wrong = [
        (name, before, after)
        for name, before, after, found in seen
        if not any(is_of(name, found, truth.after(DAYS + n)) for n in range(before, after + 3))
    ]
    assert wrong == []
    assert ingest.count >= reads / 100
    compactions = _compactions(home)
    assert compactions >= 2
    record_property("reads under compaction and ingest, none wrong", reads)
    record_property("ingests meanwhile", ingest.count)
    record_property("compactions meanwhile", compactions)


def test_control_a_reader_of_what_lies_in_the_folder_is_wrong(home) -> None:
    home.tidy(now=END + timedelta(days=5))
    everything = pl.read_parquet([*home.layout.telemetry.rglob("*.parquet")])
    globbed = everything.select("sensor_id", "ts", "value").sort("sensor_id", "ts")
    assert not is_of("all", globbed, stored(DAYS))
    assert is_of("all", read_all(home), stored(DAYS))
    for name, read in READS.items():
        assert is_of(name, read(home), stored(DAYS))
    for name in ("all", "days", "window"):
        assert not is_of(name, READS[name](home), stored(DAYS + 1))


def _compactions(home: Warehouse) -> int:
    with home.database.reading() as connection:
        row = connection.execute("SELECT count(*) FROM snapshots WHERE note LIKE 'compaction%'").fetchone()
    return int(row[0])
