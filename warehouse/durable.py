"""Names that survive a crash: folders and files that are there, whole, or not at all."""

import os
from pathlib import Path


def make_folder(folder: Path) -> None:
    """Create `folder` with its parents so that they survive a crash."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir(exist_ok=True)
        sync_folder(one.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable."""
    if os.name == "nt":
        return  # Windows opens no folders; its file system logs names itself.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def settle(part: Path, target: Path) -> None:
    """Make what was written to `part` durable and give it its name, in place of what had it."""
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(target)
    sync_folder(target.parent)
