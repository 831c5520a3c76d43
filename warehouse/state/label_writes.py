"""Giving verdicts and taking them back, one or several at once: appended to a log, nothing is changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from warehouse.catalog import Catalog
from warehouse.documents import JSON
from warehouse.state.label_book import Asked, LabelBook
from warehouse.state.labels import NewLabel
from warehouse.state.writes import Write, documents, integer, integers, optional_integer

MOST_LABELS: Final = 1000

KINDS: Final = frozenset({"label.set", "label.set_many", "label.undo", "label.undo_many"})


@dataclass(frozen=True)
class LabelWrite:
    """What one write does to the log of verdicts.

    Parameters
    ----------
    asked
        Verdicts that it gives.
    label_ids
        Labels that it takes back.
    """

    asked: tuple[Asked, ...] = ()
    label_ids: tuple[int, ...] = ()


def checked(write: Write, catalog: Catalog) -> LabelWrite:
    """Return what a write of one of `KINDS` states.

    Raises
    ------
    LabelError
        It can't be stored as given.
    """
    payload = write.payload
    if write.kind == "label.undo":
        return LabelWrite(label_ids=(integer(payload, "label_id"),))
    if write.kind == "label.undo_many":
        return LabelWrite(label_ids=tuple(integers(payload, "label_ids", most=MOST_LABELS)))
    given = documents(payload, "labels", most=MOST_LABELS) if write.kind == "label.set_many" else [payload]
    return LabelWrite(asked=tuple(_asked(one, write, catalog) for one in given))


def make(book: LabelBook, write: Write, stated: LabelWrite) -> dict[str, JSON]:
    """Do what a write states, whole or not at all, and return its outcome.

    Raises
    ------
    LabelConflict
        Another person said something of the event that the writer had not seen.
    LabelError
        A label that is to be taken back does not exist, or was taken back before.
    """
    for one in stated.asked:
        conflict = book.unseen(one)
        if conflict is not None:
            raise conflict
    label_ids = list(stated.label_ids)
    several = write.kind.endswith("_many")
    # Each row of the log has a write_id of its own.
    write_ids = [
        f"{write.write_id}/{place}" if several else write.write_id
        for place in range(len(stated.asked) + len(label_ids))
    ]
    sensor_ids = [one.label.sensor_id for one in stated.asked]
    if label_ids:
        sensor_ids = book.undo(label_ids, write_ids, write)
    else:
        label_ids = [
            book.add(one.label, write_id, write)
            for one, write_id in zip(stated.asked, write_ids, strict=True)
        ]
    return {"label_ids": [*label_ids]} if several else {"label_id": label_ids[0], "sensor_id": sensor_ids[0]}


def _asked(payload: Mapping[str, JSON], write: Write, catalog: Catalog) -> Asked:
    label = NewLabel.checked(payload, catalog, write.at)
    seen = (optional_integer(payload, "seen") or 0) if "seen" in payload else None
    return Asked(label, write.actor, seen)
