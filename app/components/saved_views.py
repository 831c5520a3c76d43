"""Views of Overview that people keep under a name: what was picked and filtered, as in the address."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlencode

import streamlit as st

from app.actions import screen
from app.components import address, undo
from app.components.words import escaped
from app.queries.triage import PAGE
from app.queries.triage_views import SavedView

_OVERVIEW: Final = Path(__file__).resolve().parents[2] / "pages" / "overview.py"
BOUND: Final = {"asset": "", "span": "Last 24 hours", "queue_kind": "Live"}
"""Widgets that write themselves into the address, with what they show at first."""

_OWN: Final = ("severity", "state")
_NAME: Final = "view_name"


def query() -> str:
    """Return the query string of what is shown now; empty for the page as it opens."""
    bound = {
        name: st.session_state.get(name) or usual
        for name, usual in BOUND.items()
        if st.session_state.get(name) not in {None, usual}
    }
    own = {name: value for name in _OWN if (value := address.read(name))}
    return urlencode({**bound, **own})


def views_menu(views: Sequence[SavedView]) -> None:
    """Draw the menu of saved views: each opens with a click, and the present one can be kept."""
    here = query()
    current = next((view for view in views if view.address == here), None)
    label = "Views" if current is None else current.name
    with st.popover(label, icon=":material/bookmark:", key="views_menu"):
        for view in views:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                if st.button(
                    escaped(view.name),
                    key=f"view_{view.view_id}",
                    type="tertiary",
                    icon=":material/check:" if view == current else ":material/bookmark:",
                    help=f"Kept by {escaped(view.actor)}",
                    on_click=partial(_pick, view),
                ):
                    own = {name: text for name, text in parse_qsl(view.address) if name in _OWN}
                    st.switch_page(_OVERVIEW, query_params=own)
                st.button(
                    "Remove",
                    key=f"view_remove_{view.view_id}",
                    type="tertiary",
                    icon=":material/close:",
                    on_click=partial(_remove, view),
                )
        if not views:
            st.caption("None is kept yet.")
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            st.text_input("Keep this view as", key=_NAME, max_chars=80, width=180)
            st.button("Keep", key="view_keep", on_click=partial(_keep, here, views))
        st.caption(f"Machine, time window and filters: {escaped(here) or 'as the page opens'}")


def _pick(view: SavedView) -> None:
    """Let the bound widgets show what a view says; they write it into the address themselves."""
    wanted = dict(parse_qsl(view.address))
    st.session_state.update({name: wanted.get(name, usual) for name, usual in BOUND.items()})


def _keep(here: str, views: Sequence[SavedView]) -> None:
    name = str(st.session_state.get(_NAME) or "").strip()
    former = next((view for view in views if view.name == name), None)
    kept: list[int] = []

    def back() -> None:
        if former is not None:
            screen.save_view(PAGE, former.name, former.address)
        else:
            screen.remove_view(kept[0])

    if undo.do(f"Kept as {name}.", lambda: kept.append(screen.save_view(PAGE, name, here)), back):
        st.session_state[_NAME] = ""


def _remove(view: SavedView) -> None:
    undo.do(
        f"Removed the view {view.name}.",
        lambda: screen.remove_view(view.view_id),
        lambda: screen.save_view(PAGE, view.name, view.address),
    )
