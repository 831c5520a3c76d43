"""Networks of many sensors in one graph: each learns as if it were alone."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import ArtifactError, InsufficientData
from core.networks import convolution, recurrent, stacked
from core.networks.convolution import ConvolutionNetwork
from core.networks.dropout import dropped
from core.networks.engine import keras, tensorflow
from core.networks.keras_files import load_recurrent, save_recurrent
from core.networks.learner import validation_loss
from core.networks.recurrent import RecurrentNetwork
from core.networks.stack import StackedNetwork, Weights
from core.networks.stacked import train_many
from core.networks.training import Epoch, Schedule, Series

pytestmark = pytest.mark.learned

LSTM = RecurrentNetwork((6, 5), horizon=3, lead=20, dropout=0.2)
CONVOLUTION = ConvolutionNetwork(filters=6, kernel=3, levels=3, horizon=3, dropout=0.2, skip=True)
SCHEDULE = Schedule(
    epochs=4, patience=4, least_gain=1e-5, crops=12, batch=2, window=24, learning_rate=0.01, final_rate=0.1
)

every_network = pytest.mark.parametrize("network", [LSTM, CONVOLUTION], ids=["lstm", "convolution"])


def series(n: int = 400, channels: int = 2, seed: int = 0) -> Series:
    rng = np.random.default_rng(seed)
    columns = [np.sin(np.arange(n) / (7 + seed) + shift) for shift in range(channels)]
    inputs = (np.stack(columns, axis=1) + rng.normal(0, 0.05, (n, channels))).astype(np.float32)
    return Series(inputs, inputs[:, 0], np.ones(n, dtype=bool), int(0.8 * n))


def trained(
    network: StackedNetwork, *sensors: Series, schedule: Schedule = SCHEDULE, seed: int = 1
) -> list[tuple[Weights, tuple[Epoch, ...]]]:
    results = train_many(network, sensors, [schedule] * len(sensors), seed=seed)
    return [result for result in results if result is not None]


def graph_outputs(network: StackedNetwork, weights: Weights, inputs: np.ndarray) -> np.ndarray:
    """What the network as trained, without dropout, makes of one sensor's inputs."""
    tf = tensorflow()
    alone = replace(network, dropout=0.0)  # type: ignore[type-var]
    stacks = [tf.constant(each[None]) for each in weights]
    run = tf.function(lambda x: alone.outputs(stacks, x, tf.constant([0], tf.uint32)), jit_compile=True)
    return run(tf.constant(inputs[None, None])).numpy()[0, 0]


def test_the_lstm_is_keras_own(tmp_path: Path) -> None:
    weights = LSTM.initial(2, 2, seed=3)
    save_recurrent(LSTM, weights, tmp_path / "network.keras")
    model = keras().saving.load_model(tmp_path / "network.keras", safe_mode=True)
    inputs = series(60).inputs
    # Before its first step a sequence is taken to have stood still for `lead` steps.
    led = np.concatenate([np.repeat(inputs[:1], LSTM.lead, axis=0), inputs])
    theirs = model(led[None], training=False).numpy()[0, LSTM.lead :]
    assert np.allclose(LSTM.forward([weights], [inputs])[0], theirs, atol=1e-5)
    again = load_recurrent(LSTM, tmp_path / "network.keras")
    assert all(np.array_equal(a, b) for a, b in zip(again, weights, strict=True))


def test_the_gradient_of_the_recurrence_is_that_of_keras() -> None:
    tf = tensorflow()
    alone = replace(LSTM, dropout=0.0)
    weights, inputs = alone.initial(2, 2, seed=3), series(30).inputs
    layers = [keras().layers.LSTM(units, return_sequences=True) for units in alone.hidden]
    model = keras().Sequential([keras().Input((None, 2)), *layers, keras().layers.Dense(alone.horizon)])
    model.set_weights(weights)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(inputs[None]) ** 2)
    theirs = tape.gradient(loss, model.trainable_variables)
    stacks = [tf.Variable(each[None]) for each in weights]
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(alone.outputs(stacks, tf.constant(inputs[None, None]), None) ** 2)
    ours = tape.gradient(loss, stacks)
    for mine, other in zip(ours, theirs, strict=True):
        assert np.abs(mine[0] - other).max() < 1e-4 * max(1.0, float(np.abs(other).max()))


def test_the_same_weights_give_the_same_bytes(tmp_path: Path) -> None:
    """Whenever and in whichever process they are saved: Keras alone writes times, counters and addresses."""
    first, second = tmp_path / "first.keras", tmp_path / "second.keras"
    save_recurrent(LSTM, LSTM.initial(2, 2, seed=3), first)
    kept = [keras().layers.LSTM(2) for _ in range(3)]  # counted, and in the way of what comes after
    save_recurrent(LSTM, LSTM.initial(2, 2, seed=3), second)
    assert len(kept) == 3
    assert first.read_bytes() == second.read_bytes()
    code = (
        "import sys; from pathlib import Path; sys.path.append(sys.argv[1])\n"
        "from test_stacked import LSTM, save_recurrent\n"
        "save_recurrent(LSTM, LSTM.initial(2, 2, seed=3), Path(sys.argv[2]))\n"
    )
    third = tmp_path / "third.keras"
    root = Path(__file__).parents[3]
    subprocess.run([sys.executable, "-c", code, str(Path(__file__).parent), str(third)], cwd=root, check=True)
    assert first.read_bytes() == third.read_bytes()


def test_a_file_of_another_network_is_refused(tmp_path: Path) -> None:
    save_recurrent(LSTM, LSTM.initial(2, 2, seed=3), tmp_path / "network.keras")
    with pytest.raises(ArtifactError, match=r"network\.keras"):
        load_recurrent(replace(LSTM, hidden=(6, 6)), tmp_path / "network.keras")


def test_chunks_of_many_sensors_are_what_each_sensor_gives_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recurrent, "CHUNK", 32)
    monkeypatch.setattr(recurrent, "ROWS", 4)
    sensors = [series(n, channels, seed=n).inputs for n, channels in ((400, 2), (31, 1), (33, 3), (130, 2))]
    weights = [LSTM.initial(each.shape[1], each.shape[1], seed=7) for each in sensors]
    phases = [5, 0, 31, 64]
    together = LSTM.forward(weights, sensors, phases)
    for own, inputs, phase, outputs in zip(weights, sensors, phases, together, strict=True):
        assert outputs.shape == (inputs.shape[0], LSTM.horizon)
        assert np.allclose(outputs, LSTM.forward([own], [inputs], [phase])[0], atol=1e-5)


def test_scoring_by_numpy_is_what_the_graph_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    weights, inputs = CONVOLUTION.initial(2, 2, seed=3), series(100).inputs
    expected = graph_outputs(CONVOLUTION, weights, inputs)
    assert np.allclose(CONVOLUTION.predict(weights, inputs), expected, atol=1e-5)
    monkeypatch.setattr(convolution, "ROWS", 16)
    assert np.allclose(CONVOLUTION.predict(weights, inputs), expected, atol=1e-5)


def test_a_convolution_depends_on_the_steps_it_reaches_and_on_no_others() -> None:
    weights, inputs = CONVOLUTION.initial(2, 2, seed=3), series(100).inputs
    before = CONVOLUTION.predict(weights, inputs)
    inputs[50] += 1
    moved = np.flatnonzero(np.any(CONVOLUTION.predict(weights, inputs) != before, axis=1))
    assert moved.min() == 50
    assert moved.max() == 50 + CONVOLUTION.lead == 50 + CONVOLUTION.reach - 1


@every_network
def test_a_sensor_learns_as_if_it_were_alone(network: StackedNetwork) -> None:
    """Whatever the lengths, widths and number of those that share its graph."""
    sensors = [
        series(400, 2, seed=1),
        series(300, 5, seed=2),
        series(350, 1, seed=3),
        series(300, 40, seed=4),
    ]
    together = trained(network, *sensors)
    for sensor, (weights, curve) in zip(sensors, together, strict=True):
        own_weights, own_curve = trained(network, sensor)[0]
        assert [each.shape for each in weights] == [each.shape for each in own_weights]
        # One sensor's matrices alone are multiplied by another routine, which rounds otherwise.
        assert all(np.allclose(a, b, atol=1e-4) for a, b in zip(weights, own_weights, strict=True))
        assert np.allclose([e.loss for e in curve], [e.loss for e in own_curve], rtol=1e-4)


@every_network
def test_places_are_given_to_those_who_wait(network: StackedNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    sensors = [series(300, 2, seed=seed) for seed in range(5)]
    at_once = trained(network, *sensors)
    monkeypatch.setattr(stacked, "PLACES", 2)
    in_turn = trained(network, *sensors)
    assert len(in_turn) == len(at_once) == 5
    for (weights, _), (other, _) in zip(in_turn, at_once, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(weights, other, strict=True))


def tail_loss(network: StackedNetwork, weights: Weights, sensor: Series) -> float:
    first = sensor.split - network.lead
    return validation_loss(network.forward([weights], [sensor.inputs[first:]])[0], first, sensor)


@every_network
def test_each_sensor_stops_by_itself_and_keeps_its_best_weights(network: StackedNetwork) -> None:
    sensors = [series(400, 2, seed=1), series(400, 2, seed=2)]
    long = replace(SCHEDULE, epochs=15, patience=15, learning_rate=0.02)
    short = replace(long, patience=2, least_gain=1e9)
    (weights, curve), (other_weights, other_curve) = [
        result for result in train_many(network, sensors, [long, short], seed=1) if result is not None
    ]
    losses = [epoch.validation_loss for epoch in curve]
    assert (len(curve), len(other_curve)) == (15, 3)
    assert min(losses) < 0.5 * losses[0]
    assert tail_loss(network, weights, sensors[0]) == pytest.approx(min(losses), rel=1e-3)
    # No gain was enough after the first epoch: its weights are kept, whatever the others went on to do.
    kept = tail_loss(network, other_weights, sensors[1])
    assert kept == pytest.approx(other_curve[0].validation_loss, rel=1e-3)


@every_network
def test_the_seed_decides(network: StackedNetwork) -> None:
    first, same, other = (trained(network, series(), seed=seed)[0][0] for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, same, strict=True))
    assert not np.allclose(first[0], other[0])


def test_progress_names_the_sensor_and_a_stop_ends_all() -> None:
    seen: list[tuple[int, int]] = []
    sensors = [series(300, seed=seed) for seed in range(3)]
    train_many(
        CONVOLUTION,
        sensors,
        [SCHEDULE] * 3,
        seed=1,
        progress=lambda who, epoch: seen.append((who, epoch.number)),
    )
    assert sorted(seen) == [(who, number) for who in range(3) for number in range(1, 5)]
    short, long = SCHEDULE, replace(SCHEDULE, crops=40)
    results = train_many(CONVOLUTION, sensors[:2], [short, long], seed=1, stop=lambda: True)
    assert results[0] is not None
    assert len(results[0][1]) == 1
    assert results[1] is None or len(results[1][1]) == 1


def test_an_error_of_one_graph_ends_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(number: int, epoch: Epoch) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        train_many(CONVOLUTION, [series()] * 3, [SCHEDULE] * 3, seed=1, progress=fail)


def test_steps_that_do_not_count_are_not_learned_from() -> None:
    whole = series()
    valid = np.ones(400, dtype=bool)
    valid[100:120] = False
    spoiled = whole.target.copy()
    spoiled[100:120] = 1e6
    weights, _ = trained(CONVOLUTION, Series(whole.inputs, whole.target, valid, whole.split))[0]
    other, _ = trained(CONVOLUTION, Series(whole.inputs, spoiled, valid, whole.split))[0]
    assert all(np.array_equal(a, b) for a, b in zip(weights, other, strict=True))


def test_no_crop_with_enough_valid_steps_is_refused() -> None:
    whole = series()
    with pytest.raises(InsufficientData, match="at least half of them usable"):
        trained(CONVOLUTION, Series(whole.inputs, whole.target, np.arange(400) % 3 == 0, whole.split))


def test_nobody_to_train_is_no_error() -> None:
    assert train_many(CONVOLUTION, [], [], seed=1) == []


def test_dropout_drops_its_share_by_each_sensors_own_seed() -> None:
    tf = tensorflow()
    masks = dropped((3, 4, 50, 20), 0.3, tf.constant([7, 8, 7], tf.uint32)).numpy()
    assert (masks == 0).mean() == pytest.approx(0.3, abs=0.02)
    assert np.unique(masks).tolist() == pytest.approx([0, 1 / 0.7])
    assert np.array_equal(masks[0], masks[2])
    assert np.corrcoef(masks[0].ravel(), masks[1].ravel())[0, 1] == pytest.approx(0, abs=0.05)


def test_the_rate_falls_to_its_last_share() -> None:
    schedule = replace(SCHEDULE, final_rate=0.25)
    rates = [schedule.rate(update) for update in range(schedule.updates * schedule.epochs)]
    assert rates[0] == pytest.approx(0.01)
    assert rates[-1] == pytest.approx(0.0025)
    assert np.all(np.diff(rates) < 0)
    assert replace(SCHEDULE, final_rate=1.0).rate(17) == 0.01
