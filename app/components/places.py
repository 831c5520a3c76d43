"""Buttons that lead elsewhere: to another page, or to another part of the same one.

What a bound widget shows can be changed by its state alone, and only before it is drawn: in a callback.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import streamlit as st

from app.components import address

_PAGES: Final = Path(__file__).resolve().parents[2] / "pages"


def to_overview(machine: str, leave: Callable[[], None]) -> None:
    """Draw a button to Overview with a machine picked over all time.

    Parameters
    ----------
    leave
        Called before.
    """
    if st.button(
        "Show on Overview",
        type="primary",
        icon=":material/monitoring:",
        key="to_overview",
        on_click=lambda: st.session_state.update(asset=machine, span="All time"),
    ):
        leave()
        # None would clear the address, which bound widgets forbid; they write themselves into an empty one.
        st.switch_page(_PAGES / "overview.py", query_params={})


def to_refused(batch_id: int, leave: Callable[[], None]) -> None:
    """Draw a button, on Data, to the rows that an ingest refused."""

    def prepare() -> None:
        leave()
        st.session_state.update(section="Quarantine")
        address.write("ingest", str(batch_id))

    st.button("Refused rows", icon=":material/rule:", key="to_refused", on_click=prepare)


def to_version(version_id: int, label: str) -> None:
    """Draw a button to Models with a version picked."""
    key = f"version_{version_id}"
    if st.button(label, type="tertiary", icon=":material/deployed_code:", key=key):
        st.switch_page(_PAGES / "models.py", query_params={"version": str(version_id)})


def to_snapshot(snapshot_id: int) -> None:
    """Draw a button to Data with a snapshot picked."""
    if st.button(
        f"Snapshot {snapshot_id}",
        type="tertiary",
        icon=":material/photo_library:",
        key="to_snapshot",
        on_click=lambda: st.session_state.update(section="Snapshots"),
    ):
        st.switch_page(_PAGES / "data.py", query_params={"snapshot": str(snapshot_id)})


def to_training(sensor_id: int, *, may_not: str = "") -> None:
    """Draw a button to Training with its dialog open and a sensor chosen.

    Parameters
    ----------
    may_not
        Why this person can't train; empty when they can.
    """
    if st.button(
        "Train…",
        type="tertiary",
        key="to_training",
        disabled=bool(may_not),
        help=may_not or "Train a model of this sensor",
    ):
        st.switch_page(_PAGES / "training.py", query_params={"train": str(sensor_id)})
