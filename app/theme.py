"""Colours, shapes and words of the screens: a healthy fleet is grey, colour means abnormal."""

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["light", "dark"]

SHAPES: Final = {"critical": "▲", "high": "◆", "medium": "■", "low": "●"}
# Plotly's and SVG's names of the same four shapes, for charts.
SYMBOLS: Final = {"critical": "triangle-up", "high": "diamond", "medium": "square", "low": "circle"}
# Streamlit's colour names, which .streamlit/config.toml maps to the severity palette.
COLOUR_NAMES: Final = {"critical": "red", "high": "orange", "medium": "yellow", "low": "blue"}
WORST_FIRST: Final = ("critical", "high", "medium", "low")
VERDICT_WORDS: Final = {
    "true_anomaly": "True anomaly",
    "false_positive": "False positive",
    "unsure": "Unsure",
}
MODE_WORDS: Final = {
    "causal": "from the past alone",
    "review": "in review: later steps were seen too",
}
"""How a version judges a step, to stand behind "judges" or "judged"."""


@dataclass(frozen=True)
class Palette:
    """The colours of one theme, as ``#RRGGBB``.

    Parameters
    ----------
    kind
        Which theme.
    background, raised, ink, muted, grid, empty
        Page, raised surfaces and healthy tiles, text and measured lines, secondary text, grid lines, tiles
        without data.
    critical, high, medium, low, normal
        Fills by severity; `normal` is grey.
    critical_text, high_text, medium_text, low_text
        The same on `background`, readable as text.
    """

    kind: Kind
    background: str
    raised: str
    ink: str
    muted: str
    grid: str
    empty: str
    critical: str
    high: str
    medium: str
    low: str
    normal: str
    critical_text: str
    high_text: str
    medium_text: str
    low_text: str

    def fill(self, severity: str) -> str:
        """Return the fill of a severity; grey for none."""
        return {
            "critical": self.critical,
            "high": self.high,
            "medium": self.medium,
            "low": self.low,
        }.get(severity, self.normal)

    def text(self, severity: str) -> str:
        """Return the text colour of a severity; the ink for none."""
        return {
            "critical": self.critical_text,
            "high": self.high_text,
            "medium": self.medium_text,
            "low": self.low_text,
        }.get(severity, self.ink)

    def tint(self, severity: str) -> str:
        """Return the shade that marks a detected interval behind a line, as ``rgba()``."""
        return translucent(self.fill(severity), 0.24 if severity == "medium" or self.kind == "dark" else 0.14)

    def on_fill(self, severity: str) -> str:
        """Return the colour of a mark on top of a severity's fill."""
        if self.kind == "dark" or severity == "medium":
            return "#14181D"
        return "#FFFFFF"


LIGHT: Final = Palette(
    kind="light",
    background="#FFFFFF",
    raised="#DFE3E7",
    ink="#26323F",
    muted="#5B6470",
    grid="#E9ECEF",
    empty="#F7F8F9",
    critical="#8E0F2B",
    high="#C4500F",
    medium="#F2C200",
    low="#1F4FA3",
    normal="#6B7280",
    critical_text="#8E0F2B",
    high_text="#A6430B",
    medium_text="#735900",
    low_text="#1F4FA3",
)
DARK: Final = Palette(
    kind="dark",
    background="#14181D",
    raised="#2B323A",
    ink="#E3E7EB",
    muted="#A3A9B3",
    grid="#262C33",
    empty="#191E24",
    critical="#E8415A",
    high="#F59637",
    medium="#FFF27A",
    low="#5FB9FF",
    normal="#8B919C",
    critical_text="#F2687C",
    high_text="#F59637",
    medium_text="#FFF27A",
    low_text="#5FB9FF",
)


def palette(kind: str | None) -> Palette:
    """Return the palette of a theme; light when the browser has not said which."""
    return DARK if kind == "dark" else LIGHT


def translucent(colour: str, alpha: float) -> str:
    """Return ``#RRGGBB`` with an opacity in [0, 1] as ``rgba()``."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:g})"


def rank(severity: str) -> int:
    """Return the place of a severity, worst first; an unknown one is last."""
    return WORST_FIRST.index(severity) if severity in WORST_FIRST else len(WORST_FIRST)


def shaped(severity: str) -> str:
    """Return a severity as shape and word, for places that can't be coloured."""
    return f"{SHAPES.get(severity, '○')} {severity.capitalize()}"


def coloured(severity: str, *, word: bool = True) -> str:
    """Return a severity as Streamlit markdown: colour, shape and, unless told otherwise, its word."""
    name = COLOUR_NAMES.get(severity, "gray")
    return f":{name}[{shaped(severity) if word else SHAPES.get(severity, '○')}]"


def badge(severity: str, text: str | None = None) -> str:
    """Return a severity as a markdown badge with its shape and word, or with `text` in place of the word."""
    name = COLOUR_NAMES.get(severity, "gray")
    return f":{name}-badge[{SHAPES.get(severity, '○')} {text or severity.capitalize()}]"
