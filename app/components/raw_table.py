"""The raw table of the window on the screen, and its csv."""

from datetime import datetime
from functools import partial
from typing import Final

import polars as pl
import streamlit as st

from app.charts.zone import Zone
from app.components import address
from app.components.words import grouped
from app.queries import raw_table as rows_of
from app.queries.house import Stamp
from app.queries.views import EventRow

_OPEN: Final = "table"
_HEIGHT_PX: Final = 320


def table_button() -> bool:
    """Draw the button that opens and closes the table; return whether it is open."""
    is_open = address.read(_OPEN) is not None
    st.button(
        "Hide table" if is_open else "Raw table",
        type="tertiary",
        icon=":material/table_rows:",
        shortcut="D",
        key="table_button",
        on_click=address.write,
        args=(_OPEN, None if is_open else "1"),
    )
    return is_open


def csv_button(made: Stamp, event: EventRow, start: datetime, end: datetime) -> None:
    """Draw the button that downloads the window as csv, made when it is pressed; off where it is too long."""
    about = rows_of.about(made, event.sensor_id, start, end)
    much = f"The window holds about {grouped(about)} readings and a csv takes {grouped(rows_of.MOST)}"
    st.download_button(
        "Csv",
        data=partial(rows_of.raw_csv, made, event, start, end),
        file_name=f"telltale-{event.event_id}.csv",
        mime="text/csv",
        icon=":material/download:",
        type="tertiary",
        key="raw_csv",
        on_click="ignore",
        shortcut="X",
        disabled=not 0 < about <= rows_of.MOST,
        help=f"{much}: choose a shorter one."
        if about > rows_of.MOST
        else "Every reading of the window with what was expected of it; safe to open in a spreadsheet.",
    )


def raw_table(made: Stamp, event: EventRow, start: datetime, end: datetime, zone: Zone) -> None:
    """Draw the table."""
    found = rows_of.raw_table(made, event, start, end)
    st.markdown("**Raw readings of the window**")
    if found.rows.is_empty():
        st.caption("No reading of this sensor lies in the window.")
        return
    st.dataframe(
        found.rows.with_columns(pl.col("time_utc").dt.strftime("%Y-%m-%d %H:%M:%S")),
        hide_index=True,
        height=_HEIGHT_PX,
        key="raw_rows",
    )
    shown = f"{grouped(found.rows.height)} readings"
    if not found.whole:
        shown += f" from {zone.stamp(found.start)} on, of about {grouped(found.about)} in the window"
    st.caption(
        f"{shown}. Times in UTC; beside each the context's last reading up to then. "
        "The csv has all context channels."
    )
