"""Why an event was raised, in words with a unit and a duration."""

from datetime import timedelta

import numpy as np
import pytest

from core.ensembles.explain import duration, number, why
from core.results import Event, Scores
from core.signal import Signal


def sentence(
    readings: np.ndarray,
    expected: np.ndarray | float,
    start: int,
    end: int,
    *,
    unit: str = "°C",
    peak_score: float = 5.0,
) -> str:
    n = len(readings)
    times = np.datetime64("2024-03-01", "us") + np.arange(n) * np.timedelta64(1, "m")
    values = readings.reshape(-1, 1).astype(np.float32)
    signal = Signal(times, values, ("x",), (unit,), timedelta(minutes=1), np.isfinite(values[:, 0]))
    told = np.broadcast_to(np.float32(expected), (n,)).astype(np.float32)
    scores = Scores(times, np.ones(n, dtype=np.float32), told, None, "causal")
    event = Event(
        start=start,
        end=end,
        peak=start,
        peak_score=peak_score,
        threshold=1.0,
        probability=1.0,
        severity="low",
        drivers=(),
        open=False,
    )
    return why(event, scores, signal)


def noise(n: int = 1000, size: float = 0.1) -> np.ndarray:
    return 60 + np.random.default_rng(0).normal(0, size, n)


def test_a_lasting_departure_is_told_with_its_side() -> None:
    readings = noise()
    readings[200:750] += 14
    assert sentence(readings, 60, 200, 750) == "14.1 °C above expected for 9 h 10 min"
    readings = noise()
    readings[200:290] -= 3
    assert sentence(readings, 60, 200, 290, unit="bar") == "3.13 bar below expected for 1 h 30 min"


def test_a_growing_departure_is_told_by_what_it_reached() -> None:
    readings = noise(4000, size=1e-4)
    readings[200:3400] += np.linspace(0, 10, 3200)
    assert sentence(readings, 60, 200, 3400) == "Up to 9.00 °C above expected for 2 days 5 h"


def test_a_stuck_sensor_is_told_from_when_it_stuck() -> None:
    readings = noise()
    readings[400:740] = 41.8
    assert sentence(readings, 60, 430, 740, unit="m³/h") == "Stuck at 41.8 m³/h for 5 h 40 min"


def test_swings_are_told_by_their_size() -> None:
    readings = noise(size=1e-4)
    readings[300:500] += 0.4 * np.sin(np.arange(200) / 2)
    assert (
        sentence(readings, 60, 300, 500, unit="bar") == "Swings of ±0.380 bar around expected for 3 h 20 min"
    )


def test_single_readings_are_told_as_such() -> None:
    readings = noise()
    readings[300:400:20] += 7
    assert sentence(readings, 60, 300, 400).startswith("Single readings up to 7.")
    readings = noise(size=1e-4)
    readings[300] -= 7
    assert sentence(readings, 60, 300, 301) == "Jumped 7.00 °C below expected"


def test_unusually_small_errors_are_told_as_such() -> None:
    assert sentence(noise(), 60, 300, 400, peak_score=0.5) == (
        "Follows its prediction unusually closely for 1 h 40 min"
    )


def test_where_nothing_was_expected_that_is_said() -> None:
    assert "nothing was expected" in sentence(noise(), np.nan, 300, 400)


def test_a_unit_that_only_says_scaled_stands_in_brackets() -> None:
    readings = noise(size=1e-4)
    readings[200:260] += 1
    assert sentence(readings, 60, 200, 260, unit="scaled") == "1.00 (scaled) above expected for 1 h"
    assert sentence(readings, 60, 200, 260, unit="") == "1.00 above expected for 1 h"


@pytest.mark.parametrize(
    ("minutes", "told"),
    [(0.2, "1 min"), (45, "45 min"), (60, "1 h"), (550, "9 h 10 min"), (1440, "1 day"), (8880, "6 days 4 h")],
)
def test_durations_are_told_as_an_engineer_says_them(minutes: float, told: str) -> None:
    assert duration(timedelta(minutes=minutes)) == told


@pytest.mark.parametrize(
    ("value", "told"),
    [(0.0, "0"), (0.04567, "0.0457"), (0.4, "0.400"), (14.06, "14.1"), (1234.5, "1234"), (2.5e7, "2.5e+07")],
)
def test_numbers_keep_three_figures(value: float, told: str) -> None:
    assert number(value) == told
