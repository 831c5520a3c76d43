"""All that a stream carries from step to step, as named arrays."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

from numpy.typing import NDArray

from core.ensembles.stream_extents import Extents
from core.ensembles.stream_parts import Doubles, Echoes, Standstills
from core.ensembles.stream_records import Records
from core.ensembles.stream_relations import Relations
from core.ensembles.stream_windows import Windows


@dataclass(eq=False)
class Carried:
    """The parts of a stream.

    Parameters
    ----------
    echoes, windows, standstills
        What each source learned and remembers.
    relations
        The checks against context, of the sensors that have one.
    record, trusted, leaving
        The records of the blend and of standstills, and the events of the checks against context.
    usual
        (3, sensors) what each blended source usually reaches in training.
    mean
        (2, sensors) weighted sum of the blend so far, and of its weights.
    """

    echoes: Echoes
    windows: Windows
    standstills: Standstills
    relations: Relations
    record: Records
    trusted: Records
    leaving: Extents
    usual: Doubles
    mean: Doubles

    PARTS: ClassVar[Mapping[str, type[Any]]] = {
        "echoes": Echoes,
        "windows": Windows,
        "standstills": Standstills,
        "relations": Relations,
        "record": Records,
        "trusted": Records,
        "leaving": Extents,
    }

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names of all arrays."""
        inner = [f"{name}_{one.name}" for name, part in cls.PARTS.items() for one in fields(part)]
        return (*inner, "usual", "mean")

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all arrays by those names."""
        inner = {
            f"{name}_{one.name}": getattr(getattr(self, name), one.name)
            for name, part in self.PARTS.items()
            for one in fields(part)
        }
        return inner | {"usual": self.usual, "mean": self.mean}

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Return the parts of such arrays."""
        parts = {
            name: part(**{one.name: arrays[f"{name}_{one.name}"] for one in fields(part)})
            for name, part in cls.PARTS.items()
        }
        return cls(**parts, usual=arrays["usual"], mean=arrays["mean"])
