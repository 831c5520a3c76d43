"""The file of a saved threshold."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from core.errors import ArtifactError, ParameterError

P = TypeVar("P")
L = TypeVar("L")

FILE = "threshold.json"


def write_rule(
    folder: Path, name: str, parameters: dict[str, Any], learned: Sequence[dict[str, Any]]
) -> None:
    """Write a rule's name, parameters and what it learned into ``threshold.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {"method": name, "parameters": parameters, "learned": list(learned)}
    text = json.dumps(content, indent=1, allow_nan=False)
    (folder / FILE).write_text(text + "\n", encoding="utf-8")


def read_rule(
    folder: Path, name: str, parameters: type[P], learned: type[L], *, parts: int = 1
) -> tuple[P, tuple[L, ...]]:
    """Return the parameters and the parts that were learned, as the given types.

    Raises
    ------
    ArtifactError
        The file is missing, incomplete, or of another rule.
    """
    path = folder / FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["method"] != name:
            raise ArtifactError(f"{path}: holds the rule {content['method']}, not {name}")
        found = tuple(learned(**each) for each in content["learned"])
        if len(found) != parts:
            raise ArtifactError(f"{path}: holds {len(found)} learned parts, not {parts}")
        return parameters(**content["parameters"]), found
    except (OSError, ValueError, KeyError, TypeError, ParameterError) as error:
        raise ArtifactError(f"{path}: can't be read ({error}); train the sensor again") from error
