"""The echo state network: its states, its readout, and what it makes of odd sensors."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from core.detectors.reservoir import CHUNK, Reservoir, ReservoirParameters, _drawn
from core.detectors.smoothing import ewma
from core.errors import ArtifactError, ParameterError
from core.signal import Signal

EPOCH = np.datetime64("2024-03-01T00:00", "us")
QUICK = ReservoirParameters(units=60)


def of(values: np.ndarray, *, start: int = 0, unit: str = "bar") -> Signal:
    columns = values[:, None] if values.ndim == 1 else values
    n, width = columns.shape
    return Signal(
        timestamps=EPOCH + (start + np.arange(n)) * np.timedelta64(1, "m"),
        values=columns.astype(np.float32),
        channels=("pressure", "valve")[:width],
        units=(unit, "")[:width],
        interval=timedelta(minutes=1),
        valid=np.isfinite(columns[:, 0]),
    )


def waves(n: int, *, seed: int = 0, noise: float = 0.05) -> np.ndarray:
    return np.sin(np.arange(n) / 6) + np.random.default_rng(seed).normal(0, noise, n)


def one_by_one(detector: Reservoir, inputs: np.ndarray) -> np.ndarray:
    """Run the reservoir over all steps in one sequence, from a long rest at the first input."""
    p = detector.parameters
    weights, entry, bias = _drawn(p, inputs.shape[1], detector.seed)
    state = np.zeros(p.units)
    states = []
    for row in [*([inputs[0]] * p.washout), *inputs]:
        state = (1 - p.leak) * state + p.leak * np.tanh(row @ entry + bias + state @ weights)
        states.append(state)
    return np.array(states[p.washout :])


@pytest.mark.parametrize("phase", [0, 1, 200, CHUNK - 1, CHUNK, 10**9 + 7])
def test_states_are_those_of_one_sequence(phase: int) -> None:
    """Chunks that run side by side, each after its own washout, are as good as one run."""
    detector = Reservoir(QUICK)
    inputs = np.stack([waves(1500), np.sign(waves(1500, seed=1))], axis=1)
    states = detector._states(inputs, phase)
    assert np.abs(states[:, :60] - one_by_one(detector, inputs)).max() < 1e-6
    assert np.array_equal(states[:, 60:62], inputs)
    assert (states[:, 62] == 1).all()


@pytest.mark.parametrize("first", [1, 37, 511, 512, 900])
def test_states_do_not_depend_on_the_cut_beyond_the_washout(first: int) -> None:
    detector, inputs = Reservoir(), waves(2500, seed=2)[:, None]
    inputs[700:720] = 3.0
    whole, part = detector._states(inputs, 13), detector._states(inputs[first:], 13 + first)
    washout = detector.parameters.washout
    assert np.abs(whole[first + washout :] - part[washout:]).max() < 1e-6
    # On the grid a whole chunk is the same to the last bit, up to how products are summed.
    later = first + washout + CHUNK
    assert np.abs(whole[later:] - part[later - first :]).max() < 1e-12


def test_no_state_depends_on_a_later_step() -> None:
    detector, inputs = Reservoir(QUICK), waves(1500)[:, None]
    states = detector._states(inputs, 5)
    other = inputs.copy()
    other[800:] = -2.0
    assert np.array_equal(detector._states(other, 5)[:800], states[:800])
    assert np.allclose(detector._states(inputs[:800], 5), states[:800], atol=1e-12)


def test_the_readout_is_the_ridge_solution() -> None:
    train = of(waves(1500))
    detector = Reservoir(replace(QUICK, span=1.0)).fit(train)
    learned = detector._fitted()
    inputs = learned.scaling.apply(train.values, 3.0).astype(float)
    states, target = detector._states(inputs, 0), inputs[:, 0]
    rows = np.arange(QUICK.washout, 1500)
    design, wanted = states[rows - 1], target[rows]
    gradient = design.T @ (design @ learned.readout - wanted) + QUICK.ridge * rows.size * learned.readout
    assert np.abs(gradient).max() < 1e-6 * rows.size


def test_scores_are_smoothed_errors_in_deviations_of_training() -> None:
    train, fresh = of(5 + 3 * waves(1500)), of(5 + 3 * waves(900, seed=3))
    plain = Reservoir(replace(QUICK, span=1.0)).fit(train)
    scores = plain.score(fresh)
    errors = np.abs(fresh.target - scores.expected) / train.target.std()
    assert np.isnan(scores.values[0])
    assert np.allclose(scores.values[1:], errors[1:], rtol=1e-3, atol=1e-4)
    smooth = Reservoir(replace(QUICK, span=9.0)).fit(train).score(fresh).values
    assert np.allclose(smooth[1:], ewma(scores.values[1:], 9), rtol=1e-3)
    assert np.median(errors[300:]) < 0.1


@pytest.mark.parametrize("unit", ["bar", "scaled"])
@pytest.mark.parametrize("level", [0.0, 1.0, -0.7, 0.1, 1e-3, 40000.1])
def test_a_sensor_that_never_changed_is_quiet_until_it_does(level: float, unit: str) -> None:
    """Its deviation is 0, which nothing can be told in; rounding must not stand in for it."""
    detector = Reservoir(QUICK).fit(of(np.full(1233, level), unit=unit))
    still = detector.score(of(np.full(900, level), unit=unit)).values
    assert np.nanmax(still) < 0.02 * max(1.0, abs(level))
    assert np.nanmax(detector.normal) < 0.02 * max(1.0, abs(level))
    moved = np.full(900, level)
    moved[500:] += 1.0
    scores = detector.score(of(moved, unit=unit)).values
    assert 0.05 < scores[500] < 5


def test_the_same_seed_draws_the_same_reservoir_whatever_the_sensor() -> None:
    narrow, wide = of(waves(800)), of(np.stack([waves(800), np.zeros(800)], axis=1))
    first, again = (Reservoir(QUICK, seed=4).fit(narrow).score(narrow).values for _ in range(2))
    assert np.array_equal(first, again, equal_nan=True)
    # A context that is always 0 drives nothing.
    assert np.allclose(Reservoir(QUICK, seed=4).fit(wide).score(wide).values[1:], first[1:], atol=1e-5)
    other = Reservoir(QUICK, seed=5).fit(narrow).score(narrow).values
    assert not np.allclose(other[1:], first[1:])


def test_context_helps_where_it_explains_the_target() -> None:
    switch = (np.random.default_rng(8).random(3000) < 0.02).astype(float)
    target = np.convolve(switch, np.exp(-np.arange(40) / 8))[:3000]
    alone, told = (
        Reservoir(QUICK).fit(of(values[:2000])).score(of(values[2000:])).values[300:].mean()
        for values in (target, np.stack([target, np.r_[switch[1:], 0.0]], axis=1))
    )
    assert told < 0.8 * alone


def test_after_a_long_gap_nothing_is_predicted_from_what_was_held_too_long() -> None:
    values = waves(900, seed=5)
    values[400:500] = np.nan
    scores = Reservoir(QUICK).fit(of(waves(1500))).score(of(values))
    assert np.isnan(scores.values[400:501]).all()
    assert np.isnan(scores.expected[431:501]).all()
    assert np.isfinite(scores.values[501:]).all()


def test_the_washout_is_not_learned_from_and_the_rest_is() -> None:
    detector = Reservoir(QUICK).fit(of(waves(1500)))
    assert detector.normal.size == 1500 - QUICK.washout
    assert np.isfinite(detector.normal).all()


def test_a_readout_of_another_reservoir_is_refused(tmp_path: Path) -> None:
    Reservoir(QUICK).fit(of(waves(800))).save(tmp_path)
    path = tmp_path / "parameters.json"
    path.write_text(path.read_text("utf-8").replace('"units": 60', '"units": 61'), "utf-8")
    with pytest.raises(ArtifactError, match="readout"):
        Reservoir.load(tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [
        {"units": 0},
        {"washout": 0},
        {"span": 0.5},
        {"hold": -1},
        {"radius": 1.0},
        {"leak": 0.0},
        {"drive": 0.0},
        {"context_drive": -1.0},
        {"ridge": 0.0},
    ],
)
def test_parameters_out_of_range_are_named(wrong: dict[str, float]) -> None:
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        ReservoirParameters(**wrong)  # type: ignore[arg-type]
