"""Events with and without a verdict, as this room sees them."""

from dataclasses import dataclass

from core.feedback.description import Description


@dataclass(frozen=True, eq=False)
class SeenEvent:
    """An event that was described.

    Parameters
    ----------
    event_id
        As the warehouse names it.
    sensor_id
        Whose event it is.
    end_us
        When it ended, microseconds since 1970.
    """

    event_id: str
    sensor_id: int
    end_us: int
    description: Description


@dataclass(frozen=True, eq=False)
class Verdict:
    """What a person said of an event.

    Parameters
    ----------
    real
        True for a true anomaly, False for a false positive; who is unsure gives none.
    at_us
        When it was recorded, microseconds since 1970.
    """

    event: SeenEvent
    real: bool
    at_us: int
