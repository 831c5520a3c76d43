"""Keeping the house: small files merged, files that nothing needs removed, and what jobs left put away."""

from collections.abc import Mapping

from core.workflows.reporting import Task
from core.workflows.training_folder import sweep
from warehouse.documents import JSON


def compact_job(_payload: Mapping[str, JSON], task: Task) -> dict[str, JSON]:
    """Merge the small files of past days, remove what nothing needs, and put away what ended jobs left.

    Raises
    ------
    WarehouseError
        The disk is full, or another write came between every time.
    """
    task.progress(0.05, "Merging files of past days")
    # First, so that what only an ended job held goes now and not at the next time.
    swept = sweep(task.warehouse, now=task.clock(), tracking=task.tracking)
    task.check()
    gone = task.warehouse.tidy(now=task.clock())
    parts = [f"{gone.ended + gone.unknown:,} files removed, {gone.size / 1e6:,.1f} MB"]
    if swept.folders:
        parts.append(f"{swept.folders:,} checkpoints of ended jobs removed")
    if swept.runs:
        parts.append(f"{swept.runs:,} registrations that were cut short taken back")
    return {
        "summary": "; ".join(parts) + ".",
        "files": gone.ended + gone.unknown,
        "bytes": gone.size,
        "checkpoints": swept.folders,
        "registrations": swept.runs,
    }
