"""Repair of damaged files: brought back, computed again, or given up with the loss written down."""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from warehouse import damage, score_rollups
from warehouse.batches import Batch
from warehouse.copies import from_merged, put_back
from warehouse.errors import IntegrityError, ManifestConflict
from warehouse.manifest import File, Kind, NewFile, Snapshot, Span
from warehouse.merged_files import MergedFiles
from warehouse.origins import ingests_of
from warehouse.parquet import new_stem, write_parquet
from warehouse.recomputing import Days, Rerolled, discard, put_extents, recount, reroll
from warehouse.remedies import Outcome, Remedy, decide, judged_since
from warehouse.schema import READINGS
from warehouse.turns import in_turn

if TYPE_CHECKING:
    from warehouse.home import Warehouse

_EVER: Final = (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))
_KEY: Final = ["sensor_id", "ts"]


@dataclass(frozen=True)
class Repaired:
    """What became of a damaged file.

    Parameters
    ----------
    sensors
        Ids of the sensors that it may have held.
    lost
        Rows that are gone.
    sentence
        The same, for a person.
    ingests
        Ingests that may have brought what is lost, newest first: repeating them stores it again.
    judge_since
        From when on the sensors should be judged again; None where nothing changed for them.
    """

    file: File
    sensors: tuple[int, ...]
    outcome: Outcome
    lost: int
    sentence: str
    ingests: tuple[Batch, ...] = ()
    judge_since: datetime | None = None


def repair(
    home: "Warehouse", *, at: datetime, actor: str, backup: Path | None = None
) -> tuple[Repaired, ...]:
    """Do what `decide` says, a commit a file, and write down what became of each.

    It can be stopped at any moment and begun again, beside a running app too.

    Raises
    ------
    HomeError
        `backup` is no folder, or a file can't be written.
    ManifestConflict
        Other writes came between every time; what was repaired until then stays repaired.
    """
    return tuple(apply(home, remedy, at=at, actor=actor) for remedy in decide(home, backup=backup))


def apply(home: "Warehouse", remedy: Remedy, *, at: datetime, actor: str) -> Repaired:
    """Do one remedy; see `repair`."""
    damaged = remedy.damaged
    if remedy.copy is not None:
        put_back(home.root, damaged.file, remedy.copy)
    work = _Work(home, remedy, at, actor)
    if damaged.file.ended_in is not None:
        with home.database.transaction() as connection:
            work.settle(connection)
    else:
        in_turn(home.layout.turn_lock, work.attempt)
    lost = damaged.file.rows if remedy.outcome == "lost" else 0
    return Repaired(
        file=damaged.file,
        sensors=damaged.sensors,
        outcome=remedy.outcome,
        lost=lost,
        sentence=remedy.sentence,
        ingests=ingests_of(home.database, damaged.file) if lost and damaged.file.kind == "readings" else (),
        judge_since=None if damaged.file.ended_in is not None else work.judge_since,
    )


class _Work:
    """One remedy, tried until no other write comes between."""

    def __init__(self, home: "Warehouse", remedy: Remedy, at: datetime, actor: str) -> None:
        self._home = home
        self._remedy = remedy
        self._file = remedy.damaged.file
        self._at = at
        self._actor = actor

    @property
    def judge_since(self) -> datetime | None:
        """From when on a judgement may come out otherwise."""
        if self._file.kind in {"scores", "events"} or self._remedy.outcome == "restored":
            return self._file.start
        return None

    def attempt(self) -> None:
        """Do it once, unless another repair has done it.

        Raises
        ------
        ManifestConflict
            Another write came between, or another file was found damaged.
        """
        if not damage.waits(self._home.database, self._file):
            return
        try:
            _ATTEMPTS[self._file.kind](self)
        except IntegrityError as error:
            raise damage.conflict_of(self._home.manifest, error) from error

    def settle(self, connection: sqlite3.Connection) -> None:
        """Write down the outcome, in the open transaction."""
        damage.settle(
            connection, self._file, self._remedy.sentence, actor=self._actor, at=self._at,
            healed=self._remedy.copy is not None,
        )  # fmt: skip

    def readings(self) -> None:
        """Put back the rows that nobody stored meanwhile, or none; compute anew what follows from them."""
        home, file = self._home, self._file
        base = self._base()
        days = Days.of(file)
        sensors = (file.sensor_min, file.sensor_max)
        kept = self._sound(home.manifest.live("readings", sensor_ids=range(sensors[0], sensors[1] + 1)))
        near = [one for one in kept if one.start < days.end and one.end > days.start]
        rows = self._rows(near)
        files = MergedFiles(home.root)
        rolled = Rerolled((), ())
        try:
            if rows is not None and not rows.is_empty():
                files.write("readings", rows, parent=file)
            rolled = reroll(home.root, days, [*near, *files.written], self._sound(self._rollups(days)))
            extents = recount(home.root, [*kept, *files.written], *sensors)

            def also(connection: sqlite3.Connection, _: Snapshot) -> None:
                put_extents(connection, extents, *sensors)
                self.settle(connection)

            self._commit(
                [*files.written, *rolled.add],
                [file.id, *rolled.end],
                base,
                Span("readings", *_EVER, *sensors),
                also,
            )
        except BaseException:
            self._discard([*files.written, *rolled.add])
            raise

    def rollups(self) -> None:
        """Compute the rollups again of every day and sensor that the file may have held."""
        home, file = self._home, self._file
        base = self._base()
        days = Days.of(file)
        readings = home.manifest.live(
            "readings", start=days.start, end=days.end, sensor_ids=range(days.low, days.high + 1)
        )
        rolled = reroll(home.root, days, self._sound(readings), self._sound(self._rollups(days)))
        try:
            touched = Span("readings", days.start, days.end, days.low, days.high)
            self._commit(
                rolled.add,
                [file.id, *rolled.end],
                base,
                touched,
                lambda connection, _: self.settle(connection),
            )
        except BaseException:
            self._discard(rolled.add)
            raise

    def events(self) -> None:
        """Put back events where no others stand in their place, else take them out."""
        base = self._base()
        add: list[NewFile] = []
        path = self._home.root / self._file.path
        if self._comes_back():
            written = write_parquet(pl.read_parquet(path), path.parent, new_stem())
            name = written.path.relative_to(self._home.root).as_posix()
            add = [replace(self._file, path=name, sha256=written.sha256, size=written.size)]
        self._put_results(add, (), base)

    def scores(self) -> None:
        """Put back scores and their rollups where no others stand in their place, else take them out."""
        base = self._base()
        add: list[NewFile] = []
        if self._comes_back():
            add = self._scores_of(self._home.root / self._file.path)
        self._put_results(add, self._beside("score_rollups"), base)

    def score_rollups(self) -> None:
        """Write the scores that the file sums up again, with their rollups."""
        base = self._base()
        summed = self._sound(self._beside("scores"))
        add = self._scores_of(self._home.root / summed[0].path) if summed else []
        self._put_results(add, summed, base)

    def _comes_back(self) -> bool:
        if self._remedy.copy is None:
            return False
        if judged_since(self._home, self._file):
            raise ManifestConflict(f"what {self._file.path} holds was judged again meanwhile; repair again")
        return True

    def _scores_of(self, path: Path) -> list[NewFile]:
        version_id = self._file.version_id
        return (
            []
            if version_id is None
            else score_rollups.write(self._home.root, version_id, pl.read_parquet(path))
        )

    def _beside(self, kind: Kind) -> tuple[File, ...]:
        """Return the live file of `kind` that was written with the damaged one, by its name."""
        file = self._file
        sensors = range(file.sensor_min, file.sensor_max + 1)
        live = self._home.manifest.live(kind, sensor_ids=sensors, version_id=file.version_id)
        return tuple(one for one in live if Path(one.path).name == Path(file.path).name)

    def _put_results(self, add: list[NewFile], ended: Sequence[File], base: int) -> None:
        file = self._file
        kind: Kind = "events" if file.kind == "events" else "scores"
        touched = Span(kind, *_EVER, file.sensor_min, file.sensor_max, version_id=file.version_id)
        try:
            self._commit(
                add,
                [file.id, *(one.id for one in ended)],
                base,
                touched,
                lambda connection, _: self.settle(connection),
            )
        except BaseException:
            self._discard(add)
            raise

    def _base(self) -> int:
        before = self._home.manifest.snapshot()
        return 0 if before is None else before.id

    def _sound(self, files: tuple[File, ...]) -> tuple[File, ...]:
        return damage.sound(self._home.root, self._home.manifest, files, at=self._at)

    def _rollups(self, days: Days) -> tuple[File, ...]:
        return self._home.manifest.live(
            "rollups", start=days.start, end=days.end, sensor_ids=range(days.low, days.high + 1)
        )

    def _rows(self, near: list[File]) -> pl.DataFrame | None:
        """Return the readings of the file that are not stored in `near`; stored ones are newer."""
        if self._remedy.copy is not None:
            rows = pl.read_parquet(self._home.root / self._file.path, glob=False)
        elif self._remedy.outcome == "restored":
            found = from_merged(self._home.root, self._home.manifest, self._file)
            if found is None:
                raise ManifestConflict(
                    f"what was merged into {self._file.path} is not there any more; repair again"
                )
            rows = found
        else:
            return None
        if not near:
            return rows
        stored = [pl.scan_parquet(self._home.root / one.path, glob=False).select(_KEY) for one in near]
        within = Days.of(self._file).rows()
        return rows.select(READINGS.names()).join(
            pl.concat(stored).filter(within).collect(), on=_KEY, how="anti", maintain_order="left"
        )

    def _commit(
        self,
        add: Sequence[NewFile],
        end: list[int],
        base: int,
        touched: Span,
        within: Callable[[sqlite3.Connection, Snapshot], None],
    ) -> None:
        self._home.manifest.commit(
            add=add, end=end, base=base, touching=[touched], note=f"repair of {self._file.kind}", at=self._at,
            within=within, repairing=True,
        )  # fmt: skip

    def _discard(self, files: Sequence[NewFile]) -> None:
        unknown = set(self._home.manifest.unknown([one.path for one in files]))
        discard(self._home.root, [one for one in files if one.path in unknown])


_ATTEMPTS: Final[dict[Kind, Callable[[_Work], None]]] = {
    "readings": _Work.readings,
    "rollups": _Work.rollups,
    "score_rollups": _Work.score_rollups,
    "scores": _Work.scores,
    "events": _Work.events,
}
