"""A smoke run of each benchmark: it ends, prints its table beside a reference, and writes a flat JSON."""

import json
import os
from pathlib import Path

import pytest
from command_line import ROOT

from benchmarks import demo_fleet, ingest, telemanom, warehouse

DATA = Path(os.environ.get("TELLTALE_TEST_DATA", ROOT.parent / "shared" / "data")) / "smap_msl"


def figures(path: Path) -> dict[str, float | str]:
    found = json.loads(path.read_text("utf-8"))
    assert all(isinstance(value, int | float | str) for value in found.values())
    return found


def test_the_demo_fleet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    demo_fleet.main(["--json", str(tmp_path / "out.json")])
    found = figures(tmp_path / "out.json")
    assert "hand-set limits" in capsys.readouterr().out
    # Not a measure of quality, which the benchmark reports: a detector that finds less is broken.
    assert (
        found["statistical_detector_faults_found_count"] >= 0.8 * found["statistical_detector_faults_count"]
    )
    assert found["statistical_detector_false_alarms_per_healthy_sensor_month"] <= 1


def test_the_warehouse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    warehouse.main(["--rows", "200000", "--json", str(tmp_path / "out.json")])
    found = figures(tmp_path / "out.json")
    assert "plain pandas" in capsys.readouterr().out
    # Answers are compared with plain Polars inside; here only that each was asked.
    for name in ("sensor_day", "all_time", "all_time_big_sensor", "raw_hour", "scores", "fleet", "overview"):
        assert found[f"{name}_p95_ms"] > 0
        assert found[f"{name}_cold_ms"] > 0
    assert 190_000 < found["rows_count"] <= 200_000
    assert found["ingest_peak_memory_mb"] > 0


def test_ingest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ingest.main(["--rows", "100000", "--json", str(tmp_path / "out.json")])
    found = figures(tmp_path / "out.json")
    assert "plain Polars" in capsys.readouterr().out
    for name in ("csv_long", "csv_wide", "parquet", "late", "reingest"):
        assert found[f"{name}_rows_per_s"] > 0


@pytest.mark.nasa
@pytest.mark.learned
@pytest.mark.skipif(not DATA.is_dir(), reason=f"needs NASA's telemetry in {DATA} (TELLTALE_TEST_DATA)")
def test_telemanom_on_one_channel(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.json"
    files = [str(DATA / name) for name in ("data.zip", "labeled_anomalies.csv", "reference_events.csv")]
    telemanom.main(
        [
            *files[:2],
            "--reference",
            files[2],
            "--channels",
            "A-4",
            "--preset",
            "telemanom",
            "--recipe-batches",
            "2",
            "--json",
            str(out),
        ]
    )
    found = figures(out)
    assert "published Telemanom run" in capsys.readouterr().out
    assert found["flag_everything_f1_ratio"] == 1.0  # what any number must be read against
    assert found["refused_count"] == 0
    assert found["train_cpu_s"] > 0
    assert found["telemanom_recipe_cpu_ratio"] > 1
