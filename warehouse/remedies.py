"""What can be done about each damaged file, told before anything is done."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from warehouse import damage
from warehouse.copies import Copies, from_merged
from warehouse.damage import Damaged
from warehouse.files import File, Kind

if TYPE_CHECKING:
    from warehouse.home import Warehouse

Outcome = Literal["restored", "rebuilt", "superseded", "lost"]

WHAT: Final[dict[Kind, str]] = {
    "readings": "readings",
    "rollups": "summaries of readings",
    "scores": "scores",
    "score_rollups": "summaries of scores",
    "events": "events",
    "labels": "published labels",
}
# What others are computed from comes first.
_ORDER: Final[tuple[Kind, ...]] = ("readings", "rollups", "scores", "score_rollups", "events")


@dataclass(frozen=True, eq=False)
class Remedy:
    """What a repair can do about a damaged file.

    Parameters
    ----------
    outcome
        ``"restored"`` from a copy or from the files that were merged into it, ``"rebuilt"`` from readings,
        ``"superseded"`` where nothing live needs it, ``"lost"`` where there is nothing to get it from.
    copy
        The file with the bytes that were written; None where there is none.
    """

    damaged: Damaged
    outcome: Outcome
    copy: Path | None = None

    @property
    def sentence(self) -> str:
        """What is done, for a person."""
        file = self.damaged.file
        if self.outcome == "restored":
            source = "the files that were merged into it" if self.copy is None else str(self.copy)
            return f"{file.rows:,} {WHAT[file.kind]} come back from {source}"
        if self.outcome == "rebuilt":
            return f"{WHAT[file.kind]} are computed again from what they sum up"
        if self.outcome == "superseded":
            return "newer files have its rows; only snapshots older than they can't be read whole"
        if file.kind in {"scores", "events"}:
            return f"{file.rows:,} {WHAT[file.kind]} are taken out; what they were found on is judged again"
        return f"{file.rows:,} {WHAT[file.kind]} are lost and taken out"


def decide(home: "Warehouse", *, backup: Path | None = None) -> tuple[Remedy, ...]:
    """Return what can be done about every damaged file, in the order in which it is to be done.

    The published labels are not among them: the owner of the state publishes them again.

    Raises
    ------
    HomeError
        `backup` is no folder.
    """
    copies = Copies(home.root, backup)
    found = [one for one in damage.waiting(home.database) if one.file.kind in _ORDER]
    return tuple(
        _remedy(home, one, copies) for one in sorted(found, key=lambda one: _ORDER.index(one.file.kind))
    )


def _remedy(home: "Warehouse", damaged: Damaged, copies: Copies) -> Remedy:
    file = damaged.file
    if file.kind in {"rollups", "score_rollups"} and file.ended_in is None:
        return Remedy(damaged, "rebuilt")
    copy = copies.of(file)
    if copy is not None and (
        file.ended_in is not None or file.kind == "readings" or not judged_since(home, file)
    ):
        return Remedy(damaged, "restored", copy)
    if file.ended_in is not None:
        return Remedy(damaged, "superseded")
    if file.kind == "readings" and from_merged(home.root, home.manifest, file) is not None:
        return Remedy(damaged, "restored")
    return Remedy(damaged, "lost")


def judged_since(home: "Warehouse", file: File) -> bool:
    """Tell whether scores or events were stored that may stand where those of `file` did."""
    ever = file.kind == "events"
    return bool(
        home.manifest.live(
            file.kind,
            start=None if ever else file.start,
            end=None if ever else file.end,
            sensor_ids=range(file.sensor_min, file.sensor_max + 1),
            version_id=file.version_id,
        )
    )
