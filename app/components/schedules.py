"""Work that is queued again and again: what, when in words, and a form for another one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Final

import streamlit as st

from app.charts.zone import Zone
from app.components.words import counted, escaped
from app.queries.job_views import PresetRow, ScheduleRow

ONLY: Final = {
    "stale": "Sensors whose model is stale",
    "never": "Sensors that were never trained",
    "failing": "Sensors whose training fails or whose model is lost",
    "all": "All sensors",
}
"""Which sensors a scheduled training takes, at the time when it is due."""

_EVERY: Final = ("Every day", "Every week", "Every month", "Cron expression")
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True)
class NewSchedule:
    """What the form asks for.

    Parameters
    ----------
    only
        One of `ONLY`.
    cron
        Five fields, not yet checked.
    """

    title: str
    only: str
    preset: str
    cron: str


def schedule_list(
    rows: Sequence[ScheduleRow],
    zone: Zone,
    *,
    pause: Callable[[int, bool], None],
    remove: Callable[[int], None],
    go: Callable[[int], None],
    may_not: str,
) -> None:
    """List the schedules.

    Parameters
    ----------
    pause
        Given the id, and whether it is to pause or to go on, as a callback.
    remove, go
        Removes one, given its id; opens a job, given its id.
    may_not
        Why this person can't change any; empty when they can.
    """
    if not rows:
        st.caption(
            "Nothing is scheduled. A schedule trains again by itself, for example what is stale each Sunday."
        )
    for row in rows:
        with st.container(horizontal=True, vertical_alignment="center", key=f"schedule_{row.schedule_id}"):
            st.markdown(_line(row, zone), width="stretch")
            if row.last_job_id is not None:
                st.button(
                    f"Job {row.last_job_id}",
                    key=f"schedule_job_{row.schedule_id}",
                    type="tertiary",
                    on_click=go,
                    args=(row.last_job_id,),
                )
            st.button(
                "Pause" if row.enabled else "Go on",
                key=f"schedule_pause_{row.schedule_id}",
                type="tertiary",
                on_click=pause,
                args=(row.schedule_id, row.enabled),
                disabled=bool(may_not),
                help=may_not or None,
            )
            st.button(
                "Remove",
                key=f"schedule_remove_{row.schedule_id}",
                type="tertiary",
                on_click=remove,
                args=(row.schedule_id,),
                disabled=bool(may_not),
                help=may_not or None,
            )


def schedule_form(
    presets: Sequence[PresetRow], zone: Zone, *, wrong: str, may_not: str
) -> NewSchedule | None:
    """Draw the form and return what it asks for when its button was pressed.

    Parameters
    ----------
    wrong
        Why the expression was refused when it was last asked for; empty where it was not.
    """
    left, middle, right = st.columns([1.3, 0.8, 1.6], gap="small")
    only = left.selectbox("Train", list(ONLY), format_func=ONLY.__getitem__, key="schedule_only")
    preset = middle.selectbox(
        "Preset", [one.name for one in presets], format_func=str.capitalize, key="schedule_preset"
    )
    with right:
        cron = _when(zone)
        if wrong:
            st.markdown(f":red[:material/error: {escaped(wrong)}]")
    pressed = st.button("Add schedule", key="schedule_add", disabled=bool(may_not), help=may_not or None)
    return NewSchedule(f"Train: {ONLY[only].lower()}", only, preset, cron) if pressed else None


def cron_of(every: str, at: time, day: str, day_of_month: int) -> str:
    """Return the five fields of what was chosen."""
    fields = {
        "Every day": "* * *",
        "Every week": f"* * {_DAYS.index(day) + 1}",
        "Every month": f"{day_of_month} * *",
    }
    return f"{at.minute} {at.hour} {fields[every]}"


def _when(zone: Zone) -> str:
    first, second, third = st.columns([1.2, 1, 1], gap="xsmall")
    every = first.selectbox("When", _EVERY, key="schedule_every")
    if every == "Cron expression":
        return second.text_input(
            f"Cron, {zone.label}",
            key="schedule_cron",
            placeholder="0 2 * * SUN",
            help="Minute, hour, day of the month, month, day of the week",
        ).strip()
    at = second.time_input(f"At, {zone.label}", value=time(2, 0), key="schedule_at", step=900)
    day, day_of_month = _DAYS[-1], 1
    if every == "Every week":
        day = third.selectbox("On", _DAYS, index=len(_DAYS) - 1, key="schedule_day")
    elif every == "Every month":
        # A later day is missing in some months.
        day_of_month = third.number_input("On day", 1, 28, 1, key="schedule_month_day")
    return cron_of(every, at, day, int(day_of_month))


def _line(row: ScheduleRow, zone: Zone) -> str:
    due = "paused" if row.next_at is None else f"next {zone.stamp(row.next_at)}"
    last = "" if row.last_at is None else f", last {zone.stamp(row.last_at)}"
    return (
        f"**{escaped(row.title)}** · {escaped(row.words)} {escaped(row.zone)}  \n"
        f":gray[{escaped(row.what)} · {due}{last} · {escaped(row.actor)}]"
    )


def heading(rows: Sequence[ScheduleRow]) -> str:
    """Return what the folded part says of itself."""
    active = sum(row.enabled for row in rows)
    return f"Schedules · {counted(active, 'active one')}" if rows else "Schedules · none"
