"""How bad an event is, by rules that are stated here and nowhere else."""

from datetime import timedelta

from core.results import Event, Severity


def grade(event: Event, usual: float, interval: timedelta) -> Severity:
    """Return the severity of an event.

    ======== ============ ==================== =================
    severity peak / usual probability at least lasts at least
    ======== ============ ==================== =================
    critical 5            0.99                 2 h
    high     3            0.95                 10 min
    medium   1.5          0.8
    low      all others, among them unusually small errors
    ======== ============ ==================== =================

    Parameters
    ----------
    event
        Any event; its own severity is not looked at.
    usual
        Score that normal stretches hardly ever exceed, from `Threshold.usual`.
    interval
        The step of its signal.
    """
    lasting = (event.end - event.start) * interval
    times = excess(event, usual)
    if times >= 5 and event.probability >= 0.99 and lasting >= timedelta(hours=2):
        return "critical"
    if times >= 3 and event.probability >= 0.95 and lasting >= timedelta(minutes=10):
        return "high"
    if times >= 1.5 and event.probability >= 0.8:
        return "medium"
    return "low"


def excess(event: Event, usual: float) -> float:
    """Return how many times the usual an event's peak is; 1 where that says nothing.

    It says nothing of a peak below its own bar, which marks unusually small errors, nor where the usual is
    not positive.
    """
    if usual <= 0 or event.peak_score < event.threshold:
        return 1.0
    return event.peak_score / usual
