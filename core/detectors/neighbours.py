"""The similarity detector: a window is strange if the training part holds none like it.

Windows of several lengths are compared with a fixed sample of the training part's, in the views of
`core.detectors.window_distance`. A step is judged by the windows that end at it (causal) or by all that cover
it (review).
Sources: discords, Keogh et al., "HOT SAX", ICDM 2005; matrix profile, Yeh et al., ICDM 2016.
"""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import ClassVar, Final, Self

import numpy as np
from numpy.typing import NDArray

from core.detectors.folders import read_arrays, read_json, write_arrays, write_json
from core.detectors.scaling import Scaling
from core.detectors.window_distance import (
    VIEWS,
    Doubles,
    View,
    Windows,
    distances,
    moving_mean,
    nearest_rates,
    over_covering,
    rates,
)
from core.errors import ArtifactError, InsufficientData, NotFitted, ParameterError
from core.imputation.hold import hold_last
from core.networks.training import Progress, Stop
from core.results import Mode, Scores
from core.signal import Floats, Signal

TARGET_LIMIT: Final = 1e6
"""Deviations beyond so many standard deviations of the training part are equally strange."""

CONTEXT_LIMIT: Final = 3.0
"""Scaled values of context beyond this look the same."""

STILL: Final = 1e-3
"""Least standard deviation, as a share of the mean reading: a departure from a constant has a size."""

_LEAST_STEPS: Final = 120


@dataclass(frozen=True)
class NeighboursParameters:
    """Parameters of the similarity detector.

    Parameters
    ----------
    mode
        ``causal``: a step is judged by windows that end at it; ``review``: by those that cover it.
    lengths
        Lengths of windows, in steps. A length is left out where the training part holds fewer unbroken
        windows of it than such a window has steps.
    views
        How windows are seen, see `core.detectors.window_distance.VIEWS`.
    references
        Most training windows of each length that are compared with.
    context_weight
        Weight of the distance between mean context readings of windows; 0 leaves context out.
    smoothing
        Steps over which the score is averaged: around a step in review mode, before it in causal mode.
    hold
        Steps for which the last reading stands in for a missing one while training.

    Raises
    ------
    ParameterError
        A parameter is outside its range.
    """

    mode: Mode = "causal"
    lengths: tuple[int, ...] = (8, 40, 80, 160)
    views: tuple[View, ...] = ("shape", "profile")
    references: int = 256
    context_weight: float = 0.0
    smoothing: int = 1
    hold: int = 30

    def __post_init__(self) -> None:
        object.__setattr__(self, "lengths", tuple(self.lengths))
        object.__setattr__(self, "views", tuple(self.views))
        wrong = ["mode"] if self.mode not in {"causal", "review"} else []
        if not self.lengths or min(self.lengths) < 2 or list(self.lengths) != sorted(set(self.lengths)):
            wrong.append("lengths")
        if not self.views or len(set(self.views)) < len(self.views) or not set(self.views) <= set(VIEWS):
            wrong.append("views")
        wrong += [name for name in ("references", "smoothing") if getattr(self, name) < 1]
        wrong += [name for name in ("context_weight", "hold") if not getattr(self, name) >= 0]
        if wrong:
            values = ", ".join(f"{name}={getattr(self, name)}" for name in wrong)
            raise ParameterError(f"neighbours: out of range: {values}")


@dataclass(frozen=True, eq=False)
class _Learned:
    scaling: Scaling
    windows: dict[int, Windows]
    contexts: dict[int, Doubles]  # (references, context channels) mean readings; empty without weight
    channels: tuple[str, ...]


class Neighbours:
    """The similarity detector; its score is a mean distance in standard deviations of the training part.

    Parameters
    ----------
    parameters
        See `NeighboursParameters`.
    seed
        Chooses the training windows that are kept.
    """

    name: ClassVar[str] = "neighbours"
    title: ClassVar[str] = "Similarity to training windows"

    def __init__(self, parameters: NeighboursParameters | None = None, *, seed: int = 0) -> None:
        self.parameters = parameters or NeighboursParameters()
        self.seed = seed
        self._learned: _Learned | None = None

    @property
    def mode(self) -> Mode:
        """Whether it judges a step from the past alone."""
        return self.parameters.mode

    @property
    def needed(self) -> int:
        """Usable steps that fitting needs: twice the shortest window."""
        return max(_LEAST_STEPS, 2 * self.parameters.lengths[0])

    @property
    def warmup(self) -> int:
        """Steps at the start that are not judged: the longest window; none in review mode."""
        return self.parameters.lengths[-1] if self.mode == "causal" else 0

    @property
    def memory(self) -> int:
        """The longest window and the smoothing."""
        return self.parameters.lengths[-1] + self.parameters.smoothing

    def fit(self, signal: Signal, *, progress: Progress | None = None, stop: Stop | None = None) -> Self:
        """Keep a sample of the training part's windows; see `Detector.fit`. It has no epochs."""
        del progress
        p, name, usable = self.parameters, signal.channels[0], int(signal.valid.sum())
        if usable < self.needed:
            raise InsufficientData(
                f"{name}: fitting the similarity detector", needed=self.needed, found=usable
            )
        scaling = _scaling(signal)
        read = hold_last(np.where(signal.valid, signal.target, np.float32(np.nan)), p.hold)
        target, context = self._filled(signal, scaling)
        gaps = np.cumsum(np.r_[0, ~np.isfinite(read)])
        windows, contexts = {}, {}
        for length in p.lengths:
            if stop is not None:
                stop()
            starts = np.flatnonzero(gaps[length:] == gaps[:-length])
            if starts.size < length:
                break
            if starts.size > p.references:
                # Each length chooses by itself: which others there are makes no difference.
                choose = np.random.default_rng([self.seed, length])
                starts = np.sort(choose.choice(starts, p.references, replace=False))
            windows[length] = Windows.of(target, length, starts)
            if p.context_weight > 0 and context.shape[1]:
                contexts[length] = rates(context, length)[starts]
        if not windows:
            raise InsufficientData(
                f"{name}: the training part has gaps everywhere, and one unbroken stretch to compare with",
                needed=2 * p.lengths[0],
                found=_longest(np.isfinite(read)),
            )
        self._learned = _Learned(scaling, windows, contexts, signal.channels)
        return self

    def score(self, signal: Signal) -> Scores:
        """Score the signal; see `Detector.score`. It predicts nothing, so `expected` is NaN.

        In review mode a signal shorter than the shortest window is refused, too.
        """
        learned, n = self._fitted(signal), len(signal)
        least = max(self.warmup + 1, min(learned.windows))
        if n < least:
            raise InsufficientData(
                f"{signal.channels[0]}: scoring with the similarity detector", needed=least, found=n
            )
        values = np.full(n, np.nan)
        if signal.valid.any() and np.isfinite(signal.target[signal.valid]).any():
            values = self._smoothed(self._strangeness(signal, learned))
        values[: self.warmup] = np.nan
        values[~(signal.valid & np.isfinite(signal.target))] = np.nan
        return Scores(
            timestamps=signal.timestamps,
            values=values.astype(np.float32),
            expected=np.full(n, np.nan, dtype=np.float32),
            shares=None,
            mode=self.mode,
        )

    def scaled(self, signal: Signal) -> Floats:
        """Return the (n,) target in standard deviations of the training part, the unit of the score."""
        return self._fitted(signal).scaling.apply(signal.values, TARGET_LIMIT)[:, 0]

    def save(self, folder: Path) -> None:
        """Write ``parameters.json`` and ``windows.npz``."""
        if self._learned is None:
            raise NotFitted("neighbours: fit it before saving")
        learned = self._learned
        content = {"method": self.name, "seed": self.seed, "channels": list(learned.channels)}
        content |= {"lengths": list(learned.windows), "context": bool(learned.contexts)}
        write_json(folder / "parameters.json", content | {"parameters": asdict(self.parameters)})
        arrays = {"centre": learned.scaling.centre, "scale": learned.scaling.scale}
        for length, one in learned.windows.items():
            arrays |= {f"{part}_{length}": getattr(one, part) for part in ("rest", "slope", "level")}
        arrays |= {f"context_{length}": one for length, one in learned.contexts.items()}
        write_arrays(folder / "windows.npz", arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; see `Detector.load`."""
        content = read_json(folder / "parameters.json", cls.name)
        try:
            detector = cls(NeighboursParameters(**content["parameters"]), seed=content["seed"])
            lengths, channels = [int(one) for one in content["lengths"]], tuple(content["channels"])
            kinds = ("rest", "slope", "level") + (("context",) if content["context"] else ())
        except (KeyError, TypeError, ParameterError) as error:
            raise ArtifactError(f"{folder}: parameters are incomplete ({error})") from error
        names = tuple(f"{kind}_{length}" for length in lengths for kind in kinds)
        arrays = read_arrays(folder / "windows.npz", ("centre", "scale", *names))
        detector._learned = _Learned(
            Scaling(arrays["centre"], arrays["scale"]),
            {one: Windows(*(arrays[f"{kind}_{one}"] for kind in kinds[:3])) for one in lengths},
            {one: arrays[f"context_{one}"] for one in lengths if content["context"]},
            channels,
        )
        return detector

    def _strangeness(self, signal: Signal, learned: _Learned) -> Doubles:
        """Return (n,) distances, averaged over the lengths that reach back far enough."""
        p, n = self.parameters, len(signal)
        target, context = self._filled(signal, learned.scaling)
        total, count = np.zeros(n), np.zeros(n)
        for length, references in learned.windows.items():
            if length > n:
                break
            found = distances(target, references, p.views)
            if length in learned.contexts:
                found += p.context_weight * nearest_rates(rates(context, length), learned.contexts[length])
            if p.mode == "review":
                total += over_covering(found, n, length)
                count += 1
            else:
                total[length - 1 :] += found
                count[length - 1 :] += 1
        return total / np.maximum(count, 1)

    def _smoothed(self, values: Doubles) -> Doubles:
        span = self.parameters.smoothing
        after = (span - 1) // 2 if self.mode == "review" else 0
        return moving_mean(values, span - 1 - after, after) if span > 1 else values

    def _filled(self, signal: Signal, scaling: Scaling) -> tuple[Doubles, Doubles]:
        """Return the scaled (n,) target and (n, context) columns, gaps held; excluded steps count as gaps."""
        values = signal.values
        if not signal.valid.all():
            values = values.copy()
            values[~signal.valid, 0] = np.nan
        values = _held(values)
        target = scaling.apply(values, TARGET_LIMIT)[:, 0].astype(np.float64)
        context = scaling.apply(values, CONTEXT_LIMIT)[:, 1:].astype(np.float64)
        return target, context

    def _fitted(self, signal: Signal) -> _Learned:
        if self._learned is None:
            raise NotFitted(f"{signal.channels[0]}: the similarity detector was not fitted yet")
        if signal.channels != self._learned.channels:
            raise ParameterError(
                f"{signal.channels[0]}: the similarity detector was fitted on the channels "
                f"{', '.join(self._learned.channels)}"
            )
        return self._learned


def _scaling(signal: Signal) -> Scaling:
    """Return the scaling of context as everywhere, and of the target by its standard deviation."""
    usual = Scaling.of(signal)
    readings = signal.target[signal.valid & np.isfinite(signal.target)].astype(np.float64)
    centre, scale = usual.centre.copy(), usual.scale.copy()
    centre[0] = readings.mean()
    scale[0] = max(float(readings.std()), STILL * max(abs(float(centre[0])), 1.0))
    return replace(usual, centre=centre, scale=scale)


def _held(values: Floats) -> Floats:
    """Return (n, channels) without gaps: the last reading, before the first one that one, 0 without any."""
    held = hold_last(values, values.shape[0])
    known = np.isfinite(held)
    first = np.where(known.any(axis=0), held[known.argmax(axis=0), np.arange(held.shape[1])], np.float32(0))
    return np.where(known, held, first).astype(np.float32)


def _longest(known: NDArray[np.bool_]) -> int:
    """Return the length of the longest run of True."""
    edges = np.flatnonzero(np.diff(np.r_[False, known, False].astype(np.int8)))
    return int((edges[1::2] - edges[::2]).max(initial=0))
