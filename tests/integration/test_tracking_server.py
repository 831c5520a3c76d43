"""MLflow on a server: the same registration, with the model's files in the home and on the server."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from core.errors import RegistryAway, RegistryError
from core.registry.artifacts import digests
from core.registry.tracking import Tracking
from core.workflows.commit import commit, take_back
from core.workflows.ingest import ingest
from core.workflows.learn import learn
from core.workflows.methods import load_version
from core.workflows.reporting import Reports
from core.workflows.requests import TrainRequest
from core.workflows.training_plan import TrainingPlan, plan
from warehouse.assets import AssetSpec, SensorSpec
from warehouse.catalog import Catalog
from warehouse.home import Warehouse
from warehouse.schema import TIME
from warehouse.sources.base import SourceBatch

pytestmark = pytest.mark.learned  # it loads what takes long

T0 = datetime(2026, 1, 1, tzinfo=UTC)
ALONE = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
NOW = datetime(2026, 6, 1, tzinfo=UTC)
STEP = timedelta(minutes=10)


class Killed(BaseException):
    """What ends a process at any place."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a server of this module's own, on loopback."""
    root, port = tmp_path_factory.mktemp("server"), free_port()
    log = root / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)),
                *("--backend-store-uri", f"sqlite:///{root / 'server.db'}"),
                *("--artifacts-destination", str(root / "artifacts"), "--workers", "1"),
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=root,
            env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", **ALONE},
            start_new_session=True,
        )
    try:
        address = f"http://127.0.0.1:{port}"
        _answers(address, process, log)
        yield address
    finally:
        # Its workers are of its own session: they end with it.
        os.killpg(process.pid, 15)
        process.wait(20)


def _answers(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 90
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()
        connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=2)
        with suppress(OSError, http.client.HTTPException), closing(connection):
            connection.request("GET", "/health")
            if connection.getresponse().status == 200:
                return
        time.sleep(0.1)
    pytest.fail(f"the server does not answer: {log.read_text()}")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    warehouse = Warehouse.open(tmp_path_factory.mktemp("served") / "home")
    values = np.sin(np.arange(500) / 20) + 0.1 * np.random.default_rng(1).standard_normal(500)
    frame = pl.DataFrame({"ts": [T0 + n * STEP for n in range(500)], "value": values}).select(
        pl.lit("Pump/flow").alias("key"), pl.col("ts").cast(TIME), pl.col("value").cast(pl.Float64)
    )
    asset = AssetSpec("Pump", "pump", sensors=(SensorSpec("flow", "m3/h", "target", STEP.total_seconds()),))
    ingest(
        SourceBatch("csv", (asset,), iter([frame]), []),
        warehouse=warehouse,
        clock=lambda: NOW,
        actor="ada",
        queue=False,
    )
    yield warehouse
    warehouse.close()


@pytest.fixture(scope="module")
def trained(home: Warehouse) -> tuple[TrainingPlan, Path]:
    made = plan(TrainRequest(home.catalog.find_sensor("Pump/flow").id, "quick"), home)
    learn(made, home.root, home.root / "learned", Reports())
    return made, home.root / "learned"


def committed(home: Warehouse, trained: tuple[TrainingPlan, Path], server: str, maker: str):
    return commit(
        *trained,
        made_by=maker,
        warehouse=home,
        clock=lambda: NOW,
        alive=lambda: True,
        tracking=server,
    )


def client(server: str):
    from mlflow.tracking import MlflowClient

    return MlflowClient(tracking_uri=server, registry_uri=server)


def test_a_version_lies_in_the_home_and_on_the_server(
    home: Warehouse, trained: tuple[TrainingPlan, Path], server: str, tmp_path: Path
) -> None:
    outcome = committed(home, trained, server, "job 1")
    version = outcome.version
    assert version is not None
    assert outcome.promoted
    assert (home.root / version.folder).parent == home.layout.models
    load_version(version, home)
    assert not (home.layout.tracking / "mlflow.db").exists()
    asked = client(server)
    assert asked.get_run(version.run_id).info.status == "FINISHED"
    fetched = asked.download_artifacts(version.run_id, "model", str(tmp_path))
    assert digests(Path(fetched)) == version.artifacts
    alias = asked.get_model_version_by_alias(version.registered_name, "champion")
    assert alias.run_id == version.run_id


def test_a_kill_between_server_and_catalogue_leaves_one_version(
    home: Warehouse, trained: tuple[TrainingPlan, Path], server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Catalog, "add_version", die)
        with pytest.raises(Killed):
            committed(home, trained, server, "job 2")
    outcome = committed(home, trained, server, "job 2")
    assert outcome.version is not None
    runs = client(server).search_model_versions(f"name = '{outcome.version.registered_name}'")
    assert [one.run_id for one in runs].count(outcome.version.run_id) == 1
    made = [one.run_id for one in home.catalog.versions()]
    assert sorted(one.run_id for one in runs) == sorted(made)


def test_what_is_taken_back_is_gone_from_the_server_and_from_the_home(
    home: Warehouse, trained: tuple[TrainingPlan, Path], server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Catalog, "add_version", die)
        with pytest.raises(Killed):
            committed(home, trained, server, "job 3")
    before = {one.name for one in home.layout.models.iterdir()}
    [run] = take_back("job 3", home, tracking=server)
    assert before - {one.name for one in home.layout.models.iterdir()} == {f"run-{run}"}
    assert client(server).get_run(run).info.status == "FAILED"
    assert client(server).search_model_versions(f"run_id = '{run}'") == []


def test_a_server_that_is_away_is_said_soon_and_may_come_back(
    home: Warehouse, trained: tuple[TrainingPlan, Path]
) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    begun = time.monotonic()
    with pytest.raises(RegistryAway, match=f"{address} does not answer"):
        committed(home, trained, address, "job 4")
    assert time.monotonic() - begun < 60
    assert home.catalog.version_made_by("job 4") is None


def test_what_a_server_refuses_is_no_absence(server: str) -> None:
    with pytest.raises(RegistryError, match="not registered") as caught:
        Tracking(server).crown("no such model", "0" * 32)
    assert not isinstance(caught.value, RegistryAway)
