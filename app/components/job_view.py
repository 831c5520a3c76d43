"""One job's own view: how far it is, curves, log, what it takes, what it was asked, what came of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import streamlit as st

from app.charts.losses import loss_curves
from app.charts.template import CONFIG
from app.charts.zone import Zone
from app.components import places
from app.components.fold_table import fold_table
from app.components.job_words import CANCELLING, ENDED, bar_text, outcome_text, resources, state_badge
from app.components.words import counted, escaped
from app.queries.job_views import JobView
from app.theme import Palette

_CURVES_PX: Final = 300
_LOG_PX: Final = 260
_LINES: Final = 10


@dataclass(frozen=True)
class Doings:
    """What a person can do with a job; each is given its id, as a callback.

    Parameters
    ----------
    go_batch
        Opens a batch, given its id.
    """

    cancel: Callable[[int], None]
    resume: Callable[[int], None]
    retry: Callable[[int], None]
    clone: Callable[[int], None]
    go_job: Callable[[int], None]
    go_batch: Callable[[int], None]


def job_view(view: JobView, palette: Palette, zone: Zone, doings: Doings, *, may_not: str) -> None:
    """Draw a job.

    Parameters
    ----------
    may_not
        Why this person can't change anything; empty when they can.
    """
    row = view.row
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(f"{escaped(row.title)}: {escaped(row.what)}", anchor=False, width="content")
        st.markdown(
            f"{state_badge(row)} :gray[job {row.job_id}"
            + (f", attempt {row.attempt}]" if row.attempt > 1 else "]"),
            width="content",
        )
    _outcome(view, zone)
    _buttons(view, doings, may_not=may_not)
    left, right = st.columns([1.75, 1], gap="medium")
    with left:
        _curves(view, palette)
        _log(view, zone)
    with right:
        _facts(view, zone, doings)
        _pairs("Asked for", view.parameters)


def _outcome(view: JobView, zone: Zone) -> None:
    row = view.row
    if row.state not in ENDED:
        st.progress(min(max(row.progress, 0.0), 1.0), text=bar_text(row))
        st.caption(escaped(row.message) or "Starting")
        return
    told = escaped(outcome_text(row))
    if row.state == "failed":
        st.error(told, icon=":material/error:")
    else:
        st.markdown(told)
    if view.folds:
        fold_table(view.folds, zone)
    for result in view.results:
        st.markdown(f":gray[{escaped(result)}]")


def _buttons(view: JobView, doings: Doings, *, may_not: str) -> None:
    row, off, why = view.row, bool(may_not), may_not or None
    with st.container(horizontal=True, vertical_alignment="center"):
        if row.cancel_asked and row.state == "running":
            st.button(CANCELLING, key="job_cancel", disabled=True)
        elif "cancel" in view.actions:
            st.button(
                "Cancel", key="job_cancel", on_click=doings.cancel, args=(row.job_id,), disabled=off, help=why
            )
        if "resume" in view.actions:
            st.button(
                resume_words(view.checkpoint),
                key="job_resume",
                type="primary",
                on_click=doings.resume,
                args=(row.job_id,),
                disabled=off,
                help=why,
            )
        if "retry" in view.actions:
            st.button(
                "Retry from the start",
                key="job_retry",
                on_click=doings.retry,
                args=(row.job_id,),
                disabled=off,
                help=why,
            )
        if "clone" in view.actions:
            st.button(
                "Clone",
                key="job_clone",
                on_click=doings.clone,
                args=(row.job_id,),
                disabled=off,
                help=why or "A new job that asks for the same",
            )
        if row.version_id is not None:
            places.to_version(row.version_id, "Open version")
        if view.run_id is not None:
            st.link_button(
                "Open run in MLflow",
                f"/mlflow/run/{view.run_id}",
                icon=":material/open_in_new:",
                type="tertiary",
            )


def resume_words(checkpoint: int | None) -> str:
    """Return what the button says that lets a job go on: from which epoch."""
    return "Resume" if checkpoint is None else f"Resume after epoch {checkpoint}"


def _curves(view: JobView, palette: Palette) -> None:
    if not view.curves:
        if view.row.kind == "train":
            over = view.row.state in ENDED
            st.caption(
                "No loss curve: no network was trained."
                if over
                else "No loss curve: this training has no network, or its first epoch is not over yet."
            )
        return
    st.markdown("**Loss** :gray[· on the training part and on the part that stops it]")
    st.plotly_chart(
        loss_curves(view.curves, palette, height=_CURVES_PX),
        theme=None,
        config=CONFIG,
        key=f"curves_{view.row.job_id}",
        alt=f"Loss over epochs of {view.row.what}",
    )


def _log(view: JobView, zone: Zone) -> None:
    st.markdown(f"**Log** :gray[· {counted(len(view.lines), 'line')}, newest first, times in {zone.label}]")
    if not view.lines:
        st.caption("Nothing was written yet.")
        return
    st.code(
        log_text(view, zone),
        language=None,
        wrap_lines=True,
        height=_LOG_PX if len(view.lines) > _LINES else "content",
    )


def log_text(view: JobView, zone: Zone) -> str:
    """Return the lines of a log with their times, newest first, and a line where another attempt began."""
    written: list[str] = []
    attempt = view.lines[-1].attempt if view.lines else 0
    for line in reversed(view.lines):
        if line.attempt != attempt:
            written.append(f"── attempt {attempt} began ──")
            attempt = line.attempt
        written.append(f"{zone.local(line.at):%H:%M:%S}  {line.text}")
    return "\n".join(written)


def _facts(view: JobView, zone: Zone, doings: Doings) -> None:
    row = view.row
    facts = [("Asked by", row.actor), ("Asked", zone.stamp(row.created_at))]
    if row.started_at is not None:
        facts.append(("Started", zone.stamp(row.started_at)))
    if row.finished_at is not None:
        facts.append(("Ended", zone.stamp(row.finished_at)))
    if row.took:
        facts.append(("Runs for" if row.state == "running" else "Took", row.took))
    taken = resources(view.memory_mb, view.cpu_s)
    if taken:
        facts.append(("Uses" if row.state == "running" else "Used", taken))
    _pairs("This job", facts)
    if row.waits_for:
        with st.container(horizontal=True):
            for number in row.waits_for:
                st.button(
                    f"Waits for job {number}",
                    key=f"needs_{number}",
                    type="tertiary",
                    icon=":material/hourglass_empty:",
                    on_click=doings.go_job,
                    args=(number,),
                )
    if row.batch_id is not None:
        st.button(
            f"Part of batch {row.batch_id}",
            key="job_batch",
            type="tertiary",
            icon=":material/stacks:",
            on_click=doings.go_batch,
            args=(row.batch_id,),
        )


def _pairs(title: str, pairs: Sequence[tuple[str, str]] | Mapping[str, str]) -> None:
    found = list(pairs.items()) if isinstance(pairs, Mapping) else list(pairs)
    if not found:
        return
    st.markdown(f"**{title}**")
    st.table(
        {"": [f":gray[{escaped(name)}]" for name, _ in found], " ": [escaped(value) for _, value in found]},
        border="horizontal",
        hide_header=True,
        hide_index=True,
        alt=title,
    )
