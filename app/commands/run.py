"""`telltale run`: the app and its workers."""

import sys
from typing import Annotated

import typer

from app.commands.console import desk
from app.launcher import launch


def run(
    *,
    demo: Annotated[
        bool, typer.Option("--demo", help="Fill an empty home with the demo fleet once the app answers.")
    ] = False,
    browser: Annotated[bool, typer.Option(help="Open a browser when there is a screen.")] = True,
) -> None:
    """Start the app at http://127.0.0.1:8501 (TELLTALE_ADDRESS, TELLTALE_PORT) and stay until Ctrl+C."""
    sys.exit(launch(desk().settings, demo=demo, browser=browser))
