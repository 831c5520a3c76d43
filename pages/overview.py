"""The page that says what needs a person now."""

from functools import partial
from pathlib import Path

import streamlit as st

from app.actions import screen
from app.charts.sparkline import sparkline
from app.charts.template import CONFIG
from app.charts.tiles import day_tiles
from app.charts.zone import epoch_ms
from app.components import (
    attention,
    empty,
    load_panel,
    maintenance,
    places,
    preview,
    problem,
    queue_filter,
    rail,
    saved_views,
    undo,
    viewer,
)
from app.components.data_history import damage_notice
from app.components.header import header
from app.components.latest import latest_table
from app.components.outcome import refusal, said, tell
from app.components.queue import queue_table
from app.components.tiles import fleet_tiles, summary
from app.components.words import counted
from app.queries import alarm_load, data, fleet, house, incidents, latest, story, triage
from app.queries.house import Stamp
from app.queries.triage_views import Concern, Incident, Triage
from app.queries.views import Fleet

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
        with st.container(gap="xsmall"):
            said()
            undo.offered()
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
    triaged = triage.triage(made, whole, house.now())
    left, right = st.columns([2.05, 1], gap="medium")
    with left.container(gap="xsmall"):
        st.markdown(summary(whole, triaged))
        fleet_tiles(whole, triaged, partial(load, made, whole, triaged))
        chosen = queue(made, whole, triaged)
        days(made, rail.picked().machine)
    if chosen is not None:
        with right.container(border=True, gap="small"):
            side(made, chosen)


def load(made: Stamp, whole: Fleet, triaged: Triage) -> None:
    """Draw the alarm load."""
    load_panel.load_panel(
        lambda span: alarm_load.load(made, whole, triaged, span), viewer.palette(), viewer.zone()
    )


def queue(made: Stamp, whole: Fleet, triaged: Triage) -> Incident | None:
    """Draw the queue with its filters and return the chosen row; None when there is none."""
    picked, person, wanted = rail.picked(), house.profile().name, queue_filter.asked()
    inside = {one.event_id for one in fleet.within(whole.events, picked.span, picked.machine)}
    found = [one for one in triaged.concerns if one.event.event_id in inside]
    live = [one for one in found if not one.event.historical]
    past = [one for one in found if one.event.historical]
    # To the left: a table shows its own tools above its right end when the mouse is on it.
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        title = st.container(width="content")
        kind = "Live"
        if past and (live or (whole.live and picked.machine is None)):
            kind = st.segmented_control(
                "Machines",
                ["Live", "Historical"],
                default="Live",
                required=True,
                key="queue_kind",
                bind="query-params",
                label_visibility="collapsed",
            )
        concerns = past if kind == "Historical" or not live else live
        queue_filter.filter_menu(wanted, concerns, person)
        saved_views.views_menu(triage.views(made))
    rows = queue_filter.passing(incidents.grouped(made, concerns), wanted, person)
    running = sum(one.running for one in rows)
    order = "filtered" if wanted.words else "worst first"
    title.markdown(
        f"**Queue** :gray[· {running} open, {len(rows) - running} over · {order}]", width="content"
    )
    elsewhere(whole, triaged, concerns)
    if not rows:
        narrowed = f", {wanted.words}" if wanted.words else ""
        empty.no_events(f"{picked.machine or 'all machines'}, {picked.span_label.lower()}{narrowed}")
        if picked.machine is not None:
            latest_table(picked.machine, latest.latest(made, picked.machine), viewer.zone())
        return None
    return table(made, rows)


def table(made: Stamp, rows: list[Incident]) -> Incident:
    """Draw the rows of the queue and return the chosen one."""
    shown = rows[:LONGEST_QUEUE]
    leads = {one.key: one.lead.event for one in shown}
    palette = viewer.palette()
    images = {
        event_id: sparkline(
            line,
            (epoch_ms(end - fleet.DAY), epoch_ms(end)),
            (epoch_ms(leads[event_id].start), epoch_ms(leads[event_id].end)),
            severity=leads[event_id].severity,
            palette=palette,
        )
        for event_id, (line, end) in fleet.sparklines(made, list(leads.values())).items()
    }
    chosen = queue_table(shown, images, viewer.zone(), palette)
    if len(rows) > len(shown):
        st.caption(f"{len(rows) - len(shown)} milder ones are not listed; Anomalies has them all.")
    return chosen


def elsewhere(whole: Fleet, triaged: Triage, concerns: list[Concern]) -> None:
    """Say in a quiet line what is not in the queue, and lead there."""
    put_off = sum(one.snoozed_until is not None for one in concerns)
    hidden = sum(one.window is not None for one in concerns)
    lasting = maintenance.in_force(triaged.windows, house.now())
    if not (whole.held or put_off or hidden or lasting):
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        if whole.held and st.button(
            f"{counted(len(whole.held), 'event')} held back by verdicts",
            icon=":material/notifications_off:",
            type="tertiary",
            key="held",
        ):
            st.switch_page(ANOMALIES, query_params={"held": "1"})
        if put_off:
            st.button(
                f"{counted(put_off, 'event')} snoozed",
                icon=":material/snooze:",
                type="tertiary",
                key="show_snoozed",
                on_click=partial(queue_filter.show, ["snoozed"]),
            )
        if hidden or lasting:
            machines = counted(len({one.asset_id for one in lasting}), "machine")
            st.button(
                f"{machines} in maintenance, {counted(hidden, 'event')} suppressed",
                icon=":material/build:",
                type="tertiary",
                key="show_suppressed",
                on_click=partial(queue_filter.show, ["suppressed"]),
            )


def side(made: Stamp, incident: Incident) -> None:
    """Draw the chosen incident's preview with its buttons."""
    zone, palette, now = viewer.zone(), viewer.palette(), house.now()
    may_not, may_not_rank = refusal("labeller"), refusal("trainer")
    top, chart = st.container(gap="xsmall"), st.container()
    event = preview.members(incident, zone)
    with top:
        preview.headline(event, incident.lead.criticality)
        with st.container(horizontal=True, gap="xxsmall"):
            if st.button("Investigate", type="primary", shortcut="Enter", key="investigate"):
                open_event(event.event_id)
            attention.buttons(incident, house.profile().name, zone, may_not)
        attention.lengths(incident, now, zone)
    with chart:
        start, end = story.window(made, event, "event")
        preview.preview_chart(event, story.story(made, event, start, end), palette, zone)
    with st.container(horizontal=True, gap="xsmall"):
        attention.more(incident, triage.people(made), may_not, may_not_rank)
        places.to_training(event.sensor_id, may_not=may_not_rank)


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


def build_demo() -> None:
    """Queue the demo fleet."""
    tell("The demo fleet is queued.", screen.build_demo)


overview()
# Outside of the part that draws itself anew: it would close it.
if maintenance.asked():
    maintenance.dialog()
