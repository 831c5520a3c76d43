"""NASA's channels as the signals that detectors are fitted on and judged by, and the counting of events.

Counted as Hundman et al. (KDD 2018) do: an event that overlaps a labelled sequence finds it, one that
overlaps none is a false alarm; several events on one sequence count once, and a channel listed twice counts
twice.
"""

import ast
import csv
import io
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.detectors.scaling import SCALED_UNIT
from core.signal import Signal

Span = tuple[int, int]
"""First and last step, both inclusive, in the test part."""

PARTS: Final = ("train", "test")
FOLDS: Final = 5
FOLD_SEED: Final = 0
TRAIN_SHARE: Final = 0.8

_START: Final = np.datetime64("2020-01-01", "us")
_STEP: Final = np.timedelta64(60_000_000, "us")


@dataclass(frozen=True, eq=False)
class Channel:
    """One channel: its parts, and its labelled sequences, once for each time that it is listed."""

    name: str
    spacecraft: str
    train: Signal
    calibrate: Signal
    test: Signal
    truth: tuple[tuple[Span, ...], ...]


@dataclass(frozen=True)
class Count:
    """True positives, false positives, false negatives, flagged steps and all steps."""

    tp: int = 0
    fp: int = 0
    fn: int = 0
    flagged: int = 0
    steps: int = 0

    def __add__(self, other: "Count") -> "Count":
        return Count(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0 without a true positive."""
        return 2 * self.tp / (2 * self.tp + self.fp + self.fn) if self.tp else 0.0

    @property
    def flagged_share(self) -> float:
        """Share of steps inside events."""
        return self.flagged / max(self.steps, 1)


def read_channels(data: Path, labels: Path, names: Sequence[str] | None = None) -> list[Channel]:
    """Return the channels that both files hold, both of their parts, in the order of the labels.

    Raises
    ------
    SystemExit
        A wanted channel is missing, or there is none.
    """
    truth: dict[str, list[tuple[Span, ...]]] = defaultdict(list)
    craft: dict[str, str] = {}
    with labels.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            spans = ast.literal_eval(row["anomaly_sequences"])
            truth[row["chan_id"]].append(tuple((int(a), int(b)) for a, b in spans))
            craft[row["chan_id"]] = row["spacecraft"]
    with zipfile.ZipFile(data) as archive:
        members = [f"/{name}" for name in archive.namelist()]
        train, test = ({Path(one).stem for one in members if f"/{part}/" in one} for part in PARTS)
        held = train & test
        chosen = [one for one in truth if one in held and (names is None or one in names)]
        missing = sorted(set(names or ()) - set(chosen))
        if missing or not chosen:
            raise SystemExit(f"{data}: no data or no labels for {', '.join(missing) or 'any channel'}")
        return [_channel(archive, one, craft[one], tuple(truth[one])) for one in chosen]


def count(channel: Channel, events: Iterable[Span]) -> Count:
    """Return how events meet the labels of a channel."""
    ordered = sorted(events)
    total = Count(steps=len(channel.test), flagged=sum(end - start + 1 for start, end in ordered))
    for listed in channel.truth:
        hit: set[int] = set()
        wrong = 0
        for start, end in ordered:
            match = next((n for n, (a, b) in enumerate(listed) if start <= b and end >= a), None)
            if match is None:
                wrong += 1
            else:
                hit.add(match)
        total += Count(len(hit), wrong, len(listed) - len(hit))
    return total


def counted(channels: Iterable[Channel], events: Mapping[str, Sequence[Span]]) -> Count:
    """Return the sum over channels."""
    return sum((count(one, events.get(one.name, ())) for one in channels), Count())


def folds(channels: Sequence[Channel]) -> list[list[str]]:
    """Return five folds of channel names, each with its share of every spacecraft."""
    rng = np.random.default_rng(FOLD_SEED)
    found: list[list[str]] = [[] for _ in range(FOLDS)]
    for craft in sorted({one.spacecraft for one in channels}):
        names = sorted(one.name for one in channels if one.spacecraft == craft)
        for place, name in enumerate(rng.permutation(names)):
            found[place % FOLDS].append(str(name))
    return found


def _channel(archive: zipfile.ZipFile, name: str, craft: str, truth: tuple[tuple[Span, ...], ...]) -> Channel:
    train, test = (_array(archive, f"{part}/{name}.npy") for part in PARTS)
    cut = round(TRAIN_SHARE * train.shape[0])
    return Channel(
        name=name,
        spacecraft=craft,
        train=_signal(name, train[:cut], 0),
        calibrate=_signal(name, train[cut:], cut),
        test=_signal(name, test, train.shape[0]),
        truth=truth,
    )


def _array(archive: zipfile.ZipFile, ending: str) -> NDArray[np.float32]:
    found = next(one for one in archive.namelist() if f"/{one}".endswith(f"/{ending}"))
    values = np.load(io.BytesIO(archive.read(found)), allow_pickle=False)
    return np.asarray(values, dtype=np.float32)


def _signal(name: str, values: NDArray[np.float32], start: int) -> Signal:
    width = values.shape[1]
    return Signal(
        timestamps=_START + (start + np.arange(values.shape[0])) * _STEP,
        values=values,
        channels=(name, *(f"{name}/command-{column}" for column in range(1, width))),
        units=(SCALED_UNIT, *[""] * (width - 1)),
        interval=timedelta(minutes=1),
        valid=np.isfinite(values[:, 0]),
    )
