"""The short form that starts a training: what, how long, and whether later steps count."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import streamlit as st

from app.components.words import counted, escaped
from app.queries.job_views import AdvancedField, PresetRow
from app.theme import MODE_WORDS

USUAL: Final = "standard"
SENSORS: Final = "train_sensors"

_BACKTEST: Final = (
    "What this preset would have done: trained on ever more of the sensor's past, each time judged on what "
    "came next. Registers nothing."
)
_PRESET: Final = "train_preset"
_REFUSED: Final = "train_refused"


@dataclass(frozen=True)
class Asked:
    """What the form asks for.

    Parameters
    ----------
    parameters
        Those that differ from the preset's own.
    backtest
        Whether to try the preset on the past of the only sensor instead, and register nothing.
    """

    sensor_ids: tuple[int, ...]
    preset: str
    mode: str
    parameters: Mapping[str, float]
    backtest: bool = False


def preset_now() -> str:
    """Return the preset that the form shows or will show."""
    return str(st.session_state.get(_PRESET) or USUAL)


def chosen_now(prefilled: Sequence[int]) -> tuple[int, ...]:
    """Return the sensors that the form shows or will show."""
    return tuple(st.session_state.get(SENSORS, prefilled))


def forget() -> None:
    """Let the form be prefilled again."""
    for key in [key for key in st.session_state if str(key).startswith("train_")]:
        del st.session_state[key]


def refuse(field: str = "", why: str = "") -> None:
    """Let the form say at a field why it was refused, for the whole form where the field is empty."""
    st.session_state[_REFUSED] = (field, why)


def train_form(
    targets: Mapping[int, str],
    presets: Sequence[PresetRow],
    fields: Sequence[AdvancedField],
    prefilled: Sequence[int],
) -> Asked | None:
    """Draw the form and return what it asks for when its button was pressed and nothing is wrong.

    Parameters
    ----------
    targets
        The sensors that can be trained: names by id.
    presets
        With how long each takes for the chosen sensors.
    fields
        What the chosen preset lets a person set.
    prefilled
        Sensors that are chosen when the form opens.
    """
    st.session_state.setdefault(SENSORS, [one for one in prefilled if one in targets])
    chosen = st.multiselect(
        "Sensors",
        list(targets),
        format_func=lambda one: targets.get(one, f"sensor {one}"),
        placeholder="Choose one or more",
        key=SENSORS,
        wrap=len(st.session_state[SENSORS]) <= 6,
    )
    missing = st.empty()
    preset, mode = _preset_and_mode(presets)
    parameters, sound = _advanced(fields)
    at, why = st.session_state.get(_REFUSED, ("", ""))
    if why and not any(field.name == at for field in fields):
        st.error(escaped(why), icon=":material/error:")
    takes = next(one.takes for one in presets if one.name == preset)
    with st.container(horizontal=True):
        pressed = st.button(
            f"Train {counted(len(chosen), 'sensor')} · {takes}" if chosen else "Train",
            type="primary",
            key="train_go",
            shortcut="Ctrl+Enter",
        )
        unfit = _unfit(chosen, parameters)
        backtest = st.button("Backtest", key="train_backtest", disabled=bool(unfit), help=unfit or _BACKTEST)
    if not chosen and pressed:
        missing.markdown(_wrong("Choose at least one sensor."))
    if not (pressed or backtest) or not chosen or not sound:
        return None
    return Asked(tuple(chosen), preset, mode, parameters, backtest=backtest)


def _unfit(chosen: Sequence[int], parameters: Mapping[str, float]) -> str:
    """Return why there can be no backtest of this; empty when there can."""
    if len(chosen) != 1:
        return "A backtest is of one sensor"
    return "A backtest takes the preset's own values: empty the fields under Advanced" if parameters else ""


def _preset_and_mode(presets: Sequence[PresetRow]) -> tuple[str, str]:
    known = {one.name: one for one in presets}
    preset = st.radio(
        "Preset",
        list(known),
        index=list(known).index(USUAL),
        # Its options must not change with what is chosen: the browser would send one that is none any more.
        format_func=lambda name: f"**{name.capitalize()}**",
        captions=[f"{one.takes[:1].upper()}{one.takes[1:]}. {one.what}" for one in presets],
        key=_PRESET,
    )
    modes = known[preset].modes
    mode = st.radio(
        "A step is judged",
        list(modes),
        format_func=MODE_WORDS.__getitem__,
        horizontal=True,
        key=f"train_mode_{len(modes)}",
        disabled=len(modes) == 1,
    )
    return preset, mode


def _advanced(fields: Sequence[AdvancedField]) -> tuple[dict[str, float], bool]:
    """Draw what may be set, folded, and return what was and whether all of it is sound."""
    if not fields:
        return {}, True
    found: dict[str, float] = {}
    sound = True
    at, why = st.session_state.get(_REFUSED, ("", ""))
    with st.expander("Advanced", key="train_advanced"):
        st.caption(
            "An empty field is the preset's own value. Thresholds are set on data after the training "
            "part; figures come from the last part."
        )
        for left, right in zip(fields[::2], [*fields[1::2], None], strict=False):
            for column, field in zip(st.columns(2), (left, right), strict=True):
                if field is None:
                    continue
                with column:
                    text = st.text_input(
                        f"{field.title} ({field.unit})" if field.unit else field.title,
                        key=f"train_field_{field.name}",
                        placeholder=f"{field.default:g}",
                        help=field.help,
                        on_change=refuse,
                    )
                    value, wrong = number(field, text or "")
                    if not wrong and field.name == at:
                        wrong = why
                    if wrong:
                        st.markdown(_wrong(wrong))
                        sound = False
                    elif value is not None:
                        found[field.name] = value
    return found, sound


def number(field: AdvancedField, text: str) -> tuple[float | None, str]:
    """Return what was typed for a field, None where it was left empty, and what is wrong with it."""
    typed = text.strip()
    if not typed:
        return None, ""
    within = f"from {field.low:g} to {field.high:g}"
    try:
        value = float(typed.replace(",", "."))
    except ValueError:
        return None, f"Write a number {within}, not {typed!r}."
    if not field.low <= value <= field.high:  # NaN is outside as well
        return None, f"Write a number {within}."
    if field.kind == "integer" and value != round(value):
        return None, f"Write a whole number {within}."
    return int(value) if field.kind == "integer" else value, ""


def _wrong(text: str) -> str:
    return f":red[:material/error: {escaped(text)}]"
