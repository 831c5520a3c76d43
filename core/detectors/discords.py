"""Windows unlike any other: the distance of each window to the nearest one that was seen before.

A discord is the window of a series whose nearest neighbour is farthest (Keogh, Lin and Fu, "HOT SAX", ICDM
2005); looking to the left alone makes it causal (Lu et al., "Matrix Profile XXIV", KDD 2022). Here a
window may be told by its values, its shape or figures that sum it up, and the training part always belongs
to what was seen. Distances are products of matrices: no training, seconds for a fleet.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar, Final, Literal, Self, get_args

import numpy as np

from core.detectors.folders import read_arrays, read_json, write_arrays, write_json
from core.detectors.nearest import Seen, nearest
from core.detectors.scaling import Scaling
from core.detectors.window_views import LEAST_DEVIATION, VIEWS, View, view_of
from core.errors import ArtifactError, InsufficientData, NotFitted, ParameterError
from core.imputation.hold import hold_last
from core.networks.training import Progress, Stop
from core.results import Mode, Scores
from core.signal import Floats, Signal

Seeing = Literal["training", "past", "whole"]
"""Which windows count as seen: those of the training part; also those that ended before a window began;
also those that begin after it ended, which needs the review mode."""

LIMIT: Final = 100.0
"""Scaled readings beyond this are equally far, so that no distance overflows."""


@dataclass(frozen=True)
class DiscordParameters:
    """Parameters of the distances.

    Parameters
    ----------
    view, window
        What of a window is compared, and its steps.
    seeing
        Which windows count as seen.
    mode
        ``causal``: a step is told by the window that ends at it; ``review``: by the one around it.
    stride
        Steps between the windows that are kept as seen.
    training, history
        Most training windows kept, spread evenly, and steps of the signal's own past, or on either side,
        that are looked at.

    Raises
    ------
    ParameterError
        A parameter is outside its range, or the whole signal would be seen in causal mode.
    """

    view: View = "figures"
    window: int = 50
    seeing: Seeing = "past"
    mode: Mode = "causal"
    stride: int = 8
    training: int = 1500
    history: int = 10_000

    def __post_init__(self) -> None:
        if self.view not in VIEWS or self.seeing not in get_args(Seeing) or self.mode not in get_args(Mode):
            raise ParameterError(
                f"discords: unknown view, seeing or mode: {self.view}, {self.seeing}, {self.mode}"
            )
        if self.window < 4 or min(self.stride, self.training) < 1 or self.history < self.window:
            raise ParameterError(f"discords: window, stride, training or history out of range: {self}")
        if self.seeing == "whole" and self.mode == "causal":
            raise ParameterError("discords: seeing the whole signal is no causal mode; use seeing='past'")


class Discords:
    """The distance to the nearest window seen, in scaled units.

    Parameters
    ----------
    parameters
        See `DiscordParameters`.
    """

    name: ClassVar[str] = "discords"
    title: ClassVar[str] = "Unlike anything seen"

    def __init__(self, parameters: DiscordParameters | None = None) -> None:
        self.parameters = parameters or DiscordParameters()
        self._learned: _Learned | None = None

    @property
    def mode(self) -> Mode:
        """Whether a step is judged from the past alone."""
        return self.parameters.mode

    @property
    def needed(self) -> int:
        """Usable steps that fitting needs: two windows that do not overlap, and some more."""
        return 2 * self.parameters.window + 20

    @property
    def warmup(self) -> int:
        """Steps of the first window but the last."""
        return self.parameters.window - 1

    @property
    def memory(self) -> int:
        """One window and the steps until the next is asked for, and the history where it is looked at."""
        p = self.parameters
        return p.window + _step(p.window) + (0 if p.seeing == "training" else p.history)

    @property
    def normal(self) -> Floats:
        """(m,) distances of the training part's windows to its others, in order of time; no NaN."""
        return self._fitted().normal

    def fit(self, signal: Signal, *, progress: Progress | None = None, stop: Stop | None = None) -> Self:
        """Keep windows of the training part; see `Detector.fit`. There are no epochs to report."""
        del progress
        learned_from = signal.valid & np.isfinite(signal.target)
        p, usable = self.parameters, int(learned_from.sum())
        if usable < self.needed:
            raise InsufficientData(
                f"{signal.channels[0]}: comparing windows of {p.window} steps",
                needed=self.needed,
                found=usable,
            )
        scaling = Scaling.of(signal)
        target = scaling.apply(signal.values, LIMIT)[:, 0]
        # What must not be learned from is cut out; the seams make a few odd windows, which only forgive.
        target = target[learned_from]
        middle = float(np.median(target))
        rows = view_of(target, p.window, p.view, middle)
        width = np.ones(rows.shape[1], np.float32)
        if p.view in {"figures", "spread"}:
            width = np.maximum(rows.std(axis=0), np.float32(LEAST_DEVIATION))
        rows = rows / width
        at = np.arange(rows.shape[0])
        stride = max(p.stride, -(-rows.shape[0] // p.training))
        kept, asked = rows[::stride], at[:: max(p.stride // 2, 1)]
        middle_row = kept.mean(axis=0)
        seen = Seen(kept - middle_row, at[::stride])
        asked_rows = rows[asked] - middle_row
        normal = nearest(asked_rows, asked, seen, gap=p.window, before=None, after=None, stop=stop)
        normal = np.repeat(normal, max(p.stride // 2, 1))[: rows.shape[0]]
        # In a short part, the windows in its middle overlap all others.
        normal = normal[np.isfinite(normal)]
        self._learned = _Learned(scaling, middle, width, kept, normal, signal.channels)
        return self

    def score(self, signal: Signal) -> Scores:
        """Return the distances; see `Detector.score`."""
        return self.score_newest(signal, 0)

    def score_newest(self, signal: Signal, first: int) -> Scores:
        """Return the distances from a step on; see `LooksFarBack.score_newest`."""
        p, learned, n = self.parameters, self._fitted(), len(signal)
        if signal.channels != learned.channels:
            raise ParameterError(
                f"{signal.channels[0]}: the windows are of the channels {', '.join(learned.channels)}"
            )
        if n <= self.warmup:
            raise InsufficientData(
                f"{signal.channels[0]}: comparing windows of {p.window} steps",
                needed=self.warmup + 1,
                found=n,
            )
        values = self._distances(self.scaled(signal), signal.phase, first)
        values[~signal.valid | ~np.isfinite(signal.target)] = np.nan
        return Scores(
            timestamps=signal.timestamps,
            values=values.astype(np.float32),
            expected=np.full(n, np.nan, np.float32),
            shares=None,
            mode=self.mode,
        )

    def scaled(self, signal: Signal) -> Floats:
        """Return the (n,) target in scaled units, the unit of the distances."""
        return self._fitted().scaling.apply(signal.values, LIMIT)[:, 0]

    def save(self, folder: Path) -> None:
        """Write ``windows.npz``, ``scaling.npz`` and ``parameters.json``."""
        learned = self._fitted()
        arrays = {"width": learned.width, "rows": learned.rows, "normal": learned.normal}
        write_arrays(folder / "windows.npz", arrays)
        learned.scaling.save(folder / "scaling.npz")
        content = {"method": self.name, "parameters": asdict(self.parameters), "middle": learned.middle}
        write_json(folder / "parameters.json", content | {"channels": list(learned.channels)})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; see `Detector.load`."""
        content = read_json(folder / "parameters.json", cls.name)
        arrays = read_arrays(folder / "windows.npz", ("width", "rows", "normal"))
        try:
            detector = cls(DiscordParameters(**content["parameters"]))
            channels, middle = tuple(content["channels"]), float(content["middle"])
        except (KeyError, TypeError, ValueError, ParameterError) as error:
            raise ArtifactError(f"{folder}: parameters are incomplete ({error})") from error
        scaling = Scaling.load(folder / "scaling.npz")
        detector._learned = _Learned(
            scaling, middle, arrays["width"], arrays["rows"], arrays["normal"], channels
        )
        return detector

    def _distances(self, target: Floats, phase: int, first: int) -> Floats:
        """Return (n,) distances, NaN before the first window ends, and before the step `first`."""
        p, learned = self.parameters, self._fitted()
        filled = hold_last(target, target.shape[0])
        known = int(np.argmax(np.isfinite(filled))) if np.isfinite(filled).any() else 0
        filled = np.nan_to_num(filled, nan=float(filled[known]) if np.isfinite(filled[known]) else 0.0)
        # About the middle of training, which no later step moves; see `nearest`.
        middle_row = learned.rows.mean(axis=0)
        rows = view_of(filled, p.window, p.view, learned.middle) / learned.width - middle_row
        at = np.arange(rows.shape[0])
        # Long windows change slowly: every few steps are asked for, on an absolute grid, so that a step's
        # distance does not depend on where the signal was cut.
        # The first window is asked for in any case: until the grid's first, no later one may tell.
        asked = at[((at + phase) % _step(p.window) == 0) | (at == 0)]
        if p.mode == "causal":
            newest = max(first - (p.window - 1), 0)
            asked = asked[np.searchsorted(asked, newest, side="right") - 1 :]
        training = Seen(learned.rows - middle_row, None)
        found = nearest(rows[asked], asked, training, gap=p.window, before=None, after=None)
        if p.seeing != "training":
            kept = (at + phase) % p.stride == 0
            own = Seen(rows[kept], at[kept])
            after = p.history if p.seeing == "whole" else 0
            found = np.minimum(
                found, nearest(rows[asked], asked, own, gap=p.window, before=p.history, after=after)
            )
        values = np.full(target.shape[0], np.nan)
        if p.mode == "causal":
            # Until the next window is asked for, the last one tells.
            held = found[np.maximum(np.searchsorted(asked, at, side="right") - 1, 0)]
            values[p.window - 1 :] = held
            values[:first] = np.nan
            return values
        centre = asked + p.window // 2
        steps = np.arange(target.shape[0])
        values[:] = np.interp(steps, centre, found)
        values[: max(self.warmup, first)] = np.nan
        return values

    def _fitted(self) -> "_Learned":
        if self._learned is None:
            raise NotFitted("the windows of the training part were not kept yet: fit first")
        return self._learned


def _step(window: int) -> int:
    """Return the steps from one window that is asked for to the next."""
    return max(window // 25, 1)


@dataclass(frozen=True, eq=False)
class _Learned:
    """What `fit` keeps: the unit of each column of a view, the windows seen, and their own distances."""

    scaling: Scaling
    middle: float
    width: Floats
    rows: Floats
    normal: Floats
    channels: tuple[str, ...]
