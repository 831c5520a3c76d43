"""What a page says when it has nothing to show: what would fill it, and the button that does."""

from collections.abc import Callable

import streamlit as st

from app.components.words import escaped
from app.queries import work
from app.queries.job_views import JobRow


def no_machines(build_demo: Callable[[], None]) -> None:
    """Say how machines come in, or how far the demo fleet is.

    Parameters
    ----------
    build_demo
        Queues the demo fleet.
    """
    job = work.demo_job()
    with st.container(border=True, width=720):
        if job is not None and job.state != "failed":
            st.subheader("The demo fleet is being built", anchor=False)
            st.markdown(
                "12 machines with 48 sensors, 90 days of readings, faults of several kinds and benign events "
                "that look strange. Detected events appear here as soon as it is scored."
            )
            _bar(job)
            return
        st.subheader("No machines yet", anchor=False)
        if job is not None:
            st.error(f"The demo fleet could not be built. {escaped(job.outcome)}", icon=":material/error:")
        st.markdown("Readings fill this page. Start with the demo fleet, or bring your own:")
        st.button(
            "Build the demo fleet", type="primary", icon=":material/factory:", key="demo", on_click=build_demo
        )
        st.code(
            "telltale ingest csv readings.csv --time time --zone UTC\n"
            "telltale ingest smap-msl data.zip --labels labeled_anomalies.csv\n"
            "telltale demo",
            language=None,
        )


def demo_progress() -> None:
    """Say how far the demo fleet is while its job waits or runs; nothing otherwise."""
    job = work.demo_job()
    if job is not None and job.state != "failed":
        _bar(job)


def _bar(job: JobRow) -> None:
    waiting = "Waiting for the worker" if job.state == "queued" else job.message or "Starting"
    st.progress(min(max(job.progress, 0.0), 1.0), text=f"Demo fleet: {escaped(waiting)}")


def no_events(what: str) -> None:
    """Say that nothing was detected in what was picked.

    Parameters
    ----------
    what
        The picked machine and window in words.
    """
    st.markdown(f":gray[:material/check_circle: No events: {escaped(what)}.]")
