"""The narrow list of events on the left: filters, one row an event, and the keys that move through it."""

from collections.abc import Callable, Sequence
from typing import Final

import streamlit as st

from app.charts.zone import Zone
from app.components import address
from app.components.words import escaped, percent
from app.queries.views import EventRow
from app.theme import COLOUR_NAMES, SHAPES, WORST_FIRST

_KEY: Final = "event_list"
_TURN: Final = "event_list_turn"
_INVISIBLE: Final = "\u200b"
_HEIGHT_PX: Final = 500
_FITTING: Final = 10
_UNLABELLED: Final = "Unlabelled"
_HELD: Final = "Held back"
_TELLING: Final = "Teaches most"
_SHORT: Final = {"true_anomaly": "True", "false_positive": "False", "unsure": "Unsure"}


def filters(
    events: Sequence[EventRow],
    held: Sequence[EventRow] = (),
    telling: Callable[[], Sequence[str]] = tuple,
) -> tuple[EventRow, ...]:
    """Draw the filters and return what passes them.

    Parameters
    ----------
    events
        All events of the picked machine and time window that are shown.
    held
        Those that verdicts hold back; they are listed instead when that is asked for.
    telling
        Returns the ids of events without a verdict, those first that teach most; asked only when wanted.
    """
    asked = [_UNLABELLED] if address.read("unlabelled") else []
    asked += [_HELD] if address.read("held") and held else []
    asked += [_TELLING] if address.read("telling") else []
    st.session_state.setdefault("show", asked)
    if _HELD in st.session_state["show"]:
        events = held
    st.session_state.setdefault("severity", address.chosen_severities(WORST_FIRST))
    counts = {name: sum(event.severity == name for event in events) for name in WORST_FIRST}
    wanted = st.pills(
        "Severity",
        WORST_FIRST,
        selection_mode="multi",
        format_func=lambda name: f":{COLOUR_NAMES[name]}[{SHAPES[name]}] {name.capitalize()} {counts[name]}",
        key="severity",
        label_visibility="collapsed",
        wrap=True,
        on_change=_filtered,
    )
    shown = st.pills(
        "Show",
        [_UNLABELLED, _TELLING, *([_HELD] if held or _HELD in st.session_state["show"] else [])],
        selection_mode="multi",
        key="show",
        label_visibility="collapsed",
        on_change=_filtered,
    )
    kept = st.session_state.setdefault("judged_here", set())
    passing = tuple(
        event
        for event in events
        if (not wanted or event.severity in wanted)
        # What was judged a moment ago keeps its place until the filters change.
        and (_UNLABELLED not in shown or event.verdict is None or event.event_id in kept)
    )
    if _TELLING not in shown:
        return passing
    known = {event.event_id: event for event in passing}
    return tuple(known[event_id] for event_id in telling() if event_id in known)


def keep_in_place(event_id: str) -> None:
    """Let an event that was just judged stay in the list; for callbacks."""
    st.session_state.setdefault("judged_here", set()).add(event_id)


def event_list(events: Sequence[EventRow], opened: EventRow, zone: Zone, go: Callable[[str], None]) -> None:
    """Draw the list with the opened event chosen.

    Parameters
    ----------
    events
        In the order in which they are shown; `opened` is one of them.
    go
        Opens an event by its id.
    """
    order = [event.event_id for event in events]
    labels = _labels(events)
    key = _key(opened.event_id)
    with st.container(height=_HEIGHT_PX if len(events) > _FITTING else "content", border=False):
        st.radio(
            "Events, worst first",
            order,
            format_func=labels.__getitem__,
            captions=[_caption(event, zone) for event in events],
            key=key,
            label_visibility="collapsed",
            on_change=lambda: go(st.session_state[key]),
        )
    place = order.index(opened.event_id)
    forward, back = st.columns(2, gap="xsmall")
    forward.button(
        "Next",
        shortcut="J",
        key="list_next",
        width="stretch",
        disabled=place + 1 >= len(order),
        on_click=go,
        args=(order[min(place + 1, len(order) - 1)],),
    )
    back.button(
        "Back",
        shortcut="K",
        key="list_back",
        width="stretch",
        disabled=place == 0,
        on_click=go,
        args=(order[max(place - 1, 0)],),
    )


def _key(opened: str) -> str:
    """Return the key of the list with the opened event chosen: another one when something else opened it.

    Until a browser has drawn that another event is chosen, it sends the one before with every key that is
    pressed; under the same key that would open it again. What a person chooses in the list keeps the key,
    and with it the focus, so that arrows go on.
    """
    turn = st.session_state.setdefault(_TURN, 0)
    if st.session_state.get(_named(turn), opened) != opened:
        turn = st.session_state[_TURN] = turn + 1
    st.session_state[_named(turn)] = opened
    return _named(turn)


def _named(turn: int) -> str:
    return f"{_KEY}_{turn}" if turn else _KEY


def _filtered() -> None:
    st.session_state["judged_here"] = set()
    address.write("severity", ",".join(st.session_state["severity"]) or None)
    address.write("unlabelled", "1" if _UNLABELLED in st.session_state["show"] else None)
    address.write("telling", "1" if _TELLING in st.session_state["show"] else None)
    address.write("held", "1" if _HELD in st.session_state["show"] else None)


def _labels(events: Sequence[EventRow]) -> dict[str, str]:
    """Return event id → its words; Streamlit knows an option by them, so that no two may be equal."""
    found: dict[str, str] = {}
    times: dict[str, int] = {}
    for event in events:
        words = _label(event)
        times[words] = times.get(words, -1) + 1
        found[event.event_id] = words + _INVISIBLE * times[words]
    return found


def _label(event: EventRow) -> str:
    mark = f":{COLOUR_NAMES.get(event.severity, 'gray')}[{SHAPES.get(event.severity, '○')}]"
    return f"{mark} **{escaped(event.machine)}** {escaped(event.sensor)}"


def _caption(event: EventRow, zone: Zone) -> str:
    if event.historical:
        since = f"{zone.local(event.start):%d %b %Y}".lstrip("0")
    else:
        since = ("since " if event.open else "") + zone.day_or_clock(event.start, event.as_of)
    said = f"{event.severity.capitalize()}, {percent(event.probability)}, {since}"
    if event.verdict is not None:
        verdict = f"**{_SHORT[event.verdict.verdict]}**"
        said += f" · {':orange[**Disputed**]' if event.disagree else verdict}"
    return said
