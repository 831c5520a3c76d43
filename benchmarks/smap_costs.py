"""What the panels cost beside the published recipe, and for fleets of other sizes."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.detection_tables import Figures
from benchmarks.fleet_cost import fleet_costs
from benchmarks.published_recipe import Taught
from benchmarks.smap_channels import Channel
from benchmarks.tables import show
from core.splits import joined


def taught(channels: Sequence[Channel]) -> list[Taught]:
    """Return channels as the recipe gets them: in NASA's scaling, their whole parts."""
    return [Taught(one.name, joined(one.train, one.calibrate).values, one.test.values) for one in channels]


def fleets(data: Path, labels: Path, names: Sequence[str]) -> Figures:
    """Print what the instant tier costs a sensor in fleets of these channels, repeated."""
    figures: Figures = {}
    rows = []
    for mode in ("review", "causal"):
        for one in fleet_costs(data, labels, names, mode):
            key = f"fleet_{mode}_{one.sensors}_sensors"
            figures |= {f"{key}_cpu_s_per_sensor": one.sensor_cpu_s, f"{key}_peak_memory_mb": one.peak_mb}
            rows.append([mode, str(one.sensors), f"{1000 * one.sensor_cpu_s:.0f}", f"{one.peak_mb:.0f}"])
    show(
        "Instant tier, fleets by repetition",
        ["mode", "sensors", "CPU ms a sensor", "peak MB of its process"],
        rows,
    )
    return figures
