"""The page that asks what happened and whether it is real."""

from datetime import UTC, datetime
from functools import partial

import streamlit as st

from app.charts.stack import event_stack
from app.charts.template import picture_config
from app.components import (
    address,
    empty,
    judging,
    keys,
    learning_dialog,
    preview,
    problem,
    rail,
    similar_events,
    viewer,
)
from app.components.driven_by import driven_by
from app.components.event_list import event_list, filters
from app.components.header import header
from app.components.neighbours import neighbour_buttons
from app.components.raw_table import csv_button, raw_table, table_button
from app.components.sharing import copier, copy_link
from app.components.storing import go
from app.components.words import counted, percent
from app.queries import fleet, house, learning, similar, story
from app.queries.house import Stamp
from app.queries.neighbours import neighbours
from app.queries.together import together
from app.queries.views import Band, EventRow, Fleet

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
    judging.prepare(made, opened)
    with middle:
        window = examine(made, whole, opened)
    with right:
        judging.judge(made, listed, opened, together(made, opened))
    alike = similar.similar(made, opened)
    with st.container(horizontal=True, vertical_alignment="center"):
        similar_events.similar_title(alike)
        st.space("stretch")
        with_table = table_button()
        csv_button(made, opened, *window)
        copy_link()
    similar_events.similar_events(alike, viewer.zone(), viewer.palette(), go)
    if with_table:
        raw_table(made, opened, *window, viewer.zone())
    copier()
    with left:
        event_list(listed, opened, viewer.zone(), go)
        running = sum(event.open and not event.historical for event in whole.events)
        st.caption(f"{counted(running, 'event')} open, {len(whole.events) - running} over")
        keys.keys_button(opened.event_id)


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


def examine(made: Stamp, whole: Fleet, event: EventRow) -> tuple[datetime, datetime]:
    """Draw title, facts and the stack of charts of an event; return the window that they show."""
    zone, palette = viewer.zone(), viewer.palette()
    with st.container(gap="xsmall"):
        preview.headline(event)
        st.markdown(preview.chips(event) + by_verdicts(made, event))
        driven_by(event)
        why_held(made, event)
    drag = judging.dragging(event, toolbar())
    wanted = address.window()
    start, end = wanted if isinstance(wanted, tuple) else story.window(made, event, wanted)
    shown = story.story(made, event, start, end)
    beside = neighbours(whole, event, start, end)
    figure = event_stack(
        shown,
        Band(event.start, event.end, ""),
        event.severity,
        palette,
        zone,
        bounds=judging.bounds(event, drag, (start, end)),
        movable=drag != "zoom",
        others=beside.within,
    )
    st.plotly_chart(
        figure,
        theme=None,
        config=picture_config(f"telltale-{event.event_id}"),
        key=f"stack_{drag}",
        on_select=partial(drawn, event, drag),
        selection_mode="box",
        alt=f"{event.title}: signal, score and {counted(len(shown.context), 'other channel')}",
    )
    st.caption(
        f"Times in {zone.label}. Drawn from {shown.resolution}; every smallest and largest value is kept. "
        f"Event {beside.place} of {beside.count} on this sensor."
        if shown.signal.measured.times_ms.size
        else "No reading of this sensor lies in this window; Reset shows the event."
    )
    with st.container(horizontal=True, vertical_alignment="top"):
        neighbour_buttons(beside, zone, go)
    return start, end


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
    if drag != "zoom":
        judging.move(event, drag, start, end)
    else:
        address.write_window((start.astimezone(UTC), end.astimezone(UTC)))


with problem.shown():
    page()
