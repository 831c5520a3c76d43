"""The section that takes a file: first look, mapping, a check that stores nothing, and then storing it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.uploaded_file_manager import UploadedFile

from app.actions import screen
from app.actions.data import Stored
from app.actions.uploads import Upload
from app.components import places, upload_check, upload_mapping
from app.components.outcome import refusal
from app.components.words import counted, escaped, grouped
from app.queries import upload
from app.queries.upload_views import FirstLook, TableCheck

_SENT: Final = "upload_sent"
_TURN: Final = "upload_turn"  # a new number is a new, empty uploader
_STORED: Final = "upload_stored"


@dataclass
class Sent:
    """What this session sent and has not stored yet.

    Parameters
    ----------
    file_id
        Streamlit's name of the file, which tells a new file from the one that is there.
    checked
        The mapping that `check` was made with; another mapping needs another check.
    fault
        Why the file can't be read or stored as mapped; empty where it can.
    found
        Machine and sensor of each sensor that the last check found.
    tried
        Whether a check was asked for, so that what is missing is said.
    """

    file_id: str
    kept: Upload
    look: FirstLook
    checked: Mapping[str, Any] | None = None
    check: TableCheck | None = None
    fault: str = ""
    found: tuple[tuple[str, str], ...] = ()
    tried: bool = False


def section(*, empty: bool) -> None:
    """Draw the section.

    Parameters
    ----------
    empty
        Whether nothing is stored yet: then it says what would fill the page.
    """
    stored = st.session_state.get(_STORED)
    if isinstance(stored, Stored):
        _outcome(stored)
        return
    may_not = refusal("trainer")
    if empty:
        st.markdown(
            "**No machines yet.** Readings fill this page: send a table here, or let `telltale ingest` or a "
            "watched folder bring it; `telltale demo` builds a fleet to look around in."
        )
    given = st.file_uploader(
        "A table of readings: CSV or Parquet, a column a sensor or a row a reading",
        key=f"upload_{st.session_state.setdefault(_TURN, 0)}",
        max_upload_size=50,
        disabled=bool(may_not),
        help="Nothing is stored before you have seen what would be. Larger files: `telltale ingest`.",
    )
    if may_not:
        st.caption(escaped(may_not))
    sent = _sent(given)
    if sent is None:
        st.caption(
            "You see its first rows, say what the columns mean, and check what would be stored, refused and "
            "replaced. Nothing is stored before that, and a file that you drop leaves nothing behind."
        )
        return
    left, right = st.columns([1.25, 1], gap="medium")
    with left:
        upload_mapping.first_rows(sent.look, sent.kept.name, sent.kept.size)
        fields = upload_mapping.form(sent.look, sent.file_id, sent.found, tried=sent.tried)
        mapping = fields.mapping
        bar = st.empty()
        fresh = sent.check is not None and sent.checked == mapping and not fields.missing
        with st.container(horizontal=True, vertical_alignment="center"):
            asked = st.button("Check", type="secondary" if fresh else "primary", key="upload_check")
            store = st.button(
                "Store",
                type="primary" if fresh else "secondary",
                key="upload_store",
                disabled=not fresh,
                help=None if fresh else "Check first: it reads the whole file and stores nothing.",
            )
            if sent.tried and fields.missing:
                st.markdown(f":red[{counted(len(fields.missing), 'field')} above must be filled in first.]")
    if asked and fields.missing:
        sent.tried = True
        st.rerun()
    if asked:
        _check(sent, mapping, bar)
    if store and fresh:
        _store(sent, mapping, bar)
    with right:
        if sent.fault:
            st.error(escaped(sent.fault), icon=":material/error:")
        if sent.check is None:
            if not sent.fault:
                st.markdown("**What storing it would do**")
                st.caption("Check reads the whole file and says what it would store, refuse and replace.")
        else:
            upload_check.result(sent.check, fresh=sent.checked == mapping)


def _sent(given: UploadedFile | None) -> Sent | None:
    """Return what was sent; a file that was taken away or superseded is removed."""
    sent = st.session_state.get(_SENT)
    if given is None:
        if isinstance(sent, Sent):
            sent.kept.drop()
            del st.session_state[_SENT]
        return None
    if isinstance(sent, Sent):
        if sent.file_id == given.file_id:
            return sent
        sent.kept.drop()
        del st.session_state[_SENT]
    try:
        kept = screen.keep_upload(given.name, given.getbuffer())
    except screen.ActionFailed as failure:
        st.error(escaped(str(failure)), icon=":material/error:")
        return None
    try:
        look = upload.first_look(kept.path, kept.name)
    except upload.UploadProblem as problem:
        kept.drop()
        st.error(escaped(str(problem)), icon=":material/error:")
        return None
    st.session_state[_SENT] = Sent(given.file_id, kept, look)
    return st.session_state[_SENT]  # type: ignore[no-any-return]


def _on(bar: DeltaGenerator) -> Callable[[float, str], None]:
    """Return what shows how far the work is."""

    def report(share: float, words: str, /) -> None:
        bar.progress(min(share, 1.0), text=words)

    return report


def _check(sent: Sent, mapping: Mapping[str, Any], bar: DeltaGenerator) -> None:
    try:
        found = upload.check(
            sent.kept.path,
            sent.kept.name,
            mapping,
            progress=_on(bar),
        )
    except upload.UploadProblem as problem:
        sent.checked, sent.check, sent.fault = mapping, None, str(problem)
    else:
        sent.checked, sent.check, sent.fault = mapping, found, ""
        sent.found = tuple((one.machine, one.name) for one in found.sensors)
    st.rerun()


def _store(sent: Sent, mapping: Mapping[str, Any], bar: DeltaGenerator) -> None:
    try:
        st.session_state[_STORED] = screen.store_table(sent.kept, mapping, _on(bar))
    except screen.ActionFailed as failure:
        sent.fault = str(failure)
    else:
        del st.session_state[_SENT]
        st.session_state[_TURN] += 1
    st.rerun()


def _outcome(stored: Stored) -> None:
    """Say what came of it, and lead to it."""
    with st.container(border=True, width=720):
        st.subheader(f"Stored {stored.name}", anchor=False)
        rest = [
            f"{grouped(count)} {word}"
            for count, word in (
                (stored.unchanged, "were stored already"),
                (stored.replaced, "got another value"),
                (stored.doubled, "left out: a later row has their time"),
            )
            if count
        ]
        machines = ", ".join(escaped(name) for name in stored.machines)
        st.markdown(
            f"**{grouped(stored.added)} new readings** of {machines}"
            + (f" :gray[· {escaped(', '.join(rest))}]" if rest else "")
        )
        if stored.refused:
            st.markdown(
                f":orange[:material/warning: {counted(stored.refused, 'row')} refused], kept in quarantine "
                "with line and reason."
            )
        if stored.job_id is not None:
            st.markdown(f":gray[Being judged now (job {stored.job_id}); events appear on Overview.]")
        with st.container(horizontal=True):
            places.to_overview(stored.machines[0], _forget)
            if stored.refused and stored.batch_id is not None:
                places.to_refused(stored.batch_id, _forget)
            st.button("Another file", key="another", type="tertiary", on_click=_forget)


def _forget() -> None:
    st.session_state.pop(_STORED, None)
