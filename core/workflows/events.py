"""Detections as the warehouse keeps them: frames of scores and events, and back."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast

import numpy as np
import polars as pl

from core.ensembles.change import Seen
from core.ensembles.explain import why
from core.ensembles.raise_events import Detection
from core.feedback.description import describe
from core.results import Event, Mode, Severity
from core.signal import Floats, Signal
from core.workflows.event_identity import SensorEvent
from warehouse.catalog import Sensor
from warehouse.schema import LOOKS, SCORES, STORED_EVENTS, TIME


def found_events(
    detection: Detection, signal: Signal, sensor: Sensor, version_id: int, *, seen: Seen | None = None
) -> tuple[SensorEvent, ...]:
    """Return the events of a detection in the time and ids of the warehouse, without ids of their own.

    Parameters
    ----------
    seen
        Lowest and highest reading while training, if known.
    """
    channels = (sensor.id, *sensor.context)
    return tuple(
        SensorEvent(
            event_id="",
            sensor_id=sensor.id,
            version_id=version_id,
            start=moment(signal.timestamps[event.start]),
            end=moment(signal.timestamps[event.end - 1]) + signal.interval,
            open=event.open,
            peak_ts=moment(signal.timestamps[event.peak]),
            peak_score=event.peak_score,
            threshold=event.threshold,
            probability=event.probability,
            severity=event.severity,
            why=why(event, detection.scores, signal, seen=seen),
            mode=detection.scores.mode,
            drivers=tuple((channels[channel], share) for channel, share in event.drivers),
            **_looks(event, detection, signal),
        )
        for event in detection.events
    )


def _looks(event: Event, detection: Detection, signal: Signal) -> dict[str, tuple[float, ...]]:
    """Return the traits and the shape of an event; nothing where its bar is no positive number."""
    if not (event.threshold > 0 and event.peak_score > 0):
        return {}
    found = describe(
        signal.target,
        detection.scores.expected,
        start=event.start,
        end=event.end,
        peak_score=event.peak_score,
        threshold=event.threshold,
        interval_s=signal.interval.total_seconds(),
    )
    return {"traits": tuple(found.traits.tolist()), "shape": tuple(found.shape.tolist())}


def reworded(
    events: Sequence[SensorEvent],
    detection: Detection,
    signal: Signal,
    *,
    seen: Seen | None = None,
    earlier: Callable[[datetime], Floats | None] = lambda _: None,
) -> tuple[SensorEvent, ...]:
    """Return `events`; those that began before what the detection saw get their reason in full length.

    Parameters
    ----------
    earlier
        Returns (k, channels) readings before a moment, None where there are none.
    """
    ends = {moment(signal.timestamps[one.end - 1]) + signal.interval: one for one in detection.events}
    told: list[SensorEvent] = []
    for event in events:
        one = ends.get(event.end)
        if one is None or event.start >= moment(signal.timestamps[one.start]):
            told.append(event)
            continue
        reason = why(
            one,
            detection.scores,
            signal,
            lasted=event.end - event.start,
            seen=seen,
            earlier=earlier(event.start),
        )
        told.append(replace(event, why=reason))
    return tuple(told)


def score_frame(
    detection: Detection, sensor_id: int, version_id: int, start: datetime, end: datetime | None
) -> pl.DataFrame:
    """Return the judged steps of ``[start, end)`` with the columns of `warehouse.schema.SCORES`."""
    scores = detection.scores
    frame = pl.DataFrame(
        {
            "ts": scores.timestamps,
            "score": scores.values,
            "expected": scores.expected,
            "threshold": detection.level,
        }
    ).with_columns(pl.col("ts").dt.cast_time_unit("us").dt.replace_time_zone("UTC").cast(TIME))
    kept = frame.filter(pl.col("ts") >= start)
    if end is not None:
        kept = kept.filter(pl.col("ts") < end)
    return kept.select(
        pl.lit(sensor_id, pl.Int32).alias("sensor_id"),
        pl.lit(version_id, pl.Int32).alias("version_id"),
        "ts",
        *(pl.col(name).cast(pl.Float32).fill_nan(None) for name in ("score", "expected", "threshold")),
    ).select(SCORES.names())


def event_frame(events: Sequence[SensorEvent]) -> pl.DataFrame:
    """Return events with the columns of `warehouse.schema.STORED_EVENTS`."""
    rows = [
        {
            **{name: getattr(event, name) for name in STORED_EVENTS.names() if name != "drivers"},
            "drivers": [{"sensor_id": sensor, "share": share} for sensor, share in event.drivers],
        }
        for event in events
    ]
    return pl.DataFrame(rows, schema=STORED_EVENTS)


def stored_events(frame: pl.DataFrame) -> tuple[SensorEvent, ...]:
    """Return the rows of a frame with the columns of `warehouse.schema.STORED_EVENTS`."""
    return tuple(
        SensorEvent(
            **{
                **row,
                "severity": cast("Severity", row["severity"]),
                "mode": cast("Mode", row["mode"]),
                "drivers": tuple((one["sensor_id"], one["share"]) for one in row["drivers"]),
                **{name: None if row[name] is None else tuple(row[name]) for name in LOOKS.names()},
            }
        )
        for row in frame.iter_rows(named=True)
    )


def moment(instant: np.datetime64) -> datetime:
    """Return numpy's UTC `instant` as an aware moment."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(
        microseconds=int(instant.astype("datetime64[us]").astype(np.int64))
    )
