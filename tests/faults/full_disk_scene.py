"""Fills the disk of a home at every place where Telltale writes, and tells what was then seen.

Run inside a mount namespace of its own: arguments are an empty folder to mount a small disk on, and its
size. One line of JSON is printed: what each write raised, and what was read before, meanwhile and after.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from warehouse import staging
from warehouse.assets import AssetSpec, SensorSpec
from warehouse.catalog import NewVersion
from warehouse.errors import WarehouseError
from warehouse.home import Warehouse
from warehouse.schema import EVENTS, GOOD, READINGS, SCORES
from warehouse.sources.base import CHUNK, SourceBatch
from warehouse.sqlite import MIGRATIONS, Database
from warehouse.state.labels import NewLabel
from warehouse.state.owner import StateOwner
from warehouse.state.published import read_labels
from warehouse.state.store import StateStore

START = datetime(2026, 5, 1, tzinfo=UTC)
NOW = datetime(2026, 5, 10, tzinfo=UTC)
PUMP = AssetSpec("Pump 7", "pump", sensors=(SensorSpec("temperature", "°C"),))

disk = Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={sys.argv[2]}", "telltale", str(disk)], check=True)
home = Warehouse.open(disk / "home")
filler = disk / "filler"
told: dict[str, object] = {}


def fill(leave: int = 0) -> None:
    """Fill the disk up to `leave` bytes."""
    descriptor = os.open(filler, os.O_WRONLY | os.O_CREAT)
    try:
        while os.write(descriptor, bytes(4096)):
            pass
    except OSError:
        os.truncate(filler, max(0, filler.stat().st_size - leave))
    finally:
        os.close(descriptor)


def make_room() -> None:
    filler.unlink(missing_ok=True)


def raised(work: Callable[[], object]) -> str:
    """Return the kind and words of the one error that `work` ends with; anything unclear is a crash."""
    try:
        work()
    except WarehouseError as error:
        return f"{type(error).__name__}: {error}"
    return "nothing"


def rows(count: int, first: float = 0.0) -> pl.DataFrame:
    times = [START + timedelta(seconds=index) for index in range(count)]
    return pl.DataFrame(
        {"sensor_id": [1] * count, "ts": times, "value": [first + index for index in range(count)]},
        schema_overrides={"sensor_id": READINGS["sensor_id"], "ts": READINGS["ts"]},
    ).with_columns(quality=pl.lit(GOOD, pl.UInt8))


def batch(count: int, first: float = 0.0) -> SourceBatch:
    frame = rows(count, first).select(pl.lit("Pump 7/temperature").alias("key"), "ts", "value")
    return SourceBatch("csv", (PUMP,), iter([frame.match_to_schema(CHUNK)]), [])


def ingest(count: int, first: float = 0.0) -> str:
    return raised(lambda: home.ingest(batch(count, first), at=NOW, actor="ada"))


def score(value: float) -> str:
    frame = pl.DataFrame(
        [(1, 1, START + timedelta(minutes=n), value, 1.0, 2.0) for n in range(20_000)], SCORES, orient="row"
    )
    return raised(lambda: home.results.put(scores=frame, events={(1, 1): EVENTS.to_frame()}, at=NOW))


def read() -> list[object]:
    """Return what a reader sees: readings, a bucket, scores, labels."""
    readings = home.telemetry.read([1])
    return [
        readings.height,
        readings["value"].sum(),
        home.telemetry.rollup([1], None, None, 86_400)["count"].sum(),
        home.telemetry.spans()["rows"].to_list(),
        home.results.read_scores(1, 1)["score"].sum(),
        home.catalog.sensors()[0].name,
    ]


def leftovers() -> list[str]:
    """Return files that nothing names and nothing ever named."""
    stored = [*home.root.rglob("*.parquet"), *home.root.rglob("*.partial"), *home.root.rglob("*.arrow")]
    return home.manifest.unknown([path.relative_to(home.root).as_posix() for path in stored])


def verdict(owner: StateOwner, note: str) -> str:
    start = START + timedelta(hours=2 * ord(note))
    label = NewLabel(1, start, start + timedelta(hours=1), "unsure", note=note * 2000)
    return raised(lambda: owner.write("label.set", label.payload(), actor="ada", write_id=note))


def migrate(folder: Path) -> str:
    return raised(lambda: Database(folder / "catalog.sqlite", scripts).close())


def migrate_state(folder: Path) -> str:
    return raised(lambda: StateStore(folder / "state.duckdb", state_scripts).close())


# Before: everything is stored, an owner is at work, two databases of an older release lie aside.
home.ingest(batch(2000), at=NOW, actor="ada")
snapshot = home.manifest.snapshot()
assert snapshot is not None
home.catalog.add_version(
    NewVersion(
        sensor_id=1, method="telemanom", kind="trained", run_id=None, registered_name=None, created_at=NOW,
        snapshot_id=snapshot.id, snapshot_digest=snapshot.digest, labels_digest="", seed=1,
        spans={"calibrate": (START, NOW)}, parameters={}, metrics={}, artifacts={}, folder="models/1",
    )
)  # fmt: skip
score(1.0)
owner = StateOwner(home, clock=lambda: NOW)
owner.acquire()
owner.start_thread()
verdict(owner, "a")
scripts, state_scripts, old = disk / "scripts", disk / "state_scripts", disk / "old"
for folder, kind in ((scripts, "catalog"), (state_scripts, "state")):
    folder.mkdir()
    first = min((MIGRATIONS / kind).glob("*.sql"))
    (folder / first.name).write_text(first.read_text("utf-8"), "utf-8")
old.mkdir()
Database(old / "catalog.sqlite", scripts).close()
StateStore(old / "state.duckdb", state_scripts).close()
more = "CREATE TABLE more (a INTEGER);\n"
(scripts / "0002_more.sql").write_text(more, "utf-8")
(state_scripts / "0002_more.sql").write_text(more, "utf-8")
told["before"] = read()

# The disk fills up; every write says so and nothing of it is seen.
fill()
told["ingest"] = ingest(5000, 0.5)
told["scoring"] = score(2.0)
told["verdict"] = verdict(owner, "b")
told["job"] = raised(
    lambda: [home.jobs.add("score", {"text": "x" * 5000}, actor="ada", at=NOW) for _ in range(300)]
)
told["catalogue"] = raised(
    lambda: home.catalog.put_assets(
        "csv", [AssetSpec(f"Pump {n} {'x' * 100}", "pump", sensors=PUMP.sensors) for n in range(300)]
    )
)
told["migration of the catalogue"] = migrate(old)
told["migration of the state"] = migrate_state(old)
told["left beside old databases"] = sorted(path.name for path in old.iterdir() if "bak" in path.name)
# With room for a part of it, files are begun and the disk fills up in the midst of one.
partly = []
for leave in (8192, 65_536, 131_072, 262_144):
    make_room()
    fill(leave)
    partly.append(ingest(60_000, 0.25))
told["ingest that finds some room"] = partly
make_room()
fill(262_144)
memory, staging.MEMORY_ROWS = staging.MEMORY_ROWS, 1000
told["ingest that spills"] = ingest(60_000, 0.25)
staging.MEMORY_ROWS = memory
fill()
told["meanwhile"] = read()
told["leftovers"] = leftovers()
told["labels meanwhile"] = read_labels(home).frame["note"].str.head(1).to_list()

# There is room again: the same writes go through, the same owner takes verdicts and publishes them.
make_room()
told["ingest again"] = ingest(5000, 0.5)
told["scoring again"] = score(2.0)
told["verdict again"] = verdict(owner, "b")
pause = threading.Event()
for _ in range(200):
    if read_labels(home).frame.height > 1 and owner.failure is None:
        break
    pause.wait(0.05)
told["labels after"] = sorted(read_labels(home).frame["note"].str.head(1).to_list())
told["migration again"] = [migrate(old), migrate_state(old)]
told["backups"] = sorted(path.name for path in old.iterdir() if path.name.endswith(".bak"))
home.jobs.add("score", {}, actor="ada", at=NOW)
told["jobs after"] = len(home.jobs.list(limit=1000))
told["after"] = read()
owner.stop()
told["damaged"] = home.verify()
sys.stdout.write(json.dumps(told) + "\n")
