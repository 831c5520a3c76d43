"""A table is read and stored in one go, and what it is at is told by rows."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.workflows.ingest import ingest_table
from warehouse.errors import SourceError
from warehouse.home import Warehouse
from warehouse.sources import csv_lines, kept_readings
from warehouse.sources.table_mapping import TableMapping

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MAPPING = TableMapping("time", None, "wide", asset="Pump 1")


def write(path: Path, rows: int = 200) -> Path:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    lines = [f"{start + timedelta(minutes=row):%Y-%m-%dT%H:%M:%SZ},{row}" for row in range(rows)]
    path.write_text("\n".join(["time,flow", *lines]))
    return path


def test_progress_never_falls_and_tells_the_rows_that_went_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_lines, "BLOCK", 1000)
    monkeypatch.setattr(kept_readings, "MEMORY_ROWS", 50)
    monkeypatch.setattr(kept_readings, "ROWS_A_CHUNK", 50)
    home = Warehouse.open(tmp_path / "home")
    told: list[tuple[float, str]] = []
    try:
        done = ingest_table(
            write(tmp_path / "a.csv"),
            MAPPING,
            warehouse=home,
            clock=lambda: NOW,
            actor="anna",
            progress=lambda share, message: told.append((share, message)),
            name="Monday.csv",
        )
        # What did not fit into memory was set aside in the home, and is gone again.
        assert list(home.layout.staging.rglob("*.arrow")) == []
    finally:
        home.close()
    assert done.report.added == 200
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert 0 <= shares[0] < 0.1
    assert 0.9 < shares[-1] <= 1
    assert len({share for share, message in told if message == "Reading Monday.csv"}) > 3
    rows = [int(message.split()[0]) for _, message in told if "readings of Monday.csv" in message]
    assert rows == sorted(set(rows))
    assert len(rows) > 3
    assert rows[-1] == 200


def test_an_upload_may_be_smaller_than_what_the_command_line_takes(tmp_path: Path) -> None:
    home = Warehouse.open(tmp_path / "home")
    path = write(tmp_path / "upload.tmp")
    try:
        with pytest.raises(SourceError, match=r"^Monday\.csv: 0 MiB, at most 0 are read; split it"):
            ingest_table(
                path,
                MAPPING,
                warehouse=home,
                clock=lambda: NOW,
                actor="anna",
                name="Monday.csv",
                max_bytes=1000,
            )
    finally:
        home.close()
