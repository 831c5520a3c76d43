"""What every command shares: the home it works on, progress on long work, one clear line on errors."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from app.roles import NotAllowed, Profile
from app.settings import Settings, SettingsError, load
from core.errors import CoreError
from warehouse.errors import WarehouseError
from warehouse.home import Warehouse

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

# Everything that is a clear message to a person; anything else is a defect and shows its traceback.
EXPECTED = (SettingsError, CoreError, WarehouseError, NotAllowed)


class Report(Protocol):
    """Where long work says how far it is: a fraction in [0, 1] and what it does now."""

    def __call__(self, fraction: float, message: str, /) -> None:
        """Take one report."""


@dataclass(frozen=True)
class Desk:
    """One command's settings and, opened on first use, its warehouse."""

    settings: Settings

    @cached_property
    def warehouse(self) -> Warehouse:
        """The home, opened (and created when it is new)."""
        return Warehouse.open(self.settings.home)

    @property
    def profile(self) -> Profile:
        """Who acts."""
        return self.settings.local


def desk() -> Desk:
    """Return the settings and the home in force."""
    return Desk(load())


@contextmanager
def progress(title: str) -> Iterator[Report]:
    """Show a bar on standard error while the work lasts; a plain log gets a line a tenth instead."""
    if not err.is_terminal:
        yield _Lines(title)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
    with Progress(*columns, TimeElapsedColumn(), console=err, transient=True) as bars:
        task = bars.add_task(title, total=1.0)

        def report(fraction: float, message: str, /) -> None:
            bars.update(task, completed=fraction, description=message or title)

        yield report


class _Lines:
    def __init__(self, title: str) -> None:
        self._title = title
        self._next = 0.0

    def __call__(self, fraction: float, message: str, /) -> None:
        if fraction >= self._next:
            err.print(f"{self._title}: {fraction:4.0%} {message}", markup=False)
            self._next = fraction + 0.1


def fail(message: str) -> int:
    """Print one line on standard error and return the exit status of a failure."""
    line = " ".join(message.split())
    sys.stderr.write(f"telltale: {line}\n")
    return 1
