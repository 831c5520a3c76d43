"""What the detectors of a causal panel said of the newest steps, so that a new step costs little.

A step is judged by scores of a long past. Those of the past don't change as long as its readings don't, so
they are kept, and the detectors are asked for the new steps alone.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from core.detectors.contract import Detector, LooksFarBack
from core.ensembles.panel import Panel
from core.errors import ArtifactError
from core.results import Scores
from core.signal import Floats, Signal, Times

LEAD: Final = 1024
"""Steps that a detector is given beyond its memory: what some cut on an absolute grid is then cut alike."""

_ARRAYS: Final = ("timestamps", "readings", "names", "values", "predictors", "expected")


@dataclass(frozen=True, eq=False)
class Recalled:
    """Scores of the newest steps of one sensor.

    Parameters
    ----------
    timestamps
        (n,) the steps.
    readings
        SHA-256 of what was read there, see `digest`.
    values, expected
        By the detector's name, (n,) what it said, and what it expected if it predicts.
    """

    timestamps: Times
    readings: str
    values: Mapping[str, Floats]
    expected: Mapping[str, Floats]

    @classmethod
    def of(cls, panel: Panel, signal: Signal, scores: Mapping[str, Scores]) -> Self:
        """Keep of scores of a whole signal what judging the next steps may depend on."""
        newest = slice(max(0, len(signal) - kept_steps(panel)), None)
        part = signal.slice(newest.start, len(signal))
        values = {name: one.values[newest] for name, one in scores.items()}
        predicted = {name: one.expected[newest] for name, one in scores.items()}
        expected = {name: one for name, one in predicted.items() if np.isfinite(one).any()}
        return cls(part.timestamps, digest(part), values, expected)

    def fits(self, signal: Signal) -> bool:
        """Return whether a signal begins with the same steps and readings."""
        known = signal.slice(0, len(self.timestamps))
        return np.array_equal(known.timestamps, self.timestamps) and digest(known) == self.readings

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all of it as arrays by name."""
        empty = np.empty((0, len(self.timestamps)), np.float32)
        return {
            "timestamps": self.timestamps.astype("datetime64[us]").astype(np.int64),
            "readings": np.array(self.readings),
            "names": np.array(list(self.values), np.str_),
            "values": np.stack([*self.values.values()]) if self.values else empty,
            "predictors": np.array(list(self.expected), np.str_),
            "expected": np.stack([*self.expected.values()]) if self.expected else empty,
        }

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names of the arrays."""
        return _ARRAYS

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Return what `arrays` told.

        Raises
        ------
        ArtifactError
            Their shapes disagree.
        """
        n = arrays["timestamps"].size
        for names, said in (("names", "values"), ("predictors", "expected")):
            if arrays[said].shape != (arrays[names].size, n):
                raise ArtifactError(f"remembered scores: {said} of shape {arrays[said].shape} for {n} steps")
        values, expected = (
            {str(name): one.astype(np.float32) for name, one in zip(arrays[names], arrays[said], strict=True)}
            for names, said in (("names", "values"), ("predictors", "expected"))
        )
        timestamps = arrays["timestamps"].astype("datetime64[us]")
        return cls(timestamps, str(arrays["readings"]), values, expected)


def digest(signal: Signal) -> str:
    """Return the SHA-256 of a signal's steps and readings, of which all that are missing are alike."""
    read = np.where(np.isnan(signal.values), np.float32(np.nan), signal.values)
    told = hashlib.sha256("\n".join(signal.channels).encode("utf-8"))
    for part in (signal.timestamps.astype("datetime64[us]").astype(np.int64), read, signal.valid):
        told.update(np.ascontiguousarray(part).tobytes())
    return told.hexdigest()


def settled_steps(panel: Panel) -> int:
    """Return after how many steps more nothing of an event changes but its end."""
    return 2 * (panel.panel.voters.longest + panel.panel.gap)


def kept_steps(panel: Panel) -> int:
    """Return the steps whose scores are kept."""
    farthest = max(one.memory for one in panel.detectors.values()) + LEAD
    return max(panel.panel.recall + settled_steps(panel) + 2, farthest)


def continued(panel: Panel, signal: Signal, recalled: Recalled) -> dict[str, Scores]:
    """Return what each detector says of a signal that begins with what is recalled: see `Recalled.fits`.

    Detectors are asked for the steps that follow it alone; one that was too short of data before is asked
    for all, if it is not any more.
    """
    known, n = len(recalled.timestamps), len(signal)
    scores: dict[str, Scores] = {}
    for name, detector in panel.detectors.items():
        if name not in recalled.values:
            continue
        values = recalled.values[name]
        expected = recalled.expected.get(name, np.full(known, np.nan, np.float32))
        if n > known:
            fresh = _newest(detector, signal, known)
            values = np.concatenate([values, fresh.values[known - n :]])
            expected = np.concatenate([expected, fresh.expected[known - n :]])
        scores[name] = Scores(signal.timestamps, values, expected, None, detector.mode)
    return panel.scores(signal, scores)


def _newest(detector: Detector, signal: Signal, first: int) -> Scores:
    start = max(0, first - detector.memory - LEAD)
    part = signal.slice(start, len(signal))
    if isinstance(detector, LooksFarBack):
        return detector.score_newest(part, first - start)
    return detector.score(part)
