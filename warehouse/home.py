"""The folder that holds everything, opened."""

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from warehouse import collection, compaction, damage, parquet
from warehouse.backup.pins import let_go_of_dead
from warehouse.batches import Batch, batches
from warehouse.catalog import Catalog
from warehouse.durable import make_folder
from warehouse.errors import HomeError
from warehouse.ingesting import IngestReport, ingest
from warehouse.jobs import Jobs
from warehouse.layout import Layout
from warehouse.manifest import Manifest
from warehouse.quarantine import Quarantine
from warehouse.repair import Repaired, repair
from warehouse.results import Results
from warehouse.room import is_full
from warehouse.sources.base import SourceBatch
from warehouse.sqlite import MIGRATIONS, Database
from warehouse.telemetry import Telemetry

__all__ = ["IngestReport", "Warehouse"]


@dataclass(frozen=True, eq=False)
class Warehouse:
    """Every store of one home; safe to use from any thread, and beside other processes.

    Parameters
    ----------
    root
        The home; all else lies below it.
    """

    root: Path
    layout: Layout
    database: Database
    catalog: Catalog
    manifest: Manifest
    telemetry: Telemetry
    results: Results
    quarantine: Quarantine
    jobs: Jobs

    @classmethod
    def open(cls, root: Path, *, create: bool = True) -> Self:
        """Open the home at `root`.

        Parameters
        ----------
        create
            Make the folder and its stores where they are missing.

        Raises
        ------
        HomeError
            The folder is missing and not to be created, is no folder, or can't be written to.
        SchemaError
            A newer release wrote it.
        IntegrityError
            One of its databases is damaged.
        """
        root = root.expanduser().absolute()
        _require_writable(root, create=create)
        layout = Layout(root)
        if not create and not layout.catalog.is_file():
            raise HomeError(f"{root} holds no Telltale data; run `telltale demo` or ingest something first")
        database = Database(layout.catalog, MIGRATIONS / "catalog")
        catalog = Catalog(database)
        manifest = Manifest(database)
        return cls(
            root=root,
            layout=layout,
            database=database,
            catalog=catalog,
            manifest=manifest,
            telemetry=Telemetry(root, manifest),
            results=Results(root, manifest, catalog),
            quarantine=Quarantine(database),
            jobs=Jobs(layout.jobs),
        )

    def close(self) -> None:
        """Close the idle connections; the warehouse stays usable."""
        self.database.close()
        self.jobs.close()

    def ingest(self, batch: SourceBatch, *, at: datetime, actor: str) -> IngestReport:
        """Store what a source gives: assets, parts, readings and refusals, all of it or nothing.

        Raises
        ------
        CatalogError
            An asset belongs to another source, or a sensor is stored with another unit.
        SourceError
            The source can't be read to its end.
        SchemaError
            A chunk names a sensor that the source did not state.
        """
        return ingest(self, batch, at=at, actor=actor)

    def batches(self, limit: int = 100) -> tuple[Batch, ...]:
        """Return the newest ingests first, at most `limit`."""
        return batches(self.database, limit)

    def collect(self, *, now: datetime, grace_s: float = collection.GRACE_S) -> collection.Collected:
        """Remove files that nothing can need any more; see `warehouse.collection`."""
        return collection.collect(self.root, self.database, grace_s=grace_s, now=now)

    def tidy(self, *, now: datetime) -> collection.Collected:
        """Merge the small files of past days and remove what nothing needs; to be called now and then."""
        compaction.compact(self.root, self.manifest, now=now)
        let_go_of_dead(self.layout, self.database)
        return self.collect(now=now)

    def verify(self, *, at: datetime | None = None) -> list[str]:
        """Read every byte of live and of pinned files and return what is wrong with each damaged one.

        What is found is recorded; see `damage`.
        """
        wrong = []
        for file in self.manifest.kept():
            fault = parquet.find_fault(self.root, file)
            if fault is not None:
                wrong.append((file, fault))
        damage.record(self.database, wrong, at=at)
        return [f"{file.path} {fault}" for file, fault in wrong]

    def damage(self) -> tuple[damage.Damaged, ...]:
        """Return the damaged files that wait for a repair; reads go on without them."""
        return damage.waiting(self.database)

    def repair(self, *, at: datetime, actor: str, backup: Path | None = None) -> tuple[Repaired, ...]:
        """Bring damaged files back, compute them again or give them up; see `warehouse.repair`.

        Raises
        ------
        HomeError
            `backup` is no folder, or a file can't be written.
        ManifestConflict
            Other writes came between every time; what was repaired until then stays repaired.
        """
        return repair(self, at=at, actor=actor, backup=backup)


def _require_writable(root: Path, *, create: bool) -> None:
    hint = "set TELLTALE_HOME to a folder you can write to"
    if root.exists() and not root.is_dir():
        raise HomeError(f"{root} is a file, not a folder; {hint}")
    if not root.exists() and not create:
        raise HomeError(f"{root} does not exist; {hint}")
    probe = root / f".writable-{os.getpid()}-{parquet.new_stem()}"
    try:
        make_folder(root)
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        # What is stored on a full disk can still be read; a write says for itself that it finds no room.
        if root.is_dir() and is_full(error, root):
            return
        raise HomeError(f"{root} can't be written to ({error.strerror}); {hint}") from error
