"""What became of the data: ingests, refused rows, snapshots, and what was made from them."""

import csv
import io
import re
from collections import Counter
from dataclasses import replace
from itertools import zip_longest
from typing import Final

import streamlit as st

from app.queries import house
from app.queries.data_views import (
    Compared,
    IngestRow,
    MadeFrom,
    RefusedRow,
    SensorChange,
    SnapshotRow,
)
from app.queries.failure import answered
from app.queries.fleet import version_words
from app.queries.house import Stamp
from core.workflows.export import safe_cell
from warehouse import snapshot_facts
from warehouse.comparing import compare_readings
from warehouse.state.snapshot_pins import PERSON

MOST_INGESTS: Final = 1000
MOST_REFUSED: Final = 20_000
_MOST_STATES: Final = 5000
MOST_SNAPSHOTS: Final = 200

_QUOTED: Final = re.compile(r"'[^']*'")
_BRACKETS: Final = re.compile(r"\s*\([^()]*\d[^()]*\)")
_NUMBER: Final = re.compile(r"(?<![\w-])\d+(?![\w-])")


@answered
def ingests(made: Stamp) -> tuple[IngestRow, ...]:
    """Return the newest ingests first; those of a feed that follow each other are one row."""
    del made
    rows: list[IngestRow] = []
    for one in house.warehouse().batches(MOST_INGESTS):
        row = IngestRow(
            one.id,
            one.source,
            one.origin,
            one.actor,
            one.at,
            one.snapshot_id,
            one.added,
            one.replaced,
            one.unchanged,
            one.duplicates,
            one.refused,
        )
        if rows and _same_feed(rows[-1], row):
            rows[-1] = _joined(rows[-1], row)
        else:
            rows.append(row)
    return tuple(rows)


def _same_feed(newer: IngestRow, older: IngestRow) -> bool:
    quiet = not (newer.origin or older.origin or newer.refused or older.refused)
    return quiet and (newer.source, newer.actor) == (older.source, older.actor)


def _joined(newer: IngestRow, older: IngestRow) -> IngestRow:
    return replace(
        newer,
        added=newer.added + older.added,
        replaced=newer.replaced + older.replaced,
        unchanged=newer.unchanged + older.unchanged,
        duplicates=newer.duplicates + older.duplicates,
        count=newer.count + older.count,
    )


@answered
def refused(made: Stamp, batch_id: int | None) -> tuple[RefusedRow, ...]:
    """Return the rows that were refused by one ingest or by any, newest first."""
    actors = {one.batch_id: (one.actor, one.title) for one in ingests(made)}
    return tuple(
        RefusedRow(
            file=one.refusal.file,
            line=one.refusal.row,
            reason=one.refusal.reason,
            kind=kind_of(one.refusal.reason),
            content=one.refusal.content,
            at=one.at,
            batch_id=one.batch_id,
            actor=actors.get(one.batch_id, ("", ""))[0],
        )
        for one in house.warehouse().quarantine.list(MOST_REFUSED, batch_id=batch_id)
    )


def kind_of(reason: str) -> str:
    """Return a reason without what is special to its row, so that like rows count together."""
    return _NUMBER.sub("…", _BRACKETS.sub("", _QUOTED.sub("…", reason)))


def kinds(rows: tuple[RefusedRow, ...]) -> dict[str, int]:
    """Return how many rows were refused for each kind of reason, the most frequent first."""
    return dict(Counter(one.kind for one in rows).most_common())


def as_csv(rows: tuple[RefusedRow, ...]) -> bytes:
    """Return refused rows as CSV whose cells no spreadsheet takes for formulas."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["file", "line", "reason", "content", "refused_utc", "ingest", "by"])
    for one in rows:
        cells = [
            one.file,
            "" if one.line is None else str(one.line),
            one.reason,
            one.content,
            one.at.isoformat().replace("+00:00", "Z"),
            str(one.batch_id),
            one.actor,
        ]
        writer.writerow([safe_cell(cell) for cell in cells])
    return text.getvalue().encode()


@answered
def snapshots(made: Stamp) -> tuple[SnapshotRow, ...]:
    """Return the states of the data that can still be read, newest first.

    Of states that hold the same readings the first is listed, and every one that is kept.
    """
    return _snapshots(made)


@st.cache_data(show_spinner=False, max_entries=4)
def _snapshots(made: Stamp) -> tuple[SnapshotRow, ...]:
    home = house.opened(made)
    held = snapshot_facts.readings(home.database)
    versions: dict[int, list[int]] = {}
    for version in home.catalog.versions():
        versions.setdefault(version.snapshot_id, []).append(version.id)
    states = home.manifest.snapshots(_MOST_STATES)
    kept = {one.id for one in states if one.pinned}
    # The first state of equal ones is the one that says what was done to the data.
    firsts = [
        one.id
        for one, older in zip_longest(states, states[1:])
        if older is None or one.digest != older.digest
    ]
    listed = kept | set(firsts[:MOST_SNAPSHOTS])
    keepers = home.manifest.holders(sorted(kept))
    return tuple(
        SnapshotRow(
            snapshot_id=one.id,
            digest=one.digest,
            at=one.created_at,
            note=one.note,
            readings=held.get(one.id, 0),
            people=tuple(
                name.removeprefix(PERSON)
                for name in keepers.get(one.id, ())
                if not name.startswith("version ")
            ),
            versions=tuple(versions.get(one.id, ())),
        )
        for one in states
        if one.id in listed
    )


@answered
def made_from(made: Stamp, snapshot_id: int) -> tuple[MadeFrom, ...]:
    """Return the model versions that were made from a snapshot, those in production first."""
    catalog = house.opened(made).catalog
    sensors = {one.id: one for one in catalog.sensors()}
    in_use = set(catalog.champions().values())
    found = [
        MadeFrom(
            version_id=one.id,
            title=f"{sensors[one.sensor_id].asset_name} · {sensors[one.sensor_id].name}, "
            f"{version_words(one)}",
            champion=one.id in in_use,
            trained=one.kind == "trained",
        )
        for one in catalog.versions()
        if one.snapshot_id == snapshot_id
    ]
    return tuple(sorted(found, key=lambda one: (not one.trained, not one.champion, one.version_id)))


@answered
def compared(made: Stamp, older_id: int, newer_id: int) -> Compared:
    """Return what differs between two snapshots, by sensor; only files that differ are read."""
    return _compared(made, older_id, newer_id)


@st.cache_data(show_spinner=False, max_entries=8)
def _compared(made: Stamp, older_id: int, newer_id: int) -> Compared:
    home = house.opened(made)
    files = home.manifest.compare(older_id, newer_id)
    names = {one.id: f"{one.asset_name} · {one.name}" for one in home.catalog.sensors()}
    changes = compare_readings(home.telemetry, older_id, newer_id)
    return Compared(
        files_added=len(files.added),
        files_ended=len(files.ended),
        rows_before=files.rows_before,
        rows_after=files.rows_after,
        sensors=tuple(
            SensorChange(names.get(id_, f"sensor #{id_}"), added, removed, changed)
            for id_, added, removed, changed in changes.select(
                "sensor_id", "added", "removed", "changed"
            ).iter_rows()
            if added or removed or changed
        ),
    )
