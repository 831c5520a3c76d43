"""JSON as this package stores it: payloads, results, outcomes and parameters."""

import json
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from warehouse.durable import make_folder, settle
from warehouse.errors import SchemaError

JSON: TypeAlias = "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"


def dumps(document: Mapping[str, JSON]) -> str:
    """Return `document` as compact JSON text with sorted keys.

    Raises
    ------
    ValueError
        A number is NaN or infinite: JSON has none.
    """
    return json.dumps(document, allow_nan=False, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def store(document: Mapping[str, JSON], path: Path) -> None:
    """Write `document` to `path` so that it is there, whole, or not at all; what was there is replaced.

    Raises
    ------
    ValueError
        A number is NaN or infinite: JSON has none.
    """
    text = dumps(document)
    make_folder(path.parent)
    part = path.with_name(f".{path.name}-{secrets.token_hex(8)}.partial")
    try:
        part.write_text(text, encoding="utf-8")
        settle(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def loads(text: str) -> dict[str, JSON]:
    """Return the object that `text` holds.

    Raises
    ------
    SchemaError
        The text is not a JSON object.
    """
    document = json.loads(text)
    if not isinstance(document, dict):
        raise SchemaError(f"expected a JSON object, found {type(document).__name__}")
    return document
