"""One attempt to store scores and events: files written durably, then named by one commit."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal, NamedTuple

import polars as pl

from warehouse import score_rollups
from warehouse.damage import sound
from warehouse.errors import SchemaError
from warehouse.instants import microseconds, moment_of
from warehouse.manifest import File, Manifest, NewFile, Snapshot, Span
from warehouse.parquet import new_stem, scan, write_parquet
from warehouse.schema import SCORES, STORED_EVENTS

ResultKind = Literal["scores", "score_rollups", "events"]

# Appended scores take in live files of their version up to so many times their own rows, so that scoring
# every minute leaves a few files a month and rewrites each row a few times.
_GROWTH: Final = 4
_LARGE: Final = 250_000
_EVER: Final = (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))


class Pair(NamedTuple):
    """A sensor and a model version that judged it."""

    sensor_id: int
    version_id: int


class ResultCommit:
    """One attempt to store results."""

    def __init__(self, root: Path, manifest: Manifest) -> None:
        self._root = root
        self._manifest = manifest
        before = manifest.snapshot()
        self._base = 0 if before is None else before.id
        self._add: list[NewFile] = []
        self._end: list[int] = []
        self._touching: list[Span] = []

    def merge_scores(self, pair: Pair, new: pl.DataFrame) -> None:
        """Put `new` in place of what is stored at its times."""
        low, high = _span(new["ts"])
        self._touching.append(
            Span("scores", low, high, pair.sensor_id, pair.sensor_id, version_id=pair.version_id)
        )
        rows, ended = new.height, []
        frames = []
        live = self._live("scores", pair)
        beside = score_rollups.beside(live, self._live("score_rollups", pair))
        for file in sorted(live, key=lambda one: one.rows):
            overlaps = file.start < high and file.end > low
            if overlaps or file.rows <= min(_GROWTH * rows, _LARGE):
                held = scan(self._root, [file], SCORES).collect()
                frames.append(held)
                ended.append(file.id)
                rows += file.rows
        merged = (
            pl.concat([*frames, new])
            .unique(["sensor_id", "ts"], keep="last", maintain_order=True)
            .sort("sensor_id", "ts")
        )
        if frames and merged.equals(pl.concat(frames).sort("sensor_id", "ts")):
            return
        self._end.extend(ended)
        self._end.extend(beside[one].id for one in ended if one in beside)
        self._add.extend(score_rollups.write(self._root, pair.version_id, merged))

    def replace_events(self, pair: Pair, events: pl.DataFrame) -> None:
        """Put `events` in place of the stored list of `pair`."""
        live = self._live("events", pair)
        if len(live) == 1 and scan(self._root, live, STORED_EVENTS, grown=True).collect().equals(events):
            return
        if not live and events.is_empty():
            return
        self._touching.append(
            Span("events", *_EVER, pair.sensor_id, pair.sensor_id, version_id=pair.version_id)
        )
        self._end.extend(file.id for file in live)
        if events.is_empty():
            return
        span = (_moment(events["start"].min()), _moment(events["end"].max()))
        self._write_events(pair, events, span)

    def done(self, *, at: datetime, note: str) -> Snapshot | None:
        """Commit, if there is anything to commit."""
        if not self._add and not self._end:
            return None
        return self._manifest.commit(
            add=self._add, end=self._end, base=self._base, touching=self._touching, note=note, at=at
        )

    def discard(self) -> None:
        """Remove the files of an attempt that was not committed."""
        for path in self._manifest.unknown([one.path for one in self._add]):
            (self._root / path).unlink(missing_ok=True)

    def _live(self, kind: ResultKind, pair: Pair) -> tuple[File, ...]:
        if self._base == 0:
            return ()
        files = self._manifest.live(
            kind, sensor_ids=[pair.sensor_id], version_id=pair.version_id, snapshot_id=self._base
        )
        return sound(self._root, self._manifest, files)

    def _write_events(self, pair: Pair, frame: pl.DataFrame, span: tuple[datetime, datetime]) -> None:
        folder = self._root / "results" / "events" / f"{pair.version_id:d}"
        written = write_parquet(frame, folder, new_stem())
        self._add.append(
            NewFile(
                kind="events",
                path=written.path.relative_to(self._root).as_posix(),
                sha256=written.sha256,
                size=written.size,
                rows=written.rows,
                start=span[0],
                end=span[1],
                sensor_min=pair.sensor_id,
                sensor_max=pair.sensor_id,
                version_id=pair.version_id,
            )
        )


def _span(ts: pl.Series) -> tuple[datetime, datetime]:
    return _moment(ts.min()), moment_of(microseconds(_moment(ts.max())) + 1)


def _moment(value: object) -> datetime:
    if not isinstance(value, datetime):
        raise SchemaError("results: a time is null")
    return value
