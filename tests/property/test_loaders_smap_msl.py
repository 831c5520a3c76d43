"""Whatever an archive holds: arrays exactly as saved, refused channels, or one SourceError."""

import io
import struct
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from warehouse.errors import SourceError
from warehouse.schema import EARLIEST, latest_allowed
from warehouse.sources import smap_msl
from warehouse.sources.base import CHUNK, SourceBatch
from warehouse.sources.npy import read_array
from warehouse.sources.smap_msl_labels import read_label_file

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LABELS = 'chan_id,spacecraft,anomaly_sequences\nP-1,SMAP,"[[1, 2]]"\n'
CASES = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])

Arrays = dict[str, np.ndarray]


@contextmanager
def folder(labels: bytes = LABELS.encode()) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "labels.csv").write_bytes(labels)
        yield Path(name)


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def zipped(members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def taken(batch: SourceBatch) -> Arrays:
    """Return the arrays (steps, columns) of a batch by channel, having checked times and keys."""
    arrays: Arrays = {}
    by_name = {asset.name: asset for asset in batch.assets}
    for chunk in batch.readings:
        assert chunk.schema == CHUNK
        assert chunk["ts"].is_between(EARLIEST, latest_allowed(NOW), closed="left").all()
        asset = by_name[chunk["key"][0].partition("/")[0]]
        columns = [
            chunk.filter(pl.col("key") == f"{asset.name}/{sensor.name}").sort("ts")
            for sensor in asset.sensors
        ]
        assert sum(column.height for column in columns) == chunk.height
        first, last = asset.parts[0].start, asset.parts[1].end
        assert all(column["ts"][0] == first for column in columns)
        assert all(column["ts"][-1] + timedelta(minutes=1) == last for column in columns)
        arrays[asset.name] = np.stack([column["value"].to_numpy() for column in columns], axis=1)
    assert set(arrays) == set(by_name)
    return arrays


def equal(left: np.ndarray, right: np.ndarray) -> bool:
    same: bool = left.shape == right.shape and np.array_equal(left, right, equal_nan=True)
    return same and bool(np.all(np.signbit(left) == np.signbit(right)) or np.isnan(left).any())


DTYPES = st.sampled_from([np.dtype("<f8"), np.dtype(">f8"), np.dtype("<f4"), np.dtype("<f2")])
CHANNELS = st.from_regex(r"[A-Z]-[1-9][0-9]?", fullmatch=True)


@st.composite
def channel(draw: Any) -> tuple[np.ndarray, np.ndarray]:
    dtype, columns = draw(DTYPES), draw(st.integers(1, 5))
    train = draw(hnp.arrays(dtype, (draw(st.integers(1, 8)), columns)))
    test = draw(hnp.arrays(dtype, (draw(st.integers(1, 8)), columns)))
    return train, np.asfortranarray(test) if draw(st.booleans()) else test


@CASES
@given(
    st.dictionaries(CHANNELS, channel(), min_size=1, max_size=3),
    st.sampled_from(["", "data/", "data/data/", "a b/ü/"]),
    st.sampled_from([zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED]),
    st.booleans(),
)
def test_arrays_come_back_exactly(channels: Any, prefix: str, method: int, unpacked: bool) -> None:
    members = {}
    for name, (train, test) in channels.items():
        members[f"{prefix}train/{name}.npy"] = npy(train)
        members[f"{prefix}test/{name}.npy"] = npy(test)
    with folder() as root:
        path = root / "data.zip"
        path.write_bytes(zipped(members, method))
        if unpacked:
            with zipfile.ZipFile(path) as archive:
                archive.extractall(root / "unpacked")
            path = root / "unpacked"
        batch = smap_msl.read(path, root / "labels.csv", now=NOW)
        assert batch.refusals == []
        found = taken(batch)
    assert set(found) == set(channels)
    for name, (train, test) in channels.items():
        whole = np.concatenate([train.astype(np.float64), test.astype(np.float64)])
        assert equal(found[name], whole)


def original(name: str) -> np.ndarray:
    seed = int(name[2:])
    return np.random.default_rng(seed).normal(size=(7 + seed, 3))


NAMES = ["P-1", "T-2", "M-6"]
MEMBERS = {f"data/{part}/{name}.npy": npy(original(name)) for name in NAMES for part in ("train", "test")}
VALID = {method: zipped(MEMBERS, method) for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED)}


@st.composite
def damaged(draw: Any, valid: bytes) -> bytes:
    data = bytearray(valid)
    for _ in range(draw(st.integers(1, 4))):
        way = draw(st.sampled_from(["flip", "cut", "insert", "remove", "overwrite"]))
        place = draw(st.integers(0, max(0, len(data) - 1)))
        if way == "flip" and data:
            data[place] ^= 1 << draw(st.integers(0, 7))
        elif way == "cut":
            del data[place:]
        elif way == "insert":
            data[place:place] = draw(st.binary(min_size=1, max_size=8))
        elif way == "remove":
            del data[place : place + draw(st.integers(1, 64))]
        else:
            piece = draw(st.binary(min_size=1, max_size=8))
            data[place : place + len(piece)] = piece
    return bytes(data)


def check_archive(data: bytes) -> Arrays:
    with folder() as root:
        (root / "data.zip").write_bytes(data)
        try:
            batch = smap_msl.read(root / "data.zip", root / "labels.csv", now=NOW)
        except SourceError as error:
            refused: str | None = str(error)
        else:
            refused = None
        if refused is not None:
            assert refused.startswith("data.zip: ")
            assert "\n" not in refused
            return {}
        assert all(one.reason and "\n" not in one.reason for one in batch.refusals)
        return taken(batch)


@CASES
@given(st.sampled_from(sorted(VALID)).flatmap(lambda method: damaged(VALID[method])))
def test_a_damaged_archive_never_gives_a_wrong_value(data: bytes) -> None:
    # A damaged name may rename a channel, but checksums keep every array as it was saved.
    known = [np.concatenate([original(one), original(two)]) for one in NAMES for two in NAMES]
    for array in check_archive(data).values():
        assert any(equal(array, one) for one in known)


@CASES
@given(
    st.dictionaries(
        st.sampled_from(
            [*MEMBERS, "data/train/../x.npy", "data/test/P-1\n.npy", "train/.npy", "é/test/Ü-1.npy"]
        ),
        st.one_of(
            st.binary(max_size=60), st.sampled_from(list(MEMBERS.values())), damaged(npy(original("P-1")))
        ),
        max_size=8,
    )
)
def test_any_members_are_channels_refusals_or_a_source_error(members: dict[str, bytes]) -> None:
    found = check_archive(zipped(members))
    assert set(found) <= set(NAMES)


@CASES
@given(st.binary(max_size=300))
def test_any_bytes_are_no_archive(data: bytes) -> None:
    assert check_archive(data) == {}


HEADERS = st.one_of(
    st.text(st.characters(max_codepoint=255), max_size=120),
    st.builds(
        "{{'descr': {}, 'fortran_order': {}, 'shape': {}, }}\n".format,
        st.sampled_from(["'<f8'", "'>f4'", "'|O'", "'<i8'", "[('a', '<f8')]", "'<f16'", "''", "'<f8"]),
        st.sampled_from(["True", "False", "0", "__import__('os')"]),
        st.sampled_from(
            ["(1, 2)", "(2, 1)", "(2,)", "()", "(1, 2, 1)", "(99999999999, 9)", "(-1, 2)", "(1 , 2 ,)"]
        )
        | st.text(max_size=20),
    ),
)


@CASES
@given(HEADERS, st.integers(0, 4), st.sampled_from([0, 8, 16, 24]), st.integers(-3, 3))
def test_any_npy_header_is_an_array_or_a_source_error(text: str, version: int, size: int, wrong: int) -> None:
    encoded = text.encode("latin-1", "replace")
    length = max(0, len(encoded) + wrong)
    data = b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", length) + encoded
    try:
        array = read_array(io.BytesIO(data + b"\1" * size), "member")
    except SourceError as error:
        refused: str | None = str(error)
    else:
        refused = None
    if refused is not None:
        assert refused.startswith("member: ")
    else:
        assert array.ndim == 2
        assert array.size > 0


@CASES
@given(damaged(npy(original("P-1"))))
def test_a_damaged_npy_is_an_array_or_a_source_error(data: bytes) -> None:
    try:
        array = read_array(io.BytesIO(data), "member")
    except SourceError:
        return
    expected = np.load(io.BytesIO(data), allow_pickle=False)
    assert equal(array, expected.astype(np.float64))


@CASES
@given(
    st.lists(
        st.tuples(
            st.text(max_size=8),
            st.sampled_from(["P-1", "T-12", "../x", ""]),
            st.sampled_from(
                ["[[1, 2]]", "[]", "[[2, 1]]", "[[1]]", "[[1, 2.5]]", "[[true, 3]]", "[" * 2000, "{}"]
            ),
        ),
        max_size=6,
    ),
    st.binary(max_size=12),
)
def test_any_labels_are_read_refused_or_a_source_error(lines: Any, tail: bytes) -> None:
    text = "chan_id,spacecraft,anomaly_sequences\n"
    text += "".join(f'{name},{craft},"{pairs}"\n' for craft, name, pairs in lines)
    with folder(text.encode() + tail) as root:
        try:
            labels = read_label_file(root / "labels.csv")
        except SourceError as error:
            refused: str | None = str(error)
        else:
            refused = None
        if refused is not None:
            assert refused.startswith("labels.csv: ")
            return
        assert all(0 <= one.start <= one.end for one in labels.sequences)
        assert {one.channel for one in labels.sequences} <= set(labels.spacecraft) <= {"P-1", "T-12"}
        if labels.refusals:
            with pytest.raises(SourceError, match=r"labels\.csv, line \d+: "):
                smap_msl.read_labels(root / "labels.csv")
