"""Backs a home up, or restores one, up to a certain report of progress, and stays there to be killed.

Arguments: ``backup`` or ``restore``, from where, to where, and at which report.
"""

import os
import sys
import threading
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from core.workflows.backup import back_up
from core.workflows.restore import restore
from warehouse.home import Warehouse

what, source, target, last = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
reports = count(1)


def clock() -> datetime:
    return datetime.now(UTC)


def progress(_fraction: float, message: str, /) -> None:
    if next(reports) == last:
        os.write(1, f"{message}\n".encode())
        threading.Event().wait()


if what == "backup":
    home = Warehouse.open(source, create=False)
    back_up(target, warehouse=home, clock=clock, actor="ada", progress=progress)
else:
    restore(source, target, clock=clock, progress=progress)
os.write(1, b"it ended\n")
