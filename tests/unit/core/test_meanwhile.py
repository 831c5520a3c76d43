"""The sentence of why says what the context did while an event ran, for every kind of detector."""

from datetime import timedelta

import numpy as np
import pytest

from core.ensembles.explain import why
from core.ensembles.raise_events import EventRaiser
from core.ensembles.wording import listed, name_of
from core.results import Event, Scores
from core.signal import Signal
from core.workflows.methods import new_baseline

N, START, END = 1200, 600, 638


def _event(start: int = START, end: int = END) -> Event:
    return Event(start, end, start, 5.0, 1.0, 1.0, "low", (), open=False)


def _signal(readings: np.ndarray, context: dict[tuple[str, str], np.ndarray]) -> Signal:
    times = np.datetime64("2024-03-01", "us") + np.arange(len(readings)) * np.timedelta64(1, "m")
    values = np.column_stack([readings, *context.values()]).astype(np.float32)
    names = ("Pump 7/outlet temperature", *(f"Pump 7/{name}" for name, _ in context))
    units = ("°C", *(unit for _, unit in context))
    return Signal(times, values, names, units, timedelta(minutes=1), np.isfinite(values[:, 0]))


def _told(context: dict[tuple[str, str], np.ndarray], *, start: int = START, end: int = END) -> str:
    readings = 60 + np.random.default_rng(0).normal(0, 0.02, N)
    readings[start:end] += 4.1
    signal = _signal(readings, context)
    expected = np.full(N, 60, np.float32)
    scores = Scores(signal.timestamps, np.ones(N, np.float32), expected, None, "causal")
    return why(_event(start, end), scores, signal)


def noise(level: float, size: float, seed: int = 1) -> np.ndarray:
    return level + np.random.default_rng(seed).normal(0, size, N)


LASTING = "°C above its prediction for 38 min"


def test_the_sentence_tells_amount_unit_reference_duration_and_a_steady_context() -> None:
    told = _told({("load", "%"): noise(80, 0.5)})
    assert told == "Outlet temperature ran 4.13 °C above its prediction for 38 min while load was steady"


def test_several_steady_channels_are_named_and_many_are_counted() -> None:
    two = {("load", "%"): noise(80, 0.5), ("speed", "rpm"): noise(2950, 3, 2)}
    assert _told(two).endswith(" for 38 min while load and speed were steady")
    many = {(f"command {k:02}", ""): np.zeros(N) for k in range(24)}
    assert _told(many).endswith(" for 38 min while all 24 context channels were steady")


def test_a_context_channel_that_left_its_level_is_told_with_its_levels() -> None:
    flow = noise(200, 0.5)
    flow[START:END] -= 40
    told = _told({("load", "%"): noise(80, 0.5), ("cooling-water flow", "m³/h"): flow})
    assert told.endswith(" for 38 min while cooling-water flow fell from 200 to 160 m³/h")


def test_of_several_that_changed_the_one_that_changed_most_is_named() -> None:
    flow, load = noise(200, 0.5), noise(80, 0.5)
    flow[START:END] -= 40
    load[START:END] += 4
    told = _told({("load", "%"): load, ("cooling-water flow", "m³/h"): flow})
    assert told.endswith(
        "while cooling-water flow fell from 200 to 160 m³/h, and 1 more of its context changed"
    )


def test_a_channel_that_swings_more_than_before_is_told_with_both() -> None:
    load = noise(80, 0.05)
    load[START:END] = 80 + 6 * np.sin(np.arange(END - START))
    told = _told({("load", "%"): load})
    assert told.endswith("while load varied from 74.1 to 85.9 % (±0.800 % before)")


def test_a_channel_that_moves_as_it_always_does_is_neither_steady_nor_changed() -> None:
    load = 80 + 10 * np.sin(np.arange(N) / 60)
    assert _told({("load", "%"): load}, end=START + 300).endswith("while load moved as before")


def test_a_state_that_switches_is_told_with_how_often() -> None:
    state = np.ones(N)
    state[START + 5 :] = 0
    assert _told({("state", ""): state}).endswith("while state switched once")
    state[START + 20 :] = 1
    assert _told({("state", ""): state}).endswith("while state switched twice")
    pulsing = (np.arange(N) % 40 < 5).astype(float)
    assert _told({("command 01", ""): pulsing}).endswith("while command 01 moved as before")


def test_nothing_is_said_of_a_context_that_was_not_read_before() -> None:
    load = noise(80, 0.5)
    load[:START] = np.nan
    assert _told({("load", "%"): load}).endswith(LASTING)
    assert _told({}).endswith(LASTING)


def test_earlier_readings_may_come_from_elsewhere() -> None:
    """An event that began before the first step of what was read."""
    readings = np.full(N, 64.1) + np.random.default_rng(0).normal(0, 0.02, N)
    signal = _signal(readings, {("load", "%"): noise(80, 0.5)})
    scores = Scores(signal.timestamps, np.ones(N, np.float32), np.full(N, 60, np.float32), None, "causal")
    earlier = np.column_stack([np.full(120, 60.0), np.full(120, 95.0)]).astype(np.float32)
    told = why(_event(0, N), scores, signal, lasted=timedelta(days=2), earlier=earlier)
    assert told == (
        "Outlet temperature ran 4.12 °C above its prediction for 2 days while load fell from 95.0 to 80.0 %"
    )


def _machine(faulty: slice) -> Signal:
    """A temperature that follows its load, but for a while does not."""
    random = np.random.default_rng(4)
    n = 4000
    load = 80 + 0.5 * np.sin(np.arange(n) / 700) + random.normal(0, 0.2, n)
    outlet = 0.5 * load + random.normal(0, 0.05, n)
    outlet[faulty] += 4.1
    return _signal(outlet, {("load", "%"): load})


@pytest.mark.parametrize("method", ["statistical", "panel", "lstm"])
def test_each_kind_of_detector_gets_its_sentence(method: str) -> None:
    """Of the statistical detector's own prediction, of none, and of one that the next step follows."""
    signal = _machine(slice(3600, 3638))
    if method == "statistical":
        raiser = new_baseline()
        assert isinstance(raiser, EventRaiser)
        raiser.fit(signal.slice(0, 2400), signal.slice(2400, 3400))
        (event,) = [one for one in raiser.detect(signal).events if one.end > 3600]
        told = why(event, raiser.detect(signal).scores, signal)
        assert told.startswith("Outlet temperature ran 4.1")
        assert " °C above its prediction for " in told
    elif method == "panel":
        nothing = np.full(len(signal), np.nan, np.float32)
        scores = Scores(signal.timestamps, np.ones(len(signal), np.float32), nothing, None, "causal")
        told = why(_event(3600, 3638), scores, signal, seen=(39.0, 41.0))
        assert told.startswith("Outlet temperature ran up to 44.")
        assert ", outside anything seen in training (39.0 to 41.0 °C), for 38 min" in told
    else:
        expected = np.concatenate([signal.target[:1], signal.target[:-1]])
        scores = Scores(signal.timestamps, np.ones(len(signal), np.float32), expected, None, "causal")
        told = why(_event(3600, 3601), scores, signal)
        assert told.startswith("Outlet temperature jumped 3.88")
        assert " °C above its prediction for 1 min" in told
    assert told.endswith(" while load was steady")


def test_names_are_told_without_their_machine() -> None:
    assert name_of("Pump 7/outlet temperature") == "outlet temperature"
    assert name_of("x") == "x"
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
