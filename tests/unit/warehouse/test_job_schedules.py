"""Work that is queued when a cron expression says so: once each time, in the hours of its zone."""

import os
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from warehouse.errors import ScheduleError
from warehouse.home import Warehouse
from warehouse.jobs import Jobs, Schedule
from warehouse.schedules import next_run

ZURICH = "Europe/Zurich"
HOUR = timedelta(hours=1)
# In Zurich clocks go forward on 2026-03-29 at 02:00 and back on 2026-10-25 at 03:00.
SPRING, AUTUMN = datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)


@pytest.fixture
def jobs(home: Warehouse) -> Jobs:
    return home.jobs


def nightly(jobs: Jobs, at: datetime, cron: str = "30 2 * * *") -> Schedule:
    return jobs.schedules.add(
        "Train all", cron, "train-all", {"preset": "quick"}, actor="ada", at=at, zone=ZURICH
    )


def runs(cron: str, after: datetime, count: int) -> list[str]:
    found = []
    for _ in range(count):
        after = next_run(cron, ZURICH, after)
        found.append(f"{after.astimezone(ZoneInfo(ZURICH)):%m-%d %H:%M %z}")
    return found


def test_a_time_that_the_clocks_skip_is_due_when_they_have_jumped() -> None:
    assert runs("30 2 * * *", SPRING, 3) == [
        "03-29 03:00 +0200",
        "03-30 02:30 +0200",
        "03-31 02:30 +0200",
    ]


def test_a_time_that_the_clocks_repeat_is_due_once() -> None:
    assert runs("30 2 * * *", AUTUMN, 2) == ["10-25 02:30 +0200", "10-26 02:30 +0100"]
    # Whoever looks within the repeated hour, such as after a night that was slept through, is not sent back.
    for minute in (15, 29, 30, 31, 45):
        within = datetime(2026, 10, 25, 1, minute, tzinfo=UTC)
        assert runs("30 2 * * *", within, 1) == ["10-26 02:30 +0100"]


def test_an_hourly_schedule_is_due_each_hour_that_passes() -> None:
    for start in (SPRING, AUTUMN):
        moments = [start]
        for _ in range(30):
            moments.append(next_run("0 * * * *", ZURICH, moments[-1]))
        assert {later - earlier for earlier, later in pairwise(moments)} == {HOUR}


@pytest.mark.parametrize("day", [SPRING, AUTUMN], ids=["spring", "autumn"])
@pytest.mark.parametrize("cron", ["30 2 * * *", "0 3 * * *", "*/20 * * * *", "15 1-3 * * *", "0 0 1 * *"])
def test_the_next_time_is_always_later(cron: str, day: datetime) -> None:
    for minutes in range(0, 26 * 60, 7):
        after = day + timedelta(minutes=minutes, seconds=17, microseconds=5)
        assert next_run(cron, ZURICH, after) > after


def test_it_queues_its_job_and_moves_on(jobs: Jobs) -> None:
    schedule = nightly(jobs, SPRING)
    assert (schedule.enabled, schedule.last_at, schedule.words) == (True, None, "At 02:30 every day")
    assert schedule.next_at == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert jobs.schedules.due(schedule.next_at - timedelta(microseconds=1)) == ()
    (asked,) = jobs.schedules.due(schedule.next_at)
    assert (asked.new, asked.job.kind, asked.job.payload, asked.job.actor, asked.job.schedule_id) == (
        True,
        "train-all",
        {"preset": "quick"},
        "ada",
        schedule.id,
    )
    assert jobs.schedules.due(schedule.next_at) == ()
    (moved,) = jobs.schedules.list()
    assert (moved.last_at, moved.last_job_id) == (schedule.next_at, asked.job.id)
    assert moved.next_at == datetime(2026, 3, 30, 0, 30, tzinfo=UTC)


def test_nights_that_were_missed_count_as_one(jobs: Jobs) -> None:
    nightly(jobs, SPRING)
    monday = datetime(2026, 4, 6, 8, tzinfo=UTC)
    assert len(jobs.schedules.due(monday)) == 1
    assert jobs.schedules.due(monday) == ()
    (moved,) = jobs.schedules.list()
    assert moved.next_at == datetime(2026, 4, 7, 0, 30, tzinfo=UTC)


def test_a_job_that_takes_longer_than_a_night_is_not_started_twice(jobs: Jobs) -> None:
    schedule = nightly(jobs, SPRING)
    (first,) = jobs.schedules.due(schedule.next_at)
    running = jobs.claim(os.getpid(), schedule.next_at)
    assert running is not None
    (second,) = jobs.schedules.due(schedule.next_at + 24 * HOUR)
    assert (second.new, second.job.id) == (False, first.job.id)
    jobs.finish(running, {}, schedule.next_at)
    (third,) = jobs.schedules.due(schedule.next_at + 48 * HOUR)
    assert third.new


def test_a_paused_schedule_is_not_due_and_makes_up_for_nothing(jobs: Jobs) -> None:
    schedule = nightly(jobs, SPRING)
    assert not jobs.schedules.set_enabled(schedule.id, False, at=SPRING).enabled
    assert jobs.schedules.due(SPRING + 72 * HOUR) == ()
    on = jobs.schedules.set_enabled(schedule.id, True, at=SPRING + 72 * HOUR)
    assert on.enabled
    assert on.next_at > SPRING + 72 * HOUR
    assert jobs.schedules.due(SPRING + 72 * HOUR) == ()


def test_a_removed_schedule_leaves_the_jobs_it_queued(jobs: Jobs) -> None:
    schedule = nightly(jobs, SPRING)
    (asked,) = jobs.schedules.due(schedule.next_at)
    jobs.schedules.remove(schedule.id)
    assert jobs.schedules.list() == ()
    assert jobs.get(asked.job.id) is not None
    for call in (jobs.schedules.remove, lambda one: jobs.schedules.set_enabled(one, True, at=SPRING)):
        with pytest.raises(ScheduleError, match=f"there is no schedule {schedule.id}"):
            call(schedule.id)
    # Its number is not given again: jobs of the past still name it.
    assert nightly(jobs, SPRING).id != schedule.id


@pytest.mark.parametrize(
    ("cron", "zone", "message"),
    [
        ("", ZURICH, "'' is no cron expression: write five fields such as"),
        ("* * * *", ZURICH, "is no cron expression: write five fields"),
        ("0 0 2 * * SUN", ZURICH, "is no cron expression: write five fields"),
        ("61 2 * * *", ZURICH, r"'61 2 \* \* \*' is no cron expression \(bad minute\)"),
        ("0 2 * * FUNDAY", ZURICH, "bad day-of-week"),
        ("0 2 -1 * *", ZURICH, "bad day-of-month"),
        ("0 2 30 2 *", ZURICH, "bad day-of-month"),
        ("0 2 */27 2 SUN#5", ZURICH, "is never due: no such day comes within 50 years"),
        ("٣ 2 * * *", ZURICH, "bad minute"),
        ("0 2 * * *", "Mars/Olympus", "there is no time zone 'Mars/Olympus'"),
        ("0 2 * * *", "../../etc/passwd", "there is no time zone"),
        ("0 2 * * *", "", "there is no time zone"),
    ],
)
def test_times_that_make_no_sense_are_refused(jobs: Jobs, cron: str, zone: str, message: str) -> None:
    with pytest.raises(ScheduleError, match=message):
        jobs.schedules.add("Train all", cron, "train-all", {}, actor="ada", at=SPRING, zone=zone)
    assert jobs.schedules.list() == ()


def test_a_schedule_has_a_title(jobs: Jobs) -> None:
    with pytest.raises(ScheduleError, match="needs a title"):
        jobs.schedules.add("  ", "0 2 * * *", "train-all", {}, actor="ada", at=SPRING, zone=ZURICH)


def test_a_schedule_of_a_zone_that_is_unknown_here_is_paused_and_the_others_go_on(jobs: Jobs) -> None:
    broken, sound = nightly(jobs, SPRING), nightly(jobs, SPRING)
    with jobs._database.transaction() as connection:
        connection.execute("UPDATE schedule SET zone = 'Mars/Olympus' WHERE id = ?", (broken.id,))
    assert len(jobs.schedules.due(sound.next_at)) == 2
    paused, going = jobs.schedules.list()
    assert (paused.enabled, going.enabled) == (False, True)
    assert paused.last_job_id is not None
    assert "its schedule is paused: there is no time zone" in jobs.lines(paused.last_job_id)[-1].text
    assert len(jobs.schedules.due(sound.next_at + 48 * HOUR)) == 1
