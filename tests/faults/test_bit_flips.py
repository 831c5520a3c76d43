"""A bit flips in a stored file: it is found when the file is first read, and the rest is read right."""

import os
import random
import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from running import times
from stored_truth import DAYS, NOW, START, filled

from warehouse import parquet
from warehouse.catalog import NewVersion
from warehouse.errors import IntegrityError
from warehouse.files import File, Kind
from warehouse.home import Warehouse
from warehouse.schema import EVENTS, SCORES
from warehouse.state.labels import NewLabel
from warehouse.state.owner import StateOwner
from warehouse.state.published import read_labels

KINDS: tuple[Kind, ...] = ("readings", "rollups", "scores", "score_rollups", "events", "labels")
SCORED = 25_000
END = START + timedelta(days=DAYS)

Read = Callable[[Warehouse], pl.DataFrame]


def of_versions(read: Callable[[Warehouse, int], pl.DataFrame]) -> Read:
    return lambda home: pl.concat([read(home, 1), read(home, 2)])


# What is read of each kind, in columns that also stand in its files.
READS: dict[Kind, tuple[list[str], Read]] = {
    "readings": (["sensor_id", "ts", "value"], lambda home: home.telemetry.read([1, 2])),
    "rollups": (
        ["sensor_id", "ts", "min", "max", "count"],
        lambda home: home.telemetry.rollup([1, 2], None, None, 900),
    ),
    "scores": (
        ["version_id", "ts", "score"],
        of_versions(lambda home, one: home.results.read_scores(1, one)),
    ),
    "events": (["event_id", "version_id", "start", "end"], lambda home: home.results.read_events()),
    "labels": (["label_id", "note"], lambda home: read_labels(home).frame),
}


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with several files of every kind, some merged, one snapshot pinned by model versions."""
    root = tmp_path_factory.mktemp("flips") / "pristine"
    home = filled(root)
    before = home.manifest.snapshot()
    assert before is not None
    home.manifest.pin(before.id)
    home.tidy(now=NOW)
    filled(root, writes=DAYS + 6).close()
    snapshot = home.manifest.snapshot()
    assert snapshot is not None
    for number in (1, 2):
        version = home.catalog.add_version(
            NewVersion(
                sensor_id=1, method="telemanom", kind="trained", run_id=None, registered_name=None,
                created_at=NOW, snapshot_id=snapshot.id, snapshot_digest=snapshot.digest, labels_digest="",
                seed=1, spans={"calibrate": (START, NOW)}, parameters={}, metrics={}, artifacts={},
                folder=f"models/{number}",
            )
        )  # fmt: skip
        times_ = [START + timedelta(minutes=index) for index in range(SCORED)]
        frame = pl.DataFrame(
            {"ts": times_, "score": [float(index % 97) for index in range(SCORED)]},
            schema_overrides={"ts": SCORES["ts"]},
        ).with_columns(sensor_id=1, version_id=version.id, expected=1.0, threshold=2.0)
        event = dict.fromkeys(EVENTS.names()) | {
            "event_id": f"event {number}", "sensor_id": 1, "version_id": version.id, "start": START,
            "end": END, "open": False, "peak_ts": START, "severity": "high", "drivers": [],
        }  # fmt: skip
        home.results.put(scores=frame, events={(1, version.id): pl.DataFrame([event], schema=EVENTS)}, at=NOW)
    with StateOwner(home, clock=lambda: NOW) as owner:
        label = NewLabel(1, START, END, "unsure", note="seen at the mill")
        owner.write("label.set", label.payload(), actor="ada", write_id="one")
    home.close()
    return root


@pytest.fixture
def fresh() -> Callable[[], None]:
    """Forget what this process has verified, as a new process knows nothing."""
    return parquet._verified.clear


def flip(path: Path, rng: random.Random) -> None:
    """Flip one bit as a disk does: neither the size nor the time of change tells."""
    status = path.stat()
    content = bytearray(path.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(bytes(content))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def rows_of(home: Warehouse, kind: Kind) -> pl.DataFrame:
    columns, read = READS[kind]
    return read(home).select(columns)


def without(home: Warehouse, kind: Kind, file: File) -> pl.DataFrame:
    """Return what is to be read once `file` is set aside, told from the sound file itself."""
    columns, _ = READS[kind]
    held = pl.read_parquet(home.root / file.path)
    if kind == "rollups":
        held = held.filter(pl.col("level_s") == 900)
    return rows_of(home, kind).join(held.select(columns), on=columns, how="anti", nulls_equal=True)


def read_everything(home: Warehouse) -> dict[Kind, pl.DataFrame | str]:
    """Read every kind by its ordinary way, what is refused as the words of its error."""
    found: dict[Kind, pl.DataFrame | str] = {}
    for kind in READS:
        try:
            found[kind] = rows_of(home, kind)
        except IntegrityError as error:
            found[kind] = str(error)
    for version in (1, 2):
        home.results.window(1, version, START, END, 100)
    return found


def same(one: pl.DataFrame | str, other: pl.DataFrame | str) -> bool:
    return isinstance(one, pl.DataFrame) and isinstance(other, pl.DataFrame) and one.equals(other)


def picked(home: Warehouse, flips: int, rng: random.Random) -> list[File]:
    """Return files to damage: of every kind in turn, any of its files."""
    live = {kind: home.manifest.live(kind) for kind in KINDS}
    assert all(live.values())
    return [rng.choice(live[KINDS[number % len(KINDS)]]) for number in range(flips)]


@pytest.mark.timeout(1200)
def test_every_flipped_bit_is_found_when_the_file_is_first_read(pristine, tmp_path, fresh, record_property):
    flips = times(6, 60)
    rng = random.Random(60)
    home = Warehouse.open(pristine)
    files = picked(home, flips, rng)
    whole = read_everything(home)
    wanted = [
        {**whole, file.kind: without(home, file.kind, file)} if file.kind in {*READS} - {"labels"} else whole
        for file in files
    ]
    home.close()
    found = 0
    for number, (file, expected) in enumerate(zip(files, wanted, strict=True)):
        root = shutil.copytree(pristine, tmp_path / f"home{number}")
        flip(root / file.path, rng)
        fresh()
        home = Warehouse.open(root)
        seen = read_everything(home)
        assert [one.file.path for one in home.damage()] == [file.path], file.path
        found += 1
        for kind in READS:
            if kind == file.kind == "labels":
                assert "telltale repair" in str(seen[kind])
            else:
                assert same(seen[kind], expected[kind]), (kind, file.path)
        home.close()
        shutil.rmtree(root)
    assert found == flips
    record_property("bits flipped, each found when its file was first read", flips)


@pytest.mark.timeout(1200)
def test_every_flipped_bit_is_found_by_reading_every_byte(pristine, tmp_path, fresh, record_property):
    flips = times(6, 60)
    rng = random.Random(61)
    home = Warehouse.open(pristine)
    kept = list(home.manifest.kept())
    pinned = [file for file in kept if file.ended_in is not None]
    assert pinned
    for number in range(flips):
        file = rng.choice(pinned if number % 3 == 0 else kept)
        content = (pristine / file.path).read_bytes()
        status = (pristine / file.path).stat()
        flip(pristine / file.path, rng)
        fresh()
        [line] = home.verify(at=NOW)
        assert line.startswith(file.path)
        assert [one.file.path for one in home.damage()] == [file.path]
        (pristine / file.path).write_bytes(content)
        os.utime(pristine / file.path, ns=(status.st_atime_ns, status.st_mtime_ns))
        with home.database.transaction() as connection:
            connection.execute("DELETE FROM damage")
    assert home.verify() == []
    home.close()
    record_property("bits flipped, each found by reading every byte", flips)


def test_control_without_the_hash_flipped_bits_are_read_as_if_they_were_right(
    pristine, tmp_path, fresh, monkeypatch
):
    root = shutil.copytree(pristine, tmp_path / "home")
    home = Warehouse.open(root)
    [file, *_] = home.manifest.live("scores")
    flip(root / file.path, random.Random(1))
    fresh()
    with monkeypatch.context() as patched:
        patched.setattr(parquet, "find_fault", lambda *_: None)
        # Some bits can't be read at all; the others are believed.
        with suppress(pl.exceptions.PolarsError):
            read_everything(home)
        assert home.damage() == ()
    fresh()
    read_everything(home)
    assert len(home.damage()) == 1
    home.close()
