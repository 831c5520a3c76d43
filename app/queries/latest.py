"""The newest readings of one machine, from the small table that the first screen is made of."""

from dataclasses import dataclass
from datetime import datetime

from app.queries import house
from app.queries.failure import answered
from app.queries.fleet import method_words
from app.queries.house import Stamp


@dataclass(frozen=True)
class Latest:
    """A sensor's newest reading with the 24 h before its machine's newest one.

    Parameters
    ----------
    value, low, high
        In `unit`; None where nothing good was read.
    target
        Whether it is to be judged.
    judged_by
        Method that watches it, empty where none does.
    """

    sensor: str
    unit: str
    value: float | None
    at: datetime | None
    low: float | None
    high: float | None
    target: bool
    judged_by: str


@answered
def latest(made: Stamp, machine: str) -> tuple[Latest, ...]:
    """Return one row a sensor of a machine, in the order of the fleet's table: targets first."""
    del made  # the owner's answers are those of its revision
    rows = house.owner().fleet().filter(asset=machine)
    return tuple(
        Latest(
            sensor=row["sensor"],
            unit=row["unit"],
            value=row["value"],
            at=row["last_ts"],
            low=row["min_24h"],
            high=row["max_24h"],
            target=row["role"] == "target",
            judged_by="" if row["champion_method"] is None else method_words(row["champion_method"]),
        )
        for row in rows.iter_rows(named=True)
    )
