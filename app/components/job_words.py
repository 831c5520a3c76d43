"""What jobs are doing and what came of them, in words: the same on every card, row and page."""

from collections.abc import Iterable, Sequence
from typing import Final

from app.charts.batch_bars import MARKS
from app.components.words import escaped
from app.queries.job_views import Failure, JobRow

STATE_WORDS: Final = {
    "queued": "Waiting",
    "running": "Running",
    "done": "Done",
    "failed": "Failed",
    "cancelled": "Cancelled",
    "interrupted": "Interrupted",
}
ENDED: Final = ("done", "failed", "cancelled")
CANCELLING: Final = "Cancelling…"


def state_text(row: JobRow) -> str:
    """Return a job's state as sign and word, for places without colour: ``✖ Failed``."""
    if row.cancel_asked and row.state == "running":
        return CANCELLING
    return f"{MARKS.get(row.state, '?')} {STATE_WORDS.get(row.state, row.state)}"


def state_badge(row: JobRow) -> str:
    """Return a job's state as a markdown badge; only a failure is coloured."""
    return f":{'red' if row.state == 'failed' else 'gray'}-badge[{state_text(row)}]"


def outcome_text(row: JobRow) -> str:
    """Return what came of a job and what a person must know of it, each as a sentence."""
    told = [row.outcome, *(f"Note: {remark}" for remark in row.remarks)]
    return " ".join(f"{one[:1].upper()}{one[1:].removesuffix('.')}." for one in told if one)


def bar_text(row: JobRow) -> str:
    """Return what stands at the bar of a job that runs or waits, as markdown."""
    if row.cancel_asked and row.state == "running":
        return f"{row.progress * 100:.0f} % · {CANCELLING}"
    if row.state != "running":
        return escaped(row.words)
    return " · ".join(one for one in (f"{row.progress * 100:.0f} %", escaped(row.left)) if one)


def by_reason(failures: Iterable[Failure]) -> tuple[tuple[str, tuple[Failure, ...]], ...]:
    """Return failures under their reasons, the most frequent reason first."""
    found: dict[str, list[Failure]] = {}
    for failure in failures:
        found.setdefault(failure.reason, []).append(failure)
    ranked = sorted(found.items(), key=lambda one: (-len(one[1]), one[0]))
    return tuple((reason, tuple(those)) for reason, those in ranked)


def short_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return names without the sensor where each machine has but one: ``P-1`` for ``P-1 · telemetry``."""
    machines = [name.partition(" · ")[0] for name in names]
    return tuple(machines) if len(set(machines)) == len(names) else tuple(names)


def resources(memory_mb: float | None, cpu_s: float | None) -> str:
    """Return what a job's process takes: ``412 MB of memory, 38 s of CPU``; empty before it has said."""
    told = []
    if memory_mb is not None:
        told.append(
            f"{memory_mb / 1000:.1f} GB of memory" if memory_mb >= 999.5 else f"{memory_mb:.0f} MB of memory"
        )
    if cpu_s is not None:
        told.append(f"{cpu_s / 60:.0f} min of CPU" if cpu_s >= 119.5 else f"{cpu_s:.0f} s of CPU")
    return ", ".join(told)
