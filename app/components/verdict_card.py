"""The card on which a person says whether an event is real: what it says, kept until it is stored."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import streamlit as st

from app.charts.zone import Zone
from app.components.words import escaped
from app.queries.views import EventRow, Verdict

_BUTTONS: Final = (("true_anomaly", "True", "T"), ("false_positive", "False", "F"), ("unsure", "Unsure", "U"))
_FIELDS: Final = ("verdict", "class", "note", "from", "to", "preset", "seen")


@dataclass(frozen=True)
class Draft:
    """What a card says, not stored yet.

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


def prepare(event: EventRow, mine: Verdict | None, seen: int | None, zone: Zone) -> None:
    """Preset the card of an event when it is opened: this person's own verdict, else the detector's interval.

    Parameters
    ----------
    mine
        What this person said of it before.
    seen
        Number of the newest verdict of anybody that the person sees with it; None where there is none.
    """
    preset(
        event.event_id,
        (mine.start, mine.end) if mine else (event.start, event.end),
        zone,
        verdict=mine.verdict if mine else None,
        fault_class=mine.fault_class if mine else "",
        note=mine.note if mine else "",
        seen=seen,
    )


def preset(
    card: str,
    bounds: tuple[datetime, datetime],
    zone: Zone,
    *,
    verdict: str | None = None,
    fault_class: str = "",
    note: str = "",
    seen: int | None = None,
) -> None:
    """Fill a card by its name, unless it is filled already."""
    if _key("from", card) in st.session_state:
        return
    values = {
        "verdict": verdict,
        "class": fault_class or None,
        "note": note,
        "from": _wall(bounds[0], zone),
        "to": _wall(bounds[1], zone),
        "preset": bounds,
        "seen": seen,
    }
    for name, value in values.items():
        st.session_state[_key(name, card)] = value


def filled(card: str) -> bool:
    """Return whether a card was filled and not stored since: a key that is pressed twice stores once."""
    return _key("preset", card) in st.session_state


def forget(card: str) -> None:
    """Let a card be filled again."""
    for name in _FIELDS:
        st.session_state.pop(_key(name, card), None)


def forget_all() -> None:
    """Let every card be filled again: another person looks at them."""
    for name in [key for key in st.session_state if str(key).startswith("card_")]:
        st.session_state.pop(name)


def seen(card: str) -> int | None:
    """Return the number of the newest verdict that this person saw when the card was opened."""
    found: int | None = st.session_state.get(_key("seen", card))
    return found


def draft(card: str, zone: Zone) -> Draft:
    """Return what a card that was filled says now, whether it has been drawn yet or not."""
    start = st.session_state.get(_key("from", card))
    end = st.session_state.get(_key("to", card))
    first, last = st.session_state[_key("preset", card)]
    problem = ""
    # A bound that nobody touched is the detector's own, to the microsecond.
    begins, ends = _bound(start, first, zone), _bound(end, last, zone)
    verdict = st.session_state.get(_key("verdict", card))
    if start is None or end is None:
        problem = "Both From and To are needed."
    elif begins >= ends:
        problem = "From must lie before To."
    elif verdict is None:
        problem = "Choose True, False or Unsure first."
    return Draft(
        verdict=verdict,
        fault_class=st.session_state.get(_key("class", card)) or "",
        note=(st.session_state.get(_key("note", card)) or "").strip(),
        start=begins,
        end=ends,
        problem=problem,
    )


def moved(card: str, zone: Zone) -> bool:
    """Return whether a card's bounds are others than it was filled with."""
    found = draft(card, zone)
    return bool((found.start, found.end) != st.session_state[_key("preset", card)])


def move_bounds(card: str, start: datetime, end: datetime, zone: Zone) -> None:
    """Take the bounds from a range drawn on the chart, to the full minute; for callbacks."""
    st.session_state[_key("from", card)] = _wall(start, zone).replace(second=0, microsecond=0)
    rounded = _wall(end + timedelta(seconds=59), zone).replace(second=0, microsecond=0)
    st.session_state[_key("to", card)] = rounded


def choice(card: str, *, off: bool) -> None:
    """Draw the three buttons, the chosen one filled."""
    chosen = st.session_state.get(_key("verdict", card))
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
            args=(_key("verdict", card), verdict),
        )


def fields(
    card: str, classes: Sequence[str], zone: Zone, *, off: bool, edit: Callable[[], None] | None = None
) -> None:
    """Draw fault class, bounds and note of a card.

    Parameters
    ----------
    classes
        The list to pick from; what is typed besides is added to it when the verdict is stored.
    edit
        Draws what edits the list, beside it; None where this person may not.
    """
    said = st.session_state.get(_key("class", card))
    known = [*classes, *([said] if said and said not in classes else [])]
    picker, editing = st.columns([5, 1], gap="xsmall", vertical_alignment="bottom")
    picker.selectbox(
        "Fault class",
        known,
        index=None,
        key=_key("class", card),
        placeholder="What was it? (optional)",
        accept_new_options=True,
        disabled=off,
    )
    if edit is not None:
        with editing:
            edit()
    for name, label in (("from", "From"), ("to", "To")):
        st.datetime_input(
            f"{label}, {zone.label}", key=_key(name, card), format="YYYY-MM-DD", step=60, disabled=off
        )
    found = draft(card, zone).problem
    if found.startswith(("From", "Both")):
        st.markdown(f":red[:material/error: {found}]")
    st.text_area(
        "Note",
        key=_key("note", card),
        height=72,
        max_chars=2000,
        placeholder="Note: what did you see?",
        label_visibility="collapsed",
        disabled=off,
    )


def buttons(
    *, save: Callable[[], None], undo: Callable[[], None] | None, undo_label: str, refusal: str
) -> None:
    """Draw what stores the card and what takes back.

    Parameters
    ----------
    save, undo
        Called when their button is pressed; `undo` is None when there is nothing to take back.
    refusal
        Why this person may not judge; empty when they may.
    """
    off = bool(refusal)
    with st.container(horizontal=True):
        st.button("Save", type="primary", shortcut="Ctrl+Enter", key="card_save", on_click=save, disabled=off)
        if undo is not None:
            st.button(undo_label, type="tertiary", shortcut="Z", key="card_undo", on_click=undo, disabled=off)
    if refusal:
        st.caption(escaped(refusal))


def _choose(key: str, verdict: str) -> None:
    st.session_state[key] = verdict


def _key(name: str, card: str) -> str:
    return f"card_{name}_{card}"


def _wall(moment: datetime, zone: Zone) -> datetime:
    return zone.local(moment).replace(tzinfo=None)


def _bound(typed: datetime | None, preset: datetime, zone: Zone) -> datetime:
    if typed is None:
        return preset
    same_minute = typed.replace(second=0, microsecond=0) == _wall(preset, zone).replace(
        second=0, microsecond=0
    )
    return preset if same_minute else zone.from_wall(typed)
