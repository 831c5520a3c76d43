"""The panel: who sits on it, what happens where some can't, and what it finds in either mode."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Self

import numpy as np
import pytest

from core.detectors.contract import Detector
from core.detectors.discords import DiscordParameters, Discords
from core.detectors.reservoir import Reservoir, ReservoirParameters
from core.ensembles.panel import Panel
from core.ensembles.panel_parameters import PanelParameters
from core.ensembles.sources import load, make, tier
from core.ensembles.votes import Voters
from core.errors import ArtifactError, ConstantSignal, InsufficientData, ParameterError
from core.results import Event, Mode, Scores
from core.signal import Signal

EPOCH = np.datetime64("2024-03-01T00:00", "us")
MODES: tuple[Mode, ...] = ("causal", "review")

# Chosen here for speed and for the sensor below, not what any preset says.
VOTERS = {
    "causal": Voters(smoothing=(5, 20), factors=(1.05, 1.15), releases=(0.8,), floors=(1.0,), lead=300),
    "review": Voters(smoothing=(30, 60), factors=(1.15, 1.25), releases=(0.8,), lead=300),
}
ENTRIES = {
    "causal": ("figures-50-past", "spread-25-training", "shape-50-past", "reservoir@5", "reservoir@30"),
    "review": ("figures-50-whole", "spread-25-training", "shape-50-whole", "reservoir@5", "reservoir@30"),
}

every_mode = pytest.mark.parametrize("mode", MODES)


def of(target: np.ndarray, start: int = 0) -> Signal:
    n = target.size
    values = target.astype(np.float32)[:, None]
    return Signal(
        timestamps=EPOCH + (start + np.arange(n)) * np.timedelta64(1, "m"),
        values=values,
        channels=("pressure",),
        units=("bar",),
        interval=timedelta(minutes=1),
        valid=np.isfinite(values[:, 0]),
    )


def sensor(n: int, seed: int) -> np.ndarray:
    """A pressure with a cycle of an hour and a slow one."""
    steps = np.arange(n)
    slow = 0.3 * np.sin(2 * np.pi * steps / 611)
    return 5 + np.sin(2 * np.pi * steps / 60) + slow + np.random.default_rng(seed).normal(0, 0.05, n)


def parameters(mode: Mode, *entries: str, standstill: float | None = 2.0) -> PanelParameters:
    return PanelParameters(mode, entries or ENTRIES[mode], VOTERS[mode], standstill=standstill)


def fit(panel: Panel, target: np.ndarray) -> Panel:
    edge = round(0.8 * target.size)
    return panel.fit(of(target[:edge]), of(target[edge:], edge))


@cache
def fitted(mode: Mode, seed: int = 0) -> Panel:
    return fit(Panel(parameters(mode)), sensor(3000, seed))


def found(mode: Mode, target: np.ndarray, seed: int = 0) -> tuple[Event, ...]:
    return fitted(mode, seed).detect(of(target, 5000)).events


def spike(target: np.ndarray) -> None:
    target[2500:2503] += 4


def level_shift(target: np.ndarray) -> None:
    target[2500:2620] += 1.5


def standstill(target: np.ndarray) -> None:
    target[2500:2620] = target[2500]


def frequency_change(target: np.ndarray) -> None:
    noise = np.random.default_rng(1).normal(0, 0.05, 150)
    target[2500:2650] = 5 + np.sin(2 * np.pi * np.arange(150) / 17) + noise


@every_mode
@pytest.mark.parametrize("fault", [spike, level_shift, standstill, frequency_change])
@pytest.mark.parametrize("seed", range(3))
def test_a_planted_fault_is_found(mode: Mode, fault: Callable[[np.ndarray], None], seed: int) -> None:
    target = sensor(4000, seed + 50)
    fault(target)
    events = found(mode, target, seed)
    assert [one for one in events if one.start < 2650 and one.end > 2500]
    assert len([one for one in events if not (one.start < 2800 and one.end > 2350)]) <= 1
    if mode == "causal":
        assert not [one for one in events if one.start < 2500 <= one.end]


@every_mode
@pytest.mark.parametrize("seed", range(3))
def test_a_healthy_sensor_raises_at_most_one_event(mode: Mode, seed: int) -> None:
    assert len(found(mode, sensor(4000, seed + 50), seed)) <= 1


@every_mode
def test_a_standstill_is_trusted_alone(mode: Mode) -> None:
    """However few of the others see it, if they see it at all; without the check they decide."""
    target = sensor(3000, 60)
    voters = replace(VOTERS[mode], factors=(50.0,))
    panels = [
        fit(Panel(replace(parameters(mode, standstill=times), voters=voters)), sensor(3000, 0))
        for times in (2.0, None)
    ]
    target[2000:2100] = target[2000]
    trusting, alone = (panel.detect(of(target, 5000)) for panel in panels)
    (event,) = trusting.events
    assert 2030 < event.start < 2060
    assert 2100 <= event.end <= 2101
    assert event.peak_score >= event.threshold
    assert alone.events == ()


@every_mode
def test_a_constant_training_part_falls_to_the_instant_tier_and_says_so(mode: Mode) -> None:
    panel = fit(Panel(parameters(mode, *ENTRIES[mode], "convolution")), np.full(3000, 7.0))
    assert "convolution" not in panel.detectors
    (remark,) = panel.remarks
    assert remark.startswith("The network (convolution) was left out: ")
    assert "all 3000 readings" in remark
    target = np.full(3000, 7.0)
    assert panel.detect(of(target, 5000)).events == ()
    target[2000:2030] = 7.5
    events = panel.detect(of(target, 5000)).events
    assert [one for one in events if one.start < 2030 and one.end > 2000]
    assert not [one for one in events if one.end < 1900 or one.start > 2200]


@every_mode
def test_a_short_training_part_falls_to_those_that_it_suffices_for_and_says_so(mode: Mode) -> None:
    panel = fit(
        Panel(parameters(mode, "figures-50-training", "shape-200-training", "convolution")), sensor(200, 0)
    )
    assert set(panel.detectors) == {"figures-50-training", "standstill"}
    network, shapes = sorted(panel.remarks, reverse=True)
    assert network.startswith("The network (convolution) was left out: ")
    assert "found 200" in network
    assert shapes.startswith("A comparison of windows (shape-200-training) was left out: ")
    assert all(remark.endswith("The instant tier judges it alone.") for remark in panel.remarks)
    assert panel.detect(of(sensor(600, 1), 5000)).scores.values.shape == (600,)


@every_mode
def test_where_none_can_be_fitted_the_smallest_number_needed_is_told(mode: Mode) -> None:
    panel = Panel(parameters(mode, "shape-100-training", "figures-50-training", "reservoir"))
    with pytest.raises(InsufficientData, match="found 90") as refused:
        fit(panel, sensor(90, 0))
    assert refused.value.needed == make("figures-50-training", 0).needed
    panel = Panel(parameters(mode, "convolution"))
    with pytest.raises(ConstantSignal, match="are 7"):
        fit(panel, np.full(900, 7.0))


@every_mode
def test_a_signal_too_short_for_all_names_the_smallest_number(mode: Mode) -> None:
    panel = fit(Panel(parameters(mode, "shape-100-training", "figures-50-training")), sensor(900, 0))
    with pytest.raises(InsufficientData) as refused:
        panel.detect(of(sensor(30, 1)))
    assert (refused.value.needed, refused.value.found) == (50, 30)


@every_mode
def test_given_detectors_are_not_fitted_again_and_given_scores_not_made_again(mode: Mode) -> None:
    calls: list[str] = []

    class Counted(Reservoir):
        def fit(self, signal: Signal, *, progress: object = None, stop: object = None) -> Self:
            calls.append("fit")
            return super().fit(signal, progress=progress, stop=stop)

        def score(self, signal: Signal) -> Scores:
            calls.append("score")
            return super().score(signal)

    target, fresh = sensor(3000, 0), of(sensor(2000, 1), 5000)
    given: Detector = Counted(ReservoirParameters(span=1.0)).fit(of(target))
    parts = of(target[:2400]), of(target[2400:], 2400)
    panel = Panel(parameters(mode)).fit(*parts, given={"reservoir": given})
    assert calls.count("fit") == 1
    assert panel.detectors["reservoir"] is given
    plain = fitted(mode).detect(fresh)
    assert panel.detect(fresh).events == plain.events
    made_before = {"reservoir": given.score(fresh)}
    calls.clear()
    again = panel.detect(fresh, given=made_before)
    assert calls == []
    assert np.array_equal(again.scores.values, plain.scores.values, equal_nan=True)
    assert np.array_equal(again.scores.expected, made_before["reservoir"].expected, equal_nan=True)
    # What is given is what is used.
    loud = replace(made_before["reservoir"], values=made_before["reservoir"].values.copy())
    loud.values[1000:1040] += 30
    assert len(panel.detect(fresh, given={"reservoir": loud}).scores.values) == 2000
    assert not np.allclose(
        panel.detect(fresh, given={"reservoir": loud}).scores.values, plain.scores.values, equal_nan=True
    )


@every_mode
def test_results_say_which_mode_they_are_of(mode: Mode) -> None:
    panel = fitted(mode)
    assert panel.mode == mode == panel.detect(of(sensor(900, 3))).scores.mode
    assert panel.parameters()["panel.mode"] == mode


@every_mode
def test_gaps_are_skipped_over_and_an_event_may_span_one(mode: Mode) -> None:
    target = sensor(4000, 55)
    target[1000:1200] = np.nan
    target[2500:2600] += 1.5
    target[2530:2540] = np.nan
    found_ones = found(mode, target)
    scores = fitted(mode).detect(of(target, 5000)).scores.values
    assert np.isnan(scores[np.isnan(target)]).all()
    assert np.isfinite(scores[~np.isnan(target)]).all()
    assert len([one for one in found_ones if one.start < 2600 and one.end > 2500]) == 1
    assert not [one for one in found_ones if one.end < 900]


def test_a_causal_panel_refuses_who_sees_the_whole_window() -> None:
    for entry in ("figures-50-whole", "figures-50-whole@5"):
        with pytest.raises(ParameterError, match="sees the whole window"):
            parameters("causal", entry)
        parameters("review", entry)


@pytest.mark.parametrize(
    "entry", ["colour-50-past", "figures-fifty-past", "figures-50-future", "figures-2-past"]
)
def test_a_name_that_no_detector_has_is_refused(entry: str) -> None:
    with pytest.raises(ParameterError):
        fit(Panel(parameters("causal", entry)), sensor(900, 0))
    with pytest.raises(ParameterError):
        make(entry, 0)


@pytest.mark.parametrize(
    "entries",
    [(), ("reservoir", "reservoir"), ("standstill",), ("relation",), ("reservoir@0",), ("reservoir@x",)],
)
def test_entries_that_can_not_be_are_refused(entries: tuple[str, ...]) -> None:
    with pytest.raises(ParameterError, match="entries"):
        PanelParameters("causal", entries, VOTERS["causal"])


@pytest.mark.parametrize("wrong", [{"gap": -1}, {"reach": 1}, {"standstill": 0.5}, {"relation": 0.0}])
def test_numbers_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        PanelParameters("causal", ENTRIES["causal"], VOTERS["causal"], **wrong)  # type: ignore[arg-type]


def test_a_detector_named_twice_with_other_spans_is_fitted_once() -> None:
    sources = parameters("causal").sources
    assert sources.count("reservoir") == 1
    assert sources[-1] == "standstill"
    assert "standstill" not in parameters("causal", standstill=None).sources


def test_each_name_belongs_to_a_tier() -> None:
    assert {tier(one) for one in ("convolution", "lstm")} == {"learned"}
    assert {tier(one) for one in ("shape-50-past", "values-10-whole", "levelled-9-training")} == {
        "similarity"
    }
    assert {tier(one) for one in ("figures-50-past", "spread-5-past", "reservoir", "standstill")} == {
        "instant"
    }


def test_the_seed_reaches_those_that_draw() -> None:
    target, fresh = sensor(1500, 0), of(sensor(900, 1), 5000)
    first, again, other = (
        fit(Panel(parameters("causal"), seed=seed), target).detect(fresh).scores.values for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again, equal_nan=True)
    assert not np.allclose(first, other, equal_nan=True)


def test_the_first_predictor_says_what_was_expected() -> None:
    fresh = of(sensor(900, 1), 5000)
    panel = fitted("causal")
    assert np.array_equal(
        panel.detect(fresh).scores.expected,
        panel.detectors["reservoir"].score(fresh).expected,
        equal_nan=True,
    )
    silent = fit(Panel(parameters("causal", "figures-50-past")), sensor(1500, 0))
    assert np.isnan(silent.detect(fresh).scores.expected).all()


def test_a_panel_remembers_at_least_what_each_member_does() -> None:
    panel = fitted("causal")
    assert panel.memory > max(one.memory for one in panel.detectors.values()) + panel.panel.reach
    assert Panel(parameters("causal")).memory == panel.memory


def test_remarks_are_saved(tmp_path: Path) -> None:
    panel = fit(Panel(parameters("causal", *ENTRIES["causal"], "convolution")), np.full(900, 7.0))
    panel.save(tmp_path)
    again = Panel.load(tmp_path)
    assert again.remarks == panel.remarks != ()
    assert set(again.detectors) == set(panel.detectors)


@pytest.mark.parametrize(
    "wrong",
    [
        {"method": "another"},
        {"parameters": {"nonsense": 1}},
        {"parameters": None},
        {"detectors": ["reservoir"]},
        {"detectors": {"reservoir": "unknown"}},
        {"detectors": {"reservoir": "discords"}},
        {"highest": [["geometric", 5]]},
        {"tail": {}},
        {"remarks": None},
    ],
)
def test_tampered_files_are_refused(wrong: dict[str, object], tmp_path: Path) -> None:
    fitted("causal").save(tmp_path)
    path = tmp_path / "panel.json"
    content = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(content | wrong), "utf-8")
    with pytest.raises(ArtifactError):
        Panel.load(tmp_path)


def test_a_detector_is_loaded_by_the_method_that_saved_it(tmp_path: Path) -> None:
    detector = Discords(DiscordParameters("shape", 30)).fit(of(sensor(600, 0)))
    detector.save(tmp_path)
    again = load(tmp_path, "discords")
    fresh = of(sensor(300, 1))
    assert np.array_equal(again.score(fresh).values, detector.score(fresh).values, equal_nan=True)
    with pytest.raises(ArtifactError):
        load(tmp_path, "reservoir")
    with pytest.raises(ArtifactError, match="no panel of this release"):
        load(tmp_path, "nonsense")


@pytest.mark.learned
def test_a_network_on_the_panel_is_heard_and_shows_its_prediction() -> None:
    target, fresh = sensor(700, 0), of(sensor(500, 1), 5000)
    panel = fit(Panel(parameters("causal", "convolution@5", "reservoir@5")), target)
    found_ones = panel.detect(fresh)
    network = panel.detectors["convolution"].score(fresh)
    assert np.array_equal(found_ones.scores.expected, network.expected, equal_nan=True)
    assert panel.remarks == ()
