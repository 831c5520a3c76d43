"""Owns the state of a home, gives verdicts from two sides, stores minutes, compacts and collects.

Prints ``v <write id>`` and ``m <minute>`` once each is acknowledged. Argument: the home.
"""

import os
import sys
import threading
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import polars as pl

from warehouse.home import Warehouse
from warehouse.schema import GOOD, READINGS
from warehouse.state.labels import NewLabel
from warehouse.state.owner import StateOwner

START = datetime(2020, 1, 1, tzinfo=UTC)
# Later than any grace: what compaction ends goes at once, unless something holds it.
PAST_GRACE = timedelta(hours=7)

warehouse = Warehouse.open(Path(sys.argv[1]))


def now() -> datetime:
    return datetime.now(UTC)


owner = StateOwner(warehouse, clock=now)
owner.acquire(10)
owner.start_thread()


def acknowledge(what: str) -> None:
    os.write(1, f"{what}\n".encode())  # one system call: a line is whole or missing


def label(write_id: str, number: int) -> dict[str, object]:
    start = START + timedelta(hours=number)
    return NewLabel(1, start, start + timedelta(minutes=30), "unsure", note=write_id).payload()


def in_the_app() -> None:
    pause = threading.Event()
    for number in count():
        write_id = f"app-{number}"
        owner.write("label.set", label(write_id, number), actor="ada", write_id=write_id)
        acknowledge(f"v {write_id}")
        pause.wait(0.02)  # leaves a core to the others


def by_command() -> None:
    inbox, pause = warehouse.jobs.inbox, threading.Event()
    for number in count():
        write_id = f"command-{number}"
        inbox.put(write_id, "label.set", label(write_id, number), actor="bob", at=now())
        while inbox.outcome(write_id) is None:
            pause.wait(0.02)
        acknowledge(f"v {write_id}")


for side in (in_the_app, by_command):
    threading.Thread(target=side, daemon=True).start()
for minute in count():
    at = START + timedelta(minutes=97 * minute)
    rows = [(sensor, at, float(minute), GOOD) for sensor in (1, 2, 3)]
    warehouse.telemetry.write(pl.DataFrame(rows, schema=READINGS, orient="row"), note="minute", at=now())
    acknowledge(f"m {minute}")
    if minute % 8 == 7:
        warehouse.tidy(now=now() + PAST_GRACE)
