"""What happens to stored files behind the app's back is noticed, never believed."""

from pathlib import Path

import pytest
from material import NOON, NOW, events, flip_a_bit, new_version, pump_batch, pump_rows, scores

from warehouse.errors import HomeError, IntegrityError
from warehouse.home import Warehouse
from warehouse.parquet import write_parquet
from warehouse.schema import READINGS


@pytest.fixture
def pump(home: Warehouse) -> Warehouse:
    report = home.ingest(pump_batch(pump_rows(3000)), at=NOW, actor="ada")
    assert report.snapshot is not None
    version = home.catalog.add_version(new_version(1, report.snapshot.id))
    home.results.write_scores(scores(1, version.id, 100), at=NOW)
    home.results.put_events(1, version.id, events(1, version.id, NOON), at=NOW)
    return home


@pytest.mark.parametrize("at", [0.0, 0.1, 0.35, 0.6, 0.9, 0.999])
def test_a_flipped_bit_is_refused_wherever_it_lies(pump: Warehouse, at: float) -> None:
    [file] = pump.manifest.live("readings")
    flip_a_bit(pump.root / file.path, at=at)

    with pytest.raises(IntegrityError, match=r"telltale doctor --verify") as caught:
        pump.telemetry.read([1])
    assert file.path in str(caught.value)


def test_a_bit_that_flips_while_the_app_runs_is_noticed_too(pump: Warehouse) -> None:
    assert pump.telemetry.read([1]).height == 3000
    [file] = pump.manifest.live("readings")
    flip_a_bit(pump.root / file.path)
    with pytest.raises(IntegrityError, match="not the file that was written"):
        pump.telemetry.read([1])


def test_every_kind_of_file_is_verified(pump: Warehouse) -> None:
    assert pump.verify() == []
    for kind in ("rollups", "scores", "events"):
        for file in pump.manifest.live(kind):
            flip_a_bit(pump.root / file.path)
    version = pump.catalog.versions()[0].id
    for read in (
        lambda: pump.telemetry.rollup([1], None, None, 900),
        lambda: pump.results.read_scores(1, version),
        lambda: pump.results.read_events(1, version),
    ):
        with pytest.raises(IntegrityError):
            read()
    assert len(pump.verify()) == 3


def test_a_missing_file_is_named_with_what_to_do(pump: Warehouse) -> None:
    [file] = pump.manifest.live("readings")
    (pump.root / file.path).unlink()
    with pytest.raises(IntegrityError, match=r"can't be read.*telltale doctor --verify"):
        pump.telemetry.read([1])
    assert pump.verify() == [f"{file.path}: No such file or directory"]


def test_a_merge_does_not_build_on_a_damaged_file(pump: Warehouse) -> None:
    [file] = pump.manifest.live("readings")
    flip_a_bit(pump.root / file.path)
    before = sorted(pump.root.rglob("*.parquet"))
    with pytest.raises(IntegrityError):
        pump.ingest(pump_batch(pump_rows(3000, first=5.0)), at=NOW, actor="ada")
    assert sorted(pump.root.rglob("*.parquet")) == before


def test_a_write_that_fails_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(HomeError, match="No space left on device"):
        write_parquet(READINGS.to_frame(), tmp_path, "stem")
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_durable_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    names: list[list[str]] = []
    real = os.fsync

    def noting(descriptor: int) -> None:
        names.append(sorted(path.name for path in tmp_path.iterdir()))
        real(descriptor)

    monkeypatch.setattr("os.fsync", noting)
    write_parquet(READINGS.to_frame(), tmp_path, "stem")
    assert names == [[".stem.partial"], ["stem.parquet"]]
