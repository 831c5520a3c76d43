"""Assets, their sensors and their declared parts: what a source states and what is stored."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Role = Literal["target", "context", "state"]
PartName = Literal["train", "test", "anomaly"]


@dataclass(frozen=True)
class SensorSpec:
    """A sensor as a source states it.

    Parameters
    ----------
    name
        Unique in its asset.
    unit
        Unit of the values, empty where there is none.
    role
        ``target``: judged; ``context``: explains a target; ``state``: tells how the asset is run.
    interval_s
        Nominal seconds between readings, None if irregular or unknown.
    context
        Names of sensors of the same asset that explain this one.
    """

    name: str
    unit: str = ""
    role: Role = "target"
    interval_s: float | None = None
    context: tuple[str, ...] = ()


@dataclass(frozen=True)
class PartSpec:
    """A part of an asset's time that the source declares, half-open ``[start, end)`` in UTC.

    ``train`` and ``test`` occur once; ``anomaly`` marks what its publisher labelled, and is only ever
    used to count what was found.
    """

    name: PartName
    start: datetime
    end: datetime


@dataclass(frozen=True)
class AssetSpec:
    """An asset as a source states it.

    Parameters
    ----------
    name
        Unique in the catalogue, whatever the source; contains no ``/``.
    kind
        What the machine is: "pump", "SMAP channel".
    historical
        True when its data has ended, so that "now" never means the wall clock.
    sensors
        Its sensors; a sensor's key is ``"asset/sensor"``.
    parts
        Declared train and test parts, if the source has them.
    """

    name: str
    kind: str
    historical: bool = False
    sensors: tuple[SensorSpec, ...] = ()
    parts: tuple[PartSpec, ...] = ()


@dataclass(frozen=True)
class Asset:
    """A stored machine."""

    id: int
    name: str
    kind: str
    source: str
    historical: bool


@dataclass(frozen=True)
class Sensor:
    """A stored sensor.

    Parameters
    ----------
    unit
        As it is shown: what a person set, else what the source states.
    context
        Ids of the sensors that explain it, in the stated order.
    stated_unit
        What its source states; other statements are held against this one.
    """

    id: int
    asset_id: int
    asset_name: str
    name: str
    unit: str
    role: Role
    interval_s: float | None
    context: tuple[int, ...]
    stated_unit: str

    @property
    def key(self) -> str:
        """``"asset/sensor"``, as sources and people name it."""
        return sensor_key(self.asset_name, self.name)


@dataclass(frozen=True)
class Part:
    """A stored part of an asset's time, half-open ``[start, end)`` in UTC."""

    asset_id: int
    name: PartName
    start: datetime
    end: datetime


def sensor_key(asset: str, sensor: str) -> str:
    """Return the key by which readings of a source name their sensor."""
    return f"{asset}/{sensor}"
