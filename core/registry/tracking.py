"""MLflow: one run and one registered version a training; the only place that imports mlflow."""

import hashlib
import json
import logging
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlparse
from uuid import uuid4

from core.errors import RegistryAway, RegistryError
from core.registry.artifacts import digests
from warehouse.durable import make_folder, settle
from warehouse.lock import LockHeld, ProcessLock

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.tracking import MlflowClient

EXPERIMENT: Final = "telltale"
CHAMPION: Final = "champion"

# Below the folder of a store.
DATABASE: Final = "mlflow.db"
ARTIFACTS: Final = "artifacts"
LOCK: Final = "store.lock"

# Below the artifacts of a run.
MODEL: Final = "model"

# Tags of a run: what made it, and the SHA-256 of what it registers.
MADE_BY: Final = "telltale.made_by"
CONTENT: Final = "telltale.content"

_LOCK_S: Final = 120.0
_LONGEST_PARAM: Final = 500
# What MLflow takes in one call.
_MOST_PARAMS: Final = 100
_MOST_METRICS: Final = 1000

# A job whose server is away is tried again later; its model is kept meanwhile.
_PATIENCE: Final = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "20"}


@dataclass(frozen=True)
class NewRun:
    """A finished training, to be tracked and registered.

    Parameters
    ----------
    name
        Name of the run, as a person reads it.
    registered_name
        Name under which its versions are numbered.
    parameters
        Constructor parameters of detector and threshold.
    metrics
        Held-out figures by name; a figure that does not exist is left out.
    curves
        (step, name, value) of each epoch.
    tags
        What it was made from: snapshot, spans, labels, seed.
    folder
        The saved files; they are copied.
    finished_at
        With a zone.
    made_by
        What made it, such as ``job 17``, of which there is one version at most; None where nobody asks.
    """

    name: str
    registered_name: str
    parameters: Mapping[str, object]
    metrics: Mapping[str, float]
    curves: Sequence[tuple[int, str, float]]
    tags: Mapping[str, str]
    folder: Path
    finished_at: datetime
    made_by: str | None = None


@dataclass(frozen=True)
class Registered:
    """A registered version: its run, its number in MLflow, and where its files now lie.

    Parameters
    ----------
    folder
        None where they lie on a server alone.
    """

    run_id: str
    number: int
    folder: Path | None


class Tracking:
    """MLflow's store: a home's own, SQLite and a folder of artifacts, or that of a server.

    Parameters
    ----------
    place
        Folder of the store, made when it is missing and addressed absolutely; or the ``http(s)://`` address
        of a server.
    """

    def __init__(self, place: Path | str) -> None:
        self._server = place if isinstance(place, str) else None
        self._root = None if isinstance(place, str) else place.absolute()

    def register(self, new: NewRun) -> Registered:
        """Track a run, copy its files and register them as a version.

        What an earlier attempt with the same `made_by` left is taken where it is whole and of the same
        content; else it is marked as failed, and loses its version.

        Raises
        ------
        RegistryError
            There are no finite held-out figures: such a version is not registered. Or MLflow refuses, or its
            server does not answer.
        ArtifactError
            There are no files to register.
        """
        figures = {name: value for name, value in new.metrics.items() if math.isfinite(value)}
        if not figures:
            raise RegistryError(f"{new.name}: no held-out figure exists, so no version is registered")
        files = digests(new.folder)
        content = _content(files, figures, new)
        with self._explained(f"{new.name}: registering it"):
            kept = self._taken_up(new, content, files)
            if kept is not None:
                return self._numbered(new, kept)
            tags = {**new.tags, CONTENT: content}
            if new.made_by is not None:
                tags[MADE_BY] = new.made_by
            run = self._client.create_run(self._experiment, run_name=new.name, tags=tags)
            try:
                self._record(new, str(run.info.run_id), figures)
                return self._numbered(new, run)
            except BaseException:
                self._client.set_terminated(run.info.run_id, "FAILED")
                raise

    def discard(self, made_by: str, *, keep: str | None = None) -> tuple[str, ...]:
        """Mark what `made_by` tracked as failed and take its versions away; return the ids of those runs.

        Parameters
        ----------
        keep
            Id of a run that is left as it is.

        Raises
        ------
        RegistryError
            MLflow refuses, or its server does not answer.
        """
        with self._explained(f"taking back what {made_by} registered"):
            gone = [run for run in self._runs(made_by) if run.info.run_id != keep]
            for run in gone:
                self._fail(run)
            return tuple(str(run.info.run_id) for run in gone)

    def crown(self, registered_name: str, run_id: str) -> None:
        """Move the alias ``champion`` to the version that a run was registered as.

        Raises
        ------
        RegistryError
            There is no such version.
        """
        with self._explained(f"{registered_name}: making the version of run {run_id} the champion"):
            number = self._number(registered_name, run_id)
            if number is None:
                raise RegistryError(f"{registered_name}: run {run_id} was not registered as a version")
            self._client.set_registered_model_alias(registered_name, CHAMPION, str(number))

    def _taken_up(self, new: NewRun, content: str, files: Mapping[str, str]) -> "Run | None":
        """Return the whole run that an earlier attempt left; all else that one left is failed."""
        if new.made_by is None:
            return None
        kept: Run | None = None
        for run in self._runs(new.made_by):
            same = run.info.status == "FINISHED" and run.data.tags.get(CONTENT) == content
            if kept is None and same and self._holds(run, files):
                kept = run
            else:
                self._fail(run)
        return kept

    def _runs(self, made_by: str) -> "list[Run]":
        """Return the runs of a maker that were not marked as failed, oldest first."""
        # A tag's value can't hold a quote here: it is ours, such as "job 17".
        found = self._client.search_runs(
            [self._experiment], f"tags.`{MADE_BY}` = '{made_by}'", order_by=["attributes.start_time ASC"]
        )
        return [run for run in found if run.info.status != "FAILED"]

    def _holds(self, run: "Run", files: Mapping[str, str]) -> bool:
        """Tell whether a run's files are all there; a server is believed, which ends a run after them."""
        folder = self._folder(run)
        return folder is None or (folder.is_dir() and digests(folder) == files)

    def _fail(self, run: "Run") -> None:
        for version in self._client.search_model_versions(f"run_id = '{run.info.run_id}'"):
            self._client.delete_model_version(version.name, version.version)
        self._client.set_terminated(run.info.run_id, "FAILED")

    def _record(self, new: NewRun, run_id: str, figures: Mapping[str, float]) -> None:
        """Fill a run that was begun, and end it."""
        from mlflow.entities import Metric, Param

        client = self._client
        at_ms = int(new.finished_at.timestamp() * 1000)
        curves = [
            Metric(name, value, at_ms, step) for step, name, value in new.curves if math.isfinite(value)
        ]
        held_out = [Metric(f"held_out.{name}", value, at_ms, 0) for name, value in figures.items()]
        params = [Param(name, str(value)[:_LONGEST_PARAM]) for name, value in new.parameters.items()]
        for start in range(0, len(params), _MOST_PARAMS):
            client.log_batch(run_id, params=params[start : start + _MOST_PARAMS])
        metrics = [*curves, *held_out]
        for start in range(0, len(metrics), _MOST_METRICS):
            client.log_batch(run_id, metrics=metrics[start : start + _MOST_METRICS])
        client.log_artifacts(run_id, str(new.folder), MODEL)
        client.set_terminated(run_id, "FINISHED")

    def _numbered(self, new: NewRun, run: "Run") -> Registered:
        """Return the version of a whole run, made where it is missing."""
        client, run_id, name = self._client, str(run.info.run_id), new.registered_name
        if not client.search_registered_models(f"name = '{name}'"):
            client.create_registered_model(name)
        number = self._number(name, run_id)
        if number is None:
            source = f"{run.info.artifact_uri}/{MODEL}"
            number = int(client.create_model_version(name, source=source, run_id=run_id).version)
        return Registered(run_id, number, self._folder(run))

    def _number(self, registered_name: str, run_id: str) -> int | None:
        found = self._client.search_model_versions(f"run_id = '{run_id}'")
        return next((int(one.version) for one in found if one.name == registered_name), None)

    def _folder(self, run: "Run") -> Path | None:
        """Return where the files of a run lie; None where a server has them."""
        if self._server is not None:
            return None
        return Path(unquote(urlparse(run.info.artifact_uri).path)) / MODEL

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        """Tell MLflow's own failures in our words, and let one process at a time into a home's own store.

        MLflow makes its tables and its experiment without looking whether another process just did.
        """
        _silence()
        from mlflow.exceptions import MlflowException, RestException

        lock = None if self._root is None else ProcessLock(self._root / LOCK)
        try:
            if lock is not None:
                make_folder(lock.path.parent)
                lock.acquire(_LOCK_S)
            yield
        except MlflowException as error:
            # A server's own refusals are of another type than what keeps it from answering.
            if self._server is not None and not isinstance(error, RestException):
                raise RegistryAway(f"{what} failed: {self._server} does not answer: {error}") from error
            raise RegistryError(f"{what} failed: {error}") from error
        except LockHeld as error:
            raise RegistryAway(f"{what} waited {_LOCK_S:g} s for another registration: {error}") from error
        finally:
            if lock is not None:
                lock.release()

    @cached_property
    def _client(self) -> "MlflowClient":
        _silence()
        from mlflow.tracking import MlflowClient

        if self._root is None:
            return MlflowClient(tracking_uri=self._server, registry_uri=self._server)
        _make_database(self._root)
        uri = database_uri(self._root)
        return MlflowClient(tracking_uri=uri, registry_uri=uri)

    @cached_property
    def _experiment(self) -> str:
        known = self._client.get_experiment_by_name(EXPERIMENT)
        if known is not None:
            return str(known.experiment_id)
        place = None if self._root is None else (self._root / ARTIFACTS).as_uri()
        return str(self._client.create_experiment(EXPERIMENT, artifact_location=place))


def database_uri(root: Path, name: str = DATABASE) -> str:
    """Return the address of the database of the store in the folder `root`."""
    # Letters that end the path of an address, or are read as an encoding in it.
    path = str(root / name).replace("%", "%25").replace("?", "%3F").replace("#", "%23")
    return f"sqlite:///{path}"


def _make_database(root: Path) -> None:
    """Make the database of a new store, whole or not at all; to be called by one process at a time.

    MLflow makes its tables one after the other: killed in between, it leaves what nobody can use any more.
    """
    from mlflow.tracking import MlflowClient

    if (root / DATABASE).exists():
        return
    for left in root.glob(f"{DATABASE}.*"):
        left.unlink()  # of a process that was killed
    part = f"{DATABASE}.{uuid4().hex[:12]}"
    uri = database_uri(root, part)
    MlflowClient(tracking_uri=uri, registry_uri=uri).search_experiments(max_results=1)
    settle(root / part, root / DATABASE)


def _content(files: Mapping[str, str], figures: Mapping[str, float], new: NewRun) -> str:
    """Return the SHA-256 of what a run registers."""
    said = [new.registered_name, dict(files), dict(figures), {**new.tags}, [*new.curves]]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _silence() -> None:
    """Let mlflow report nothing to anybody and wait no minutes; it reads this when it is imported."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["DO_NOT_TRACK"] = "true"
    for name, value in _PATIENCE.items():
        os.environ.setdefault(name, value)
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
