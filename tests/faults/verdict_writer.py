"""Owns the state, writes verdicts from several sides, and prints each note once it is acknowledged.

Arguments: the home, a name for this life, and ``early`` for the control that acknowledges too soon.
"""

import os
import sys
import threading
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from warehouse.home import Warehouse
from warehouse.state.labels import NewLabel
from warehouse.state.owner import StateOwner

home, life = Path(sys.argv[1]), sys.argv[2]
early = "early" in sys.argv[3:]
warehouse = Warehouse.open(home)
owner = StateOwner(warehouse, clock=lambda: datetime.now(UTC))
owner.acquire(10)
owner.start_thread()


def acknowledge(write_id: str) -> None:
    os.write(1, f"{write_id}\n".encode())  # one system call: a line is whole or missing


def label(write_id: str, number: int) -> dict[str, object]:
    start = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(hours=number)
    return NewLabel(1, start, start + timedelta(minutes=30), "unsure", note=write_id).payload()


def in_the_app() -> None:
    for number in count():
        write_id = f"{life}-app-{number}"
        if early:
            acknowledge(write_id)
            threading.Event().wait(0.05)
        owner.write("label.set", label(write_id, number), actor="ada", write_id=write_id)
        if not early:
            acknowledge(write_id)


def incidents() -> None:
    """Judge three events at a time; their verdicts share transactions with those of the other sides."""
    for number in count():
        write_id = f"{life}-incident-{number}"
        notes = [f"{write_id}/{place}" for place in range(3)]
        labels = [label(note, 10_000 + 3 * number + place) for place, note in enumerate(notes)]
        owner.write("label.set_many", {"labels": labels}, actor="cem", write_id=write_id)
        acknowledge("\n".join(notes))


def by_command() -> None:
    inbox = warehouse.jobs.inbox
    pause = threading.Event()
    for number in count():
        write_id = f"{life}-command-{number}"
        inbox.put(write_id, "label.set", label(write_id, number), actor="bob", at=datetime.now(UTC))
        while inbox.outcome(write_id) is None:
            pause.wait(0.005)
        acknowledge(write_id)


sides = [in_the_app] if early else [in_the_app, incidents, by_command]
for side in sides:
    threading.Thread(target=side, daemon=True).start()
threading.Event().wait()
