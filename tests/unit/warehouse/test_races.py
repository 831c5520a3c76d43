"""Several threads and processes at once: nothing doubled, nothing lost, nothing half seen."""

import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path

import polars as pl
import pytest
from material import NOON, NOW, events, minutes, new_version, pump_batch, pump_rows, ramp, readings, scores

from warehouse.errors import ManifestConflict
from warehouse.home import Warehouse
from warehouse.merging import Merge
from warehouse.turns import FREE_ATTEMPTS, HELD_ATTEMPTS

WRITERS = 3


def at_once(*works: Callable[[], None]) -> None:
    barrier = threading.Barrier(len(works))

    def run(work: Callable[[], None]) -> None:
        barrier.wait()
        work()

    with ThreadPoolExecutor(len(works)) as pool:
        for future in [pool.submit(run, work) for work in works]:
            future.result()


def assert_sound(home: Warehouse) -> None:
    """No reading twice in live files, and rollups, spans and hashes agree with them."""
    everything = pl.concat(
        [pl.read_parquet(home.root / file.path) for file in home.manifest.live("readings")]
    )
    assert everything.select(pl.struct("sensor_id", "ts").is_duplicated().any()).item() is False
    counts = everything.group_by("sensor_id").len().sort("sensor_id").rows()
    assert home.telemetry.spans().select("sensor_id", "rows").rows() == counts
    for level in (900, 86_400):
        rolled = home.telemetry.rollup([one for one, _ in counts], None, None, level)
        assert rolled.select(pl.struct("sensor_id", "ts").is_duplicated().any()).item() is False
        assert rolled["count"].sum() == everything["value"].count()
    assert home.verify() == []


def ingest_in_a_process(root: str, barrier: Barrier) -> None:
    home = Warehouse.open(Path(root))
    barrier.wait()
    home.ingest(pump_batch(pump_rows(2000)), at=NOW, actor="a process")
    home.close()


def test_processes_that_ingest_the_same_file_store_it_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(WRITERS)
    root = tmp_path / "home"
    processes = [
        context.Process(target=ingest_in_a_process, args=(str(root), barrier)) for _ in range(WRITERS)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert [process.exitcode for process in processes] == [0] * WRITERS
    home = Warehouse.open(root)
    assert home.telemetry.spans()["rows"].to_list() == [2000, 2000]
    assert (len(home.catalog.assets()), len(home.catalog.sensors())) == (1, 2)
    newest = home.manifest.snapshot()
    assert newest is not None
    assert newest.id == 1
    assert_sound(home)
    home.close()


def test_threads_that_write_minutes_of_one_day_lose_none(home: Warehouse) -> None:
    times = minutes(90)

    def write(offset: int) -> Callable[[], None]:
        def work() -> None:
            for ts in times[offset::WRITERS]:
                home.telemetry.write(readings([(1, ts, 1.0), (2, ts, 2.0)]), note="minute", at=NOW)

        return work

    at_once(*(write(offset) for offset in range(WRITERS)))

    assert home.telemetry.read([1, 2]).height == 180
    assert_sound(home)


def test_a_write_that_others_overtake_every_time_gives_up_and_leaves_nothing(
    home: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = 0

    def overtaken(*_: object, **__: object) -> None:
        nonlocal attempts
        attempts += 1
        raise ManifestConflict("another was first")

    monkeypatch.setattr(type(home.manifest), "commit", overtaken)
    with pytest.raises(ManifestConflict):
        home.telemetry.write(ramp(1, 10), note="n", at=NOW)
    with pytest.raises(ManifestConflict):
        home.results.write_scores(scores(1, 1, 10), at=NOW)
    assert attempts == 2 * (FREE_ATTEMPTS + HELD_ATTEMPTS)
    assert not list(home.root.rglob("*.parquet"))


def test_a_long_write_is_not_overtaken_for_ever(home: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    home.telemetry.write(ramp(1, 3), note="n", at=NOW)
    long_done = threading.Event()
    overtaken = threading.Event()
    real, attempts = Merge.finish, 0

    def slow_when_long(self: Merge) -> None:
        nonlocal attempts
        real(self)
        if threading.current_thread().name == "long":
            attempts += 1
            overtaken.clear()
            # Long enough for a short write to come between while one may, and a while once none should.
            overtaken.wait(timeout=20.0 if attempts <= FREE_ATTEMPTS else 0.5)

    def long_write() -> None:
        threading.current_thread().name = "long"
        home.telemetry.write(ramp(1, 1000), note="long", at=NOW)
        long_done.set()

    def short_writes() -> None:
        index = 0
        while not long_done.is_set():
            index += 1
            home.telemetry.write(readings([(1, NOON, float(index))]), note="short", at=NOW)
            overtaken.set()

    monkeypatch.setattr(Merge, "finish", slow_when_long)
    at_once(long_write, short_writes)

    assert FREE_ATTEMPTS < attempts <= FREE_ATTEMPTS + 2
    assert home.telemetry.read([1]).height == 1000
    assert_sound(home)


def test_readers_see_whole_states_while_files_are_rewritten(home: Warehouse) -> None:
    rows, rounds = 3000, 25
    home.telemetry.write(pl.concat([ramp(1, rows), ramp(2, rows)]), note="n", at=NOW)
    done = threading.Event()
    seen: set[tuple[int, int]] = set()

    def rewrite() -> None:
        try:
            for index in range(1, rounds + 1):
                corrected = ramp(1, rows).with_columns(value=pl.lit(float(index)))
                late = readings([(2, NOON - timedelta(minutes=index), 0.0)])
                home.telemetry.write(pl.concat([corrected, late]), note="correction", at=NOW)
        finally:
            done.set()

    def read() -> None:
        while not done.is_set():
            frame = home.telemetry.read([1, 2])
            one = frame.filter(pl.col("sensor_id") == 1)["value"]
            assert len(one) == rows
            # A mixture of two corrections would show two values.
            assert one.n_unique() in {1, rows}
            index = 0 if one.n_unique() == rows else int(one[0])
            seen.add((index, frame.height - 2 * rows))

    at_once(rewrite, read, read)

    assert len(seen) > 1
    assert all(index == late for index, late in seen)
    assert_sound(home)


def test_results_written_at_once_are_all_kept(home: Warehouse) -> None:
    report = home.ingest(pump_batch(pump_rows(10)), at=NOW, actor="ada")
    assert report.snapshot is not None
    for sensor in (1, 2):
        home.catalog.add_version(new_version(sensor, report.snapshot.id, kind="baseline"))

    def judge(sensor: int, offset: int) -> Callable[[], None]:
        def work() -> None:
            for ts in minutes(30)[offset::2]:
                home.results.put(
                    scores=scores(sensor, sensor, 1, ts),
                    events={(sensor, sensor): events(sensor, sensor, ts)},
                    at=NOW,
                )

        return work

    at_once(judge(1, 0), judge(1, 1), judge(2, 0))

    assert home.results.read_scores(1, 1)["ts"].to_list() == minutes(30)
    assert home.results.read_scores(2, 2).height == 15
    assert home.results.events_current().height == 2
    assert len(home.manifest.live("events")) == 2


def open_in_a_process(root: str, barrier: Barrier) -> None:
    barrier.wait()
    Warehouse.open(Path(root)).close()


def test_processes_that_open_a_new_home_at_once_all_succeed(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(WRITERS)
    processes = [
        context.Process(target=open_in_a_process, args=(str(tmp_path / "home"), barrier))
        for _ in range(WRITERS)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * WRITERS
