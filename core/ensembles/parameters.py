"""Constructor parameters of parts as plain names and values, as a registry records them."""

from collections.abc import Sequence
from dataclasses import asdict, is_dataclass
from typing import TypeAlias, cast

Plain: TypeAlias = "bool | int | float | str | Sequence[Plain] | None"


def parameters_of(part: str, owner: object) -> dict[str, Plain]:
    """Return the constructor parameters of a detector or threshold, each as ``part.name``.

    Parameters
    ----------
    part
        What `owner` is in its ensemble, such as ``detector``.
    owner
        Its ``parameters`` are a frozen dataclass; without them nothing is returned.
    """
    parameters = getattr(owner, "parameters", None)
    if parameters is None or not is_dataclass(parameters):
        return {}
    values = cast("dict[str, Plain]", asdict(cast("object", parameters)))  # type: ignore[call-overload]
    return {f"{part}.{name}": _plain(value) for name, value in values.items()}


def _plain(value: Plain) -> Plain:
    return [_plain(one) for one in value] if isinstance(value, tuple) else value
