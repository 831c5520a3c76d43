"""The chosen panels by the names of their presets."""

from core.ensembles.panel import Panel
from core.ensembles.presets import new_raiser
from core.results import Mode


def panel_of(preset: str, mode: Mode, seed: int) -> Panel:
    """Return an unfitted panel.

    Raises
    ------
    SystemExit
        The preset is one detector with a threshold, not a panel.
    """
    raiser = new_raiser(preset, mode=mode, seed=seed)
    if not isinstance(raiser, Panel):
        raise SystemExit(f"{preset} is no panel: {raiser.title}")
    return raiser
