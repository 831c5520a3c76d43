"""The published list of labelled anomalies of the SMAP and MSL channels."""

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from warehouse.errors import SourceError
from warehouse.quarantine import Refusal

CHANNEL: Final = re.compile(r"[A-Z]-[0-9]{1,4}")
MAX_BYTES: Final = 16 * 1024**2

_COLUMNS: Final = ("chan_id", "spacecraft", "anomaly_sequences")
_SPACECRAFT: Final = re.compile(r"[A-Za-z][A-Za-z0-9 _-]{0,39}")


@dataclass(frozen=True)
class LabelledSequence:
    """One labelled anomaly.

    Parameters
    ----------
    channel, spacecraft
        As published, ``"P-1"`` and ``"SMAP"``.
    start, end
        Inclusive indices into the channel's test part.
    kind
        ``"point"``, ``"contextual"``, or empty where the file does not say.
    row
        Line of the file; P-2 is listed on two.
    """

    channel: str
    spacecraft: str
    start: int
    end: int
    kind: str
    row: int


@dataclass(frozen=True)
class LabelFile:
    """All that a labels file says: sequences, the spacecraft of each channel, and lines it refused."""

    sequences: tuple[LabelledSequence, ...]
    spacecraft: dict[str, str]
    refusals: tuple[Refusal, ...]


def read_labels(path: Path) -> tuple[LabelledSequence, ...]:
    """Return every labelled sequence in the order of the file.

    Raises
    ------
    SourceError
        The file is missing, not UTF-8, lacks a column, or has a line that can't be understood.
    """
    labels = read_label_file(path)
    if labels.refusals:
        first = labels.refusals[0]
        raise SourceError(f"{path.name}, line {first.row}: {first.reason}")
    return labels.sequences


def read_label_file(path: Path) -> LabelFile:
    """Return what `path` says, its bad lines as refusals.

    Raises
    ------
    SourceError
        The file is missing, not UTF-8, or lacks a column.
    """
    sequences: list[LabelledSequence] = []
    spacecraft: dict[str, str] = {}
    refusals: list[Refusal] = []
    for row, line, fields in _lines(path):
        try:
            found = _sequences(fields, row)
        except ValueError as error:
            refusals.append(Refusal(path.name, row, str(error), line))
            continue
        sequences += found
        spacecraft.setdefault(fields["chan_id"], fields["spacecraft"])
    return LabelFile(tuple(sequences), spacecraft, tuple(refusals))


def _lines(path: Path) -> Iterator[tuple[int, str, dict[str, str]]]:
    lines = io.StringIO(_text(path), newline=None).read().split("\n")
    header = _cells(lines[0]) or []
    missing = [column for column in _COLUMNS if column not in header]
    if missing:
        raise SourceError(f"{path.name}: no column {', '.join(missing)}; labels have {', '.join(_COLUMNS)}")
    for row, line in enumerate(lines[1:], start=2):
        if line.strip():
            cells = _cells(line) or []
            fields = dict(zip(header, cells, strict=False)) if len(cells) == len(header) else {}
            yield row, line, fields


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SourceError(f"{path.name}: labels can't be read ({error.strerror or error})") from error
    if len(data) > MAX_BYTES:
        raise SourceError(f"{path.name}: labels of more than {MAX_BYTES // 1024**2} MiB are not read")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise SourceError(
            f"{path.name}: not UTF-8 at line {line} (byte {error.start}); save it as UTF-8"
        ) from error


def _cells(line: str) -> list[str] | None:
    try:
        return [cell.strip() for cell in next(csv.reader([line], strict=True), [])]
    except csv.Error:
        return None


def _sequences(fields: dict[str, str], row: int) -> list[LabelledSequence]:
    if not fields:
        raise ValueError("its fields do not match the header")
    channel, craft = fields["chan_id"], fields["spacecraft"]
    if not CHANNEL.fullmatch(channel):
        raise ValueError(f"channel id {channel[:40]!r} is not of the form P-1")
    if not _SPACECRAFT.fullmatch(craft):
        raise ValueError(f"spacecraft {craft[:40]!r} is no name")
    kinds = re.findall(r"[A-Za-z]+", fields.get("class", ""))
    try:
        pairs = json.loads(fields["anomaly_sequences"])
    except (json.JSONDecodeError, RecursionError):
        pairs = None
    if not isinstance(pairs, list) or not all(_is_pair(pair) for pair in pairs):
        raise ValueError(f"anomaly_sequences {fields['anomaly_sequences'][:60]!r} is no list of [start, end]")
    kinds += [""] * (len(pairs) - len(kinds))
    return [
        LabelledSequence(channel, craft, start, end, kind, row)
        for (start, end), kind in zip(pairs, kinds, strict=False)
    ]


def _is_pair(pair: object) -> bool:
    return (
        isinstance(pair, list)
        and len(pair) == 2
        and all(isinstance(index, int) and not isinstance(index, bool) for index in pair)
        and 0 <= pair[0] <= pair[1] <= 10**9
    )
