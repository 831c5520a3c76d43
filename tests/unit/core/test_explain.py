"""Why an event was raised, in words with a unit and a duration."""

from datetime import timedelta

import numpy as np
import pytest

from core.ensembles.explain import why
from core.ensembles.wording import duration, number
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
    seen: tuple[float, float] | None = None,
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
    return why(event, scores, signal, seen=seen)


def noise(n: int = 1000, size: float = 0.1) -> np.ndarray:
    return 60 + np.random.default_rng(0).normal(0, size, n)


def test_a_lasting_departure_is_told_with_its_side() -> None:
    readings = noise()
    readings[200:750] += 14
    assert sentence(readings, 60, 200, 750) == "X ran 14.1 °C above its prediction for 9 h 10 min"
    readings = noise()
    readings[200:290] -= 3
    assert sentence(readings, 60, 200, 290, unit="bar") == (
        "X ran 3.13 bar below its prediction for 1 h 30 min"
    )


def test_a_growing_departure_is_told_by_what_it_reached() -> None:
    readings = noise(4000, size=1e-4)
    readings[200:3400] += np.linspace(0, 10, 3200)
    assert sentence(readings, 60, 200, 3400) == ("X ran up to 9.00 °C above its prediction for 2 days 5 h")


def test_a_stuck_sensor_is_told_from_when_it_stuck() -> None:
    readings = noise()
    readings[400:740] = 41.8
    assert sentence(readings, 60, 430, 740, unit="m³/h") == ("X stood still at 41.8 m³/h for 5 h 40 min")


def test_swings_are_told_by_their_size() -> None:
    readings = noise(size=1e-4)
    readings[300:500] += 0.4 * np.sin(np.arange(200) / 2)
    assert sentence(readings, 60, 300, 500, unit="bar") == (
        "X swung by ±0.380 bar around its prediction for 3 h 20 min"
    )


def test_single_readings_are_told_as_such() -> None:
    readings = noise()
    readings[300:400:20] += 7
    assert sentence(readings, 60, 300, 400).startswith("X had single readings up to 7.")
    readings = noise(size=1e-4)
    readings[300] -= 7
    assert sentence(readings, 60, 300, 301) == ("X jumped 7.00 °C below its prediction for 1 min")


def test_unusually_small_errors_are_told_as_such() -> None:
    assert sentence(noise(), 60, 300, 400, peak_score=0.5) == (
        "X followed its prediction unusually closely for 1 h 40 min"
    )


def test_without_a_prediction_a_steady_level_that_was_left_is_told() -> None:
    readings = np.full(1000, -1.0)
    readings[300:420] = 0.4
    assert sentence(readings, np.nan, 300, 420) == ("X changed from a steady −1.00 to 0.400 °C for 2 h")
    readings[300:420] = np.linspace(0.2, 0.6, 120)
    told = sentence(readings, np.nan, 300, 420)
    assert told == "X changed from a steady −1.00 to values from 0.200 to 0.600 °C for 2 h"
    # It is the change that is strange, not that it then stays.
    assert "stood still" not in told


def test_without_a_prediction_single_readings_off_a_steady_level_are_told() -> None:
    readings = np.full(1000, 0.0)
    readings[[310, 350]] = 1.0
    told = sentence(readings, np.nan, 300, 360, unit="scaled", seen=(0.0, 0.0))
    assert told == "X had single readings of 1.00 (scaled) within 1 h, after a steady 0 (scaled)"


def test_a_level_that_training_never_left_is_told_with_a_prediction_too() -> None:
    readings = np.full(1000, -1.0)
    readings[290:] = 1.0
    told = sentence(readings, -1, 310, 1000, unit="scaled", seen=(-1.0, -1.0))
    assert told == "X changed from a steady −1.00 to 1.00 (scaled) for 11 h 30 min"


def test_a_short_stay_off_a_steady_level_within_a_long_event_is_told_with_its_length() -> None:
    readings = np.full(1000, -1.0)
    readings[400:440] = 0.5
    told = sentence(readings, np.nan, 300, 500, seen=(-1.0, -1.0))
    assert told == "X changed from a steady −1.00 to 0.500 °C for 40 min of 3 h 20 min"


def test_readings_that_come_back_after_a_stuck_stretch_do_not_hide_it() -> None:
    readings = noise()
    readings[400:740] = 41.8
    told = sentence(readings, 60, 600, 760, unit="m³/h", seen=(40.0, 80.0))
    assert told == "X stood still at 41.8 m³/h for 5 h 40 min"


def test_readings_beyond_what_training_saw_are_told_with_what_it_saw() -> None:
    readings = noise()
    readings[200:380] += 9
    told = sentence(readings, np.nan, 200, 380, seen=(55.0, 65.0))
    assert told.startswith("X ran up to 69.")
    assert told.endswith(" °C, outside anything seen in training (55.0 to 65.0 °C), for 3 h")
    readings[200:380] -= 18
    assert "X ran down to 50." in sentence(readings, np.nan, 200, 380, seen=(55.0, 65.0))
    readings = noise()
    readings[250] = 90
    told = sentence(readings, np.nan, 200, 300, seen=(55.0, 65.0))
    assert told == "X reached 90.0 °C within 1 h 40 min (training saw 55.0 to 65.0 °C)"
    still = np.full(1000, 7.0)
    still[200:300] += np.random.default_rng(0).normal(0, 1, 100)
    assert "steady 7.00 to" in sentence(still, np.nan, 200, 300, seen=(7.0, 7.0))


def test_within_the_known_range_a_change_is_told_against_the_steps_before() -> None:
    seen = (0.0, 100.0)
    readings = noise()
    readings[400:520] += 2
    assert sentence(readings, np.nan, 400, 520, seen=seen) == ("X changed from 60.0 to 62.0 °C for 2 h")
    readings = noise()
    readings[400:520] += 2 * np.sin(np.arange(120) / 3)
    told = sentence(readings, np.nan, 400, 520, seen=seen)
    assert told.startswith("X swung by ±2.0")
    assert told.endswith(" °C before)")
    readings = noise()
    readings[400:520] = 60 + 0.01 * np.sin(np.arange(120) / 3)
    assert sentence(readings, np.nan, 400, 520, seen=seen).startswith("X held unusually steady for 2 h")
    readings = noise(size=1e-4)
    readings[400] = 63
    assert sentence(readings, np.nan, 400, 401, seen=seen) == ("X jumped from 60.0 to 63.0 °C for 1 min")
    told = sentence(noise(), np.nan, 300, 400, seen=seen)
    assert told.startswith("X moved in a pattern that training did not show for 1 h 40 min, within 59.")


def test_a_stuck_sensor_is_told_without_a_prediction_too() -> None:
    readings = noise()
    readings[400:740] = 59.9
    told = sentence(readings, np.nan, 430, 740, seen=(0.0, 100.0))
    assert told == "X stood still at 59.9 °C for 5 h 40 min"


def test_a_prediction_that_held_is_not_named_as_the_reason() -> None:
    """Another tier found the event: its errors are those of every other stretch."""
    readings = noise()
    told = sentence(readings, 60, 300, 400, seen=(0.0, 100.0))
    assert "prediction" not in told
    assert told.startswith("X moved in a pattern that training did not show")


def test_an_event_without_readings_says_so() -> None:
    readings = noise()
    readings[300:400] = np.nan
    assert sentence(readings, np.nan, 300, 400) == (
        "X was unusual for 1 h 40 min, without a reading of its own"
    )


def test_a_unit_that_only_says_scaled_stands_in_brackets() -> None:
    readings = noise(size=1e-4)
    readings[200:260] += 1
    assert sentence(readings, 60, 200, 260, unit="scaled") == (
        "X ran 1.00 (scaled) above its prediction for 1 h"
    )
    assert sentence(readings, 60, 200, 260, unit="") == "X ran 1.00 above its prediction for 1 h"


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
