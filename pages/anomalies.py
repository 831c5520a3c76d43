"""The page that asks what happened and whether it is real."""

from datetime import UTC, datetime
from functools import partial

import streamlit as st

from app.actions import screen
from app.charts.stack import event_stack
from app.charts.template import CONFIG
from app.components import (
    address,
    empty,
    learning_dialog,
    places,
    preview,
    problem,
    rail,
    similar_events,
    verdict_card,
    viewer,
)
from app.components.event_list import event_list, filters, keep_in_place
from app.components.header import header
from app.components.outcome import refusal, said, tell
from app.components.words import counted, percent
from app.queries import fleet, house, learning, similar, story
from app.queries.house import Stamp
from app.queries.views import Band, EventRow, Fleet
from app.theme import VERDICT_WORDS

LONGEST_LIST = 150
WINDOWS = {"event": "Event", "day": "Day", "week": "Week", "all": "All"}


def page() -> None:
    """Draw the page."""
    made = house.stamp()
    whole = fleet.fleet(made)
    header("Anomalies: what happened, and is it real?", whole, house.now(), house.profile())
    if not (whole.events or whole.held):
        st.markdown("No event was detected yet.")
        return
    left, middle, right = st.columns([1.05, 2.8, 1.25], gap="small")
    with left:
        listed, opened = choose(made, whole)
        learning_dialog.learning_button(made, len(whole.held))
    if opened is None:
        with middle:
            picked = rail.picked()
            empty.no_events(f"{picked.machine or 'all machines'}, {picked.span_label.lower()}, as filtered")
        return
    verdict_card.prepare(opened, viewer.zone())
    with middle:
        examine(made, opened)
    with right:
        judge(made, listed, opened)
    similar_events.similar_events(similar.similar(made, opened), viewer.zone(), viewer.palette(), go)
    with left:
        event_list(listed, opened, viewer.zone(), go)
        running = sum(event.open and not event.historical for event in whole.events)
        st.caption(f"{counted(running, 'event')} open, {len(whole.events) - running} over")


def choose(made: Stamp, whole: Fleet) -> tuple[list[EventRow], EventRow | None]:
    """Draw the filters and return the list and the open event, which the address names."""
    picked = rail.picked()
    found = fleet.within(whole.events, picked.span, picked.machine)
    found = tuple(sorted(found, key=lambda event: event.historical))  # stable: worst first among equals
    held = fleet.within(whole.held, picked.span, picked.machine)
    listed = list(filters(found, held, partial(learning.telling, made)))[:LONGEST_LIST]
    wanted = address.read("event") or st.session_state.get("opened")
    opened = next((event for event in listed if event.event_id == wanted), None)
    if opened is None and address.read("event"):
        # A link may name an event that the filters leave out: it is shown all the same.
        every = (*whole.events, *whole.held)
        opened = next((event for event in every if event.event_id == wanted), None)
        if opened is not None:
            listed.insert(0, opened)
        else:
            st.warning("The event of this link no longer exists: its sensor was scored again.")
    if opened is None and listed:
        opened = listed[0]
    if opened is not None:
        st.session_state["opened"] = opened.event_id
        address.write("event", opened.event_id)
    return listed, opened


def examine(made: Stamp, event: EventRow) -> None:
    """Draw title, facts and the stack of charts of an event."""
    zone, palette = viewer.zone(), viewer.palette()
    with st.container(gap="xsmall"):
        preview.headline(event)
        st.markdown(preview.chips(event) + by_verdicts(made, event))
        why_held(made, event)
    drag = toolbar()
    wanted = address.window()
    start, end = wanted if isinstance(wanted, tuple) else story.window(made, event, wanted)
    shown = story.story(made, event, start, end)
    draft = verdict_card.draft(event, zone)
    moved = drag == "bounds" or (draft.start, draft.end) != (event.start, event.end)
    bounds = Band(draft.start, draft.end, "your bounds") if moved and draft.start < draft.end else None
    figure = event_stack(
        shown,
        Band(event.start, event.end, ""),
        event.severity,
        palette,
        zone,
        bounds=bounds,
        movable=drag == "bounds",
    )
    st.plotly_chart(
        figure,
        theme=None,
        config=CONFIG,
        key=f"stack_{drag}",
        on_select=partial(drawn, event, drag),
        selection_mode="box",
        alt=f"{event.title}: signal, score and {counted(len(shown.context), 'other channel')}",
    )
    st.caption(
        f"Times in {zone.label}. Drawn from {shown.resolution}; every smallest and largest value is kept."
    )


def by_verdicts(made: Stamp, event: EventRow) -> str:
    """Return how likely an event is real by verdicts on others, as a badge; empty while they are few."""
    found = learning.probability(made, event.event_id)
    if found is None:
        return ""
    return f" :gray-badge[{percent(found[0])} real by {counted(found[1], 'verdict')}]"


def why_held(made: Stamp, event: EventRow) -> None:
    """Say why an event is held back, and let the verdict that it rests on be looked at."""
    why = learning.held_because(made, event.event_id)
    if why is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":gray-badge[:material/notifications_off: Held back: {why.reason}]")
        st.button(
            "The verdict it rests on",
            type="tertiary",
            key="held_because",
            on_click=go,
            args=(why.event_ids[0],),
        )


def toolbar() -> str:
    """Draw the window buttons and return what dragging on the chart does: ``zoom`` or ``bounds``."""
    wanted = address.window()
    st.session_state["window_choice"] = None if isinstance(wanted, tuple) else wanted
    with st.container(horizontal=True, vertical_alignment="center"):
        st.segmented_control(
            "Window",
            list(WINDOWS),
            format_func=WINDOWS.__getitem__,
            key="window_choice",
            label_visibility="collapsed",
            on_change=lambda: address.write_window(st.session_state["window_choice"]),
        )
        st.button(
            "Reset",
            type="tertiary",
            shortcut="0",
            key="window_reset",
            on_click=address.write_window,
            args=(None,),
        )
        drag = st.segmented_control(
            "Dragging on the chart",
            ["zoom", "bounds"],
            format_func={"zoom": "Drag zooms", "bounds": "Drag sets bounds"}.__getitem__,
            default="zoom",
            required=True,
            key="drag",
            label_visibility="collapsed",
        )
    return drag or "zoom"


def drawn(event: EventRow, drag: str) -> None:
    """Take a range that was drawn on the chart as the window or as the bounds."""
    boxes = st.session_state[f"stack_{drag}"]["selection"]["box"]
    if not boxes:
        return
    zone = viewer.zone()
    low, high = sorted(str(x)[:19] for x in boxes[0]["x"])
    start, end = (zone.from_wall(datetime.fromisoformat(text)) for text in (low, high))
    if drag == "bounds":
        verdict_card.move_bounds(event, start, end, zone)
    else:
        address.write_window((start.astimezone(UTC), end.astimezone(UTC)))


def judge(made: Stamp, listed: list[EventRow], event: EventRow) -> None:
    """Draw the verdict card and the verdicts on this sensor."""
    with st.container(border=True):
        stored = event.verdict
        last = st.session_state.get("last_saved")
        undo_id = stored.label_id if stored else last[0] if last else None
        verdict_card.verdict_card(
            event,
            viewer.zone(),
            save=partial(save, event, next_after(listed, event)),
            undo=None if undo_id is None else partial(undo, undo_id),
            undo_label="Undo" if stored else "Undo last",
            refusal=refusal("labeller"),
        )
        said()
    with st.container(border=True):
        verdict_card.history(story.verdicts(made, event.sensor_id), viewer.zone())
        places.to_training(event.sensor_id, may_not=refusal("trainer"))


def next_after(listed: list[EventRow], event: EventRow) -> str:
    """Return the id of the next event without a verdict, from the open one on and then from the top."""
    place = next((n for n, one in enumerate(listed) if one.event_id == event.event_id), 0)
    later = [*listed[place + 1 :], *listed[:place]]
    return next((one.event_id for one in later if one.verdict is None), event.event_id)


def save(event: EventRow, following: str) -> None:
    """Store the verdict of the card, then open the next event."""
    draft = verdict_card.draft(event, viewer.zone())

    def store() -> None:
        if draft.problem or draft.verdict is None:
            raise screen.ActionFailed(draft.problem)
        label_id = screen.give_verdict(
            sensor_id=event.sensor_id,
            start=draft.start,
            end=draft.end,
            verdict=draft.verdict,
            fault_class=draft.fault_class,
            note=draft.note,
            event_id=event.event_id,
            version_id=event.version_id,
        )
        st.session_state["last_saved"] = (label_id, event.event_id)
        verdict_card.forget(event.event_id)
        keep_in_place(event.event_id)
        go(following)

    words = VERDICT_WORDS.get(draft.verdict or "", "")
    tell(f"Saved: {words.lower()}, {event.title}.", store)


def undo(label_id: int) -> None:
    """Take a verdict back."""

    def take_back() -> None:
        screen.take_back(label_id)
        st.session_state.pop("last_saved", None)
        opened = st.session_state.get("opened")
        if opened:
            verdict_card.forget(opened)

    tell("Taken back.", take_back)


def go(event_id: str) -> None:
    """Open an event: the address names it."""
    st.session_state["opened"] = event_id
    address.write("event", event_id)


with problem.shown():
    page()
