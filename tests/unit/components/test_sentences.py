"""The sentence of the fleet and the age of its data."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.components.header import freshness
from app.components.tiles import summary
from app.queries.triage_views import Triage
from app.queries.views import Fleet, Machine

NOW = datetime(2024, 5, 20, 14, 34, tzinfo=UTC)
QUIET = Triage((), (), {}, 0)


def _machine(name: str, *, historical: bool = False) -> Machine:
    return Machine(1, name, "pump", historical, NOW, (1, 2), (1,), (), trained=False)


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(seconds=20), "14:33 UTC** :gray[· just now]"),
        (timedelta(minutes=2), "14:32 UTC** :gray[· 2 min ago]"),
    ],
)
def test_fresh_data_is_told_quietly(age: timedelta, words: str):
    told = freshness(NOW - age, NOW, live=True)
    assert words in told
    assert "orange" not in told


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(minutes=12), "14:22 UTC** · 12 min ago, stale"),
        (timedelta(days=40), "10 Apr 2024 14:34 UTC** · 40 days ago, stale"),
    ],
)
def test_stale_data_is_amber(age: timedelta, words: str):
    told = freshness(NOW - age, NOW, live=True)
    assert told.startswith(":orange[")
    assert words in told


def test_data_that_has_ended_is_not_called_stale():
    told = freshness(datetime(2000, 1, 28, tzinfo=UTC), NOW, live=False)
    assert "Historical data until" in told
    assert "orange" not in told


def test_no_data_is_told_as_such():
    assert "No data yet" in freshness(None, NOW, live=False)


def test_a_quiet_fleet_says_that_nobody_is_needed():
    fleet = Fleet(NOW, (_machine("Pump 1"), _machine("P-1", historical=True)), ())
    assert summary(fleet, QUIET).startswith(
        "**None of 1 machine needs attention.** 0 alarms in the last 24 h"
    )
    assert "0.00 per 10 min" in summary(fleet, QUIET)


def test_a_busy_day_is_measured_against_the_goal():
    fleet = Fleet(NOW, (_machine("Pump 1"),), ())
    told = summary(fleet, replace(QUIET, alarms_24h=288))
    assert "288 alarms in the last 24 h, 2.00 per 10 min :gray[(goal: at most 1)]" in told


def test_a_home_of_history_alone_claims_nothing_about_now():
    fleet = Fleet(NOW, (_machine("P-1", historical=True), _machine("T-1", historical=True)), ())
    told = summary(fleet, QUIET)
    assert "2 historical machines" in told
    assert "attention" not in told


def test_the_load_is_shared_by_the_operators():
    fleet = Fleet(NOW, (_machine("Pump 1"),), (), 0)
    alone, shared = (summary(fleet, Triage((), (), {}, 288, operators=n)) for n in (1, 4))
    assert "2.00 per 10 min" in alone
    assert "0.50 per operator and 10 min" in shared
