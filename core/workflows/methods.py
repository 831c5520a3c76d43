"""The methods that versions name, and how each is made and loaded."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.detectors.robust_regression import RobustRegression
from core.detectors.telemanom import Telemanom
from core.ensembles.contract import Raiser
from core.ensembles.panel import Panel
from core.ensembles.raise_events import EventRaiser
from core.errors import ArtifactError
from core.registry.artifacts import verify
from core.thresholds.dynamic import DynamicThreshold
from core.thresholds.robust import RobustThreshold
from warehouse.catalog import Version
from warehouse.home import Warehouse


@dataclass(frozen=True)
class Method:
    """One kind of ensemble.

    Parameters
    ----------
    title
        As shown to a person where the version itself does not say more.
    load
        Reads what `Raiser.save` wrote into a folder.
    """

    title: str
    load: Callable[[Path], Raiser]


def _telemanom(folder: Path) -> Raiser:
    return EventRaiser(Telemanom.load(folder / "detector"), DynamicThreshold.load(folder / "threshold"))


def _robust_regression(folder: Path) -> Raiser:
    return EventRaiser(RobustRegression.load(folder / "detector"), RobustThreshold.load(folder / "threshold"))


METHODS: Final[Mapping[str, Method]] = {
    Panel.name: Method("Panel", Panel.load),
    Telemanom.name: Method(Telemanom.title, _telemanom),
    RobustRegression.name: Method(RobustRegression.title, _robust_regression),
}


def new_baseline() -> EventRaiser:
    """Return the statistical detector that judges a sensor without a trained model, not fitted."""
    return EventRaiser(RobustRegression(), RobustThreshold())


def load_version(version: Version, warehouse: Warehouse) -> Raiser:
    """Read a version's files, each only if its hash is the registered one.

    Raises
    ------
    ArtifactError
        A file is missing or changed, or this release does not know the method.
    """
    method = METHODS.get(version.method)
    if method is None:
        raise ArtifactError(
            f"version {version.number} of sensor {version.sensor_id} is of the method {version.method!r}, "
            f"which this release does not know; known are {', '.join(METHODS)}"
        )
    folder = warehouse.root / version.folder
    verify(folder, version.artifacts)
    return method.load(folder)
