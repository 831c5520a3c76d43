"""Holds back what native libraries write to standard error while they load, unless loading fails."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

_STDERR = 2


@contextmanager
def hushed() -> Iterator[None]:
    """Hold back everything written to the process's standard error; show it if an exception passes."""
    try:
        saved = os.dup(_STDERR)
    except OSError:  # a process without standard error has nothing to be kept off
        yield
        return
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), _STDERR)
        failed = True
        try:
            yield
            failed = False
        finally:
            sys.stderr.flush()
            os.dup2(saved, _STDERR)
            os.close(saved)
            if failed:
                held.seek(0)
                sys.stderr.write(held.read().decode("utf-8", "replace"))
