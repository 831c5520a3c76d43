"""What storing an uploaded table would do: sensors, time, gaps, and the rows that would be refused."""

from typing import Final

import polars as pl
import streamlit as st

from app.charts.zone import Zone, lasting
from app.components import viewer
from app.components.words import counted, escaped, grouped
from app.queries.upload_views import SensorCheck, TableCheck

_ROW_PX: Final = 28
_HEAD_PX: Final = 32
_WRAPPED_PX: Final = 58  # Streamlit wraps the text of rows above 4rem
_LISTED: Final = 500


def result(check: TableCheck, *, fresh: bool) -> None:
    """Draw the outcome of a check.

    Parameters
    ----------
    fresh
        False where the mapping was changed since.
    """
    zone = viewer.zone()
    st.markdown(
        "**What storing it would do**" + ("" if fresh else " :orange[· the fields changed: check again]")
    )
    if not check.sensors:
        st.error("No row can be stored as mapped.", icon=":material/error:")
    else:
        _summary(check, zone)
        _sensors(check.sensors)
    for note in check.notes:
        st.caption(escaped(note))
    if not check.refused:
        st.markdown(":gray[:material/check_circle: No row would be refused.]")
        return
    st.markdown(
        f":orange[:material/warning: {counted(len(check.refused), 'row or cell', 'rows or cells')} would be "
        "refused]; the rest is stored, these go to quarantine."
    )
    shown = check.refused[:_LISTED]
    st.dataframe(
        pl.DataFrame(
            {
                "Line": ["" if one.line is None else str(one.line) for one in shown],
                "Reason": [one.reason for one in shown],
                "Content": [one.content for one in shown],
            }
        ),
        hide_index=True,
        row_height=_WRAPPED_PX,
        height=_HEAD_PX + _WRAPPED_PX * min(len(shown), 6) + 2,
        column_config={
            "Line": st.column_config.TextColumn(width=46, alignment="right"),
            "Reason": st.column_config.TextColumn(width=250),
            "Content": st.column_config.TextColumn(width=150),
        },
        alt="Rows that would be refused",
    )


def _summary(check: TableCheck, zone: Zone) -> None:
    new = sum(one.new for one in check.sensors)
    same = sum(one.same for one in check.sensors)
    replaced = sum(one.replaced for one in check.sensors)
    machines = list(dict.fromkeys(one.machine for one in check.sensors))
    st.markdown(
        f"**{grouped(new)} new readings** of {counted(len(check.sensors), 'sensor')} on "
        f"{', '.join(escaped(name) for name in machines[:3])}{' and more' if len(machines) > 3 else ''}"
        + (f"; {grouped(same)} stored already" if same else "")
        + (
            f"; :orange[{grouped(replaced)} stored with another value, which these replace]"
            if replaced
            else ""
        )
    )
    utc = Zone()
    span = f"{utc.stamp(check.start)} to {utc.stamp(check.end)} UTC"
    if not zone.is_utc:
        span += f"  \n:gray[{zone.stamp(check.start)} to {zone.stamp(check.end)} {escaped(zone.label)}]"
    st.markdown(span)


def _sensors(sensors: tuple[SensorCheck, ...]) -> None:
    st.dataframe(
        pl.DataFrame(
            {
                "Sensor": [one.name for one in sensors],
                "Readings": [grouped(one.readings) for one in sensors],
                "Empty": [grouped(one.empty) for one in sensors],
                "Every": [_interval(one.interval_s) for one in sensors],
                "Gaps": [_gaps(one) for one in sensors],
                "Stored": [_stored(one) for one in sensors],
            }
        ),
        hide_index=True,
        row_height=_ROW_PX,
        height=_HEAD_PX + _ROW_PX * min(len(sensors), 8) + 2,
        column_config={
            "Sensor": st.column_config.TextColumn(width=130),
            "Readings": st.column_config.TextColumn(width=66, alignment="right"),
            "Empty": st.column_config.TextColumn(
                width=50, alignment="right", help="Rows without a value for the sensor; stored as missing"
            ),
            "Every": st.column_config.TextColumn(width=54, alignment="right"),
            "Gaps": st.column_config.TextColumn(
                width=110, help="Steps of more than 1.5 intervals, and the longest of them"
            ),
            "Stored": st.column_config.TextColumn(width=74, help="Whether the sensor is known already"),
        },
        alt="Sensors of the table",
    )


def _interval(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds / 60:.3g} min" if seconds >= 60 else f"{seconds:.3g} s"


def _gaps(one: SensorCheck) -> str:
    return f"{one.gaps}, up to {lasting(one.longest_gap)}" if one.gaps else "none"


def _stored(one: SensorCheck) -> str:
    return "known" if one.known else "new"
