"""What a verdict would change, in words beside the card."""

from typing import Final

import streamlit as st

from app.components.words import counted
from app.queries import verdict_effect
from app.queries.house import Stamp
from app.queries.verdict_effect import Effect
from app.queries.views import EventRow

_UNSURE: Final = "**Unsure**: changes nothing; unsure teaches neither way."
_UNDESCRIBED: Final = "Nothing else: this event is stored without its looks until its sensor is scored."


def what_it_changes(made: Stamp, event: EventRow, verdict: str | None) -> None:
    """Draw what the chosen verdict would change; before one is chosen, what True and False would."""
    asked = ["true_anomaly", "false_positive"] if verdict is None else [verdict]
    found = verdict_effect.effects(made, event, asked)
    said = [sentence(effect, one) for effect, one in zip(found, asked, strict=True)]
    st.markdown("**What it would change**")
    st.caption("  \n".join(dict.fromkeys(said)))


def sentence(effect: Effect, verdict: str) -> str:
    """Return in one sentence what a verdict would change on its sensor."""
    if verdict == "unsure":
        return _UNSURE
    if not effect.described:
        return _UNDESCRIBED
    when = "at once" if effect.applied else "once verdicts are applied"
    if effect.disputed:
        name = "True" if verdict == "true_anomaly" else "False"
        freed = f" {counted(effect.shown, 'held event')} shows again {when}." if effect.shown else ""
        return f"**{name}**: people would disagree, and what is disputed teaches nothing.{freed}"
    if verdict == "false_positive":
        found = (
            f"**False**: holds back {counted(effect.held, 'other event')} of this sensor {when}."
            if effect.held
            else "**False**: no other event of this sensor is like it; its like is held back from now on."
        )
        if effect.shown:
            found += f" {counted(effect.shown, 'held event')} shows again."
        if effect.wrong < effect.least:
            found += f" {effect.wrong} of {effect.least} until the threshold here rises."
        return found
    if not effect.shown:
        return "**True**: no event of this sensor changes; what is like it will never be held back."
    verb = "is" if effect.shown == 1 else "are"
    return f"**True**: {counted(effect.shown, 'held event')} of this sensor {verb} shown again {when}."
