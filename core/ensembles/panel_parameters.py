"""Who sits on a panel, and how it decides."""

from dataclasses import dataclass

from core.ensembles.blend import GRID, TRAILING
from core.ensembles.trusted import STANDSTILL, TRUSTED
from core.ensembles.votes import Voters
from core.errors import ParameterError
from core.results import Mode


@dataclass(frozen=True)
class PanelParameters:
    """Who sits on a panel, and how it decides.

    Parameters
    ----------
    mode
        ``causal``: a step is judged from the past alone; ``review``: later steps are seen too.
    entries
        Detectors by their names in `core.ensembles.sources`; ``name@span`` averages its errors over that
        span of past steps first.
    voters
        How the blends of their scores are read.
    standstill
        How many times the longest standstill known makes an event of its own; None leaves the check out.
    relation
        Share of the target's variance that its context must explain for the relation check to be trusted, see
        `core.ensembles.trusted.seated`; None leaves the check out.
    gap
        Events at most this many steps apart are one.
    reach
        Steps back in which a record is looked for; causal mode alone.

    Raises
    ------
    ParameterError
        There is no entry, or a number is out of range.
    """

    mode: Mode
    entries: tuple[str, ...]
    voters: Voters
    standstill: float | None = 2.0
    relation: float | None = 0.5
    gap: int = 50
    reach: int = 10_000

    def __post_init__(self) -> None:
        object.__setattr__(self, "entries", tuple(self.entries))
        if not self.entries or len(set(self.entries)) < len(self.entries):
            raise ParameterError(f"panel: entries must be there and differ: {self.entries}")
        if self.gap < 0 or self.reach < 2 or (self.standstill is not None and self.standstill < 1):
            raise ParameterError(f"panel: standstill, gap or reach out of range: {self}")
        if self.relation is not None and not 0 < self.relation <= 1:
            raise ParameterError(f"panel: relation must be in (0, 1], not {self.relation}")
        names = [entry.partition("@")[0] for entry in self.entries]
        spans = [entry.partition("@")[2] for entry in self.entries if "@" in entry]
        if set(names) & set(TRUSTED) or not all(span.isdecimal() and int(span) >= 1 for span in spans):
            raise ParameterError(
                f"panel: entries are name or name@span, no {' or '.join(TRUSTED)}: {self.entries}"
            )
        if self.mode == "causal" and any(name.endswith("-whole") for name in names):
            raise ParameterError("panel: a causal panel can't hold a detector that sees the whole window")

    @property
    def recall(self) -> int:
        """Steps of its detectors' scores that a judgement may depend on."""
        if self.mode == "review":
            return self.reach
        spans = max(int(entry.partition("@")[2] or 1) for entry in self.entries)
        averaged = 5 * (spans + max(self.voters.smoothing))
        return self.reach + TRAILING + GRID + averaged + self.voters.longest

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the detectors that every sensor gets, each once, the standstill check last."""
        names = dict.fromkeys(entry.partition("@")[0] for entry in self.entries)
        return (*names, *([STANDSTILL] if self.standstill is not None else []))
