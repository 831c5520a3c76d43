"""What a fit that was cancelled or killed leaves behind, and what the next one makes of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from core.detectors.contract import Detector, KeepsCheckpoints
from core.detectors.discords import Discords
from core.detectors.neighbours import Neighbours
from core.detectors.reservoir import Reservoir
from core.detectors.subspace import Subspace
from core.detectors.telemanom import Telemanom, TelemanomParameters
from core.detectors.temporal_convolution import ConvolutionParameters, TemporalConvolution
from core.ensembles import panel
from core.ensembles.contract import Raiser
from core.ensembles.members import loss_curves
from core.ensembles.panel import Panel
from core.ensembles.panel_parameters import PanelParameters
from core.ensembles.raise_events import EventRaiser
from core.ensembles.sources import make
from core.ensembles.votes import Voters
from core.errors import Cancelled
from core.networks.checkpoints import Checkpoints
from core.networks.training import Epoch
from core.signal import Signal
from core.thresholds.robust import RobustThreshold

TINY = ConvolutionParameters(
    filters=6,
    levels=3,
    horizon=4,
    window=32,
    smoothing_span=1,
    epochs=4,
    batch=2,
    least_crops=16,
    most_crops=16,
)
TINY_LSTM = TelemanomParameters(
    hidden=(5,), horizon=4, window=32, smoothing_span=1, epochs=4, batch=2, least_crops=16, most_crops=16
)
NETWORKS: dict[str, Callable[[], TemporalConvolution | Telemanom]] = {
    "convolution": lambda: TemporalConvolution(TINY, seed=3),
    "lstm": lambda: Telemanom(TINY_LSTM, seed=3),
}
CLOSED: tuple[Callable[[], Detector], ...] = (Discords, Neighbours, Reservoir, Subspace)

every_network = pytest.mark.parametrize("make_one", NETWORKS.values(), ids=NETWORKS)


def signal(n: int = 900) -> Signal:
    rng = np.random.default_rng(0)
    load = 50 + 20 * np.sin(np.arange(n) / 20) + rng.normal(0, 0.3, n)
    values = np.stack([20 + 0.8 * load + rng.normal(0, 0.4, n), load], axis=1)
    return Signal(
        timestamps=np.datetime64("2024-03-01", "us") + np.arange(n) * np.timedelta64(1, "m"),
        values=values.astype(np.float32),
        channels=("temperature", "load"),
        units=("°C", "%"),
        interval=timedelta(minutes=1),
        valid=np.ones(n, dtype=bool),
    )


def cancelled(*_: object) -> bool:
    raise Cancelled("cancelled by ada")


def after(epochs: int) -> Callable[[Epoch], None]:
    """Return a progress that cancels when so many epochs were told."""
    seen: list[Epoch] = []

    def progress(epoch: Epoch) -> None:
        seen.append(epoch)
        if len(seen) == epochs:
            raise Cancelled("cancelled by ada")

    return progress


@pytest.mark.learned
@every_network
def test_a_detector_goes_on_from_what_it_kept(
    make_one: Callable[[], TemporalConvolution | Telemanom], tmp_path: Path
) -> None:
    whole = make_one().fit(signal())
    first = make_one()
    first.keep(Checkpoints(tmp_path))
    with pytest.raises(Cancelled, match="by ada"):
        first.fit(signal(), progress=after(3))
    assert first.learned is None
    seen: list[Epoch] = []
    again = make_one()
    assert isinstance(again, KeepsCheckpoints)
    again.keep(Checkpoints(tmp_path))
    again.fit(signal(), progress=seen.append)
    # The third was told but not kept, as telling it cancelled.
    assert [epoch.number for epoch in seen] == [3, 4]
    assert again.history == whole.history
    assert loss_curves([again]) == (whole.history,)
    assert again.score(signal()).values.tobytes() == whole.score(signal()).values.tobytes()


@pytest.mark.learned
@every_network
def test_other_parameters_seed_or_labels_begin_anew(
    make_one: Callable[[], TemporalConvolution | Telemanom], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def kept(detector: TemporalConvolution | Telemanom, learned_from: Signal) -> list[int]:
        seen: list[int] = []
        detector.keep(Checkpoints(tmp_path))
        detector.fit(learned_from, progress=lambda epoch: seen.append(epoch.number))
        return seen

    one = make_one()
    assert kept(one, signal()) == [1, 2, 3, 4]
    assert kept(make_one(), signal()) == []
    assert not caplog.records
    labelled = replace(signal(), valid=np.arange(900) != 500)
    for detector, learned_from in (
        (type(one)(one.parameters, seed=4), signal()),  # type: ignore[arg-type]
        (type(one)(replace(one.parameters, batch=4), seed=3), signal()),  # type: ignore[arg-type, type-var]
        (make_one(), labelled),
    ):
        assert kept(detector, learned_from)[0] == 1
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 3
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("make_one", CLOSED, ids=lambda one: one.name)  # type: ignore[attr-defined]
def test_a_method_without_epochs_is_cancelled_in_its_loops(make_one: Callable[[], Detector]) -> None:
    detector = make_one()
    with pytest.raises(Cancelled, match="by ada"):
        detector.fit(signal(), stop=cancelled)
    asked: list[int] = []
    detector.fit(signal(), stop=lambda: bool(asked.append(1)))
    assert asked
    expected = make_one().fit(signal()).score(signal()).values
    assert np.array_equal(detector.score(signal()).values, expected, equal_nan=True)


def raisers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Raiser]:
    """Ensembles that hold the tiny convolution network."""

    def made(name: str, seed: int) -> Detector:
        return TemporalConvolution(TINY, seed=seed) if name == "convolution" else make(name, seed)

    monkeypatch.setattr(panel, "make", made)
    voters = Voters(smoothing=(5, 20), factors=(1.1, 1.2), releases=(0.8,), floors=(1.0,))
    return {
        "detector": EventRaiser(TemporalConvolution(TINY, seed=3), RobustThreshold()),
        "panel": Panel(PanelParameters("causal", ("reservoir", "convolution"), voters), seed=3),
    }


@pytest.mark.learned
@pytest.mark.parametrize("name", ["detector", "panel"])
def test_an_ensemble_goes_on_from_the_folder_it_is_given(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train, calibrate = signal().slice(0, 700), signal().slice(700, 900)
    whole = raisers(monkeypatch)[name].fit(train, calibrate)
    with pytest.raises(Cancelled):
        raisers(monkeypatch)[name].fit(train, calibrate, progress=after(3), checkpoints=tmp_path / "job-7")
    seen: list[int] = []
    again = raisers(monkeypatch)[name].fit(
        train, calibrate, progress=lambda epoch: seen.append(epoch.number), checkpoints=tmp_path / "job-7"
    )
    assert seen == [3, 4]
    expected, found = whole.detect(signal()), again.detect(signal())
    assert found.scores.values.tobytes() == expected.scores.values.tobytes()
    assert found.events == expected.events
    curves = loss_curves(again.detectors.values())
    assert curves == loss_curves(whole.detectors.values())
    assert [[epoch.number for epoch in curve] for curve in curves] == [[1, 2, 3, 4]]


def test_a_panel_is_cancelled_between_its_members() -> None:
    entries = ("figures-30-past", "reservoir")
    voters = Voters(smoothing=(5,), factors=(1.1,), releases=(0.8,), floors=(1.0,))
    train, calibrate = signal().slice(0, 700), signal().slice(700, 900)
    one = Panel(PanelParameters("causal", entries, voters))
    asked: list[int] = []
    one.fit(train, calibrate, stop=lambda: bool(asked.append(1)))
    assert len(asked) > len(one.detectors)
    with pytest.raises(Cancelled, match="by ada"):
        Panel(PanelParameters("causal", entries, voters)).fit(train, calibrate, stop=cancelled)
