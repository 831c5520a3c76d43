import polars as pl
import pytest
from csv_material import GOOD, Read, refused, rows

from warehouse.errors import SourceError
from warehouse.sources import kept_readings


@pytest.mark.parametrize(
    ("stamp", "reason"),
    [
        ("1970-01-01 00:00", "is outside 1990-01-01 to 2026-03-02"),
        ("55969-03-04 00:00:00", "is outside 1990-01-01 to 2026-03-02"),
        ("2026-03-02 12:00:00", "is outside 1990-01-01 to 2026-03-02"),
        ("", "time is empty"),
        ("yesterday", "is not an ISO 8601 time"),
        ("2026-02-30 00:00", "is not an ISO 8601 time"),
    ],
)
def test_a_time_that_can_not_be_is_refused_with_its_line(wide: Read, stamp: str, reason: str) -> None:
    batch = wide(GOOD + f"{stamp},7\n")
    assert [value for _, _, value in rows(batch)] == [1.5, 2.5]
    ((row, why),) = refused(batch)
    assert row == 4
    assert reason in why


def test_clock_changes_refuse_what_is_ambiguous_or_never_was(wide: Read) -> None:
    batch = wide(
        "time,flow\n2025-10-26 01:30,1\n2025-10-26 02:30,2\n2025-10-26 03:30,3\n2025-03-30 02:30,4\n"
        "2025-10-26T02:30:00+02:00,5\n",
        zone="Europe/Berlin",
    )
    assert rows(batch) == [
        ("Pump 1/flow", "25 23:30", 1.0),
        ("Pump 1/flow", "26 00:30", 5.0),
        ("Pump 1/flow", "26 02:30", 3.0),
    ]
    (twice, never) = refused(batch)
    assert twice[0] == 3
    assert "showed twice on the clocks of Europe/Berlin" in twice[1]
    assert never[0] == 5
    assert "never showed" in never[1]


def test_an_offset_of_its_own_needs_no_zone_and_wins_over_one(wide: Read) -> None:
    content = "time,flow\n2026-01-01T00:00:00Z,1\n2026-01-01T02:01:00+02:00,2\n2026-01-01T00:02:00-0030,3\n"
    expected = ["01 00:00", "01 00:01", "01 00:32"]
    assert [when for _, when, _ in rows(wide(content, zone=None))] == expected
    assert [when for _, when, _ in rows(wide(content, zone="Asia/Tokyo"))] == expected


def test_a_time_without_zone_and_offset_stops_everything(wide: Read) -> None:
    with pytest.raises(SourceError, match=r"wide\.csv: no zone is stated and line 3 .*Europe/Berlin"):
        wide("time,flow\n2026-01-01T00:00:00Z,1\n2026-01-01 00:01:00,2\n", zone=None)


@pytest.mark.parametrize(
    ("form", "stamps"),
    [
        ("epoch_s", ["1767225600", "1767225660.0"]),
        ("epoch_ms", ["1767225600000", "1767225660000"]),
        ("epoch_us", ["1767225600000000", "1767225660000000"]),
        ("%d.%m.%Y %H:%M", ["01.01.2026 00:00", "01.01.2026 00:01"]),
        ("%m/%d/%Y %I:%M %p", ["01/01/2026 12:00 AM", "01/01/2026 12:01 AM"]),
        ("%d.%m.%Y %H:%M:%S.%f", ["01.01.2026 00:00:00.5", "01.01.2026 00:01:00.25"]),
        ("%Y-%m-%dT%H:%M%z", ["2026-01-01T01:00+0100", "2025-12-31T23:01-0100"]),
    ],
)
def test_declared_time_formats_are_read(wide: Read, form: str, stamps: list[str]) -> None:
    content = "time,flow\n" + "".join(f"{stamp},1\n" for stamp in stamps)
    batch = wide(content, time_format=form)
    assert [when for _, when, _ in rows(batch)] == ["01 00:00", "01 00:01"]


def test_milliseconds_taken_for_seconds_are_refused_not_wrapped(wide: Read) -> None:
    with pytest.raises(SourceError, match=r"none of its 2 rows .* line 2: time '1767225600000' is outside"):
        wide("time,flow\n1767225600000,1\n1767225660000,1\n", time_format="epoch_s")


def test_a_fraction_in_a_stated_format_is_one(wide: Read) -> None:
    content = "time,flow\n01.01.2026 00:00:00.5,1\n01.01.2026 00:00:01,2\n"
    batch = wide(content, time_format="%d.%m.%Y %H:%M:%S.%f")
    assert [ts.microsecond for ts in pl.concat(batch.readings)["ts"]] == [500_000, 0]


def test_microseconds_survive(wide: Read) -> None:
    batch = wide("time,flow\n2026-01-01 00:00:00.123456,1\n2026-01-01 00:00:00.123457,2\n")
    assert [ts.microsecond for ts in pl.concat(batch.readings)["ts"]] == [123456, 123457]


def test_the_later_row_of_one_time_stays_the_later(wide: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_readings, "ROWS_A_CHUNK", 2)
    content = "time,flow\n" + "".join(f"2026-01-01 00:0{minute},{minute}\n" for minute in (1, 0, 0, 0, 0))
    chunks = list(wide(content + "2026-01-01 00:00,9\n").readings)
    assert [chunk["value"].to_list() for chunk in chunks] == [[0.0, 0.0], [0.0, 0.0], [9.0, 1.0]]
