"""What runs and what waits, as cards and lines: bar with time left, loss curve, last log line, cancel."""

import re
from collections.abc import Callable, Sequence
from typing import Final

import streamlit as st

from app.charts.batch_bars import Bar, batch_bars
from app.charts.losses import loss_curves
from app.charts.template import CONFIG
from app.charts.zone import Zone
from app.components import training_view
from app.components.job_words import (
    CANCELLING,
    bar_text,
    outcome_text,
    short_names,
)
from app.components.words import counted, escaped
from app.queries.job_views import BatchView, Curves, JobRow
from app.theme import Palette

Act = Callable[[int], None]
# As `core.workflows.epochs` names the curves of a second network and of those after it.
_NETWORK: Final = re.compile(r"(.*) of network (\d+)$")
_SHOWN: Final = 6
_LINE_CHARACTERS: Final = 110


def running_card(row: JobRow, palette: Palette, *, cancel: Act, go: Act, may_not: str) -> None:
    """Draw a running job.

    Parameters
    ----------
    cancel, go
        Cancel it; open its own view. Given its id, as callbacks.
    may_not
        Why this person can't cancel; empty when they can.
    """
    with st.container(border=True, key=f"card_{row.job_id}", gap="xsmall"):
        st.markdown(
            f"**{escaped(row.what)}** :gray[· {escaped(row.title)} · job {row.job_id} · {escaped(row.actor)}]"
        )
        st.progress(min(max(row.progress, 0.0), 1.0), text=bar_text(row))
        _with_buttons(
            f":gray[:small[{escaped(_one_line(row.message)) or 'Starting'}]]", row, cancel, go, may_not
        )
        if row.losses:
            st.plotly_chart(
                loss_curves(newest_network(row.losses), palette),
                theme=None,
                config=CONFIG,
                key=f"losses_{row.job_id}",
                alt=f"Loss over epochs of {row.what}",
            )


def batch_card(
    batch: BatchView, palette: Palette, *, width: int, cancel: Act, go: Act, may_not: str
) -> int | None:
    """Draw a batch that is not over: its count by state, and a small bar a sensor.

    Return the id of the job whose bar was clicked, None if none was.

    Parameters
    ----------
    width
        Of the card in pixels.
    cancel, go
        As in `running_card`, given the batch's id.
    """
    with st.container(border=True, key=f"batch_card_{batch.batch_id}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(
                f"**{escaped(batch.title)}** :gray[· batch {batch.batch_id} · {escaped(batch.actor)}]",
                width="stretch",
            )
            _cancel(f"cancel_batch_{batch.batch_id}", batch.batch_id, batch.cancel_asked, cancel, may_not)
            st.button(
                "Open",
                type="tertiary",
                key=f"open_batch_{batch.batch_id}",
                on_click=go,
                args=(batch.batch_id,),
            )
        st.progress(min(max(batch.progress, 0.0), 1.0), text=batch_text(batch))
        return sensor_bars(batch, palette, width=width, key=f"bars_{batch.batch_id}")


def batch_text(batch: BatchView) -> str:
    """Return how far a batch is, as markdown: ``12 of 61 done · ✖ 2 failed · about 9 min left``."""
    counts = dict(batch.counts)
    told = [f"{counts.get('done', 0)} of {len(batch.rows)} done"]
    if counts.get("failed"):
        told.append(f":red[✖ {counts['failed']} failed]")
    after = len(batch.failures) - counts.get("failed", 0)
    if after > 0:  # what follows a training, and has no bar of its own
        told.append(f":red[✖ {after} failed in scoring]")
    if counts.get("running"):
        told.append(f"{counts['running']} running")
    waiting = counts.get("queued", 0) + counts.get("interrupted", 0)
    if waiting:
        told.append(f"{waiting} waiting")
    if counts.get("cancelled"):
        told.append(f"{counts['cancelled']} cancelled")
    if batch.left:
        told.append(escaped(batch.left))
    return " · ".join(told)


def sensor_bars(batch: BatchView, palette: Palette, *, width: int, key: str) -> int | None:
    """Draw a bar a sensor and return the id of the job whose bar was clicked, None if none was."""
    names = short_names([row.what for row in batch.rows])
    bars = [
        Bar(name, row.progress, row.state, _bar_words(row))
        for name, row in zip(names, batch.rows, strict=True)
    ]
    state = st.plotly_chart(
        batch_bars(bars, palette, width=width),
        theme=None,
        config=CONFIG,
        key=f"{key}_{training_view.visit()}",
        on_select="rerun",
        selection_mode="points",
        alt=f"Progress of {counted(len(bars), 'sensor')} of {batch.title}",
    )
    picked = state["selection"]["point_indices"]
    return batch.rows[picked[0]].job_id if picked and picked[0] < len(bars) else None


def queue(rows: Sequence[JobRow], zone: Zone, *, cancel: Act, go: Act, may_not: str) -> None:
    """List what waits, next first, each with why it waits."""
    for row in rows[:_SHOWN]:
        with st.container(key=f"queued_{row.job_id}", gap=None):
            _with_buttons(
                f"{escaped(row.what)} :gray[· {escaped(row.title)} · job {row.job_id} · {escaped(row.words)} "
                f"· {zone.clock(row.created_at)} by {escaped(row.actor)}]",
                row,
                cancel,
                go,
                may_not,
            )
    if len(rows) > _SHOWN:
        st.caption(f"and {len(rows) - _SHOWN} more")


def newest_network(losses: Curves) -> Curves:
    """Return the curves of the network that learns now; those of the ones before it are done."""
    number = max((int(found[2]) for name, _ in losses if (found := _NETWORK.match(name))), default=1)
    if number == 1:
        return losses
    return tuple(
        (found[1], points)
        for name, points in losses
        if (found := _NETWORK.match(name)) is not None and int(found[2]) == number
    )


def _with_buttons(text: str, row: JobRow, cancel: Act, go: Act, may_not: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", wrap=False):
        st.markdown(text, width="stretch")
        _cancel(f"cancel_{row.job_id}", row.job_id, row.cancel_asked, cancel, may_not)
        st.button("Open", type="tertiary", key=f"open_{row.job_id}", on_click=go, args=(row.job_id,))


def _cancel(key: str, number: int, asked: bool, cancel: Act, may_not: str) -> None:
    st.button(
        CANCELLING if asked else "Cancel",
        type="tertiary",
        key=key,
        on_click=cancel,
        args=(number,),
        disabled=asked or bool(may_not),
        help=may_not or None,
    )


def _bar_words(row: JobRow) -> str:
    """Return what the bar of a sensor says when it is pointed at; Plotly breaks no lines by itself."""
    told = (
        outcome_text(row) if row.state in {"done", "failed", "cancelled"} else f"{row.words}, {row.message}"
    )
    return _one_line(told.replace("<", "‹").replace(">", "›").strip(", "))


def _one_line(text: str) -> str:
    return text if len(text) <= _LINE_CHARACTERS else f"{text[: _LINE_CHARACTERS - 1]}…"
