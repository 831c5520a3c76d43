"""Repair of damaged files: what would be done, and doing it on behalf of a person."""

from collections.abc import Sequence
from pathlib import Path

from app.actions.writers import Writer
from app.clock import now
from app.roles import Profile, require
from warehouse.documents import JSON
from warehouse.home import Warehouse
from warehouse.jobs import Job
from warehouse.remedies import Remedy, decide
from warehouse.repair import Repaired, apply

_MAY = "admin"


def plan_repair(profile: Profile, warehouse: Warehouse, *, backup: Path | None) -> tuple[Remedy, ...]:
    """Return what a repair would do with every damaged file; nothing is changed.

    Raises
    ------
    NotAllowed
        The profile is no admin.
    HomeError
        `backup` is no folder.
    """
    require(profile, _MAY, "repair stored files")
    return decide(warehouse, backup=backup)


def carry_out(profile: Profile, warehouse: Warehouse, remedy: Remedy) -> Repaired:
    """Do one remedy and return what became of the file; it is entered in the repairs for good.

    Raises
    ------
    NotAllowed
        The profile is no admin.
    HomeError
        A file can't be written.
    ManifestConflict
        Other writes came between every time.
    """
    require(profile, _MAY, "repair stored files")
    return apply(warehouse, remedy, at=now(), actor=profile.name)


def judge_again(profile: Profile, warehouse: Warehouse, repaired: Sequence[Repaired]) -> Job | None:
    """Queue a scoring of what repairs changed, None if they changed nothing for any target."""
    since = [one.judge_since for one in repaired if one.judge_since is not None]
    touched = {id_ for one in repaired if one.judge_since is not None for id_ in one.sensors}
    targets: list[JSON] = [one.id for one in warehouse.catalog.sensors(role="target") if one.id in touched]
    if not since or not targets:
        return None
    payload: dict[str, JSON] = {"sensor_ids": targets, "since": min(since).isoformat()}
    return warehouse.jobs.add("score", payload, actor=profile.name, at=now())


def publish_labels_again(profile: Profile, *, writer: Writer) -> None:
    """Let the owner of the state publish the labels anew, where they were found damaged.

    Raises
    ------
    NotAllowed
        The profile is no admin.
    StateUnavailable
        The owner did not answer in time.
    """
    require(profile, _MAY, "repair stored files")
    nothing: list[JSON] = []
    writer("fleet.refresh", {"sensor_ids": nothing}, actor=profile.name)
