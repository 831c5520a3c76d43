"""Readings of a table while it is read: in memory while they are few, in files once they outgrow it."""

import shutil
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from warehouse.errors import SourceError
from warehouse.schema import TIME
from warehouse.sources.base import CHUNK

# 20 bytes a row; what is beyond goes to files.
MEMORY_ROWS: Final = 2_000_000
ROWS_A_CHUNK: Final = 1_000_000
# Of a table that outgrows memory, the first readings of each sensor tell its interval.
SAMPLED: Final = 200

READINGS: Final = pl.Schema([("number", pl.UInt32), ("ts", TIME), ("value", pl.Float64)])


class KeptReadings:
    """Readings by the number of their sensor, in the order they came.

    Parameters
    ----------
    name
        What the person calls the table.
    folder
        Where files go when readings outgrow memory; the system's folder for such when not given. They are
        removed when all chunks were taken, and at the latest when this object is gone.
    sensors
        Numbers are below it.
    """

    def __init__(self, name: str, folder: Path | None, sensors: int) -> None:
        self._name = name
        self._within = folder
        self._folder: Path | None = None
        self._files: list[Path] = []
        self._frames: list[pl.DataFrame] = []
        self._held = 0
        self._sample: list[pl.DataFrame] = []
        self._counts = np.zeros(sensors, np.int64)
        self._low: int | None = None
        self._high: int | None = None

    @property
    def rows(self) -> int:
        """How many readings there are."""
        return int(self._counts.sum())

    @property
    def several_times(self) -> bool:
        """Whether at least two of them have different times."""
        return self._low is not None and self._low != self._high

    @property
    def numbers(self) -> list[int]:
        """Numbers of the sensors that have readings."""
        return [int(one) for one in np.flatnonzero(self._counts)]

    def add(self, frame: pl.DataFrame) -> None:
        """Take readings of the READINGS schema."""
        if frame.is_empty():
            return
        times = frame["ts"].to_physical()
        low, high = int(times.to_numpy().min()), int(times.to_numpy().max())
        self._low = low if self._low is None else min(low, self._low)
        self._high = high if self._high is None else max(high, self._high)
        numbers = frame["number"].to_numpy()
        found = np.bincount(numbers, minlength=len(self._counts))
        few = self._counts < SAMPLED
        if few[found > 0].any():
            of_few = frame if few[found > 0].all() else frame.filter(pl.Series(few[numbers]))
            self._sample.append(of_few.group_by("number", maintain_order=True).head(SAMPLED))
        self._counts += found
        self._frames.append(frame)
        self._held += frame.height
        if self._held > MEMORY_ROWS or (self._files and self._held >= ROWS_A_CHUNK):
            self._spill()

    def intervals(self) -> dict[int, float]:
        """Return the median seconds between readings of each sensor that has at least two, by number."""
        known = pl.concat(self._sample if self._files else self._frames)
        steps = (
            known.sort("number", "ts")
            .select("number", step=pl.col("ts").diff().over("number").dt.total_microseconds())
            .filter(pl.col("step") > 0)
            .group_by("number")
            .agg(pl.col("step").median() / 1e6)
        )
        return dict(steps.iter_rows())

    def chunks(self, keys: Mapping[int, str]) -> Iterator[pl.DataFrame]:
        """Yield all readings as CHUNK frames, once.

        Readings that stayed in memory are sorted by sensor and time; others come as they came.
        """
        names = pl.Series("key", [keys.get(number) for number in range(len(self._counts))], dtype=pl.String)
        if self._files:
            if self._frames:
                self._spill()
            return self._from_files(names)
        return self._from_memory(names)

    def _from_memory(self, names: pl.Series) -> Iterator[pl.DataFrame]:
        # Stable: of two rows with the same time the later one in the file stays the later one.
        readings = pl.concat(self._frames).sort("number", "ts", maintain_order=True)
        self._frames.clear()
        for begin in range(0, readings.height, ROWS_A_CHUNK):
            yield _named(readings.slice(begin, ROWS_A_CHUNK), names)

    def _from_files(self, names: pl.Series) -> Iterator[pl.DataFrame]:
        while self._files:
            path = self._files.pop(0)
            try:
                frame = pl.read_ipc(path)
                path.unlink()
            except OSError as error:
                raise SourceError(
                    f"{self._name}: {path}, where its readings were set aside, can't be read"
                    f" ({error.strerror or error}); ingest it again"
                ) from error
            yield _named(frame, names)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _spill(self) -> None:
        frame = pl.concat(self._frames)
        self._frames.clear()
        self._held = 0
        try:
            if self._folder is None:
                if self._within is not None:
                    self._within.mkdir(parents=True, exist_ok=True)
                self._folder = Path(tempfile.mkdtemp(prefix="telltale-table-", dir=self._within))
                # A batch may be thrown away, read to its end or not at all.
                weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
            for begin in range(0, frame.height, ROWS_A_CHUNK):
                path = self._folder / f"{len(self._files)}-{begin}.arrow"
                frame.slice(begin, ROWS_A_CHUNK).write_ipc(path, compression="uncompressed")
                self._files.append(path)
        except OSError as error:
            raise SourceError(
                f"{self._name}: its readings can't be set aside in"
                f" {self._folder or self._within or tempfile.gettempdir()} ({error.strerror or error});"
                " make room there"
            ) from error


def _named(frame: pl.DataFrame, names: pl.Series) -> pl.DataFrame:
    return frame.select(names.gather(frame["number"]).alias("key"), "ts", "value").select(CHUNK.names())
