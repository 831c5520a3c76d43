"""Where trainings are, in a file a learner after each epoch: one that was interrupted goes on from there.

A file is the SHA-256 of what follows, and an npz of arrays and one JSON text, which no reader can take for
code. It is written aside, synced and renamed, so that a kill leaves the one before or the new one, whole.
"""

import hashlib
import io
import json
import logging
import os
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.networks.graph import TrainState
from core.networks.stack import Weights

FORMAT: Final = 1
"""Of the files; one of another format is not read."""

_DIGEST: Final = hashlib.sha256().digest_size

_UNREADABLE: Final = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    OverflowError,
    RuntimeError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What files raise that nobody should have made, by way of zipfile, numpy and json."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """The whole state of one learner between two epochs.

    Parameters
    ----------
    state
        Weights and optimizer.
    best
        The weights of the best epoch.
    best_loss
        Its validation loss.
    curve
        (epochs, 2) training and validation loss of each epoch, in scaled units.
    waited
        Epochs since the best one.
    updates
        Updates made.
    generator
        State of the generator of crops and dropout, as numpy gives it.
    """

    state: TrainState
    best: Weights
    best_loss: float
    curve: NDArray[np.float64]
    waited: int
    updates: int
    generator: Mapping[str, Any]


class Checkpoints:
    """A folder with the last checkpoint of each learner of one fit.

    What can't be read, or belongs to another training, is ignored with a warning in the log. A checkpoint
    that can't be written is a warning too: the training itself does not need it.

    Parameters
    ----------
    folder
        Made when the first one is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, number: int, checkpoint: Checkpoint, fingerprint: str) -> None:
        """Replace the checkpoint of a learner.

        Parameters
        ----------
        number
            Position of the learner among those trained.
        checkpoint
            What to keep.
        fingerprint
            Of network, schedule, seed and data.
        """
        path = self.path(number)
        # A name of its own: another process may still write this learner's until it is told to end.
        part = path.with_suffix(f".{os.getpid()}.partial")
        content = _packed(checkpoint, fingerprint)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                file.write(hashlib.sha256(content).digest())
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except OSError as error:
            _log.warning("%s: this epoch's checkpoint can't be written (%s); training goes on", path, error)
            with suppress(OSError):
                part.unlink(missing_ok=True)

    def read(self, number: int, fingerprint: str, like: Weights) -> Checkpoint | None:
        """Return the checkpoint of a learner; None if there is none that fits.

        Parameters
        ----------
        number, fingerprint
            As in `write`.
        like
            Arrays shaped as the weights must be.
        """
        path = self.path(number)
        try:
            for left in self.folder.glob(f"{path.stem}.*.partial"):
                left.unlink(missing_ok=True)  # of a process that was killed while it wrote
            found = _opened(path.read_bytes(), fingerprint, like)
        except FileNotFoundError:
            return None
        except _UNREADABLE as error:
            _log.warning(
                "%s: this checkpoint is ignored and training starts from the beginning: %s", path, error
            )
            return None
        _log.info("%s: training goes on after epoch %d", path, found.curve.shape[0])
        return found

    def path(self, number: int) -> Path:
        """Return the file of a learner."""
        return self.folder / f"learner-{number}.checkpoint"


def _packed(checkpoint: Checkpoint, fingerprint: str) -> bytes:
    text = {
        "format": FORMAT,
        "fingerprint": fingerprint,
        "steps": checkpoint.state.steps,
        "waited": checkpoint.waited,
        "updates": checkpoint.updates,
        "generator": checkpoint.generator,
    }
    arrays: dict[str, NDArray[Any]] = {
        "text": np.frombuffer(json.dumps(text).encode(), dtype=np.uint8),
        "curve": checkpoint.curve,
        "best_loss": np.array(checkpoint.best_loss, dtype=np.float64),
    }
    # One row each: an npz of some dozen arrays takes three times as long.
    state = checkpoint.state
    stacks = (state.weights, state.means, state.squares, checkpoint.best)
    arrays["stacks"] = np.stack([np.concatenate([each.ravel() for each in stack]) for stack in stacks])
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()


def _opened(content: bytes, fingerprint: str, like: Weights) -> Checkpoint:
    """Return what `_packed` made; errors of any kind where it is damaged or of another training."""
    if hashlib.sha256(content[_DIGEST:]).digest() != content[:_DIGEST]:
        raise ValueError("it is damaged")
    with np.load(io.BytesIO(content[_DIGEST:]), allow_pickle=False) as stored:
        arrays = dict(stored)
    text = json.loads(arrays["text"].tobytes())
    if (text["format"], text["fingerprint"]) != (FORMAT, fingerprint):
        raise ValueError("it is of other data, parameters, seed or software")

    stacks, ends = arrays["stacks"], np.cumsum([each.size for each in like])
    if stacks.shape != (4, ends[-1]) or stacks.dtype != np.float32:
        raise ValueError("its weights are of another network")
    weights, means, squares, best = (
        [part.reshape(each.shape) for part, each in zip(np.split(row, ends[:-1]), like, strict=True)]
        for row in stacks
    )
    np.random.PCG64(0).state = text["generator"]  # refuses what is no state
    curve = arrays["curve"]
    if curve.ndim != 2 or curve.shape[1] != 2 or curve.dtype != np.float64:
        raise ValueError("its curve has another shape")
    return Checkpoint(
        state=TrainState(weights, means, squares, int(text["steps"])),
        best=best,
        best_loss=float(arrays["best_loss"]),
        curve=curve,
        waited=int(text["waited"]),
        updates=int(text["updates"]),
        generator=text["generator"],
    )
