"""What model versions found: scores and events, as files of the manifest that are never changed."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import polars as pl

from warehouse import score_windows
from warehouse.catalog import Catalog
from warehouse.damage import conflict_of, sound
from warehouse.errors import IntegrityError, SchemaError
from warehouse.instants import microseconds, moment_of
from warehouse.layout import Layout
from warehouse.manifest import File, Manifest, Snapshot
from warehouse.parquet import scan
from warehouse.result_commit import Pair, ResultCommit
from warehouse.schema import EVENTS, LOOKS, SCORES, SEVERITIES, STORED_EVENTS, conform
from warehouse.selecting import chosen
from warehouse.turns import in_turn


class Results:
    """The scores and events of one home; safe to use from any thread and process.

    Parameters
    ----------
    root
        The home.
    manifest
        Names the files.
    catalog
        Knows which version is in production.
    """

    def __init__(self, root: Path, manifest: Manifest, catalog: Catalog) -> None:
        self._root = root
        self._manifest = manifest
        self._catalog = catalog

    def put(
        self,
        *,
        scores: pl.DataFrame | None = None,
        events: Mapping[tuple[int, int], pl.DataFrame] | None = None,
        at: datetime,
        note: str = "results",
    ) -> Snapshot | None:
        """Store scores and lists of events, of any number of sensors and versions, in one commit.

        Parameters
        ----------
        scores
            Rows of the SCORES schema; a row replaces a stored one of its sensor, version and time.
        events
            By (sensor id, version id) the whole list of that pair, which replaces the stored list.

        Returns
        -------
        Snapshot or None
            The new state; None when nothing had to change.

        Raises
        ------
        SchemaError
            A frame lacks a column or holds rows of another pair.
        ManifestConflict
            Other writes came between every time; nothing was stored.
        """
        parts = _by_pair(scores)
        lists = {Pair(*pair): _event_list(Pair(*pair), frame) for pair, frame in (events or {}).items()}
        return in_turn(Layout(self._root).turn_lock, lambda: self._attempt(parts, lists, at=at, note=note))

    def _attempt(
        self,
        scores: Mapping[Pair, pl.DataFrame],
        events: Mapping[Pair, pl.DataFrame],
        *,
        at: datetime,
        note: str,
    ) -> Snapshot | None:
        commit = ResultCommit(self._root, self._manifest)
        try:
            for pair, frame in scores.items():
                commit.merge_scores(pair, frame)
            for pair, frame in events.items():
                commit.replace_events(pair, frame)
            return commit.done(at=at, note=note)
        except IntegrityError as error:
            commit.discard()
            raise conflict_of(self._manifest, error) from error
        except BaseException:
            commit.discard()
            raise

    def write_scores(self, scores: pl.DataFrame, *, at: datetime) -> Snapshot | None:
        """Store scores; a row replaces a stored one of its sensor, version and time.

        Raises
        ------
        SchemaError
            A column is missing or a key is null.
        """
        return self.put(scores=scores, at=at, note="scores")

    def put_events(
        self, sensor_id: int, version_id: int, events: pl.DataFrame, *, at: datetime
    ) -> Snapshot | None:
        """Store the whole list of events that a version finds on a sensor, in place of the stored list.

        Raises
        ------
        SchemaError
            A column is missing, or a row is of another sensor or version.
        """
        return self.put(events={(sensor_id, version_id): events}, at=at, note="events")

    def read_scores(
        self,
        sensor_id: int,
        version_id: int,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> pl.DataFrame:
        """Return the scores of a version on a sensor in ``[start, end)``, by time.

        Raises
        ------
        IntegrityError
            A file is missing or is not what was written.
        """
        files = self._manifest.live(
            "scores", start=start, end=end, sensor_ids=[sensor_id], version_id=version_id
        )
        rows = scan(self._root, sound(self._root, self._manifest, files), SCORES).filter(
            chosen([sensor_id], start, end)
        )
        return rows.sort("ts").collect()

    def window(
        self, sensor_id: int, version_id: int, start: datetime, end: datetime, max_points: int
    ) -> pl.DataFrame:
        """Return the scores of a version on a sensor in ``[start, end)``, by time, in at most so many rows.

        Returns
        -------
        pl.DataFrame
            ts, then for each of score, expected and threshold its min, max and mean in the row's bucket:
            score_min, score_max, score, and so on. Where scores are few enough each row is one of them, with
            all three the value. The highest and lowest score of the window are always among them; what is
            NaN or missing is NULL.

        Raises
        ------
        IntegrityError
            A file is missing or is not what was written.
        """
        return score_windows.window(
            self._root, self._manifest, sensor_id, version_id, start=start, end=end, max_points=max_points
        )

    def scored_until(self, sensor_id: int, version_id: int) -> datetime | None:
        """Return the time of the newest score of a version on a sensor, None if it has none."""
        files = self._manifest.live("scores", sensor_ids=[sensor_id], version_id=version_id)
        # A file of scores ends one microsecond after its last row.
        return max((moment_of(microseconds(one.end) - 1) for one in files), default=None)

    def read_events(self, sensor_id: int | None = None, version_id: int | None = None) -> pl.DataFrame:
        """Return the stored events of a sensor and of a version, or of all, by start.

        Returns
        -------
        pl.DataFrame
            With the columns of `schema.STORED_EVENTS`.

        Raises
        ------
        IntegrityError
            A file is missing or is not what was written.
        """
        files = self._manifest.live(
            "events", sensor_ids=None if sensor_id is None else [sensor_id], version_id=version_id
        )
        return self._events(files)

    def events_current(self, sensor_ids: Sequence[int] | None = None, *, looks: bool = False) -> pl.DataFrame:
        """Return the events that the versions watching each sensor found, by start.

        An event that several of them found, known by its id, is returned once: as the version in production
        has it, unless another calls it more severe or, equally severe, longer.

        Parameters
        ----------
        sensor_ids
            Sensors to return; None for all.
        looks
            Whether to return what each event looks like too: the columns of `schema.STORED_EVENTS` instead
            of those of `schema.EVENTS`.

        Raises
        ------
        IntegrityError
            A file is missing or is not what was written.
        """
        watchers = self._catalog.watchers()
        files = self._manifest.live("events", sensor_ids=sensor_ids)
        wanted = None if sensor_ids is None else set(sensor_ids)
        events = self._events(
            one
            for one in files
            if one.version_id in watchers.get(one.sensor_min, ())
            and (wanted is None or one.sensor_min in wanted)
        )
        production = [version for version, *_ in watchers.values()]
        rank = pl.col("severity").replace_strict({name: n for n, name in enumerate(SEVERITIES)}, default=-1)
        length = pl.col("end") - pl.col("start")
        by = (rank, length, pl.col("version_id").is_in(production))
        return (
            events.sort(*by, descending=True, maintain_order=True)
            .unique("event_id", keep="first", maintain_order=True)
            .sort("start", "sensor_id", "event_id")
            .select((STORED_EVENTS if looks else EVENTS).names())
        )

    def _events(self, files: Iterable[File]) -> pl.DataFrame:
        good = sound(self._root, self._manifest, tuple(files))
        found = scan(self._root, good, STORED_EVENTS, grown=True)
        return found.sort("start", "sensor_id", "event_id").collect()


def _by_pair(scores: pl.DataFrame | None) -> dict[Pair, pl.DataFrame]:
    if scores is None:
        return {}
    frame = conform(scores, SCORES, "scores")
    if frame.select(pl.any_horizontal(pl.col("sensor_id", "version_id", "ts").is_null().any())).item():
        raise SchemaError("scores: a sensor, version or time is null")
    parts = frame.partition_by("sensor_id", "version_id", as_dict=True)
    return {Pair(int(sensor), int(version)): part for (sensor, version), part in parts.items()}


def _event_list(pair: Pair, events: pl.DataFrame) -> pl.DataFrame:
    lacking = [pl.lit(None, kind).alias(name) for name, kind in LOOKS.items() if name not in events.columns]
    frame = conform(events.with_columns(lacking), STORED_EVENTS, "events")
    of_pair = (pl.col("sensor_id") == pair.sensor_id) & (pl.col("version_id") == pair.version_id)
    if not frame.select(of_pair.fill_null(value=False).all()).item():
        raise SchemaError(f"events: rows of another than sensor {pair.sensor_id}, version {pair.version_id}")
    if not frame.select((pl.col("start") < pl.col("end")).fill_null(value=False).all()).item():
        raise SchemaError(f"events of sensor {pair.sensor_id}: an event ends before it starts")
    if frame["event_id"].null_count() or frame["event_id"].n_unique() != frame.height:
        raise SchemaError(f"events of sensor {pair.sensor_id}: an event id is missing or doubled")
    return frame.sort("start", "event_id")
