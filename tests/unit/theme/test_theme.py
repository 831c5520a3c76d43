"""Severity is always colour, shape and word, and the colours are those of the configuration."""

import tomllib
from pathlib import Path

import pytest

from app.theme import (
    COLOUR_NAMES,
    DARK,
    LIGHT,
    SHAPES,
    WORST_FIRST,
    Palette,
    badge,
    coloured,
    palette,
    rank,
    shaped,
)

CONFIG = tomllib.loads((Path(__file__).parents[3] / ".streamlit" / "config.toml").read_text(encoding="utf-8"))


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("known", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("severity", WORST_FIRST)
def test_widgets_and_charts_share_one_colour_a_severity(known: Palette, severity: str):
    section = CONFIG["theme"][known.kind]
    assert section[f"{COLOUR_NAMES[severity]}Color"] == known.fill(severity)
    assert section["backgroundColor"] == known.background


@pytest.mark.parametrize("known", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("severity", WORST_FIRST)
def test_severities_are_readable_as_text_and_as_marks(known: Palette, severity: str):
    assert _contrast(known.text(severity), known.background) >= 4.5
    assert _contrast(known.on_fill(severity), known.fill(severity)) >= 3.0


@pytest.mark.parametrize("severity", WORST_FIRST)
def test_a_severity_never_is_a_colour_alone(severity: str):
    for text in (shaped(severity), coloured(severity), badge(severity)):
        assert SHAPES[severity] in text
        assert severity.capitalize() in text
    assert len(set(SHAPES.values())) == len(WORST_FIRST)


def test_worst_comes_first_and_the_unknown_last():
    assert sorted(["low", "odd", "critical", "medium", "high"], key=rank) == [*WORST_FIRST, "odd"]


def test_a_browser_that_has_not_said_gets_the_light_palette():
    assert palette(None) is LIGHT
    assert palette("dark") is DARK


def test_the_configuration_is_safe():
    assert CONFIG["browser"]["gatherUsageStats"] is False
    assert CONFIG["server"]["address"] == "127.0.0.1"
    assert CONFIG["server"]["enableXsrfProtection"] is True
    assert CONFIG["server"]["enableCORS"] is True
    assert CONFIG["server"]["maxUploadSize"] == 50
    assert CONFIG["client"]["showErrorDetails"] == "none"
    assert CONFIG["server"]["fileWatcherType"] == "none"
    assert CONFIG["runner"]["magicEnabled"] is False
