from pathlib import Path
from typing import Any

import pytest
from csv_material import NOW, Read

from warehouse.sources import csv_table
from warehouse.sources.base import SourceBatch
from warehouse.sources.table_mapping import TableMapping


@pytest.fixture
def wide(tmp_path: Path) -> Read:
    """Read text or bytes as a wide table of Pump 1."""

    def read(content: str | bytes, **mapping: Any) -> SourceBatch:
        path = tmp_path / "wide.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        stated: dict[str, Any] = {"time": "time", "zone": "UTC", "asset": "Pump 1", **mapping}
        return csv_table.read(path, TableMapping(layout="wide", **stated), now=NOW)

    return read


@pytest.fixture
def long(tmp_path: Path) -> Read:
    """Read text as a long table with columns machine, sensor, time, value."""

    def read(content: str, **mapping: Any) -> SourceBatch:
        path = tmp_path / "long.csv"
        path.write_text(content)
        stated: dict[str, Any] = {
            "time": "time",
            "zone": "UTC",
            "asset_column": "machine",
            "sensor_column": "sensor",
            "value_column": "value",
            **mapping,
        }
        return csv_table.read(path, TableMapping(layout="long", **stated), now=NOW)

    return read
