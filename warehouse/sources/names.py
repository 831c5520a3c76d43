"""Which names of assets and sensors are taken."""

from typing import Final

LONGEST: Final = 120


def refuse_asset(name: str) -> str | None:
    """Return why `name` can't name an asset, None where it can."""
    if "/" in name or "\\" in name:
        return f"asset name {shown(name)} contains a slash"
    return _refuse(name, "asset")


def refuse_sensor(name: str) -> str | None:
    """Return why `name` can't name a sensor, None where it can; ``m3/h`` in it is fine, ``../`` is not."""
    if ".." in name.replace("\\", "/").split("/"):
        return f"sensor name {shown(name)} reads like a path"
    return _refuse(name, "sensor")


def shown(text: str, length: int = 60) -> str:
    """Return `text` quoted for a message, cut to `length`, with control characters escaped."""
    return repr(text if len(text) <= length else text[: length - 1] + "…")


def _refuse(name: str, what: str) -> str | None:
    if not name or name != name.strip():
        return f"{what} name {shown(name)} is empty or has blanks around it"
    if len(name) > LONGEST:
        return f"{what} name {shown(name)} has {len(name)} characters, at most {LONGEST} are taken"
    if name in {".", ".."}:
        return f"{what} name {shown(name)} reads like a path"
    if not name.isprintable():
        return f"{what} name {shown(name)} contains characters that can't be shown"
    return None
