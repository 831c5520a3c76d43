"""Workers with trivial kinds of work, started as processes by the tests."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

from core.errors import CoreError
from core.jobs import worker
from core.jobs.run import Kind


def echo(payload, task):
    task.progress(0.5, "halfway")
    task.metric(0, "loss", 0.25)
    return {"heard": payload["say"], "threads": os.environ["OMP_NUM_THREADS"]}


def refuse(payload, task):
    raise CoreError("sensor Pump 7:\n  too short")


def stumble(payload, task):
    raise ZeroDivisionError("a defect")


def hang(payload, task):
    """Work for two minutes without ever asking whether to go on."""
    task.progress(0.4, "epoch 4 of 10")
    Path(payload["sign"]).write_text(str(os.getpid()))
    threading.Event().wait(120)
    return {}


def cling(payload, task):
    """Hang, and ignore every polite signal."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return hang(payload, task)


def toil(payload, task):
    """Work for two minutes and ask often."""
    task.progress(0.4, "epoch 4 of 10")
    Path(payload["sign"]).write_text(str(os.getpid()))
    for _ in range(12_000):
        task.check()
        time.sleep(0.01)
    return {}


def count(payload, task):
    """Count to `to`, an epoch each; what was counted is kept, as a training keeps its epochs."""
    task.checkpoints.mkdir(parents=True, exist_ok=True)
    kept = task.checkpoints / "count"
    begun = int(kept.read_text()) if kept.exists() else 0
    for epoch in range(begun + 1, payload["to"] + 1):
        time.sleep(payload["pause_s"])
        task.check()
        kept.with_suffix(".new").write_text(str(epoch))
        kept.with_suffix(".new").replace(kept)
        task.checkpointed(epoch)
        task.progress(epoch / payload["to"], f"epoch {epoch}")
    return {"begun": begun, "to": payload["to"]}


def die(payload, task):
    os._exit(3)


KINDS = {
    name: Kind(run, heavy=name not in {"echo", "refuse", "stumble"}, title=name)
    for name, run in {
        "echo": echo,
        "refuse": refuse,
        "stumble": stumble,
        "hang": hang,
        "cling": cling,
        "toil": toil,
        "count": count,
        "die": die,
        "train": echo,
    }.items()
}

if __name__ == "__main__":
    sys.exit(worker.main(kinds=KINDS))
