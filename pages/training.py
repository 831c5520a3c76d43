"""The page that shows what is being learned and whether it goes well."""

import streamlit as st

from app.components import job_cards, problem, viewer
from app.components.header import header
from app.components.outcome import refusal
from app.components.train_form import train_form
from app.components.words import counted
from app.queries import fleet, house, models, work

EVERY = "2s"


@st.fragment(run_every=EVERY, key="training")
def watch() -> None:
    """Draw what runs, waits and is over; it draws itself again every few seconds."""
    with problem.shown():
        now, zone, palette = house.now(), viewer.zone(), viewer.palette()
        jobs = work.jobs()
        running = [job for job in jobs if job.state == "running"]
        queued = [job for job in jobs if job.state == "queued"]
        over = [job for job in jobs if job.state in {"done", "failed"}]
        st.subheader(f"Running · {counted(len(running), 'job')}", anchor=False)
        if not running:
            st.caption("Nothing runs.")
        for job in running:
            job_cards.running_card(job, now, palette)
        job_cards.waiting(queued, zone)
        job_cards.history(over, zone, now)


@st.dialog("Train a model")
def ask() -> None:
    """Ask what to train and how long, and queue it."""
    with problem.shown():
        if train_form():
            st.rerun()


with problem.shown():
    stamp = house.stamp()
    header(
        "Training: what is being learned, and is it fine?",
        fleet.fleet(stamp),
        house.now(),
        house.profile(),
    )
    may_not = refusal("trainer")
    has_targets = bool(models.targets(stamp))
    if st.button(
        "Train…",
        type="primary",
        shortcut="N",
        key="train",
        disabled=bool(may_not) or not has_targets,
        help=may_not or (None if has_targets else "There is no sensor to train yet: ingest something first."),
    ):
        ask()
    watch()
