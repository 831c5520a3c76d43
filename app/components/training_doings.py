"""What the buttons of Training do, each as a callback; what came of it is said at the top of the page."""

from collections.abc import Callable, Sequence

import streamlit as st

from app.actions import screen
from app.components import train_form, training_view
from app.components.outcome import note, tell
from app.components.schedules import NewSchedule
from app.components.words import counted
from app.queries import training
from app.queries.failure import ReadFailed

CRON_REFUSED = "schedule_refused"


def cancel(job_id: int) -> None:
    """Cancel a job."""
    tell(f"Job {job_id}: cancel was asked for.", lambda: screen.cancel_job(job_id))


def cancel_batch(batch_id: int) -> None:
    """Cancel what is left of a batch."""
    tell(f"Batch {batch_id}: what is left is being cancelled.", lambda: screen.cancel_batch(batch_id))


def resume(job_id: int) -> None:
    """Let a job go on from what it kept."""
    _revive(lambda: screen.resume_jobs([job_id]), "goes on")


def retry(job_id: int) -> None:
    """Begin a job anew."""
    _revive(lambda: screen.retry_jobs([job_id]), "begins anew")


def resume_batch(batch_id: int) -> None:
    """Let go on what of a batch was cancelled."""
    _revive(lambda: screen.resume_batch(batch_id), "go on")


def retry_batch(batch_id: int) -> None:
    """Begin anew what of a batch failed or was cancelled."""
    _revive(lambda: screen.retry_batch(batch_id), "begin anew")


def clone(job_id: int) -> None:
    """Ask again for what a job was asked for, and show the job that does it."""
    try:
        made = screen.clone_job(job_id)
    except screen.ActionFailed as failure:
        note(str(failure), good=False)
        return
    note(f"Job {made} does what job {job_id} was asked for.")
    training_view.go_job(made)


def validate(sensor_ids: Sequence[int]) -> None:
    """Judge all trained versions of some sensors on what none of them learned from, and show the job."""
    try:
        job_id = screen.validate(training.trained_versions(sensor_ids))
    except (screen.ActionFailed, ReadFailed) as failure:
        note(str(failure), good=False)
        return
    note("Their versions are being judged side by side.")
    training_view.go_job(job_id)


def started_words(started: screen.Started) -> str:
    """Return what became of asking for trainings; who was first where somebody was."""
    queued = len(started.job_ids)
    told = [f"Queued: {counted(queued, 'training')}."] if queued else []
    return " ".join([*told, *(f"{one[:1].upper()}{one[1:]}." for one in started.told)])


def dismiss() -> None:
    """Close the dialog and forget what was typed into it."""
    train_form.forget()
    training_view.close_dialog()


def start(asked: train_form.Asked) -> None:
    """Queue what the form asks for and show it.

    Raises
    ------
    ActionFailed
        Nothing was queued.
    """
    if asked.backtest:
        job_id = screen.backtest(asked.sensor_ids[0], asked.preset, asked.mode)
        note("What it would have done is being tried on its past; nothing is registered.")
        dismiss()
        training_view.go_job(job_id)
        return
    started = screen.train(asked.sensor_ids, asked.preset, asked.mode, asked.parameters)
    note(started_words(started))
    dismiss()
    if not started.job_ids and len(started.already_ids) == 1:
        training_view.go_job(started.already_ids[0])
    else:
        training_view.go_all()


def pause(schedule_id: int, paused: bool) -> None:
    """Pause a schedule, or let it go on."""
    said = "paused" if paused else "goes on"
    tell(f"Schedule {schedule_id}: {said}.", lambda: screen.pause_schedule(schedule_id, paused=paused))


def remove(schedule_id: int) -> None:
    """Delete a schedule."""
    tell(f"Schedule {schedule_id} was removed.", lambda: screen.remove_schedule(schedule_id))


def add_schedule(asked: NewSchedule, zone: str) -> bool:
    """Add a schedule; return False, with the reason kept for its field, where it was refused."""
    try:
        screen.add_schedule(asked.title, asked.cron, zone, preset=asked.preset, only=asked.only)
    except screen.ActionFailed as failure:
        st.session_state[CRON_REFUSED] = str(failure)
        return False
    st.session_state.pop(CRON_REFUSED, None)
    note(f"Added: {asked.title}.")
    return True


def _revive(act: Callable[[], screen.Revived], words: str) -> None:
    try:
        revived = act()
    except screen.ActionFailed as failure:
        note(str(failure), good=False)
        return
    back = len(revived.job_ids)
    told = [f"{counted(back, 'job')}: {words}."] if back else []
    note(" ".join([*told, *(f"{one[:1].upper()}{one[1:]}." for one in revived.told)]))
