"""What a page shows, kept in its address, so that a reload or a shared link shows the same."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Final

import streamlit as st

WINDOWS: Final = ("event", "day", "week", "all")
_FORM: Final = "%Y-%m-%dT%H:%M:%SZ"


def read(name: str) -> str | None:
    """Return a parameter of the address, None where it is not given."""
    value = st.query_params.get(name)
    return value or None


def write(name: str, value: str | None) -> None:
    """Put a parameter into the address, or take it out."""
    if value:
        st.query_params[name] = value
    elif name in st.query_params:
        del st.query_params[name]


def preset(name: str, options: Collection[str]) -> None:
    """Let the widget with key `name` show what the address says, ``""`` where that is no option.

    For widgets whose options have other words than their values: a bound one would put its words into the
    address, and they change.
    """
    wanted = read(name) or ""
    st.session_state[name] = wanted if wanted in options else ""


def remember(name: str) -> None:
    """Put what the widget with key `name` shows into the address; for callbacks."""
    write(name, st.session_state[name] or None)


def window() -> str | tuple[datetime, datetime]:
    """Return the chart's window: one of `WINDOWS`, or start and end in UTC of a range that was drawn."""
    text = read("window") or "event"
    if text in WINDOWS:
        return text
    parts = text.split("~")
    try:
        start, end = (datetime.strptime(part, _FORM).replace(tzinfo=UTC) for part in parts)
    except ValueError:
        return "event"
    return (start, end) if start < end else "event"


def write_window(chosen: str | tuple[datetime, datetime] | None) -> None:
    """Put the chart's window into the address; None and ``event`` take it out."""
    if isinstance(chosen, tuple):
        write("window", "~".join(moment.astimezone(UTC).strftime(_FORM) for moment in chosen))
    else:
        write("window", None if chosen == "event" else chosen)


def chosen_severities(known: tuple[str, ...]) -> list[str]:
    """Return the severities that the address asks for; none means all."""
    return [name for name in (read("severity") or "").split(",") if name in known]
