"""The short form that starts a training: what, how long, and whether later steps count."""

from typing import Final

import streamlit as st

from app.actions import screen
from app.components import rail
from app.components.words import escaped
from app.queries import house, models, work
from app.theme import MODE_WORDS

USUAL: Final = "standard"


def train_form() -> bool:
    """Draw the form; return True once its trainings are queued. Errors stand at their field."""
    targets = models.targets(house.stamp())
    picked = rail.picked()
    chosen = st.multiselect(
        "Sensors",
        list(targets),
        default=[one for one in targets if targets[one].startswith(f"{picked.machine} ·")][:1],
        format_func=targets.__getitem__,
        placeholder="Choose one or more",
        key="train_sensors",
    )
    missing = st.empty()
    presets = {one.name: one for one in work.presets()}
    preset = st.radio(
        "Preset",
        list(presets),
        index=list(presets).index(USUAL),
        format_func=lambda name: f"**{name.capitalize()}** :gray[· {presets[name].takes}]",
        captions=[one.what for one in presets.values()],
        key="train_preset",
    )
    modes = presets[preset].modes
    mode = st.radio(
        "A step is judged",
        list(modes),
        format_func=MODE_WORDS.__getitem__,
        horizontal=True,
        key=f"train_mode_{len(modes)}",
        disabled=len(modes) == 1,
    )
    st.caption(
        "Trained on the first part of the data, thresholds set on the next, figures from the last. "
        "No version is registered without figures from data it has not seen."
    )
    if not st.button("Train", type="primary", key="train_go"):
        return False
    if not chosen:
        missing.markdown(":red[:material/error: Choose at least one sensor.]")
        return False
    try:
        screen.train(chosen, preset, mode)
    except screen.ActionFailed as failure:
        st.error(escaped(str(failure)), icon=":material/error:")
        return False
    return True
