"""MLflow: one run and one registered version a training; the only place that imports mlflow."""

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

from core.errors import RegistryError
from core.registry.artifacts import digests

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

EXPERIMENT: Final = "telltale"
CHAMPION: Final = "champion"

# Below the folder of a store.
DATABASE: Final = "mlflow.db"
ARTIFACTS: Final = "artifacts"

_LONGEST_PARAM: Final = 500


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
    """

    name: str
    registered_name: str
    parameters: Mapping[str, object]
    metrics: Mapping[str, float]
    curves: Sequence[tuple[int, str, float]]
    tags: Mapping[str, str]
    folder: Path
    finished_at: datetime


@dataclass(frozen=True)
class Registered:
    """A registered version: its run, its number in MLflow, and where its files now lie."""

    run_id: str
    number: int
    folder: Path


class Tracking:
    """MLflow's store of one home: SQLite and a folder of artifacts, addressed absolutely.

    Parameters
    ----------
    root
        Folder of the store; made when it is missing.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()

    def register(self, new: NewRun) -> Registered:
        """Track a run, copy its files and register them as a version.

        Raises
        ------
        RegistryError
            There are no finite held-out figures: such a version is not registered. Or MLflow refuses.
        ArtifactError
            There are no files to register.
        """
        figures = {name: value for name, value in new.metrics.items() if math.isfinite(value)}
        if not figures:
            raise RegistryError(f"{new.name}: no held-out figure exists, so no version is registered")
        digests(new.folder)
        with self._explained(f"{new.name}: registering it"):
            client = self._client
            run = client.create_run(self._experiment, run_name=new.name, tags=dict(new.tags))
            run_id = str(run.info.run_id)
            try:
                version = self._record(new, run_id, figures, f"{run.info.artifact_uri}/model")
            except BaseException:
                client.set_terminated(run_id, "FAILED")
                raise
            return Registered(run_id, version, Path(unquote(urlparse(run.info.artifact_uri).path)) / "model")

    def crown(self, registered_name: str, number: int) -> None:
        """Move the alias ``champion`` to a version.

        Raises
        ------
        RegistryError
            There is no such version.
        """
        with self._explained(f"{registered_name} version {number}: making it the champion"):
            self._client.set_registered_model_alias(registered_name, CHAMPION, str(number))

    def _record(self, new: NewRun, run_id: str, figures: Mapping[str, float], source: str) -> int:
        """Fill a run that was begun, end it, and return the number of the version made of it."""
        from mlflow.entities import Metric, Param

        client = self._client
        at_ms = int(new.finished_at.timestamp() * 1000)
        curves = [
            Metric(name, value, at_ms, step) for step, name, value in new.curves if math.isfinite(value)
        ]
        held_out = [Metric(f"held_out.{name}", value, at_ms, 0) for name, value in figures.items()]
        params = [Param(name, str(value)[:_LONGEST_PARAM]) for name, value in new.parameters.items()]
        client.log_batch(run_id, metrics=[*curves, *held_out], params=params)
        client.log_artifacts(run_id, str(new.folder), "model")
        client.set_terminated(run_id, "FINISHED")
        if not client.search_registered_models(f"name = '{new.registered_name}'"):
            client.create_registered_model(new.registered_name)
        return int(client.create_model_version(new.registered_name, source=source, run_id=run_id).version)

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        """Tell MLflow's own failures in our words."""
        _silence()
        from mlflow.exceptions import MlflowException

        try:
            yield
        except MlflowException as error:
            raise RegistryError(f"{what} failed: {error}") from error

    @cached_property
    def _client(self) -> "MlflowClient":
        _silence()
        from mlflow.tracking import MlflowClient

        self._root.mkdir(parents=True, exist_ok=True)
        uri = database_uri(self._root)
        return MlflowClient(tracking_uri=uri, registry_uri=uri)

    @cached_property
    def _experiment(self) -> str:
        known = self._client.get_experiment_by_name(EXPERIMENT)
        if known is not None:
            return str(known.experiment_id)
        place = (self._root / ARTIFACTS).as_uri()
        return str(self._client.create_experiment(EXPERIMENT, artifact_location=place))


def database_uri(root: Path) -> str:
    """Return the address of the database of the store in the folder `root`."""
    # Letters that end the path of an address, or are read as an encoding in it.
    path = str(root / DATABASE).replace("%", "%25").replace("?", "%3F").replace("#", "%23")
    return f"sqlite:///{path}"


def _silence() -> None:
    """Let mlflow report nothing to anybody; it reads this when it is imported."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["DO_NOT_TRACK"] = "true"
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
