"""The card on which a person says whether an event is real."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import streamlit as st

from app.charts.zone import Zone
from app.components.words import escaped
from app.queries.views import EventRow, Verdict
from app.theme import VERDICT_WORDS

_BUTTONS: Final = (("true_anomaly", "True", "T"), ("false_positive", "False", "F"), ("unsure", "Unsure", "U"))
FAULT_CLASSES: Final = (
    "drift",
    "step",
    "spike",
    "stuck sensor",
    "drop-out",
    "changed correlation",
    "start-up",
    "cleaning",
    "calibration",
    "maintenance",
)


@dataclass(frozen=True)
class Draft:
    """What the card says, not stored yet.

    Parameters
    ----------
    verdict
        None until one is chosen.
    start, end
        UTC.
    problem
        Why it can't be stored; empty when it can.
    """

    verdict: str | None
    fault_class: str
    note: str
    start: datetime
    end: datetime
    problem: str


def prepare(event: EventRow, zone: Zone) -> None:
    """Preset the card of an event, once: its stored verdict, else the detector's interval."""
    stored = event.verdict
    presets = {
        "verdict": stored.verdict if stored else None,
        "class": (stored.fault_class if stored else "") or None,
        "note": stored.note if stored else "",
        "from": _wall(stored.start if stored else event.start, zone),
        "to": _wall(stored.end if stored else event.end, zone),
    }
    for name, value in presets.items():
        st.session_state.setdefault(_key(name, event), value)


def forget(event_id: str) -> None:
    """Let the card of an event be preset again."""
    for name in ("verdict", "class", "note", "from", "to"):
        st.session_state.pop(f"card_{name}_{event_id}", None)


def draft(event: EventRow, zone: Zone) -> Draft:
    """Return what the card of an event says now, whether it has been drawn yet or not."""
    start = st.session_state.get(_key("from", event))
    end = st.session_state.get(_key("to", event))
    problem = ""
    # A bound that nobody touched is the detector's own, to the microsecond.
    begins = _bound(start, event.verdict.start if event.verdict else event.start, zone)
    ends = _bound(end, event.verdict.end if event.verdict else event.end, zone)
    verdict = st.session_state.get(_key("verdict", event))
    if start is None or end is None:
        problem = "Both From and To are needed."
    elif begins >= ends:
        problem = "From must lie before To."
    elif verdict is None:
        problem = "Choose True, False or Unsure first."
    return Draft(
        verdict=verdict,
        fault_class=st.session_state.get(_key("class", event)) or "",
        note=(st.session_state.get(_key("note", event)) or "").strip(),
        start=begins,
        end=ends,
        problem=problem,
    )


def move_bounds(event: EventRow, start: datetime, end: datetime, zone: Zone) -> None:
    """Take the bounds from a range drawn on the chart, to the full minute; for callbacks."""
    st.session_state[_key("from", event)] = _wall(start, zone).replace(second=0, microsecond=0)
    rounded = _wall(end + timedelta(seconds=59), zone).replace(second=0, microsecond=0)
    st.session_state[_key("to", event)] = rounded


def verdict_card(
    event: EventRow,
    zone: Zone,
    *,
    save: Callable[[], None],
    undo: Callable[[], None] | None,
    undo_label: str,
    refusal: str,
) -> None:
    """Draw the card.

    Parameters
    ----------
    save, undo
        Called when their button is pressed; `undo` is None when there is nothing to take back.
    refusal
        Why this person may not judge; empty when they may.
    """
    st.subheader("Is it real?", anchor=False)
    off = bool(refusal)
    chosen = st.session_state.get(_key("verdict", event))
    for column, (verdict, label, shortcut) in zip(
        st.columns([1, 1.05, 1.3], gap="xsmall"), _BUTTONS, strict=True
    ):
        column.button(
            label,
            key=f"card_{verdict}",
            shortcut=shortcut,
            type="primary" if verdict == chosen else "secondary",
            width="stretch",
            disabled=off,
            on_click=_choose,
            args=(_key("verdict", event), verdict),
        )
    st.selectbox(
        "Fault class",
        FAULT_CLASSES,
        index=None,
        key=_key("class", event),
        placeholder="What was it? (optional)",
        accept_new_options=True,
        disabled=off,
    )
    for name, label in (("from", "From"), ("to", "To")):
        st.datetime_input(
            f"{label}, {zone.label}", key=_key(name, event), format="YYYY-MM-DD", step=60, disabled=off
        )
    found = draft(event, zone).problem
    if found.startswith(("From", "Both")):
        st.markdown(f":red[:material/error: {found}]")
    st.text_area(
        "Note",
        key=_key("note", event),
        height=72,
        max_chars=2000,
        placeholder="Note: what did you see?",
        label_visibility="collapsed",
        disabled=off,
    )
    with st.container(horizontal=True):
        st.button("Save", type="primary", shortcut="Ctrl+Enter", key="card_save", on_click=save, disabled=off)
        if undo is not None:
            st.button(undo_label, type="tertiary", key="card_undo", on_click=undo, disabled=off)
    if refusal:
        st.caption(escaped(refusal))


def history(verdicts: Sequence[Verdict], zone: Zone) -> None:
    """List the verdicts on a sensor, newest first, with names."""
    st.markdown("**Verdicts on this sensor**")
    if not verdicts:
        st.caption("None yet.")
    for verdict in verdicts[:8]:
        what = f": {escaped(verdict.fault_class)}" if verdict.fault_class else ""
        st.markdown(
            f"{zone.stamp(verdict.start)}  \n{VERDICT_WORDS[verdict.verdict]}{what} "
            f":gray[· {escaped(verdict.actor)}]"
            + (f"  \n:gray[{escaped(verdict.note)}]" if verdict.note else "")
        )


def _choose(key: str, verdict: str) -> None:
    st.session_state[key] = verdict


def _key(name: str, event: EventRow) -> str:
    return f"card_{name}_{event.event_id}"


def _wall(moment: datetime, zone: Zone) -> datetime:
    return zone.local(moment).replace(tzinfo=None)


def _bound(typed: datetime | None, preset: datetime, zone: Zone) -> datetime:
    if typed is None:
        return preset
    same_minute = typed.replace(second=0, microsecond=0) == _wall(preset, zone).replace(
        second=0, microsecond=0
    )
    return preset if same_minute else zone.from_wall(typed)
