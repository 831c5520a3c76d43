"""Machines and their sensors as one compact table: a section a machine, a row a sensor, one row picked."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import pandas as pd
import streamlit as st

from app.charts.coverage import coverage_strip, mean_coverage
from app.charts.zone import Zone
from app.components import address
from app.components.words import large
from app.queries.data_views import MachineData, SensorData
from app.theme import Palette

_ROW_PX: Final = 30
_HEAD_PX: Final = 32
_SHOWN: Final = 20
_KEY: Final = "data_tree"
_ORDER: Final = "data_tree_order"
_INDENT: Final = "\u2003"

Picked = MachineData | SensorData


def data_tree(machines: Sequence[MachineData], now: datetime, zone: Zone, palette: Palette) -> Picked:
    """Draw the tree and return what is picked, which the address names; the first target where it does not.

    Parameters
    ----------
    machines
        With the sensors that are to be shown, in their order; at least one.
    now
        The wall clock, against which a year is worth telling.
    """
    rows: list[Picked] = []
    for machine in machines:
        rows += [machine, *machine.sensors]
    names = [_name(row) for row in rows]
    st.session_state[_ORDER] = names
    wanted = address.read("pick")
    targets = [n for n, row in enumerate(rows) if isinstance(row, SensorData) and row.role == "target"]
    first = targets[0] if targets else 0
    place = names.index(wanted) if wanted in names else first
    stored = st.session_state.get(_KEY)
    if stored is not None and list(stored["selection"]["rows"]) != [place]:
        st.session_state[_KEY] = {"selection": {"rows": [place], "columns": [], "cells": []}}
    frame = pd.DataFrame([_cells(row, now, zone, palette) for row in rows])
    heads = [isinstance(row, MachineData) for row in rows]
    warn = f"color: {palette.high_text}; font-weight: 600"
    bold = f"font-weight: 650; background-color: {palette.empty}"

    def styled(column: "pd.Series[Any]") -> list[str]:
        styles = [bold if head else "" for head in heads]
        if column.name == "Missing":
            styles = [
                warn if isinstance(row, SensorData) and (row.missing or 0) >= 0.01 else style
                for row, style in zip(rows, styles, strict=True)
            ]
        if column.name == "Last reading":
            styles = [
                warn if isinstance(row, SensorData) and row.status == "silent" else style
                for row, style in zip(rows, styles, strict=True)
            ]
        return styles

    st.dataframe(
        frame.style.apply(styled),
        key=_KEY,
        on_select=_remember,
        selection_mode="single-row-required",
        selection_default={"selection": {"rows": [place], "columns": [], "cells": []}},
        hide_index=True,
        row_height=_ROW_PX,
        height=_HEAD_PX + _ROW_PX * min(len(rows), _SHOWN) + 2,
        column_config=_columns(),
        alt="Machines and sensors with what is stored of each",
    )
    return rows[place]


def narrowed(machine: MachineData, sensors: tuple[SensorData, ...]) -> MachineData:
    """Return a machine with some of its sensors only."""
    return replace(machine, sensors=sensors)


def pick(name: str | None) -> None:
    """Pick a row by its name in the address."""
    address.write("pick", name)


def _remember() -> None:
    chosen = st.session_state[_KEY]["selection"]["rows"]
    order = st.session_state[_ORDER]
    pick(order[chosen[0]] if chosen and chosen[0] < len(order) else None)


def _name(row: Picked) -> str:
    return f"machine-{row.asset_id}" if isinstance(row, MachineData) else f"sensor-{row.sensor_id}"


def _cells(row: Picked, now: datetime, zone: Zone, palette: Palette) -> dict[str, Any]:
    if isinstance(row, MachineData):
        shares = [one.missing for one in row.sensors if one.missing is not None]
        return {
            "Machine, sensor": row.name,
            "Unit": "",
            "Span": span_words(row.first, row.last),
            "Readings": large(row.rows),
            "Every": "",
            "By day": coverage_strip(mean_coverage([one.coverage for one in row.sensors]), palette),
            "Missing": missing_words(sum(shares) / len(shares) if shares else None),
            "Last reading": "" if row.last is None else last_words(row.last, now, zone),
        }
    return {
        "Machine, sensor": f"{_INDENT}{row.name}",
        "Unit": row.unit,
        "Span": span_words(row.first, row.last),
        "Readings": large(row.rows),
        "Every": every_words(row),
        "By day": coverage_strip(row.coverage, palette),
        "Missing": missing_words(row.missing),
        "Last reading": "none yet" if row.last is None else last_words(row.last, now, zone),
    }


def span_words(first: datetime | None, last: datetime | None) -> str:
    """Return how much time lies between two readings in one unit: ``90 d``, ``5 h``, ``2.4 y``."""
    if first is None or last is None:
        return ""
    hours = (last - first) / timedelta(hours=1)
    if hours >= 24 * 730:
        return f"{hours / 24 / 365.25:.1f} y"
    if hours >= 48:
        return f"{hours / 24:.0f} d"
    return f"{hours:.0f} h" if hours >= 2 else f"{hours * 60:.0f} min"


def last_words(moment: datetime, now: datetime, zone: Zone) -> str:
    """Return the last reading to the minute: ``20 Nov 14:52``, with its year where it is long ago."""
    here = zone.local(moment)
    year = "" if now - moment < timedelta(days=300) else f" {here:%Y}"
    return f"{here.day} {here:%b}{year} {here:%H:%M}"


def every_words(sensor: SensorData) -> str:
    """Return the rate of a sensor: ``1 min``, ``10 s``, ``0.1 s``; with a sign where it is an estimate."""
    if sensor.interval_s is None:
        return ""
    about = "" if sensor.nominal else "≈ "
    seconds = sensor.interval_s
    for size, unit in ((86_400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= size:
            return f"{about}{seconds / size:.3g} {unit}"
    return f"{about}{seconds:.3g} s"


def missing_words(share: float | None) -> str:
    """Return a share of readings that are missing; none is ``0``, and little is never none."""
    if share is None:
        return ""
    if share <= 0:
        return "0"
    return "< 0.1 %" if share < 0.001 else f"{share * 100:.1f} %"


def _columns() -> dict[str, Any]:
    config = st.column_config
    return {
        "Machine, sensor": config.TextColumn(width=158),
        "Unit": config.TextColumn(width=46),
        "Span": config.TextColumn(width=46, alignment="right", help="From the first to the last reading"),
        "Readings": config.TextColumn(width=64, alignment="right"),
        "Every": config.TextColumn(width=54, alignment="right", help="Nominal time between readings"),
        "By day": config.ImageColumn(
            width=158,
            help="Share of the expected readings, day by day (or several days a bar) over the machine's "
            "whole time; a hole is a gap",
        ),
        "Missing": config.TextColumn(
            width=58,
            alignment="right",
            help="Share of the readings expected between the first and the last that are not there or hold "
            "no value",
        ),
        "Last reading": config.TextColumn(width=100, alignment="right"),
    }
