"""One batch's own view: a bar a sensor, and what failed by name and reason."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import streamlit as st

from app.charts.rows import capitalised
from app.charts.zone import Zone
from app.components.job_cards import batch_text, sensor_bars
from app.components.job_words import CANCELLING, by_reason
from app.components.words import counted, escaped
from app.queries.job_views import BatchView, Failure
from app.theme import Palette

WIDTH_PX: Final = 1120
_NAMED: Final = 40


def batch_view(
    batch: BatchView,
    palette: Palette,
    zone: Zone,
    *,
    cancel: Callable[[int], None],
    resume: Callable[[int], None],
    retry: Callable[[int], None],
    go: Callable[[int], None],
    may_not: str,
) -> int | None:
    """Draw a batch and return the id of the job whose bar was clicked, None if none was.

    Parameters
    ----------
    cancel, resume, retry
        Cancels what is left of it; lets go on what was cancelled; begins anew what failed or was cancelled.
        Given its id, as callbacks.
    go
        Opens a job, given its id.
    may_not
        Why this person can't change anything; empty when they can.
    """
    st.subheader(escaped(batch.title), anchor=False)
    st.caption(
        f"Batch {batch.batch_id}, asked by {escaped(batch.actor)} {zone.stamp(batch.created_at)} {zone.label}"
    )
    st.progress(min(max(batch.progress, 0.0), 1.0), text=batch_text(batch))
    counts = dict(batch.counts)
    cancelled, lost = counts.get("cancelled", 0), counts.get("cancelled", 0) + counts.get("failed", 0)
    with st.container(horizontal=True, vertical_alignment="center"):
        if not batch.over:
            _button(
                CANCELLING if batch.cancel_asked else "Cancel what is left",
                "batch_cancel",
                partial(cancel, batch.batch_id),
                may_not,
                disabled=batch.cancel_asked,
            )
        if cancelled:
            _button(
                f"Resume {counted(cancelled, 'cancelled sensor')}",
                "batch_resume",
                partial(resume, batch.batch_id),
                may_not,
            )
        if lost:
            _button(
                f"Retry {counted(lost, 'sensor')} from the start",
                "batch_retry",
                partial(retry, batch.batch_id),
                may_not,
            )
    failure_list(batch.failures, go)
    st.markdown("**Sensors** :gray[· a click opens the job]")
    return sensor_bars(batch, palette, width=WIDTH_PX, key=f"batch_bars_{batch.batch_id}")


def _button(label: str, key: str, act: Callable[[], None], may_not: str, *, disabled: bool = False) -> None:
    st.button(label, key=key, on_click=act, disabled=disabled or bool(may_not), help=may_not or None)


def failure_list(failures: Sequence[Failure], go: Callable[[int], None]) -> None:
    """List what failed, the most frequent reason first, with the names that it hit; nothing if none did."""
    if not failures:
        return
    with st.container(border=True, gap="xsmall"):
        st.markdown(f":red[**✖ {len(failures)} failed**]")
        for reason, those in by_reason(failures):
            st.markdown(f"**{len(those)} ×** {escaped(capitalised(reason))}")
            with st.container(horizontal=True, gap="xsmall"):
                for one in those[:_NAMED]:
                    st.button(
                        escaped(one.name),
                        key=f"failed_{one.job_id}",
                        type="tertiary",
                        on_click=go,
                        args=(one.job_id,),
                    )
                if len(those) > _NAMED:
                    st.caption(f"and {len(those) - _NAMED} more")
