"""A smoke run of the learning curve: one fleet, few orders, each way in the table, a flat JSON."""

import json
from pathlib import Path

import pytest

from benchmarks import learning

LAYERS = ("what teaches most", "confirmed left out", "threshold alone")


def test_the_learning_curve(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.json"
    learning.main(["--seeds", "7", "--days", "10", "--orders", "6", "--json", str(out)])
    found = json.loads(out.read_text("utf-8"))
    assert all(isinstance(value, int | float | str) for value in found.values())
    said = capsys.readouterr().out
    for words in (
        "verdicts ignored",
        "sensor muted after a false alarm",
        "Brier score",
        "Similar events",
        *LAYERS,
    ):
        assert words in said
    # Not a measure of quality, which the benchmark reports: verdicts that change nothing are broken.
    assert found["false_alarm_ratio_after_20"] < 1
    assert found["never_labelled_true_change_after_20"] == 0
    assert found["false_alarm_ratio_after_0"] == 1
    assert found["false_alarm_ratio_after_20_mean_low"] <= found["false_alarm_ratio_after_20"]
    assert found["verdicts_ignored_false_alarm_ratio_after_20"] == 1
    assert found["same_kind_nearest"] > found["same_kind_random"]
