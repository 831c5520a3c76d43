"""Past events that look like the opened one, as small charts with what people said of them."""

from collections.abc import Callable, Sequence

import streamlit as st

from app.charts.sparkline import sparkline_svg
from app.charts.zone import Zone, lasting
from app.components.words import counted, escaped
from app.queries.similar import SHOWN, SimilarRow
from app.theme import VERDICT_WORDS, Palette, coloured


def similar_title(rows: Sequence[SimilarRow]) -> None:
    """Draw the title with what people said of them."""
    st.markdown(f"**Similar past events** :gray[· {_summary(rows)}]", width="content")


def similar_events(
    rows: Sequence[SimilarRow], zone: Zone, palette: Palette, go: Callable[[str], None]
) -> None:
    """Draw the cards side by side, the most similar first; room is left for as many as are asked for.

    Parameters
    ----------
    go
        Opens an event by its id.
    """
    if not rows:
        return
    for row, column in zip(rows, st.columns(max(SHOWN, len(rows)), gap="small"), strict=False):
        with column.container(border=True, gap="xsmall"):
            st.markdown(f"{coloured(row.severity)} **{escaped(row.title)}**")
            start, end = row.start.timestamp() * 1000, row.end.timestamp() * 1000
            times = row.signal.times_ms
            window = (float(times[0]), float(times[-1])) if times.size else (start, end)
            st.image(
                sparkline_svg(row.signal, window, (start, end), severity=row.severity, palette=palette),
                width="stretch",
            )
            said = VERDICT_WORDS.get(row.verdict, "no verdict")
            fault = f", {row.fault_class}" if row.fault_class else ""
            st.markdown(f"**{escaped(said + fault)}**" if row.verdict else f":gray[{said}]")
            st.caption(f"{zone.local(row.start):%d %b %H:%M}, {lasting(row.end - row.start)}, {row.alike}")
            st.button(
                "Open", key=f"similar_{row.event_id}", type="tertiary", on_click=go, args=(row.event_id,)
            )


def _summary(rows: Sequence[SimilarRow]) -> str:
    """Return what people said of them, in one line."""
    if not rows:
        return "none is known yet"
    counts = [
        (words, sum(row.verdict == verdict for row in rows)) for verdict, words in VERDICT_WORDS.items()
    ]
    said = [f"{number} {words.lower()}" for words, number in counts if number]
    unsaid = sum(not row.verdict for row in rows)
    if unsaid:
        said.append(f"{counted(unsaid, 'event')} without a verdict")
    return ", ".join(said)
