from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from warehouse.assets import AssetSpec, SensorSpec
from warehouse.home import Warehouse
from warehouse.state.owner import StateOwner

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


class Clock:
    """A clock that moves one second a look."""

    def __init__(self) -> None:
        self.moment = NOON

    def __call__(self) -> datetime:
        self.moment += timedelta(seconds=1)
        return self.moment


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    opened = Warehouse.open(tmp_path / "home")
    opened.catalog.put_assets(
        "csv",
        [
            AssetSpec("Pump 7", "pump", sensors=(SensorSpec("outlet temperature", "°C", interval_s=60.0),)),
            AssetSpec(
                "Pump 8",
                "pump",
                sensors=(
                    SensorSpec("outlet temperature", "°C", interval_s=60.0, context=("load",)),
                    SensorSpec("load", "%", role="context", interval_s=60.0),
                ),
            ),
            AssetSpec("P-1", "channel", historical=True, sensors=(SensorSpec("telemetry", "scaled"),)),
        ],
    )
    yield opened
    opened.close()


@pytest.fixture
def owner(warehouse: Warehouse, clock: Clock) -> Iterator[StateOwner]:
    one = StateOwner(warehouse, clock=clock)
    one.acquire()
    yield one
    one.stop()
