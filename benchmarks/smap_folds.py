"""The protocol of folds again: `benchmarks.smap_search` on the given channels, seed after seed."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from benchmarks import smap_search
from benchmarks.detection_tables import Figures
from benchmarks.smap_channels import Channel, Count
from benchmarks.tables import show
from core.results import Mode

MODES: Final[tuple[Mode, ...]] = ("review", "causal")


def fold_figures(channels: Sequence[Channel], seeds: int) -> Figures:
    """Search on all channels, and print the pooled figures of the folds that each choice had not seen."""
    figures: Figures = {"grid_revisions_count": smap_search.REVISIONS}
    rows = []
    for mode in MODES:
        found = [held_out(channels, mode, seed) for seed in range(seeds)]
        pooled = [one.pooled for one in found]
        f1 = [one.f1 for one in pooled]
        flagged = float(np.mean([one.flagged_share for one in pooled]))
        key = f"held_out_{mode}"
        figures |= {f"{key}_f1_ratio": float(np.mean(f1)), f"{key}_f1_deviation_ratio": float(np.std(f1))}
        figures |= {f"{key}_flagged_ratio": flagged}
        crafts = sorted({craft for one in found for craft in one.craft})
        told = []
        for craft in crafts:
            mean = float(np.mean([one.craft.get(craft, Count()).f1 for one in found]))
            figures[f"{key}_{craft.lower()}_f1_ratio"] = mean
            told.append(f"{craft} {mean:.3f}")
        counts = "/".join(
            f"{np.mean([getattr(one, part) for one in pooled]):.3g}" for part in ("tp", "fp", "fn")
        )
        deviation = f"{np.mean(f1):.3f} ± {np.std(f1):.3f}"
        rows.append([mode, deviation, counts, f"{100 * flagged:.1f} %", " ".join(told)])
    show(
        f"Held-out folds, pooled; {smap_search.REVISIONS} revisions of the grid, {seeds} seeds",
        ["mode", "F1", "tp/fp/fn", "flagged", "by spacecraft"],
        rows,
    )
    return figures


def held_out(channels: Sequence[Channel], mode: Mode, seed: int) -> smap_search.HeldOut:
    """Search the whole grid of a mode on these channels."""
    settings = smap_search.grid(mode)
    entries = {entry for one in settings for entry in smap_search.ENTRIES[mode][one.entries]}
    learned = any(entry.startswith("convolution") for entry in entries)
    given = smap_search.Networks(channels, seed) if learned else smap_search.Given()
    found = {one.name: smap_search.tried(one, mode, settings, given, seed) for one in channels}
    return smap_search.searched(channels, found, settings)
