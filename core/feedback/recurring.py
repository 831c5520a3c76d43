"""What verdicts say of a later event of the same sensor: that it is one of those which were no fault.

Two rules, each of which can be switched off. Both look at verdicts on the same sensor alone: what is normal
for one machine may be a fault on the next, so a sensor without verdicts is judged as before.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from core.errors import ParameterError
from core.feedback.similarity import trait_distances
from core.feedback.verdicts import SeenEvent, Verdict

Layer = Literal["likeness", "threshold"]

LAYERS: Final[tuple[Layer, ...]] = ("likeness", "threshold")


@dataclass(frozen=True)
class FeedbackRules:
    """How far verdicts reach.

    Parameters
    ----------
    likeness
        Whether an event like false positives is held back.
    radius
        Distance of traits within which two events are alike.
    clearance
        How many times nearer the false positive must be than any true anomaly.
    guard
        By how much the logarithm of its strength may exceed that of every false positive.
    threshold
        Whether a sensor's threshold is raised above its false positives.
    least
        False positives that raising a threshold takes.
    highest
        Logarithm of the largest factor on a threshold.
    margin
        By how much the raised threshold's logarithm stays below the weakest true anomaly's.

    Raises
    ------
    ParameterError
        A number is out of range.
    """

    likeness: bool = True
    radius: float = 1.5
    clearance: float = 1.5
    guard: float = 0.25
    threshold: bool = True
    least: int = 3
    highest: float = 0.5
    margin: float = 0.1

    def __post_init__(self) -> None:
        if self.radius <= 0 or self.clearance < 1 or self.least < 1:
            raise ParameterError(f"feedback: radius, clearance or least out of range: {self}")
        if min(self.guard, self.highest, self.margin) < 0:
            raise ParameterError(f"feedback: guard, highest and margin can't be negative: {self}")


@dataclass(frozen=True)
class HeldBack:
    """Why an event is held back.

    Parameters
    ----------
    layer
        Which rule says so.
    event_ids
        The false positives that it rests on, the most similar or the strongest first.
    """

    layer: Layer
    event_ids: tuple[str, ...]


def threshold_factor(verdicts: Iterable[Verdict], rules: FeedbackRules) -> float:
    """Return the logarithm of the factor on one sensor's threshold; 0 leaves it as it is."""
    said = list(verdicts)
    wrong = [one.event.description.strength for one in said if not one.real]
    right = [one.event.description.strength for one in said if one.real]
    if not rules.threshold or len(wrong) < rules.least:
        return 0.0
    bounds = [max(wrong), rules.highest, *(strength - rules.margin for strength in right)]
    return max(0.0, min(bounds))


def held_back(event: SeenEvent, verdicts: Sequence[Verdict], rules: FeedbackRules) -> HeldBack | None:
    """Return why an event is held back, None if it is shown.

    Parameters
    ----------
    verdicts
        Of any sensors; those of the event's own count.
    """
    own = [one for one in verdicts if one.event.sensor_id == event.sensor_id]
    wrong = [one for one in own if not one.real]
    if not wrong:
        return None
    alike = _alike(event, own, rules) if rules.likeness else ()
    if alike:
        return HeldBack("likeness", alike)
    bound = threshold_factor(own, rules)
    if bound > 0 and event.description.strength <= bound:
        strongest = sorted(wrong, key=lambda one: -one.event.description.strength)
        return HeldBack("threshold", tuple(one.event.event_id for one in strongest))
    return None


def _alike(event: SeenEvent, own: Sequence[Verdict], rules: FeedbackRules) -> tuple[str, ...]:
    """Return the false positives that the event is like, the nearest first; none if it may be a fault."""
    apart = trait_distances(event.description, [one.event.description for one in own])
    wrong = sorted((float(d), k) for k, (d, one) in enumerate(zip(apart, own, strict=True)) if not one.real)
    nearest_right = min((float(d) for d, one in zip(apart, own, strict=True) if one.real), default=None)
    nearest_wrong = wrong[0][0]
    if nearest_wrong >= rules.radius:
        return ()
    if nearest_right is not None and nearest_wrong * rules.clearance >= nearest_right:
        return ()
    strongest = max(one.event.description.strength for one in own if not one.real)
    if event.description.strength > strongest + rules.guard:
        return ()
    return tuple(own[k].event.event_id for distance, k in wrong if distance < rules.radius)
