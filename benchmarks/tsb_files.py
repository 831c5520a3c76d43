"""NASA's channels and TSB-AD's published figures, read into series.

Labels are NASA's sequences, both ends included; of a channel that is listed twice (P-2) the later line
counts, as `1st_5300` in its series' names says.
"""

import csv
from collections import defaultdict
from collections.abc import Collection, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.tsb_series import Series
from warehouse.sources import smap_msl
from warehouse.sources.npy_store import NpyStore, open_store
from warehouse.sources.smap_msl_labels import read_label_file

Key = tuple[str, str, str, str, int]

_COLUMNS: Final = ("track", "spacecraft", "series", "channel", "train_length", "method", "vus_pr")
_LEAST: Final = 500
_MARGIN: Final = 100


def read_series(data: Path, published: Path, labels: Path) -> tuple[Series, ...]:
    """Return the series of the published figures, each with its channel's own telemetry in the first column.

    Series of channels that the other two files don't hold are left out, and named.

    Raises
    ------
    SystemExit
        A file lacks a column, no channel is held by all three, or a series is no longer than what is fitted
        on.
    """
    figures, sequences = _figures(published), _sequences(labels)
    wanted = {channel for _, _, channel, _, _ in figures}
    with open_store(data) as store:
        parts = _test_parts(store)
        held = wanted & parts.keys() & sequences.keys()
        arrays = {one: store.array(parts[one]) for one in sorted(held)}
    missing = ", ".join(sorted(wanted - held))
    if not held:
        raise SystemExit(f"no test part in {data.name}, or no labels in {labels.name}: {missing}")
    if missing:
        print(f"Left out, no test part in {data.name} or no labels in {labels.name}: {missing}")
    return tuple(
        _series(key, arrays[key[2]], sequences[key[2]], found)
        for key, found in sorted(figures.items())
        if key[2] in held
    )


def left_over(data: Path, labels: Path, seen: Collection[str]) -> tuple[Series, ...]:
    """Return series of both tracks, cut by TSB-AD's rule, of labelled channels that are not `seen`."""
    spacecraft, sequences, found = read_label_file(labels).spacecraft, _sequences(labels), []
    with open_store(data) as store:
        for channel, member in sorted(_test_parts(store).items()):
            if channel in seen or channel not in sequences:
                continue
            values, first = store.array(member), min(start for start, _ in sequences[channel])
            rows = min(max(values.shape[0] // 4, _LEAST), max(first - _MARGIN, _LEAST))
            for track, columns in (("M", values), ("U", values[:, :1])):
                key = (track, spacecraft[channel], channel, channel, rows)
                found.append(_series(key, columns, sequences[channel], {}))
    return tuple(one for one in found if one.changes and int(one.labels.argmax()) > one.train_length)


def default_labels(data: Path) -> Path:
    """Return the labels file that lies beside the data, as NASA's do.

    Raises
    ------
    SystemExit
        There is none.
    """
    path = data.parent / "labeled_anomalies.csv"
    if not path.is_file():
        raise SystemExit(f"no {path.name} beside {data.name}: say with --labels where NASA's labels are")
    return path


def _figures(path: Path) -> dict[Key, dict[str, float]]:
    """Return VUS-PR by method of each series."""
    figures: dict[Key, dict[str, float]] = defaultdict(dict)
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if not row.keys() >= set(_COLUMNS):
                raise SystemExit(f"{path.name}: needs the columns {', '.join(_COLUMNS)}")
            key = (row["track"], row["spacecraft"], row["channel"], row["series"], int(row["train_length"]))
            figures[key][row["method"]] = float(row["vus_pr"])
    if not figures:
        raise SystemExit(f"{path.name}: holds no figures")
    return figures


def _series(
    key: Key,
    values: NDArray[np.float64],
    sequences: tuple[tuple[int, int], ...],
    published: Mapping[str, float],
) -> Series:
    track, spacecraft, channel, file, train_length = key
    name = file.removesuffix(".csv")
    if not 0 < train_length < values.shape[0]:
        raise SystemExit(f"{name}: {train_length} rows to fit on, of {values.shape[0]}")
    labels = np.zeros(values.shape[0], dtype=np.bool_)
    for start, end in sequences:
        labels[start : end + 1] = True
    return Series(track, spacecraft, channel, name, train_length, values[:, 0], values, labels, published)


def _test_parts(store: NpyStore) -> dict[str, str]:
    """Return the member that holds each channel's test part."""
    places = [PurePosixPath(one) for one in store.members()]
    return {one.stem: str(one) for one in places if one.suffix == ".npy" and one.parent.name == "test"}


def _sequences(path: Path) -> dict[str, tuple[tuple[int, int], ...]]:
    """Return the labelled sequences of each channel's last line."""
    rows: dict[str, dict[int, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
    for one in smap_msl.read_labels(path):
        rows[one.channel][one.row].append((one.start, one.end))
    return {channel: tuple(by_row[max(by_row)]) for channel, by_row in rows.items()}
