"""Scores of any length in few rows, with every peak."""

import tarfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from material import NOON, NOW, new_version, pump_batch, pump_rows, scores

from warehouse.home import Warehouse
from warehouse.schema import SCORES, TIME

HOMES = Path(__file__).parents[2] / "golden" / "homes"
COLUMNS = ["ts"] + [
    f"{one}{what}" for one in ("score", "expected", "threshold") for what in ("_min", "_max", "")
]
DAYS = 6


def by_the_second(start: datetime, count: int) -> pl.DataFrame:
    rng = np.random.default_rng(4)
    values = np.abs(rng.normal(size=count)).astype(np.float32)
    values[count // 3] = 500.0
    values[:1000] = np.nan
    us = int(start.timestamp()) * 1_000_000 + np.arange(count) * 1_000_000
    frame = pl.DataFrame({"ts": pl.Series(us).cast(TIME), "score": values, "expected": values * 2})
    return frame.with_columns(sensor_id=1, version_id=1, threshold=4.0).select(SCORES.names()).cast(SCORES)


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    home = Warehouse.open(tmp_path_factory.mktemp("judged"))
    report = home.ingest(pump_batch(pump_rows(10)), at=NOW, actor="ada")
    assert report.snapshot is not None
    home.catalog.add_version(new_version(1, report.snapshot.id))
    home.results.write_scores(by_the_second(NOON, DAYS * 86_400), at=NOW)
    yield home
    home.close()


def test_few_scores_are_shown_as_they_are(home: Warehouse) -> None:
    home.results.write_scores(scores(1, 1, 50, score=2.0), at=NOW)
    found = home.results.window(1, 1, NOON, NOON + timedelta(minutes=10), 2000)
    assert set(found.columns) == set(COLUMNS)
    assert found.height == 10
    for name in ("score_min", "score_max", "score"):
        assert found[name].to_list() == [2.0] * 10
    assert found["threshold"].to_list() == [2.0] * 10


@pytest.mark.parametrize("cut_s", [0, 12_345])
@pytest.mark.parametrize("points", [3, 400, 2000])
def test_a_peak_is_in_the_bucket_of_its_time_and_nowhere_else(
    judged: Warehouse, cut_s: int, points: int
) -> None:
    start = NOON + timedelta(seconds=cut_s)
    end = NOON + timedelta(days=DAYS) - timedelta(seconds=cut_s)
    found = judged.results.window(1, 1, start, end, points)
    raw = judged.results.read_scores(1, 1, start, end).with_columns(pl.col("score").fill_nan(None))
    assert found.height <= points
    place = found["ts"].search_sorted(raw["ts"], side="right").cast(pl.Int64) - 1
    wanted = (
        raw.with_columns(place.alias("place"))
        .group_by("place", maintain_order=True)
        .agg(pl.col("score").min().alias("low"), pl.col("score").max().alias("high"), pl.col("score").mean())
    )
    assert found["score_max"].to_list() == wanted["high"].to_list()
    assert found["score_min"].to_list() == wanted["low"].to_list()
    assert found["score"].to_numpy() == pytest.approx(wanted["score"].to_numpy(), nan_ok=True, rel=1e-4)
    assert found["score_max"].max() == 500.0


def test_a_large_file_of_scores_has_its_rollups_beside_it_until_both_are_replaced(judged: Warehouse) -> None:
    [large] = judged.manifest.live("scores")
    [rolled] = judged.manifest.live("score_rollups")
    assert rolled.rows < large.rows / 20
    again = judged.results.read_scores(1, 1, NOON, NOON + timedelta(hours=3)).with_columns(score=pl.lit(9.0))
    judged.results.write_scores(again.cast(SCORES), at=NOW)
    assert rolled.id not in {one.id for one in judged.manifest.live("score_rollups")}
    assert len(judged.manifest.live("score_rollups")) == 1
    assert judged.results.window(1, 1, NOON, NOON + timedelta(days=DAYS), 30)["score_max"][0] >= 9.0


def test_a_window_without_scores_is_empty(judged: Warehouse) -> None:
    found = judged.results.window(1, 1, NOON - timedelta(days=2), NOON - timedelta(days=1), 100)
    assert found.is_empty()
    assert set(found.columns) == set(COLUMNS)
    assert judged.results.window(2, 7, NOON, NOW, 100).schema == found.schema


def test_scores_of_an_old_home_have_windows_too(tmp_path: Path) -> None:
    with tarfile.open(HOMES / "0.1.0.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    home = Warehouse.open(tmp_path / "home")
    assert not home.manifest.live("score_rollups")
    [one, *_] = home.manifest.live("scores")
    raw = home.results.read_scores(one.sensor_min, one.version_id or 0)
    start, end = raw["ts"][0], raw["ts"][-1] + timedelta(microseconds=1)
    found = home.results.window(one.sensor_min, one.version_id or 0, start, end, 50)
    assert 0 < found.height <= 50
    assert found["score_max"].max() == pytest.approx(raw["score"].fill_nan(None).max())
    home.close()
