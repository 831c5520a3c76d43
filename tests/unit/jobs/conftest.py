import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from warehouse.home import Warehouse

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def warehouse(tmp_path: Path):
    opened = Warehouse.open(tmp_path / "home")
    yield opened
    opened.close()


@pytest.fixture
def wait_for() -> Callable[..., bool]:
    def wait(condition: Callable[[], object], seconds: float = 20.0) -> bool:
        pause, ended = threading.Event(), datetime.now(UTC) + timedelta(seconds=seconds)
        while not condition():
            if datetime.now(UTC) > ended:
                return False
            pause.wait(0.02)
        return True

    return wait
