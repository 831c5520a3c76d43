"""What a person must know of a panel that could not be fitted whole."""

from collections.abc import Iterable, Mapping

from core.ensembles.sources import tier


def remarks(refused: Mapping[str, Exception], detectors: Iterable[str]) -> tuple[str, ...]:
    """Return what a person must know of detectors that were left out, a sentence for each tier.

    Parameters
    ----------
    refused
        Why each detector could not be fitted, by its name.
    detectors
        Names of those that were.
    """
    who = {"learned": "The network", "similarity": "A comparison of windows", "instant": "A quick check"}
    seated = {tier(name) for name in detectors}
    fallen = any(tier(name) != "instant" for name in refused) and seated == {"instant"}
    told = []
    for kind, title in who.items():
        names = [name for name in refused if tier(name) == kind]
        if not names:
            continue
        reason = str(refused[names[-1]]).partition(";")[0]
        others = f" and {len(names) - 1} more of its kind" if len(names) > 1 else ""
        rest = " The instant tier judges it alone." if fallen else ""
        told.append(f"{title} ({names[-1]}) was left out{others}: {reason}.{rest}")
    return tuple(told)
