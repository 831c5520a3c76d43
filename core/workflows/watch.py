"""Watched folders: one pass takes every file that is new or changed and complete."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from core.workflows.ingest import Ingested, ingest_table, queue_scoring
from core.workflows.reporting import Clock, Progress, Task, part, silent, unasked
from warehouse import watched
from warehouse.documents import JSON
from warehouse.errors import CatalogError, SchemaError, SourceError, WarehouseError
from warehouse.home import Warehouse
from warehouse.jobs import Job
from warehouse.watched import Outcome, WatchedFile, WatchedFolder

# A file that was written to within this time is taken only if it is the same at the next pass.
SETTLED: Final = timedelta(seconds=10)
# What failed for no fault of the file's is tried again after this time.
RETRY: Final = timedelta(minutes=5)


@dataclass(frozen=True)
class Arrival:
    """A file that is to be taken: its folder, name, place, and the size and time it was found with."""

    folder: WatchedFolder
    name: str
    path: Path
    size: int
    mtime_ns: int


@dataclass(frozen=True)
class Taken:
    """What became of one file of a pass.

    Parameters
    ----------
    added, replaced
        Readings that it brought.
    error
        Why it was not taken, None where it was.
    """

    folder: Path
    name: str
    added: int
    replaced: int
    error: str | None


@dataclass(frozen=True)
class Pass:
    """What one pass over the watched folders did."""

    files: tuple[Taken, ...]
    scoring: Job | None

    @property
    def summary(self) -> str:
        """One line for a person."""
        good = [one for one in self.files if one.error is None]
        bad = [one for one in self.files if one.error is not None]
        parts = [f"{len(good)} files taken, {sum(one.added for one in good):,} new readings"]
        parts += [f"{len(bad)} not taken: " + "; ".join(str(one.error) for one in bad[:3])] if bad else []
        return ". ".join(parts)


def arrivals(warehouse: Warehouse, *, clock: Clock, again: bool = False) -> tuple[Arrival, ...]:
    """Return the files that are to be taken now; one that may still be written is noted for the next pass.

    Parameters
    ----------
    again
        Also those that were refused or failed before, though they did not change.
    """
    found = []
    for folder in watched.folders(warehouse.database):
        if folder.paused:
            continue
        known = {one.name: one for one in watched.files(warehouse.database, folder.id)}
        for file in _listed(folder):
            if _is_due(file, known.get(file.name), clock(), again=again):
                found.append(file)
            elif _is_new(file, known.get(file.name)):
                _record(warehouse, file, "waiting", None, clock())
    return tuple(found)


def take(
    warehouse: Warehouse,
    *,
    clock: Clock,
    progress: Progress = silent,
    check: Callable[[], bool] = unasked,
    again: bool = False,
) -> Pass:
    """Take every file that is due; one that can't be taken never keeps the others from it.

    Parameters
    ----------
    check
        Asked before each file; what it raises ends the pass. What was taken until then is stored and judged.
    again
        Also those that were refused or failed before, though they did not change.
    """
    files = arrivals(warehouse, clock=clock, again=again)
    taken: list[Taken] = []
    done: list[Ingested] = []
    scoring: Job | None = None
    try:
        for number, file in enumerate(files):
            check()
            report = part(progress, number / len(files), (number + 1) / len(files))
            report(0.0, f"Taking {file.name}")
            result = _take(file, warehouse, clock, report)
            if result is None:
                continue
            taken.append(result[0])
            if result[1] is not None:
                done.append(result[1])
    finally:  # also of a pass that is told to end
        if done:
            scoring = queue_scoring(done, warehouse=warehouse, clock=clock, actor=files[0].folder.actor)
    return Pass(tuple(taken), scoring)


def watch_job(_payload: Mapping[str, JSON], task: Task) -> dict[str, JSON]:
    """Take what arrived in the watched folders, as a job."""
    done = take(task.warehouse, clock=task.clock, progress=task.progress, check=task.check)
    failed: list[JSON] = [one.error for one in done.files if one.error is not None]
    return {"summary": done.summary, "files": len(done.files), "failed": failed}


def _listed(folder: WatchedFolder) -> Iterator[Arrival]:
    """Yield the files of a folder that match, by name; what is gone meanwhile is left out."""
    try:
        names = sorted(one.name for one in folder.path.iterdir())
    except OSError:
        return  # a share that is away comes back; `telltale watch list` shows that it is away
    for name in names:
        if not fnmatchcase(name, folder.pattern) or not name.isprintable():
            continue
        try:
            path = (folder.path / name).resolve(strict=True)
            status = path.stat()
        except OSError:
            continue
        # A link may not lead out of the folder.
        if path.is_file() and folder.path in path.parents:
            yield Arrival(folder, name, path, status.st_size, status.st_mtime_ns)


def _is_new(file: Arrival, known: WatchedFile | None) -> bool:
    return known is None or (known.size, known.mtime_ns) != (file.size, file.mtime_ns)


def _is_due(file: Arrival, known: WatchedFile | None, now: datetime, *, again: bool) -> bool:
    if known is None or _is_new(file, known):
        written = datetime.fromtimestamp(file.mtime_ns / 1e9, UTC)
        return now - written >= SETTLED
    if known.outcome == "waiting":
        return now > known.seen_at
    if known.outcome == "failed":
        return again or now - known.seen_at >= RETRY
    return known.outcome == "refused" and again


def _take(
    file: Arrival, warehouse: Warehouse, clock: Clock, progress: Progress
) -> tuple[Taken, Ingested | None] | None:
    """Return what became of a file; None where it is gone or was written to meanwhile."""
    outcome: Outcome = "taken"
    done: Ingested | None = None
    error: str | None = None
    try:
        done = ingest_table(
            file.path,
            file.folder.mapping,
            warehouse=warehouse,
            clock=clock,
            actor=file.folder.actor,
            progress=progress,
            name=file.name,
            queue=False,
        )
    except (SourceError, CatalogError, SchemaError) as why:
        outcome, error = "refused", _line(file, why)
    except (WarehouseError, OSError) as why:
        outcome, error = "failed", _line(file, why)
    try:
        status = file.path.stat()
    except OSError:
        return None
    if (status.st_size, status.st_mtime_ns) != (file.size, file.mtime_ns):
        # It grew while it was read: the next pass takes it whole, what is stored already changes nothing.
        return None if done is None else (_taken(file, done, None), done)
    _record(warehouse, file, outcome, error, clock())
    return _taken(file, done, error), done


def _taken(file: Arrival, done: Ingested | None, error: str | None) -> Taken:
    added, replaced = (0, 0) if done is None else (done.report.added, done.report.replaced)
    return Taken(file.folder.path, file.name, added, replaced, error)


def _record(warehouse: Warehouse, file: Arrival, outcome: Outcome, error: str | None, at: datetime) -> None:
    seen = WatchedFile(file.name, file.size, file.mtime_ns, at, outcome, error)
    watched.record(warehouse.database, file.folder.id, seen)


def _line(file: Arrival, why: Exception) -> str:
    text = " ".join(str(why).split())
    return text if text.startswith(file.name) else f"{file.name}: {text}"
