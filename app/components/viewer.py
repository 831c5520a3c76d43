"""Who looks: their zone and their theme, as the browser reports them."""

import streamlit as st

from app.charts.zone import Zone
from app.theme import Palette
from app.theme import palette as palette_of


def zone() -> Zone:
    """Return the viewer's zone; UTC until the browser has said."""
    return Zone.of(st.context.timezone)


def palette() -> Palette:
    """Return the palette of the viewer's theme."""
    return palette_of(st.context.theme.type)
