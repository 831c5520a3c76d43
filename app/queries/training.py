"""What can be trained: how the model of each sensor is, presets with how long they take, schedules."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import streamlit as st

from app import settings
from app.queries import house
from app.queries.failure import answered
from app.queries.house import Stamp
from app.queries.job_rows import names
from app.queries.job_text import KIND_WORDS, about, of_sensors
from app.queries.job_views import AdvancedField, PresetRow, ScheduleRow, SensorStatusRow
from core.jobs.cores import usual_workers
from core.workflows.estimate import estimate
from core.workflows.requests import PRESET_NAMES, advanced_of, modes_of
from core.workflows.status import sensor_statuses as statuses_of
from warehouse.jobs import WAITING, Schedule

_LOOK_AGAIN: Final = timedelta(minutes=1)
"""How long files of versions are taken to be as they were."""

_ONLY: Final = {
    "never": "never trained",
    "stale": "with a stale model",
    "failing": "whose training fails or whose model is lost",
}


_WHAT: Final[Mapping[str, str]] = {
    "quick": "Level, spread and standstills of windows, and a prediction in closed form. No neural network.",
    "standard": "The quick checks, and windows compared with the past step by step. No neural network.",
    "thorough": "Everything in standard, and a convolution network.",
    "telemanom": "NASA's published LSTM and dynamic threshold, alone. Refuses a sensor that never changed.",
}


@answered
def presets(sensor_ids: Sequence[int] = ()) -> tuple[PresetRow, ...]:
    """Return the presets of a training, the quickest first, with how long these sensors take.

    Told from past trainings of this home where there are any, and shared among the workers.

    Parameters
    ----------
    sensor_ids
        Targets; of the first one there is, where none are given.
    """
    home = house.warehouse()
    ids = list(sensor_ids) or [one.id for one in home.catalog.sensors(role="target")[:1]]
    workers = min(settings.load().workers or usual_workers(), max(len(ids), 1))
    rows = []
    for name in PRESET_NAMES:
        seconds = estimate(name, ids, home).seconds / workers
        rows.append(PresetRow(name, _WHAT[name], about(seconds), seconds, modes_of(name)))
    return tuple(rows)


@answered
def sensor_statuses(made: Stamp) -> tuple[SensorStatusRow, ...]:
    """Return how the model of every target is, in the order of their ids."""
    # A training that begins or ends changes what waits or runs; anything else comes with a stamp, but
    # for files of a version that are lost or come back.
    table = house.warehouse().jobs
    waiting = tuple(job.id for job in table.list((*WAITING, "running"), kind="train", limit=-1))
    return _statuses(made, waiting, table.last_ended("train"))


@answered
def trained_versions(sensor_ids: Collection[int]) -> tuple[int, ...]:
    """Return the ids of all trained versions of some sensors, the oldest first."""
    versions = house.warehouse().catalog.versions()
    return tuple(one.id for one in versions if one.kind == "trained" and one.sensor_id in sensor_ids)


@st.cache_data(show_spinner=False, max_entries=4, ttl=_LOOK_AGAIN)
def _statuses(made: Stamp, waiting: tuple[int, ...], ended: datetime | None) -> tuple[SensorStatusRow, ...]:
    del made, waiting, ended  # what the answer depends on
    known = names()
    return tuple(
        SensorStatusRow(
            sensor_id=one.sensor_id,
            name=known.get(one.sensor_id, one.key),
            status=one.status,
            why=one.why,
            at=one.at,
            version_id=one.version_id,
            job_id=one.job_id,
            busy=one.busy,
        )
        for one in statuses_of(house.warehouse())
    )


def fields(preset: str) -> tuple[AdvancedField, ...]:
    """Return the parameters of a preset that a person may set, those that matter most first."""
    return tuple(
        AdvancedField(
            name=one.name,
            title=one.title,
            unit=one.unit,
            default=one.default,
            low=one.low,
            high=one.high,
            kind="integer" if one.kind == "whole" else "number",
            help=one.help,
        )
        for one in advanced_of(preset)
    )


@answered
def schedules() -> tuple[ScheduleRow, ...]:
    """Return what is queued again and again, in the order in which it was added."""
    known = names()
    return tuple(_schedule(one, known) for one in house.warehouse().jobs.schedules.list())


def _schedule(one: Schedule, known: Mapping[int, str]) -> ScheduleRow:
    return ScheduleRow(
        schedule_id=one.id,
        title=one.title,
        cron=one.cron,
        words=one.words,
        zone=one.zone,
        kind=one.kind,
        what=_what(one, known),
        actor=one.actor,
        enabled=one.enabled,
        next_at=one.next_at if one.enabled else None,
        last_at=one.last_at,
        last_job_id=one.last_job_id,
    )


def _what(one: Schedule, known: Mapping[int, str]) -> str:
    ids = one.payload.get("sensor_ids")
    sensors = of_sensors(
        [each for each in ids if isinstance(each, int)] if isinstance(ids, list) else [], known
    )
    only = _ONLY.get(str(one.payload.get("only")))
    preset = one.payload.get("preset")
    words = [KIND_WORDS.get(one.kind, one.kind), *([preset] if isinstance(preset, str) else [])]
    return f"{', '.join(words)}: {sensors}{f', those {only}' if only else ''}"
