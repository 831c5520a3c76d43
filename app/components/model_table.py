"""Model versions as tables, and the lineage of the picked one."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

import polars as pl
import streamlit as st

from app.charts.zone import Zone, lasting
from app.components import address, places
from app.components.words import escaped
from app.queries.views import Lineage, ModelRow

TABLES: Final = ("trained", "baselines")
_HEAD_PX: Final = 33
_ROW_PX: Final = 31
_SHOWN: Final = 18


def model_table(rows: Sequence[ModelRow], now: datetime, key: str, alt: str) -> ModelRow | None:
    """Draw versions of one kind as a table and return the picked one, None if none is picked.

    What is picked goes into the address; a link's version is picked when the table is first drawn.
    """
    labelled = any(row.f1 is not None for row in rows)
    frame = pl.DataFrame([_cells(row, now, labelled=labelled) for row in rows])
    linked = [place for place, row in enumerate(rows) if str(row.version_id) == address.read("version")]
    state = st.dataframe(
        frame,
        key=key,
        on_select=partial(_remember, key, [row.version_id for row in rows]),
        selection_mode="single-row",
        selection_default={"selection": {"rows": linked, "columns": [], "cells": []}},
        hide_index=True,
        placeholder="–",
        height=_HEAD_PX + _ROW_PX * min(len(rows), _SHOWN) + 2,
        column_config=_columns(trained=rows[0].trained),
        alt=alt,
    )
    picked = state["selection"]["rows"]
    return rows[picked[0]] if picked and picked[0] < len(rows) else None


def _remember(key: str, version_ids: Sequence[int]) -> None:
    """Put the picked version into the address and let go of a row of the other table."""
    picked = st.session_state[key]["selection"]["rows"]
    address.write("version", str(version_ids[picked[0]]) if picked else None)
    for other in TABLES:
        if picked and other != key and other in st.session_state:
            st.session_state[other] = {"selection": {"rows": [], "columns": [], "cells": []}}


def lineage_card(lineage: Lineage, zone: Zone) -> None:
    """Draw where a version comes from, with the way back to its data."""
    st.subheader(escaped(lineage.title), anchor=False)
    places.to_snapshot(lineage.snapshot_id)
    for remark in lineage.remarks:
        st.markdown(f":material/info: {escaped(remark)}")
    for what, value in lineage.facts:
        st.markdown(f":gray[{what}]  \n`{value}`")
    for name, start, end in lineage.spans:
        st.markdown(f":gray[{name.capitalize()}]  \n{zone.stamp(start)} to {zone.stamp(end)} {zone.label}")
    with st.expander(f"Parameters ({len(lineage.parameters)})"):
        _pairs(lineage.parameters)
    with st.expander(f"Held-out figures ({len(lineage.metrics)})"):
        _pairs([(name, f"{value:.4g}") for name, value in lineage.metrics])
    with st.expander(f"Files with SHA-256 ({len(lineage.artifacts)})"):
        _pairs(lineage.artifacts)


def _pairs(pairs: Sequence[tuple[str, str]]) -> None:
    if not pairs:
        st.caption("None.")
    for name, value in pairs:
        st.markdown(f":gray[{escaped(name)}]  \n`{value}`")


def _cells(row: ModelRow, now: datetime, *, labelled: bool) -> dict[str, Any]:
    error, before = row.normalised_error, row.persistence_error
    cells: dict[str, Any] = {
        "Machine · sensor": f"{row.machine} · {row.sensor}",
        "Version": f"{row.method} v{row.number}" if row.trained else f"v{row.number}",
        "In use": "● in use" if row.champion else "",
        **({"Preset": _preset(row)} if row.trained else {}),
        "Error": error,
        "vs persistence": None if error is None or not before else (error / before - 1.0) * 100.0,
        "Alarms/week": row.alarms_per_week,
    }
    if labelled:
        cells["F1"] = row.f1
    cells["Age"] = lasting(now - row.created_at)
    return cells


def _preset(row: ModelRow) -> str:
    return " · ".join(one for one in (row.preset, "review" if row.mode == "review" else "") if one)


def _columns(*, trained: bool) -> dict[str, Any]:
    config = st.column_config
    return {
        "Machine · sensor": config.TextColumn(width=158 if trained else 260),
        "Version": config.TextColumn(width=126 if trained else 52),
        "In use": config.TextColumn(width=54),
        "Preset": config.TextColumn(
            width=88,
            help="How much was trained, as chosen on Training. Steps are judged from the past alone, "
            "unless it says review: then later steps were seen too",
        ),
        "Error": config.NumberColumn(
            width=46,
            format="%.3f",
            help="Root mean squared one-step error on held-out readings, in deviations of the target "
            "while training",
        ),
        "vs persistence": config.NumberColumn(
            width=86,
            format="%+.0f %%",
            help="The error against that of the forecast “as before” on the same readings: below 0 is better",
        ),
        "Alarms/week": config.NumberColumn(
            width=78, format="%.1f", help="Events a week of the data's own clock on held-out readings"
        ),
        "F1": config.NumberColumn(width=40, format="%.2f", help="Against labels, by event overlap"),
        "Age": config.TextColumn(width=58),
    }
