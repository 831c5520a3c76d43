"""Area under precision and recall when a label's edges are uncertain: VUS-PR, whatever the threshold.

Sources: Paparrizos et al., "Volume Under the Surface", PVLDB 15(11), 2022; the figures of Liu and Paparrizos,
"The Elephant in the Room" (TSB-AD), NeurIPS 2024, are computed by this definition.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len
from scipy.signal import argrelmax

from core.errors import ParameterError

THRESHOLDS: Final = 250
"""Scores, evenly spaced by rank, that serve as thresholds."""

USUAL_BUFFER: Final = 125
"""The longest buffer of a series without a usable period."""

_LAGS: Final = 400
_SHORTEST: Final = 3
_LONGEST: Final = 300
_READ: Final = 20_000


def buffer_length(values: NDArray[np.floating], *, rank: int = 1) -> int:
    """Return the longest buffer for a series, as TSB-AD's rule has it: its period.

    The period is the lag of the highest local maximum of the autocorrelation at lags from 4 to 399, estimated
    on the first 20,000 values; without one, or where it is below 6 or above 303, 125 stands in.

    Parameters
    ----------
    values
        (n,) the values of the series, finite; of several columns the first.
    rank
        1 for the highest maximum; 2 for the highest of those at longer lags, if there is one.

    Raises
    ------
    ParameterError
        There are no values.
    """
    read = values[:_READ].astype(np.float64)
    if read.size == 0:
        raise ParameterError("buffer length: the series is empty")
    if read.min() == read.max():
        return USUAL_BUFFER
    # The length of the transform and the order of operations are those of the figures compared with: on
    # series that hardly change, which of two equal maxima wins is a matter of rounding.
    size = next_fast_len(2 * read.size + 1, real=True)
    spectrum = np.fft.fft(read - read.mean(), n=size)
    covariance = np.fft.ifft(spectrum * np.conjugate(spectrum))[: read.size].real / read.size
    correlation = (covariance / covariance[0])[: _LAGS + 1][_SHORTEST:]
    peaks = argrelmax(correlation)[0]
    if peaks.size == 0:
        return USUAL_BUFFER
    falling = np.argsort(correlation[peaks])[::-1]
    later = falling[falling > falling[0]]
    best = int(peaks[later[0] if rank == 2 and later.size else falling[0]])
    return best + _SHORTEST if _SHORTEST <= best <= _LONGEST else USUAL_BUFFER


def vus_pr(
    labels: NDArray[np.bool_], scores: NDArray[np.floating], buffer: int, *, thresholds: int = THRESHOLDS
) -> float:
    """Return the volume under precision, recall and width of the buffer, in [0, 1].

    For each width 0, 1, …, `buffer`, labels fade out by the square root over half a width on either side;
    recall is weighted by the share of labelled sequences, widened so, that hold a flagged step. The areas
    under the curves are averaged.

    Parameters
    ----------
    labels
        (n,) True within labelled sequences.
    scores
        (n,) higher is stranger.
    buffer
        Greatest width, in steps.
    thresholds
        How many scores, evenly spaced by rank, serve as thresholds.

    Raises
    ------
    ParameterError
        Shapes disagree, scores are not finite, nothing is labelled, or buffer or thresholds are out of range.
    """
    n = labels.size
    if labels.shape != scores.shape or labels.ndim != 1:
        raise ParameterError(f"VUS-PR: {labels.shape} labels for {scores.shape} scores")
    if not np.isfinite(scores).all():
        raise ParameterError(f"VUS-PR: {int((~np.isfinite(scores)).sum())} of {n} scores are not finite")
    if not labels.any():
        raise ParameterError("VUS-PR: no step is labelled, so there is no recall")
    if buffer < 0 or thresholds < 2:
        raise ParameterError(f"VUS-PR: buffer {buffer} below 0, or fewer than two thresholds ({thresholds})")
    order = np.argsort(-scores, kind="stable")
    bars = scores[order][np.linspace(0, n - 1, thresholds).astype(np.int64)]
    # Steps of equal score are flagged together.
    flagged = np.searchsorted(-scores[order], -bars, side="right")
    edges = np.flatnonzero(np.diff(np.r_[False, labels, False].astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    distance = _distance(labels, starts, ends)
    inside = np.cumsum(labels[order])[flagged - 1]
    volume = 0.0
    for width in range(buffer + 1):
        faded = np.cumsum(_faded(distance, width)[order])[flagged - 1]
        hits = inside + faded
        recall = np.minimum(hits / (inside[-1] + faded / 2), 1.0)
        recall *= _found(scores, bars, starts, ends, width)
        volume += float(np.diff(recall, prepend=0.0) @ (hits / flagged))
    return volume / (buffer + 1)


def _distance(
    labels: NDArray[np.bool_], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return (4, n) steps to the two nearest sequences on either side; infinite within one, and without."""
    steps = np.arange(labels.size)
    before = np.searchsorted(ends, steps, side="right")
    after = np.searchsorted(starts, steps, side="left")
    lasts = np.r_[-np.inf, -np.inf, ends - 1.0]
    firsts = np.r_[starts.astype(np.float64), np.inf, np.inf]
    distance = np.stack(
        [steps - lasts[before + 1], steps - lasts[before], firsts[after] - steps, firsts[after + 1] - steps]
    )
    distance[:, labels] = np.inf
    return distance


def _faded(distance: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Return (n,) the weight of unlabelled steps beside labelled sequences."""
    reach = np.where(distance <= width // 2, distance / max(width, 1), 1.0)
    faded: NDArray[np.float64] = np.minimum(np.sqrt(1.0 - reach).sum(axis=0), 1.0)
    return faded


def _found(
    scores: NDArray[np.floating],
    bars: NDArray[np.floating],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    width: int,
) -> NDArray[np.float64]:
    """Return (thresholds,) the share of widened sequences, merged where they meet, with a flagged step."""
    half = width // 2
    apart = np.flatnonzero(ends[:-1] - 1 + half < starts[1:] - half)
    firsts = np.maximum(starts[np.r_[0, apart + 1]] - half, 0)
    lasts = np.minimum(ends[np.r_[apart, ends.size - 1]] + half, scores.size)
    highest = np.array([scores[a:b].max() for a, b in zip(firsts, lasts, strict=True)])
    found: NDArray[np.float64] = (highest[:, None] >= bars).mean(axis=0)
    return found
