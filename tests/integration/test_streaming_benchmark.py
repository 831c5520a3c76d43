"""The streaming benchmark ends and says how long a step of a small fleet takes."""

import json
from pathlib import Path

import numpy as np

from benchmarks import streaming


def test_a_small_fleet_is_timed(tmp_path: Path) -> None:
    size = ["--sensors", "7", "--channels", "3", "--distinct", "2", "--rows", "700", "--steps", "20"]
    streaming.main([*size, "--batch-rows", "600", "--json", str(tmp_path / "o.json")])
    found = json.loads((tmp_path / "o.json").read_text("utf-8"))
    assert all(isinstance(value, int | float) for value in found.values())
    assert 0 < found["step_median_ms"] <= found["step_99th_percentile_ms"] <= found["step_longest_ms"]
    assert 0 <= found["alarmed_steps_ratio"] < 0.2
    per_step = found["quick_causal_scoring_readings_per_s"] / found["quick_causal_scoring_steps_per_s"]
    assert round(per_step, 6) == 3
    assert found["sensors_count"] == 7


def test_parts_of_a_machine_continue_each_other_and_differ_by_seed() -> None:
    first, second = (streaming.machine(0, 3, start, 50) for start in (0, 50))
    assert second.timestamps[0] - first.timestamps[-1] == np.timedelta64(1, "m")
    assert not np.array_equal(first.values, streaming.machine(1, 3, 0, 50).values)
