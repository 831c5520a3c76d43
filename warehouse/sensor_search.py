"""Finding the sensor a person means."""

import difflib
import re
from collections.abc import Sequence
from typing import Final

from warehouse.assets import Sensor
from warehouse.errors import CatalogError

_IGNORED: Final = re.compile(r"[\s\-_–]+")
_ID: Final = re.compile(r"^#?(\d{1,9})$")
_SHOWN: Final = 5


def find_sensor(text: str, sensors: Sequence[Sensor]) -> Sensor:
    """Return the one sensor that `text` names.

    Parameters
    ----------
    text
        ``"Pump 7/outlet temperature"``; the name of an asset with exactly one target (``"P-1"``); an id,
        ``"12"`` or ``"#12"``. Case, spaces, dashes and underscores don't matter.
    sensors
        All sensors of the catalogue.

    Raises
    ------
    CatalogError
        None or several match; the message lists what is close.
    """
    text = text.strip()
    if number := _ID.match(text):
        for sensor in sensors:
            if sensor.id == int(number[1]):
                return sensor
    for fold in (str, _folded):
        wanted = fold(text)
        found = [sensor for sensor in sensors if fold(sensor.key) == wanted]
        asset = [sensor for sensor in sensors if fold(sensor.asset_name) == wanted]
        targets = found or [sensor for sensor in asset if sensor.role == "target"]
        if len(targets) == 1:
            return targets[0]
        if targets or asset:
            named = ", ".join(sensor.key for sensor in (targets or asset)[:_SHOWN])
            count = len(targets)
            raise CatalogError(f"{text!r} has {count} target sensors; name one, such as {named}")
    raise CatalogError(_unknown(text, sensors))


def _folded(name: str) -> str:
    return _IGNORED.sub("", name).casefold()


def _unknown(text: str, sensors: Sequence[Sensor]) -> str:
    if not sensors:
        return f"there is no sensor {text!r}: nothing was ingested yet"
    targets = [sensor for sensor in sensors if sensor.role == "target"]
    names = {_folded(sensor.key): sensor.key for sensor in targets}
    names.update({_folded(sensor.asset_name): sensor.asset_name for sensor in targets})
    close = difflib.get_close_matches(_folded(text), names, n=_SHOWN, cutoff=0.5)
    if not close:
        return f"there is no sensor {text!r}; `telltale status` lists them"
    return f"there is no sensor {text!r}; close: {', '.join(names[name] for name in close)}"
