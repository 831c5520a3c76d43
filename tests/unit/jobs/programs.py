"""Workers with trivial kinds of work, started as processes by the tests."""

import os
import sys
import threading
from pathlib import Path

from core.errors import CoreError
from core.jobs import worker


def echo(payload, *, warehouse, clock, progress, metric):
    progress(0.5, "halfway")
    metric(0, "loss", 0.25)
    return {"heard": payload["say"], "threads": os.environ["OMP_NUM_THREADS"]}


def refuse(payload, *, warehouse, clock, progress, metric):
    raise CoreError("sensor Pump 7:\n  too short")


def stumble(payload, *, warehouse, clock, progress, metric):
    raise ZeroDivisionError("a defect")


def hang(payload, *, warehouse, clock, progress, metric):
    progress(0.4, "epoch 4 of 10")
    Path(payload["sign"]).write_text(str(os.getpid()))
    threading.Event().wait(120)
    return {}


def die(payload, *, warehouse, clock, progress, metric):
    os._exit(3)


KINDS = {"echo": echo, "refuse": refuse, "stumble": stumble, "hang": hang, "die": die, "train": echo}

if __name__ == "__main__":
    sys.exit(worker.main(kinds=KINDS))
