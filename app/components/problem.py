"""A failure on a page: what happened, and the id that finds it in the log."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from app.components.words import escaped
from app.queries.failure import ReadFailed


@contextmanager
def shown() -> Iterator[None]:
    """Show a failed read where it happened instead of losing the page."""
    try:
        yield
    except ReadFailed as failure:
        st.error(
            f"{escaped(str(failure))}\n\n:gray[Error {failure.error_id}: `telltale doctor` checks what is "
            "stored, and the log has the rest.]",
            icon=":material/error:",
        )
