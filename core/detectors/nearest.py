"""The distance of rows to their nearest neighbour among others, with those near in time left out."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.networks.training import Stop
from core.signal import Floats

BLOCK: Final = 512
"""Rows asked for at once: bounds memory to some megabytes."""

SAME: Final = 1e-4
"""Distances below this are 0: what rounding leaves of equal rows is no departure."""


@dataclass(frozen=True, eq=False)
class Seen:
    """Rows to compare with.

    Parameters
    ----------
    rows
        (k, width).
    at
        (k,) increasing positions of their first steps; None where they lie outside the signal.
    """

    rows: Floats
    at: NDArray[np.int64] | None


def nearest(
    rows: Floats,
    at: NDArray[np.int64],
    seen: Seen,
    *,
    gap: int,
    before: int | None,
    after: int | None,
    stop: Stop | None = None,
) -> Floats:
    """Return the (m,) Euclidean distance of each row to the nearest one seen; infinite where none is.

    Rows should lie about 0: which of some is the nearest is told by products that lose what is small beside
    the rows' lengths; how far that one is, is exact.

    Parameters
    ----------
    rows, at
        (m, width) rows asked for, and the increasing positions of their first steps.
    seen
        What they are compared with; where it has positions, rows less than `gap` steps away don't count.
    gap
        Steps between two windows that do not overlap.
    before, after
        How many steps earlier and later rows may lie; None for any, and 0 for none.
    stop
        Asked for each block of rows; what it raises ends the search.
    """
    found = np.full(rows.shape[0], np.inf)
    if seen.rows.shape[0] == 0:
        return found
    lengths = (seen.rows**2).sum(axis=1)
    for start in range(0, rows.shape[0], BLOCK):
        if stop is not None:
            stop()
        block = slice(start, min(start + BLOCK, rows.shape[0]))
        low, high = _reach(at[block], seen, gap, before, after)
        if high <= low:
            continue
        part = rows[block] @ seen.rows[low:high].T
        part *= -2
        part += lengths[low:high]
        if seen.at is not None:
            steps = seen.at[None, low:high] - at[block, None]
            _leave_out(part, steps, gap=gap, before=before, after=after)
        closest = part.argmin(axis=1)
        reached = np.isfinite(part[np.arange(closest.size), closest])
        apart = rows[block][reached] - seen.rows[low + closest[reached]]
        found[start + np.flatnonzero(reached)] = np.sqrt(np.einsum("ij,ij->i", apart, apart))
    found[found < SAME] = 0.0
    return found


def _reach(
    at: NDArray[np.int64], seen: Seen, gap: int, before: int | None, after: int | None
) -> tuple[int, int]:
    """Return the range of what was seen that any of the block's rows may be compared with."""
    if seen.at is None:
        return 0, seen.rows.shape[0]
    first = at[0] - before if before is not None else None
    last = at[-1] - gap if after == 0 else at[-1] + after if after is not None else None
    low = 0 if first is None else int(np.searchsorted(seen.at, first))
    high = seen.rows.shape[0] if last is None else int(np.searchsorted(seen.at, last, side="right"))
    return low, high


def _leave_out(
    part: Floats, apart: NDArray[np.int64], *, gap: int, before: int | None, after: int | None
) -> None:
    """Make rows too near in time, or out of reach, infinitely far; `apart` are steps from row to seen."""
    wrong = np.abs(apart) < gap
    if after == 0:
        wrong |= apart > 0
    elif after is not None:
        wrong |= apart > after
    if before is not None:
        wrong |= apart < -before
    part[wrong] = np.inf
