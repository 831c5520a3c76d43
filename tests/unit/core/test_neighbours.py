"""The similarity detector: what it finds, in which mode, and what it refuses."""

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from core.detectors.neighbours import Neighbours, NeighboursParameters
from core.detectors.window_distance import VIEWS, View, Windows, distances, moving_mean, over_covering
from core.errors import ArtifactError, InsufficientData, ParameterError
from core.signal import Signal

SHORT = NeighboursParameters(lengths=(10, 40))
REVIEW = NeighboursParameters("review", (10, 40))


def of(target: np.ndarray, context: np.ndarray | None = None, valid: np.ndarray | None = None) -> Signal:
    n = target.size
    values = np.stack([target, np.zeros(n) if context is None else context], axis=1).astype(np.float32)
    return Signal(
        timestamps=np.datetime64("2024-03-01T00:00", "us") + np.arange(n) * np.timedelta64(1, "m"),
        values=values,
        channels=("pressure", "valve"),
        units=("bar", ""),
        interval=timedelta(minutes=1),
        valid=np.isfinite(values[:, 0]) if valid is None else valid,
    )


def waves(n: int, *, noise: float = 0.02, seed: int = 0) -> np.ndarray:
    return np.sin(np.arange(n) / 5) + np.random.default_rng(seed).normal(0, noise, n)


def with_flat(n: int = 900) -> np.ndarray:
    """A wave that stands still for a while, within its usual range."""
    target = waves(n, seed=1)
    target[600:660] = target[600]
    return target


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("length", [2, 7, 40])
def test_distances_are_those_of_the_windows_written_out(view: View, length: int) -> None:
    rng = np.random.default_rng(3)
    values, other = rng.normal(2, 1, 150), rng.normal(0, 3, 60)
    starts = np.arange(0, 61 - length, 3)

    def seen(window: np.ndarray) -> np.ndarray:
        if view == "level":
            return window
        centred = window - window.mean()
        if view == "trend":
            line = np.arange(length)
            return centred - np.polyval(np.polyfit(line, centred, 1), line)
        return centred if view == "shape" else centred / (centred.std() + 1e-3)

    theirs = np.stack([seen(other[one : one + length]) for one in starts])
    wanted = [
        np.sqrt(np.square(theirs - seen(values[one : one + length])).mean(axis=1)).min()
        for one in range(151 - length)
    ]
    found = distances(values, Windows.of(other, length, starts), (view,))
    # Two points are a straight line: what remains of them is rounding.
    assert np.allclose(found, wanted, rtol=1e-4, atol=2e-3 if length == 2 else 1e-4)


def test_views_add_up() -> None:
    values = waves(300)
    references = Windows.of(waves(100, seed=2), 20, np.arange(0, 81, 5))
    single = sum(distances(values, references, (view,)) for view in VIEWS)
    assert np.allclose(distances(values, references, VIEWS), single, rtol=1e-5)


def test_a_step_gets_the_mean_of_the_windows_that_cover_it() -> None:
    assert over_covering(np.array([1.0, 3.0, 8.0]), 5, 3) == pytest.approx([1, 2, 4, 5.5, 8])
    assert over_covering(np.array([4.0]), 3, 3) == pytest.approx([4, 4, 4])
    assert moving_mean(np.array([3.0, 0, 0, 9, 0]), 1, 0) == pytest.approx([3, 1.5, 0, 4.5, 4.5])
    assert moving_mean(np.array([3.0, 0, 0, 9, 0]), 1, 1) == pytest.approx([1.5, 1, 3, 3, 4.5])


def test_what_stands_still_within_its_range_is_strange() -> None:
    for parameters in (SHORT, REVIEW):
        scores = Neighbours(parameters).fit(of(waves(600))).score(of(with_flat())).values
        assert 595 <= int(np.nanargmax(scores)) < 700
        assert np.nanmax(scores[600:660]) > 3 * np.nanmax(np.r_[scores[:500], scores[800:]])


def test_review_centres_on_what_causal_mode_tells_late() -> None:
    weights = {}
    for parameters in (SHORT, REVIEW):
        detector = Neighbours(parameters).fit(of(waves(600)))
        scores = np.nan_to_num(detector.score(of(with_flat())).values - np.float32(0.2))
        scores = np.maximum(scores, 0)
        weights[detector.mode] = float((scores * np.arange(900)).sum() / scores.sum())
    assert weights["causal"] > weights["review"] + 10
    assert abs(weights["review"] - 630) < 10


def test_in_review_mode_every_step_is_judged_and_none_before_the_warm_up_in_causal_mode() -> None:
    signal = of(waves(300, seed=4))
    review, causal = Neighbours(REVIEW).fit(signal), Neighbours(SHORT).fit(signal)
    assert np.isfinite(review.score(signal).values).all()
    assert int(np.isnan(causal.score(signal).values).sum()) == causal.warmup == 40
    assert review.score(signal).mode == "review"
    assert np.isnan(review.score(signal).expected).all()


@pytest.mark.parametrize("constant", [0.0, 7.0, -4e6])
@pytest.mark.parametrize("parameters", [SHORT, REVIEW])
def test_a_departure_from_what_never_changed_is_strange(
    constant: float, parameters: NeighboursParameters
) -> None:
    still = np.full(600, constant)
    detector = Neighbours(parameters).fit(of(still))
    assert np.nanmax(detector.score(of(still)).values) == 0
    departed = still.copy()
    departed[300] += 0.05 * max(abs(constant), 1.0)
    scores = detector.score(of(departed)).values
    assert np.nanmax(scores[:250]) == 0
    assert scores[300] > 5


def test_a_drift_that_windows_alone_do_not_show_is_seen_by_level() -> None:
    drifted = waves(900, seed=5)
    drifted[500:] += np.linspace(0, 4, 400)
    shape = Neighbours(NeighboursParameters(lengths=(10, 40), views=("trend",)))
    level = Neighbours(NeighboursParameters(lengths=(10, 40), views=("level",)))
    found = [one.fit(of(waves(600))).score(of(drifted)).values for one in (shape, level)]
    assert np.nanmean(found[0][800:]) < 1.5 * np.nanmean(found[0][:400])
    assert np.nanmean(found[1][800:]) > 10 * np.nanmean(found[1][:400])


def test_an_unusual_context_is_strange_only_with_a_weight() -> None:
    pulses = (np.arange(900) % 50 < 5) * 1.0
    busy = pulses.copy()
    busy[600:700] = 1.0
    train, test = of(waves(900), pulses), of(waves(900, seed=6), busy)
    plain, weighted = (
        Neighbours(NeighboursParameters(lengths=(10, 40), context_weight=weight))
        .fit(train)
        .score(test)
        .values
        for weight in (0.0, 2.0)
    )
    assert np.allclose(weighted[300:590], plain[300:590], atol=0.05)
    assert np.nanmin(weighted[650:700]) > np.nanmax(plain[40:]) + 0.5


def test_the_same_seed_keeps_the_same_windows_and_other_lengths_do_not_matter() -> None:
    train, test = of(waves(2000)), of(waves(500, seed=7))
    few = [
        Neighbours(NeighboursParameters(lengths=lengths, references=30), seed=seed).fit(train)
        for lengths, seed in (((40,), 0), ((40,), 0), ((40,), 1), ((10,), 0), ((10, 40), 0))
    ]
    first, again, other, ten, both = (one.score(test).values[40:] for one in few)
    assert np.array_equal(first, again)
    assert not np.allclose(first, other)
    assert np.allclose(both, (first + ten) / 2, rtol=1e-5)


def test_training_windows_that_touch_excluded_steps_or_long_gaps_are_not_kept() -> None:
    target, valid = waves(900), np.ones(900, bool)
    target[300:360], valid[300:360] = 50.0, False
    target[500:540] = np.nan
    valid[500:540] = False
    detector = Neighbours(SHORT).fit(of(target, valid=valid))
    spiked = waves(600, seed=8)
    spiked[300:360] = 50.0
    assert np.nanmax(detector.score(of(spiked)).values) > 5
    usual = Neighbours(SHORT).fit(of(waves(900)))
    fresh = of(waves(600, seed=9))
    assert np.nanmax(detector.score(fresh).values) < 1.5 * np.nanmax(usual.score(fresh).values)


def test_lengths_that_the_training_part_can_t_fill_are_left_out() -> None:
    train = of(waves(130))
    long = Neighbours(NeighboursParameters("review", (10, 40, 200))).fit(train)
    short = Neighbours(REVIEW).fit(train)
    test = of(waves(500, seed=10))
    assert np.array_equal(long.score(test).values, short.score(test).values)


def test_gaps_everywhere_are_refused() -> None:
    target = waves(900)
    target[::3] = np.nan
    with pytest.raises(InsufficientData, match="gaps everywhere"):
        Neighbours(NeighboursParameters(hold=0)).fit(of(target))
    Neighbours(SHORT).fit(of(target))


def test_review_mode_refuses_less_than_its_shortest_window() -> None:
    detector = Neighbours(REVIEW).fit(of(waves(300)))
    with pytest.raises(InsufficientData, match="at least 10 usable steps, found 9"):
        detector.score(of(waves(9)))
    assert np.isfinite(detector.score(of(waves(10))).values).all()


def test_smoothing_spreads_around_a_step_or_after_it() -> None:
    spiked = waves(600, noise=0, seed=0)
    spiked[300] += 5
    for mode, before in (("review", True), ("causal", False)):
        plain, smooth = (
            Neighbours(NeighboursParameters(mode, (10,), smoothing=span))
            .fit(of(waves(600)))
            .score(of(spiked))
            for span in (1, 41)
        )
        assert bool(smooth.values[285] > 2 * plain.values[270]) is before
        assert smooth.values[318] > 2 * plain.values[270]


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": "later"},
        {"lengths": ()},
        {"lengths": (40, 10)},
        {"lengths": (1, 10)},
        {"views": ()},
        {"views": ("shape", "shape")},
        {"views": ("colour",)},
        {"references": 0},
        {"smoothing": 0},
        {"context_weight": -1.0},
        {"context_weight": float("nan")},
        {"hold": -1},
    ],
)
def test_parameters_out_of_range_are_named(wrong: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        NeighboursParameters(**wrong)


@pytest.mark.parametrize("parameters", [SHORT, NeighboursParameters("review", (10, 40), context_weight=1.0)])
def test_a_saved_detector_is_the_same(parameters: NeighboursParameters, tmp_path: Path) -> None:
    pulses = (np.arange(900) % 50 < 5) * 1.0
    detector, test = Neighbours(parameters, seed=3).fit(of(waves(900), pulses)), of(with_flat(), pulses[::-1])
    detector.save(tmp_path)
    again = Neighbours.load(tmp_path)
    assert (again.parameters, again.seed) == (parameters, 3)
    assert np.array_equal(again.score(test).values, detector.score(test).values, equal_nan=True)


def test_parameters_that_were_tampered_with_are_refused(tmp_path: Path) -> None:
    Neighbours(SHORT).fit(of(waves(300))).save(tmp_path)
    path = tmp_path / "parameters.json"
    content = json.loads(path.read_text("utf-8"))
    for change in ({"parameters": {"views": ["colour"]}}, {"lengths": [11]}, {"lengths": None}):
        path.write_text(json.dumps(content | change), "utf-8")
        with pytest.raises(ArtifactError):
            Neighbours.load(tmp_path)
