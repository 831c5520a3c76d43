"""NASA's SMAP and MSL telemetry as published: a zip, or a folder, of train and test npy per channel.

The series carry no time. A step becomes a stated interval, one minute unless said otherwise, from a stated
start; the train part comes first and the test part follows it without a gap, and both stay known as parts.
Column 0 is the telemetry value, the others are commands.
Source: Hundman et al., KDD 2018, https://github.com/khundman/telemanom
"""

import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from warehouse.assets import AssetSpec, PartSpec, SensorSpec, sensor_key
from warehouse.errors import SourceError
from warehouse.quarantine import Refusal
from warehouse.schema import TIME
from warehouse.sources.base import CHUNK, SourceBatch, outside_allowed, require_aware
from warehouse.sources.npy_store import NpyStore, open_store
from warehouse.sources.smap_msl_labels import (
    CHANNEL,
    LabelFile,
    LabelledSequence,
    read_label_file,
    read_labels,
)

__all__ = ["TELEMETRY", "LabelledSequence", "read", "read_labels"]

TELEMETRY: Final = "telemetry"
START: Final = datetime(2000, 1, 1, tzinfo=UTC)
LONGEST_INTERVAL_S: Final = 366 * 86_400.0

_MEMBER: Final = re.compile(r"(?:.*/)?(train|test)/(.+)\.npy", re.DOTALL)
_LITTER: Final = "__MACOSX/"


@dataclass(frozen=True)
class _Channel:
    name: str
    train: str  # members
    test: str
    steps: tuple[int, int]  # of train and test
    columns: int

    @property
    def sensors(self) -> list[str]:
        digits = max(2, len(str(self.columns - 1)))
        return [TELEMETRY, *(f"command {number:0{digits}d}" for number in range(1, self.columns))]


def read(
    path: Path,
    labels: Path,
    *,
    now: datetime,
    start: datetime = START,
    interval_s: float = 60.0,
    channels: Collection[str] | None = None,
) -> SourceBatch:
    """Read the channels of the published zip or folder.

    Every member is read and checked before anything is given; a channel that is damaged is refused whole,
    the others are kept.

    Parameters
    ----------
    path
        The zip, or the folder, with members such as ``data/train/P-1.npy``.
    labels
        ``labeled_anomalies.csv``; says which spacecraft a channel belongs to.
    now
        A channel that would reach into the future is refused.
    start, interval_s
        Time of step 0 of each train part, and seconds a step.
    channels
        Ids to read, None for all.

    Raises
    ------
    SourceError
        The zip or the labels can't be read, a named channel is not there, or no channel is usable.
    """
    start, now = require_aware(start, "start"), require_aware(now, "now")
    step = _step(interval_s)
    label_file = read_label_file(labels)
    refusals = list(label_file.refusals)
    with open_store(path) as store:
        members = _members(store.members(), path.name, refusals)
        wanted = _choose(members, channels, path.name)
        found: list[_Channel] = []
        for name in wanted:
            try:
                channel = _check(store, name, members[name])
                _check_span(channel, start, step, now)
            except SourceError as error:
                refusals.append(Refusal(path.name, None, str(error), name))
            else:
                found.append(channel)
    if not found:
        raise SourceError(
            f"{path.name}: none of its {len(wanted)} channels can be used: {refusals[-1].reason}"
        )
    assets = tuple(_spec(one, label_file, start, step) for one in found)
    absent = sorted(set(label_file.spacecraft) - set(members)) if channels is None else []
    notes = (
        (f"{len(absent)} labelled channels are not in {path.name}: {', '.join(absent)}",) if absent else ()
    )
    readings = _readings(path, found, start, step)
    return SourceBatch("smap-msl", assets, readings, refusals, notes, origin=path.name)


def _step(interval_s: float) -> timedelta:
    if not (math.isfinite(interval_s) and 0.001 <= interval_s <= LONGEST_INTERVAL_S):
        raise SourceError(f"interval of {interval_s} s: a step takes from a millisecond to a year")
    return timedelta(seconds=interval_s)


def _members(names: Iterable[str], file: str, refusals: list[Refusal]) -> dict[str, dict[str, list[str]]]:
    """Return the members of each channel by part."""
    members: dict[str, dict[str, list[str]]] = {}
    for name in names:
        match = None if name.startswith(_LITTER) else _MEMBER.fullmatch(name)
        if match is None:
            continue
        part, channel = match.groups()
        if CHANNEL.fullmatch(channel):
            members.setdefault(channel, {"train": [], "test": []})[part].append(name)
        else:
            reason = f"channel id {channel[:40]!r} is not of the form P-1"
            refusals.append(Refusal(file, None, reason, name))
    return members


def _choose(members: Mapping[str, object], channels: Collection[str] | None, file: str) -> list[str]:
    if not members:
        raise SourceError(f"{file}: holds no channels; expected members such as data/train/P-1.npy")
    unknown = sorted(set(channels or ()) - set(members))
    if unknown:
        raise SourceError(f"{file}: holds no channel {', '.join(repr(one[:40]) for one in unknown)}")
    chosen = members if channels is None else set(channels)
    return sorted(chosen, key=lambda name: (name[0], int(name[2:]), name))


def _check(store: NpyStore, name: str, parts: Mapping[str, list[str]]) -> _Channel:
    for part, members in parts.items():
        if not members:
            raise SourceError(f"channel {name}: has no {part} part")
        if len(members) > 1:
            raise SourceError(f"channel {name}: has {len(members)} {part} parts: {', '.join(members[:4])}")
    train, test = store.array(parts["train"][0]), store.array(parts["test"][0])
    if train.shape[1] != test.shape[1]:
        raise SourceError(
            f"channel {name}: its train part has {train.shape[1]} columns, its test part {test.shape[1]}"
        )
    steps = (train.shape[0], test.shape[0])
    return _Channel(name, parts["train"][0], parts["test"][0], steps, train.shape[1])


def _check_span(channel: _Channel, start: datetime, step: timedelta, now: datetime) -> None:
    try:
        reason = outside_allowed(start, start + sum(channel.steps) * step, now)
    except OverflowError:
        reason = f"{sum(channel.steps)} steps of {step} reach beyond the calendar"
    if reason:
        raise SourceError(f"channel {channel.name}: {reason}; state another start or interval")


def _spec(channel: _Channel, labels: LabelFile, start: datetime, step: timedelta) -> AssetSpec:
    seconds = step.total_seconds()
    commands = tuple(channel.sensors[1:])
    sensors = (
        SensorSpec(TELEMETRY, "scaled", "target", seconds, commands),
        *(SensorSpec(name, "", "context", seconds) for name in commands),
    )
    middle = start + channel.steps[0] * step
    end = middle + channel.steps[1] * step
    # A channel listed twice has its sequences twice; the set keeps each once.
    labelled = {
        (middle + one.start * step, min(middle + (one.end + 1) * step, end))
        for one in labels.sequences
        if one.channel == channel.name and middle + one.start * step < end
    }
    parts = (
        PartSpec("train", start, middle),
        PartSpec("test", middle, end),
        *(PartSpec("anomaly", *interval) for interval in sorted(labelled)),
    )
    craft = labels.spacecraft.get(channel.name)
    kind = "spacecraft channel" if craft is None else f"{craft} channel"
    return AssetSpec(channel.name, kind, historical=True, sensors=sensors, parts=parts)


def _readings(
    path: Path, channels: list[_Channel], start: datetime, step: timedelta
) -> Iterator[pl.DataFrame]:
    with open_store(path) as store:
        for channel in channels:
            train, test = store.array(channel.train), store.array(channel.test)
            if (len(train), len(test)) != channel.steps or {train.shape[1], test.shape[1]} != {
                channel.columns
            }:
                raise SourceError(f"{path.name}: channel {channel.name} changed while it was read; try again")
            yield _chunk(channel, np.concatenate([train, test]), start, step)


def _chunk(channel: _Channel, values: NDArray[np.float64], start: datetime, step: timedelta) -> pl.DataFrame:
    rows, columns = values.shape
    instants = np.datetime64(start.replace(tzinfo=None), "us") + np.arange(rows) * np.timedelta64(step)
    keys = pl.Series("key", [sensor_key(channel.name, sensor) for sensor in channel.sensors])
    return pl.DataFrame(
        {
            "key": keys.gather(np.repeat(np.arange(columns, dtype=np.uint32), rows)),
            "ts": pl.Series(np.tile(instants, columns)).cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
            "value": values.T.ravel(),
        },
        schema_overrides={"ts": TIME},
    ).select(CHUNK.names())
