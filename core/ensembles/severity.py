"""How bad an event is, by rules that are stated here and nowhere else."""

from datetime import timedelta

from core.results import Event, Severity


def excess(event: Event) -> float:
    """Return how many times its bar an event's peak is; 1 where the bar is not positive or not reached."""
    if event.threshold <= 0 or event.peak_score <= event.threshold:
        return 1.0
    return event.peak_score / event.threshold


def grade(event: Event, interval: timedelta) -> Severity:
    """Return the severity of an event.

    ======== ================= ==================== =================
    severity peak / threshold  probability at least lasts at least
    ======== ================= ==================== =================
    critical 6                 0.99                 2 h
    high     3                 0.95                 10 min
    medium   1.5               0.8
    low      all others, among them unusually small errors
    ======== ================= ==================== =================

    Parameters
    ----------
    event
        Any event; its own severity is not looked at.
    interval
        The step of its signal.
    """
    lasting = (event.end - event.start) * interval
    times = excess(event)
    if times >= 6 and event.probability >= 0.99 and lasting >= timedelta(hours=2):
        return "critical"
    if times >= 3 and event.probability >= 0.95 and lasting >= timedelta(minutes=10):
        return "high"
    if times >= 1.5 and event.probability >= 0.8:
        return "medium"
    return "low"
