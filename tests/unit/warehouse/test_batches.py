from datetime import UTC, datetime
from pathlib import Path

from warehouse.home import Warehouse
from warehouse.sources import csv_table
from warehouse.sources.table_mapping import TableMapping

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MAPPING = TableMapping("time", "UTC", "wide", asset="Pump 1")


def test_ingests_are_listed_with_the_file_that_a_person_knows(home: Warehouse, tmp_path: Path) -> None:
    path = tmp_path / "tmp8x2.upload"
    rows = "time,flow\n2026-01-01 00:00,1\n2026-01-01 00:01,2\n"
    for text, name in (
        (rows, "Monday.csv"),
        (rows, "again.csv"),
        (rows.replace(",2\n", ",3\nx,1\n"), "Tuesday.csv"),
    ):
        path.write_text(text)
        home.ingest(csv_table.read(path, MAPPING, now=NOW, name=name), at=NOW, actor="anna")
    tuesday, monday = home.batches()
    assert (monday.source, monday.origin, monday.actor, monday.at) == ("csv", "Monday.csv", "anna", NOW)
    assert (monday.added, monday.replaced, monday.unchanged, monday.duplicates, monday.refused) == (
        2,
        0,
        0,
        0,
        0,
    )
    assert tuesday.origin == "Tuesday.csv"
    assert (tuesday.added, tuesday.replaced, tuesday.unchanged, tuesday.refused) == (0, 1, 1, 1)
    newest = home.manifest.snapshot()
    assert newest is not None
    assert tuesday.snapshot_id == newest.id
    assert home.batches(limit=1) == (tuesday,)
