import itertools
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from warehouse.errors import SourceError
from warehouse.sources import demo
from warehouse.sources.base import CHUNK
from warehouse.sources.demo.fleet import FLEET, GAUGES

ANCHOR = datetime(2025, 11, 20, 14, 32, tzinfo=UTC)
SEED = 7
START = ANCHOR - timedelta(days=demo.HISTORY_DAYS)
HEALTHY = ("Pump 2", "Pump 4", "Pump 6", "Compressor 3")


@pytest.fixture(scope="module")
def history() -> pl.DataFrame:
    return demo.simulate(SEED, ANCHOR, START, ANCHOR)


def values(frame: pl.DataFrame, key: str, start: datetime, end: datetime) -> np.ndarray:
    chosen = frame.filter((pl.col("key") == key) & pl.col("ts").is_between(start, end, closed="left"))
    return chosen["value"].to_numpy()


def before_anchor(frame: pl.DataFrame, key: str, hours: float, until: float = 0.0) -> np.ndarray:
    return values(frame, key, ANCHOR - timedelta(hours=hours), ANCHOR - timedelta(hours=until))


def test_the_fleet_is_twelve_machines_with_48_sensors() -> None:
    assert [machine.name for machine in FLEET] == [
        *(f"Pump {number}" for number in range(1, 8)),
        *(f"Compressor {number}" for number in range(1, 5)),
        "Turbine 1",
    ]
    assert len(demo.KEYS) == len(set(demo.KEYS)) == 48
    for asset in demo.specs():
        roles = {sensor.name: sensor.role for sensor in asset.sensors}
        assert "target" in roles.values()
        assert "context" in roles.values()
        for sensor in asset.sensors:
            assert sensor.unit or sensor.role == "state"
            assert bool(sensor.context) == (sensor.role == "target")


def test_ninety_days_hold_a_row_a_sensor_and_minute_but_for_drop_outs(history: pl.DataFrame) -> None:
    lost = {one.key for one in demo.truth(SEED, ANCHOR, START, ANCHOR) if one.kind == "drop-out"}
    counts = dict(history.group_by("key").len().iter_rows())
    assert set(counts) == set(demo.KEYS)
    for key, count in counts.items():
        assert count == 90 * 1440 or (key in lost and count < 90 * 1440)


def test_values_lie_in_the_range_of_their_gauge_at_its_resolution(history: pl.DataFrame) -> None:
    for machine, gauge in GAUGES:
        told = values(history, f"{machine.name}/{gauge.name}", START, ANCHOR)
        told = told[~np.isnan(told)]
        low, high = gauge.span
        margin = 0.25 * (high - low)
        assert low - margin <= told.min() <= told.max() <= high + margin
        steps = told / gauge.resolution
        np.testing.assert_allclose(steps, np.round(steps), atol=1e-4)
        if gauge.name != "state":
            assert np.std(told) > gauge.resolution / 2


def test_the_same_seed_gives_the_same_and_another_seed_another_fleet() -> None:
    start = ANCHOR - timedelta(hours=2)
    first = demo.simulate(SEED, ANCHOR, start, ANCHOR)
    assert first.equals(demo.simulate(SEED, ANCHOR, start, ANCHOR))
    assert not first.equals(demo.simulate(SEED + 1, ANCHOR, start, ANCHOR))


def test_minutes_are_whole_and_the_interval_half_open() -> None:
    start = datetime(2025, 11, 20, 10, 0, 30, tzinfo=UTC)
    frame = demo.simulate(SEED, ANCHOR, start, start + timedelta(minutes=2))
    assert [ts.strftime("%H:%M:%S") for ts in frame["ts"].unique().sort()] == ["10:01:00", "10:02:00"]
    assert demo.simulate(SEED, ANCHOR, start, start).schema == CHUNK
    assert demo.simulate(SEED, ANCHOR, start, start).is_empty()


def test_a_day_continues_the_day_before_without_a_jump(history: pl.DataFrame) -> None:
    for key in ("Pump 7/outlet temperature", "Turbine 1/exhaust temperature", "Pump 4/bearing temperature"):
        minutes = history.filter(pl.col("key") == key)
        steps = minutes.with_columns(
            pl.col("value").diff().abs(), midnight=pl.col("ts").dt.time() == pl.time(0)
        )
        typical = steps["value"].quantile(0.999)
        assert typical is not None
        assert steps.filter("midnight")["value"].median() <= typical / 2


def test_no_two_days_make_the_same_noise(history: pl.DataFrame) -> None:
    midnight = datetime(2025, 11, 3, tzinfo=UTC)
    for key in ("Pump 2/flow", "Compressor 3/motor current", "Pump 6/motor current"):
        days = [midnight + timedelta(days=number) for number in range(3)]
        noise = [np.diff(values(history, key, day, day + timedelta(days=1))) for day in days]
        for one, other in itertools.combinations(noise, 2):
            assert abs(np.corrcoef(one, other)[0, 1]) < 0.2


def test_the_first_five_weeks_hold_no_fault() -> None:
    until = START + timedelta(days=demo.HEALTHY_DAYS)
    for seed in range(20):
        assert all(one.benign for one in demo.truth(seed, ANCHOR, START, until))


def test_benign_events_recur_from_the_beginning() -> None:
    for start in (START, START + timedelta(days=30), START + timedelta(days=60)):
        kinds = {
            one.kind for one in demo.truth(SEED, ANCHOR, start, start + timedelta(days=30)) if one.benign
        }
        assert kinds == {"start-up", "cleaning", "calibration"}


def test_some_machines_never_fail() -> None:
    for seed in range(5):
        for one in demo.truth(seed, ANCHOR, START, ANCHOR + timedelta(days=120)):
            assert one.benign or not one.key.startswith(tuple(f"{name}/" for name in HEALTHY))


def test_every_kind_of_fault_is_there() -> None:
    kinds = {one.kind for one in demo.truth(SEED, ANCHOR, START, ANCHOR) if not one.benign}
    assert kinds >= {"drift", "step", "spike", "stuck", "drop-out", "changed correlation"}


def test_seven_machines_stand_with_a_running_fault_at_the_anchor() -> None:
    now = demo.truth(SEED, ANCHOR, ANCHOR - timedelta(minutes=1), ANCHOR)
    assert all(not one.benign and one.start < ANCHOR < one.end for one in now)
    machines = sorted({one.key.split("/")[0] for one in now})
    assert machines == ["Compressor 2", "Compressor 4", "Pump 1", "Pump 3", "Pump 5", "Pump 7", "Turbine 1"]


def test_new_faults_keep_coming_after_the_anchor() -> None:
    for seed in range(5):
        for week in range(2, 20, 3):
            start = ANCHOR + timedelta(weeks=week)
            coming = demo.truth(seed, ANCHOR, start, start + timedelta(weeks=3))
            assert any(not one.benign for one in coming)


def test_faults_of_one_sensor_do_not_overlap() -> None:
    for seed in range(5):
        found = demo.truth(seed, ANCHOR, START, ANCHOR + timedelta(days=60))
        ordered = sorted((one for one in found if not one.benign), key=lambda one: (one.key, one.start))
        for before, after in itertools.pairwise(ordered):
            assert before.key != after.key or before.end <= after.start


def test_truth_of_a_span_is_what_touches_it() -> None:
    whole = demo.truth(SEED, ANCHOR, START, ANCHOR)
    for start in (START, ANCHOR - timedelta(days=10, minutes=7), ANCHOR - timedelta(hours=5)):
        end = start + timedelta(hours=31)
        expected = [one for one in whole if one.start < end and start < one.end]
        assert [one for one in demo.truth(SEED, ANCHOR, start, end) if one.start < ANCHOR] == expected
    assert demo.truth(SEED, ANCHOR, ANCHOR, ANCHOR) == ()


def test_the_cooler_of_pump_7_fouls_flow_first(history: pl.DataFrame) -> None:
    by_key = {one.key: one for one in demo.truth(SEED, ANCHOR, ANCHOR - timedelta(minutes=1), ANCHOR)}
    flow = by_key["Pump 7/cooling-water flow"]
    outlet = by_key["Pump 7/outlet temperature"]
    assert outlet.start - flow.start == timedelta(minutes=24)
    before = before_anchor(history, "Pump 7/cooling-water flow", 12, 10).mean()
    assert before_anchor(history, "Pump 7/cooling-water flow", 0.5).mean() < 0.75 * before
    risen = before_anchor(history, "Pump 7/outlet temperature", 0.5).mean()
    assert risen > before_anchor(history, "Pump 7/outlet temperature", 12, 10).mean() + 12


def test_wear_of_compressor_2_doubles_its_vibration_in_six_days(history: pl.DataFrame) -> None:
    before = before_anchor(history, "Compressor 2/bearing vibration", 24 * 8, 24 * 6).mean()
    now = before_anchor(history, "Compressor 2/bearing vibration", 3).mean()
    assert 1.8 < now / before < 2.4


def test_the_flow_of_pump_3_is_stuck_while_its_speed_varies(history: pl.DataFrame) -> None:
    assert np.unique(before_anchor(history, "Pump 3/flow", 5.5)).size == 1
    assert np.unique(before_anchor(history, "Pump 3/speed", 5.5)).size > 20


def test_a_sensor_stays_stuck_at_one_value_over_midnight() -> None:
    now = demo.truth(SEED, ANCHOR, ANCHOR - timedelta(minutes=1), ANCHOR)
    (stuck,) = [one for one in now if one.kind == "stuck"]
    assert stuck.start.date() < stuck.end.date()
    held = demo.simulate(SEED, ANCHOR, stuck.start, stuck.end).filter(pl.col("key") == stuck.key)
    assert held["value"].n_unique() == 1
    after = demo.simulate(SEED, ANCHOR, stuck.end, stuck.end + timedelta(hours=2))
    assert after.filter(pl.col("key") == stuck.key)["value"].n_unique() > 3


def test_the_lost_seal_of_pump_5_sends_nothing(history: pl.DataFrame) -> None:
    assert before_anchor(history, "Pump 5/seal pressure", 6).size == 0
    assert before_anchor(history, "Pump 5/seal pressure", 9, 7).size == 120


def test_a_calibration_shows_nought_half_and_full_range(history: pl.DataFrame) -> None:
    one = next(one for one in demo.truth(SEED, ANCHOR, START, ANCHOR) if one.kind == "calibration")
    machine, gauge = next(pair for pair in GAUGES if f"{pair[0].name}/{pair[1].name}" == one.key)
    shown = np.unique(values(history, one.key, one.start, one.end))
    low, high = gauge.span
    np.testing.assert_allclose(shown, [low, (low + high) / 2, high], atol=gauge.resolution)
    assert machine.name in one.key


def test_a_stopped_machine_stands_still_and_cools(history: pl.DataFrame) -> None:
    known = demo.truth(SEED, ANCHOR, START + timedelta(days=1), ANCHOR)
    one = next(one for one in known if one.key == "Pump 7/outlet temperature" and one.kind == "cleaning")
    middle = one.start + timedelta(minutes=130)
    assert values(history, "Pump 7/state", one.start, middle).max() == 0.0
    assert values(history, "Pump 7/load", middle - timedelta(minutes=60), middle).max() < 1.0
    hot = values(history, one.key, one.start - timedelta(minutes=5), one.start).mean()
    assert values(history, one.key, middle - timedelta(minutes=5), middle).mean() < hot - 15


def test_targets_of_healthy_machines_follow_their_context(history: pl.DataFrame) -> None:
    """A plain regression on context and its lagged means explains nearly all of a healthy week."""
    start, middle = ANCHOR - timedelta(days=28), ANCHOR - timedelta(days=7)
    odd = [one for one in demo.truth(SEED, ANCHOR, start, ANCHOR) if one.benign]
    for machine, gauge in GAUGES:
        if machine.name not in HEALTHY or gauge.role != "target":
            continue
        key = f"{machine.name}/{gauge.name}"
        target = history.filter((pl.col("key") == key) & (pl.col("ts") >= start))
        columns = [np.ones(target.height)]
        for name in gauge.context:
            source = history.filter((pl.col("key") == f"{machine.name}/{name}") & (pl.col("ts") >= start))
            columns += [
                source["value"].ewm_mean(half_life=half_life, adjust=False).to_numpy()
                for half_life in (0.01, 4.0, 15.0, 60.0)
            ]
        x, y, ts = np.stack(columns, axis=1), target["value"].to_numpy(), target["ts"]
        calm = np.ones(y.size, dtype=bool)
        for one in odd:
            if one.key == key:
                calm &= ~ts.is_between(one.start, one.end + timedelta(hours=3)).to_numpy()
        learn, judge = calm & (ts < middle).to_numpy(), calm & (ts >= middle).to_numpy()
        weights, *_ = np.linalg.lstsq(x[learn], y[learn], rcond=None)
        unexplained = np.var(y[judge] - x[judge] @ weights) / np.var(y[judge])
        assert unexplained < 0.05, key


def test_a_minute_is_appended_fast() -> None:
    demo.simulate(SEED, ANCHOR, ANCHOR, ANCHOR + timedelta(minutes=1))
    from warehouse.sources.demo import simulator

    hits = simulator._day.cache_info().hits
    appended = demo.simulate(SEED, ANCHOR, ANCHOR + timedelta(minutes=1), ANCHOR + timedelta(minutes=2))
    assert simulator._day.cache_info().hits == hits + 1
    assert appended.height == 47


@pytest.mark.parametrize(
    ("seed", "start", "end", "message"),
    [
        (-1, START, ANCHOR, "seed -1 is negative"),
        (1, ANCHOR, START, "lies before start"),
        (1, datetime(2025, 1, 1), ANCHOR, "start .* has no zone"),  # noqa: DTZ001 -- that is what is refused
    ],
)
def test_what_can_not_be_simulated_is_refused(
    seed: int, start: datetime, end: datetime, message: str
) -> None:
    with pytest.raises(SourceError, match=message):
        demo.read(seed, ANCHOR, start, end)
