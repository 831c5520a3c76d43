"""The benchmark of the Training page ends, and a tick of its live part stays below its bound."""

import json
from pathlib import Path

import pytest

from benchmarks import training_page, training_ticks


def test_a_tick_of_the_live_part_costs_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("TELLTALE_HOME", "TELLTALE_PROFILE"):
        monkeypatch.setenv(name, "")  # the benchmark sets them: they are put back afterwards
    training_page.main(["--jobs", "60", "--ticks", "15", "--json", str(tmp_path / "o.json")])
    assert "bound of the live part" in capsys.readouterr().out
    found = json.loads((tmp_path / "o.json").read_text("utf-8"))
    assert 0 < found["live_median_ms"] <= found["live_p95_ms"]
    assert found["live_median_ms"] + found["notices_median_ms"] < training_page.BOUND_MS


def test_the_server_spends_little_on_a_tick_drawing_included(tmp_path: Path) -> None:
    few = ["--jobs", "20", "--sensors", "61", "--ticks", "10"]
    training_ticks.main([*few, "--json", str(tmp_path / "o.json")])
    found = json.loads((tmp_path / "o.json").read_text("utf-8"))
    # What runs and waits is looked at most often.
    assert found["all_training_part_1_every_s"] == found["one_batch_alone_every_s"] == 1
    for part in ("all_training_part_1", "all_training_part_4", "one_batch_alone"):
        assert 0 < found[f"{part}_cpu_ms"] < training_page.BOUND_MS
