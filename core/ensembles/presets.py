"""Named presets of the LSTM: how much time a training may take."""

from collections.abc import Mapping
from typing import Final

from core.detectors.telemanom import TelemanomParameters

PRESETS: Final[Mapping[str, TelemanomParameters]] = {
    "quick": TelemanomParameters(epochs=10, patience=3, coverage=8.0, least_crops=96, most_crops=384),
    "standard": TelemanomParameters(),
    "thorough": TelemanomParameters(epochs=80, patience=12, coverage=40.0, most_crops=2048),
}
