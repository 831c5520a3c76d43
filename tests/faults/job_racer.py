"""A process that does to the job table what it is told, at the moment it is told: one JSON line each."""

import json
import os
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from warehouse.jobs import Job, Jobs, NewJob

jobs = Jobs(Path(sys.argv[1]))
held: dict[int, Job] = {}


def say(answer: object) -> None:
    sys.stdout.write(f"{json.dumps(answer)}\n")
    sys.stdout.flush()


def ask(given: dict[str, Any]) -> object:
    asked = jobs.ask(
        "train", {}, actor=str(os.getpid()), at=given["at"], key=given["key"], exclusive=given["exclusive"]
    )
    return [asked.new, asked.job.id]


def resume(given: dict[str, Any]) -> object:
    asked = jobs.resume(given["job_id"], actor=str(os.getpid()), at=given["at"])
    return [asked.new, asked.job.id]


def due(given: dict[str, Any]) -> object:
    return [[asked.new, asked.job.id] for asked in jobs.schedules.due(given["at"])]


def claim(given: dict[str, Any]) -> object:
    job = jobs.claim(os.getpid(), given["at"])
    if job is not None:
        held[job.id] = job
    return None if job is None else [job.id, job.attempt]


def claim_all(given: dict[str, Any]) -> object:
    """Claim and finish until nothing waits; each is told at once, for death comes at any time."""
    while (job := jobs.claim(os.getpid(), given["at"])) is not None:
        jobs.checkpointed(job, job.attempt)
        if jobs.finish(job, {"by": os.getpid()}, given["at"]):
            say(job.id)
    return "all"


def write(given: dict[str, Any]) -> object:
    """Do everything that a running job does, with the job as this process once claimed it."""
    job, at = held[given["job_id"]], given["at"]
    return [
        jobs.beat(job, at + timedelta(days=1), memory_mb=1.0, cpu_s=1.0),
        jobs.progress(job, 0.99, "from the dead", at=at),
        jobs.log(job, "from the dead", at),
        jobs.log_metric(job, 99, "loss", 1.0),
        jobs.checkpointed(job, 99),
        jobs.cancelled(job, at),
        jobs.fail(job, "from the dead", at),
        jobs.finish(job, {"by": "the dead"}, at),
        jobs.alive(job),
    ]


def batch(given: dict[str, Any]) -> object:
    asks = [NewJob("train", {"n": n}, then=NewJob("score", {"n": n})) for n in range(given["count"])]
    return list(jobs.ask_batch(given["key"], asks, actor="racer", at=given["at"]).job_ids)


DOING: dict[str, Callable[[dict[str, Any]], object]] = {
    one.__name__: one for one in (ask, resume, due, claim, claim_all, write, batch)
}

say("ready")
for line in sys.stdin:
    told = json.loads(line)
    told["at"] = datetime.fromisoformat(told["at"])
    while time.time() < told["start"]:
        pass  # to the microsecond: the processes that race with this one begin together
    say(DOING[told["do"]](told))
