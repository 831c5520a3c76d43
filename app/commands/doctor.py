"""`telltale doctor`: what is wrong, and what to do."""

import importlib.util
import platform
import shutil
import sys
from typing import Annotated

import typer

from app.commands.console import desk, out
from app.commands.repair import described
from app.launcher import port_is_free
from warehouse.lock import is_held

_NEEDED_MB = 500


def doctor(
    verify: Annotated[
        bool, typer.Option("--verify", help="Read every stored file and compare its hash.")
    ] = False,
) -> None:
    """Check the installation, the home and, with --verify, every stored file; ends with 1 if one is bad."""
    place = desk()
    wrong = 0

    def tell(what: str, good: str, bad: str | None) -> None:
        nonlocal wrong
        wrong += bad is not None
        out.print(
            f"{'ok   ' if bad is None else 'WRONG'} {what}: {good if bad is None else bad}", markup=False
        )

    version = sys.version_info
    tell(
        "python",
        platform.python_version(),
        None if (3, 11) <= version[:2] < (3, 14) else f"{platform.python_version()} is not 3.11 to 3.13",
    )
    missing = [
        name
        for name in ("tensorflow", "keras", "mlflow", "streamlit", "duckdb", "polars")
        if importlib.util.find_spec(name) is None
    ]
    tell(
        "libraries", "all there", f"missing: {', '.join(missing)}; run `make run` again" if missing else None
    )
    home = place.warehouse
    tell("home", f"{home.root} can be written to", None)
    free = shutil.disk_usage(home.root).free // 2**20
    tell("disk", f"{free:,} MB free", None if free >= _NEEDED_MB else f"only {free:,} MB free: make room")
    running = is_held(home.layout.launcher_lock)
    settings = place.settings
    taken = not running and not port_is_free(settings.address, settings.port)
    tell(
        "port",
        f"{settings.port} is {'ours' if running else 'free'}",
        f"{settings.port} is taken by another program: set TELLTALE_PORT" if taken else None,
    )
    failed = home.jobs.list(states=("failed",), limit=5)
    tell("jobs", "none failed lately" if not failed else f"last failure: {failed[0].error}", None)
    if verify:
        home.verify()
    damaged = home.damage()
    tell(
        "files",
        "every hash is as written" if verify else "none is known to be damaged (--verify reads every one)",
        f"{len(damaged)} damaged, set aside until `telltale repair`" if damaged else None,
    )
    for one in damaged:
        out.print(f"      {described(place, one)} {one.reason}", markup=False)
    if wrong:
        raise typer.Exit(1)
