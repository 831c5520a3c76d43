"""MLflow's pages, opened at a run: on the server that the settings name, else started here on demand."""

import http.client
import logging
import os
import re
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from app.settings import LOOPBACK, Settings, load
from core.jobs.parent import end, how_it_ended, spawn
from core.registry.tracking import DATABASE
from warehouse.layout import Layout

PATH: Final = "/mlflow/run/{run_id}"

_ROOT: Final = Path(__file__).resolve().parent.parent
_HOST: Final = "127.0.0.1"
_RUN_ID: Final = re.compile(r"[0-9a-f]{32}")
_GRACE_S: Final = 3.0
_ANSWER_S: Final = 2.0
_SAFE: Final = {"Content-Security-Policy": "default-src 'none'", "Cache-Control": "no-store"}

_log = logging.getLogger("telltale.web")


class TrackingServer:
    """The process that shows the MLflow store of one home; there is one at most, and it ends with this one.

    Parameters
    ----------
    layout
        Of the home.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._ready: str | None = None

    @property
    def log(self) -> Path:
        """What the process writes."""
        return self._layout.logs / "mlflow.log"

    @property
    def _port_file(self) -> Path:
        return self._layout.logs / "mlflow.port"

    @property
    def has_runs(self) -> bool:
        """Whether anything was ever tracked in this home."""
        return (self._layout.tracking / DATABASE).is_file()

    def address(self) -> str | None:
        """Return where it answers, having started it if need be; None while it starts.

        Raises
        ------
        ChildProcessError
            It ended by itself; the next call starts it again.
        """
        with self._lock:
            if self._process is None:
                self._start()
            elif (status := self._process.poll()) is not None:
                self._forget()
                raise ChildProcessError(f"MLflow ended ({how_it_ended(status)}): {_last_line(self.log)}")
            elif self._ready is None:
                self._ready = self._answering()
            return self._ready

    def stop(self) -> None:
        """End it if it runs."""
        with self._lock:
            if self._process is not None:
                end(self._process, grace_s=_GRACE_S)
                self._forget()

    def _start(self) -> None:
        self._port_file.unlink(missing_ok=True)
        program = [sys.executable, "-m", "app.tracking_child"]
        places = ["--root", str(self._layout.tracking), "--port-file", str(self._port_file)]
        self._process = spawn([*program, *places], environment=os.environ, log=self.log, folder=_ROOT)

    def _forget(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
        self._process = self._ready = None

    def _answering(self) -> str | None:
        try:
            port = int(self._port_file.read_text(encoding="ascii"))
        except FileNotFoundError:
            return None
        connection = http.client.HTTPConnection(_HOST, port, timeout=_ANSWER_S)
        try:
            connection.request("GET", "/health")
            healthy = connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
        return f"http://{_HOST}:{port}" if healthy else None


class RunLink:
    """Answers a link to a run: sends the browser to MLflow's page of it, once that is there.

    Parameters
    ----------
    settings
        Returns the settings in force.
    """

    def __init__(self, settings: Callable[[], Settings] = load) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._server: TrackingServer | None = None

    @property
    def route(self) -> Route:
        """Where the link is."""
        return Route(PATH, self.answer, methods=["GET"])

    def answer(self, request: Request) -> Response:
        """Answer one request; may take as long as a look at a process that starts."""
        run_id = str(request.path_params["run_id"])
        if not _RUN_ID.fullmatch(run_id):
            return PlainTextResponse("There is no such run.", 404)
        # A page of somebody else may not start a process here.
        if request.url.hostname not in LOOPBACK or request.headers.get("sec-fetch-site") == "cross-site":
            return PlainTextResponse("Open this from Telltale.", 403)
        known = self._settings()
        if known.tracking:
            return _to_run(_without_password(known.tracking), run_id)
        server = self._server_of(known.home)
        if server.has_runs:
            return _own_run(server, run_id)
        return PlainTextResponse("No run is stored in this home.", 404)

    def stop(self) -> None:
        """End what was started."""
        with self._lock:
            if self._server is not None:
                self._server.stop()

    def _server_of(self, home: Path) -> TrackingServer:
        with self._lock:
            if self._server is None:
                self._server = TrackingServer(Layout(home.absolute()))
            return self._server


def _own_run(server: TrackingServer, run_id: str) -> Response:
    try:
        address = server.address()
    except (ChildProcessError, OSError) as error:
        _log.warning("MLflow's pages can't be shown: %s", error)
        return _page("MLflow could not be started", f"{error}. All of it is in {server.log}.", status=503)
    if address is None:
        return _page("MLflow is starting", "The run opens here in a few seconds.", again=True)
    return _to_run(address, run_id)


def _to_run(address: str, run_id: str) -> Response:
    # MLflow finds the experiment by itself.
    return RedirectResponse(f"{address}/#/runs/{run_id}", 302, {"Cache-Control": "no-store"})


def _without_password(address: str) -> str:
    parts = urllib.parse.urlsplit(address)
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="")
    return urllib.parse.urlunsplit(bare).rstrip("/")


def _page(title: str, text: str, *, status: int = 200, again: bool = False) -> Response:
    refresh = '<meta http-equiv="refresh" content="1">' if again else ""
    return HTMLResponse(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">{refresh}<title>{escape(title)}</title>'
        f"</head><body><h1>{escape(title)}</h1><p>{escape(text)}</p></body></html>",
        status,
        _SAFE,
    )


def _last_line(log: Path) -> str:
    lines = [line.strip() for line in log.read_text("utf-8", errors="replace").splitlines()[-50:]]
    return next((line for line in reversed(lines) if line), "it wrote nothing")
