"""A machine without events: its sensors with what they read last."""

from collections.abc import Sequence

import polars as pl
import streamlit as st

from app.charts.zone import Zone
from app.components.words import escaped, short
from app.queries.latest import Latest


def latest_table(machine: str, rows: Sequence[Latest], zone: Zone) -> None:
    """Draw one row a sensor: newest value, its last 24 h, when, and who judges it."""
    st.markdown(f"**{escaped(machine)}** :gray[· newest readings, times in {escaped(zone.label)}]")
    frame = pl.DataFrame(
        [
            {
                "Sensor": row.sensor,
                "Newest": "–" if row.value is None else f"{short(row.value)} {row.unit}".strip(),
                "24 h": "–"
                if row.low is None or row.high is None
                else f"{short(row.low)} to {short(row.high)}",
                "Read": "–" if row.at is None else zone.stamp(row.at),
                "Judged by": row.judged_by or ("nobody yet" if row.target else "–"),
            }
            for row in rows
        ]
    )
    st.dataframe(frame, key="latest", hide_index=True, alt=f"Newest readings of {machine}")
