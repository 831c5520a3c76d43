import io
import os
import zipfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from warehouse.errors import SourceError
from warehouse.sources import npy_store, smap_msl
from warehouse.sources.base import SourceBatch
from warehouse.sources.smap_msl import read_labels

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LABELS = (
    "chan_id,spacecraft,anomaly_sequences,class,num_values\n"
    'P-2,SMAP,"[[5, 6]]",[point],9\n'
    'P-1,SMAP,"[[1, 2], [4, 6]]","[contextual, point]",9\n'
    'P-2,SMAP,"[[1, 3]]",[point],9\n'
)
Read = Callable[..., SourceBatch]
DATA = (
    Path(os.environ.get("TELLTALE_TEST_DATA", Path(__file__).resolve().parents[5] / "shared" / "data"))
    / "smap_msl"
)


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def pair(name: str, train: int = 5, test: int = 9, columns: int = 3) -> dict[str, bytes]:
    start = 100.0 * int(name[2:])
    return {
        f"data/train/{name}.npy": npy(
            start + np.arange(train * columns, dtype=float).reshape(train, columns)
        ),
        f"data/test/{name}.npy": npy(-start - np.arange(test * columns, dtype=float).reshape(test, columns)),
    }


@pytest.fixture
def archive(tmp_path: Path) -> Callable[[Mapping[str, bytes]], Path]:
    def write(members: Mapping[str, bytes]) -> Path:
        path = tmp_path / "data.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            for name, data in members.items():
                file.writestr(name, data)
        return path

    return write


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.csv"
    path.write_text(LABELS)
    return path


def values(batch: SourceBatch) -> dict[str, list[float]]:
    readings = pl.concat(batch.readings)
    return {key: readings.filter(pl.col("key") == key)["value"].to_list() for key in readings["key"].unique()}


def reasons(batch: SourceBatch) -> list[str]:
    return [one.reason for one in batch.refusals]


def test_a_channel_is_an_asset_with_its_commands_as_context(archive: Any, labels: Path) -> None:
    batch = smap_msl.read(archive({**pair("P-1"), **pair("P-2")}), labels, now=NOW)
    first, second = batch.assets
    assert (first.name, first.kind, first.historical) == ("P-1", "SMAP channel", True)
    assert second.name == "P-2"
    telemetry, *commands = first.sensors
    assert (telemetry.name, telemetry.unit, telemetry.role) == ("telemetry", "scaled", "target")
    assert telemetry.context == ("command 01", "command 02")
    assert [(one.name, one.role) for one in commands] == [
        ("command 01", "context"),
        ("command 02", "context"),
    ]
    assert {one.interval_s for one in first.sensors} == {60.0}


def test_steps_become_minutes_with_the_test_part_after_the_train_part(archive: Any, labels: Path) -> None:
    batch = smap_msl.read(archive(pair("P-1")), labels, now=NOW)
    train, test = (part for part in batch.assets[0].parts if part.name != "anomaly")
    start = datetime(2000, 1, 1, tzinfo=UTC)
    assert (train.name, train.start, train.end) == ("train", start, start + timedelta(minutes=5))
    assert (test.name, test.start, test.end) == ("test", train.end, start + timedelta(minutes=14))
    readings = pl.concat(batch.readings).filter(pl.col("key") == "P-1/command 02")
    assert readings["ts"].to_list() == [start + timedelta(minutes=step) for step in range(14)]
    assert readings["value"].to_list() == [
        *(100.0 + 3 * step + 2 for step in range(5)),
        *(-100.0 - 3 * step - 2 for step in range(9)),
    ]


def test_labelled_sequences_are_anomaly_parts_counted_from_the_test_part(archive: Any, labels: Path) -> None:
    batch = smap_msl.read(archive({**pair("P-1"), **pair("P-2"), **pair("T-1")}), labels, now=NOW)
    found = {}
    for asset in batch.assets:
        test = next(part for part in asset.parts if part.name == "test")
        found[asset.name] = [
            (
                (part.start - test.start) // timedelta(minutes=1),
                (part.end - test.start) // timedelta(minutes=1),
            )
            for part in asset.parts
            if part.name == "anomaly"
        ]
    # Published ends are inclusive, stored intervals are half-open; P-2 is listed twice.
    assert found == {"P-1": [(1, 3), (4, 7)], "P-2": [(1, 4), (5, 7)], "T-1": []}


def test_a_labelled_sequence_ends_with_its_channel(archive: Any, labels: Path) -> None:
    labels.write_text('chan_id,spacecraft,anomaly_sequences\nP-1,SMAP,"[[7, 90], [50, 60]]"\n')
    (asset,) = smap_msl.read(archive(pair("P-1")), labels, now=NOW).assets
    test, *anomalies = (part for part in asset.parts if part.name != "train")
    assert [(part.name, part.end) for part in anomalies] == [("anomaly", test.end)]


def test_start_and_interval_can_be_stated(archive: Any, labels: Path) -> None:
    start = datetime(2012, 8, 6, 5, 17, 57, tzinfo=UTC)
    batch = smap_msl.read(archive(pair("P-1")), labels, now=NOW, start=start, interval_s=0.5)
    assert batch.assets[0].parts[1].start == start + timedelta(seconds=2.5)
    assert pl.concat(batch.readings)["ts"].max() == start + timedelta(seconds=6.5)


def test_members_may_lie_anywhere_and_litter_is_ignored(archive: Any, labels: Path) -> None:
    nested = {name.replace("data/", "telemanom/data/data/"): data for name, data in pair("P-1").items()}
    flat = {name.replace("data/", ""): data for name, data in pair("T-1").items()}
    other = {"__MACOSX/data/train/._P-1.npy": b"x", "data/2018/y_hat/P-1.npy": b"x", "README": b"x"}
    batch = smap_msl.read(archive({**nested, **flat, **other}), labels, now=NOW)
    assert [one.name for one in batch.assets] == ["P-1", "T-1"]
    assert batch.assets[1].kind == "spacecraft channel"
    assert batch.refusals == []


def test_a_folder_gives_what_its_zip_gives(archive: Any, labels: Path, tmp_path: Path) -> None:
    path = archive({**pair("P-1"), **pair("M-6", columns=5)})
    with zipfile.ZipFile(path) as file:
        file.extractall(tmp_path / "unpacked")
    zipped = smap_msl.read(path, labels, now=NOW)
    unpacked = smap_msl.read(tmp_path / "unpacked", labels, now=NOW)
    assert zipped.assets == unpacked.assets
    assert pl.concat(zipped.readings).equals(pl.concat(unpacked.readings))


def test_only_named_channels_are_read(archive: Any, labels: Path) -> None:
    path = archive({**pair("P-1"), **pair("P-2")})
    assert [one.name for one in smap_msl.read(path, labels, now=NOW, channels=["P-2"]).assets] == ["P-2"]
    with pytest.raises(SourceError, match=r"data\.zip: holds no channel 'X-9'"):
        smap_msl.read(path, labels, now=NOW, channels=["P-1", "X-9"])


def test_labelled_channels_that_are_not_there_are_noted(archive: Any, labels: Path) -> None:
    assert smap_msl.read(archive(pair("P-1")), labels, now=NOW).notes == (
        "1 labelled channels are not in data.zip: P-2",
    )


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"data/train/T-1.npy": npy(np.array([[None]]))}, r"data\.zip:data/train/T-1\.npy: .*pickled"),
        ({"data/train/T-1.npy": npy(np.zeros(9))}, r"data/train/T-1\.npy: has shape \(9,\)"),
        (
            {"data/train/T-1.npy": npy(np.zeros((4, 2)))},
            "channel T-1: its train part has 2 columns, its test",
        ),
        ({"data/train/T-1.npy": b"nothing"}, "is not an npy file"),
        ({"data/train/T-1.npy": npy(np.zeros((4, 3)))[:-8]}, "is truncated"),
        ({"data/test/T-1.npy": npy(np.zeros((4, 3), dtype=int))}, "only plain floats"),
        ({"other/train/T-1.npy": npy(np.zeros((4, 3)))}, "channel T-1: has 2 train parts"),
    ],
)
def test_a_bad_channel_is_refused_and_the_others_are_kept(
    archive: Any, labels: Path, broken: dict[str, bytes], message: str
) -> None:
    batch = smap_msl.read(archive({**pair("P-1"), **pair("T-1"), **broken}), labels, now=NOW)
    assert [one.name for one in batch.assets] == ["P-1"]
    assert len(values(batch)["P-1/telemetry"]) == 14
    assert len(batch.refusals) == 1
    with pytest.raises(SourceError, match=message):
        raise SourceError(batch.refusals[0].reason)


@pytest.mark.parametrize("part", ["train", "test"])
def test_half_a_channel_is_refused(archive: Any, labels: Path, part: str) -> None:
    members = {**pair("P-1"), **pair("T-1")}
    del members[f"data/{part}/T-1.npy"]
    assert reasons(smap_msl.read(archive(members), labels, now=NOW)) == [f"channel T-1: has no {part} part"]


@pytest.mark.parametrize(
    "name", ["../x", "..\\x", "P1", "p-1", "P-1/../../x", "P-1\u0661", "P-12345", "AB-1"]
)
def test_ids_that_are_no_channel_are_refused(archive: Any, labels: Path, name: str) -> None:
    batch = smap_msl.read(archive({**pair("P-1"), f"data/train/{name}.npy": b"x"}), labels, now=NOW)
    assert [one.name for one in batch.assets] == ["P-1"]
    assert "is not of the form P-1" in reasons(batch)[0]


def test_a_flipped_bit_is_found_by_the_checksum(archive: Any, labels: Path) -> None:
    path = archive({**pair("P-1"), **pair("T-1", train=400)})
    with zipfile.ZipFile(path) as file:
        place = file.getinfo("data/train/T-1.npy").header_offset + 300
    data = bytearray(path.read_bytes())
    data[place] ^= 0x10
    path.write_bytes(data)
    batch = smap_msl.read(path, labels, now=NOW)
    assert [one.name for one in batch.assets] == ["P-1"]
    assert "data/train/T-1.npy: is" in reasons(batch)[0]


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_zip_is_refused_whole(archive: Any, labels: Path, keep: float) -> None:
    path = archive(pair("P-1", train=500))
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(SourceError, match=r"data\.zip: is no zip file, or a truncated one"):
        smap_msl.read(path, labels, now=NOW)


def test_when_no_channel_is_usable_the_first_thing_said_is_why(archive: Any, labels: Path) -> None:
    members = {**pair("P-1"), "data/test/P-1.npy": npy(np.array([[None]]))}
    with pytest.raises(
        SourceError, match=r"data\.zip: none of its 1 channels can be used: .*test/P-1.*pickled"
    ):
        smap_msl.read(archive(members), labels, now=NOW)


def test_a_zip_without_channels_is_refused(archive: Any, labels: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"holds no channels; expected members such as data/train/P-1\.npy"):
        smap_msl.read(archive({"a.txt": b"x"}), labels, now=NOW)
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="empty: holds no channels"):
        smap_msl.read(tmp_path / "empty", labels, now=NOW)


def test_bombs_are_capped(archive: Any, labels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = pair("T-1") | {"data/train/T-1.npy": b"\0" * 50_000}
    path = archive({**pair("P-1"), **bomb})
    monkeypatch.setattr(npy_store, "MAX_MEMBER_BYTES", 10_000)
    assert (
        "50,000 bytes unpacked, at most 10,000 are read" in reasons(smap_msl.read(path, labels, now=NOW))[0]
    )
    monkeypatch.setattr(npy_store, "MAX_MEMBERS", 3)
    with pytest.raises(SourceError, match="holds more than 3 files"):
        smap_msl.read(path, labels, now=NOW)


def test_methods_other_than_deflate_are_refused(archive: Any, labels: Path) -> None:
    path = archive(pair("P-1"))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_LZMA) as file:
        for name, data in pair("T-1").items():
            file.writestr(name, data)
    assert "only deflate is read" in reasons(smap_msl.read(path, labels, now=NOW))[0]


def test_a_channel_that_would_reach_into_the_future_is_refused(archive: Any, labels: Path) -> None:
    path = archive({**pair("P-1"), **pair("T-1", test=400)})
    start = NOW - timedelta(minutes=30) + timedelta(days=1)
    batch = smap_msl.read(path, labels, now=NOW, start=start)
    assert [one.name for one in batch.assets] == ["P-1"]
    assert "state another start or interval" in reasons(batch)[0]
    with pytest.raises(SourceError, match="does not lie between 1990-01-01"):
        smap_msl.read(path, labels, now=NOW, start=datetime(1980, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("interval_s", [0.0, -60.0, float("nan"), float("inf"), 1e12])
def test_an_interval_that_is_none_is_refused(archive: Any, labels: Path, interval_s: float) -> None:
    with pytest.raises(SourceError, match="a step takes from a millisecond to a year"):
        smap_msl.read(archive(pair("P-1")), labels, now=NOW, interval_s=interval_s)


def test_a_start_without_zone_is_refused(archive: Any, labels: Path) -> None:
    with pytest.raises(SourceError, match=r"start .* has no zone"):
        smap_msl.read(archive(pair("P-1")), labels, now=NOW, start=datetime(2000, 1, 1))  # noqa: DTZ001


def test_a_file_that_changes_while_it_is_read_is_noticed(archive: Any, labels: Path) -> None:
    batch = smap_msl.read(archive(pair("P-1")), labels, now=NOW)
    archive(pair("P-1", train=6))
    with pytest.raises(SourceError, match="P-1 changed while it was read"):
        next(batch.readings)


def test_labels_keep_both_lines_of_a_channel_listed_twice(labels: Path) -> None:
    found = [(one.channel, one.start, one.end, one.kind, one.row) for one in read_labels(labels)]
    assert found == [
        ("P-2", 5, 6, "point", 2),
        ("P-1", 1, 2, "contextual", 3),
        ("P-1", 4, 6, "point", 3),
        ("P-2", 1, 3, "point", 4),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "labels can't be read"),
        (b"", "no column chan_id, spacecraft, anomaly_sequences"),
        (b"chan_id,spacecraft\nP-1,SMAP\n", "no column anomaly_sequences"),
        (b"chan_id,spacecraft,anomaly_sequences\nP-1,SM\xffAP,[]\n", r"not UTF-8 at line 2 \(byte 43\)"),
    ],
)
def test_labels_that_can_not_be_read_stop_everything(
    archive: Any, tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = tmp_path / "labels.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SourceError, match=rf"labels\.csv: {message}"):
        smap_msl.read(archive(pair("P-1")), path, now=NOW)
    with pytest.raises(SourceError, match=rf"labels\.csv: {message}"):
        read_labels(path)


@pytest.mark.parametrize(
    "line",
    ["../x,SMAP,[]", "P-3,SMAP", "P-3,SMAP,[[3]]", "P-3,SMAP,oops", 'P-3,SMAP,"[[5, 2]]"', "P-3,,[]"],
)
def test_a_bad_line_of_labels_is_refused_and_the_channels_are_kept(
    archive: Any, labels: Path, line: str
) -> None:
    labels.write_text(f'chan_id,spacecraft,anomaly_sequences\nP-1,SMAP,"[[1, 2]]"\n{line}\n')
    batch = smap_msl.read(archive(pair("P-1")), labels, now=NOW)
    assert batch.assets[0].kind == "SMAP channel"
    assert [(one.file, one.row) for one in batch.refusals] == [("labels.csv", 3)]
    with pytest.raises(SourceError, match=r"labels\.csv, line 3: "):
        read_labels(labels)


@pytest.mark.nasa
@pytest.mark.skipif(not DATA.is_dir(), reason=f"TELLTALE_TEST_DATA holds no smap_msl folder ({DATA})")
def test_the_published_channels_are_read_as_published() -> None:
    path, labels = DATA / "data.zip", DATA / "labeled_anomalies.csv"
    batch = smap_msl.read(path, labels, now=NOW)
    assert batch.refusals == []
    sizes = {}
    for chunk in batch.readings:
        sizes[chunk["key"][0].split("/")[0]] = chunk.height
    assert len(batch.assets) == len(sizes) == 61
    for asset in batch.assets:
        assert asset.kind in {"SMAP channel", "MSL channel"}
        assert len(asset.sensors) == (25 if asset.kind.startswith("SMAP") else 55)
        steps = (asset.parts[1].end - asset.parts[0].start) // timedelta(minutes=1)
        assert sizes[asset.name] == steps * len(asset.sensors)
    spans = {asset.name: asset.parts for asset in batch.assets}
    assert (spans["P-1"][1].end - spans["P-1"][1].start) // timedelta(minutes=1) == 8505
    listed = read_labels(labels)
    assert len({one.row for one in listed if one.channel == "P-2"}) == 2
    for one in listed:
        assert spans[one.channel][1].start + one.end * timedelta(minutes=1) < spans[one.channel][1].end


@pytest.mark.nasa
@pytest.mark.skipif(not DATA.is_dir(), reason=f"TELLTALE_TEST_DATA holds no smap_msl folder ({DATA})")
def test_a_published_channel_has_the_values_of_its_arrays() -> None:
    path = DATA / "data.zip"
    batch = smap_msl.read(path, DATA / "labeled_anomalies.csv", now=NOW, channels=["T-1"])
    with zipfile.ZipFile(path) as file:
        arrays = [np.load(io.BytesIO(file.read(f"data/{part}/T-1.npy"))) for part in ("train", "test")]
    chunk = next(batch.readings)
    whole = np.concatenate(arrays)
    np.testing.assert_array_equal(chunk["value"].to_numpy().reshape(whole.shape[1], -1).T, whole)
