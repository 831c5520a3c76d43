"""Times in the viewer's zone, and durations in words."""

from datetime import UTC, datetime, timedelta

import pytest

from app.charts.zone import Zone, lasting

NOON = datetime(2024, 5, 20, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("name", [None, "", "Mars/Olympus", "../etc/passwd"])
def test_an_unknown_zone_is_utc(name: str | None):
    assert Zone.of(name).is_utc


def test_wall_times_follow_the_change_of_clocks():
    zone = Zone.of("Europe/Oslo")
    walls = [datetime(2024, 3, 31, 1, 30), datetime(2024, 3, 31, 3, 30)]  # noqa: DTZ001 -- a wall has no zone
    assert [zone.from_wall(wall).hour for wall in walls] == [0, 1]
    assert [zone.clock(zone.from_wall(wall)) for wall in walls] == ["01:30", "03:30"]


def test_a_wall_time_comes_back_as_the_same_moment():
    zone = Zone.of("America/St_Johns")
    assert zone.from_wall(zone.local(NOON).replace(tzinfo=None)) == NOON


@pytest.mark.parametrize(
    ("back", "words"),
    [
        (timedelta(hours=2), "10:00 today"),
        (timedelta(hours=13), "23:00 yesterday"),
        (timedelta(days=6), "14 May 12:00"),
        (timedelta(days=400), "16 Apr 2023 12:00"),
    ],
)
def test_a_start_is_told_in_as_few_words_as_its_distance_allows(back: timedelta, words: str):
    assert Zone().since(NOON - back, NOON) == words


@pytest.mark.parametrize(
    ("back", "words"),
    [(timedelta(hours=2), "10:00"), (timedelta(days=6), "14 May"), (timedelta(days=400), "16 Apr 2023")],
)
def test_a_narrow_list_has_the_hour_of_today_and_the_date_of_older_events(back: timedelta, words: str):
    assert Zone().day_or_clock(NOON - back, NOON) == words


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(seconds=20), "20 s"),
        (timedelta(minutes=24), "24 min"),
        (timedelta(hours=9, minutes=24), "9 h 24 min"),
        (timedelta(hours=5), "5 h"),
        (timedelta(days=6, hours=2, minutes=30), "6 d 2 h"),
        (timedelta(days=3), "3 d"),
    ],
)
def test_durations_are_said_as_people_say_them(length: timedelta, words: str):
    assert lasting(length) == words
