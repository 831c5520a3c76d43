"""What the panels cost beside the published recipe, and for fleets of other sizes."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.detection_tables import keyed
from benchmarks.fleet_cost import fleet_costs
from benchmarks.panel_runs import Costs
from benchmarks.published_recipe import EPOCHS, measure
from benchmarks.smap_channels import Channel
from benchmarks.smap_rows import Figures
from benchmarks.tables import show


def against_recipe(channels: Sequence[Channel], ours: Mapping[str, Costs], *, batches: int) -> Figures:
    """Measure the published recipe in this run, and print how many times our CPU seconds it takes."""
    recipe = measure(channels, batches=batches, seed=0)
    figures: Figures = {
        "recipe_epoch_cpu_s": recipe.epoch_cpu_s,
        "recipe_epochs_count": recipe.epochs,
        "recipe_predict_cpu_s": recipe.predict_cpu_s,
        "recipe_cpu_s": recipe.cpu_s,
        "recipe_all_epochs_cpu_s": recipe.most_cpu_s,
        "recipe_measured_channels": ",".join(one.channel for one in recipe.measured),
    }
    rows = [
        [
            one.channel,
            str(one.windows),
            f"{1000 * one.train_s:.2f}",
            f"{1000 * one.predict_s:.2f}",
            f"{one.epochs} {'trained' if one.whole else 'taken: the fewest there can be'}",
        ]
        for one in recipe.measured
    ]
    header = ["channel", "training windows", "ms to train a window once", "ms to predict one", "epochs"]
    show("The published recipe, CPU, this run", header, rows)
    rows = []
    for name, costs in ours.items():
        ratio = recipe.cpu_s / max(costs.cpu_s, 1e-9)
        most = recipe.most_cpu_s / max(costs.cpu_s, 1e-9)
        figures |= {
            f"{keyed(name)}_recipe_cpu_ratio": ratio,
            f"{keyed(name)}_recipe_all_epochs_cpu_ratio": most,
        }
        rows.append([name, f"{costs.cpu_s:.1f}", f"{ratio:.0f}", f"{most:.0f}"])
    header = ["ours", "CPU s", f"recipe at {recipe.epochs:.0f} epochs takes so many times", f"at {EPOCHS}"]
    show(f"The recipe for all {len(channels)} channels: {recipe.cpu_s:,.0f} CPU s", header, rows)
    return figures


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
