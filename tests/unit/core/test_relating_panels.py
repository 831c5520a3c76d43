"""A panel with the check against context: where it sits, what it raises alone, and how that is kept."""

import json
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from core.ensembles.explain import why
from core.ensembles.panel import Panel
from core.ensembles.panel_parameters import PanelParameters
from core.ensembles.severity import grade
from core.ensembles.trusted import RELATION
from core.ensembles.votes import Voters
from core.errors import ArtifactError
from core.results import Mode
from core.signal import Signal

EPOCH = np.datetime64("2024-03-01T00:00", "us")
ENTRIES = ("figures-50-training", "reservoir@5")

# So high a factor that the others raise nothing.
DEAF = Voters(smoothing=(5,), factors=(50.0,), releases=(0.8,), floors=(1.0,), lead=300)

every_mode = pytest.mark.parametrize("mode", ["causal", "review"])


def related(n: int, seed: int, start: int = 0) -> Signal:
    """A pressure that follows a speed, which wanders."""
    rng = np.random.default_rng(seed)
    speed = 50 + 20 * np.sin(np.arange(n) / 37) + rng.normal(0, 0.3, n)
    pressure = 5 + 0.1 * speed + rng.normal(0, 0.05, n)
    return Signal(
        timestamps=EPOCH + (start + np.arange(n)) * np.timedelta64(1, "m"),
        values=np.stack([pressure, speed], axis=1).astype(np.float32),
        channels=("pressure", "speed"),
        units=("bar", "rpm"),
        interval=timedelta(minutes=1),
        valid=np.ones(n, np.bool_),
    )


def commanded(signal: Signal) -> Signal:
    """What is left of the context if it only tells fast from slow."""
    return replace(signal, values=np.stack([signal.target, signal.context[:, 0] > 50], axis=1))


def parameters(mode: Mode, *, relation: float | None = 0.5) -> PanelParameters:
    return PanelParameters(mode, ENTRIES, DEAF, relation=relation)


def fit(panel: Panel, whole: Signal) -> Panel:
    return panel.fit(whole.slice(0, 2400), whole.slice(2400, len(whole)))


@cache
def relating(mode: Mode) -> Panel:
    return fit(Panel(parameters(mode)), related(3000, 0))


@every_mode
def test_the_check_sits_where_context_is_measured_and_the_parameters_say_so(mode: Mode) -> None:
    told = relating(mode).parameters()
    blind = fit(Panel(parameters(mode)), commanded(related(3000, 0)))
    assert told["panel.relation"] == blind.parameters()["panel.relation"] == 0.5
    assert 0.9 < float(str(told["panel.explained"])) <= 1.0
    assert blind.parameters()["panel.explained"] is None
    assert (told["panel.predictor"], blind.parameters()["panel.predictor"]) == ("relation", "reservoir")
    assert blind.remarks == ()
    unfitted = Panel(parameters(mode, relation=None)).parameters()
    assert (unfitted["panel.relation"], unfitted["panel.explained"]) == ("not trusted", None)


@every_mode
def test_commands_for_context_are_judged_as_without_such_a_check(mode: Mode) -> None:
    whole, fresh = commanded(related(3000, 0)), commanded(related(1500, 1, 5000))
    fresh.values[900:940, 0] += 4
    mine, other = (
        fit(Panel(replace(parameters(mode, relation=one), voters=Voters())), whole).detect(fresh)
        for one in (0.5, None)
    )
    assert mine.events == other.events != ()
    assert np.array_equal(mine.scores.values, other.scores.values, equal_nan=True)
    assert np.array_equal(mine.scores.expected, other.scores.expected, equal_nan=True)


@every_mode
def test_a_relation_that_breaks_is_trusted_alone_and_graded_by_its_own_bar(mode: Mode) -> None:
    """Target and context look as ever; without the check the panel is deaf to it."""
    fresh = related(2000, 1, 5000)
    low, high = fresh.target.min(), fresh.target.max()
    turned = fresh.values[1500:1700, 0]
    fresh.values[1500:1700, 0] = low + high - turned
    panel = relating(mode)
    found = panel.detect(fresh)
    (event,) = found.events
    assert 1500 <= event.start < 1510
    assert 1700 <= event.end < 1760
    said = panel.detectors[RELATION].score(fresh)
    assert np.array_equal(found.scores.expected, said.expected, equal_nan=True)
    assert "its prediction for" in why(event, found.scores, fresh)
    check = panel.trusted({RELATION: said}, np.arange(2000))[RELATION]
    ratio = float(check.ratios[event.peak])
    assert ratio > 0.9 * check.ratios.max() > 2
    assert np.isclose(event.peak_score / event.threshold, ratio)
    assert event.probability == check.found[0].probability
    assert event.severity == grade(replace(event, peak_score=ratio, threshold=1.0), 1.0, fresh.interval)
    deaf = fit(Panel(parameters(mode, relation=None)), related(3000, 0))
    assert deaf.detect(fresh).events == ()


def test_a_context_that_does_not_suffice_is_remarked_and_the_rest_judges() -> None:
    whole = related(3000, 0)
    whole.values[:, 1] = np.random.default_rng(9).normal(50, 20, 3000)
    panel = fit(Panel(parameters("causal")), whole)
    (remark,) = panel.remarks
    assert remark.startswith("The check against context was left out: context explains ")
    assert RELATION not in panel.detectors
    assert panel.detect(whole).scores.values.shape == (3000,)


def test_a_panel_saved_before_there_was_such_a_check_judges_without_it(tmp_path: Path) -> None:
    without = fit(Panel(parameters("causal", relation=None)), related(3000, 0))
    without.save(tmp_path)
    path = tmp_path / "panel.json"
    content = json.loads(path.read_text("utf-8"))
    del content["explained"], content["parameters"]["relation"]
    path.write_text(json.dumps(content), "utf-8")
    fresh = related(900, 1, 5000)
    mine, other = Panel.load(tmp_path).detect(fresh), without.detect(fresh)
    assert np.array_equal(mine.scores.values, other.scores.values, equal_nan=True)


@pytest.mark.parametrize("wrong", [{"explained": "much"}, {"detectors": {"relation": "reservoir"}}])
def test_a_tampered_check_against_context_is_refused(wrong: dict[str, object], tmp_path: Path) -> None:
    panel = relating("causal")
    panel.save(tmp_path)
    assert Panel.load(tmp_path).parameters() == panel.parameters()
    path = tmp_path / "panel.json"
    content = json.loads(path.read_text("utf-8"))
    if "detectors" in wrong:
        panel.detectors["reservoir"].save(tmp_path / RELATION)
    path.write_text(json.dumps(content | wrong), "utf-8")
    with pytest.raises(ArtifactError):
        Panel.load(tmp_path)
