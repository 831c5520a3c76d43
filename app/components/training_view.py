"""Which part of Training the address asks for: everything, one job or one batch, and the open dialog."""

from dataclasses import dataclass
from typing import Final

import streamlit as st

from app.components import address, outcome

JOB, BATCH, TRAIN = "job", "batch", "train"
CHOOSE: Final = "choose"
"""What `train` says when no sensor is chosen yet."""

_DRAWN: Final = "training_view"
_PACE: Final = "training_quiet"
_VISIT: Final = "training_visit"


@dataclass(frozen=True)
class View:
    """What is shown.

    Parameters
    ----------
    job, batch
        The id of the job or batch that is shown alone; at most one is given.
    train
        The sensors that the dialog is prefilled with; None while it is closed.
    """

    job: int | None = None
    batch: int | None = None
    train: tuple[int, ...] | None = None


def asked() -> View:
    """Return what the address asks for; what can't be understood is left out."""
    job, batch = _number(address.read(JOB)), _number(address.read(BATCH))
    wanted = address.read(TRAIN)
    train = None
    if wanted is not None:
        train = tuple(n for part in wanted.split(",") if (n := _number(part)) is not None)
    return View(job, None if job is not None else batch, train)


def drawn(view: View) -> None:
    """Note what the page draws."""
    st.session_state[_DRAWN] = view


def follow() -> None:
    """Draw the page anew where the address asks for something else by now or something is to be said.

    For fragments: what they draw themselves is gone with their next tick.
    """
    if asked() != st.session_state.get(_DRAWN) or outcome.pending():
        st.rerun()


def quiet() -> bool:
    """Return whether nothing was running when the live part was last drawn."""
    return bool(st.session_state.get(_PACE))


def pace(*, quiet: bool) -> None:
    """Note for what the pace of the live parts is chosen."""
    st.session_state[_PACE] = quiet


def keep_pace(*, quiet: bool) -> None:
    """Draw the page anew, at another pace, where something began to run or all of it ended; for fragments."""
    if quiet != st.session_state.get(_PACE, False):
        pace(quiet=quiet)
        st.rerun()


def visit() -> int:
    """Return a number for the keys of widgets whose choice leads elsewhere.

    The browser keeps what was chosen and would send it again on the way back: each visit has keys of its own.
    """
    return int(st.session_state.get(_VISIT, 0))


def go_job(job_id: int) -> None:
    """Show a job alone; for callbacks."""
    _go(JOB, job_id)


def go_batch(batch_id: int) -> None:
    """Show a batch alone; for callbacks."""
    _go(BATCH, batch_id)


def go_all() -> None:
    """Show everything; for callbacks."""
    _go(None, 0)


def open_dialog(sensor_ids: tuple[int, ...]) -> None:
    """Open the dialog with sensors chosen; for callbacks."""
    address.write(TRAIN, ",".join(map(str, sensor_ids)) or CHOOSE)


def close_dialog() -> None:
    """Close the dialog; for callbacks."""
    address.write(TRAIN, None)


def _go(name: str | None, number: int) -> None:
    st.session_state[_VISIT] = visit() + 1
    for other in (JOB, BATCH):
        address.write(other, str(number) if other == name else None)


def _number(text: str | None) -> int | None:
    # Ids are 64-bit integers: a longer one is none, and storage would refuse it.
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 18 else None
