"""People who label at once: what each of them does at the store, and what must be stored in the end."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import uuid4

import numpy as np
import polars as pl

from warehouse.assets import AssetSpec, SensorSpec
from warehouse.documents import JSON
from warehouse.errors import LabelConflict
from warehouse.home import Warehouse
from warehouse.schema import EVENTS, VERDICTS
from warehouse.state import fleet
from warehouse.state.labels import NewLabel
from warehouse.state.reads import StateReads
from warehouse.state.store import StateStore

START: Final = datetime(2024, 5, 1, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)
MACHINES: Final = 40
EVENTS_A_MACHINE: Final = 5

# Makes a write of a kind with a payload in the name of a person, and returns its outcome.
Write = Callable[[str, Mapping[str, JSON], str], dict[str, JSON]]

# Returns the newest label on an event that a screen would show, None where there is none.
Look = Callable[[str], int | None]


@dataclass
class Session:
    """One person's acts: what was acknowledged, and how long each write took.

    Parameters
    ----------
    person
        Name in the log.
    given
        Label id → what was given, of each acknowledged verdict.
    taken_back
        Labels whose taking back was acknowledged.
    times_ms
        Of every write, refused ones too.
    conflicts
        How often somebody else had been faster.
    """

    person: str
    given: dict[int, dict[str, JSON]] = field(default_factory=dict)
    taken_back: list[int] = field(default_factory=list)
    times_ms: list[float] = field(default_factory=list)
    conflicts: int = 0

    def work(self, write: Write, look: Look, acts: int, seed: int) -> None:
        """Act without a pause: a fifth of the acts take a verdict back, a tenth judge three at once."""
        rng = np.random.default_rng(seed)
        for act in range(acts):
            standing = [one for one in self.given if one not in self.taken_back]
            if act % 5 == 4 and standing:
                label_id = int(rng.choice(standing))
                self._timed(write, "label.undo", {"label_id": label_id})
                self.taken_back.append(label_id)
            else:
                self._give(write, look, [_verdict(rng) for _ in range(3 if act % 10 == 3 else 1)])

    def _give(self, write: Write, look: Look, labels: Sequence[NewLabel]) -> None:
        """Look at what was said of the events, then give verdicts; who was slower looks and gives again."""
        while True:
            asked = [{**one.payload(), "seen": look(one.event_id or "")} for one in labels]
            try:
                if len(asked) == 1:
                    ids = [self._timed(write, "label.set", asked[0])["label_id"]]
                else:
                    ids = _list(self._timed(write, "label.set_many", {"labels": asked})["label_ids"])
            except LabelConflict:
                self.conflicts += 1
                continue
            self.given.update({int(str(id_)): one.payload() for id_, one in zip(ids, labels, strict=True)})
            return

    def _timed(self, write: Write, kind: str, payload: Mapping[str, JSON]) -> dict[str, JSON]:
        begun = time.perf_counter()
        try:
            return write(kind, payload, self.person)
        finally:
            self.times_ms.append(1e3 * (time.perf_counter() - begun))


def fill(home: Warehouse) -> None:
    """Give a new home machines and current events."""
    pumps = [
        AssetSpec(f"Pump {number}", "pump", sensors=(SensorSpec("outlet temperature", "°C"),))
        for number in range(MACHINES)
    ]
    home.catalog.put_assets("csv", pumps)
    ids = tuple(one.id for one in home.catalog.sensors())
    places = [(sensor_id, number) for sensor_id in ids for number in range(EVENTS_A_MACHINE)]
    events = pl.DataFrame([_event(*place) for place in places], schema=EVENTS)
    store = StateStore(home.layout.state)
    store.write(lambda cursor: fleet.store(cursor, fleet.Mirror(ids, events, fleet.FLEET.to_frame())))
    store.close()


def wrong(state: StateReads, sessions: Sequence[Session]) -> tuple[int, int]:
    """Return how many acknowledged acts are lost or overwritten, and how many rows nobody was told of."""
    log = state.label_history()
    sets = {row["label_id"]: row for row in log.filter(action="set").iter_rows(named=True)}
    undone = set(log.filter(action="undo")["label_id"])
    lost = 0
    last_words: dict[tuple[str, JSON], int] = {}
    for session in sessions:
        for label_id, given in session.given.items():
            row = sets.get(label_id, {})
            as_given = {name: row.get(name) for name in ("sensor_id", "verdict", "event_id", "actor")}
            lost += as_given != {name: given.get(name, session.person) for name in as_given}
            if label_id not in session.taken_back:
                last_words[session.person, given["event_id"]] = label_id
        lost += len(set(session.taken_back) - undone)
    # What a person said last of an event is in force, whatever others said.
    lost += len(set(last_words.values()) - set(state.labels()["label_id"]))
    told = sum(len(session.given) + len(session.taken_back) for session in sessions)
    return lost, log.height - told


def new_id() -> str:
    """Return an id for a write."""
    return str(uuid4())


def _verdict(rng: np.random.Generator) -> NewLabel:
    sensor_id, number = int(rng.integers(1, MACHINES + 1)), int(rng.integers(EVENTS_A_MACHINE))
    start = START + 6 * HOUR * number
    return NewLabel(
        sensor_id,
        start,
        start + HOUR,
        str(rng.choice(VERDICTS)),
        fault_class="bearing",
        note="as seen from the control room",
        event_id=f"{sensor_id}-{number}",
        version_id=1,
    )


def _event(sensor_id: int, number: int) -> dict[str, object]:
    start = START + 6 * HOUR * number
    return {
        "event_id": f"{sensor_id}-{number}",
        "sensor_id": sensor_id,
        "version_id": 1,
        "start": start,
        "end": start + HOUR,
        "open": False,
        "peak_ts": start,
        "peak_score": 5.0,
        "threshold": 4.0,
        "probability": 0.9,
        "severity": "high",
        "why": "outlet temperature ran above its prediction",
        "mode": "causal",
        "drivers": [],
    }


def _list(value: JSON) -> list[JSON]:
    return list(value) if isinstance(value, list) else []
