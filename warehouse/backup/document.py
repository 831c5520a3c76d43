"""``backup.json``: what a backup holds, file by file, and what was counted in it."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, Final

from warehouse.errors import WarehouseError

NAME: Final = "backup.json"
FORMAT: Final = 1

# Files lie here below the backup, by the path that they have below the home.
HOME: Final = "home"


class BackupError(WarehouseError):
    """A backup can't be made, or one can't be restored."""


@dataclass(frozen=True)
class StoredFile:
    """A file of the backup: its path below the home, with forward slashes, its SHA-256, its size in bytes."""

    path: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Unsound:
    """A file that is not in the backup because it was missing or was not what was once written."""

    path: str
    reason: str


@dataclass(frozen=True)
class Counts:
    """What is in a home.

    Parameters
    ----------
    readings
        Rows of the newest snapshot's files, as the files themselves say.
    versions
        Model versions, baselines among them.
    verdicts
        Verdicts ever given, also those that were taken back or replaced.
    events
        Rows of the events of all versions.
    """

    machines: int
    sensors: int
    readings: int
    versions: int
    verdicts: int
    events: int

    def __str__(self) -> str:
        return ", ".join(
            f"{number:,} {name.removesuffix('s') if number == 1 else name}"
            for name, number in asdict(self).items()
        )


@dataclass(frozen=True)
class BackupDocument:
    """What ``backup.json`` says.

    Parameters
    ----------
    release
        The release that made it.
    home
        Where the home lay, absolutely.
    snapshot_id, snapshot_digest
        The newest snapshot in it; 0 and empty where nothing was ever stored.
    damaged
        Files that it lacks.
    """

    release: str
    created_at: datetime
    home: str
    snapshot_id: int
    snapshot_digest: str
    counts: Counts
    files: tuple[StoredFile, ...]
    damaged: tuple[Unsound, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(one.size for one in self.files)

    def text(self) -> str:
        """Return it as JSON with a digest over itself."""
        content = asdict(self) | {"format": FORMAT, "created_at": self.created_at.isoformat()}
        return json.dumps(content | {"digest": _digest(content)}, indent=1, sort_keys=True) + "\n"


def read(backup: Path) -> BackupDocument:
    """Return what the backup in the folder `backup` says of itself.

    Raises
    ------
    BackupError
        It is no backup, was not finished, is damaged, or a newer release made it.
    """
    file = backup / NAME
    if not file.is_file():
        why = "an interrupted backup" if backup.name.endswith(".partial") else "no backup"
        raise BackupError(f"{backup} is {why}: it holds no {NAME}; name a folder that `telltale backup` made")
    try:
        content: Any = json.loads(file.read_text("utf-8"))
        given = content.pop("digest")
        form = content.pop("format")
        if form > FORMAT:
            raise BackupError(
                f"{backup} was made by release {content['release']} in a form that is new to this one: "
                "restore it with that release or a newer one"
            )
        if given != _digest(content | {"format": form}):
            raise BackupError(f"{file} is damaged: it is not what was written; use another backup")
        return _document(content)
    except OSError as error:
        raise BackupError(f"{file} can't be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackupError(f"{file} is damaged ({error}); use another backup") from error


def _document(content: dict[str, Any]) -> BackupDocument:
    files = tuple(StoredFile(**one) for one in content.pop("files"))
    for one in files:
        path = PurePosixPath(one.path)
        if path.is_absolute() or ".." in path.parts or not path.parts:
            raise ValueError(f"it names {one.path!r}, which lies outside of it")
    return BackupDocument(
        created_at=datetime.fromisoformat(content.pop("created_at")),
        counts=Counts(**content.pop("counts")),
        files=files,
        damaged=tuple(Unsound(**one) for one in content.pop("damaged")),
        **content,
    )


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
