"""Keeping a snapshot because a person says so; model versions keep theirs by themselves."""

from typing import Final

from warehouse.documents import JSON
from warehouse.errors import CatalogError, LabelError
from warehouse.manifest import Manifest
from warehouse.state.writes import Write, integer

PERSON: Final = "person "


def pin(write: Write, manifest: Manifest) -> dict[str, JSON]:
    """Keep a snapshot in the name of the writer, or let go of it in the name of everybody who kept it.

    What model versions keep stays kept.

    Raises
    ------
    LabelError
        The snapshot is unknown, or its files were removed.
    """
    snapshot_id = integer(write.payload, "snapshot_id")
    keep = write.payload.get("keep")
    if not isinstance(keep, bool):
        raise LabelError(f"keep must be true or false, not {keep!r}")
    try:
        if keep:
            manifest.pin(snapshot_id, holder=f"{PERSON}{write.actor}")
        else:
            for holder in manifest.holders([snapshot_id]).get(snapshot_id, ()):
                if holder.startswith(PERSON):
                    manifest.unpin(snapshot_id, holder=holder)
    except CatalogError as error:
        raise LabelError(f"the snapshot can't be kept: {error}") from error
    return {"snapshot_id": snapshot_id, "keep": keep}
