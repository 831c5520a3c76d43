"""CSV in long or wide form with declared time column, zone, units and roles.

The file is checked whole before anything is given: text that is not UTF-8, a time without a zone, or no
usable row at all is a `SourceError`. A row that is bad alone goes to `refusals` with its line number; in
a wide row a bad cell goes there alone. An empty cell is a missing value and passes as NaN.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

import polars as pl

from warehouse.assets import sensor_key
from warehouse.errors import SourceError
from warehouse.quarantine import Refusal
from warehouse.schema import TIME
from warehouse.sources.base import CHUNK, SourceBatch, require_aware
from warehouse.sources.csv_lines import read_header, read_lines, split_cells
from warehouse.sources.csv_mapping import CsvMapping
from warehouse.sources.names import refuse_asset, refuse_sensor
from warehouse.sources.numbers import parse_numbers
from warehouse.sources.times import parse_times

__all__ = ["CsvMapping", "read"]

MAX_CELLS: Final = 25_000_000
MAX_SENSORS: Final = 5000
MAX_REFUSALS: Final = 10_000
ROWS_A_CHUNK: Final = 1_000_000

_READINGS: Final = pl.Schema([("number", pl.UInt32), ("ts", TIME), ("value", pl.Float64)])


def read(path: Path, mapping: CsvMapping, *, now: datetime) -> SourceBatch:
    """Read a table as `mapping` says.

    Parameters
    ----------
    path
        The file: UTF-8, with or without byte order mark, its first line the header.
    mapping
        What the columns mean.
    now
        Rows from a day after it on are refused.

    Raises
    ------
    SourceError
        Nothing can be read, or what is declared does not fit the file; the message names file and line.
    """
    table = _Table(path.name, mapping, require_aware(now, "now"))
    for first, lines in read_lines(path):
        table.take(first, lines)
    return table.batch()


class _Table:
    """One file while it is read: its header, the readings so far and what was refused."""

    def __init__(self, name: str, mapping: CsvMapping, now: datetime) -> None:
        self.name, self.mapping, self.now = name, mapping, now
        self.header: list[str] = []
        self.delimiter = ""
        self.columns: dict[str, str] = {}  # wide: sensor by frame column
        self.numbers: dict[tuple[str, str], int] = {}  # (asset, sensor) by order of appearance
        self.parts: list[pl.DataFrame] = [pl.DataFrame(schema=_READINGS)]
        self.refusals: list[Refusal] = []
        self.refused = self.cells = self.rows = 0
        self.notes: list[str] = []

    def take(self, first: int, lines: list[str]) -> None:
        """Read a block of `lines`, the first of which is line `first` of the file."""
        if not self.header:
            start = next((index for index, line in enumerate(lines) if line.strip()), None)
            if start is None:
                return
            self._take_header(first + start, lines[start])
            first, lines = first + start + 1, lines[start + 1 :]
        self.cells += len(lines) * len(self.header)
        if self.cells > MAX_CELLS:
            raise SourceError(f"{self.name}: more than {MAX_CELLS:,} cells; split it")
        wanted = {f"c{self.header.index(column)}" for column in self.mapping.needed} | set(self.columns)
        positions = sorted(int(column[1:]) for column in wanted)
        cells = split_cells(
            self.name, first, lines, delimiter=self.delimiter, width=len(self.header), wanted=positions
        )
        self.rows += cells.rows.height + len(cells.refusals)
        refusals = list(cells.refusals)
        rows = self._timed(cells.rows, refusals)
        if self.mapping.layout == "wide":
            self._take_wide(rows, refusals)
        else:
            self._take_long(rows, refusals)
        self.refused += len(refusals)
        refusals.sort(key=lambda one: one.row or 0)
        self.refusals += refusals[: MAX_REFUSALS - len(self.refusals)]

    def batch(self) -> SourceBatch:
        """Return what was read."""
        if not self.header:
            raise SourceError(f"{self.name}: is empty; a table begins with a header line")
        if not self.rows:
            raise SourceError(f"{self.name}: has a header and no rows")
        # Stable: of two rows with the same time the later one in the file stays the later one.
        readings = pl.concat(self.parts).sort("number", "ts", maintain_order=True)
        self._require_rows(readings)
        if self.refused > len(self.refusals):
            further = self.refused - len(self.refusals)
            reason = f"{further} further rows or cells were refused and are not listed"
            self.refusals.append(Refusal(self.name, None, reason, ""))
        read_from = set(readings["number"].unique())
        pairs = {number: pair for pair, number in self.numbers.items() if number in read_from}
        keys = {number: sensor_key(*pair) for number, pair in pairs.items()}
        assets = self.mapping.specs(list(pairs.values()), _intervals(readings, keys))
        return SourceBatch("csv", assets, _chunks(readings, keys), self.refusals, tuple(self.notes))

    def _take_header(self, line: int, text: str) -> None:
        self.header, self.delimiter = read_header(
            self.name, text, self.mapping.delimiter, self.mapping.needed
        )
        if self.mapping.layout == "long":
            return
        chosen = self.mapping.columns
        for position, sensor in enumerate(self.header):
            if sensor == self.mapping.time or (chosen is not None and sensor not in chosen):
                continue
            if sensor == "":
                self.notes.append(f"{self.name}: column {position + 1} has no name and was left out")
                continue
            reason = refuse_sensor(sensor)
            if reason:
                self.refused += 1
                self.refusals.append(Refusal(self.name, line, f"column {position + 1}: {reason}", sensor))
            else:
                self.columns[f"c{position}"] = sensor
                self.numbers[self.mapping.asset or "", sensor] = position
        if not self.columns:
            raise SourceError(f"{self.name}: no column besides {self.mapping.time!r} can be read as a sensor")

    def _timed(self, rows: pl.DataFrame, refusals: list[Refusal]) -> pl.DataFrame:
        """Return `rows` with their instants, less those without a good one."""
        mapping = self.mapping
        times = parse_times(
            rows[f"c{self.header.index(mapping.time)}"],
            zone=mapping.zone,
            time_format=mapping.time_format,
            now=self.now,
        )
        rows = rows.hstack(times)
        naive = rows.filter("naive")
        if naive.height:
            line, text = naive.row(0, named=True)["line"], naive.row(0, named=True)["text"]
            raise SourceError(
                f"{self.name}: no zone is stated and line {line} ({text[:60]!r}) carries no offset;"
                " state the zone of its clocks, such as UTC or Europe/Berlin"
            )
        bad = rows.filter(pl.col("refused").is_not_null()).select("line", "refused", "text")
        refusals += [Refusal(self.name, *row) for row in bad.iter_rows()]
        return rows.filter(pl.col("refused").is_null())

    def _take_wide(self, rows: pl.DataFrame, refusals: list[Refusal]) -> None:
        for column, sensor in self.columns.items():
            parsed = rows.hstack(parse_numbers(rows[column], self.mapping.decimal))
            for line, cell in parsed.filter(~pl.col("good")).select("line", column).iter_rows():
                reason = f"column {sensor!r} holds no number; the rest of the row is kept"
                refusals.append(Refusal(self.name, line, reason, cell))
            number = pl.lit(self.numbers[self.mapping.asset or "", sensor], pl.UInt32)
            self.parts.append(parsed.filter("good").select(number.alias("number"), "ts", "value"))

    def _take_long(self, rows: pl.DataFrame, refusals: list[Refusal]) -> None:
        def cell(column: str | None) -> pl.Expr:
            return pl.col(f"c{self.header.index(column or '')}").str.strip_chars()

        mapping = self.mapping
        asset = cell(mapping.asset_column) if mapping.asset_column else pl.lit(mapping.asset)
        rows = rows.with_columns(asset=asset, sensor=cell(mapping.sensor_column))
        rows = rows.hstack(
            parse_numbers(rows.select(cell(mapping.value_column)).to_series(), mapping.decimal)
        )
        known = rows.select("asset", "sensor").unique(maintain_order=True)
        reasons = [self._number(*pair) for pair in known.iter_rows()]
        known = known.with_columns(
            number=pl.Series([one if isinstance(one, int) else None for one in reasons], dtype=pl.UInt32),
            reason=pl.Series([one if isinstance(one, str) else None for one in reasons], dtype=pl.String),
        )
        rows = rows.join(known, on=["asset", "sensor"], how="left", maintain_order="left")
        text = pl.format("value {} is no number", pl.col(f"c{self.header.index(mapping.value_column or '')}"))
        rows = rows.with_columns(reason=pl.coalesce("reason", pl.when(~pl.col("good")).then(text)))
        bad = rows.filter(pl.col("reason").is_not_null()).select("line", "reason", "text")
        refusals += [Refusal(self.name, *row) for row in bad.iter_rows()]
        self.parts.append(rows.filter(pl.col("reason").is_null()).select("number", "ts", "value"))

    def _number(self, asset: str, sensor: str) -> int | str:
        """Return the number of a sensor, or why its name is refused."""
        known = self.numbers.get((asset, sensor))
        if known is not None:
            return known
        reason = refuse_asset(asset) or refuse_sensor(sensor)
        if reason:
            return reason
        if len(self.numbers) >= MAX_SENSORS:
            raise SourceError(f"{self.name}: more than {MAX_SENSORS} sensors; is that the sensor column?")
        return self.numbers.setdefault((asset, sensor), len(self.numbers))

    def _require_rows(self, readings: pl.DataFrame) -> None:
        if readings["ts"].n_unique() >= 2:
            return
        first = f"; line {self.refusals[0].row}: {self.refusals[0].reason}" if self.refusals else ""
        if readings.is_empty():
            raise SourceError(f"{self.name}: none of its {self.rows} rows can be used{first}")
        raise SourceError(
            f"{self.name}: {self.rows} rows with readings at one time only; at least two different times"
            f" are needed to know the interval{first}"
        )


def _intervals(readings: pl.DataFrame, keys: dict[int, str]) -> dict[str, float]:
    """Return the median seconds between readings of each sensor that has at least two."""
    steps = (
        readings.select("number", step=pl.col("ts").diff().over("number").dt.total_microseconds())
        .filter(pl.col("step") > 0)
        .group_by("number")
        .agg(pl.col("step").median() / 1e6)
    )
    return {keys[number]: seconds for number, seconds in steps.iter_rows()}


def _chunks(readings: pl.DataFrame, keys: dict[int, str]) -> Iterator[pl.DataFrame]:
    names = pl.DataFrame(
        {"number": list(keys), "key": list(keys.values())}, schema={"number": pl.UInt32, "key": pl.String}
    )
    group = readings.select(
        ((pl.col("number").diff() != 0) | (pl.col("ts").diff() != 0)).fill_null(value=True)
    )
    starts = group.to_series().arg_true()
    begin = 0
    while begin < readings.height:
        # Rows of one sensor and time stay together, so that the later one can win.
        at = int(starts.search_sorted(begin + ROWS_A_CHUNK))
        end = int(starts[at]) if at < len(starts) else readings.height
        part = readings.slice(begin, end - begin)
        yield part.join(names, on="number", how="left", maintain_order="left").select(CHUNK.names())
        begin = end
