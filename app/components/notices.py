"""What a person asked for and is over: a toast, and a line in the rail of every page until it is read."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import streamlit as st

from app.components.job_cards import batch_text
from app.components.job_words import outcome_text, state_text
from app.components.words import escaped
from app.queries import work
from app.queries.failure import ReadFailed
from app.queries.job_views import Notices

BUSY_S: Final = 3.0
QUIET_S: Final = 20.0

_TRAINING: Final = Path(__file__).resolve().parents[2] / "pages" / "training.py"
_WATCH: Final = "notices_watch"
_KEPT: Final = "notices"
_MOST: Final = 5


@dataclass(frozen=True)
class Notice:
    """One thing that ended.

    Parameters
    ----------
    title, text
        What it was, a training by its sensor alone, and what came of it.
    failed
        Whether any of it failed.
    link
        Name and value that open it on Training.
    """

    title: str
    text: str
    failed: bool
    link: tuple[str, str]


def notices() -> None:
    """Draw what ended and was not read yet, and look for more every few seconds; else quiet."""
    watch = st.session_state.get(_WATCH)
    every = BUSY_S if watch is not None and watch.open_ids else QUIET_S
    with st.sidebar:
        st.fragment(_look, run_every=every, key="notices")()


def told(found: Notices) -> Iterator[Notice]:
    """Yield a notice for each job and batch that ended."""
    for batch in found.batches:
        yield Notice(batch.title, batch_text(batch), bool(batch.failures), ("batch", str(batch.batch_id)))
    for row in found.rows:
        yield Notice(
            row.what if row.kind == "train" else f"{row.title}: {row.what}",
            escaped(f"{state_text(row)}. {outcome_text(row)}" if row.state == "done" else outcome_text(row)),
            row.state == "failed",
            ("job", str(row.job_id)),
        )


def _look() -> None:
    try:
        found = work.ended_since(st.session_state.get(_WATCH))
    except ReadFailed:
        # The page itself says that it can't be read; the rail of every page would only say it twice.
        return
    st.session_state[_WATCH] = found.watch
    kept: list[Notice] = st.session_state.setdefault(_KEPT, [])
    for notice in told(found):
        kept.insert(0, notice)
        st.toast(
            f"**{escaped(notice.title)}**  \n{notice.text}",
            icon=":material/error:" if notice.failed else ":material/check_circle:",
            duration="long",
        )
    del kept[_MOST:]
    _draw(kept)


def _draw(kept: list[Notice]) -> None:
    if not kept:
        return
    st.markdown("**Just ended**")
    for notice in kept:
        name, value = notice.link
        mark = ":red[✖]" if notice.failed else "✓"
        st.page_link(
            _TRAINING,
            label=f"{mark} {escaped(notice.title)}",
            query_params={name: value},
            help=notice.text,
            width="stretch",
        )
    st.button("Clear", type="tertiary", key="notices_clear", on_click=kept.clear)
