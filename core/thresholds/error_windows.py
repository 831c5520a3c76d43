"""Windows of errors held against a bar of their own: what Telemanom's dynamic threshold does step by step.

Source: Hundman et al., KDD 2018, https://arxiv.org/abs/1802.04431, sections 3.2 and 3.3, with the
constants of the published experiments; see `core.thresholds.dynamic`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import ParameterError
from core.signal import Mask
from core.thresholds.intervals import runs, widened

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class DynamicParameters:
    """Constants of the published experiments.

    Parameters
    ----------
    batch, batches
        Steps by which the window slides, and how many such make a window.
    lowest_z, highest_z, step_z
        Tried numbers of deviations, the highest excluded.
    buffer
        Steps around a step above the bar that belong to its sequence.
    pruning
        Least relative drop from a sequence's maximum to the next lower one.
    history
        Steps at the start whose scores are replaced by their surroundings' mean.
    least_share, least_error
        Errors below this share of the window's 5 to 95 % range of the target, or windows whose errors
        never exceed `least_error` scaled units, raise nothing.
    everywhere
        Judge the published blind spots too: the first steps of the first window, which then keep their own
        scores (a detector that warms up says NaN there anyway), and what is left between the last batch and
        the window before it. ``False`` finds the published sequences.

    Raises
    ------
    ParameterError
        A constant is outside its range.
    """

    batch: int = 70
    batches: int = 30
    lowest_z: float = 2.5
    highest_z: float = 12.0
    step_z: float = 0.5
    buffer: int = 100
    pruning: float = 0.13
    history: int = 250
    least_share: float = 0.05
    least_error: float = 0.05
    everywhere: bool = False

    def __post_init__(self) -> None:
        if min(self.batch, self.buffer) < 2 or self.batches < 1 or self.history < 0:
            raise ParameterError(f"dynamic threshold: batch, buffer, batches or history too small: {self}")
        if not 0 < self.lowest_z < self.highest_z or self.step_z <= 0 or self.pruning < 0:
            raise ParameterError(f"dynamic threshold: z or pruning out of range: {self}")


@dataclass(frozen=True, eq=False)
class Marks:
    """What the windows say of each step.

    Parameters
    ----------
    high, low
        (n,) steps whose errors are unusually large, and unusually small.
    upper, lower
        (n,) bars of the window that judged each step; NaN where none did.
    """

    high: Mask
    low: Mask
    upper: Doubles
    lower: Doubles


def flag(errors: Doubles, values: Doubles, p: DynamicParameters) -> Marks:
    """Mark the anomalous steps of smoothed errors.

    Parameters
    ----------
    errors, values
        (n,) smoothed errors and the target, in the same unit, without NaN; at least one batch.
    p
        The constants.
    """
    n = errors.size
    if p.history and not p.everywhere:
        errors = errors.copy()
        errors[: p.history] = errors[: 2 * p.history].mean()
    size = p.batch * min(p.batches, -(-n // p.batch))
    count = max(0, (n - size) // p.batch)
    ignored = 0 if p.everywhere or n < 1800 else p.history if n < 2500 else 2 * p.history
    marks = Marks(np.zeros(n, bool), np.zeros(n, bool), np.full(n, np.nan), np.full(n, np.nan))
    for number in range(count + 1):
        start = number * p.batch
        stop = n if number == count else start + size
        # The last window is up to a batch longer than the others; published, it judges one batch even so.
        judged_from = size - p.batch if p.everywhere else stop - start - p.batch
        window = _Window(
            errors[start:stop],
            values[start:stop],
            first=ignored if number == 0 else judged_from,
            known=marks.high[start:stop] | marks.low[start:stop],
            mean=float(errors[start:stop].mean()),
            sd=float(errors[start:stop].std()),
        )
        mirrored = window.mean + (window.mean - window.errors)
        upper, lower = _bar(window.errors, window, p), _bar(mirrored, window, p)
        marks.upper[start + window.first : stop] = upper
        marks.lower[start + window.first : stop] = 2 * window.mean - lower
        marks.high[start:stop] |= _anomalous(window.errors, upper, window, p)
        marks.low[start:stop] |= _anomalous(mirrored, lower, window, p)
    return marks


@dataclass(frozen=True, eq=False)
class _Window:
    """A window of errors and target: `first` is the first step it judges, `known` what earlier ones found."""

    errors: Doubles
    values: Doubles
    first: int
    known: Mask
    mean: float
    sd: float

    @property
    def even(self) -> bool:
        """Whether all errors are the same, but for rounding."""
        return self.sd <= 1e-12 * abs(self.mean)


def _bar(errors: Doubles, window: _Window, p: DynamicParameters) -> float:
    """Return the bar that best separates few, short sequences; ``highest_z`` deviations if none does."""
    n, reach, mean, sd = errors.size, p.buffer - 1, window.mean, window.sd
    fallback = mean + p.highest_z * sd
    bars = mean + sd * np.arange(p.lowest_z, p.highest_z, p.step_z)
    bars = bars[bars <= errors.max()]
    if window.even or mean == 0 or bars.size == 0:
        return fallback
    # Rows are bars. All steps above a bar are among `places`, so a row costs only as many steps as those.
    places = np.flatnonzero(errors >= bars[0])
    loud = errors[places]
    above = loud >= bars[:, None]
    far = -n - 2 * p.buffer
    last = np.maximum.accumulate(np.where(above, places, far), axis=1)
    before = np.concatenate([np.full((bars.size, 1), far), last[:, :-1]], axis=1)
    sequences = (above & (places - before > 2 * reach + 1)).sum(axis=1)
    begin = np.maximum(np.maximum(places - reach, 0), before + reach + 1)
    covered = np.where(above, np.maximum(np.minimum(places + reach, n - 1) - begin + 1, 0), 0).sum(axis=1)
    # Sums of the highest k, so that bars above the same steps have the very same gain.
    highest, count = np.sort(loud)[::-1] - mean, above.sum(axis=1)
    centred, left = errors - mean, n - count
    sums = centred.sum() - np.cumsum(highest)[count - 1]
    squares = centred @ centred - np.cumsum(highest**2)[count - 1]
    spread = np.sqrt(np.maximum(squares / left - (sums / left) ** 2, 0.0))
    gains = (-(sums / left) / mean + (sd - spread) / sd) / (sequences**2 + covered)
    gains[(sequences > 5) | (covered >= n * 0.5)] = -np.inf
    best = bars.size - 1 - int(np.argmax(gains[::-1]))
    return float(bars[best]) if np.isfinite(gains[best]) else fallback


def _anomalous(errors: Doubles, bar: float, window: _Window, p: DynamicParameters) -> Mask:
    """Return the judged steps of a window, mirrored or not, that stay anomalous after pruning."""
    n, nothing = errors.size, np.zeros(errors.size, bool)
    highest = window.errors.max()
    # What lies above the bar long before the judged steps was judged by earlier windows.
    near = max(0, window.first - p.buffer)
    if window.even or highest <= p.least_error or not (errors[near:] >= bar).any():
        return nothing
    low, high = np.percentile(window.values, (5, 95))
    least = p.least_share * (high - low)
    if highest <= least and window.sd <= p.least_share * window.values.std():
        return nothing
    mask = widened(np.flatnonzero((errors >= bar) & (errors > least)), p.buffer, n)
    mask[: window.first] = False
    normal = errors[~(mask | window.known)]
    spans = runs(mask)
    long = spans[spans[:, 1] - spans[:, 0] > 1]
    if long.shape[0] == 0:
        return mask
    maxima = np.array([errors[start:stop].max() for start, stop in long])
    ranked = np.append(np.sort(maxima)[::-1], normal.max() if normal.size else -np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        standing = np.flatnonzero(~((ranked[:-1] - ranked[1:]) / ranked[:-1] < p.pruning))
    if standing.size == 0:
        return nothing
    kept = nothing
    for start, stop in long[maxima >= ranked[standing[-1]]]:
        kept[start:stop] = True
    return kept
