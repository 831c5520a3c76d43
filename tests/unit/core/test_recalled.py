"""Scores that are kept: with them a panel says of new steps what it says when it looks at all."""

from datetime import timedelta
from functools import cache

import numpy as np
import pytest

from core.ensembles.panel import Panel
from core.ensembles.panel_parameters import PanelParameters
from core.ensembles.recalled import Recalled, continued, kept_steps
from core.ensembles.trusted import RELATION, STANDSTILL
from core.ensembles.votes import Voters
from core.errors import ArtifactError
from core.signal import Signal

EPOCH = np.datetime64("2024-03-01T00:00", "us")
VOTERS = Voters(smoothing=(1, 20), factors=(1.1, 1.5), releases=(0.7, 0.9), floors=(1.0,), longest=120)
ENTRIES = ("figures-75-past", "levelled-30-past", "spread-30-training", "neighbours", "reservoir@5")
START, END = 11_800, 13_400


def made(n: int, seed: int = 0) -> np.ndarray:
    """A temperature that follows a load, a minute a step."""
    rng = np.random.default_rng(seed)
    load = 50 + 20 * np.sin(np.arange(n) / 37) + rng.normal(0, 0.3, n)
    return np.stack([20 + 0.8 * load + rng.normal(0, 0.4, n), load], axis=1).astype(np.float32)


def of(values: np.ndarray, start: int = 0) -> Signal:
    n = values.shape[0]
    return Signal(
        timestamps=EPOCH + (start + np.arange(n)) * np.timedelta64(1, "m"),
        values=values,
        channels=("temperature", "load"),
        units=("°C", "%"),
        interval=timedelta(minutes=1),
        valid=np.isfinite(values[:, 0]),
    )


@cache
def panel() -> Panel:
    values = made(2000)
    return Panel(PanelParameters("causal", ENTRIES, VOTERS, gap=30, reach=3000)).fit(
        of(values[:1500]), of(values[1500:], 1500)
    )


@cache
def lived() -> Signal:
    """Weeks with a jump, missing readings, a standstill and a spike near the end."""
    values = made(END, seed=13)
    values[START + 200 : START + 260, 0] += 40
    values[START + 500 : START + 540, 0] = np.nan
    values[START + 700 : START + 900, 0] = values[START + 700, 0]
    values[START + 1000 : START + 1100, 1] = np.nan
    values[START + 1200 : START + 1203, 0] -= 90
    return of(values)


@cache
def begun(steps: int) -> Recalled:
    signal = lived().slice(0, steps)
    return Recalled.of(panel(), signal, panel().scores(signal, {}))


def test_new_steps_are_judged_as_in_one_look_at_all() -> None:
    whole, first = lived(), START
    assert {STANDSTILL, RELATION} <= set(panel().detectors)
    recalled = begun(first)
    for last in (first + 1, first + 2, first + 3, *range(first + 9, END, 500), END):
        low = int(np.searchsorted(whole.timestamps, recalled.timestamps[0]))
        signal = whole.slice(low, last)
        assert recalled.fits(signal)
        scores = continued(panel(), signal, recalled)
        recalled = Recalled.from_arrays(Recalled.of(panel(), signal, scores).arrays())
        assert len(recalled.timestamps) == kept_steps(panel()) < START
    at_once, found = panel().detect(whole), panel().detect(signal, given=scores)
    size = len(signal)
    for mine, theirs in (
        (found.scores.values, at_once.scores.values),
        (found.scores.expected, at_once.scores.expected),
        (found.level, at_once.level),
    ):
        np.testing.assert_allclose(mine[first - low :], theirs[first - END :], rtol=1e-3, atol=1e-3)
    wanted = [(one.start, one.end, one.peak) for one in at_once.events if one.start >= first]
    told = [(one.start + END - size, one.end + END - size, one.peak + END - size) for one in found.events]
    assert [one for one in told if one[0] >= first] == wanted
    assert len(wanted) >= 3


def test_what_was_kept_of_other_readings_or_steps_does_not_fit() -> None:
    signal, recalled = lived().slice(0, START), begun(START)
    same = signal.slice(START - len(recalled.timestamps), START)
    assert recalled.fits(same)
    assert not recalled.fits(signal.slice(START - len(recalled.timestamps) - 1, START))
    assert not recalled.fits(same.slice(0, 1000))
    for column, value in ((0, 21.5), (1, np.nan)):
        values = same.values.copy()
        values[17, column] = value
        assert not recalled.fits(of(values, START - len(values)))


def test_a_detector_that_was_too_short_of_data_is_asked_for_all() -> None:
    """The neighbours need 240 steps; what is kept of 200 holds nothing of them."""
    whole = lived().slice(0, 600)
    recalled = begun(200)
    assert "neighbours" not in recalled.values
    scores, at_once = continued(panel(), whole, recalled), panel().scores(whole, {})
    assert np.isfinite(scores["neighbours"].values[240:]).all()
    for name, one in at_once.items():
        np.testing.assert_allclose(scores[name].values, one.values, rtol=1e-3, atol=1e-3)


def test_arrays_whose_shapes_disagree_are_refused() -> None:
    arrays = begun(600).arrays()
    for name in ("values", "expected", "timestamps"):
        with pytest.raises(ArtifactError, match="shape"):
            Recalled.from_arrays(arrays | {name: arrays[name][:-1]})
