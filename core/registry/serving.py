"""MLflow's own pages over the store of one home, to look at and not to change."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any, Final

from core.registry.tracking import database_uri

HOST: Final = "127.0.0.1"

_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
# What MLflow's pages ask by POST although it changes nothing: the last part of the path begins like this.
_QUESTIONS: Final = ("search", "graphql", "get-", "list", "batchGet")
_REFUSED: Final = (
    b"These pages are for reading: versions are registered, promoted and retired in Telltale, "
    b"where roles are checked and everything is recorded."
)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class ReadOnly:
    """An ASGI application that lets questions through to another one, and refuses everything else."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan" or (scope["type"] == "http" and _is_question(scope)):
            await self._application(scope, receive, send)
        elif scope["type"] == "http":
            headers = [(b"content-type", b"text/plain; charset=utf-8")]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": _REFUSED})
        else:
            await send({"type": "websocket.close", "code": 1008})


def serve(root: Path, *, port_file: Path) -> None:
    """Show the store in the folder `root` to this machine's browsers until the process is ended.

    Parameters
    ----------
    root
        Folder of the store.
    port_file
        Gets the number of the port, once nobody else can have it.
    """
    with socket.create_server((HOST, 0)) as listening:
        port = listening.getsockname()[1]
        # Read when mlflow is imported. Its own way to start is left out: the processes it adds outlive ours.
        os.environ.update(
            {
                "MLFLOW_DISABLE_TELEMETRY": "true",
                "DO_NOT_TRACK": "true",
                "MLFLOW_SERVER_ALLOWED_HOSTS": f"{HOST}:{port}",
                "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS": f"http://{HOST}:{port}",
                "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            }
        )
        waiting = port_file.with_suffix(".new")
        waiting.write_text(str(port), encoding="ascii")
        waiting.replace(port_file)
        import uvicorn
        from mlflow.server.constants import BACKEND_STORE_URI_ENV_VAR, REGISTRY_STORE_URI_ENV_VAR

        os.environ[BACKEND_STORE_URI_ENV_VAR] = database_uri(root)
        os.environ[REGISTRY_STORE_URI_ENV_VAR] = database_uri(root)
        from mlflow.server.fastapi_app import app

        server = uvicorn.Server(uvicorn.Config(ReadOnly(app), log_level="warning", access_log=False))
        asyncio.run(server.serve(sockets=[listening]))


def _is_question(scope: Scope) -> bool:
    if scope["method"] in _READING:
        return True
    return scope["method"] == "POST" and str(scope["path"]).rsplit("/", 1)[-1].startswith(_QUESTIONS)
