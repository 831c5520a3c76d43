"""Which channels drove an event: what made the readings leave their prediction is named first."""

from datetime import timedelta

import numpy as np
import pytest

from core.ensembles.drivers import drivers, with_drivers
from core.ensembles.panel import Panel
from core.ensembles.panel_parameters import PanelParameters
from core.ensembles.raise_events import Detection
from core.ensembles.votes import Voters
from core.results import Event, Scores
from core.signal import Signal
from core.workflows.methods import new_baseline

N, TRAIN, CALIBRATED, START, END = 6000, 3600, 5200, 5600, 5680


def _signal(**faults: float) -> Signal:
    """A temperature that follows load and flow; `faults` shift a channel's readings, not the machine."""
    random = np.random.default_rng(4)
    steps = np.arange(N)
    channels = {
        "load": 80 + 8 * np.sin(steps / 170) + random.normal(0, 0.2, N),
        "flow": 200 + 10 * np.sin(steps / 310) + random.normal(0, 0.5, N),
    }
    outlet = 0.5 * channels["load"] - 0.1 * channels["flow"] + random.normal(0, 0.05, N)
    channels = {"outlet": outlet, **channels}
    for name, shift in faults.items():
        channels[name][START:END] += shift
    times = np.datetime64("2024-03-01", "us") + steps * np.timedelta64(1, "m")
    values = np.column_stack(list(channels.values())).astype(np.float32)
    names = tuple(f"Pump 7/{name}" for name in channels)
    return Signal(times, values, names, ("°C", "%", "m³/h"), timedelta(minutes=1), np.ones(N, np.bool_))


def _found(signal: Signal) -> dict[str, float]:
    """Return by channel the shares of the one event of the statistical detector."""
    raiser = new_baseline().fit(signal.slice(0, TRAIN), signal.slice(TRAIN, CALIBRATED))
    detection = with_drivers(raiser.detect(signal), signal, raiser.detectors)
    (event,) = [one for one in detection.events if one.end > START and one.start < END]
    return {signal.channels[channel].partition("/")[2]: share for channel, share in event.drivers}


def test_a_target_that_leaves_its_relation_drives_the_event_itself() -> None:
    shares = _found(_signal(outlet=4.0))
    assert shares == {"outlet": pytest.approx(1.0, abs=0.02)} or shares["outlet"] > 0.95


def test_a_context_channel_that_reads_wrong_is_named_first() -> None:
    shares = _found(_signal(flow=60.0))
    assert next(iter(shares)) == "flow"
    assert shares["flow"] > 0.8


def test_two_that_read_wrong_share_it_in_the_order_of_their_part() -> None:
    shares = _found(_signal(load=-30.0, flow=50.0))
    assert list(shares)[:2] == ["load", "flow"]
    assert sum(shares.values()) == pytest.approx(1.0, abs=0.02)


def test_a_sensor_that_stands_still_drives_its_event_alone() -> None:
    signal = _signal()
    signal.values[START:END, 0] = signal.values[START, 0]
    assert _found(signal) == {"outlet": 1.0}


def _event(start: int = START, end: int = END) -> Event:
    return Event(start, end, start, 5.0, 1.0, 1.0, "low", (), open=False)


def test_what_no_prediction_raised_is_driven_by_the_targets_own_readings() -> None:
    signal = _signal(outlet=4.0)
    nothing = np.full(N, np.nan, np.float32)
    scores = Scores(signal.timestamps, np.ones(N, np.float32), nothing, None, "causal")
    assert drivers(_event(), scores, signal, None) == ((0, 1.0),)


def test_without_a_past_to_hold_it_against_nothing_is_claimed() -> None:
    signal = _signal(flow=60.0)
    raiser = new_baseline().fit(signal.slice(0, TRAIN), signal.slice(TRAIN, CALIBRATED))
    cut = signal.slice(START, N)
    scores = raiser.detectors["robust-regression"].score(cut)
    found = drivers(_event(0, END - START), scores, cut, raiser.detectors["robust-regression"])
    assert found == ()


def test_shares_that_a_method_tells_itself_are_kept() -> None:
    signal = _signal(outlet=4.0)
    shares = np.full((N, 3), 1 / 3, np.float32)
    scores = Scores(signal.timestamps, np.ones(N, np.float32), signal.target, shares, "causal")
    told = Event(START, END, START, 5.0, 1.0, 1.0, "low", ((2, 0.7),), open=False)
    detection = Detection(scores, (told,), np.ones(N, np.float32))
    assert with_drivers(detection, signal, {}) is detection


def test_events_of_a_panel_are_told_by_the_member_whose_prediction_it_shows() -> None:
    """The relation check predicts from context; the panel itself tells no shares."""
    signal = _signal(flow=60.0)
    voters = Voters(smoothing=(5,), factors=(1.03,), releases=(0.8,), floors=(1.0,), share=0.5, lead=500)
    parameters = PanelParameters("causal", ("figures-25-past", "reservoir@5"), voters, gap=400)
    panel = Panel(parameters).fit(signal.slice(0, TRAIN), signal.slice(TRAIN, CALIBRATED))
    assert panel.detectors.keys() >= {"relation"}
    detection = with_drivers(panel.detect(signal), signal, panel.detectors)
    (event,) = [one for one in detection.events if one.end > START and one.start < END]
    assert signal.channels[event.drivers[0][0]] == "Pump 7/flow"
