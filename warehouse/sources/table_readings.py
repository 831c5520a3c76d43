"""A table being read: numbered rows of cells become readings, whatever the format they came from."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

import polars as pl

from warehouse.assets import sensor_key
from warehouse.errors import SourceError
from warehouse.quarantine import Refusal
from warehouse.sources.base import SourceBatch
from warehouse.sources.cells import as_text, numbers_of, times_of
from warehouse.sources.headers import check_header
from warehouse.sources.kept_readings import KeptReadings
from warehouse.sources.names import refuse_sensor
from warehouse.sources.refused_rows import RefusedOfBlock, RefusedRows
from warehouse.sources.sensor_names import MAX_SENSORS, SensorNames
from warehouse.sources.table_mapping import TableMapping

MAX_CELLS: Final = 20_000_000_000


class TableReadings:
    """One table while it is read: its header, the readings so far and what was refused.

    Parameters
    ----------
    name
        What the person calls it.
    source
        Name of the kind of source.
    now
        Rows from a day after it on are refused.
    spill
        Where readings go that outgrow memory; see `KeptReadings`.
    """

    def __init__(
        self, name: str, mapping: TableMapping, *, source: str, now: datetime, spill: Path | None
    ) -> None:
        self.name, self.mapping, self.now, self.source = name, mapping, now, source
        self.header: list[str] = []
        self._columns: dict[str, str] = {}  # wide: sensor by frame column
        self._numbers: dict[str, int] = {}  # wide: number by sensor
        self._names = SensorNames(name)
        self._kept = KeptReadings(name, spill, MAX_SENSORS)
        self._refused = RefusedRows(name)
        self._cells = self._rows = 0
        self._notes: list[str] = []

    def take_header(self, header: list[str], line: int | None, unread: dict[str, str] | None = None) -> None:
        """Take the column names.

        Parameters
        ----------
        line
            Where they stand, for refusals.
        unread
            Columns that can't be read, with the reason.

        Raises
        ------
        SourceError
            A column that the mapping needs is missing, can't be read or is named twice, or none is a sensor.
        """
        check_header(self.name, header, self.mapping.needed)
        unread = unread or {}
        for column in self.mapping.needed:
            if column in unread:
                raise SourceError(f"{self.name}: column {column!r} can't be read: {unread[column]}")
        self.header = header
        if self.mapping.layout == "long":
            return
        chosen = self.mapping.columns
        for position, sensor in enumerate(header):
            if sensor == self.mapping.time or (chosen is not None and sensor not in chosen):
                continue
            if sensor == "":
                self._notes.append(f"{self.name}: column {position + 1} has no name and was left out")
                continue
            reason = unread.get(sensor) or refuse_sensor(sensor)
            if reason:
                refusal = Refusal(self.name, line, f"column {position + 1}: {reason}", sensor)
                self._refused.take([refusal], 1)
            else:
                self._columns[f"c{position}"] = sensor
                self._numbers[sensor] = position
        if not self._columns:
            raise SourceError(f"{self.name}: no column besides {self.mapping.time!r} can be read as a sensor")

    @property
    def wanted(self) -> list[int]:
        """Positions of the columns that are needed."""
        needed = {self.header.index(column) for column in self.mapping.needed}
        return sorted(needed | {int(column[1:]) for column in self._columns})

    def count(self, lines: int) -> None:
        """Count lines that are to be read.

        Raises
        ------
        SourceError
            The table has too many cells.
        """
        self._cells += lines * len(self.header)
        if self._cells > MAX_CELLS:
            raise SourceError(f"{self.name}: more than {MAX_CELLS:,} cells; split it")

    def take(self, rows: pl.DataFrame, refused: tuple[Refusal, ...], text: Callable[[int], str]) -> None:
        """Take some rows.

        Parameters
        ----------
        rows
            ``line`` and a column ``c<position>`` for each of `wanted`.
        refused
            What was refused before, among the same lines.
        text
            Returns what stands on a line.
        """
        self._rows += rows.height + len(refused)
        found = RefusedOfBlock(self.name, text, self._refused.room)
        found.take(refused)
        rows = self._timed(rows, found)
        if self.mapping.layout == "wide":
            self._take_wide(rows, found)
        else:
            self._take_long(rows, found)
        self._refused.take(found.first, found.count)

    def batch(self) -> SourceBatch:
        """Return what was read.

        Raises
        ------
        SourceError
            There is nothing to store, or the mapping states something of a sensor that is not there.
        """
        if not self.header:
            raise SourceError(f"{self.name}: is empty; a table begins with a header line")
        if not self._rows:
            raise SourceError(f"{self.name}: has a header and no rows")
        self._require_rows()
        self._refused.close()
        asset = self.mapping.asset or ""
        known = self._names.pairs or {(asset, one): number for one, number in self._numbers.items()}
        read_from = set(self._kept.numbers)
        pairs = {number: pair for pair, number in known.items() if number in read_from}
        keys = {number: sensor_key(*pair) for number, pair in pairs.items()}
        intervals = {keys[number]: seconds for number, seconds in self._kept.intervals().items()}
        assets = self.mapping.specs(list(pairs.values()), intervals)
        chunks = self._kept.chunks(keys)
        return SourceBatch(
            self.source,
            assets,
            chunks,
            self._refused.listed,
            tuple(self._notes),
            origin=self.name,
            rows=self._kept.rows,
        )

    def _timed(self, rows: pl.DataFrame, found: RefusedOfBlock) -> pl.DataFrame:
        """Return `rows` with their instants, less those without a good one."""
        mapping = self.mapping
        cells = rows[self._cell(mapping.time)]
        times = times_of(
            cells, zone=mapping.zone, time_format=mapping.time_format, now=self.now, name=self.name
        )
        rows = rows.hstack(times)
        if times["naive"].any():
            line = rows.filter("naive").item(0, "line")
            raise SourceError(
                f"{self.name}: no zone is stated and line {line} ({found.text(line)[:60]!r}) carries no"
                " offset; state the zone of its clocks, such as UTC or Europe/Berlin"
            )
        if times["refused"].null_count() == rows.height:
            return rows
        found.add(rows.filter(pl.col("refused").is_not_null()).select("line", reason="refused"))
        return rows.filter(pl.col("refused").is_null())

    def _take_wide(self, rows: pl.DataFrame, found: RefusedOfBlock) -> None:
        for column, sensor in self._columns.items():
            parsed = numbers_of(rows[column], self.mapping.decimal)
            number = pl.lit(self._numbers[sensor], pl.UInt32).alias("number")
            read = rows.select(number, "ts", parsed["value"])
            if not parsed["good"].all():
                reason = pl.lit(f"column {sensor!r} holds no number; the rest of the row is kept")
                bad = rows.filter(~parsed["good"])
                found.add(bad.select("line", reason.alias("reason"), as_text(bad[column]).alias("cell")))
                read = read.filter(parsed["good"])
            self._kept.add(read)

    def _take_long(self, rows: pl.DataFrame, found: RefusedOfBlock) -> None:
        mapping = self.mapping
        value = rows[self._cell(mapping.value_column)]
        parsed = numbers_of(value, mapping.decimal)
        asset = mapping.asset or as_text(rows[self._cell(mapping.asset_column)])
        numbers, codes = self._names.numbers(asset, as_text(rows[self._cell(mapping.sensor_column)]))
        read = pl.DataFrame([numbers, rows["ts"], parsed["value"]])
        good = parsed["good"] & numbers.is_not_null()
        if not good.all():
            cells, of = as_text(value.filter(~good)), codes.filter(~good)
            found.add(
                rows.select("line").filter(~good),
                lambda row: self._names.reason(of[row]) or f"value {cells[row]} is no number",
            )
            read = read.filter(good)
        self._kept.add(read)

    def _cell(self, column: str | None) -> str:
        return f"c{self.header.index(column or '')}"

    def _require_rows(self) -> None:
        if self._kept.several_times:
            return
        refused = self._refused.listed
        first = f"; line {refused[0].row}: {refused[0].reason}" if refused else ""
        if not self._kept.rows:
            raise SourceError(f"{self.name}: none of its {self._rows} rows can be used{first}")
        raise SourceError(
            f"{self.name}: {self._rows} rows with readings at one time only; at least two different times"
            f" are needed to know the interval{first}"
        )
