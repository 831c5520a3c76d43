"""Ingests, refused rows and snapshots as tables, and what is told of the picked one."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import polars as pl
import streamlit as st

from app.charts.zone import Zone
from app.components.words import counted, escaped, grouped
from app.queries.data_views import Compared, DamagedFile, IngestRow, RefusedRow, SnapshotRow

HASH: Final = 10
_ROW_PX: Final = 31
_HEAD_PX: Final = 32
_MOST_NAMED: Final = 4


def damage_notice(files: Sequence[DamagedFile], zone: Zone, *, listed: bool = True) -> None:
    """Say how many files are damaged, what is missing because of it, and what to do; nothing where none is.

    Parameters
    ----------
    listed
        Whether the files can be looked at below.
    """
    if not files:
        return
    live = [one for one in files if one.live]
    lost = sum(one.rows for one in live if one.what == "readings")
    names = list(dict.fromkeys(name for one in files for name in one.sensors))
    shown = ", ".join(escaped(name) for name in names[:_MOST_NAMED])
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    said = f"**{counted(len(files), 'stored file')} {'is' if len(files) == 1 else 'are'} damaged.** "
    said += f"Everything goes on without {'it' if len(files) == 1 else 'them'}: "
    said += f"up to {grouped(lost)} readings are missing" if lost else "no reading is missing"
    said += f" ({shown}{more}). " if shown else ". "
    said += "`telltale repair` rebuilds what can be rebuilt and fetches the rest from a backup."
    (st.error if lost else st.warning)(said, icon=":material/error:" if lost else ":material/warning:")
    if not listed:
        return
    with st.expander("Which files"):
        _table(
            {
                "File": [one.path for one in files],
                "Holds": [one.what for one in files],
                "Rows": [grouped(one.rows) for one in files],
                "From": [zone.stamp(one.start) for one in files],
                "To": [zone.stamp(one.end) for one in files],
                "What is wrong": [one.reason for one in files],
                "Found": [zone.stamp(one.found_at) for one in files],
            },
            {
                "File": 260,
                "Holds": 110,
                "Rows": 80,
                "From": 120,
                "To": 120,
                "What is wrong": 240,
                "Found": 120,
            },
            right=("Rows",),
            alt="Damaged files",
        )


def ingest_table(rows: Sequence[IngestRow], zone: Zone) -> None:
    """List ingests, newest first."""
    _table(
        {
            "When": [zone.stamp(one.at) for one in rows],
            "File": [one.title for one in rows],
            "By": [one.actor for one in rows],
            "New": [grouped(one.added) for one in rows],
            "Replaced": [grouped(one.replaced) for one in rows],
            "Same": [grouped(one.unchanged) for one in rows],
            "Doubled": [grouped(one.duplicates) for one in rows],
            "Refused": [grouped(one.refused) for one in rows],
        },
        {
            "When": 124,
            "File": 236,
            "By": 100,
            "New": 76,
            "Replaced": 70,
            "Same": 76,
            "Doubled": 66,
            "Refused": 66,
        },
        right=("New", "Replaced", "Same", "Doubled", "Refused"),
        most=8,
        alt="Ingests, newest first",
    )


def refused_table(rows: Sequence[RefusedRow], zone: Zone) -> None:
    """List refused rows with where they stood, why they were refused and what they said."""
    _table(
        {
            "File": [one.file for one in rows],
            "Line": ["" if one.line is None else str(one.line) for one in rows],
            "Reason": [one.reason for one in rows],
            "Content": [one.content for one in rows],
            "When": [zone.stamp(one.at) for one in rows],
            "By": [one.actor for one in rows],
        },
        {"File": 150, "Line": 52, "Reason": 410, "Content": 230, "When": 120, "By": 90},
        right=("Line",),
        most=14,
        alt="Refused rows",
    )


def snapshot_table(
    rows: Sequence[SnapshotRow], chosen: int, zone: Zone, choose: Callable[[], None], key: str
) -> None:
    """List snapshots, newest first, with the chosen one marked.

    Parameters
    ----------
    chosen
        Place of the chosen row.
    choose
        Called when another row is chosen.
    """
    selection = {"selection": {"rows": [chosen], "columns": [], "cells": []}}
    stored = st.session_state.get(key)
    if stored is not None and list(stored["selection"]["rows"]) != [chosen]:
        st.session_state[key] = selection
    _table(
        {
            "No.": [str(one.snapshot_id) for one in rows],
            "Hash": [one.digest[:HASH] for one in rows],
            "When": [zone.stamp(one.at) for one in rows],
            "What was done": [one.note for one in rows],
            "Readings": [grouped(one.readings) for one in rows],
            "Kept by": [kept_words(one) for one in rows],
        },
        {"No.": 44, "Hash": 86, "When": 118, "What was done": 162, "Readings": 78, "Kept by": 116},
        right=("No.", "Readings"),
        most=18,
        alt="Snapshots, newest first",
        key=key,
        on_select=choose,
        selection_mode="single-row-required",
        selection_default=selection,
    )


def kept_words(row: SnapshotRow) -> str:
    """Return who keeps a snapshot: people by name, model versions by their number."""
    names = list(row.people)
    if row.versions:
        names.append(counted(len(row.versions), "version"))
    return ", ".join(names)


def snapshot_card(row: SnapshotRow, zone: Zone) -> None:
    """Draw a snapshot with its whole hash, to be copied."""
    st.markdown(f"**Snapshot {row.snapshot_id}** :gray[· {zone.stamp(row.at)}]")
    st.markdown(f"{escaped(row.note)}  \n{grouped(row.readings)} readings")
    st.code(row.digest, language=None, wrap_lines=True)


def comparison(found: Compared, older: int, newer: int) -> None:
    """Draw what differs between two snapshots."""
    if not found.sensors and not found.files_added and not found.files_ended:
        st.markdown(f":gray[:material/check_circle: Snapshots {older} and {newer} hold the same readings.]")
        return
    st.markdown(
        f"From {older} to {newer}: {grouped(found.rows_before)} → {grouped(found.rows_after)} readings, "
        f"{counted(found.files_added, 'file')} new, {counted(found.files_ended, 'file')} replaced."
    )
    if not found.sensors:
        st.caption("The files were written anew; every reading is the same.")
        return
    _table(
        {
            "Machine · sensor": [one.title for one in found.sensors],
            "Added": [grouped(one.added) for one in found.sensors],
            "Removed": [grouped(one.removed) for one in found.sensors],
            "Changed": [grouped(one.changed) for one in found.sensors],
        },
        {"Machine · sensor": 170, "Added": 62, "Removed": 62, "Changed": 62},
        right=("Added", "Removed", "Changed"),
        most=8,
        alt=f"Readings that differ between snapshots {older} and {newer}",
    )


def _table(
    columns: dict[str, list[str]],
    widths: dict[str, int],
    *,
    alt: str,
    right: tuple[str, ...] = (),
    most: int = 10,
    **more: Any,  # noqa: ANN401 -- handed on to st.dataframe
) -> None:
    rows = len(next(iter(columns.values())))
    st.dataframe(
        pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)),
        hide_index=True,
        height=_HEAD_PX + _ROW_PX * min(max(rows, 1), most) + 2,
        row_height=_ROW_PX,
        column_config={
            name: st.column_config.TextColumn(width=width, alignment="right" if name in right else "left")
            for name, width in widths.items()
        },
        alt=alt,
        **more,
    )
