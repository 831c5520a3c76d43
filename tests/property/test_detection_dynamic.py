"""The dynamic threshold finds the very sequences of its published definition, spelt out slowly here."""

import io
import os
import zipfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.results import Scores
from core.thresholds.dynamic import DynamicParameters, DynamicThreshold

DATA = Path(os.environ.get("TELLTALE_TEST_DATA", "../shared/data")) / "smap_msl" / "data.zip"


def sequences_of(steps: list[int]) -> list[tuple[int, int]]:
    """Consecutive steps, first and last, single ones left out."""
    found: list[list[int]] = []
    for step in steps:
        if found and step == found[-1][-1] + 1:
            found[-1].append(step)
        else:
            found.append([step])
    return [(each[0], each[-1]) for each in found if len(each) > 1]


def around(steps: list[int], reach: int, n: int) -> list[int]:
    near = {other for step in steps for other in range(step - reach, step + reach + 1)}
    return sorted(other for other in near if 0 <= other < n)


def epsilon(errors: np.ndarray, mean: float, sd: float) -> float:
    best, result = -1e7, mean + 12.0 * sd
    for z in np.arange(2.5, 12.0, 0.5):
        bar = mean + sd * z
        above = [i for i, error in enumerate(errors) if error >= bar]
        if not above:
            continue
        rest = errors[errors < bar]
        covered = around(above, 99, len(errors))
        sequences = sequences_of(covered)
        gain = (mean - rest.mean()) / mean + (sd - rest.std()) / sd
        score = gain / (len(sequences) ** 2 + len(covered))
        if score >= best and len(sequences) <= 5 and len(covered) < 0.5 * len(errors):
            best, result = score, bar
    return result


def pruned(errors: np.ndarray, steps: list[int], highest_normal: float) -> list[int]:
    sequences = sequences_of(steps)
    if not sequences:
        return steps
    maxima = [max(errors[a : b + 1]) for a, b in sequences]
    ranked = [*sorted(maxima, reverse=True), highest_normal]
    removed: list[float] = []
    for higher, lower in pairwise(ranked):
        removed = [*removed, higher] if (higher - lower) / higher < 0.13 else []
    kept = [pair for pair, top in zip(sequences, maxima, strict=True) if top not in removed]
    return [step for step in steps if any(a <= step <= b for a, b in kept)]


def published(errors: np.ndarray, values: np.ndarray) -> list[tuple[int, int]]:
    n, batch, windows = len(errors), 70, 30
    errors = errors.copy()
    errors[:250] = errors[:500].mean()
    while int((n - batch * windows) / batch) < 0:
        windows -= 1
    count = int((n - batch * windows) / batch)
    ignored = 0 if n < 1800 else 250 if n < 2500 else 500
    anomalous: set[int] = set()
    for number in range(count + 1):
        start = number * batch
        stop = n if number == count else start + windows * batch
        window, told = errors[start:stop], values[start:stop]
        mean, sd = window.mean(), window.std()
        spread = np.percentile(told, 95) - np.percentile(told, 5)
        if sd <= 1e-12 * abs(mean):  # nothing differs, so nothing stands out
            continue
        found: set[int] = set()
        for side in (window, mean + (mean - window)):
            bar = epsilon(side, mean, sd)
            if not (sd > 0.05 * told.std() or window.max() > 0.05 * spread) or window.max() <= 0.05:
                continue
            above = [i for i, e in enumerate(side) if e >= bar and e > 0.05 * spread]
            if not above:
                continue
            first = ignored if number == 0 else len(window) - batch
            steps = [i for i in around(above, 100, len(window)) if i >= first]
            normal = [i for i in range(len(window)) if i not in steps and i + start not in anomalous]
            highest = max((side[i] for i in normal), default=-np.inf)
            found |= {i + start for i in pruned(side, steps, highest)}
        anomalous |= found
    return sequences_of(sorted(anomalous))


def judged(errors: np.ndarray, values: np.ndarray) -> list[tuple[int, int]]:
    n = len(errors)
    scores = Scores(
        timestamps=np.datetime64("2024-01-01", "us") + np.arange(n) * np.timedelta64(1, "m"),
        values=errors.astype(np.float32),
        expected=np.full(n, np.nan, dtype=np.float32),
        shares=None,
        mode="causal",
    )
    threshold = DynamicThreshold().fit(scores, values.astype(np.float32))
    events = threshold.judge(scores, values.astype(np.float32)).events
    return [(event.start, event.end - 1) for event in events]


def smoothed(raw: np.ndarray, span: float = 40.0) -> np.ndarray:
    keep, level, result = 1 - 2 / (span + 1), float(raw[0]), np.empty(len(raw))
    for i, value in enumerate(raw):
        level = keep * level + (1 - keep) * float(value)
        result[i] = level
    return result.astype(np.float32).astype(np.float64)


bursts = st.lists(st.tuples(st.floats(0, 1), st.integers(1, 200), st.floats(0.01, 3)), min_size=0, max_size=6)


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(75, 3400),
    seed=st.integers(0, 2**16),
    noise=st.floats(0.001, 0.4),
    bursts=bursts,
    spread=st.floats(0.0, 2.0),
)
def test_it_finds_the_published_sequences_in_random_errors(
    n: int, seed: int, noise: float, bursts: list[tuple[float, int, float]], spread: float
) -> None:
    rng = np.random.default_rng(seed)
    raw = np.abs(rng.normal(0, noise, n))
    for place, length, size in bursts:
        start = int(place * (n - 1))
        raw[start : start + length] += size
    errors, values = smoothed(raw), rng.normal(0, 1, n).astype(np.float32).astype(np.float64) * spread
    values = values.astype(np.float32).astype(np.float64)
    assert judged(errors, values) == published(errors, values)


def test_the_random_cases_are_not_empty() -> None:
    """The comparison above means something: bursts like those it draws do raise events."""
    rng = np.random.default_rng(1)
    raw = np.abs(rng.normal(0, 0.1, 3000))
    raw[1400:1450] += 2
    raw[2600:2700] += 1
    found = published(smoothed(raw), rng.normal(0, 1, 3000))
    assert len(found) >= 1
    assert judged(smoothed(raw), rng.normal(0, 1, 3000)) == found


@pytest.mark.nasa
@pytest.mark.parametrize("channel", ["P-1", "T-1", "E-8", "A-4", "C-1", "T-9"])
def test_it_finds_the_published_sequences_in_real_errors(channel: str) -> None:
    """Errors of the forecast "as before" on NASA's channels."""
    if not DATA.exists():
        pytest.skip(f"{DATA} is not there: set TELLTALE_TEST_DATA")
    with zipfile.ZipFile(DATA) as archive:
        name = next(each for each in archive.namelist() if each.endswith(f"test/{channel}.npy"))
        values = np.load(io.BytesIO(archive.read(name)))[:, 0].astype(np.float32).astype(np.float64)
    errors = smoothed(np.abs(np.diff(values, prepend=values[0])), 105)
    assert judged(errors, values) == published(errors, values)


@pytest.mark.timeout(20)
def test_a_month_of_minutes_is_judged_in_a_moment() -> None:
    """The cost is bounded even where every window has many steps above the lowest bar."""
    rng = np.random.default_rng(3)
    n = 43_200
    raw = np.abs(rng.standard_t(2, n))
    scores = Scores(
        timestamps=np.datetime64("2024-01-01", "us") + np.arange(n) * np.timedelta64(1, "m"),
        values=raw.astype(np.float32),
        expected=np.full(n, np.nan, dtype=np.float32),
        shares=None,
        mode="causal",
    )
    threshold = DynamicThreshold(DynamicParameters()).fit(scores, scores.values)
    assert len(threshold.judge(scores, scores.values).level) == n
