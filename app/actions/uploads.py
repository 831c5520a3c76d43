"""Files that a person sends: kept privately in the home until they are stored or dropped."""

import os
import time
import weakref
from pathlib import Path
from typing import Final
from uuid import uuid4

MAX_BYTES: Final = 50 * 1024 * 1024
_LONGEST_NAME: Final = 120
_LEFT_BEHIND_S: Final = 24 * 3600.0


class Upload:
    """One file that was sent; it is removed when it is dropped or nobody holds it any more.

    Parameters
    ----------
    name
        What the person calls it: shown and kept in the history, never part of a path.
    path
        Where it lies, under a name of our own.
    """

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.path = path
        self.size = path.stat().st_size
        self._gone = weakref.finalize(self, path.unlink, missing_ok=True)

    def drop(self) -> None:
        """Remove the file; dropping it twice is dropping it once."""
        self._gone()


def keep(folder: Path, name: str, content: bytes | memoryview) -> Upload:
    """Write what was sent into `folder`, readable by this user alone.

    Raises
    ------
    OSError
        It can't be written; nothing is left behind.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    sweep(folder)
    path = folder / f"{uuid4().hex}.upload"
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
    except OSError:
        path.unlink(missing_ok=True)
        raise
    return Upload(plain_name(name), path)


def sweep(folder: Path) -> None:
    """Remove what a process that was killed left behind."""
    for path in folder.glob("*.upload"):
        try:
            if time.time() - path.stat().st_mtime > _LEFT_BEHIND_S:
                path.unlink()
        except FileNotFoundError:
            continue


def plain_name(name: str) -> str:
    """Return a file's name without folders and characters that can't be shown."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(one for one in last if one.isprintable()).strip()[:_LONGEST_NAME] or "upload"
