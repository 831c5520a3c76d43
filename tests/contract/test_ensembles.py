"""Every ensemble passes this suite: what a person may rely on whatever watches a sensor."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.detectors.reservoir import Reservoir, ReservoirParameters
from core.detectors.robust_regression import RobustRegression
from core.ensembles.contract import Raiser
from core.ensembles.panel import Panel
from core.ensembles.panel_parameters import PanelParameters
from core.ensembles.raise_events import EventRaiser
from core.ensembles.trusted import RELATION
from core.ensembles.votes import Voters
from core.errors import ArtifactError, Cancelled, InsufficientData, NotFitted, ParameterError
from core.signal import Signal
from core.thresholds.record import Record
from core.thresholds.robust import RobustThreshold
from core.thresholds.said import Said

EPOCH = np.datetime64("2024-03-01T00:00", "us")
VOTERS = Voters(smoothing=(5, 20), factors=(1.1, 1.2), releases=(0.8,), floors=(1.0,))

MAKERS: dict[str, Callable[[], Raiser]] = {
    "robust regression with its bar": lambda: EventRaiser(RobustRegression(), RobustThreshold()),
    "reservoir with records": lambda: EventRaiser(Reservoir(ReservoirParameters(units=50)), Record()),
    "causal panel": lambda: Panel(
        PanelParameters("causal", ("figures-30-past", "shape-30-training", "reservoir@5"), VOTERS, gap=40)
    ),
    "review panel": lambda: Panel(
        PanelParameters("review", ("figures-30-whole", "shape-30-training", "reservoir@5"), VOTERS, gap=40)
    ),
}

every_ensemble = pytest.mark.parametrize("name", list(MAKERS))
every_panel = pytest.mark.parametrize("name", ["causal panel", "review panel"])


def of(values: np.ndarray, start: int = 0) -> Signal:
    n = values.shape[0]
    return Signal(
        timestamps=EPOCH + (start + np.arange(n)) * np.timedelta64(1, "m"),
        values=values.astype(np.float32),
        channels=("temperature", "load"),
        units=("°C", "%"),
        interval=timedelta(minutes=1),
        valid=np.isfinite(values[:, 0]),
    )


def made(n: int, seed: int = 0) -> np.ndarray:
    """A temperature that follows a load, a minute a step."""
    rng = np.random.default_rng(seed)
    load = 50 + 20 * np.sin(np.arange(n) / 20) + rng.normal(0, 0.3, n)
    return np.stack([20 + 0.8 * load + rng.normal(0, 0.4, n), load], axis=1)


def faulty(n: int = 1500, seed: int = 1) -> np.ndarray:
    values = made(n, seed)
    values[900:960, 0] += 40
    return values


@cache
def fitted(name: str) -> Raiser:
    return MAKERS[name]().fit(of(made(2000)[:1600]), of(made(2000)[1600:], 1600))


@every_ensemble
def test_a_fault_is_an_event_at_its_steps(name: str) -> None:
    found = fitted(name).detect(of(faulty())).events
    assert [one for one in found if one.start < 960 and one.end > 900]
    assert len(found) <= 3


@every_panel
def test_a_target_that_leaves_its_context_is_an_event(name: str) -> None:
    """Neither of them reads what it never did; what the context lets expect is shown."""
    values = made(1500, seed=5)
    low, high = values[:, 0].min(), values[:, 0].max()
    values[900:1000, 0] = low + high - values[900:1000, 0]
    panel = fitted(name)
    assert isinstance(panel, Panel)
    found = panel.detect(of(values))
    (event,) = [one for one in found.events if one.start < 1000 and one.end > 900]
    assert 900 <= event.peak < 1000
    assert event.probability > 0.99
    expected = panel.detectors[RELATION].score(of(values)).expected
    assert np.array_equal(found.scores.expected, expected, equal_nan=True)


@every_ensemble
def test_what_is_found_fits_the_signal(name: str) -> None:
    signal = of(faulty())
    found = fitted(name).detect(signal)
    assert found.scores.values.shape == found.scores.expected.shape == found.level.shape == (1500,)
    assert np.array_equal(found.scores.timestamps, signal.timestamps)
    assert found.scores.mode == fitted(name).mode == ("review" if name == "review panel" else "causal")
    assert np.isfinite(found.scores.values[400:]).all()
    assert np.isfinite(found.level[400:]).all()
    assert np.nanmean(np.abs(found.scores.expected - signal.target)) < 10


@every_ensemble
def test_it_tells_what_it_is(name: str) -> None:
    raiser = fitted(name)
    assert raiser.name
    assert raiser.title
    assert raiser.memory > 0
    assert raiser.remarks == ()
    told = raiser.parameters()
    assert told
    assert all("." in key for key in told)
    assert all(isinstance(one, bool | int | float | str | list | None) for one in told.values())


@every_ensemble
@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 999),
    n=st.integers(62, 900),
    bursts=st.lists(st.tuples(st.floats(0, 1), st.integers(1, 200), st.floats(-90, 90)), max_size=5),
    holes=st.lists(st.tuples(st.floats(0, 1), st.integers(1, 300)), max_size=3),
)
def test_events_are_ordered_apart_and_inside(
    name: str,
    seed: int,
    n: int,
    bursts: list[tuple[float, int, float]],
    holes: list[tuple[float, int]],
) -> None:
    values = made(n, seed)
    for place, length, size in bursts:
        values[int(place * n) : int(place * n) + length, 0] += size
    for place, length in holes:
        values[int(place * n) : int(place * n) + length, 0] = np.nan
    found = fitted(name).detect(of(values))
    missing = np.isnan(values[:, 0])
    assert np.isnan(found.scores.values[missing]).all()
    for earlier, later in pairwise(found.events):
        assert earlier.end <= later.start
        assert not earlier.open
    for one in found.events:
        assert 0 <= one.start <= one.peak < one.end <= n
        assert not missing[[one.start, one.peak, one.end - 1]].any()
        assert one.peak_score == np.float32(found.scores.values[one.peak]) or name.endswith("panel")
        assert np.isclose(one.peak_score, found.scores.values[one.peak], rtol=1e-5)
        assert one.peak_score >= one.threshold
        assert 0 <= one.probability <= 1


@every_ensemble
def test_an_event_that_lasts_to_the_end_is_open(name: str) -> None:
    values = faulty()
    found = fitted(name).detect(of(values[:940])).events
    assert [one.open for one in found][-1:] == [True]
    assert found[-1].end == 940


@every_ensemble
def test_a_signal_without_a_reading_raises_nothing(name: str) -> None:
    values = made(600)
    values[:, 0] = np.nan
    found = fitted(name).detect(of(values))
    assert found.events == ()
    assert np.isnan(found.scores.values).all()


@every_ensemble
@pytest.mark.parametrize("level", [7.0, -0.7])
def test_a_departure_from_what_never_changed_is_an_event(name: str, level: float) -> None:
    values = made(2000)
    values[:, 0] = level
    raiser = MAKERS[name]().fit(of(values[:1600]), of(values[1600:], 1600))
    fresh = made(1500, seed=4)
    fresh[:, 0] = level
    assert raiser.detect(of(fresh)).events == ()
    fresh[900:930, 0] = level + 0.5
    (event,) = raiser.detect(of(fresh)).events
    assert 900 <= event.peak < 960
    assert event.start < 930
    assert event.end > 900


@every_ensemble
def test_a_training_part_without_a_reading_is_refused(name: str) -> None:
    values = made(2000)
    values[:, 0] = np.nan
    with pytest.raises(InsufficientData, match="found 0"):
        MAKERS[name]().fit(of(values[:1600]), of(values[1600:], 1600))


@pytest.mark.parametrize("name", [name for name in MAKERS if name != "reservoir with records"])
def test_gaps_raise_nothing_and_hide_nothing_after_them(name: str) -> None:
    values = faulty()
    values[500:530, 0] = np.nan
    values[700:720] = np.nan
    found = fitted(name).detect(of(values))
    missing = np.isnan(values[:, 0])
    assert np.isnan(found.scores.values[missing]).all()
    assert [one for one in found.events if one.start < 960 and one.end > 900]
    assert not [one for one in found.events if one.end <= 850]


@every_ensemble
@pytest.mark.parametrize("n", [0, 1])
def test_a_signal_too_short_to_judge_is_refused_with_the_number_needed(name: str, n: int) -> None:
    with pytest.raises(InsufficientData) as refused:
        fitted(name).detect(of(made(600)[:n]))
    assert refused.value.found == n
    assert refused.value.needed > n


@every_ensemble
@pytest.mark.parametrize("n", [2, 40])
def test_a_training_part_that_is_too_short_is_refused_with_a_number(name: str, n: int) -> None:
    with pytest.raises(InsufficientData, match=f"found ({n}|{n - 1})$") as refused:
        MAKERS[name]().fit(of(made(100)[: n - 1]), of(made(100)[n - 1 : n], n - 1))
    assert refused.value.needed > n  # of both parts, or of the first where the second only calibrates


@every_ensemble
def test_huge_readings_are_found_and_do_not_last(name: str) -> None:
    values = made(3000, seed=3)
    values[500:503, 0] = -3e38
    found = fitted(name).detect(of(values))
    assert np.isfinite(found.scores.values[300:]).all()
    assert [one for one in found.events if one.start < 503 + 30 and one.end > 500 - 30]
    assert not [one for one in found.events if one.start > 1500]


@every_ensemble
def test_detecting_leaves_an_ensemble_as_it_was(name: str) -> None:
    first, second = (fitted(name).detect(of(faulty())) for _ in range(2))
    assert first.events == second.events
    assert np.array_equal(first.scores.values, second.scores.values, equal_nan=True)


@every_ensemble
def test_fitting_again_gives_the_same(name: str) -> None:
    train, calibrate = of(made(2000)[:1600]), of(made(2000)[1600:], 1600)
    again = MAKERS[name]().fit(train, calibrate).detect(of(faulty()))
    assert again.events == fitted(name).detect(of(faulty())).events


@every_ensemble
def test_a_fit_is_ended_by_what_its_stop_raises(name: str) -> None:
    def cancelled() -> bool:
        raise Cancelled("cancelled by ada")

    raiser = MAKERS[name]()
    with pytest.raises(Cancelled, match="by ada"):
        raiser.fit(of(made(2000)[:1600]), of(made(2000)[1600:], 1600), stop=cancelled)
    with pytest.raises(NotFitted):
        raiser.detect(of(made(600)))


@every_ensemble
def test_a_folder_for_checkpoints_and_a_stop_that_lets_it_go_on_change_nothing(
    name: str, tmp_path: Path
) -> None:
    train, calibrate = of(made(2000)[:1600]), of(made(2000)[1600:], 1600)
    asked: list[int] = []
    again = MAKERS[name]().fit(
        train, calibrate, stop=lambda: bool(asked.append(1)), checkpoints=tmp_path / "checkpoints"
    )
    assert asked
    assert again.detectors
    assert again.detect(of(faulty())).events == fitted(name).detect(of(faulty())).events
    # Nothing in these trains by epochs.
    assert list(tmp_path.iterdir()) == []


@every_ensemble
def test_a_signal_with_other_channels_is_refused(name: str) -> None:
    signal = of(made(600))
    turned = replace(signal, channels=("load", "temperature"), values=signal.values[:, ::-1])
    for each in (turned, replace(signal, channels=("temperature", "pressure"))):
        with pytest.raises(ParameterError, match="temperature, load"):
            fitted(name).detect(each)


@every_ensemble
def test_an_unfitted_ensemble_refuses_to_judge(name: str, tmp_path: Path) -> None:
    raiser = MAKERS[name]()
    with pytest.raises(NotFitted):
        raiser.detect(of(made(600)))
    with pytest.raises(NotFitted):
        raiser.save(tmp_path)
    assert raiser.memory > 0
    assert raiser.remarks == ()


@every_ensemble
def test_saved_files_hold_no_pickle(name: str, tmp_path: Path) -> None:
    fitted(name).save(tmp_path)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} <= {".json", ".npz", ".keras"}
    for path in files:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as stored:
                assert all(stored[key].dtype != object for key in stored.files)


@every_panel
def test_a_saved_panel_judges_as_before(name: str, tmp_path: Path) -> None:
    panel = fitted(name)
    panel.save(tmp_path)
    again = Panel.load(tmp_path)
    before, after = panel.detect(of(faulty())), again.detect(of(faulty()))
    assert before.events == after.events
    assert np.array_equal(before.scores.values, after.scores.values, equal_nan=True)
    assert np.array_equal(before.scores.expected, after.scores.expected, equal_nan=True)
    assert np.array_equal(before.level, after.level, equal_nan=True)
    assert (again.title, again.mode, again.memory, again.remarks, again.parameters()) == (
        panel.title,
        panel.mode,
        panel.memory,
        panel.remarks,
        panel.parameters(),
    )


@every_panel
def test_damaged_or_missing_files_of_a_panel_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError):
        Panel.load(tmp_path / "nowhere")
    fitted(name).save(tmp_path)
    for path in sorted(path for path in tmp_path.rglob("*") if path.is_file()):
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
        with pytest.raises(ArtifactError, match=path.name):
            Panel.load(tmp_path)
        path.unlink()
        with pytest.raises(ArtifactError, match=path.name):
            Panel.load(tmp_path)
        path.write_bytes(content)
    Panel.load(tmp_path)


def said_of(*, abnormal: slice = slice(0), normal: slice = slice(0), n: int = 1500) -> Said:
    masks = np.zeros((2, n), dtype=bool)
    masks[0][abnormal], masks[1][normal] = True, True
    return Said(masks[0], masks[1])


@every_ensemble
def test_a_confirmed_anomaly_is_still_found_and_nothing_said_changes_nothing(name: str) -> None:
    signal = of(faulty())
    plain, silent = fitted(name).detect(signal), fitted(name).detect(signal, said=said_of())
    assert silent.events == plain.events
    assert np.array_equal(silent.level, plain.level, equal_nan=True)
    told = fitted(name).detect(signal, said=said_of(abnormal=slice(890, 970)))
    assert any(one.start < 960 and one.end > 900 for one in plain.events)
    assert any(one.start < 960 and one.end > 900 for one in told.events)


@pytest.mark.parametrize("name", [name for name in MAKERS if name != "review panel"])
def test_what_is_said_of_later_steps_changes_no_earlier_bar(name: str) -> None:
    signal, later = of(faulty()), slice(1200, 1300)
    plain = fitted(name).detect(signal)
    for said in (said_of(abnormal=later), said_of(normal=later)):
        told = fitted(name).detect(signal, said=said)
        assert np.array_equal(told.level[:1200], plain.level[:1200], equal_nan=True)


def test_a_panel_takes_a_false_positive_for_usual_and_a_confirmed_one_not() -> None:
    values = faulty()
    values[1200:1260, 0] += 40
    panel = fitted("causal panel")
    bars = {
        name: panel.detect(of(values), said=said).level[1195]
        for name, said in (
            ("plain", None),
            ("normal", said_of(normal=slice(880, 1000))),
            ("abnormal", said_of(abnormal=slice(880, 1000))),
        )
    }
    assert bars["normal"] > bars["plain"] >= bars["abnormal"]
