"""Which channels drove an event, ranked with their share."""

import streamlit as st

from app.components.words import escaped, percent
from app.queries.views import EventRow


def driven_by(event: EventRow) -> None:
    """Draw the ranking in one line; say so where the detector has none."""
    if not event.drivers:
        st.caption("Which channels drove it: not available for this event.")
        return
    ranked = sorted(event.drivers, key=lambda one: -one.share)
    told = [
        f"{escaped(one.name)}{' itself' if one.sensor_id == event.sensor_id else ''} **{_share(one.share)}**"
        for one in ranked
    ]
    st.caption(f"Driven by {', '.join(told)}")


def _share(share: float) -> str:
    """Return a share, which unlike a probability may be all of it."""
    return "100 %" if share >= 0.995 else percent(share)
