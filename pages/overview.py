"""The page that says what needs a person now."""

from pathlib import Path

import streamlit as st

from app.actions import screen
from app.charts.sparkline import sparkline
from app.charts.template import CONFIG
from app.charts.tiles import day_tiles
from app.charts.zone import epoch_ms
from app.components import empty, places, preview, problem, rail, viewer
from app.components.data_history import damage_notice
from app.components.header import header
from app.components.latest import latest_table
from app.components.outcome import refusal, said, tell
from app.components.queue import queue_table
from app.components.tiles import fleet_tiles, summary
from app.components.words import counted
from app.queries import data, fleet, house, latest, story
from app.queries.house import Stamp
from app.queries.views import EventRow, Fleet

ANOMALIES = Path(__file__).with_name("anomalies.py")
EVERY = "15s"
LONGEST_QUEUE = 50
MOST_MACHINES = 24


@st.fragment(run_every=EVERY, key="overview")
def overview() -> None:
    """Draw the page; it draws itself again every few seconds."""
    with problem.shown():
        made = house.stamp()
        whole = fleet.fleet(made)
        header("Overview: what needs me now?", whole, house.now(), house.profile())
        said()
        if rail.outdated(len(whole.machines)):
            st.rerun(scope="app")
        if whole.machines:
            empty.demo_progress()
            notice = st.container()
            monitor(made, whole)
            with notice:
                # Drawn after the charts: their reads are what notices damage.
                damage_notice(data.damaged(made), viewer.zone(), listed=False)
        else:
            empty.no_machines(build_demo)


def monitor(made: Stamp, whole: Fleet) -> None:
    """Draw sentence, tiles, queue, preview and days."""
    open_now = whole.open_events
    left, right = st.columns([2.05, 1], gap="medium")
    with left.container(gap="xsmall"):
        st.markdown(summary(whole, open_now))
        if whole.held and st.button(
            f"{counted(len(whole.held), 'event')} held back by verdicts",
            icon=":material/notifications_off:",
            type="tertiary",
            key="held",
        ):
            st.switch_page(ANOMALIES, query_params={"held": "1"})
        fleet_tiles(whole, open_now)
        chosen = queue(made, whole)
        days(made, rail.picked().machine)
    if chosen is not None:
        with right.container(border=True):
            side(made, chosen, open_now)


def queue(made: Stamp, whole: Fleet) -> EventRow | None:
    """Draw the queue and return the chosen event; None when there is none."""
    picked = rail.picked()
    found = fleet.within(whole.events, picked.span, picked.machine)
    found = tuple(sorted(found, key=dismissed))  # stable: worst first among equals
    live = [event for event in found if not event.historical]
    past = [event for event in found if event.historical]
    title, side_by_side = st.columns([3, 1], vertical_alignment="bottom")
    shown = live or past
    if past and (live or (whole.live and picked.machine is None)):
        kind = side_by_side.segmented_control(
            "Machines",
            ["Live", "Historical"],
            default="Live",
            required=True,
            key="queue_kind",
            label_visibility="collapsed",
        )
        shown = past if kind == "Historical" else live
    running = sum(event.open for event in shown)
    title.markdown(
        f"**Queue** :gray[· {running} open, {len(shown) - running} over · {picked.span_label.lower()}, "
        "worst first]"
    )
    if not shown:
        empty.no_events(f"{picked.machine or 'all machines'}, {picked.span_label.lower()}")
        if picked.machine is not None:
            latest_table(picked.machine, latest.latest(made, picked.machine), viewer.zone())
        return None
    rows = shown[:LONGEST_QUEUE]
    known = {row.event_id: row for row in rows}
    palette = viewer.palette()
    images = {
        event_id: sparkline(
            line,
            (epoch_ms(end - fleet.DAY), epoch_ms(end)),
            (epoch_ms(known[event_id].start), epoch_ms(known[event_id].end)),
            severity=known[event_id].severity,
            palette=palette,
        )
        for event_id, (line, end) in fleet.sparklines(made, rows).items()
    }
    chosen = queue_table(rows, images, viewer.zone(), palette)
    if len(shown) > len(rows):
        st.caption(f"{len(shown) - len(rows)} milder ones are not listed; Anomalies has them all.")
    return chosen


def dismissed(event: EventRow) -> bool:
    """Return whether a person called an event a false positive: such rows sink to the end."""
    return event.verdict is not None and event.verdict.verdict == "false_positive"


def side(made: Stamp, event: EventRow, open_now: tuple[EventRow, ...]) -> None:
    """Draw the chosen event's preview with its buttons."""
    zone, palette = viewer.zone(), viewer.palette()
    preview.headline(event)
    start, end = story.window(made, event, "event")
    preview.preview_chart(event, story.story(made, event, start, end), palette, zone)
    preview.also_here(event, open_now, zone)
    with st.container(horizontal=True):
        if st.button("Investigate", type="primary", shortcut="Enter", key="investigate"):
            open_event(event.event_id)
        if event.acknowledged_by is None and event.verdict is None:
            may_not = refusal("labeller")
            st.button(
                "Acknowledge",
                shortcut="A",
                key="acknowledge",
                on_click=acknowledge,
                args=(event.event_id, event.title),
                disabled=bool(may_not),
                help=may_not or None,
            )
        places.to_training(event.sensor_id, may_not=refusal("trainer"))


def days(made: Stamp, machine: str | None) -> None:
    """Draw machines × days; a click opens the worst event of that day."""
    tiles = fleet.day_tiles(made, machine)
    if not tiles:
        return
    machines = list(dict.fromkeys(tile.machine for tile in tiles))[:MOST_MACHINES]
    shown = [tile for tile in tiles if tile.machine in machines]
    st.markdown(
        "**Machines, last 14 days** :gray[· worst event of each UTC day; grey is healthy, blank is no data; "
        "click a day to open it]"
    )
    state = st.plotly_chart(
        day_tiles(shown, viewer.palette()),
        theme=None,
        config=CONFIG,
        key="days",
        on_select="rerun",
        selection_mode="points",
        alt=f"Worst event of each of the last 14 days of {counted(len(machines), 'machine')}",
    )
    points = state["selection"]["point_indices"]
    if points and points[0] < len(shown):
        tile = shown[points[0]]
        if tile.event_id is not None:
            open_event(tile.event_id, window="day")
        st.caption(f"{tile.machine}, {tile.day:%a} {tile.day.day} {tile.day:%b}: no events.")


def open_event(event_id: str, window: str | None = None) -> None:
    """Go to Anomalies with an event open."""
    address = {"event": event_id, **({"window": window} if window else {})}
    st.switch_page(ANOMALIES, query_params=address)


def acknowledge(event_id: str, title: str) -> None:
    """Store that this person took note of an event."""
    tell(f"Acknowledged: {title}.", lambda: screen.acknowledge(event_id))


def build_demo() -> None:
    """Queue the demo fleet."""
    tell("The demo fleet is queued.", screen.build_demo)


overview()
