"""The section of snapshots: what each holds, who keeps it, what was made from it, and how two differ."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from app.actions import screen
from app.components import address, places, viewer
from app.components.data_history import comparison, snapshot_card, snapshot_table
from app.components.outcome import refusal, tell
from app.components.words import counted, escaped
from app.queries import data_history
from app.queries.data_views import MadeFrom, SnapshotRow
from app.queries.house import Stamp

_KEY: Final = "snapshots"
_ORDER: Final = "snapshots_order"
_VERSIONS: Final = 8


def section(made: Stamp) -> None:
    """Draw the list and what is told of the chosen one; the address names it and what it is compared with."""
    zone = viewer.zone()
    rows = data_history.snapshots(made)
    if not rows:
        st.caption(
            "Nothing was stored yet. Each ingest leaves a snapshot: a named, unchanging state of the data."
        )
        return
    order = [str(one.snapshot_id) for one in rows]
    st.session_state[_ORDER] = order
    wanted = address.read("snapshot")
    if wanted is not None and wanted not in order:
        st.warning(
            f"Snapshot {escaped(wanted)} is not there any more: nobody kept it, and its files were replaced."
        )
    place = order.index(wanted) if wanted in order else 0
    left, right = st.columns([2.1, 1.25], gap="medium")
    with left:
        st.markdown(
            f"**Snapshots** :gray[· {counted(len(rows), 'state')} that can still be read, times in "
            f"{zone.label}]"
        )
        snapshot_table(rows, place, zone, _remember, _KEY)
        st.caption(
            "Files that newer ones replaced are removed after six hours unless a person or a model version "
            "keeps a snapshot that needs them."
        )
    with right.container(border=True):
        _card(made, rows, rows[place])


def _remember() -> None:
    chosen = st.session_state[_KEY]["selection"]["rows"]
    order = st.session_state[_ORDER]
    if chosen and chosen[0] < len(order):
        address.write("snapshot", order[chosen[0]])


def _card(made: Stamp, rows: Sequence[SnapshotRow], row: SnapshotRow) -> None:
    snapshot_card(row, viewer.zone())
    may_not = refusal("trainer")
    kept = bool(row.people)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Let go" if kept else "Keep",
            key="keep",
            icon=":material/keep_off:" if kept else ":material/keep:",
            on_click=_keep,
            args=(row.snapshot_id, not kept),
            disabled=bool(may_not),
            help=may_not or None,
        )
        if kept:
            st.markdown(f":gray[kept by {escaped(', '.join(row.people))}]")
    _made_from(data_history.made_from(made, row.snapshot_id))
    zone = viewer.zone()
    others = {str(one.snapshot_id): one for one in rows if one.snapshot_id != row.snapshot_id}
    st.markdown("**Compare**")
    address.preset("compare", others)
    other = st.selectbox(
        f"Snapshot {row.snapshot_id} with",
        ["", *others],
        format_func=lambda one: (
            f"{one}, {zone.stamp(others[one].at)}, {others[one].note}" if one else "Choose another snapshot"
        ),
        key="compare",
        on_change=address.remember,
        args=("compare",),
    )
    if other and other in others:
        older, newer = sorted((int(other), row.snapshot_id))
        comparison(data_history.compared(made, older, newer), older, newer)


def _made_from(versions: Sequence[MadeFrom]) -> None:
    st.markdown(f"**Made from it** :gray[· {counted(len(versions), 'model version')}]")
    listed = st.container(gap=None)
    for one in versions[:_VERSIONS]:
        with listed:
            places.to_version(
                one.version_id, escaped(one.title) + (" :gray[· in use]" if one.champion else "")
            )
    if len(versions) > _VERSIONS:
        st.caption(f"and {len(versions) - _VERSIONS} more on Models")


def _keep(snapshot_id: int, keep: bool) -> None:
    words = "is kept" if keep else "is not kept by a person any more"
    tell(f"Snapshot {snapshot_id} {words}.", lambda: screen.keep_snapshot(snapshot_id, keep=keep))
