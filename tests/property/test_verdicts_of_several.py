"""In whatever order people give verdicts and take them back, alone or at once, nobody's word is lost."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from warehouse.assets import AssetSpec, SensorSpec
from warehouse.errors import LabelConflict, LabelError
from warehouse.home import Warehouse
from warehouse.state.labels import NewLabel
from warehouse.state.overlap import with_verdicts
from warehouse.state.owner import StateOwner
from warehouse.state.together import Together
from warehouse.state.writes import Write

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PEOPLE = ("ada", "bob", "cem")
SENSORS = 400


@dataclass(frozen=True)
class Said:
    """A verdict as the model knows it."""

    label_id: int
    actor: str
    start: int
    end: int
    verdict: str
    event_id: str | None

    def meets(self, other: "Said", choose: object) -> bool:
        """Tell by the stated rule whether two belong together: of the same event, or half of one overlaps."""
        if self.event_id is not None and self.event_id == other.event_id:
            return True
        overlap = min(self.end, other.end) - max(self.start, other.start)
        return overlap > 0 and overlap * 2 >= choose(self.end - self.start, other.end - other.start)


@dataclass
class Model:
    """What was said and not taken back, compared each with each."""

    said: dict[int, Said] = field(default_factory=dict)

    def in_force(self) -> list[Said]:
        """Return what no later word of the same person has replaced."""
        return [
            one
            for one in self.said.values()
            if not any(
                later.label_id > one.label_id and later.actor == one.actor and one.meets(later, max)
                for later in self.said.values()
            )
        ]

    def conflicts(self, new: Said, seen: int) -> list[int]:
        """Return labels of others that speak of what `new` is given to and that its writer has not seen."""
        return [
            one.label_id
            for one in self.in_force()
            if one.actor != new.actor and one.label_id > seen and one.meets(new, min)
        ]


@pytest.fixture(scope="module")
def owner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StateOwner]:
    warehouse = Warehouse.open(tmp_path_factory.mktemp("several") / "home")
    warehouse.catalog.put_assets(
        "csv", [AssetSpec("Pump", "pump", sensors=tuple(SensorSpec(f"s{n}", "°C") for n in range(SENSORS)))]
    )
    with StateOwner(warehouse, clock=lambda: NOON) as owner:
        yield owner
    warehouse.close()


@pytest.fixture(scope="module")
def sensors() -> Iterator[int]:
    """Sensors that no example has used: each begins with an empty log."""
    return iter(range(1, SENSORS + 1))


_ids = count()

bounds = st.tuples(st.integers(0, 60), st.integers(1, 60)).map(lambda pair: (pair[0], pair[0] + pair[1]))
setting = st.tuples(
    st.just("set"),
    st.sampled_from(PEOPLE),
    bounds,
    st.sampled_from(["true_anomaly", "false_positive", "unsure"]),
    st.sampled_from([None, None, "e-1", "e-2"]),
    st.sampled_from(["not said", "nothing", "newest", "oldest"]),
)
undoing = st.tuples(st.just("undo"), st.sampled_from(PEOPLE), st.integers(0, 12))
acts = st.lists(st.lists(st.one_of(setting, setting, undoing), min_size=1, max_size=4), max_size=6)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=acts)
def test_nobody_loses_what_another_said(
    owner: StateOwner, sensors: Iterator[int], acts: list[list[tuple[object, ...]]]
) -> None:
    sensor_id, model = next(sensors), Model()
    together = Together(owner._opened(), owner._warehouse)
    before = owner.label_history(sensor_id)
    for several in acts:
        writes = [_write(one, sensor_id, model) for one in several]
        for write, became in zip(writes, together.write(writes), strict=True):
            _follow(model, write, became)
        owner._count()
        after = owner.label_history(sensor_id)
        assert after.tail(before.height).equals(before)
        before = after
        found = owner.labels_for(sensor_id)
        assert found["label_id"].to_list() == [one.label_id for one in model.in_force()]
        _same_voices(found, sensor_id, model)


def _write(act: tuple[object, ...], sensor_id: int, model: Model) -> Write:
    kind, actor, *rest = act
    write_id = f"w-{next(_ids)}"
    if kind == "undo":
        known = list(model.said)
        label_id = known[rest[0] % len(known)] if known else 0
        return Write(write_id, "label.undo", {"label_id": label_id}, actor, NOON)
    (start, end), verdict, event_id, what = rest
    span = (NOON - end * MINUTE, NOON - start * MINUTE)
    payload = NewLabel(sensor_id, *span, verdict, event_id=event_id).payload()
    if what != "not said":
        known = [one.label_id for one in model.in_force()] or [0]
        payload["seen"] = {"nothing": None, "newest": max(known), "oldest": min(known)}[what]
    return Write(write_id, "label.set", payload, actor, NOON)


def _follow(model: Model, write: Write, became: object) -> None:
    """Do with the model what the write asked for, and hold what became of it against that."""
    if write.kind == "label.undo":
        label_id = write.payload["label_id"]
        assert isinstance(became, LabelError) == (label_id not in model.said)
        model.said.pop(label_id, None)
        return
    start, end = (
        round((NOON - datetime.fromisoformat(write.payload[name])) / MINUTE) for name in ("end", "start")
    )
    label_id = became["label_id"] if isinstance(became, dict) else 10**9
    new = Said(label_id, write.actor, start, end, write.payload["verdict"], write.payload["event_id"])
    against = model.conflicts(new, write.payload["seen"] or 0) if "seen" in write.payload else []
    if against:
        assert isinstance(became, LabelConflict)
        assert became.label_id == max(against)
    else:
        assert isinstance(became, dict), became
        model.said[label_id] = new


def _same_voices(found: pl.DataFrame, sensor_id: int, model: Model) -> None:
    """Hold what people say of an event against the latest word of each."""
    event = Said(0, "", 20, 50, "", "e-1")
    frame = pl.DataFrame(
        {
            "event_id": ["e-1"],
            "sensor_id": [sensor_id],
            "start": [NOON - 50 * MINUTE],
            "end": [NOON - 20 * MINUTE],
        },
        schema_overrides={"sensor_id": pl.Int32},
    )
    told = with_verdicts(frame, found).row(0, named=True)
    latest = {one.actor: one for one in model.in_force() if one.meets(event, min)}
    verdicts = {one.verdict for one in latest.values()}
    newest = max((one.label_id for one in latest.values()), default=None)
    assert (told["voices"], told["label_id"]) == (len(latest), newest)
    assert told["disagree"] == ({"true_anomaly", "false_positive"} <= verdicts)
