"""Whether a new version takes over, by what it did on steps that it never saw."""

import math
from dataclasses import dataclass
from typing import Final

from core.errors import ArtifactError
from core.registry.artifacts import verify
from core.workflows.records import facts_of
from warehouse.catalog import Version
from warehouse.home import Warehouse

TOLERANCE: Final = 1.1
"""Times the champion's held-out error that a version of the same method may have."""

MORE_ALARMS: Final = 3.0
"""Times the champion's held-out alarms that a version of another method may raise."""

SPARE_ALARMS: Final = 1.0
"""Alarms a week that it may raise beside those of the champion in any case, for counts near none."""


@dataclass(frozen=True)
class Decision:
    """Whether a version takes over.

    Parameters
    ----------
    held_back
        Why it does not; empty when it does.
    remark
        What was not compared, to be said beside the figures; may be empty.
    """

    held_back: str
    remark: str = ""


def decide(version: Version, warehouse: Warehouse) -> Decision:
    """Return whether a registered version takes over from its sensor's champion, if there is one.

    Versions of one method and mode are compared by their held-out error. Those of different methods predict
    different things, or nothing, so that only the alarms they raise on held-out steps can be held against
    each other: more of them may be right, but many more are a load that a person should choose. A champion
    whose files can't be used any more gives way to whatever comes.
    """
    champion = next((one for one in warehouse.catalog.versions(version.sensor_id) if one.champion), None)
    if champion is None:
        return Decision("")
    try:
        verify(warehouse.root / champion.folder, champion.artifacts)
    except ArtifactError:
        # Else no training could ever take the place of what judges nothing.
        return Decision(
            "", f"nothing was compared: the files of version {champion.number} are missing or changed"
        )
    error, bar = (_figure(one, "normalised_error") for one in (version, champion))
    if _alike(version, champion) and error is not None and bar is not None:
        return Decision(_by_error(error, bar, champion))
    remark = f"its error is not compared with the champion's, {_difference(version, champion)}"
    return Decision(_by_alarms(version, champion), remark)


def _alike(one: Version, other: Version) -> bool:
    return one.method == other.method and facts_of(one).mode == facts_of(other).mode


def _difference(one: Version, other: Version) -> str:
    if one.method != other.method:
        return "which is of another method"
    return "for one of them predicts nothing" if _alike(one, other) else "which judges in another mode"


def _by_error(error: float, bar: float, champion: Version) -> str:
    if error <= TOLERANCE * bar:
        return ""
    return (
        f"its held-out error {error:.3f} is more than a tenth above the champion's {bar:.3f}, "
        f"so version {champion.number} stays in production"
    )


def _by_alarms(version: Version, champion: Version) -> str:
    alarms, before = (_figure(one, "alarms_per_week") for one in (version, champion))
    if alarms is None or before is None or alarms <= max(MORE_ALARMS * before, before + SPARE_ALARMS):
        return ""
    return (
        f"its {alarms:.2g} alarms a week on held-out steps are far above the champion's {before:.2g}, "
        f"so version {champion.number} stays in production"
    )


def _figure(version: Version, name: str) -> float | None:
    found = version.metrics.get(name)
    return found if found is not None and math.isfinite(found) else None
