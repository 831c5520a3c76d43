"""JSON as this package stores it: payloads, results, outcomes and parameters."""

import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

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
