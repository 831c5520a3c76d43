"""The alarm load against EEMUA 191: figures with their goals, the load over time, the worst sensors."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

import streamlit as st

from app.charts.alarm_load import actors_chart, load_chart
from app.charts.template import CONFIG
from app.charts.zone import Zone, lasting
from app.components.words import counted, escaped
from app.queries.triage_views import LoadView
from app.theme import Palette, coloured

SPANS: Final = {
    "24 h": timedelta(days=1),
    "7 days": timedelta(days=7),
    "30 days": timedelta(days=30),
}
_SPAN: Final = "load_span"
_WIDTH_PX: Final = 560
_STANDING: Final = 5


def load_panel(load_of: Callable[[timedelta], LoadView | None], palette: Palette, zone: Zone) -> None:
    """Draw the alarm load of a span that a person picks.

    Parameters
    ----------
    load_of
        Returns the load of the span that ends at the newest reading.
    """
    picked = st.segmented_control(
        "Counted over", list(SPANS), default="30 days", required=True, key=_SPAN, width=_WIDTH_PX
    )
    load = load_of(SPANS[picked or "30 days"])
    if load is None:
        st.markdown("Nothing was judged yet, so there is no alarm load.")
        return
    with st.container(width=_WIDTH_PX, gap="xsmall"):
        if load.cut:
            st.caption(f"Detection began {zone.stamp(load.start)}: {lasting(load.end - load.start)} counted.")
        _figures(load, zone)
        st.plotly_chart(
            load_chart(load, palette, zone),
            theme=None,
            config=CONFIG,
            key="load_chart",
            alt=f"Alarms per operator in 10 minutes, {load.average:.2f} on average, {load.worst:g} at worst",
        )
        if load.actors:
            st.markdown(
                f"**Top {len(load.actors)} bad actors** :gray[· {load.actors_share * 100:.0f} % of "
                f"{counted(load.alarms, 'alarm')}; ISA-18.2 asks for at most 5 %]"
            )
            st.plotly_chart(
                actors_chart(load, palette),
                theme=None,
                config=CONFIG,
                key="actors_chart",
                alt="Sensors with most alarms: "
                + ", ".join(f"{actor.title} {actor.alarms}" for actor in load.actors[:3]),
            )
        for event in load.standing[:_STANDING]:
            since = f":gray[Standing since {zone.stamp(event.start)}]"
            st.markdown(f"{since} {coloured(event.severity)} {escaped(event.title)}")
        st.caption(
            f"An event is one alarm, when it begins, on live machines; counted in {load.counts.size:,} "
            f"ten-minute periods of the clock, for {counted(load.operators, 'operator')}. What maintenance "
            "suppresses or verdicts hold back is no alarm. A flood begins above 10 alarms in 10 minutes and "
            "ends below 5. Goals: EEMUA 191 and ISA-18.2."
        )


def _figures(load: LoadView, zone: Zone) -> None:
    floods = counted(len(load.floods), "flood")
    rows = (
        ("Average in 10 min", f"{load.average:.2f}", f"{load.said}; goal at most 1"),
        (
            "Worst 10 min",
            f"{load.worst:g}",
            f"{zone.stamp(load.worst_at)}; at most 10" if load.alarms else "",
        ),
        ("Time in flood", f"{load.flood_share * 100:.1f} %", f"{floods}; below 1 %"),
        ("Standing over 24 h", f"{len(load.standing)}", "fewer than 5"),
    )
    for column, (name, value, goal) in zip(st.columns(len(rows), gap="small"), rows, strict=True):
        column.markdown(f":gray[{name}]  \n**{value}**  \n:gray[:small[{escaped(goal)}]]")
