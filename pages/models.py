"""The page that asks which version runs and whether it should."""

import streamlit as st

from app.components import model_table, places, problem, rail, viewer
from app.components.header import header
from app.components.outcome import refusal
from app.components.words import counted
from app.queries import fleet, house, models


def page() -> None:
    """Draw the page."""
    made = house.stamp()
    now = house.now()
    header("Models: which version runs, and should it?", fleet.fleet(made), now, house.profile())
    picked = rail.picked()
    rows = [row for row in models.models(made) if picked.machine in {None, row.machine}]
    trained = [row for row in rows if row.trained]
    baselines = [row for row in rows if not row.trained]
    left, right = st.columns([2.6, 1], gap="small")
    with left:
        told = f"{counted(len(trained), 'version')}, each with held-out figures" if trained else "none yet"
        st.markdown(f"**Trained models** :gray[· {told}]")
        chosen = None
        if trained:
            chosen = model_table.model_table(trained, now, "trained", "Trained model versions")
        else:
            st.caption("Training starts one. Until then the statistical detector watches.")
        named = f" of the {baselines[0].method.lower()}" if baselines else ""
        st.markdown(
            f"**Statistical detectors** :gray[· {counted(len(baselines), 'fit')}{named}; no trained model]"
        )
        if baselines:
            other = model_table.model_table(baselines, now, "baselines", "Fits of the statistical detector")
            chosen = chosen or other
        else:
            st.caption("None yet: scoring a sensor fits one.")
    with right.container(border=True):
        if chosen is None:
            st.subheader("Lineage", anchor=False)
            st.caption("Pick a row to see the data, parameters and files a version was made from.")
        else:
            model_table.lineage_card(models.lineage(chosen.version_id), viewer.zone())
            places.to_training(chosen.sensor_id, may_not=refusal("trainer"))


with problem.shown():
    page()
