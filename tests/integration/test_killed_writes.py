"""A writer that is killed at any moment loses nothing it has acknowledged and leaves nothing half done."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from warehouse.home import Warehouse
from warehouse.schema import GOOD, READINGS

NOW = datetime(2026, 5, 10, tzinfo=UTC)
START = datetime(2026, 5, 1, tzinfo=UTC)

WRITER = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
import polars as pl
from warehouse.home import Warehouse
from warehouse.schema import GOOD, READINGS

home = Warehouse.open(Path(sys.argv[1]))
now = datetime(2026, 5, 10, tzinfo=UTC)
for index in range(int(sys.argv[2]), 10_000):
    ts = datetime(2026, 5, 1, tzinfo=UTC) + timedelta(minutes=index)
    rows = [(sensor, ts, float(index), GOOD) for sensor in (1, 2, 3)]
    home.telemetry.write(pl.DataFrame(rows, schema=READINGS, orient="row"), note="minute", at=now)
    print(index, flush=True)
"""


def write_and_kill(root: Path, first: int, acknowledged: int) -> int:
    """Return the last index that the writer acknowledged before it was killed."""
    command = [sys.executable, "-c", WRITER, str(root), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for _ in range(acknowledged):
            assert writer.stdout.readline(), "the writer stopped by itself"
        writer.kill()
        rest = writer.stdout.read().split()
    return int(rest[-1]) if rest else first + acknowledged - 1


@pytest.mark.parametrize("acknowledged", [1, 4, 9])
def test_acknowledged_readings_survive_a_kill(tmp_path: Path, acknowledged: int) -> None:
    root = tmp_path / "home"
    last = write_and_kill(root, 0, acknowledged)
    last = write_and_kill(root, last + 1, acknowledged)

    home = Warehouse.open(root)
    found = home.telemetry.read([1, 2, 3])

    kept = found.filter(pl.col("sensor_id") == 1)["value"].to_list()
    # The write that the kill met may have been committed and not yet acknowledged.
    assert kept in ([float(index) for index in range(last + 1)], [float(index) for index in range(last + 2)])
    assert found.height == 3 * len(kept)
    assert home.verify() == []
    assert home.telemetry.spans()["rows"].to_list() == [len(kept)] * 3
    assert home.telemetry.rollup([1], None, None, 86_400)["count"].sum() == len(kept)
    home.collect(now=NOW + timedelta(days=1), grace_s=0)
    known = {file.path for file in home.manifest.kept()}
    assert {path.relative_to(root).as_posix() for path in root.rglob("*.parquet")} == known
    again = pl.DataFrame([(1, START, 0.0, GOOD)], schema=READINGS, orient="row")
    assert home.telemetry.write(again, note="again", at=NOW).unchanged == 1
    home.close()
