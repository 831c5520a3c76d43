"""The benchmark of a supervisor's memory ends and tells a slope of each process."""

import json
from pathlib import Path

import pytest

from benchmarks import job_memory


def test_a_few_jobs_are_run_and_each_process_is_told_of(tmp_path: Path) -> None:
    job_memory.main(["--jobs", "6", "--json", str(tmp_path / "o.json")])
    found = json.loads((tmp_path / "o.json").read_text("utf-8"))
    assert found["jobs_count"] == 6
    for process in ("supervisor", "light_worker", "worker_1"):
        assert 20 < found[f"{process}_first_mb"] <= found[f"{process}_peak_mb"] < 5000
        assert f"{process}_slope_mb_per_100_jobs" in found


def test_a_slope_is_told_in_mb_per_100_jobs_and_not_of_the_start() -> None:
    assert job_memory.slope_mb([500.0] * 20 + [100 + 0.03 * job for job in range(80)]) == pytest.approx(3.0)
    assert job_memory.slope_mb([100.0]) == 0.0
