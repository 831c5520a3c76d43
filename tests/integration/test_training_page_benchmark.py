"""The benchmark of the Training page ends, and a tick of its live part stays below its bound."""

import json
from pathlib import Path

import pytest

from benchmarks import training_page


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
