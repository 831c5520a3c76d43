"""A home whose Anomalies page is heavy: a target with a reading a second, its context, scores and events."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.plain_version import plain_version
from core.feedback.description import describe
from warehouse.assets import AssetSpec, SensorSpec
from warehouse.home import Warehouse
from warehouse.instants import SECOND_US, microseconds
from warehouse.schema import READINGS, SCORES, STORED_EVENTS, TIME, conform
from warehouse.state.owner import StateOwner

END: Final = datetime(2026, 3, 2, 12, tzinfo=UTC)
CHUNK: Final = 1_000_000
THRESHOLD: Final = 4.0
LENGTH_S: Final = 2400
CONTEXT: Final = (("load", "%", 80.0), ("cooling-water flow", "m³/h", 200.0))

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Plan:
    """How much there is.

    Parameters
    ----------
    points
        Readings of the target; each context sensor and the state have as many. The last is at `END`.
    events
        Spread evenly over the readings; the newest of them still runs.
    step_s
        Seconds between readings.
    """

    points: int
    events: int
    step_s: int = 1

    @property
    def length(self) -> int:
        """Steps of an event."""
        return min(LENGTH_S // self.step_s, self.points // (2 * self.events))

    @property
    def starts(self) -> list[int]:
        """The first step of each event."""
        apart = self.points // self.events
        return [apart * (k + 1) - self.length for k in range(self.events)]

    @property
    def day(self) -> Doubles:
        """(n,) one swing a day."""
        swing: Doubles = np.sin(np.arange(self.points) * (self.step_s * 2 * math.pi / 86_400))
        return swing

    def moment(self, step: int) -> datetime:
        """Return when a step is."""
        return END - timedelta(seconds=(self.points - 1 - step) * self.step_s)

    def times(self, low: int, high: int) -> pl.Series:
        """Return the times of the steps ``[low, high)``."""
        step = self.step_s * SECOND_US
        first = microseconds(self.moment(0))
        return pl.Series("ts", np.arange(low, high) * step + first).cast(TIME)


def fill(root: Path, plan: Plan) -> Warehouse:
    """Make a home with one machine, and what was found on its target."""
    home = Warehouse.open(root)
    every = float(plan.step_s)
    names = (*(one[0] for one in CONTEXT), "state")
    sensors = (
        SensorSpec("state", "", "state", every),
        *(SensorSpec(name, unit, "context", every) for name, unit, _ in CONTEXT),
        SensorSpec("outlet temperature", "°C", "target", every, names),
    )
    ids = home.catalog.put_assets("csv", [AssetSpec("Pump 7", "pump", sensors=sensors)])
    for sensor, values in _readings(ids, plan).items():
        frames = (_frame(sensor, values, low, plan) for low in range(0, plan.points, CHUNK))
        home.telemetry.write_batches(frames, note="benchmark", at=END)
    _results(home, ids, _version(home, ids["Pump 7/outlet temperature"]), plan)
    with StateOwner(home, clock=lambda: END) as owner:
        owner.write("fleet.refresh", {}, actor="benchmark", write_id="benchmark")
    return home


def event_ids(home: Warehouse) -> list[str]:
    """Return the events of a home that `fill` made, the oldest first."""
    return home.results.events_current()["event_id"].to_list()


def _readings(ids: dict[str, int], plan: Plan) -> dict[int, Doubles]:
    random = np.random.default_rng(7)
    n, length = plan.points, plan.length
    state = np.ones(n)
    outlet = 60 + 3 * plan.day + random.normal(0, 0.2, n)
    for k, start in enumerate(plan.starts):
        outlet[start : start + length] += 4.0 + 0.1 * (k % 7)
        state[max(0, start - 6 * length) : max(0, start - 5 * length)] = 0.0
    found = {
        ids[f"Pump 7/{name}"]: level + level / 40 * plan.day + random.normal(0, level / 400, n)
        for name, _, level in CONTEXT
    }
    return {ids["Pump 7/state"]: state, **found, ids["Pump 7/outlet temperature"]: outlet}


def _frame(sensor: int, values: Doubles, low: int, plan: Plan) -> pl.DataFrame:
    part = values[low : low + CHUNK]
    frame = pl.DataFrame({"ts": plan.times(low, low + part.size), "value": part})
    return conform(
        frame.with_columns(sensor_id=pl.lit(sensor), quality=pl.lit(0)).select(READINGS.names()),
        READINGS,
        "benchmark",
    )


def _version(home: Warehouse, sensor: int) -> int:
    return plain_version(home, sensor, at=END, folder="models/benchmark")


def _results(home: Warehouse, ids: dict[str, int], version: int, plan: Plan) -> None:
    """Store a score and a prediction of every reading, and the events with what they look like."""
    target = ids["Pump 7/outlet temperature"]
    random = np.random.default_rng(8)
    score = np.abs(random.normal(1.0, 0.4, plan.points)).astype(np.float32)
    for start in plan.starts:
        score[start : start + plan.length] += 6.0
    expected = (60 + 3 * plan.day).astype(np.float32)
    for low in range(0, plan.points, CHUNK):
        high = min(plan.points, low + CHUNK)
        frame = pl.DataFrame(
            {"ts": plan.times(low, high), "score": score[low:high], "expected": expected[low:high]}
        ).with_columns(sensor_id=pl.lit(target), version_id=pl.lit(version), threshold=pl.lit(THRESHOLD))
        home.results.write_scores(conform(frame.select(SCORES.names()), SCORES, "benchmark"), at=END)
    rows = [_event(ids, version, plan, number) for number in range(plan.events)]
    home.results.put_events(target, version, pl.DataFrame(rows, schema=STORED_EVENTS), at=END)


def _event(ids: dict[str, int], version: int, plan: Plan, number: int) -> dict[str, object]:
    random = np.random.default_rng(number)
    length = plan.length
    values = random.normal(60, 0.2, 3 * length).astype(np.float32)
    values[length : 2 * length] += 4.0 + 0.1 * (number % 7)
    look = describe(
        values,
        np.full(values.size, 60, np.float32),
        start=length,
        end=2 * length,
        peak_score=8.0,
        threshold=THRESHOLD,
        interval_s=float(plan.step_s),
    )
    target = ids["Pump 7/outlet temperature"]
    begin = plan.moment(plan.starts[number])
    lasting = timedelta(seconds=length * plan.step_s)
    return {
        "event_id": f"{target}-{begin:%Y%m%dT%H%M%S}",
        "sensor_id": target,
        "version_id": version,
        "start": begin,
        "end": begin + lasting,
        "open": begin + lasting > END,
        "peak_ts": begin + lasting / 2,
        "peak_score": 8.0,
        "threshold": THRESHOLD,
        "probability": 0.97,
        "severity": ("high", "medium", "critical", "low")[number % 4],
        "why": "Outlet temperature ran 4.1 °C above its prediction for 40 min while load was steady",
        "mode": "causal",
        "drivers": [
            {"sensor_id": target, "share": 0.8},
            {"sensor_id": ids["Pump 7/cooling-water flow"], "share": 0.2},
        ],
        "traits": look.traits.tolist(),
        "shape": look.shape.tolist(),
    }
