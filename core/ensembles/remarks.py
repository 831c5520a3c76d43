"""What a person must know of a panel that could not be fitted whole."""

from collections.abc import Iterable, Mapping

from core.ensembles.sources import tier


def remarks(refused: Mapping[str, Exception], detectors: Iterable[str]) -> tuple[str, ...]:
    """Return what a person must know of detectors that were left out, a sentence a tier and reason."""
    told: dict[str, None] = {}
    seated = {tier(name) for name in detectors}
    for name, reason in refused.items():
        short = str(reason).partition(";")[0]
        who = {"learned": "The network", "similarity": "A comparison of windows", "instant": "A quick check"}
        rest = " The instant tier judges it alone." if seated == {"instant"} else ""
        told[f"{who[tier(name)]} ({name}) was left out: {short}.{rest}"] = None
    return tuple(told)
