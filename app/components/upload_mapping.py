"""What the columns of an uploaded table mean: the guesses filled in, to be confirmed or corrected."""

import re
from typing import Any, Final

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.components import viewer
from app.components.words import counted, escaped
from app.queries import upload
from app.queries.upload_views import FirstLook

_ROW_PX: Final = 28
_HEAD_PX: Final = 32
_DELIMITERS: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_FORMATS: Final = {
    "": "ISO 8601",
    "epoch_s": "Seconds since 1970",
    "epoch_ms": "Milliseconds since 1970",
    "epoch_us": "Microseconds since 1970",
}
_LAYOUTS: Final = {"wide": "A column a sensor", "long": "A row a reading"}
_ONE: Final = ""
_STATE: Final = re.compile(r"state|status|mode|running|zustand|betrieb", re.IGNORECASE)
_UNIT: Final = re.compile(r"[\[(]\s*([^\[\]()]{1,16})\s*[\])]\s*$")


def first_rows(look: FirstLook, name: str, size: int) -> None:
    """Draw the first rows as they stand in the file."""
    how = (
        "Parquet"
        if look.kind == "parquet"
        else f"CSV, split at {_DELIMITERS.get(look.delimiter, look.delimiter)}"
    )
    st.markdown(
        f"**{escaped(name)}** :gray[· {how}, {counted(len(look.columns), 'column')}, {_bytes(size)}; "
        "its first rows]"
    )
    names = [column.name for column in look.columns]
    st.dataframe(
        pd.DataFrame([list(row) for row in look.rows], columns=names),
        hide_index=True,
        row_height=_ROW_PX,
        height=_HEAD_PX + _ROW_PX * min(len(look.rows), 5) + 2,
        alt=f"First rows of {name}",
    )


class Fields:
    """The mapping as the fields say it, and what is missing in it, told at its field.

    Parameters
    ----------
    turn
        Part of every field's key, so that another file starts anew.
    tried
        Whether the person asked for the check: before that, an empty field is no fault yet.
    """

    def __init__(self, turn: str, *, tried: bool) -> None:
        self.turn = turn
        self.tried = tried
        self.mapping: dict[str, Any] = {}
        self.missing: list[str] = []

    def key(self, name: str) -> str:
        """Return the key of a field."""
        return f"upload_{name}_{self.turn}"

    def miss(self, place: DeltaGenerator, words: str) -> None:
        """Note that a field can't stay as it is, and say so below it."""
        self.missing.append(words)
        if self.tried:
            place.markdown(f":red[:material/error: {escaped(words)}]")


def form(look: FirstLook, turn: str, found: tuple[tuple[str, str], ...], *, tried: bool) -> Fields:
    """Draw the fields and return what they say.

    Parameters
    ----------
    found
        Machine and sensor of each sensor of a long table, once a check has listed them.
    """
    fields = Fields(turn, tried=tried)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        layout = st.segmented_control(
            "Layout",
            list(_LAYOUTS),
            default=look.layout,
            required=True,
            format_func=_LAYOUTS.__getitem__,
            key=fields.key("layout"),
        )
        if look.kind == "csv":
            fields.mapping["delimiter"] = look.delimiter
            fields.mapping["decimal"] = st.segmented_control(
                "Decimals",
                [".", ","],
                default=look.decimal,
                required=True,
                format_func={".": "1.5", ",": "1,5"}.__getitem__,
                key=fields.key("decimal"),
            )
        machine = st.session_state.get(fields.key("machine")) or ""
        on = upload.goes_on(machine)
        live = st.toggle(
            "Goes on sending",
            value=on,
            # A machine that is stored keeps what it is unless a person says otherwise.
            key=fields.key(f"live_{machine if on else ''}"),
            help="Off: the machine's data has ended, and nothing of it is said to be late or silent.",
        )
    fields.mapping["layout"] = layout
    fields.mapping["historical"] = not live
    _time(look, fields)
    if layout == "wide":
        _machine(fields, st.container())
        _wide_sensors(look, fields)
    else:
        _long_columns(look, fields)
        _long_sensors(fields, found)
    return fields


def _time(look: FirstLook, fields: Fields) -> None:
    names = [column.name for column in look.columns]
    column, written, zone = st.columns([1, 1.1, 1.4], gap="small")
    time = column.selectbox(
        "Time column",
        names,
        index=names.index(look.time) if look.time in names else None,
        placeholder="Choose",
        key=fields.key("time"),
    )
    if time is None:
        fields.miss(column, "Choose the column that holds the times.")
    fields.mapping["time"] = time
    own = [one for one in (*look.time_formats, look.time_format) if one and one not in _FORMATS]
    if look.time_formats:
        options, index = list(dict.fromkeys((*own, *_FORMATS))), None
    else:
        options = list(dict.fromkeys((*_FORMATS, *own)))
        index = options.index(look.time_format or "")
    how = written.selectbox(
        "How times are written",
        options,
        index=index,
        format_func=lambda one: _FORMATS.get(one, one),
        placeholder="Day or month first?",
        accept_new_options=True,
        key=fields.key("format"),
        help="ISO 8601, such as 2026-03-29 01:30:00; an epoch; or a pattern such as %d.%m.%Y %H:%M",
    )
    if how is None:
        fields.miss(written, "Day and month could be either way round: choose.")
    elif how:
        fields.mapping["time_format"] = how
    epoch = bool(how and how.startswith("epoch"))
    offset = not look.needs_zone and time == look.time
    own_zone = "UTC by definition" if epoch else "Each has its own offset"
    fields.mapping["zone"] = zone.selectbox(
        "Zone of the times",
        upload.zones(viewer.zone().name),
        index=None,
        placeholder=own_zone if epoch or offset else "Choose: no guess is made",
        disabled=epoch or offset,
        key=fields.key("zone"),
        help="Local times are stored in UTC. Times that the clocks showed twice, or never, are refused.",
    )
    if fields.mapping["zone"] is None and not (epoch or offset):
        fields.miss(zone, "Choose the zone in which these clocks ran.")


def _machine(fields: Fields, place: DeltaGenerator) -> None:
    name = place.selectbox(
        "Machine",
        upload.machines(),
        index=None,
        placeholder="Choose one, or type a new name",
        accept_new_options=True,
        key=fields.key("machine"),
    )
    fields.mapping["asset"] = name
    if not name:
        fields.miss(place, "Name the machine that these readings belong to.")


def _long_columns(look: FirstLook, fields: Fields) -> None:
    names = [column.name for column in look.columns]
    sensor, value, asset = st.columns(3, gap="small")
    for place, field, label, guess in (
        (sensor, "sensor_column", "Sensor column", look.sensor_column),
        (value, "value_column", "Value column", look.value_column),
    ):
        fields.mapping[field] = place.selectbox(
            label,
            names,
            index=names.index(guess) if guess in names else None,
            placeholder="Choose",
            key=fields.key(field),
        )
        if fields.mapping[field] is None:
            fields.miss(place, "Choose a column.")
    options = [_ONE, *names]
    column = asset.selectbox(
        "Machine column",
        options,
        index=options.index(look.asset_column) if look.asset_column in options else 0,
        format_func=lambda one: one or "None: one machine",
        key=fields.key("asset_column"),
    )
    if column:
        fields.mapping["asset_column"] = column
    else:
        _machine(fields, st.container())


def _wide_sensors(look: FirstLook, fields: Fields) -> None:
    time, machine = fields.mapping["time"], fields.mapping["asset"]
    columns = [column for column in look.columns if column.name != time]
    known = upload.stored_units(machine or "")
    frame = pd.DataFrame(
        {
            "Store": [column.looks == "number" for column in columns],
            "Column": [column.name for column in columns],
            "Unit": [_unit(column.name, known) for column in columns],
            "Role": [_role(column.name, known) for column in columns],
            "Some values": [", ".join(column.sample[:3]) for column in columns],
        }
    )
    key = fields.key(f"sensors_{time}_{machine if known else ''}")
    rows = [row for row in _editor(frame, key, ["Column", "Some values"]).to_dict("records") if row["Store"]]
    fields.mapping["columns"] = [row["Column"] for row in rows]
    fields.mapping["units"] = {row["Column"]: str(row["Unit"]).strip() for row in rows if row["Unit"]}
    fields.mapping["roles"] = {row["Column"]: row["Role"] for row in rows if row["Role"]}
    if not rows:
        fields.miss(st.container(), "Tick at least one column to store.")


def _long_sensors(fields: Fields, found: tuple[tuple[str, str], ...]) -> None:
    if not found:
        st.caption("Check lists the sensors of the table; their units and roles are set then.")
        return
    known = {machine: upload.stored_units(machine) for machine, _ in found}
    frame = pd.DataFrame(
        {
            "Machine": [machine for machine, _ in found],
            "Sensor": [name for _, name in found],
            "Unit": [_unit(name, known[machine]) for machine, name in found],
            "Role": [_role(name, known[machine]) for machine, name in found],
        }
    )
    edited = _editor(frame, fields.key(f"long_{hash(found)}"), ["Machine", "Sensor"])
    rows = {f"{row['Machine']}/{row['Sensor']}": row for row in edited.to_dict("records")}
    fields.mapping["units"] = {key: str(row["Unit"]).strip() for key, row in rows.items() if row["Unit"]}
    fields.mapping["roles"] = {key: row["Role"] for key, row in rows.items() if row["Role"]}


def _editor(frame: pd.DataFrame, key: str, fixed: list[str]) -> pd.DataFrame:
    config = st.column_config
    return st.data_editor(
        frame,
        key=key,
        hide_index=True,
        disabled=fixed,
        row_height=_ROW_PX,
        height=_HEAD_PX + _ROW_PX * min(max(len(frame), 1), 8) + 2,
        column_config={
            "Store": config.CheckboxColumn(width=64),
            "Column": config.TextColumn(width=170),
            "Machine": config.TextColumn(width=130),
            "Sensor": config.TextColumn(width=170),
            "Unit": config.TextColumn(width=74, max_chars=24),
            "Role": config.SelectboxColumn(
                width=86,
                options=list(upload.ROLES),
                required=True,
                help="target: judged. context: explains a target. state: how the machine is run",
            ),
            "Some values": config.TextColumn(width=156),
        },
        alt="Sensors with unit and role",
    )


def _unit(name: str, known: dict[str, tuple[str, str]]) -> str:
    """Return the stored unit, else the one in brackets at the end of a column's name."""
    if name in known:
        return known[name][0]
    found = _UNIT.search(name)
    return found[1].strip() if found else ""


def _role(name: str, known: dict[str, tuple[str, str]]) -> str:
    """Return the stored role, else a guess: what is called a state tells how the machine is run."""
    if name in known:
        return known[name][1]
    return "state" if _STATE.fullmatch(name.strip()) else "target"


def _bytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(size / 1e3, 0.1):.1f} kB"
