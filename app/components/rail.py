"""The pickers of the left rail, the same on every page and part of every URL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import streamlit as st

_SPANS: Final[dict[str, timedelta | None]] = {
    "Last 24 hours": timedelta(days=1),
    "Last 7 days": timedelta(days=7),
    "Last 30 days": timedelta(days=30),
    "All time": None,
}


_DRAWN: Final = "rail_machines"


@dataclass(frozen=True)
class Picked:
    """What the rail says.

    Parameters
    ----------
    machine
        Name of the asset; None for all.
    span
        Length of the time window that ends at the newest reading; None for all time.
    span_label
        The same in words.
    """

    machine: str | None
    span: timedelta | None
    span_label: str


def pickers(machines: Sequence[str]) -> Picked:
    """Draw the pickers of asset and time window and return what they say."""
    st.session_state[_DRAWN] = len(machines)
    with st.sidebar:
        machine = st.selectbox(
            "Asset",
            ["", *machines],
            # The words must not change with the fleet: Streamlit keeps a choice by what it reads.
            format_func=lambda name: name or "All machines",
            key="asset",
            bind="query-params",
            disabled=not machines,
        )
        st.selectbox(
            "Time window",
            list(_SPANS),
            key="span",
            bind="query-params",
            disabled=not machines,
            help="Ends at the newest reading, never at the wall clock.",
        )
    return picked(machine or None)


def outdated(machines: int) -> bool:
    """Return whether machines came or went since the rail was drawn; a fragment can't draw it again."""
    return bool(st.session_state.get(_DRAWN, machines) != machines)


def picked(machine: str | None = None) -> Picked:
    """Return what the pickers say without drawing them, for pages and fragments."""
    label = st.session_state.get("span") or next(iter(_SPANS))
    return Picked(
        machine=machine or st.session_state.get("asset") or None,
        span=_SPANS.get(label, timedelta(days=1)),
        span_label=label,
    )
