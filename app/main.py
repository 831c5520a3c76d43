"""The entry that Streamlit runs: navigation, rail, and the page that the address names."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Streamlit puts this file's folder on the path; the packages lie one above.
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import streamlit as st  # noqa: E402

from app.components import notices, problem, rail, viewer, who  # noqa: E402
from app.components.dialog_guard import dialog_guard  # noqa: E402
from app.queries import fleet, house  # noqa: E402

ASSETS = ROOT / "app" / "assets"
PAGES = ROOT / "pages"


def main() -> None:
    """Draw what every page shares, then the page."""
    st.set_page_config(
        page_title="Telltale",
        page_icon=str(ASSETS / "mark.svg"),
        layout="wide",
        initial_sidebar_state=200,
    )
    kind = viewer.palette().kind
    st.logo(str(ASSETS / f"logo-{kind}.svg"), size="large", icon_image=str(ASSETS / "mark.svg"))
    page = st.navigation(
        {
            "Monitor": [
                st.Page(PAGES / "overview.py", title="Overview", icon=":material/monitoring:", default=True)
            ],
            "Investigate": [
                st.Page(PAGES / "anomalies.py", title="Anomalies", icon=":material/troubleshoot:")
            ],
            "Models": [
                st.Page(PAGES / "models.py", title="Models", icon=":material/deployed_code:"),
                st.Page(PAGES / "training.py", title="Training", icon=":material/model_training:"),
            ],
            "Operations": [st.Page(PAGES / "data.py", title="Data", icon=":material/database:")],
        }
    )
    with problem.shown():
        machines = [machine.name for machine in fleet.fleet(house.stamp()).machines]
        rail.pickers(machines)
        notices.notices()
        stranger = house.stranger()
        if stranger is None:
            page.run()
        else:
            who.instead_of(stranger)
    with st.sidebar:
        dialog_guard()


main()
