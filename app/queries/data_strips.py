"""Coverage of all sensors at once: what each stretch of time holds, against what it should hold."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from warehouse.assets import Sensor
from warehouse.instants import DAY_US, SECOND_US

CELLS: Final = 60

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Strips:
    """Shares of all sensors, in the order in which they were given.

    Parameters
    ----------
    steps
        (n,) microseconds between readings, NaN where it is not known.
    shares
        (n, 60) share in [0, 1] of the expected readings of a cell; NaN before the first reading.
    cells
        (n,) how many of the 60 cells the sensor's machine has; 0 without readings.
    lost
        (n,) share of the expected readings that are missing, NaN where nothing is expected.
    empty_days
        (n,) longest run of whole UTC days without a value between two values.
    cell_days
        UTC days a cell, by asset.
    """

    steps: Floats
    shares: Floats
    cells: Ints
    lost: Floats
    empty_days: Ints
    cell_days: Mapping[int, int]

    @classmethod
    def of(
        cls, sensors: Sequence[Sensor], spans: Mapping[int, tuple[int, int, int]], days: pl.DataFrame
    ) -> Self:
        """Return the strips of sensors.

        Parameters
        ----------
        spans
            First and last reading in microseconds, and readings, by sensor; those without are left out.
        days
            sensor_id, ts and count of the days with values, each sensor's in the order of time.
        """
        n = len(sensors)
        known = np.array([one.id in spans for one in sensors], dtype=bool)
        given = np.array([spans.get(one.id, (0, 0, 0)) for one in sensors], dtype=np.int64).reshape(n, 3)
        first, last, rows = given[:, 0], given[:, 1], given[:, 2]
        nominal = np.array([one.interval_s or np.nan for one in sensors], dtype=np.float64) * SECOND_US
        with np.errstate(divide="ignore", invalid="ignore"):
            guessed = np.where(rows > 1, (last - first) / (rows - 1.0), np.nan)
        steps = np.where(np.isnan(nominal), guessed, nominal)
        steps = np.where(known & (steps > 0), steps, np.nan)
        start, cell_days, cells, by_asset = _grid(sensors, known, first, last)
        place = {one.id: number for number, one in enumerate(sensors)}
        at = days["ts"].to_physical().to_numpy().astype(np.int64)
        counts = days["count"].to_numpy().astype(np.float64)
        owner = days["sensor_id"].replace_strict(place, default=-1, return_dtype=pl.Int64).to_numpy()
        order = np.argsort(owner, kind="stable")  # quick: the rows come in a few sorted runs
        order = order[owner[order] >= 0]
        at, counts, owner = at[order], counts[order], owner[order]
        cell = np.clip((at // DAY_US - start[owner]) // cell_days[owner], 0, CELLS - 1)
        held = np.bincount(owner * CELLS + cell, weights=counts, minlength=n * CELLS).reshape(n, CELLS)
        edges = (start[:, None] + np.arange(CELLS + 1)[None, :] * cell_days[:, None]) * DAY_US
        with np.errstate(divide="ignore", invalid="ignore"):
            inside = np.minimum(edges[:, 1:], (last + steps)[:, None]) - np.maximum(
                edges[:, :-1], first[:, None]
            )
            expected = np.clip(inside, 0.0, None) / steps[:, None]
            shares = np.clip(np.where(expected > 0, held / expected, 0.0), 0.0, 1.0)
            lost = np.clip(1.0 - held.sum(axis=1) / ((last - first) / steps + 1.0), 0.0, 1.0)
        shares[edges[:, 1:] <= first[:, None]] = np.nan
        return cls(steps, shares, np.where(known, cells, 0), lost, _empty_days(n, owner, at), by_asset)

    def interval_s(self, place: int) -> float | None:
        """Return the seconds between the readings of a sensor, None where they are not known."""
        step = float(self.steps[place])
        return None if np.isnan(step) else step / SECOND_US

    def coverage(self, place: int) -> tuple[float | None, ...]:
        """Return the shares of a sensor in the cells of its machine's time; None before its first reading."""
        if np.isnan(self.steps[place]):
            return ()
        shares: list[float] = self.shares[place, : int(self.cells[place])].tolist()
        return tuple(None if math.isnan(share) else share for share in shares)

    def missing(self, place: int) -> float | None:
        """Return the share of its expected readings that a sensor lacks; None where nothing is expected."""
        lost = float(self.lost[place])
        return None if np.isnan(lost) else lost


def _grid(
    sensors: Sequence[Sensor], known: NDArray[np.bool_], first: Ints, last: Ints
) -> tuple[Ints, Ints, Ints, dict[int, int]]:
    """Return the first day, the days a cell and the number of cells of each sensor's machine."""
    begin: dict[int, int] = {}
    finish: dict[int, int] = {}
    for number, one in enumerate(sensors):
        if known[number]:
            low, high = int(first[number]) // DAY_US, int(last[number]) // DAY_US
            begin[one.asset_id] = min(low, begin.get(one.asset_id, low))
            finish[one.asset_id] = max(high, finish.get(one.asset_id, high))
    width = {asset: max(1, -(-(finish[asset] - begin[asset] + 1) // CELLS)) for asset in begin}
    cells = {asset: -(-(finish[asset] - begin[asset] + 1) // width[asset]) for asset in begin}
    columns = [
        np.array([table.get(one.asset_id, default) for one in sensors], dtype=np.int64)
        for table, default in ((begin, 0), (width, 1), (cells, 0))
    ]
    return columns[0], columns[1], columns[2], width


def _empty_days(n: int, owner: Ints, at: Ints) -> Ints:
    """Return the longest run of days without a value between two days with one, by sensor."""
    found = np.zeros(n, dtype=np.int64)
    if at.size > 1:
        same = owner[1:] == owner[:-1]
        np.maximum.at(found, owner[1:][same], (np.diff(at) // DAY_US - 1)[same])
    return found
