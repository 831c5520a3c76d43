from collections.abc import Iterator
from pathlib import Path

import pytest

from warehouse.home import Warehouse


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Warehouse]:
    warehouse = Warehouse.open(tmp_path / "home")
    yield warehouse
    warehouse.close()
