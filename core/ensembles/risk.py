"""What an event asks for: how bad it is, how likely it is real, and how much its machine matters.

Risk is the product of the three, as in a risk matrix: severity weight x probability x criticality weight.

======== ======    =========== ======
severity weight    criticality weight
======== ======    =========== ======
critical 8         vital       4
high     4         high        2
medium   2         normal      1
low      1         low         0.5
======== ======    =========== ======

Each step counts twice the one below it, so that a medium event of a vital machine asks for as much as a
critical one of a normal machine. Risks range from 0 to 32 and order events; they are no expected loss.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from core.errors import ParameterError

SEVERITY_WEIGHTS: Final[Mapping[str, float]] = MappingProxyType(
    {"low": 1.0, "medium": 2.0, "high": 4.0, "critical": 8.0}
)
CRITICALITY_WEIGHTS: Final[Mapping[str, float]] = MappingProxyType(
    {"low": 0.5, "normal": 1.0, "high": 2.0, "vital": 4.0}
)
USUAL: Final = "normal"
"""Criticality of a machine of which nobody said any."""


def risk(severity: str, probability: float, criticality: str = USUAL) -> float:
    """Return the risk of an event.

    Parameters
    ----------
    severity
        One of `SEVERITY_WEIGHTS`.
    probability
        In [0, 1], that it is real.
    criticality
        Of its machine; one of `CRITICALITY_WEIGHTS`.

    Raises
    ------
    ParameterError
        A word is unknown, or the probability is outside [0, 1].

    Examples
    --------
    >>> risk("critical", 0.5)
    4.0
    >>> risk("medium", 0.5, "vital")
    4.0
    """
    if severity not in SEVERITY_WEIGHTS or criticality not in CRITICALITY_WEIGHTS:
        raise ParameterError(f"no risk is known of severity {severity!r} and criticality {criticality!r}")
    if not 0.0 <= probability <= 1.0:
        raise ParameterError(f"a probability of {probability} is outside [0, 1]")
    return SEVERITY_WEIGHTS[severity] * probability * CRITICALITY_WEIGHTS[criticality]


def of_incident(risks: Sequence[float]) -> float:
    """Return the risk of an incident: that of its worst event, as many signs of one fault are one fault.

    Examples
    --------
    >>> of_incident([1.0, 7.5, 2.0])
    7.5
    """
    return max(risks)
