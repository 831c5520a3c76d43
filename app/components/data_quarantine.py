"""The section of ingests and of the rows that they refused."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from app.components import address, viewer
from app.components.data_history import ingest_table, refused_table
from app.components.words import counted, grouped
from app.queries import data_history
from app.queries.data_views import IngestRow
from app.queries.house import Stamp

_ALL: Final = ""
_SHOWN: Final = 2000


def section(made: Stamp) -> None:
    """Draw ingests, the filters, and the refused rows that pass them."""
    zone = viewer.zone()
    ingests = data_history.ingests(made)
    if not ingests:
        st.caption("Nothing was ingested yet. Rows that an ingest refuses are kept here with their reason.")
        return
    st.markdown(f"**Ingests** :gray[· newest first, times in {zone.label}]")
    ingest_table(ingests, zone)
    source, reason, download = st.columns([1.2, 2, 0.5], vertical_alignment="bottom")
    with source:
        batch = _ingest(ingests)
    rows = data_history.refused(made, batch)
    kinds = data_history.kinds(rows)
    counts = {_ALL: len(rows), **kinds}
    address.preset("reason", counts)
    kind = reason.selectbox(
        "Reason",
        list(counts),
        format_func=lambda one: f"{one or 'Every reason'} ({grouped(counts[one])})",
        key="reason",
        on_change=address.remember,
        args=("reason",),
        disabled=not rows,
    )
    chosen = tuple(one for one in rows if kind in {_ALL, None, one.kind})
    download.download_button(
        "Download",
        data=lambda: data_history.as_csv(chosen),
        file_name="refused-rows.csv",
        mime="text/csv",
        icon=":material/download:",
        key="refused_csv",
        disabled=not chosen,
        on_click="ignore",
        width="stretch",
    )
    if not rows:
        st.markdown(":gray[:material/check_circle: No row was refused.]")
        return
    st.markdown(f"**Refused rows** :gray[· {grouped(len(chosen))}, newest first]")
    refused_table(chosen[:_SHOWN], zone)
    if len(chosen) > _SHOWN:
        st.caption(f"{counted(len(chosen) - _SHOWN, 'older row')} not listed; the download has them all.")


def _ingest(ingests: Sequence[IngestRow]) -> int | None:
    """Draw the picker of an ingest among those that refused something and return its id, None for all."""
    known = {
        str(one.batch_id): one
        for one in ingests
        if one.refused or str(one.batch_id) == address.read("ingest")
    }
    zone = viewer.zone()
    address.preset("ingest", known)
    picked = st.selectbox(
        "Ingest",
        [_ALL, *known],
        format_func=lambda one: f"{known[one].title}, {zone.stamp(known[one].at)}" if one else "Every ingest",
        key="ingest",
        on_change=address.remember,
        args=("ingest",),
    )
    return int(picked) if picked else None
