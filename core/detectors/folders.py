"""Files of a saved method: parameters as JSON, arrays as npz, neither able to run code when read."""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import ArtifactError


def write_json(path: Path, content: Mapping[str, object]) -> None:
    """Write `content` as JSON; NaN and infinities are refused by a ValueError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def read_json(path: Path, method: str) -> dict[str, Any]:
    """Return the JSON object at `path` that was saved by `method`.

    Raises
    ------
    ArtifactError
        The file is missing, is no JSON object, or was saved by another method.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{path}: can't be read ({error}); train the sensor again") from error
    if not isinstance(content, dict) or content.get("method") != method:
        raise ArtifactError(f"{path}: not saved by the method {method}")
    return content


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write named arrays as npz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def read_arrays(path: Path, names: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """Return the arrays called `names` of an npz file.

    Raises
    ------
    ArtifactError
        The file is missing or damaged, holds objects, or lacks an array.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return {name: stored[name] for name in names}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ArtifactError(f"{path}: can't be read ({error}); train the sensor again") from error
