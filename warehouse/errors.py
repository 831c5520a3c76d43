"""What can go wrong in storage, each with a message a person can act on."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from warehouse.documents import JSON
    from warehouse.files import File


class WarehouseError(Exception):
    """A failure of storage; the message says what happened, to what, and what to do."""


class HomeError(WarehouseError):
    """The folder that holds everything can't be used."""


class CatalogError(WarehouseError):
    """An asset, sensor or model version is unknown or contradicts what is stored."""


class IntegrityError(WarehouseError):
    """A stored file is not the one that was written.

    Parameters
    ----------
    file
        Which one, where the manifest names it.
    """

    def __init__(self, message: str, *, file: "File | None" = None) -> None:
        super().__init__(message)
        self.file = file


class DiskFull(HomeError):
    """A write found no room; nothing of it is stored, and what is stored can still be read."""


class DatabaseHeld(WarehouseError):
    """Another write held a database for too long; nothing was stored, and it may pass."""


class JobError(WarehouseError):
    """A job that is spoken of does not exist."""


class ScheduleError(WarehouseError):
    """A schedule does not exist, or its times can't be understood."""


class ManifestConflict(WarehouseError):
    """Another write changed the files a commit was computed from; recompute and retry."""


class SchemaError(WarehouseError):
    """A frame or a database does not have the shape that this release writes."""


class SourceError(WarehouseError):
    """A source can't be read at all; rows that merely are bad go to quarantine instead."""


class StateLocked(WarehouseError):
    """Another process owns state.duckdb."""


class StateUnavailable(WarehouseError):
    """A write was handed to the owner of the state and not acknowledged in time."""


class LabelError(WarehouseError):
    """A verdict can't be stored as given."""


class LabelConflict(LabelError):
    """Another person said something of the same event meanwhile; nothing was stored.

    Parameters
    ----------
    label_id
        The other's label.
    actor
        Who gave it.
    verdict
        What it says.
    at
        When it was given.
    """

    def __init__(self, *, label_id: int, actor: str, verdict: str, at: datetime) -> None:
        super().__init__(
            f"{actor} called this event {verdict.replace('_', ' ')} meanwhile, at {at:%Y-%m-%d %H:%M} UTC: "
            "look at that first, then give your verdict again"
        )
        self.label_id = label_id
        self.actor = actor
        self.verdict = verdict
        self.at = at

    def document(self) -> "dict[str, JSON]":
        """Return it as plain values, for who waits for it in another process."""
        return {
            "label_id": self.label_id,
            "actor": self.actor,
            "verdict": self.verdict,
            "at": self.at.isoformat(),
        }

    @classmethod
    def of(cls, document: "Mapping[str, JSON]") -> Self:
        """Return the conflict that `document` made plain."""
        return cls(
            label_id=int(str(document["label_id"])),
            actor=str(document["actor"]),
            verdict=str(document["verdict"]),
            at=datetime.fromisoformat(str(document["at"])),
        )
