"""A maintenance window hides what someone expected, and nothing that outlasts it."""

from datetime import UTC, datetime, timedelta

import pytest

from core.ensembles.maintenance import Span, suppressed

EIGHT = datetime(2024, 5, 20, 8, tzinfo=UTC)
WINDOW = Span(EIGHT, EIGHT + timedelta(hours=4))


def at(start: float, end: float) -> Span:
    return Span(EIGHT + timedelta(hours=start), EIGHT + timedelta(hours=end))


@pytest.mark.parametrize(
    ("event", "running", "as_of", "hidden"),
    [
        (at(1, 2), False, 5, True),  # began and ended while they worked
        (at(0, 4), False, 5, True),  # exactly as long as the window
        (at(-1, 2), False, 5, False),  # was there before they began
        (at(1, 4.5), False, 5, False),  # was not over with the work
        (at(4, 5), False, 6, False),  # the window is half-open
        (at(-9, 2), True, 2, True),  # what they repair runs while they do
        (at(1, 3), True, 3, True),
        (at(1, 5), True, 5, False),  # still there when they are gone
        (at(-9, 4), True, 4, False),
    ],
)
def test_what_a_window_hides(event: Span, running: bool, as_of: float, hidden: bool):
    seen = suppressed(event, WINDOW, running=running, as_of=EIGHT + timedelta(hours=as_of))
    assert seen is hidden
