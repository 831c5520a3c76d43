"""A series of TSB-AD that is the test part of one of NASA's channels, and which column it was made of.

In track M a series has all columns, in track U one: the telemetry, column 0, unless the published figure of a
deterministic method (POLY) is exactly that of another column and not that of column 0.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.tsb_published import poly
from core.evaluation.range_auc import buffer_length, vus_pr
from core.signal import Signal

TARGET: Final = 0

_FIRST: Final = re.compile(r"_1st_(\d+)$")
_EXACT: Final = 2e-4
_IDENTIFIER: Final = "POLY"


@dataclass(frozen=True, eq=False)
class Series:
    """One series.

    Parameters
    ----------
    track
        ``M``, all columns, or ``U``, one.
    spacecraft, channel, name
        As published; the name without ``.csv``.
    train_length
        Rows at the start that may be fitted on.
    target
        (n,) the channel's own telemetry.
    values
        (n, columns), the telemetry or the one column first.
    labels
        (n,) True within labelled sequences.
    published
        VUS-PR by method.
    column
        Which column of the channel comes first.
    """

    track: str
    spacecraft: str
    channel: str
    name: str
    train_length: int
    target: NDArray[np.float64]
    values: NDArray[np.float64]
    labels: NDArray[np.bool_]
    published: Mapping[str, float] = field(repr=False)
    column: int = TARGET

    @property
    def group(self) -> str:
        """Track and spacecraft, ``m_smap``: what means are taken over."""
        return f"{self.track}_{self.spacecraft}".lower()

    @cached_property
    def telemetry(self) -> bytes:
        """Hash of the channel's own telemetry, which some channels share."""
        return hashlib.sha256(self.target.tobytes()).digest()

    @property
    def changes(self) -> bool:
        """Whether the first column is not the same throughout."""
        return bool(self.values[:, 0].min() < self.values[:, 0].max())

    @property
    def as_named(self) -> bool:
        """Whether the labels begin where the name says, if it does: ``1st_900``."""
        told = _FIRST.search(self.name)
        return told is None or int(told[1]) == int(self.labels.argmax())

    @cached_property
    def buffer(self) -> int:
        """The longest buffer of the measure: the period of the first column, by TSB-AD's rule."""
        return buffer_length(self.values[:, 0])

    def vus_pr(self, scores: NDArray[np.floating]) -> float:
        """Judge scores of every row."""
        return vus_pr(self.labels, scores, self.buffer)

    def signal(self) -> Signal:
        """Return the series as a detector gets it, a minute a row."""
        n, width = self.values.shape
        return Signal(
            timestamps=np.datetime64("2000-01-01", "us") + np.arange(n) * np.timedelta64(1, "m"),
            values=self.values.astype(np.float32),
            channels=(self.name, *(f"command {one}" for one in range(1, width))),
            units=("",) * width,
            interval=timedelta(minutes=1),
            valid=np.isfinite(self.values[:, 0]),
        )


def identified(series: Series) -> Series:
    """Return a series of track U with the column that it was made of; others as they are."""
    wanted = series.published.get(_IDENTIFIER)
    if series.track != "U" or wanted is None:
        return series
    for candidate in _candidates(series):
        if abs(candidate.vus_pr(poly(candidate.values[:, 0])) - wanted) <= _EXACT:
            return candidate
    return series


def as_run(series: Series) -> Series:
    """Return the series with the columns that its track gives to a method."""
    return series if series.track == "M" else replace(series, values=series.values[:, :1])


def _candidates(series: Series) -> Iterator[Series]:
    for column in range(series.values.shape[1]):
        candidate = replace(series, values=series.values[:, [column]], column=column)
        if candidate.changes:
            yield candidate
