"""Names of sensors in a column of a long table, each looked at once and numbered as it appears."""

from typing import Final

import numpy as np
import polars as pl

from warehouse.errors import SourceError
from warehouse.sources.names import refuse_asset, refuse_sensor

MAX_SENSORS: Final = 5000
# Different texts, refused ones included, that are remembered.
MAX_NAMES: Final = 1_000_000

_UNSEEN: Final = -2
_REFUSED: Final = -1


class SensorNames:
    """The sensors that a table names, by number.

    Parameters
    ----------
    table
        What the person calls the table.
    """

    def __init__(self, table: str) -> None:
        self._table = table
        self._pairs: dict[tuple[str, str], int] = {}
        self._reasons: dict[int, str] = {}
        self._categories = pl.Categorical(pl.Categories.random())
        # Codes last as long as something has them.
        self._keeps_codes = pl.Series(dtype=self._categories)
        self._by_code = np.full(1024, _UNSEEN, np.int64)

    @property
    def pairs(self) -> dict[tuple[str, str], int]:
        """Numbers by (asset, sensor), in the order of their appearance."""
        return dict(self._pairs)

    def number(self, asset: str, sensor: str) -> int | str:
        """Return the number of a sensor, given to it now if it is new, or why its name is refused.

        Raises
        ------
        SourceError
            There are too many sensors.
        """
        known = self._pairs.get((asset, sensor))
        if known is not None:
            return known
        reason = refuse_asset(asset) or refuse_sensor(sensor)
        if reason:
            return reason
        if len(self._pairs) >= MAX_SENSORS:
            raise SourceError(f"{self._table}: more than {MAX_SENSORS} sensors; is that the sensor column?")
        return self._pairs.setdefault((asset, sensor), len(self._pairs))

    def numbers(self, asset: str | pl.Series, sensors: pl.Series) -> tuple[pl.Series, pl.Series]:
        """Return the number of each row's sensor, null where its name is refused, and its code.

        Parameters
        ----------
        asset
            The machine of all rows, or the text that names the machine of each.
        sensors
            The text that names the sensor of each row; blanks around names don't count.
        """
        assets = asset if isinstance(asset, pl.Series) else None
        joined = (
            sensors
            if assets is None
            else pl.select(pl.concat_str(pl.lit(assets), pl.lit(sensors), separator="\0")).to_series()
        )
        codes = joined.cast(self._categories).to_physical()
        at = codes.to_numpy()
        highest = int(at.max()) if len(at) else -1
        if highest >= MAX_NAMES:
            raise SourceError(f"{self._table}: more than {MAX_NAMES:,} names; is that the sensor column?")
        if highest >= len(self._by_code):
            grown = np.full(2 * (highest + 1), _UNSEEN, np.int64)
            grown[: len(self._by_code)] = self._by_code
            self._by_code = grown
        numbers = self._by_code[at]
        unseen = np.flatnonzero(numbers == _UNSEEN)
        if len(unseen):
            _, first = np.unique(at[unseen], return_index=True)
            for row in unseen[np.sort(first)].tolist():
                machine = str(asset) if assets is None else str(assets[row])
                self._learn(int(at[row]), machine.strip(), str(sensors[row]).strip())
            numbers = self._by_code[at]
        found = pl.Series("number", numbers)
        return found.set(found < 0, None).cast(pl.UInt32), codes

    def reason(self, code: int) -> str | None:
        """Return why the name of a code is refused, None where it is not."""
        return self._reasons.get(code)

    def _learn(self, code: int, asset: str, sensor: str) -> None:
        found = self.number(asset, sensor)
        if isinstance(found, str):
            self._reasons[code] = found
        self._by_code[code] = _REFUSED if isinstance(found, str) else found
