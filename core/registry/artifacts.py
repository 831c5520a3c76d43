"""Files of a model version: their hashes are kept outside them and checked before anything is loaded."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from core.errors import ArtifactError


def digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file below `folder`, by its path relative to it.

    Raises
    ------
    ArtifactError
        The folder holds no file.
    """
    found = {
        path.relative_to(folder).as_posix(): _sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    if not found:
        raise ArtifactError(f"{folder} holds no file to register")
    return found


def verify(folder: Path, expected: Mapping[str, str]) -> None:
    """Let `folder` pass if it holds exactly the registered files, unchanged.

    Raises
    ------
    ArtifactError
        A file is missing, changed or was not registered; the message names it and what to do.
    """
    for name, digest in expected.items():
        path = folder / name
        if not path.is_file():
            raise ArtifactError(f"{path} is missing: train the sensor again or restore the file")
        if _sha256(path) != digest:
            raise ArtifactError(
                f"{path} is not the file that was registered, so it is not loaded: train the sensor again"
            )
    strange = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    strange -= set(expected)
    if strange:
        raise ArtifactError(f"{folder} holds {min(strange)}, which was not registered: remove it")


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
