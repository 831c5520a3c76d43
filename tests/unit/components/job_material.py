"""Jobs, batches and sensors as queries would show them, made by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

from app.queries.job_views import (
    BatchView,
    Failure,
    JobRow,
    JobView,
    LogLine,
    SensorStatusRow,
    Status,
)

NOW = datetime(2026, 11, 20, 14, 32, tzinfo=UTC)
CONSTANT = "Failed: its training part never changes; choose another preset"
SHORT = "Failed: 212 good readings in the training part, 1000 are needed"


def row(job_id: int, what: str = "Pump 7 · speed", state: str = "running", **changed: Any) -> JobRow:
    """Return a job; what is not said depends on its state."""
    over = state in {"done", "failed", "cancelled"}
    begun = state != "queued"
    told = {
        "done": "Registered as version 3 and in use",
        "failed": CONSTANT,
        "cancelled": "Cancelled by ada",
    }
    values: dict[str, Any] = {
        "job_id": job_id,
        "kind": "train",
        "title": "Training, thorough",
        "what": what,
        "sensor_ids": (job_id,),
        "state": state,
        "words": "waits for a worker" if state == "queued" else state,
        "progress": 1.0 if state == "done" else 0.4 if state == "running" else 0.0,
        "message": "epoch 4 of at most 35, validation loss 0.0213" if state == "running" else "",
        "left": "about 3 min left" if state == "running" else "",
        "actor": "ada",
        "mine": True,
        "created_at": NOW - timedelta(minutes=5),
        "started_at": NOW - timedelta(minutes=4) if begun else None,
        "finished_at": NOW if over else None,
        "took": "4 min" if begun else "",
        "waits_for": (),
        "batch_id": None,
        "outcome": told.get(state, ""),
        "remarks": (),
        "version_id": 9 if state == "done" else None,
        "attempt": 1 if begun else 0,
        "cancel_asked": False,
    }
    return JobRow(**(values | changed))


def view(of: JobRow, **changed: Any) -> JobView:
    """Return a job with its log and curves."""
    loss = tuple((epoch, 1.0 / epoch) for epoch in range(1, 20))
    values: dict[str, Any] = {
        "row": of,
        "lines": tuple(
            LogLine(n, NOW + timedelta(seconds=9 * n), 1 + n // 12, f"{of.what}: epoch {n + 1} of at most 35")
            for n in range(20)
        ),
        "curves": (("train loss", loss), ("validation loss", tuple((x, y * 1.2 + 0.01) for x, y in loss))),
        "memory_mb": 1143.0,
        "cpu_s": 98.0,
        "parameters": (("Preset", "thorough"), ("Mode", "causal"), ("Seed", "0")),
        "results": (),
        "folds": (),
        "run_id": None,
        "checkpoint": None,
        "actions": ("cancel",),
    }
    return JobView(**(values | changed))


def batch(states: dict[str, int], **changed: Any) -> BatchView:
    """Return a batch with so many sensors in each state, named like SMAP's channels."""
    names = [f"{'APSTDEFGMB'[n % 10]}-{n // 10 + 1} · telemetry" for n in range(sum(states.values()))]
    listed = [state for state, count in states.items() for _ in range(count)]
    rows = tuple(
        row(
            100 + n,
            name,
            state,
            batch_id=3,
            progress=(n % 9 + 1) / 10 if state == "running" else 1.0 if state == "done" else 0.0,
            outcome=(SHORT if n % 3 else CONSTANT) if state == "failed" else "",
        )
        for n, (name, state) in enumerate(zip(sorted(names), listed, strict=True))
    )
    values: dict[str, Any] = {
        "batch_id": 3,
        "title": f"Train {len(rows)} sensors, quick",
        "actor": "ada",
        "created_at": NOW - timedelta(minutes=6),
        "rows": rows,
        "counts": tuple((state, count) for state, count in states.items() if count),
        "progress": sum(one.progress for one in rows) / max(len(rows), 1),
        "left": "about 9 min left",
        "failures": tuple(Failure(r.job_id, r.what, r.outcome) for r in rows if r.state == "failed"),
        "already": 0,
        "cancel_asked": False,
    }
    return BatchView(**(values | changed))


def sensors(counts: dict[Status, int]) -> tuple[SensorStatusRow, ...]:
    """Return so many sensors of each status."""
    why = {
        "failing": (CONSTANT, SHORT),
        "never": ("No model yet; the statistical detector watches",),
        "stale": ("Trained 94 days ago; 41 % of its readings are newer",),
        "trained": ("Version 3 in use, trained 4 days ago",),
    }
    rows = []
    for status, count in counts.items():
        for n in range(count):
            number = len(rows) + 1
            reasons = why[status]
            rows.append(
                SensorStatusRow(
                    number,
                    f"Pump {number} · outlet temperature",
                    status,
                    reasons[n % len(reasons)],
                    None if status == "never" else NOW - timedelta(hours=number),
                    None if status in {"never", "failing"} else number,
                    None if status == "never" else number,
                    None,
                )
            )
    return tuple(rows)
