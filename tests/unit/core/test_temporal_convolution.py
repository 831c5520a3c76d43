"""The convolution detector: its parameters, fleets of sensors, and what its score is."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from core.detectors.many import FitsMany
from core.detectors.telemanom import Telemanom, TelemanomParameters
from core.detectors.temporal_convolution import ConvolutionParameters, TemporalConvolution
from core.errors import ArtifactError, ConstantSignal, InsufficientData, ParameterError
from core.signal import Signal

TINY = ConvolutionParameters(
    filters=6,
    levels=3,
    horizon=4,
    window=32,
    smoothing_span=1,
    epochs=4,
    patience=4,
    batch=2,
    least_crops=16,
    most_crops=16,
)
TINY_LSTM = TelemanomParameters(
    hidden=(5,),
    horizon=4,
    window=32,
    smoothing_span=1,
    epochs=3,
    patience=3,
    batch=2,
    least_crops=16,
    most_crops=16,
)
MAKERS = {"convolution": TemporalConvolution(TINY, seed=3), "lstm": Telemanom(TINY_LSTM, seed=3)}

every_method = pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS)


def signal(n: int = 400, channels: int = 2, seed: int = 0) -> Signal:
    rng = np.random.default_rng(seed)
    columns = [20 + 5 * np.sin(np.arange(n) / (8 + seed) + shift) for shift in range(channels)]
    values = np.stack(columns, axis=1) + rng.normal(0, 0.2, (n, channels))
    return Signal(
        timestamps=np.datetime64("2024-03-01", "us") + np.arange(n) * np.timedelta64(1, "m"),
        values=values.astype(np.float32),
        channels=tuple(f"channel {i}" for i in range(channels)),
        units=("°C",) * channels,
        interval=timedelta(minutes=1),
        valid=np.ones(n, dtype=bool),
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"filters": 0},
        {"levels": 0},
        {"kernel": 1},
        {"window": 0},
        {"averaged": 0},
        {"averaged": 11},
        {"final_rate": 1.5},
        {"learning_rate": float("nan")},
    ],
)
def test_parameters_out_of_range_are_named(wrong: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match=f"temporal-convolution: .*{next(iter(wrong))}="):
        ConvolutionParameters(**wrong)  # type: ignore[arg-type]


def test_the_warm_up_is_what_the_levels_reach() -> None:
    assert TemporalConvolution(replace(TINY, kernel=3, levels=6)).warmup == 127
    assert TemporalConvolution(replace(TINY, kernel=2, levels=3)).warmup == 8
    assert TemporalConvolution(replace(TINY, kernel=2, levels=3, averaged=4)).warmup == 11


@pytest.mark.learned
@every_method
def test_many_signals_together_are_scored_as_each_alone(maker: FitsMany) -> None:
    signals = [signal(400, 2, seed=1), signal(300, 4, seed=2), signal(350, 1, seed=3)]
    fitted = [each for each in maker.fit_many(signals) if each is not None]
    assert len(fitted) == 3
    together = maker.score_many(fitted, signals)
    for one, own, scores in zip(fitted, signals, together, strict=True):
        assert isinstance(one, TemporalConvolution | Telemanom)
        alone = type(one)(one.parameters, seed=3).fit(own)  # type: ignore[arg-type]
        assert [e.number for e in alone.history] == [e.number for e in one.history]
        assert np.allclose(scores.values, alone.score(own).values, atol=1e-3, equal_nan=True)
        assert np.allclose(scores.values, one.score(own).values, atol=1e-5, equal_nan=True)


@pytest.mark.learned
@every_method
def test_asking_for_many_leaves_the_one_that_is_asked_as_it_was(maker: TemporalConvolution) -> None:
    maker.fit_many([signal()])
    assert maker.learned is None
    assert maker.history == ()


@every_method
def test_what_can_not_be_learned_from_is_named_before_any_training(maker: FitsMany) -> None:
    still = replace(signal(), values=np.full((400, 2), 7, dtype=np.float32))
    thin = replace(signal(), valid=np.arange(400) % 3 == 0)
    assert maker.refusal(signal()) is None
    assert isinstance(maker.refusal(still), ConstantSignal)
    assert isinstance(maker.refusal(thin), InsufficientData)
    with pytest.raises(InsufficientData, match="found 20"):
        maker.fit_many([signal(), signal(20)], progress=lambda *_: pytest.fail("trained"))
    with pytest.raises(ConstantSignal, match="are 7"):
        maker.fit_many([signal(), still])


@pytest.mark.learned
def test_scoring_in_one_pass_needs_one_network() -> None:
    first, other = TemporalConvolution(TINY).fit(signal()), TemporalConvolution(replace(TINY, filters=7))
    with pytest.raises(ParameterError, match="other networks"):
        first.score_many([first, other], [signal(), signal()])


@pytest.mark.learned
def test_a_score_is_the_same_wherever_the_signal_was_cut() -> None:
    detector, whole = TemporalConvolution(TINY).fit(signal()), signal(9000, seed=5)
    scores = detector.score(whole).values
    for first, last in ((8000, 9000), (4000, 4300)):
        part = detector.score(whole.slice(first, last)).values
        judged = np.arange(first + detector.warmup, last)
        assert np.allclose(part[judged - first], scores[judged], atol=1e-5)


@pytest.mark.learned
def test_errors_are_smoothed_over_the_span_and_raw_at_one() -> None:
    raw = TemporalConvolution(TINY, seed=1).fit(signal())
    smooth = TemporalConvolution(replace(TINY, smoothing_span=30), seed=1).fit(signal())
    fresh = signal(seed=4)
    scores = raw.score(fresh)
    judged = slice(raw.warmup, None)
    scale = raw.scaled(fresh)[raw.warmup]
    error = np.abs(fresh.target - scores.expected)[judged]
    assert np.ptp(error / scores.values[judged]) < 1e-2 * (error / scores.values[judged]).mean()
    assert np.isfinite(scale)
    assert np.std(smooth.score(fresh).values[judged]) < 0.5 * np.std(scores.values[judged])


@pytest.mark.learned
def test_a_reading_is_held_against_the_mean_of_earlier_predictions() -> None:
    detector = TemporalConvolution(TINY, seed=1).fit(signal())
    averaged = TemporalConvolution(replace(TINY, averaged=3), seed=1).fit(signal())
    fresh = signal(seed=4)
    assert averaged.learned is not None
    outputs = detector.network().forward([averaged.learned.weights], [averaged.learned.inputs(fresh, 30)])[0]
    scaling = averaged.learned.scaling
    mean = (outputs[99, 0] + outputs[98, 1] + outputs[97, 2]) / 3
    expected = mean * scaling.scale[0] + scaling.centre[0]
    assert averaged.score(fresh).expected[100] == pytest.approx(expected, rel=1e-5)


@pytest.mark.learned
@every_method
def test_a_channel_that_never_changed_while_training_is_not_read(maker: FitsMany) -> None:
    training, fresh = signal(channels=3), signal(channels=3, seed=4)
    training.values[:, 1] = 4
    detector = maker.fit_many([training])[0]
    assert isinstance(detector, TemporalConvolution | Telemanom)
    before = detector.score(fresh).values
    fresh.values[:, 1] += 100
    assert np.array_equal(before, detector.score(fresh).values, equal_nan=True)
    fresh.values[:, 2] += 3
    assert not np.allclose(before, detector.score(fresh).values, equal_nan=True)


@pytest.mark.learned
def test_a_file_of_another_network_is_refused(tmp_path: Path) -> None:
    detector = TemporalConvolution(TINY).fit(signal())
    detector.save(tmp_path)
    content = (tmp_path / "parameters.json").read_text("utf-8")
    for name, value in (("filters", 7), ("levels", 4), ("kernel", 2), ("horizon", 5)):
        now = getattr(TINY, name)
        (tmp_path / "parameters.json").write_text(content.replace(f'"{name}": {now}', f'"{name}": {value}'))
        with pytest.raises(ArtifactError, match=r"network\.npz"):
            TemporalConvolution.load(tmp_path)
