"""The LSTM: scaling, training and one-pass scoring."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from core.detectors.scaling import Scaling
from core.detectors.telemanom import Telemanom, TelemanomParameters
from core.errors import InsufficientData, ParameterError
from core.networks.training import Epoch
from core.signal import Signal

TINY = TelemanomParameters(
    hidden=(6, 6),
    window=30,
    horizon=2,
    smoothing_span=10,
    epochs=6,
    patience=6,
    batch=4,
    least_crops=8,
    most_crops=40,
)


def of(values: np.ndarray, units: tuple[str, ...]) -> Signal:
    n = values.shape[0]
    return Signal(
        timestamps=np.datetime64("2024-03-01", "us") + np.arange(n) * np.timedelta64(1, "m"),
        values=values.astype(np.float32),
        channels=tuple(f"channel {i}" for i in range(len(units))),
        units=units,
        interval=timedelta(minutes=1),
        valid=np.isfinite(values[:, 0]),
    )


def wave(n: int) -> Signal:
    values = np.sin(np.arange(n) / 9)
    return of(np.stack([values, np.roll(values, 4)], axis=1), ("°C", "%"))


def test_scaling_puts_training_values_into_one_range_and_leaves_the_scaled_as_they_are() -> None:
    rng = np.random.default_rng(0)
    columns = [
        rng.normal(500, 20, 4000),
        rng.integers(0, 2, 4000),
        rng.uniform(-0.5, 0.2, 4000),
        np.ones(4000) * 9,
    ]
    signal = of(np.stack(columns, axis=1), ("rpm", "", "scaled", "bar"))
    scaled = Scaling.of(signal).apply(signal.values, 10.0)
    assert (np.abs(scaled[:, 0]) <= 1).mean() == pytest.approx(0.99, abs=0.002)
    assert np.array_equal(scaled[:, 1], signal.values[:, 1])
    assert np.array_equal(scaled[:, 2], signal.values[:, 2])
    assert (scaled[:, 3] == 0).all()


def test_scaling_takes_nothing_from_steps_that_are_not_valid() -> None:
    signal = of(np.concatenate([np.arange(100.0), np.full(50, 1e6)]).reshape(-1, 1), ("bar",))
    masked = replace(signal, valid=np.arange(150) < 100)
    assert Scaling.of(masked).scale[0] == pytest.approx(50, rel=0.02)


def test_scaling_clips_and_keeps_gaps() -> None:
    scaled = Scaling(np.array([0.0]), np.array([2.0])).apply(np.float32([[1e30], [np.nan], [-4]]), 3.0)
    assert np.array_equal(scaled[:, 0], np.float32([3, np.nan, -2]), equal_nan=True)


def test_the_published_settings_are_the_standard_ones() -> None:
    standard = TelemanomParameters()
    assert (standard.hidden, standard.dropout, standard.horizon, standard.window) == ((80, 80), 0.3, 10, 250)
    assert standard.smoothing_span == round(0.05 * 70 * 30)


@pytest.mark.parametrize(
    "wrong",
    [
        {"hidden": ()},
        {"hidden": (80, 0)},
        {"dropout": 1.0},
        {"horizon": 0},
        {"validation_share": 0.0},
        {"learning_rate": 0.0},
        {"least_crops": 10, "most_crops": 5},
        {"hold": -1},
    ],
)
def test_parameters_out_of_range_are_named(wrong: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match=next(reversed(wrong))):
        TelemanomParameters(**wrong)  # type: ignore[arg-type]


def test_short_training_parts_are_seen_as_often_as_long_ones_within_bounds() -> None:
    standard = TelemanomParameters()
    assert standard.schedule(500).crops == standard.least_crops
    assert standard.schedule(10_000_000).crops == standard.most_crops


@pytest.mark.learned
def test_training_reports_each_epoch_and_learns() -> None:
    seen: list[Epoch] = []
    detector = Telemanom(replace(TINY, learning_rate=0.01, epochs=12, patience=12), seed=1)
    detector.fit(wave(600), progress=seen.append)
    assert [epoch.number for epoch in seen] == list(range(1, 13))
    assert {epoch.of for epoch in seen} == {12}
    assert tuple(seen) == detector.history
    assert min(epoch.validation_loss for epoch in seen) < 0.5 * seen[0].validation_loss


@pytest.mark.learned
def test_training_stops_when_asked_and_keeps_what_it_learned() -> None:
    detector = Telemanom(TINY, seed=1).fit(wave(600), stop=lambda: True)
    assert len(detector.history) == 1
    assert np.isfinite(detector.score(wave(200)).values[30:]).all()


@pytest.mark.learned
def test_training_stops_early_without_a_gain() -> None:
    detector = Telemanom(replace(TINY, least_gain=1e9, patience=2), seed=1).fit(wave(600))
    assert len(detector.history) == 3


@pytest.mark.learned
def test_one_pass_equals_reading_each_window_by_itself() -> None:
    """Chunks side by side give what a network gives that reads the steps before a step."""
    detector = Telemanom(TINY, seed=1).fit(wave(600))
    signal = wave(2600)
    whole = detector.score(signal).expected
    for step in (40, 1023, 1024, 1025, 2048, 2599):
        alone = detector.score(signal.slice(max(0, step - 200), step + 1)).expected[-1]
        assert whole[step] == pytest.approx(alone, abs=1e-3)


@pytest.mark.learned
def test_a_part_whose_valid_steps_never_fill_a_window_is_refused() -> None:
    signal = wave(2000)
    masked = replace(signal, valid=np.arange(2000) % 3 == 0)
    with pytest.raises(InsufficientData, match="at least half of them usable"):
        Telemanom(TINY).fit(masked)
