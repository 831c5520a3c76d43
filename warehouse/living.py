"""Whether the process that a row names still lives."""

import os
from pathlib import Path


def birth_mark(pid: int) -> str | None:
    """Return a text that tells process `pid` from a later one with its number; None if it can't be known.

    On Linux this is the start time in clock ticks since boot; elsewhere the number alone must do.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The second field is the program's name in parentheses and may hold anything: count from its end.
    fields = stat.rpartition(")")[2].split()
    return fields[19] if len(fields) > 19 and fields[0] not in {"Z", "X"} else None


def is_alive(pid: int, mark: str | None = None) -> bool:
    """Return whether process `pid`, born with `mark`, still runs."""
    if Path("/proc/self/stat").exists():
        now = birth_mark(pid)
        return now is not None and (mark is None or now == mark)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
