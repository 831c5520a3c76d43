"""Training many sensors: one job a sensor, each followed by its scoring, as one batch."""

from collections.abc import Mapping
from typing import Final, get_args

from core.errors import ParameterError
from core.workflows.reporting import Task
from core.workflows.requests import TrainRequest, ids_of, payload_of, request_for
from core.workflows.status import SensorStatus, Status, sensor_statuses
from warehouse.documents import JSON
from warehouse.jobs import NewJob

ONLY: Final = ("all", *get_args(Status))
"""Which of the sensors are trained: all, or those of one status."""


_WORDS: Final[Mapping[str, str]] = {
    "never": "never trained before",
    "trained": "with a model",
    "stale": "with a stale model",
    "failing": "whose training fails or whose model is lost",
}


def train_all_job(payload: Mapping[str, JSON], task: Task) -> dict[str, JSON]:
    """Queue the trainings of many sensors; those that are being trained already are named.

    Parameters
    ----------
    payload
        ``sensor_ids``, absent for every target; ``only``, one of `ONLY`; and what `train_job` takes.

    Raises
    ------
    JobError
        Something in the payload is of the wrong type.
    ParameterError
        There is no such preset, mode, parameter or choice.
    """
    only = str(payload.get("only") or "all")
    if only not in ONLY:
        raise ParameterError(f"only must be one of {', '.join(ONLY)}, not {only!r}", field="only")
    wanted = payload.get("sensor_ids")
    ids = None if wanted is None else ids_of(wanted, "a training needs sensor_ids")
    asked = {**payload, "actor": payload.get("actor") or task.actor}
    preset = request_for(0, asked).preset  # refused here where it can't be, whoever is chosen
    statuses = {one.sensor_id: one for one in sensor_statuses(task.warehouse)}
    chosen, failed = _chosen(statuses, ids, only, task)
    asks = [training_of(request_for(one.sensor_id, asked)) for one in chosen]
    if not asks:
        return {"summary": "There is nothing to train.", "trainings": 0, "already": [], "failed": failed}
    task.progress(0.5, f"Queueing {len(asks)} trainings")
    words = "" if only == "all" else f", {_WORDS[only]}"
    title = f"{preset.capitalize()} training of {len(asks)} sensors"
    batch = task.warehouse.jobs.ask_batch(f"{title}{words}", asks, actor=task.actor, at=task.clock())
    already = [task.warehouse.jobs.get(one) for one in batch.already]
    told: list[JSON] = [
        f"{_keys(job.payload, statuses)} is being trained already by {job.actor}: job {job.id}"
        for job in already
        if job is not None
    ]
    queued = len(asks) - len(told)
    summary = f"{queued:,} trainings queued."
    summary += f" {len(told):,} sensors are being trained already." if told else ""
    summary += f" {len(failed):,} sensors can't be trained." if failed else ""
    return {
        "summary": summary,
        "batch_id": batch.id,
        "trainings": queued,
        "already": told,
        "failed": failed,
    }


def training_of(request: TrainRequest) -> NewJob:
    """Return the job that trains a sensor, one at a time, with the scoring that follows it."""
    # Without a key: a scoring that waits already may run before this training ends.
    scoring = NewJob("score", {"sensor_ids": [request.sensor_id]})
    key = f"train {request.sensor_id}"
    return NewJob("train", payload_of(request), key=key, exclusive=True, then=scoring)


def _chosen(
    statuses: Mapping[int, SensorStatus], ids: tuple[int, ...] | None, only: str, task: Task
) -> tuple[list[SensorStatus], dict[str, JSON]]:
    """Return the sensors to train, and by name why others that were asked for can't be."""
    failed: dict[str, JSON] = {}
    known = list(statuses.values())
    if ids is not None:
        known = [statuses[one] for one in ids if one in statuses]
        names = {one.id: one for one in task.warehouse.catalog.sensors()}
        for one in ids:
            if one in statuses:
                continue
            sensor = names.get(one)
            key = f"#{one}" if sensor is None else sensor.key
            failed[key] = (
                "there is no such sensor"
                if sensor is None
                else f"it is a {sensor.role} sensor: it explains others and is not trained"
            )
    return [one for one in known if only in {"all", one.status}], failed


def _keys(payload: Mapping[str, JSON], statuses: Mapping[int, SensorStatus]) -> str:
    ids = payload.get("sensor_ids")
    found = [statuses[one].key for one in ids if one in statuses] if isinstance(ids, list) else []
    return ", ".join(found) or "a sensor"
