"""The benchmark of the Anomalies page ends, draws every window in a browser, and writes a flat JSON."""

import json
from pathlib import Path

import pytest

from benchmarks import anomalies_page


@pytest.mark.browser
def test_every_window_is_drawn_and_timed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("TELLTALE_HOME", "TELLTALE_PROFILE", "STREAMLIT_LOGGER_LEVEL"):
        monkeypatch.setenv(name, "")  # the benchmark sets them: they are put back afterwards
    arguments = ["--points", "40000", "--step", "60", "--events", "4", "--reruns", "2"]
    anomalies_page.main([*arguments, "--json", str(tmp_path / "o.json")])
    assert "a sensor of 40,000 points" in capsys.readouterr().out
    found = json.loads((tmp_path / "o.json").read_text("utf-8"))
    assert found["points"] == 40_000
    for part in ("server", "browser"):
        assert 0 < found[f"{part}_median_ms"] <= found[f"{part}_p95_ms"]
        for window in anomalies_page.WINDOWS:
            assert found[f"{part}_{window}_p95_ms"] > 0
