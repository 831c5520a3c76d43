"""What the instant tier costs for fleets of other sizes, made by repeating channels.

Each size runs in a process of its own, so that its peak of memory is its own.
"""

import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.panel_runs import Costs, judge
from benchmarks.single_threaded import single_threaded
from benchmarks.smap_channels import read_channels
from benchmarks.smap_presets import panel_of
from benchmarks.tables import peak_mb
from core.errors import ConstantSignal, InsufficientData
from core.results import Mode

SIZES: Final = (10, 61, 1000)


@dataclass(frozen=True)
class FleetCost:
    """CPU seconds a sensor of training, scoring and judging, all of it by the clock, and peak memory."""

    sensors: int
    sensor_cpu_s: float
    wall_s: float
    peak_mb: float


def fleet_costs(
    data: Path, labels: Path, names: Sequence[str], mode: Mode, sizes: Sequence[int] = SIZES
) -> list[FleetCost]:
    """Return the costs of each size."""
    spawn = multiprocessing.get_context("spawn")
    found = []
    for size in sizes:
        with ProcessPoolExecutor(max_workers=1, mp_context=spawn) as pool:
            found.append(pool.submit(_fleet, data, labels, tuple(names), mode, size).result())
    return found


def _fleet(data: Path, labels: Path, names: tuple[str, ...], mode: Mode, size: int) -> FleetCost:
    channels, costs = read_channels(data, labels, names), Costs()
    clock = time.perf_counter()
    with single_threaded():
        for place in range(size):
            try:
                # Spread evenly: ten of many channels are short and long ones, too.
                chosen = channels[place * max(len(channels) // size, 1) % len(channels)]
                judge(panel_of("quick", mode, 0), chosen, {}, {}, costs)
            except (ConstantSignal, InsufficientData):
                continue
    return FleetCost(size, costs.cpu_s / size, time.perf_counter() - clock, peak_mb())
