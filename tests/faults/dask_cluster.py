"""A Dask scheduler and its workers in processes of their own on loopback, started as a person would."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import psutil
from running import ROOT, free_port, wait_for

# As Dask's nanny sets them; a worker without one is told by whoever starts it.
_PINNED = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

# Without an address of its own, a dashboard that is off still answers on all of them.
_LOOPBACK = ("--host", "127.0.0.1", "--no-dashboard", "--dashboard-address", "127.0.0.1:0")


class DaskCluster:
    """Processes that end with the `with` block.

    Parameters
    ----------
    tls
        Options for certificates; without, connections are plain.
    nanny
        Whether each worker has a process that restarts it.
    """

    def __init__(
        self, folder: Path, *, port: int | None = None, tls: Sequence[str] = (), nanny: bool = False
    ) -> None:
        self.folder = folder
        self.folder.mkdir()
        self._port = port or free_port()
        self._tls, self._nanny = tuple(tls), nanny
        self.address = f"{'tls' if tls else 'tcp'}://127.0.0.1:{self._port}"
        self._processes: list[subprocess.Popen[bytes]] = []

    def with_workers(self, count: int) -> Self:
        """Start a scheduler and so many workers, and wait until they know each other."""
        self._start("dask_scheduler", "--port", str(self._port), "--no-show")
        name = "dask_scheduler-0"
        assert wait_for(lambda: "Scheduler at" in self.said(name)), self.said(name)
        for _ in range(count):
            self.add_worker()
        return self

    def add_worker(self) -> None:
        """Start another worker and wait until the scheduler has it."""
        options = ["--nthreads", "1", "--nworkers", "1", "--nanny" if self._nanny else "--no-nanny"]
        local = ["--local-directory", str(self.folder / "local")]
        name = f"dask_worker-{len(self._processes)}"
        self._start("dask_worker", self.address, *options, *local)
        assert wait_for(lambda: "Starting established connection" in self.said(name)), self.said(name)

    def kill(self, address: str) -> None:
        """Kill the worker that listens at an address."""
        numbers = range(1, len(self._processes))
        told = {number: self.said(f"dask_worker-{number}").split() for number in numbers}
        worker = self._processes[next(number for number in numbers if address in told[number])]
        worker.send_signal(signal.SIGKILL)
        worker.wait()

    def learner(self) -> psutil.Process:
        """Return the process in which the first worker learns, below its nanny."""
        below = psutil.Process(self._processes[1].pid).children()
        return next(one for one in below if "spawn_main" in " ".join(one.cmdline()))

    def said(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text("utf-8", errors="replace")

    def family(self) -> list[psutil.Process]:
        """Return the living processes and their children."""
        found = []
        for one in self._processes:
            if one.poll() is None:
                process = psutil.Process(one.pid)
                found += [process, *process.children(recursive=True)]
        return found

    def _start(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "PYTHONPATH": str(ROOT),
            "TF_CPP_MIN_LOG_LEVEL": "2",
            **_PINNED,
        }
        log = self.folder / f"{program}-{len(self._processes)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.{program}", *arguments, *_LOOPBACK, *self._tls],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
            )
        self._processes.append(process)
        return process

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for one in self.family():
            one.kill()
        for process in self._processes:
            process.wait()
