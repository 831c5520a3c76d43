"""Trains two networks one after the other in a process of its own, to be killed.

Arguments: the folder of checkpoints, and in which of its writes to halt, if in any. Prints ``ready`` once
tensorflow is loaded and waits for a line on standard input; then each epoch as ``NETWORK NUMBER``, ``done``
and a SHA-256 of what was learned; ``writing`` where it halts, with a file that is written and not named.
"""

import hashlib
import itertools
import os
import sys
from datetime import timedelta
from pathlib import Path

import numpy as np

from core.detectors.telemanom import Telemanom, TelemanomParameters
from core.detectors.temporal_convolution import ConvolutionParameters, TemporalConvolution
from core.ensembles.members import fitted
from core.networks.engine import tensorflow
from core.networks.training import Epoch
from core.signal import Signal

EACH = 20
CONVOLUTION = ConvolutionParameters(epochs=EACH, patience=EACH, least_crops=40, most_crops=40)
LSTM = TelemanomParameters(
    hidden=(12,), window=60, epochs=EACH, patience=EACH, batch=8, least_crops=80, most_crops=80
)
EPOCHS = [(name, number) for name in ("convolution", "lstm") for number in range(1, EACH + 1)]


def signal() -> Signal:
    """Return a noisy wave with a context channel."""
    n, rng = 2500, np.random.default_rng(5)
    values = np.sin(np.arange(n)[:, None] / np.array([9.0, 31.0])) + rng.normal(0, 0.1, (n, 2))
    return Signal(
        timestamps=np.datetime64("2024-03-01", "us") + np.arange(n) * np.timedelta64(1, "m"),
        values=values.astype(np.float32),
        channels=("flow", "speed"),
        units=("l/s", "rpm"),
        interval=timedelta(minutes=1),
        valid=np.arange(n) % 400 > 20,
    )


def say(what: object) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def halt_in(write: int) -> None:
    """Halt in a write of checkpoints, counted from 1."""
    sync, writes = os.fsync, itertools.count(1)

    def halting(descriptor: int) -> None:
        sync(descriptor)
        if next(writes) == write:
            say("writing")
            sys.stdin.readline()

    os.fsync = halting


def main(folder: str, halt: str = "0") -> None:
    tensorflow()
    halt_in(int(halt))
    say("ready")
    sys.stdin.readline()
    digest = hashlib.sha256()
    networks = {"convolution": TemporalConvolution(CONVOLUTION, seed=1), "lstm": Telemanom(LSTM, seed=1)}
    for name, detector in networks.items():

        def progress(epoch: Epoch, name: str = name) -> None:
            say(f"{name} {epoch.number}")

        fitted(detector, signal(), progress=progress, stop=None, checkpoints=Path(folder) / name)
        assert detector.learned is not None
        for each in detector.learned.weights:
            digest.update(each.tobytes())
        digest.update(repr(detector.history).encode())
    say("done")
    say(digest.hexdigest())


if __name__ == "__main__":
    main(*sys.argv[1:])
