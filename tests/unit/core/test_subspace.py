"""The subspace detector: its statistics by their definitions, and what it sees that no sensor alone shows."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from core.detectors.control_chart import ControlChart
from core.detectors.subspace import Subspace, SubspaceParameters
from core.ensembles.raise_events import EventRaiser
from core.errors import ArtifactError, ParameterError
from core.signal import Signal
from core.thresholds.robust import RobustThreshold

STEPS = 900


def pump(n: int = STEPS, *, seed: int = 0) -> np.ndarray:
    """Flow and current follow the load, the temperature lives by itself."""
    rng = np.random.default_rng(seed)
    load = rng.normal(0, 1, n)
    flow = 30 + 5 * load + rng.normal(0, 0.5, n)
    current = 4 + 0.8 * load + rng.normal(0, 0.08, n)
    return np.stack([flow, current, 60 + rng.normal(0, 2, n)], axis=1)


def signal_of(values: np.ndarray, names: Sequence[str] = ("flow", "current", "temperature")) -> Signal:
    return Signal(
        timestamps=np.datetime64("2024-03-01T00:00", "us") + np.arange(len(values)) * np.timedelta64(1, "s"),
        values=values.astype(np.float32),
        channels=tuple(names),
        units=("",) * len(names),
        interval=timedelta(seconds=1),
        valid=np.isfinite(values[:, 0]),
    )


def test_both_statistics_are_those_of_a_principal_component_analysis() -> None:
    learned, judged = pump(), pump(50, seed=1)
    chart = ControlChart.of(learned, kept=0.9)
    mean, deviation = learned.mean(axis=0), learned.std(axis=0)
    _, strengths, axes = np.linalg.svd((learned - mean) / deviation, full_matrices=False)
    parts = (judged - mean) / deviation @ axes[:2].T
    squared = (parts**2 / (strengths[:2] ** 2 / STEPS)).sum(axis=1)
    left = (judged - mean) / deviation - parts @ axes[:2]
    expected = np.maximum(
        np.sqrt(squared) / chart.references[0], np.sqrt((left**2).sum(axis=1)) / chart.references[1]
    )
    found, shares = chart.judge(judged)
    assert np.allclose(found, expected)
    assert np.allclose(shares.sum(axis=1), 1)


def test_one_training_step_in_a_thousand_exceeds_one() -> None:
    learned = pump(20_000)
    chart = ControlChart.of(learned, kept=0.9)
    assert 0.0005 < (chart.judge(learned)[0] > 1).mean() < 0.0025


def test_a_broken_relation_is_strange_though_every_reading_is_usual() -> None:
    values = pump(seed=2)
    values[600:, 1] = 8 - values[600:, 1]  # the current falls when the flow rises
    scores = Subspace().fit(signal_of(pump())).score(signal_of(values))
    assert values[600:, 1].max() < pump()[:, 1].max() + 0.5
    assert np.nanmax(scores.values[:600]) < 1.5
    assert np.nanmax(scores.values[600:]) > 3
    assert scores.shares is not None
    inside = scores.shares[int(np.nanargmax(scores.values))]
    assert inside[2] < 0.1
    assert inside.sum() == pytest.approx(1, abs=1e-5)


def test_a_shift_too_small_for_a_step_is_seen_by_the_long_average() -> None:
    values = pump(seed=3)
    values[500:, 2] += 2.5  # a good deviation of the temperature
    judged = signal_of(values)
    long = Subspace().fit(signal_of(pump())).score(judged)
    short = Subspace(SubspaceParameters(spans=(1,))).fit(signal_of(pump())).score(judged)
    assert np.nanmedian(long.values[560:]) > 1.2
    assert np.nanmedian(short.values[560:]) < 1
    assert long.shares is not None
    assert np.nanmedian(long.shares[560:, 2]) > 0.8


def test_events_name_the_channel_that_drove_them() -> None:
    values = pump(seed=4)
    values[500:600, 2] += 12
    raiser = EventRaiser(Subspace(), RobustThreshold())
    whole = signal_of(pump())
    found = raiser.fit(whole.slice(0, 700), whole.slice(700, STEPS)).detect(signal_of(values))
    assert len(found.events) == 1
    assert 495 <= found.events[0].start <= 505
    assert found.events[0].drivers[0][0] == 2


def test_the_score_does_not_depend_on_which_channel_is_the_target() -> None:
    order = [2, 0, 1]
    names = ("flow", "current", "temperature")
    first = Subspace().fit(signal_of(pump())).score(signal_of(pump(seed=5)))
    turned = Subspace().fit(signal_of(pump()[:, order], [names[n] for n in order]))
    other = turned.score(signal_of(pump(seed=5)[:, order], [names[n] for n in order]))
    assert np.allclose(first.values, other.values, rtol=1e-3, equal_nan=True)


def test_a_departure_of_a_channel_that_never_changed_is_strange() -> None:
    learned, values = pump(), pump(seed=6)
    learned[:, 2] = values[:, 2] = 50.0
    values[600:620, 2] = 50.5
    scores = Subspace().fit(signal_of(learned)).score(signal_of(values))
    assert np.nanmax(scores.values[:600]) < 1.5
    assert scores.values[600] > 3
    assert scores.shares is not None
    assert scores.shares[600].argmax() == 2


def test_a_machine_that_never_changed_can_be_learned() -> None:
    still = np.tile([7.0, 0.0, 3.0], (STEPS, 1))
    moved = still.copy()
    moved[400, 1] = 1.0
    scores = Subspace().fit(signal_of(still)).score(signal_of(moved)).values
    assert np.nanmax(scores[:400]) == 0
    assert scores[400] > 10


def test_a_channel_that_was_never_read_while_learning_says_nothing() -> None:
    learned = pump()
    learned[:, 2] = np.nan
    scores = Subspace().fit(signal_of(learned)).score(signal_of(pump(seed=7)))
    assert np.nanmax(scores.values) < 1.5
    assert scores.shares is not None
    assert np.nanmax(scores.shares[:, 2]) < 0.05


def test_a_spike_does_not_stay_in_the_averages() -> None:
    values = pump(seed=8)
    values[500, 2] += 1e6
    scores = Subspace().fit(signal_of(pump())).score(signal_of(values)).values
    assert scores[500] > 3
    assert np.nanmax(scores[560:]) < 1.5


def test_steps_marked_invalid_do_not_touch_their_neighbours() -> None:
    usual, values = pump(seed=9), pump(seed=9)
    values[500:540, 0] = 500.0
    masked = replace(signal_of(values), valid=~np.isin(np.arange(STEPS), np.arange(500, 540)))
    detector = Subspace().fit(signal_of(pump()))
    scores = detector.score(masked).values
    assert np.isnan(scores[500:540]).all()
    assert np.nanmax(scores[540:600]) < np.nanmax(detector.score(signal_of(usual)).values) + 0.5


def test_score_and_shares_are_those_of_the_strongest_chart() -> None:
    values = pump(seed=10)
    values[500:, 2] += 2.5  # seen by the long average
    values[700, 0] += 60  # seen by the step itself
    learned, judged = signal_of(pump()), signal_of(values)
    both = Subspace(SubspaceParameters(spans=(1, 30))).fit(learned).score(judged)
    # Both learn from the same steps: those after the warm-up of the longest span.
    short, long = (
        Subspace(SubspaceParameters(spans=(span,))).fit(learned.slice(30 - span, STEPS)).score(judged)
        for span in (1, 30)
    )
    for one, other in ((short, long), (long, short)):
        stronger = one.values > 1.2 * other.values
        stronger[:30] = False
        assert stronger.sum() > 50
        assert both.shares is not None
        assert one.shares is not None
        assert other.shares is not None
        assert np.allclose(both.values[stronger], one.values[stronger], rtol=0.05)
        assert np.abs(both.shares - one.shares)[stronger].max() < 0.1
        assert np.abs(both.shares - other.shares)[stronger].max() > 0.5


@pytest.mark.parametrize(
    "wrong",
    [{"spans": ()}, {"spans": (0, 5)}, {"spans": (5, 5)}, {"kept": 0.0}, {"hold": -1}, {"least_steps": 30}],
)
def test_parameters_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match="subspace"):
        SubspaceParameters(**wrong)  # type: ignore[arg-type]


def test_files_whose_charts_do_not_match_their_spans_are_refused(tmp_path: Path) -> None:
    Subspace().fit(signal_of(pump())).save(tmp_path)
    path = tmp_path / "parameters.json"
    content = json.loads(path.read_text("utf-8"))
    content["parameters"]["spans"] = [1, 30]
    path.write_text(json.dumps(content), "utf-8")
    with pytest.raises(ArtifactError, match="differ in number"):
        Subspace.load(tmp_path)
