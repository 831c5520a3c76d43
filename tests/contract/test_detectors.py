"""Every detector passes this suite: what a person may rely on whatever method judges a sensor."""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from core.detectors.contract import Detector
from core.detectors.discords import DiscordParameters, Discords
from core.detectors.neighbours import Neighbours, NeighboursParameters
from core.detectors.range_check import RangeCheck, RangeCheckParameters
from core.detectors.reservoir import Reservoir, ReservoirParameters
from core.detectors.robust_regression import RobustRegression
from core.detectors.subspace import Subspace
from core.detectors.telemanom import Telemanom, TelemanomParameters
from core.detectors.temporal_convolution import ConvolutionParameters, TemporalConvolution
from core.errors import ArtifactError, ConstantSignal, InsufficientData, NotFitted, ParameterError
from core.signal import Signal

TINY = TelemanomParameters(
    hidden=(8,), horizon=3, window=40, smoothing_span=20, epochs=15, batch=8, least_crops=40, most_crops=40
)

CONVOLUTION = ConvolutionParameters(
    filters=8, levels=3, horizon=3, window=40, smoothing_span=20, epochs=6, least_crops=40, most_crops=40
)

NEAR = NeighboursParameters(lengths=(8, 40), references=200)


def discords(view: str, seeing: str = "past", mode: str = "causal") -> Callable[[], Detector]:
    """Windows of 30 steps, with so little history that a signal of some thousand steps exceeds it."""
    parameters = DiscordParameters(view, 30, seeing, mode, history=600)  # type: ignore[arg-type]
    return lambda: Discords(parameters)


MAKERS: dict[str, Callable[[], Detector]] = {
    "robust-regression": RobustRegression,
    "telemanom": lambda: Telemanom(TINY, seed=5),
    "temporal-convolution": lambda: TemporalConvolution(CONVOLUTION, seed=5),
    "neighbours": lambda: Neighbours(NEAR, seed=5),
    "discords of figures": discords("figures"),
    "discords of spread": discords("spread", "training"),
    "discords of values": discords("values"),
    "discords of shape": discords("shape", "training"),
    "discords levelled": discords("levelled"),
    "reservoir": lambda: Reservoir(ReservoirParameters(units=60), seed=5),
    "range-check": lambda: RangeCheck(RangeCheckParameters(longest_standstill=500)),
    "subspace": Subspace,
    "discords in review": discords("values", "whole", "review"),
    "discords of training in review": discords("figures", "training", "review"),
    "neighbours in review": lambda: Neighbours(replace(NEAR, mode="review"), seed=5),
}

LEARNED = ("telemanom", "temporal-convolution")
REVIEW = tuple(name for name in MAKERS if name.endswith("in review"))
CAUSAL = tuple(name for name in MAKERS if name not in REVIEW)

PREDICTS = ("robust-regression", "reservoir", *LEARNED)
"""Detectors that say what they expected; the others tell none."""

SEEDED = ("reservoir", "neighbours", *LEARNED)


def methods(names: Iterable[str]) -> pytest.MarkDecorator:
    """Parametrise by name, those that load tensorflow marked."""
    marks = dict.fromkeys(LEARNED, pytest.mark.learned)
    marked = [pytest.param(one, marks=marks[one]) if one in marks else one for one in names]
    return pytest.mark.parametrize("name", marked)


every_detector = methods(MAKERS)
every_causal_one = methods(CAUSAL)
every_predictor = methods(PREDICTS)
every_closed_form = methods(name for name in MAKERS if name not in LEARNED)


def made(n: int, seed: int = 0) -> Signal:
    """A temperature that follows a load with some delay, a minute a step."""
    rng = np.random.default_rng(seed)
    load = 50 + 20 * np.sin(np.arange(n) / 37) + rng.normal(0, 0.3, n)
    heat = np.convolve(load, np.ones(5) / 5)[:n]
    values = np.stack([20 + 0.8 * heat + rng.normal(0, 0.4, n), load], axis=1).astype(np.float32)
    return of(values)


def of(values: np.ndarray) -> Signal:
    n = values.shape[0]
    return Signal(
        timestamps=np.datetime64("2024-03-01T00:00", "us") + np.arange(n) * np.timedelta64(1, "m"),
        values=values,
        channels=("temperature", "load"),
        units=("°C", "%"),
        interval=timedelta(minutes=1),
        valid=np.isfinite(values[:, 0]),
    )


def changed(signal: Signal, rows: slice, column: int, value: float) -> Signal:
    values = signal.values.copy()
    values[rows, column] = value
    return of(values)


@cache
def fitted(name: str) -> Detector:
    return MAKERS[name]().fit(made(1200))


@every_detector
def test_scores_fit_the_signal_and_start_after_the_warm_up(name: str) -> None:
    detector, signal = fitted(name), made(700, seed=1)
    scores = detector.score(signal)
    assert scores.values.shape == scores.expected.shape == (700,)
    assert np.array_equal(scores.timestamps, signal.timestamps)
    assert np.isnan(scores.values[: detector.warmup]).all()
    assert np.isfinite(scores.values[detector.warmup :]).all()
    assert scores.mode == detector.mode == ("review" if name in REVIEW else "causal")


@every_detector
def test_shares_of_channels_sum_to_one_where_a_step_was_judged(name: str) -> None:
    scores = fitted(name).score(made(700, seed=1))
    if scores.shares is None:
        return
    assert scores.shares.shape == (700, 2)
    assert np.allclose(scores.shares[np.isfinite(scores.values)].sum(axis=1), 1, atol=1e-4)


@every_detector
def test_a_change_that_the_context_does_not_explain_is_the_strangest(name: str) -> None:
    signal = made(900, seed=2)
    values = signal.values.copy()
    values[500:560, 0] += 40
    scores = fitted(name).score(of(values)).values
    first = 460 if name in REVIEW else 500  # windows that begin before it are told at their middle
    assert first <= int(np.nanargmax(scores)) < 600
    # The load begins at once, the temperature some steps later: the first steps are odd by nature.
    assert np.nanmax(scores[500:600]) > 2 * np.nanmax(scores[30:first])


@methods(name for name in MAKERS if name not in PREDICTS)
def test_what_predicts_nothing_expects_nothing(name: str) -> None:
    assert np.isnan(fitted(name).score(made(700, seed=3)).expected).all()


@every_predictor
def test_expected_values_are_in_the_unit_of_the_sensor(name: str) -> None:
    detector, signal = fitted(name), made(700, seed=3)
    expected = detector.score(signal).expected[detector.warmup :]
    error = np.abs(expected - signal.target[detector.warmup :]).mean()
    assert error < 0.5 * np.abs(signal.target - signal.target.mean()).mean()


@every_detector
def test_steps_without_a_reading_are_not_judged_and_gaps_do_not_spread(name: str) -> None:
    detector, values = fitted(name), made(700, seed=4).values.copy()
    values[300:310, 0] = np.nan
    values[350:360, 1] = np.nan
    values[400:520, :] = np.nan
    scores = detector.score(of(values)).values
    missing = np.isnan(values[:, 0])
    assert np.isnan(scores[missing]).all()
    # The step after a long gap may have nothing to be predicted from.
    judged = ~missing & (np.arange(700) >= detector.warmup) & (np.arange(700) != 520)
    assert np.isfinite(scores[judged]).all()


@every_detector
def test_excluded_steps_are_neither_learned_from_nor_judged(name: str) -> None:
    signal = made(1200)
    values = signal.values.copy()
    values[300:340, 0] = 5000
    masked = replace(of(values), valid=np.r_[np.ones(300, bool), np.zeros(40, bool), np.ones(860, bool)])
    detector = MAKERS[name]().fit(masked)
    assert np.isnan(detector.score(masked).values[300:340]).all()
    fresh = made(600, seed=9)
    scores, usual = detector.score(fresh), fitted(name).score(fresh)
    if name in PREDICTS:
        gap = np.nanmean(np.abs(scores.expected - fresh.target))
        assert gap < 3 * np.nanmean(np.abs(usual.expected - fresh.target)) + 1
    assert np.nanmean(scores.values) < 3 * np.nanmean(usual.values)
    # What was excluded is as strange as if it had never been there.
    strange = changed(fresh, slice(300, 340), 0, 5000)
    highest = [np.nanmax(one.score(strange).values) for one in (detector, fitted(name))]
    assert highest[0] > 0.5 * highest[1]


@every_detector
@pytest.mark.parametrize("missing", [1, None])
def test_a_training_part_that_is_too_short_is_refused_with_the_number_needed(
    name: str, missing: int | None
) -> None:
    detector = MAKERS[name]()
    rows = 1 if missing is None else detector.needed - missing
    with pytest.raises(InsufficientData, match=f"at least {detector.needed} usable steps, found {rows}"):
        detector.fit(made(rows))


@every_detector
def test_exactly_as_many_steps_as_needed_are_enough(name: str) -> None:
    detector = MAKERS[name]()
    detector.fit(made(detector.needed))
    assert np.isfinite(detector.score(made(200)).values[detector.warmup :]).all()


@every_detector
def test_a_training_part_without_any_reading_is_refused(name: str) -> None:
    nothing = changed(made(500), slice(None), 0, np.nan)
    with pytest.raises(InsufficientData, match="found 0"):
        MAKERS[name]().fit(nothing)


@every_detector
def test_a_signal_without_any_reading_is_scored_as_not_judged(name: str) -> None:
    nothing = changed(made(500), slice(None), 0, np.nan)
    assert np.isnan(fitted(name).score(nothing).values).all()


@every_causal_one
def test_a_signal_within_the_warm_up_is_refused_with_the_number_needed(name: str) -> None:
    detector = fitted(name)
    for rows in {0, detector.warmup // 2, detector.warmup}:
        with pytest.raises(InsufficientData) as refused:
            detector.score(made(600).slice(0, rows))
        assert refused.value.needed == detector.warmup + 1
        assert refused.value.found == rows


@every_detector
def test_the_shortest_signal_that_can_be_judged_is_judged(name: str) -> None:
    detector, n = fitted(name), fitted(name).warmup + 1
    if name in REVIEW:
        n += 40
    scores = detector.score(made(n, seed=1)).values
    assert np.isfinite(scores[detector.warmup :]).all()
    assert np.isnan(scores[: detector.warmup]).all()


@every_closed_form
@pytest.mark.parametrize("unit", ["°C", "scaled"])
@pytest.mark.parametrize("level", [7.0, 0.123, -0.7])
def test_what_never_changed_makes_any_departure_strange(name: str, level: float, unit: str) -> None:
    still = replace(changed(made(1200), slice(None), 0, level), units=(unit, "%"))
    detector = MAKERS[name]().fit(still)
    departed = replace(changed(still, slice(800, 830), 0, level + 0.5), units=(unit, "%"))
    scores = detector.score(departed).values
    first = 760 if name in REVIEW else 800
    assert np.nanmax(scores[:first]) < 0.1 * np.nanmax(scores[800:830])
    assert int(np.nanargmax(scores)) in range(first, 870)


@methods(LEARNED)
def test_a_network_refuses_what_never_changed_and_says_why(name: str) -> None:
    with pytest.raises(ConstantSignal, match=r"temperature: all 1200 readings .* are 7"):
        MAKERS[name]().fit(changed(made(1200), slice(None), 0, 7.0))


@every_detector
@pytest.mark.parametrize("column", [0, 1])
@pytest.mark.parametrize("huge", [1e30, -3e38])
def test_huge_values_stay_finite_and_do_not_last(name: str, column: int, huge: float) -> None:
    signal = made(3000, seed=6)
    scores = fitted(name).score(changed(signal, slice(300, 303), column, huge))
    assert np.isfinite(scores.values[fitted(name).warmup :]).all()
    usual = fitted(name).score(signal).values
    assert np.allclose(scores.values[2000:], usual[2000:], rtol=0.05, atol=0.05)
    if column == 0:
        # A window that holds it is as strange at whichever of its steps it lies.
        late = 0 if name in PREDICTS else fitted(name).warmup
        early = 40 if name in REVIEW else 0
        assert 300 - early <= int(np.nanargmax(scores.values)) < 310 + late + early


@every_detector
def test_a_context_that_never_changed_while_training_does_no_harm(name: str) -> None:
    detector = MAKERS[name]().fit(changed(made(1200), slice(None), 1, 3.0))
    assert np.isfinite(detector.score(made(600, seed=7)).values[detector.warmup :]).all()


@every_detector
def test_a_saved_detector_scores_as_before(name: str, tmp_path: Path) -> None:
    detector, signal = fitted(name), made(700, seed=8)
    detector.save(tmp_path / "model")
    again = type(detector).load(tmp_path / "model")
    before, after = detector.score(signal), again.score(signal)
    assert np.array_equal(before.values, after.values, equal_nan=True)
    assert np.array_equal(before.expected, after.expected, equal_nan=True)
    assert np.array_equal(detector.scaled(signal), again.scaled(signal))


@every_detector
def test_saved_files_hold_no_pickle(name: str, tmp_path: Path) -> None:
    fitted(name).save(tmp_path)
    names = {path.suffix for path in tmp_path.iterdir()}
    assert names <= {".json", ".npz", ".keras"}
    for arrays in tmp_path.glob("*.npz"):
        with np.load(arrays, allow_pickle=False) as stored:
            assert all(stored[key].dtype != object for key in stored.files)


@every_detector
def test_damaged_or_missing_files_are_refused(name: str, tmp_path: Path) -> None:
    detector = fitted(name)
    with pytest.raises(ArtifactError):
        type(detector).load(tmp_path / "nowhere")
    detector.save(tmp_path)
    for path in sorted(tmp_path.iterdir()):
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
        with pytest.raises(ArtifactError, match=path.name):
            type(detector).load(tmp_path)
        path.write_bytes(content)
    type(detector).load(tmp_path)


@every_detector
def test_files_whose_parameters_were_tampered_with_are_refused(name: str, tmp_path: Path) -> None:
    detector = fitted(name)
    detector.save(tmp_path)
    path = tmp_path / "parameters.json"
    content = json.loads(path.read_text("utf-8"))
    numbers = [key for key, value in content["parameters"].items() if isinstance(value, int | float)]
    negative = content["parameters"] | dict.fromkeys(numbers, -1)
    for wrong in ({"method": "another"}, {"parameters": {"nonsense": 1}}, {"parameters": negative}):
        path.write_text(json.dumps(content | wrong), "utf-8")
        with pytest.raises(ArtifactError):
            type(detector).load(tmp_path)
    path.write_text("[]", "utf-8")
    with pytest.raises(ArtifactError):
        type(detector).load(tmp_path)


@every_detector
def test_the_same_seed_gives_the_same_model(name: str) -> None:
    signal = made(600, seed=10)
    first, second = MAKERS[name]().fit(made(1200)), MAKERS[name]().fit(made(1200))
    assert np.array_equal(first.score(signal).values, second.score(signal).values, equal_nan=True)


@methods(SEEDED)
def test_another_seed_gives_another_model(name: str) -> None:
    signal, parameters = made(600, seed=10), vars(fitted(name))["parameters"]
    other = type(fitted(name))(parameters, seed=6)  # type: ignore[call-arg]
    scores = other.fit(made(1200)).score(signal).values
    assert not np.allclose(scores, fitted(name).score(signal).values, equal_nan=True)


@every_causal_one
@pytest.mark.parametrize("off", [0, 1, 7])
def test_scores_do_not_depend_on_where_the_signal_was_cut(name: str, off: int) -> None:
    detector, signal = fitted(name), made(4000, seed=12)
    first = 3000 - detector.memory - off
    assert first > 0
    whole, part = detector.score(signal), detector.score(signal.slice(first, 4000))
    assert np.allclose(whole.values[3000:], part.values[3000 - first :], rtol=0.02, atol=0.02)


@every_detector
def test_an_unfitted_detector_refuses_to_judge(name: str, tmp_path: Path) -> None:
    detector = MAKERS[name]()
    for use in (detector.score, detector.scaled):
        with pytest.raises(NotFitted):
            use(made(500))
    with pytest.raises(NotFitted):
        detector.save(tmp_path)


@every_detector
def test_a_signal_with_other_channels_is_refused(name: str) -> None:
    other = replace(made(500), channels=("temperature", "pressure"))
    turned = replace(
        made(500), channels=("load", "temperature"), units=("%", "°C"), values=made(500).values[:, ::-1]
    )
    for each in (other, turned):
        with pytest.raises(ParameterError, match="temperature, load"):
            fitted(name).score(each)


@every_detector
def test_scaled_readings_are_in_the_unit_of_the_score(name: str) -> None:
    detector, signal = fitted(name), made(600, seed=13)
    scaled = detector.scaled(signal)
    assert scaled.shape == (600,)
    # The same readings twice as far apart are twice as far apart in the score's unit.
    wide = of(signal.values * np.array([2, 1], dtype=np.float32))
    assert np.ptp(detector.scaled(wide)) == pytest.approx(2 * np.ptp(scaled), rel=1e-3)
