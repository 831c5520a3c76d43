"""Who may do what: viewer < labeller < trainer < admin, checked by every action."""

from dataclasses import dataclass
from typing import Final

ORDER: Final = ("viewer", "labeller", "trainer", "admin")


class NotAllowed(Exception):
    """The profile's role does not reach what was asked."""


@dataclass(frozen=True)
class Profile:
    """The person behind a write.

    Parameters
    ----------
    name
        Stored with every write.
    role
        One of `ORDER`.
    """

    name: str
    role: str


def require(profile: Profile, role: str, act: str) -> None:
    """Let `act` pass if the profile's role is at least `role`.

    Raises
    ------
    NotAllowed
        It is not; the message says who may.
    """
    if ORDER.index(profile.role) < ORDER.index(role):
        raise NotAllowed(f"{profile.name} has the role {profile.role} and may not {act}: that takes {role}")
