"""What is stored of the picked sensor, with its limits and its unit to be edited in place."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final

import streamlit as st

from app.charts.zone import Zone, lasting
from app.components.data_tree import every_words, missing_words, span_words
from app.components.words import counted, escaped, grouped, short
from app.queries.data_views import Edit, Gap, MachineData, SensorData, SensorFacts

NAMES: Final = ("low_low", "low", "high", "high_high")
_LABELS: Final = {"low_low": "Low-low", "low": "Low", "high": "High", "high_high": "High-high"}
_ROLES: Final = {"target": "Judged", "context": "Context, not judged", "state": "Operating state"}
_STATUS: Final = {
    "ok": "Reporting",
    "open events": "Open events",
    "silent": "Silent",
    "historical": "Historical",
}
_SHOWN_EDITS: Final = 6


def machine_card(machine: MachineData, zone: Zone) -> None:
    """Draw what is stored of a machine."""
    st.markdown(f"**{escaped(machine.name)}**")
    ended = "historical: its data has ended" if machine.historical else "live: it goes on sending"
    facts = [
        ("Kind", machine.kind or "machine"),
        ("Source", machine.source),
        ("Data", ended),
        ("Sensors", str(len(machine.sensors))),
        ("Readings", grouped(machine.rows)),
    ]
    if machine.first is not None and machine.last is not None:
        facts += [("First", zone.stamp(machine.first)), ("Last", zone.stamp(machine.last))]
        facts.append(("One bar", counted(machine.cell_days, "day")))
    pairs(facts)


def sensor_card(sensor: SensorData, facts: SensorFacts, zone: Zone) -> None:
    """Draw the figures of a sensor."""
    st.markdown(f"**{escaped(sensor.title)}**")
    chips = [_ROLES[sensor.role], *([_STATUS[sensor.status]] if sensor.status else [])]
    if sensor.damaged:
        chips.append(counted(sensor.damaged, "damaged file"))
    st.markdown(" ".join(f":gray-badge[{escaped(chip)}]" for chip in chips))
    if sensor.first is None or sensor.last is None:
        st.caption("No readings yet.")
        return
    unit = f" {sensor.unit}" if sensor.unit else ""
    rows = [
        ("Readings", f"{grouped(sensor.rows)}, every {every_words(sensor)}"),
        ("First", zone.stamp(sensor.first)),
        ("Last", f"{zone.stamp(sensor.last)}, after {span_words(sensor.first, sensor.last)}"),
        ("Missing", f"{missing_words(sensor.missing)} of what was expected" if sensor.missing else "none"),
    ]
    if facts.low is not None and facts.high is not None and facts.mean is not None:
        rows.append(("Range", f"{short(facts.low)} to {short(facts.high)}{unit}"))
        rows.append(("Mean", f"{short(facts.mean)}{unit}"))
    pairs(rows)
    if facts.gaps:
        lines = [f"{lasting(gap.length)} :gray[from] {_between(gap, zone)}" for gap in facts.gaps]
        st.markdown("  \n".join([":gray[Longest gaps]", *lines]))
    else:
        st.caption(f"No gap above {lasting(timedelta(seconds=facts.gaps_above_s))}.")


def _between(gap: Gap, zone: Zone) -> str:
    """Return start and end of a gap, the date once where one is enough."""
    start, end = zone.local(gap.start), zone.local(gap.end)
    same = start.date() == end.date()
    return (
        f"{zone.stamp(gap.start)} :gray[to] {end:%H:%M}"
        if same
        else (f"{zone.stamp(gap.start)} :gray[to] {zone.stamp(gap.end)}")
    )


def edit_form(
    sensor: SensorData,
    limits: Mapping[str, float | None],
    *,
    save: Callable[[], None],
    problems: Mapping[str, str],
    refusal: str,
) -> None:
    """Draw the fields of limits and unit; what is at fault stands at its field.

    Parameters
    ----------
    problems
        Why the fields can't be stored as they are, by field.
    save
        Called when the button is pressed.
    refusal
        Why this person may not; empty when they may.
    """
    prepare(sensor, limits)
    off = bool(refusal)
    st.markdown(f"**Limits and unit** :gray[· {'in ' + escaped(sensor.unit) if sensor.unit else 'no unit'}]")
    for pair in (("low_low", "low"), ("high", "high_high")):
        for column, name in zip(st.columns(2, gap="small"), pair, strict=True):
            with column:
                st.number_input(
                    _LABELS[name],
                    value=None,
                    key=key(sensor.sensor_id, name),
                    placeholder="none",
                    format="%.6g",
                    step=None,
                    disabled=off,
                )
                if name in problems:
                    st.markdown(f":red[:material/error: {escaped(_LABELS[name])} {escaped(problems[name])}.]")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            "Unit",
            key=key(sensor.sensor_id, "unit"),
            max_chars=24,
            disabled=off,
            help="Only the name of the unit: no value changes. The source states "
            f"{escaped(sensor.stated_unit) or 'no unit'}.",
        )
        st.button("Save", key="data_save", type="primary", on_click=save, disabled=off)
    if refusal:
        st.caption(escaped(refusal))


def history(edits: Sequence[Edit], zone: Zone, *, undo: Callable[[Edit], None], refusal: str) -> None:
    """List who edited what, newest first; the newest of each kind can be undone."""
    st.markdown("**Edits**")
    if not edits:
        st.caption("None yet.")
    for edit in edits[:_SHOWN_EDITS]:
        said, back = st.columns([3.4, 1], gap="small", vertical_alignment="top")
        what = escaped(edit.what[:1].upper() + edit.what[1:])
        said.markdown(f"{what}  \n:gray[{escaped(edit.actor)}, {zone.stamp(edit.at)}]")
        if edit.newest:
            back.button(
                "Undo",
                type="tertiary",
                key=f"undo_{edit.seq}",
                on_click=undo,
                args=(edit,),
                disabled=bool(refusal),
            )
    if len(edits) > _SHOWN_EDITS:
        st.caption(f"and {len(edits) - _SHOWN_EDITS} older ones in the audit")


def prepare(sensor: SensorData, limits: Mapping[str, float | None]) -> None:
    """Preset the fields of a sensor, once."""
    for name in NAMES:
        st.session_state.setdefault(key(sensor.sensor_id, name), limits[name])
    st.session_state.setdefault(key(sensor.sensor_id, "unit"), sensor.unit)


def forget(sensor_id: int) -> None:
    """Let the fields of a sensor be preset again."""
    for name in (*NAMES, "unit"):
        st.session_state.pop(key(sensor_id, name), None)


def typed(sensor_id: int) -> tuple[dict[str, float | None], str]:
    """Return the limits and the unit that the fields say now."""
    limits = {name: st.session_state.get(key(sensor_id, name)) for name in NAMES}
    return limits, (st.session_state.get(key(sensor_id, "unit")) or "").strip()


def key(sensor_id: int, name: str) -> str:
    """Return the key of a field."""
    return f"data_{name}_{sensor_id}"


def pairs(facts: Sequence[tuple[str, str]]) -> None:
    """Draw facts as lines of name and value, values aligned; a value must fit its line."""
    names, values = st.columns([1, 3.2], gap="small")
    names.markdown("  \n".join(f":gray[{escaped(name)}]" for name, _ in facts))
    values.markdown("  \n".join(escaped(value) for _, value in facts))
