"""Put on PYTHONPATH of the processes under test: notes what they import and whom they want to reach.

Python loads this file at its start. Audit hooks can't be removed and see every use of the socket module.
What would leave the host is noted and then refused, so that a failing test sends nothing either.
"""

import os
import sys
import threading

_OUT = os.environ.get("WATCHED_OUT")
_PACKAGES = ("tensorflow", "keras", "mlflow")
_LOCAL = ("127.", "::1", "localhost", "0.0.0.0", "::")  # noqa: S104 -- compared with, never bound
_inside = threading.local()


def _host(event, args):
    address = args[1] if event != "socket.getaddrinfo" else args[0]
    if isinstance(address, tuple):
        return str(address[0])
    # A text is a Unix socket's path for connect and a name for getaddrinfo.
    return str(address) if event == "socket.getaddrinfo" and address is not None else ""


def _seen(event, args):
    if getattr(_inside, "busy", False):
        return
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo"}:
        host = _host(event, args)
        if host and not host.startswith(_LOCAL):
            _note("net", f"{event} {host}")
            raise OSError(101, "Network is unreachable")
    elif event == "import" and args[0] in _PACKAGES:
        _note("import", args[0])


def _note(kind, what):
    _inside.busy = True
    try:
        with open(_OUT, "a", encoding="utf-8") as out:  # noqa: PTH123 -- pathlib is not imported yet
            out.write(f"{kind}\t{os.getpid()}\t{' '.join(sys.argv)[:200]}\t{what}\n")
    finally:
        _inside.busy = False


if _OUT:
    sys.addaudithook(_seen)
