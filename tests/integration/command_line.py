"""The command line as a person runs it, and small files for it."""

import csv
import io
import os
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

ROOT = Path(__file__).parents[2]


def telltale(
    home: Path, *arguments: str, folder: Path | None = None, **extra: str
) -> subprocess.CompletedProcess[str]:
    """Run one command on `home` and return how it ended."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TELLTALE_")}
    return subprocess.run(
        [sys.executable, "-m", "app.commands.entry", *arguments],
        cwd=folder or home.parent,
        env={**environment, "PYTHONPATH": str(ROOT), "TELLTALE_HOME": str(home), "COLUMNS": "100", **extra},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    """Return the one line of a failed command, having checked that it failed as promised."""
    lines = [line for line in done.stderr.splitlines() if line.startswith("telltale: ")]
    assert done.returncode == 1, (done.stdout, done.stderr)
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.stderr
    return lines[0]


def npy(values: np.ndarray) -> bytes:
    """Return an array as the bytes of an npy file."""
    stream = io.BytesIO()
    np.save(stream, values, allow_pickle=values.dtype == object)
    return stream.getvalue()


def channel(steps: int, seed: int) -> np.ndarray:
    """Return (steps, 4): a telemetry value that follows three one-hot commands, with a little noise."""
    random = np.random.default_rng(seed)
    command = (np.arange(steps) // 40) % 3
    hot = np.eye(3)[command]
    value = np.convolve(command - 1.0, np.ones(8) / 8, mode="same") + 0.02 * random.standard_normal(steps)
    return np.column_stack([value, hot])


def write_spacecraft(folder: Path, *, constant: bool = False) -> tuple[Path, Path]:
    """Write a zip and a labels file in the published form; the test part of each channel has one fault."""
    archive, labels = folder / "DATA.zip", folder / "LABELS.csv"
    with zipfile.ZipFile(archive, "w") as target:
        for number, name in enumerate(("P-1", "T-1")):
            train, test = channel(900, number), channel(1200, 10 + number)
            test[700:760, 0] += 3.0
            if constant and name == "T-1":
                train[:, 0] = -1.0
            target.writestr(f"data/train/{name}.npy", npy(train))
            target.writestr(f"data/test/{name}.npy", npy(test))
    with labels.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["chan_id", "spacecraft", "anomaly_sequences", "class", "num_values"])
        for name in ("P-1", "T-1"):
            writer.writerow([name, "SMAP", "[[700, 759]]", "[point]", "1200"])
    return archive, labels


def write_pump(folder: Path) -> Path:
    """Write a wide table in local time, ten minutes a row, with a bad cell, a bad time and a gap."""
    path = folder / "pump.csv"
    random = np.random.default_rng(5)
    lines = ["time,flow,load"]
    for step in range(600):
        if 300 <= step < 320:
            continue
        hour, minute = divmod(step * 10, 60)
        load = 50 + 10 * np.sin(step / 20)
        stamp = f"2026-01-{1 + hour // 24:02d} {hour % 24:02d}:{minute:02d}"
        flow = "broken" if step == 100 else f"{2 * load + random.standard_normal():.2f}"
        lines.append(f"{'1970-01-01 00:00' if step == 101 else stamp},{flow},{load:.2f}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_later_pump(folder: Path) -> Path:
    """Write the same pump's next day as Parquet with times in UTC, and again as CSV in an inbox."""
    times = pl.datetime_range(
        datetime(2026, 1, 6, tzinfo=UTC), datetime(2026, 1, 7, tzinfo=UTC), "10m", eager=True, closed="left"
    )
    load = 50 + 10 * np.sin(np.arange(times.len()) / 20)
    table = pl.DataFrame({"time": times, "flow": 2 * load, "load": load})
    (folder / "inbox").mkdir()
    local = table.with_columns((pl.col("time") + pl.duration(days=1)).dt.to_string("%Y-%m-%d %H:%M"))
    local.write_csv(folder / "inbox" / "day.csv")
    table.write_parquet(folder / "pump.parquet")
    return folder / "pump.parquet"
