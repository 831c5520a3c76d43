"""Saved thresholds of earlier releases open, and thresholds judge stored scores as they did."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from core.results import Event, Scores
from core.thresholds.block_maxima import BlockMaxima
from core.thresholds.contract import Threshold
from core.thresholds.dynamic import DynamicParameters, DynamicThreshold
from core.thresholds.moving import MovingThreshold
from core.thresholds.peaks_over_threshold import PeaksOverThreshold
from core.thresholds.quantile import QuantileThreshold
from core.thresholds.robust import RobustThreshold

GOLDEN = Path(__file__).with_name("thresholds.json")

RULES: dict[str, Threshold] = {
    "dynamic": DynamicThreshold(),
    "dynamic everywhere": DynamicThreshold(DynamicParameters(everywhere=True)),
    "robust": RobustThreshold(),
    "quantile": QuantileThreshold(),
    "peaks-over-threshold": PeaksOverThreshold(),
    "block-maxima": BlockMaxima(),
    "moving": MovingThreshold(),
}


def made(n: int, phase: int, *, faults: bool) -> Scores:
    """Scores without a random generator: the same on every machine, ties and gaps among them."""
    steps = np.arange(phase, phase + n)
    # A quadratic residue is as irregular as needed, and exact.
    noise = (steps * steps * 7919 % 10007) / 10007
    values = np.round(0.2 + 0.5 * noise**3, 3)
    values[n // 4 : n // 4 + 90] = np.nan
    if faults:
        values[n // 2 : n // 2 + 40] += 6.0
        values[n - 300] += 9.0
        values[50:60] += 8.0
    return Scores(
        timestamps=np.datetime64("2024-01-01", "us") + steps * np.timedelta64(1, "m"),
        values=values.astype(np.float32),
        expected=np.full(n, np.nan, dtype=np.float32),
        shares=None,
        mode="causal",
    )


def told(event: Event) -> list[float]:
    return [event.start, event.end, event.peak, event.threshold, event.probability]


def judged(rule: Threshold) -> dict[str, object]:
    calibrate, scores = made(2500, 0, faults=False), made(4321, 5000, faults=True)
    fitted = rule.fit(calibrate, np.zeros(2500, np.float32))
    readings = ((np.arange(4321) % 97) / 97).astype(np.float32)
    return {
        "usual": fitted.usual,
        "events": [told(event) for event in fitted.judge(scores, readings).events],
    }


@pytest.mark.parametrize("name", list(RULES))
def test_a_rule_judges_as_it_did(name: str) -> None:
    stored, found = json.loads(GOLDEN.read_text("utf-8"))[name], judged(RULES[name])
    assert len(stored["events"]) >= 1
    assert found["usual"] == pytest.approx(stored["usual"], rel=1e-6)
    assert len(found["events"]) == len(stored["events"])  # type: ignore[arg-type]
    for one, other in zip(found["events"], stored["events"], strict=True):  # type: ignore[call-overload]
        assert one == pytest.approx(other, rel=1e-6, abs=1e-9)


def test_thresholds_saved_by_release_0_1_open(tmp_path: Path) -> None:
    """They know nothing of what came since, and judge by the parameters that they were saved with."""
    tail = {"location": 0.7957781157304621, "scale": 0.0356678800955497, "block": 50}
    extent = {"release": 0.6, "shortest": 5, "brief_factor": 1.5, "gap": 60}
    bar = {"steps_per_alarm": 5000000.0, "least": 1.0, "most": 4.0}
    content = {"method": "robust", "parameters": bar | extent, "learned": [tail]}
    (tmp_path / "threshold.json").write_text(json.dumps(content), "utf-8")
    rule = RobustThreshold.load(tmp_path)
    assert rule.level == pytest.approx(0.7957781157304621 + 0.0356678800955497 * np.log(5e6 / 50))
    assert rule.parameters.contamination == 0
    published = {"batch": 70, "batches": 30, "lowest_z": 2.5, "highest_z": 12.0, "step_z": 0.5, "buffer": 100}
    published |= {"pruning": 0.13, "history": 250, "least_share": 0.05, "least_error": 0.05}
    content = {"method": "dynamic", "parameters": published, "learned": [tail, tail]}
    (tmp_path / "threshold.json").write_text(json.dumps(content), "utf-8")
    assert DynamicThreshold.load(tmp_path).parameters == DynamicParameters()


if __name__ == "__main__" and os.environ.get("TELLTALE_REWRITE_GOLDEN"):
    GOLDEN.write_text(
        json.dumps({name: judged(rule) for name, rule in RULES.items()}, indent=1) + "\n", "utf-8"
    )
