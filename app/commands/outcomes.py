"""What jobs came to, a line each as they end, and at the end what failed by name and reason."""

from collections.abc import Sequence
from typing import Final

import typer

from app.commands.batch_watch import see_all_through
from app.commands.console import Desk, err, out
from app.queries.job_results import results_of
from app.queries.job_text import sensor_ids_of, title_of
from core.jobs.supervisor import supervisor_alive
from core.workflows.reporting import remarks_of
from core.workflows.status import registered_nothing
from warehouse.jobs import Job

_NAMED: Final = 3
_TOLD_WHOLE: Final = frozenset({"validate", "backtest"})


def follow(
    desk: Desk, job_ids: Sequence[int], title: str, *, wait: bool, batch_id: int | None = None
) -> None:
    """See jobs through and say what came of each, or only where they can be seen.

    Parameters
    ----------
    title
        What they are together, for the bar.
    wait
        Stay until they are over.
    batch_id
        The batch that holds them, for the commands that go on with it; None for jobs of none.

    Raises
    ------
    typer.Exit
        With status 1, once all that failed is named: something did, or a training registered nothing.
    """
    which, go_on = (
        (f"job {job_ids[0]}", f"telltale jobs resume {job_ids[0]}")
        if batch_id is None
        else (f"batch {batch_id}", f"telltale jobs resume --batch {batch_id}")
    )
    if not wait:
        out.print(f"Queued as {which}; `telltale jobs list` shows how far it is.")
        if not supervisor_alive(desk.warehouse.layout):
            out.print(f"Nothing works on it now: start the app, or `{go_on}`.")
        return
    told = _Told(desk, len(job_ids))
    try:
        see_all_through(desk, job_ids, title, tell=told)
    except KeyboardInterrupt:
        if batch_id is not None and not supervisor_alive(desk.warehouse.layout):
            err.print(f"telltale: `{go_on}` goes on with all of it", markup=False)
        told.close()
        raise
    again = "" if batch_id is None else f"; `telltale jobs retry --batch {batch_id}` tries them again"
    if told.close(again):
        raise typer.Exit(1)


class _Told:
    """Prints a line a job as it ends, and at the end what failed."""

    def __init__(self, desk: Desk, asked: int) -> None:
        self._keys = {one.id: one.key for one in desk.warehouse.catalog.sensors()}
        self._asked = asked
        self._lost = 0
        self._reasons: list[str] = []

    def __call__(self, job: Job) -> None:
        """Print what came of a job."""
        name, result = self._name(job), job.result or {}
        reason = _why_not(job)
        if reason is not None:
            self._lost += 1
            self._reasons.append(f"{name}: {reason.removeprefix(f'{name}: ')}")
            out.print(f"{name}: {job.state if job.state != 'done' else 'no version'}", markup=False)
            return
        out.print(f"{name}: {result.get('summary', '')}", markup=False)
        for line in results_of(job) if job.kind in _TOLD_WHOLE else ():
            out.print(f"  {line}", markup=False)
        for remark in remarks_of(result):
            out.print(f"{name}: note: {remark}", markup=False)
        failed = result.get("failed")
        self._reasons += [f"{who}: {why}" for who, why in failed.items()] if isinstance(failed, dict) else []

    def close(self, again: str = "") -> bool:
        """Print what failed by name and reason, and return whether anything did."""
        for reason in self._reasons:
            err.print(f"telltale: {reason}", markup=False)
        if self._lost and self._asked > 1:
            err.print(f"telltale: {self._lost} of {self._asked} came to nothing{again}", markup=False)
        return bool(self._reasons)

    def _name(self, job: Job) -> str:
        which = [self._keys.get(one, f"#{one}") for one in sensor_ids_of(job)]
        return ", ".join(which) if 0 < len(which) <= _NAMED else f"{title_of(job)}, job {job.id}"


def _why_not(job: Job) -> str | None:
    if job.state != "done":
        return job.error or job.state
    return registered_nothing(job) if job.kind == "train" else None
