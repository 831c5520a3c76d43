"""Until when an event can be put off, in the zone of who looks."""

from datetime import UTC, datetime, timedelta

import pytest

from app.charts.zone import Zone
from app.components.attention import MORNING, choices

NOW = datetime(2026, 3, 28, 22, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "morning"),
    [
        ("UTC", datetime(2026, 3, 29, 8, tzinfo=UTC)),
        # Clocks go forward in the night between: eight o'clock is six in UTC, not seven.
        ("Europe/Oslo", datetime(2026, 3, 29, 6, tzinfo=UTC)),
        # There it is the 29th already.
        ("Asia/Tokyo", datetime(2026, 3, 29, 23, tzinfo=UTC)),
    ],
)
def test_tomorrow_morning_is_the_viewers(zone: str, morning: datetime):
    assert choices(NOW, Zone(zone))[MORNING] == morning


def test_lengths_count_from_now():
    found = choices(NOW, Zone())
    assert [found[name] - NOW for name in ("1 h", "4 h", "1 day")] == [
        timedelta(hours=1),
        timedelta(hours=4),
        timedelta(days=1),
    ]
