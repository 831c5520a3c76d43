"""How the cores of this machine are shared among the processes that work."""

import os
from collections.abc import Mapping
from typing import Final

MOST_WORKERS: Final = 8

_PINNED: Final = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "POLARS_MAX_THREADS")


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def usual_workers() -> int:
    """Return how many training workers a machine gets when nobody says: half of its cores, at most 8."""
    return min(max(1, cores() // 2), MOST_WORKERS)


def threads_environment(threads: int) -> dict[str, str]:
    """Return the environment variables that pin a process's numerical libraries to so many threads."""
    return {
        **dict.fromkeys(_PINNED, str(threads)),
        # Detectors multiply small matrices: split among threads, each costs several times as much.
        "OPENBLAS_NUM_THREADS": "1",
        "TF_NUM_INTEROP_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "2",
    }


def share_of(workers: int) -> Mapping[str, str]:
    """Return the environment of one of so many training workers: its share of the cores, at least one."""
    return threads_environment(max(1, cores() // workers))
