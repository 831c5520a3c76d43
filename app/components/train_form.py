"""The short form that starts a training: what, and how long."""

import streamlit as st

from app.actions import screen
from app.components import rail
from app.components.words import escaped
from app.queries import house, models, work


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
    presets = work.presets()
    preset = st.segmented_control(
        "Preset",
        list(presets),
        default=next(iter(presets)),
        required=True,
        format_func=presets.__getitem__,
        key="train_preset",
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
        screen.train(chosen, preset or next(iter(presets)))
    except screen.ActionFailed as failure:
        st.error(escaped(str(failure)), icon=":material/error:")
        return False
    return True
