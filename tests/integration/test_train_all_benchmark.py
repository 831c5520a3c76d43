"""A smoke run of the benchmark that trains many channels at once."""

import csv
import io
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from benchmarks import train_all


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    data, labels = tmp_path / "data.zip", tmp_path / "labels.csv"
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(data, "w") as archive:
        for name in ("S-9", "M-9"):
            for part in ("train", "test"):
                values = np.zeros((900, 25))
                values[:, 0] = 0.5 * np.sin(np.arange(900) / 8) + rng.normal(0, 0.05, 900)
                buffer = io.BytesIO()
                np.save(buffer, values)
                archive.writestr(f"data/{part}/{name}.npy", buffer.getvalue())
    with labels.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(("chan_id", "spacecraft", "anomaly_sequences", "class", "num_values"))
        rows.writerows((name, "SMAP", "[[300, 320]]", "[point]", 900) for name in ("S-9", "M-9"))
    return data, labels


@pytest.mark.skipif(not os.environ.get("TELLTALE_SOAK"), reason="minutes of trainings: in make soak")
def test_many_channels_by_workers_and_by_commands(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.json"
    few = ["--preset", "quick", "--workers", "2", "--commands", "1"]
    train_all.main([*map(str, files), *few, "--json", str(out)])
    found = json.loads(out.read_text("utf-8"))
    assert all(isinstance(value, int | float | str) for value in found.values())
    assert (found["channels_count"], found["preset"]) == (2, "quick")
    assert found["2_workers_registered_count"] == found["2_workers_trainings_count"] == 2
    assert (
        found["one_command_at_a_time_registered_count"] == found["one_command_at_a_time_trainings_count"] == 1
    )
    for name in ("2_workers", "one_command_at_a_time"):
        assert found[f"{name}_cpu_s"] > 0
        trainings, wall_s = found[f"{name}_trainings_count"], found[f"{name}_wall_s"]
        assert found[f"{name}_trainings_per_minute"] == pytest.approx(60 * trainings / wall_s)
    assert "one command at a time" in capsys.readouterr().out
