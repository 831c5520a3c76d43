"""Trainings that are interrupted go on where they were, and come to the same bit for bit."""

import errno
import hashlib
import io
import os
import signal as signals
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import Cancelled
from core.networks import stacked
from core.networks.checkpoints import Checkpoints
from core.networks.convolution import ConvolutionNetwork
from core.networks.recurrent import RecurrentNetwork
from core.networks.stack import StackedNetwork, Weights
from core.networks.stacked import train_many
from core.networks.training import Epoch, Schedule, Series

pytestmark = pytest.mark.learned

LSTM = RecurrentNetwork((6, 5), horizon=3, lead=20, dropout=0.2)
CONVOLUTION = ConvolutionNetwork(filters=6, kernel=3, levels=3, horizon=3, dropout=0.2, skip=True)
# So fast a rate that some losses rise, and patience ends some trainings.
SCHEDULE = Schedule(
    epochs=6, patience=2, least_gain=1e-5, crops=8, batch=2, window=24, learning_rate=0.1, final_rate=0.5
)
UPDATES = SCHEDULE.updates * SCHEDULE.epochs

every_network = pytest.mark.parametrize("network", [LSTM, CONVOLUTION], ids=["lstm", "convolution"])
alone_and_together = pytest.mark.parametrize("sensors", [1, 4])

Result = list[tuple[Weights, tuple[Epoch, ...]] | None]


def series(seed: int = 0, n: int = 400, channels: int = 2) -> Series:
    rng = np.random.default_rng(seed)
    columns = [np.sin(np.arange(n) / (7 + seed) + shift) for shift in range(channels)]
    inputs = (np.stack(columns, axis=1) + rng.normal(0, 0.05, (n, channels))).astype(np.float32)
    return Series(inputs, inputs[:, 0], np.ones(n, dtype=bool), int(0.8 * n))


def many(sensors: int) -> list[Series]:
    """Sensors of several lengths and widths, one of which has a graph of its own."""
    return [series(seed, 400 - 20 * seed, 40 if seed == 3 else 2) for seed in range(sensors)]


def train(
    network: StackedNetwork, sensors: list[Series], folder: Path | None = None, **more: object
) -> Result:
    schedules = [replace(SCHEDULE, crops=8 + 2 * number) for number in range(len(sensors))]
    checkpoints = None if folder is None else Checkpoints(folder)
    arguments = {"seed": 1, "checkpoints": checkpoints} | more
    return train_many(network, sensors, schedules, **arguments)  # type: ignore[arg-type]


def assert_same(found: Result, expected: Result) -> None:
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one is not None
        assert other is not None
        assert [each.tobytes() for each in one[0]] == [each.tobytes() for each in other[0]]
        assert one[1] == other[1]


class Killed(BaseException):
    """As a defect or a cancel would, from where a training tells or asks."""


class Breaking:
    """Raises at one of its calls, and notes what it was told."""

    def __init__(self, at: int | None) -> None:
        self.calls, self.at, self.seen = 0, at, list[tuple[int, int]]()

    def _count(self) -> None:
        assert self.at is None or self.calls < self.at, "asked or told again after it raised"
        self.calls += 1
        if self.calls == self.at:
            raise Killed

    def tell(self, who: int, epoch: Epoch) -> None:
        self.seen.append((who, epoch.number))
        self._count()

    def ask(self) -> bool:
        self._count()
        return False


@every_network
@alone_and_together
def test_killed_at_each_epoch_it_comes_to_the_same(
    network: StackedNetwork, sensors: int, tmp_path: Path
) -> None:
    whole = train(network, many(sensors))
    epochs = sum(len(one[1]) for one in whole if one is not None)
    for epoch in range(1, epochs + 1):
        folder, told = tmp_path / str(epoch), Breaking(epoch)
        with pytest.raises(Killed):
            train(network, many(sensors), folder, progress=told.tell)
        again = Breaking(None)
        assert_same(train(network, many(sensors), folder, progress=again.tell), whole)
        # The epoch that was told when it was killed is made again, and none that was kept.
        repeated = [who for who, _ in set(told.seen) & set(again.seen)]
        assert len(set(repeated)) == len(repeated)
        assert told.seen[-1][0] in repeated
        assert len({*told.seen, *again.seen}) == epochs
        assert len(set(again.seen)) == len(again.seen)


@every_network
@alone_and_together
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kills=st.lists(st.integers(1, UPDATES), min_size=1, max_size=5))
def test_killed_at_any_updates_it_comes_to_the_same(
    network: StackedNetwork, sensors: int, kills: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("kept")
    for kill in kills:
        try:
            train(network, many(sensors), folder, stop=Breaking(kill).ask)
        except Killed:
            continue
    assert_same(train(network, many(sensors), folder), train(network, many(sensors)))


@every_network
def test_what_is_done_is_not_trained_again(
    network: StackedNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train(network, many(2), tmp_path)
    monkeypatch.setattr(stacked, "TrainingGraph", None)
    again = train(network, many(2), tmp_path, progress=lambda *_: pytest.fail("told of an epoch again"))
    assert_same(again, whole)


def test_a_training_that_was_told_to_stop_goes_on_when_asked_again(tmp_path: Path) -> None:
    short = train(CONVOLUTION, many(1), tmp_path, stop=lambda: True)[0]
    assert short is not None
    assert len(short[1]) == 1
    assert_same(train(CONVOLUTION, many(1), tmp_path), train(CONVOLUTION, many(1)))


def test_stop_is_asked_at_each_update_and_after_each_epoch() -> None:
    asked = Breaking(None)
    result = train(CONVOLUTION, many(1), stop=asked.ask)[0]
    assert result is not None
    assert asked.calls == len(result[1]) * (SCHEDULE.updates + 1)


@pytest.mark.parametrize("by", ["progress", "stop"])
def test_what_raises_ends_all_graphs_and_is_what_is_raised(by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacked, "cores", lambda: 3)
    error, updates, living = Cancelled("cancelled by ada"), [0], threading.active_count()
    update = stacked.TrainingGraph.update

    def counted(*arguments: object) -> object:
        updates[0] += 1
        return update(*arguments)  # type: ignore[arg-type]

    at_raise: list[int] = []

    def fail(*_: object) -> bool:
        assert not at_raise, "asked or told again after it raised"
        at_raise.append(updates[0])
        raise error

    monkeypatch.setattr(stacked.TrainingGraph, "update", counted)
    with pytest.raises(Cancelled) as raised:
        train(CONVOLUTION, many(3), **{by: fail})
    assert raised.value is error
    assert updates[0] - at_raise[0] <= 3  # at most the one that each graph was making
    assert threading.active_count() == living


@pytest.mark.parametrize("early", [False, True], ids=["while all run", "before all run"])
def test_an_interrupt_from_the_keyboard_ends_all_graphs(early: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    long = [replace(SCHEDULE, epochs=100_000, patience=100_000)] * 2
    living, never, submit = threading.active_count(), threading.Event(), ThreadPoolExecutor.submit

    def press(who: int, epoch: Epoch) -> None:
        if (who, epoch.number) == (0, 2):
            signals.pthread_kill(threading.main_thread().ident or 0, signals.SIGINT)

    def submit_and_wait(*arguments: object) -> None:
        submit(*arguments)  # type: ignore[arg-type]
        never.wait(60)

    if early:
        monkeypatch.setattr(ThreadPoolExecutor, "submit", submit_and_wait)
    # A shell that starts the tests in the background has them ignore it.
    before = signals.signal(signals.SIGINT, signals.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            train_many(CONVOLUTION, many(2), long, seed=1, progress=press)
    finally:
        signals.signal(signals.SIGINT, before)
    assert threading.active_count() == living


def interrupted(folder: Path, network: StackedNetwork = CONVOLUTION) -> Path:
    """Train two epochs of one sensor and return its checkpoint."""
    with pytest.raises(Killed):
        train(network, [series()], folder, progress=Breaking(3).tell)
    [path] = folder.iterdir()
    return path


def assert_starts_over(
    folder: Path, caplog: pytest.LogCaptureFixture, network: StackedNetwork = CONVOLUTION, **more: object
) -> None:
    told = Breaking(None)
    sensors: list[Series] = more.pop("sensors", [series()])  # type: ignore[assignment]
    caplog.clear()
    found = train(network, sensors, folder, progress=told.tell, **more)
    assert told.seen[0] == (0, 1)
    assert "ignored and training starts from the beginning" in caplog.text
    assert_same(found, train(network, sensors, **more))


def test_one_file_a_learner_whatever_was_left_over(tmp_path: Path) -> None:
    path = interrupted(tmp_path)
    left = path.with_suffix(".4711.partial")  # of a process that was killed while it wrote
    left.write_bytes(path.read_bytes()[:100])
    train(CONVOLUTION, many(3), tmp_path)
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        f"learner-{number}.checkpoint" for number in range(3)
    ]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_checkpoint_is_never_taken_up(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp() / "to-be-damaged"
    if not folder.exists():
        interrupted(folder)
    kept = Checkpoints(tmp_path_factory.mktemp("damaged"))
    content = bytearray((folder / "learner-0.checkpoint").read_bytes())
    like = CONVOLUTION.initial(2, stacked.WIDTH, 1)
    if data.draw(st.booleans(), "cut"):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    kept.path(0).write_bytes(content)
    assert kept.read(0, printed(), like) is None
    # A control: undamaged it would be taken up.
    kept.path(0).write_bytes((folder / "learner-0.checkpoint").read_bytes())
    assert kept.read(0, printed(), like) is not None


def printed() -> str:
    """The fingerprint of the training of `interrupted`."""
    learner = stacked.Learner(0, series(), SCHEDULE, network=CONVOLUTION, seed=1)
    return stacked.fingerprint(CONVOLUTION, learner, seed=1, alone=True)


@pytest.mark.parametrize("content", [b"", b"nonsense", os.urandom(4000)], ids=["empty", "short", "noise"])
def test_training_starts_over_where_a_checkpoint_is_damaged(
    content: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    interrupted(tmp_path).write_bytes(content)
    assert_starts_over(tmp_path, caplog)
    assert "damaged" in caplog.text


def test_what_can_not_be_read_at_all_is_ignored(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = interrupted(tmp_path)
    path.unlink()
    path.mkdir()
    assert_starts_over(tmp_path, caplog)
    assert "can't be written" in caplog.text


class Mine:
    """Would run when it is unpickled."""

    def __reduce__(self) -> tuple[object, ...]:
        return (pytest.fail, ("a pickle was run",))


def made_up(**changed: object) -> bytes:
    """A checkpoint with a right digest, as somebody might make who knows the format."""
    kept = {"text": b'{"format": 1}', "curve": np.zeros((1, 2)), "stacks": np.zeros((4, 7), np.float32)}
    arrays = kept | {"best_loss": np.float64(0)} | changed
    file = io.BytesIO()
    np.savez(file, allow_pickle=True, **arrays)  # type: ignore[arg-type]
    return hashlib.sha256(file.getvalue()).digest() + file.getvalue()


@pytest.mark.parametrize("name", ["stacks", "text", "curve"])
def test_a_pickle_in_a_checkpoint_is_not_run(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    interrupted(tmp_path).write_bytes(made_up(**{name: np.array([Mine()], dtype=object)}))
    assert_starts_over(tmp_path, caplog)


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        "[]",
        "{}",
        '{"format": 1}',
        '{"format": 2, "fingerprint": "%s"}',
        '{"format": 1, "fingerprint": "%s"}',
        '{"format": 1, "fingerprint": "%s", "generator": {"bit_generator": "MT19937"}}',
        '{"format": 1, "fingerprint": "%s", "generator": {"bit_generator": "PCG64", "state": {"state": -1}}}',
        '{"format": 1, "fingerprint": "%s", "generator": 7, "steps": 1, "waited": 0, "updates": 3}',
    ],
)
def test_a_checkpoint_that_lacks_something_is_ignored(
    text: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    told = np.frombuffer(text.replace("%s", printed()).encode(), np.uint8)
    size = sum(each.size for each in CONVOLUTION.initial(2, stacked.WIDTH, 1))
    for stacks in (np.zeros((4, size), np.float32), np.zeros((4, 7), np.float32), np.zeros(3)):
        interrupted(tmp_path).write_bytes(made_up(text=told, stacks=stacks))
        assert_starts_over(tmp_path, caplog)
        (tmp_path / "learner-0.checkpoint").unlink()


FOREIGN = {
    "seed": {"seed": 2},
    "one reading": {"sensors": [replace(series(), inputs=np.nextafter(series().inputs, np.float32(9)))]},
    "one target": {"sensors": [replace(series(), target=series().target + np.float32(1e-6))]},
    "valid steps": {"sensors": [replace(series(), valid=np.arange(400) != 7)]},
    "validation tail": {"sensors": [replace(series(), split=321)]},
    "channels": {"sensors": [series(channels=3)]},
    "company": {"sensors": [series(), series(1), series(2)]},
    "network": {"network": replace(CONVOLUTION, dropout=0.1)},
    "method": {"network": LSTM},
}


@pytest.mark.parametrize("changed", FOREIGN.values(), ids=FOREIGN)
def test_a_checkpoint_of_another_training_is_ignored(
    changed: dict[str, object],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stacked, "cores", lambda: 1)
    interrupted(tmp_path)
    assert_starts_over(tmp_path, caplog, **changed)  # type: ignore[arg-type]
    assert "other data, parameters, seed or software" in caplog.text


def test_a_checkpoint_of_another_schedule_is_ignored(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(tmp_path)
    monkeypatch.setattr(f"{__name__}.SCHEDULE", replace(SCHEDULE, learning_rate=0.03))
    assert_starts_over(tmp_path, caplog)


def test_a_checkpoint_that_can_not_be_written_ends_no_training_and_leaves_the_one_before(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = interrupted(tmp_path)
    before = path.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("core.networks.checkpoints.os.fsync", full)
        assert_same(train(CONVOLUTION, [series()], tmp_path), train(CONVOLUTION, [series()]))
    assert "No space left on device" in caplog.text
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    assert_same(train(CONVOLUTION, [series()], tmp_path), train(CONVOLUTION, [series()]))
