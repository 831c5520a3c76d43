"""What is refused of a table: all of it counted, the first of it named."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import polars as pl

from warehouse.quarantine import Refusal

MAX_REFUSALS: Final = 10_000


class RefusedRows:
    """The refusals of one table, in the order of its rows.

    Parameters
    ----------
    name
        What the person calls the table.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self.count = 0
        self.listed: list[Refusal] = []

    @property
    def room(self) -> int:
        """How many more are listed."""
        return MAX_REFUSALS - len(self.listed)

    def take(self, refusals: Sequence[Refusal], count: int) -> None:
        """Take the refusals of later rows than before: `count` of them, of which the first are given."""
        self.count += count
        self.listed += sorted(refusals, key=lambda one: one.row or 0)[: self.room]

    def close(self) -> None:
        """Say at the end of the list how many more there were."""
        further = self.count - len(self.listed)
        if further > 0:
            reason = f"{further} further rows or cells were refused and are not listed"
            self.listed.append(Refusal(self._name, None, reason, ""))


class RefusedOfBlock:
    """Refusals among some rows that were read together.

    Parameters
    ----------
    name
        What the person calls the table.
    text
        Returns what stands on a line.
    room
        How many are to be listed at most; the rest is counted.
    """

    def __init__(self, name: str, text: Callable[[int], str], room: int) -> None:
        self._name = name
        self._room = room
        self.text = text
        self.count = 0
        self.first: list[Refusal] = []

    def take(self, refusals: Sequence[Refusal]) -> None:
        """Take refusals that are made already, in the order of their rows."""
        self.count += len(refusals)
        self.first += refusals[: self._room]

    def add(self, bad: pl.DataFrame, reason: Callable[[int], str] | None = None) -> None:
        """Refuse rows.

        Parameters
        ----------
        bad
            ``line``, ``reason``, and ``cell`` where a cell alone is refused, in the order of lines.
        reason
            Makes the reason of the n-th of them, where `bad` has none.
        """
        self.count += bad.height
        listed = bad.head(self._room)
        reasons: Iterable[str] = (
            listed["reason"] if reason is None else (reason(row) for row in range(listed.height))
        )
        cells = listed["cell"] if "cell" in listed.columns else None
        for row, (line, why) in enumerate(zip(listed["line"], reasons, strict=True)):
            content = self.text(line) if cells is None else str(cells[row])
            self.first.append(Refusal(self._name, line, why, content))
