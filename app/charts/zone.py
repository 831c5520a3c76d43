"""The zone in which a viewer reads times; storage knows UTC alone."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


@dataclass(frozen=True)
class Zone:
    """A viewer's zone.

    Parameters
    ----------
    name
        IANA name, such as ``Europe/Oslo``.
    """

    name: str = "UTC"

    @classmethod
    def of(cls, name: str | None) -> "Zone":
        """Return the zone a browser reports; UTC when it reports none or one nobody knows."""
        if not name:
            return cls()
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            return cls()
        return cls(name)

    @property
    def is_utc(self) -> bool:
        """Whether times read the same as in UTC."""
        return self.name in {"UTC", "Etc/UTC", "GMT", "Etc/GMT"}

    @property
    def label(self) -> str:
        """The words that say in which zone times are shown."""
        return "UTC" if self.is_utc else self.name.replace("_", " ")

    def local(self, moment: datetime) -> datetime:
        """Return an aware moment in this zone."""
        return moment.astimezone(ZoneInfo(self.name))

    def from_wall(self, naive: datetime) -> datetime:
        """Return the UTC moment of a wall-clock time; a time that a change of clocks skips moves on by it."""
        return naive.replace(tzinfo=ZoneInfo(self.name)).astimezone(UTC)

    def clock(self, moment: datetime) -> str:
        """Return hours and minutes, such as ``05:08``."""
        return f"{self.local(moment):%H:%M}"

    def since(self, moment: datetime, as_of: datetime) -> str:
        """Return a start in as few words as the distance allows: ``05:08 today``, ``14 Nov 22:40``."""
        here, there = self.local(moment), self.local(as_of)
        if here.date() == there.date():
            return f"{here:%H:%M} today"
        if here.date() == (there - timedelta(days=1)).date():
            return f"{here:%H:%M} yesterday"
        year = "" if here.year == there.year else f" {here.year}"
        return f"{here.day} {here:%b}{year} {here:%H:%M}"

    def day_or_clock(self, moment: datetime, as_of: datetime) -> str:
        """Return hours and minutes of the same day, else the date: ``05:08``, ``14 Nov``, ``3 Aug 2025``."""
        here, there = self.local(moment), self.local(as_of)
        if here.date() == there.date():
            return f"{here:%H:%M}"
        return f"{here.day} {here:%b}" if here.year == there.year else f"{here.day} {here:%b %Y}"

    def stamp(self, moment: datetime) -> str:
        """Return a full date and time, such as ``20 Nov 2026 05:08``."""
        here = self.local(moment)
        return f"{here.day} {here:%b %Y %H:%M}"


def epoch_ms(moment: datetime) -> float:
    """Return an aware moment as milliseconds since 1970 in UTC."""
    return moment.timestamp() * 1000.0


def lasting(length: timedelta) -> str:
    """Return a duration as people say it: ``9 h 24 min``, ``6 d 2 h``."""
    minutes = round(length.total_seconds() / 60)
    if minutes < 1:
        return f"{max(round(length.total_seconds()), 0)} s"
    days, rest = divmod(minutes, 1440)
    hours, minutes = divmod(rest, 60)
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min"
