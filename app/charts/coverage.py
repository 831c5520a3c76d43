"""How much of what was expected is there, as a strip of small bars: a hole is a gap."""

from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import quote

from app.theme import Palette

WIDTH, HEIGHT = 150, 18
_STEPS = 14  # heights that can be told apart


def coverage_strip(cells: Sequence[float | None], palette: Palette) -> str:
    """Return a data URI for a table's image column.

    Parameters
    ----------
    cells
        Share in [0, 1] of the expected readings in each cell, in order of time; None before the first one.
    """
    return _drawn(tuple(height(share) if share else 0 for share in cells), palette)


@lru_cache(maxsize=4096)  # of a fleet's strips most are alike, and a rerun draws them all again
def _drawn(heights: tuple[int, ...], palette: Palette) -> str:
    size = f'width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
    width = WIDTH / max(len(heights), 1)
    foot = HEIGHT - 2
    # One path for all bars, so that a strip is short.
    bars = "".join(
        f"M{(place + 0.5) * width:.1f} {foot}V{foot - tall}" for place, tall in enumerate(heights) if tall
    )
    body = (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>'
        f'<path d="M0 {HEIGHT - 1.5}H{WIDTH}" stroke="{palette.normal}" stroke-opacity="0.4"/>'
        f'<path d="{bars}" stroke="{palette.normal}" stroke-opacity="0.65" '
        f'stroke-width="{bar(width):.2f}"/></svg>'
    )
    return "data:image/svg+xml;utf8," + quote(body, safe=" ='/:")


def bar(cell: float) -> float:
    """Return how wide the bar of a cell is, so that days can be told apart and no gap looks like a hole."""
    return cell - min(0.8, 0.3 * cell)


def height(share: float) -> int:
    """Return the height of a bar: something is never drawn as nothing, nor less than all as all."""
    if share > 0.995:
        return _STEPS
    return min(max(round(share * _STEPS), 1), _STEPS - 2)


def mean_coverage(strips: Sequence[Sequence[float | None]]) -> tuple[float | None, ...]:
    """Return the strip of a machine: the mean of its sensors' shares, each from its first reading on."""
    filled = [strip for strip in strips if strip]
    if not filled:
        return ()
    means: list[float | None] = []
    for cells in zip(*filled, strict=True):
        known = [cell for cell in cells if cell is not None]
        means.append(sum(known) / len(known) if known else None)
    return tuple(means)
