"""What a maintenance window hides: alarms that someone expected while they worked on a machine."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Span:
    """A half-open interval ``[start, end)``."""

    start: datetime
    end: datetime


def suppressed(event: Span, window: Span, *, running: bool, as_of: datetime) -> bool:
    """Return whether a window of an event's machine hides the event.

    What began in the window and was over with it is hidden, and so is whatever runs while the window lasts.
    What goes on when the window is over asks for a person again.

    Parameters
    ----------
    running
        Whether the event still runs; its end is then not known yet.
    as_of
        Time of the machine's newest reading.
    """
    if running:
        return window.start <= as_of < window.end
    return window.start <= event.start < window.end and event.end <= window.end
