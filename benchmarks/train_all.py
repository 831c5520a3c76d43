"""Training many channels by `telltale train --all`: with two workers, with one, and a command at a time.

    python -m benchmarks.train_all DATA.zip LABELS.csv --channels P-1,T-1 --preset quick --json OUT.json

Each way gets a copy of the same home and trains every channel once, its scoring included, in processes of
their own, as `telltale run` and the command line start them. A command at a time is `telltale train CHANNEL`
with nothing else at work, so that each one loads what it needs anew; ``--commands`` measures fewer of them.
Seconds are those of the clock, from the first command's start to the last one's end; workers that wait for
work have not loaded anything yet.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.clock import now
from benchmarks.smap_channels import read_channels
from benchmarks.tables import show, write
from core.jobs.supervisor import supervisor_alive
from core.workflows.ingest import ingest
from core.workflows.requests import PRESET_NAMES
from warehouse.home import Warehouse
from warehouse.layout import Layout
from warehouse.sources import smap_msl

ROOT: Final = Path(__file__).parents[1]

_START_S: Final = 120.0
_GRACE_S: Final = 20.0


@dataclass(frozen=True)
class Measured:
    """What one way to train took.

    Parameters
    ----------
    trainings, registered
        How many were asked for, and how many versions came of them.
    wall_s, cpu_s
        Seconds of the clock, and of all processes.
    """

    trainings: int
    registered: int
    wall_s: float
    cpu_s: float

    @property
    def per_minute(self) -> float:
        """Trainings a minute."""
        return 60 * self.trainings / self.wall_s


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--channels", help="names, by commas; all that both files hold without")
    parser.add_argument("--preset", choices=PRESET_NAMES, default="standard")
    parser.add_argument("--workers", default="2,1", help="numbers of workers, by commas")
    parser.add_argument("--commands", type=int, help="trainings by a command each; all without, 0 for none")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    names = options.channels.split(",") if options.channels else None
    channels = [one.name for one in read_channels(options.data, options.labels, names)]
    found: dict[str, Measured] = {}
    with tempfile.TemporaryDirectory(prefix="telltale-") as folder:
        stored = Path(folder) / "stored"
        home = Warehouse.open(stored)
        batch = smap_msl.read(options.data, options.labels, now=now(), channels=channels)
        ingest(batch, warehouse=home, clock=now, actor="benchmark", queue=False)
        home.close()
        for workers in map(int, options.workers.split(",")):
            copy = _copy(stored, f"workers-{workers}")
            name = "one worker" if workers == 1 else f"{workers} workers"
            found[name] = with_workers(copy, workers, len(channels), options.preset)
        if options.commands != 0:
            copy = _copy(stored, "commands")
            found["one command at a time"] = by_commands(copy, channels[: options.commands], options.preset)
    figures: dict[str, float | int | str] = {"channels_count": len(channels), "preset": options.preset}
    figures["cores_count"] = os.cpu_count() or 1
    rows = []
    slowest = min(one.per_minute for one in found.values())
    for name, one in found.items():
        key = name.replace(" ", "_")
        figures |= {
            f"{key}_trainings_count": one.trainings,
            f"{key}_registered_count": one.registered,
            f"{key}_wall_s": one.wall_s,
            f"{key}_cpu_s": one.cpu_s,
            f"{key}_trainings_per_minute": one.per_minute,
        }
        told = [f"{one.registered} of {one.trainings}", f"{one.wall_s:.1f}", f"{one.cpu_s:.1f}"]
        rows.append([name, *told, f"{one.per_minute:.1f}", f"{one.per_minute / slowest:.2f}"])
    header = ["who trains", "versions", "wall s", "CPU s", "trainings a minute", "times the slowest"]
    show(f"{options.preset} training of {len(channels)} channels, {os.cpu_count()} cores", header, rows)
    write(options.json, figures)


def with_workers(home: Path, workers: int, trainings: int, preset: str) -> Measured:
    """Train all channels of a home by one command, while a supervisor with so many workers lives."""
    environment, before = _environment(home), _children_cpu_s()
    log = home.parent / f"{home.name}.log"
    with log.open("wb") as output:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "core.jobs.supervisor", "--home", str(home), "--workers", str(workers)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + _START_S
        while not supervisor_alive(Layout(home)):
            if supervisor.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"the supervisor did not start:\n{log.read_text('utf-8', errors='replace')}")
            time.sleep(0.1)
        start = time.perf_counter()
        _telltale(environment, "train", "--all", "--preset", preset)
        wall_s = time.perf_counter() - start
    finally:
        supervisor.terminate()
        supervisor.wait(_GRACE_S)
    return Measured(trainings, _registered(home), wall_s, _children_cpu_s() - before)


def by_commands(home: Path, channels: Sequence[str], preset: str) -> Measured:
    """Train channels one after the other, each by a command of its own that does the work itself."""
    environment, before, start = _environment(home), _children_cpu_s(), time.perf_counter()
    for channel in channels:
        _telltale(environment, "train", channel, "--preset", preset)
    wall_s = time.perf_counter() - start
    return Measured(len(channels), _registered(home), wall_s, _children_cpu_s() - before)


def _telltale(environment: Mapping[str, str], *arguments: str) -> None:
    """Run one command; a training that registers nothing is told by its status and counted."""
    command = [sys.executable, "-m", "app.commands.entry", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in {0, 1}:
        raise SystemExit(f"telltale {' '.join(arguments)} failed:\n{done.stderr}")


def _environment(home: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT), "TELLTALE_HOME": str(home), "TELLTALE_PROFILE": "benchmark"}


def _copy(stored: Path, name: str) -> Path:
    return Path(shutil.copytree(stored, stored.parent / name))


def _registered(home: Path) -> int:
    warehouse = Warehouse.open(home)
    try:
        return sum(one.kind == "trained" for one in warehouse.catalog.versions())
    finally:
        warehouse.close()


def _children_cpu_s() -> float:
    """Return the CPU seconds of all processes below this one that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
