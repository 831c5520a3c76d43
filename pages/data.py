"""The page that says what is stored and whether it can be trusted."""

from functools import partial

import streamlit as st

from app.actions import screen
from app.components import (
    data_quarantine,
    data_snapshots,
    data_tree,
    problem,
    rail,
    sensor_data,
    upload,
    viewer,
)
from app.components.data_history import damage_notice
from app.components.header import header
from app.components.outcome import refusal, said, tell
from app.components.words import counted, large
from app.queries import data, data_sensor, fleet, house
from app.queries.data_views import Edit, MachineData, SensorData
from app.queries.house import Stamp

SECTIONS = ("Sensors", "Upload", "Quarantine", "Snapshots")


def page() -> None:
    """Draw the page."""
    made = house.stamp()
    header("Data: what do we have, and can it be trusted?", fleet.fleet(made), house.now(), house.profile())
    machines = data.machines(made)
    damage_notice(data.damaged(made), viewer.zone())
    section = st.segmented_control(
        "Section",
        SECTIONS,
        default="Sensors" if machines else "Upload",
        required=True,
        key="section",
        bind="query-params",
        label_visibility="collapsed",
    )
    said()
    if section == "Upload" or (section == "Sensors" and not machines):
        upload.section(empty=not machines)
    elif section == "Quarantine":
        data_quarantine.section(made)
    elif section == "Snapshots":
        data_snapshots.section(made)
    else:
        sensors(made, machines)


def sensors(made: Stamp, machines: tuple[MachineData, ...]) -> None:
    """Draw the tree and what is told of the picked row."""
    left, right = st.columns([2.35, 1], gap="medium")
    with left:
        shown = found(machines)
        count = sum(len(machine.sensors) for machine in shown)
        readings = large(sum(sensor.rows for machine in shown for sensor in machine.sensors))
        st.markdown(
            f"**Machines and sensors** :gray[· {counted(len(shown), 'machine')}, {counted(count, 'sensor')}, "
            f"{readings} readings · times in {viewer.zone().label}]"
        )
        if not shown:
            st.caption("Nothing matches; clear the search or pick another machine on the left.")
            return
        picked = data_tree.data_tree(shown, house.now(), viewer.zone(), viewer.palette())
    with right.container(border=True):
        if isinstance(picked, SensorData):
            examine(made, picked)
        else:
            sensor_data.machine_card(picked, viewer.zone())


def found(machines: tuple[MachineData, ...]) -> list[MachineData]:
    """Draw the filters and return the machines with the sensors that pass them."""
    with st.container(horizontal=True, vertical_alignment="center"):
        words = st.text_input(
            "Find",
            key="find",
            bind="query-params",
            placeholder="Find a machine or sensor",
            icon=":material/search:",
            label_visibility="collapsed",
            width=280,
        )
        wanted = st.pills(
            "Show",
            ["With gaps", "Silent", "Damaged", "Unit changed"],
            selection_mode="multi",
            key="show",
            bind="query-params",
            label_visibility="collapsed",
        )
    only = rail.picked().machine
    kept = []
    for machine in machines:
        if only not in {None, machine.name}:
            continue
        passing = tuple(
            sensor
            for sensor in machine.sensors
            if (words or "").casefold() in sensor.title.casefold()
            and ("With gaps" not in wanted or (sensor.missing or 0.0) >= 0.001)
            and ("Silent" not in wanted or sensor.status == "silent")
            and ("Damaged" not in wanted or sensor.damaged)
            and ("Unit changed" not in wanted or sensor.unit != sensor.stated_unit)
        )
        if passing:
            kept.append(data_tree.narrowed(machine, passing))
    return kept


def examine(made: Stamp, sensor: SensorData) -> None:
    """Draw the picked sensor: figures, limits and unit, edits."""
    zone = viewer.zone()
    facts = data_sensor.facts(made, sensor)
    sensor_data.sensor_card(sensor, facts, zone)
    may_not = refusal("trainer")
    limits, _ = sensor_data.typed(sensor.sensor_id)
    sensor_data.edit_form(
        sensor,
        facts.limits,
        save=partial(save, sensor, dict(facts.limits)),
        problems=data_sensor.limit_problems(limits),
        refusal=may_not,
    )
    sensor_data.history(
        data_sensor.edits(made, sensor.sensor_id), zone, undo=partial(undo, sensor), refusal=may_not
    )


def save(sensor: SensorData, before: dict[str, float | None]) -> None:
    """Store what the fields say, where it differs."""
    limits, unit = sensor_data.typed(sensor.sensor_id)

    def store() -> None:
        if limits != before:
            screen.set_limits(sensor.sensor_id, limits)
        if unit != sensor.unit:
            screen.set_unit(sensor.sensor_id, None if unit == sensor.stated_unit else unit)
        sensor_data.forget(sensor.sensor_id)

    changed = [
        name for name, differs in (("limits", limits != before), ("unit", unit != sensor.unit)) if differs
    ]
    if changed and not data_sensor.limit_problems(limits):
        tell(f"Saved: {' and '.join(changed)} of {sensor.title}.", store)


def undo(sensor: SensorData, edit: Edit) -> None:
    """Store what was in force before an edit; the history keeps both."""

    def store() -> None:
        if edit.kind == "limits.set":
            screen.set_limits(sensor.sensor_id, edit.former_limits)
        else:
            screen.set_unit(sensor.sensor_id, edit.former_unit)
        sensor_data.forget(sensor.sensor_id)

    tell(f"Undone: {edit.what}.", store)


with problem.shown():
    page()
