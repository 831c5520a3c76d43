"""`telltale run`: the web process and the supervisor, started together and ended together."""

import errno
import http.client
import os
import platform
import signal
import socket
import subprocess
import sys
import threading
import time
import webbrowser
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Final

from app.actions.work import start_demo
from app.roles import NotAllowed
from app.settings import PREFIX, Settings
from core.jobs.cores import usual_workers
from core.jobs.parent import SAID, end, how_it_ended, spawn
from core.jobs.supervisor import REFUSED
from warehouse.home import Warehouse
from warehouse.lock import LockHeld, ProcessLock

ROOT: Final = Path(__file__).resolve().parent.parent

RESTARTS: Final = 5
RESTARTS_WITHIN_S: Final = 600.0

_TICK_S: Final = 0.1
_GRACE_S: Final = 8.0

# No library of ours reports home, whatever else the environment says.
SILENT: Final = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}


def launch(settings: Settings, *, demo: bool = False, browser: bool = True) -> int:
    """Run the app until Ctrl+C and return the exit status.

    Parameters
    ----------
    demo
        Fill an empty home with the demo fleet once the app answers.
    browser
        Open a browser when the settings want it and there is a screen.

    Raises
    ------
    HomeError
        The home can't be used; other errors of `Warehouse.open` as well.
    """
    url = url_of(settings)
    warehouse = Warehouse.open(settings.home)
    lock = ProcessLock(warehouse.layout.launcher_lock)
    try:
        lock.acquire()
    except LockHeld as held:
        who = "another process" if held.pid is None else f"process {held.pid}"
        return _refuse(
            f"the app runs already for {settings.home} ({who}): "
            "open it in a browser, or stop it with Ctrl+C in its terminal"
        )
    try:
        if not port_is_free(settings.address, settings.port):
            return _refuse(
                f"port {settings.port} of {settings.address} is taken by another program: "
                f"stop that, or start with another port, such as {PREFIX}PORT={settings.port + 1}"
            )
        return _Run(settings, warehouse, url).until_stopped(demo=demo, browser=browser)
    finally:
        lock.release()


def streamlit_flags(settings: Settings) -> list[str]:
    """Return the flags that make Streamlit safe, whatever a config.toml in some folder says."""
    options = [
        ("server.address", settings.address),
        ("server.port", str(settings.port)),
        ("server.headless", "true"),
        ("server.enableCORS", "true"),
        ("server.enableXsrfProtection", "true"),
        # A name that someone else's server resolves to this machine is not ours.
        *(("server.allowedHosts", host) for host in ("127.0.0.1", "localhost", "::1")),
        ("server.maxUploadSize", "50"),
        ("server.fileWatcherType", "none"),
        ("server.runOnSave", "false"),
        ("server.enableStaticServing", "false"),
        ("server.enableAgentApi", "false"),
        ("browser.gatherUsageStats", "false"),
        ("client.allowedOrigins", url_of(settings)),
        ("client.showErrorDetails", "none"),
        ("client.showErrorLinks", "false"),
        ("client.toolbarMode", "minimal"),
        ("logger.hideWelcomeMessage", "true"),
        ("runner.magicEnabled", "false"),
        # Else each tick of a live part ends with a search of all objects for garbage, 0.1 s of CPU time.
        ("runner.postScriptGC", "false"),
        ("global.developmentMode", "false"),
    ]
    return [f"--{name}={value}" for name, value in options]


def url_of(settings: Settings) -> str:
    """Return where the app answers."""
    host = f"[{settings.address}]" if ":" in settings.address else settings.address
    return f"http://{host}:{settings.port}"


def port_is_free(address: str, port: int) -> bool:
    """Return whether the web process can listen there."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        if os.name != "nt":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
            probe.listen(1)
        except OSError as error:
            if error.errno in {errno.EADDRINUSE, errno.EACCES}:
                return False
            raise
    return True


def supervisor_command(settings: Settings, home: Path) -> list[str]:
    """Return the command line of the supervisor of `home`, with what the settings say of its workers."""
    options = {
        "home": str(home),
        "workers": str(settings.workers or usual_workers()),
        "tracking": settings.tracking,
        "cluster": settings.cluster,
        "cluster-ca": settings.cluster_ca,
        "cluster-cert": settings.cluster_cert,
        "cluster-key": settings.cluster_key,
    }
    given = [word for name, value in options.items() if value for word in (f"--{name}", value)]
    return [sys.executable, "-m", "core.jobs.supervisor", *given]


class Restarts:
    """How often something may be started again: a few times in some minutes, then it is broken."""

    def __init__(self) -> None:
        self._at: list[float] = []

    def allowed(self, now_s: float) -> bool:
        """Count a start at `now_s` seconds and return True, or return False where there were too many."""
        self._at = [at for at in self._at if now_s - at < RESTARTS_WITHIN_S]
        if len(self._at) >= RESTARTS:
            return False
        self._at.append(now_s)
        return True


class _Child:
    """A process of the app's, with where it says what is wrong."""

    process: subprocess.Popen[bytes]

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.name, self.log = name, log
        self._command, self._environment = command, environment

    def start(self) -> None:
        # The current folder is where Streamlit finds .streamlit/config.toml with the theme.
        self.process = spawn(self._command, environment=self._environment, log=self.log, folder=ROOT)


class _Run:
    def __init__(self, settings: Settings, warehouse: Warehouse, url: str) -> None:
        self._settings = settings
        self._warehouse = warehouse
        self._url = url
        self._stop = threading.Event()
        self._children: list[_Child] = []
        self._restarts = Restarts()

    def until_stopped(self, *, demo: bool, browser: bool) -> int:
        handled = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if os.name != "nt" else [])]
        before = {number: signal.signal(number, self._asked_to_stop) for number in handled}
        try:
            self._start()
            announced = False
            while not self._stop.wait(_TICK_S):
                lost = self._first_lost()
                if lost is not None:
                    return self._report(*lost)
                if not announced and self._answers():
                    announced = True
                    self._announce(demo=demo, browser=browser)
        finally:
            for child in self._children:
                if child.process.poll() is None:
                    child.process.terminate()
            for child in self._children:
                end(child.process, grace_s=_GRACE_S)
            for number, handler in before.items():
                signal.signal(number, handler)
        _say("stopped")
        return 0

    def _asked_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stop.set()

    def _start(self) -> None:
        settings = self._settings
        logs = self._warehouse.layout.logs
        environment = {
            **os.environ,
            **SILENT,
            PREFIX + "HOME": str(self._warehouse.root),
            PREFIX + "ADDRESS": settings.address,
            PREFIX + "PORT": str(settings.port),
            PREFIX + "PROFILE": settings.profile,
            PREFIX + "ROLE": settings.role,
        }
        python = sys.executable
        server = [
            python,
            "-m",
            "streamlit",
            "run",
            str(ROOT / "app" / "server.py"),
            *streamlit_flags(settings),
        ]
        supervisor = supervisor_command(settings, self._warehouse.root)
        for name, arguments in (("web", server), ("supervisor", supervisor)):
            child = _Child(name, arguments, environment, logs / f"{name}.log")
            child.start()
            self._children.append(child)

    def _first_lost(self) -> tuple["_Child", int] | None:
        """Return a dead child that is not to be started again, and its exit status; None if there is none.

        A supervisor that died is started again, for the screens can do without it meanwhile; the web process
        is not, for people look at it.
        """
        for child in self._children:
            status = child.process.poll()
            if status is None:
                continue
            refused = child.name != "supervisor" or status == REFUSED
            if refused or not self._restarts.allowed(time.monotonic()):
                return child, status
            end(child.process, grace_s=0)
            child.start()
            _say(
                f"started the supervisor again, which had ended ({how_it_ended(status)}): work goes on; "
                f"its log is {child.log}"
            )
        return None

    def _report(self, child: "_Child", status: int) -> int:
        text = child.log.read_text("utf-8", errors="replace")
        lines = [line.strip() for line in text.splitlines()[-200:]]
        told = [line.removeprefix(SAID) for line in lines if line.startswith(SAID)]
        last = next((line for line in (*reversed(told), *reversed(lines)) if line), "it wrote nothing")
        crashed = child.name == "supervisor" and status != REFUSED
        how = how_it_ended(status) + (f", again after {RESTARTS} new starts" if crashed else "")
        return _refuse(f"the {child.name} process ended ({how}): {last}; all of it is in {child.log}")

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(self._settings.address, self._settings.port, timeout=2)
        try:
            connection.request("GET", "/_stcore/health")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _announce(self, *, demo: bool, browser: bool) -> None:
        _say(f"answers at {self._url} (data in {self._warehouse.root}); Ctrl+C stops it")
        if demo and not self._warehouse.catalog.assets():
            self._fill()
        if browser and self._settings.open_browser and _has_screen():
            webbrowser.open(self._url)

    def _fill(self) -> None:
        profile = self._settings.local
        try:
            start_demo(profile, self._warehouse, seed=self._settings.demo_seed)
        except NotAllowed as error:
            _say(f"leaves the home empty: {error}")


def _has_screen() -> bool:
    if platform.system() == "Linux":
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return sys.stdout.isatty()


def _say(message: str) -> None:
    sys.stdout.write(f"telltale {message}\n")
    sys.stdout.flush()


def _refuse(message: str) -> int:
    sys.stderr.write(f"telltale: {message}\n")
    return 1
