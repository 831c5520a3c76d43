"""The link to a run in MLflow, and MLflow's own pages: read by a browser, changed by nobody, gone with us."""

import asyncio
import http.client
import json
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import psutil
import pytest
from starlette.applications import Starlette

from app.settings import load
from app.tracking_server import RunLink
from core.registry.tracking import NewRun, Tracking
from warehouse.layout import Layout

RUN = "0123456789abcdef0123456789abcdef"
STARTS_S = 60.0


@dataclass
class Answer:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    text: str = ""


@dataclass
class Browser:
    """Asks an ASGI application directly."""

    link: RunLink

    def get(self, path: str, *, method: str = "GET", host: str = "127.0.0.1:8501", site: str = "") -> Answer:
        sent = [(b"host", host.encode())] + ([(b"sec-fetch-site", site.encode())] if site else [])
        scope: dict[str, Any] = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": sent,
        }
        answer = Answer()

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            else:
                answer.text += message.get("body", b"").decode()

        asyncio.run(Starlette(routes=[self.link.route])(scope, receive, send))
        return answer


def browser(home: Path, tracking: str = "") -> Browser:
    environment = {"TELLTALE_HOME": str(home)} | ({"TELLTALE_TRACKING": tracking} if tracking else {})
    return Browser(RunLink(lambda: load(environment)))


def test_a_server_that_the_settings_name_is_where_the_link_leads(tmp_path):
    answer = browser(tmp_path, "https://mlflow.example:8443/ml").get(f"/mlflow/run/{RUN}")
    assert answer.status == 302
    assert answer.headers["location"] == f"https://mlflow.example:8443/ml/#/runs/{RUN}"


@pytest.mark.parametrize(
    "run",
    [
        "x" * 32,
        RUN[:-1],
        RUN + "0",
        RUN.upper(),
        f"{RUN}%0d%0aX-Other:%201",
        "%2e%2e",
        f"{RUN}%2f..%2f..",
        "https:%2f%2felsewhere.example",
    ],
)
def test_nothing_but_a_run_is_sent_anywhere(tmp_path, run):
    answer = browser(tmp_path, "https://mlflow.example").get(f"/mlflow/run/{run}")
    assert answer.status == 404
    assert "location" not in answer.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_the_link_can_only_be_followed(tmp_path, method):
    there = browser(tmp_path, "https://mlflow.example")
    assert there.get(f"/mlflow/run/{RUN}", method=method).status == 405


def test_pages_of_others_start_nothing(tmp_path):
    assert browser(tmp_path).get(f"/mlflow/run/{RUN}", site="cross-site").status == 403
    assert browser(tmp_path).get(f"/mlflow/run/{RUN}", host="rebound.example").status == 403


def test_a_home_without_runs_starts_nothing(tmp_path):
    answer = browser(tmp_path).get(f"/mlflow/run/{RUN}")
    assert answer.status == 404
    assert "No run" in answer.text
    assert not (tmp_path / "logs").exists()


@pytest.fixture
def run_id(tmp_path: Path) -> str:
    files = tmp_path / "model"
    files.mkdir()
    (files / "weights.json").write_text("{}")
    new = NewRun(
        name="P-1 telemanom",
        registered_name="sensor-1-telemanom",
        parameters={"epochs": 3},
        metrics={"normalised_error": 0.25},
        curves=[(1, "loss", 0.5)],
        tags={"sensor": "P-1"},
        folder=files,
        finished_at=datetime(2026, 1, 5, tzinfo=UTC),
    )
    return Tracking(Layout(tmp_path).tracking).register(new).run_id


def asked(address: str, method: str, path: str, body: object = None, **headers: str) -> tuple[int, bytes]:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    sent = None if body is None else json.dumps(body)
    connection.request(method, path, sent, {"content-type": "application/json", **headers})
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


def test_a_run_is_one_click_away_and_can_only_be_looked_at(tmp_path, run_id):
    person = browser(tmp_path)
    before = set(psutil.Process().children(recursive=True))
    try:
        first = person.get(f"/mlflow/run/{run_id}")
        assert first.status == 200
        assert "MLflow is starting" in first.text
        assert 'http-equiv="refresh"' in first.text

        pause, ends = threading.Event(), time.monotonic() + STARTS_S
        while (answer := person.get(f"/mlflow/run/{run_id}")).status == 200:
            assert time.monotonic() < ends, "MLflow did not start"
            pause.wait(0.2)
        assert answer.status == 302, answer.text
        address, _, place = answer.headers["location"].partition("/#/")
        assert urlsplit(address).hostname == "127.0.0.1"
        assert place == f"runs/{run_id}"

        # One process, however often somebody clicks.
        (child,) = set(psutil.Process().children(recursive=True)) - before
        assert person.get(f"/mlflow/run/{run_id}").headers["location"] == answer.headers["location"]
        assert set(psutil.Process().children(recursive=True)) - before == {child}

        status, page = asked(address, "GET", "/")
        assert (status, b'<div id="root"' in page) == (200, True)
        status, found = asked(address, "GET", f"/ajax-api/2.0/mlflow/runs/get?run_id={run_id}")
        assert status == 200
        assert json.loads(found)["run"]["info"]["run_name"] == "P-1 telemanom"
        experiment = json.loads(found)["run"]["info"]["experiment_id"]
        status, found = asked(
            address, "POST", "/ajax-api/2.0/mlflow/runs/search", {"experiment_ids": [experiment]}
        )
        assert (status, len(json.loads(found)["runs"])) == (200, 1)
        # Its pages report nothing to anybody.
        status, found = asked(address, "GET", "/ajax-api/3.0/mlflow/ui-telemetry")
        assert (status, json.loads(found)["disable_ui_telemetry"]) == (200, True)

        status, found = asked(address, "POST", "/api/2.0/mlflow/runs/delete", {"run_id": run_id})
        assert (status, b"for reading" in found) == (403, True)
        status, _ = asked(address, "DELETE", "/api/2.0/mlflow/registered-models/delete", {"name": "sensor-1"})
        assert status == 403
        status, _ = asked(address, "GET", "/api/2.0/mlflow/runs/get?run_id=" + run_id, host="rebound.example")
        assert status == 403
        status, found = asked(address, "GET", f"/api/2.0/mlflow/runs/get?run_id={run_id}")
        assert json.loads(found)["run"]["info"]["lifecycle_stage"] == "active"
    finally:
        person.link.stop()
    assert not child.is_running()
