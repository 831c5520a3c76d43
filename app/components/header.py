"""The top line of a page: what it answers, how old the data is, and who is looking."""

from datetime import UTC, datetime, timedelta
from typing import Final

import streamlit as st

from app.charts.zone import lasting
from app.components.who import who
from app.queries.views import Fleet
from app.roles import Profile

# Readings arrive each minute; three missed ones mean that something is wrong.
STALE_AFTER: Final = timedelta(minutes=3)


def header(title: str, fleet: Fleet, now: datetime, profile: Profile) -> None:
    """Draw the top line.

    Parameters
    ----------
    title
        The page in plain words.
    fleet
        Says how new the data is, and whether any of it still arrives.
    now
        The wall clock, in UTC.
    """
    left, right = st.columns([1, 1.3], vertical_alignment="bottom")
    left.title(title, anchor=False)
    with right.container(
        horizontal=True, horizontal_alignment="right", vertical_alignment="center", gap="medium"
    ):
        st.markdown(freshness(fleet.as_of, now, live=bool(fleet.live)), width="content")
        who(profile)


def freshness(as_of: datetime | None, now: datetime, *, live: bool) -> str:
    """Return how old the data is, as markdown: amber when it is `live` and stale."""
    if as_of is None:
        return ":gray[:material/hourglass_empty: No data yet]"
    age = now - as_of
    at = as_of.astimezone(UTC)
    when = f"{at:%H:%M} UTC" if age < timedelta(days=1) else f"{at.day} {at:%b %Y %H:%M} UTC"
    if age >= timedelta(days=2):
        old = f"{age.days} days ago"
    else:
        old = "just now" if age < timedelta(minutes=1) else f"{lasting(age)} ago"
    if not live:
        return f":gray[:material/history: Historical data until] **{when}**"
    if age > STALE_AFTER:
        return f":orange[:material/warning: Data as of **{when}** · {old}, stale]"
    return f":gray[:material/check_circle: Data as of] **{when}** :gray[· {old}]"
