"""A trained model after its home moved: it loads, scores, is found by MLflow, and can be trained again."""

import shutil
from pathlib import Path

import pytest
import stored_home

from core.registry.artifacts import digests
from core.registry.tracking import database_uri
from core.workflows.backup import back_up
from core.workflows.methods import load_version
from core.workflows.requests import TrainRequest
from core.workflows.restore import restore
from core.workflows.score import score_sensor
from core.workflows.signals import load_signal
from core.workflows.train import train_sensor
from warehouse.home import Warehouse


@pytest.mark.parametrize("preset", ["quick", pytest.param("telemanom", marks=pytest.mark.learned)])
@pytest.mark.timeout(600)
def test_a_trained_model_works_in_the_restored_home(tmp_path: Path, preset: str) -> None:
    first, second = tmp_path / "first home", tmp_path / "elsewhere é" / "second%20home"
    stored_home.build(first, steps=700)
    few = {"epochs": 2} if preset == "telemanom" else {}
    request = TrainRequest(1, preset, seed=5, actor="ada", parameters=few)
    warehouse = Warehouse.open(first)
    version = train_sensor(request, warehouse=warehouse, clock=stored_home.clock).version
    assert version is not None
    signal = load_signal(warehouse, warehouse.catalog.sensor(1))
    said = load_version(version, warehouse).detect(signal).scores.expected
    back_up(tmp_path / "backup", warehouse=warehouse, clock=stored_home.clock, actor="ada")
    warehouse.close()
    shutil.rmtree(first)
    second.parent.mkdir()
    report = restore(tmp_path / "backup", second, clock=stored_home.clock)
    assert report.document.damaged == ()
    assert report.addresses >= 4  # the experiment, the run, the version twice

    warehouse = Warehouse.open(second, create=False)
    assert warehouse.catalog.champion(1) == version
    assert load_version(version, warehouse).detect(signal).scores.expected.tobytes() == said.tobytes()
    assert score_sensor(warehouse.catalog.sensor(1), warehouse=warehouse, clock=stored_home.clock).steps > 0
    client = _client(warehouse)
    found = client.get_model_version_by_alias(version.registered_name, "champion")
    assert found.run_id == version.run_id
    downloaded = Path(client.download_artifacts(version.run_id, "model", str(_new(tmp_path / "downloaded"))))
    assert digests(downloaded) == version.artifacts
    from mlflow.artifacts import download_artifacts

    by_source = download_artifacts(artifact_uri=found.source, dst_path=str(_new(tmp_path / "by source")))
    assert digests(Path(by_source)) == version.artifacts
    again = train_sensor(request, warehouse=warehouse, clock=stored_home.clock).version
    assert again is not None
    assert again.number == 2
    assert (warehouse.root / again.folder).is_dir()
    assert load_version(again, warehouse).name == again.method
    warehouse.close()


def _client(warehouse: Warehouse):
    from mlflow.tracking import MlflowClient

    uri = database_uri(warehouse.layout.tracking)
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder
