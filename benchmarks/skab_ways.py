"""Ways to judge a machine of several sensors, and how one is chosen on other runs than it is reported on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.detection_tables import Points, flags, judged
from core.detectors.subspace import Subspace
from core.ensembles.contract import Raiser
from core.ensembles.raise_events import EventRaiser
from core.signal import Mask, Signal
from core.thresholds.robust import RobustThreshold

FAMILIES: Final = ("alone", "explained", "subspace")
"""Each sensor by itself, each sensor with all others as its context, and all sensors on one chart."""

MOST_VOTES: Final = 3
"""Of the sensors that must agree, for a step to count."""

_NOT_SENSORS: Final = ("datetime", "anomaly", "changepoint")


@dataclass(frozen=True, eq=False)
class Run:
    """One experiment.

    Parameters
    ----------
    name
        Of its file.
    signal
        All sensors, in the order of the file; rows are steps, though some lie two seconds apart.
    anomalous
        (n,) True where the run is labelled so; nowhere without labels.
    """

    name: str
    signal: Signal
    anomalous: Mask

    @property
    def readings(self) -> NDArray[np.float64]:
        """(n, sensors) readings."""
        return self.signal.values.astype(np.float64)


def read_run(path: Path) -> Run:
    """Return one file of SKAB."""
    frame = pl.read_csv(path, separator=";", try_parse_dates=True)
    sensors = tuple(name for name in frame.columns if name not in _NOT_SENSORS)
    values = frame.select(sensors).to_numpy().astype(np.float32)
    labelled = frame["anomaly"].to_numpy() > 0 if "anomaly" in frame.columns else np.zeros(len(values), bool)
    times = frame["datetime"].to_numpy().astype("datetime64[us]")
    valid = np.isfinite(values[:, 0])
    signal = Signal(times, values, sensors, ("",) * len(sensors), timedelta(seconds=1), valid)
    return Run(path.stem, signal, labelled)


def of_target(signal: Signal, sensor: int, *, explained: bool) -> Signal:
    """Return the signal with another sensor as the target, the others as its context if `explained`."""
    others = [one for one in range(len(signal.channels)) if one != sensor] if explained else []
    columns = [sensor, *others]
    values = signal.values[:, columns]
    names, units = (tuple(words[one] for one in columns) for words in (signal.channels, signal.units))
    return Signal(signal.timestamps, values, names, units, signal.interval, np.isfinite(values[:, 0]))


def ways_of(
    run: Run, rows: int, make: Callable[[], Raiser], families: Sequence[str] = FAMILIES
) -> dict[str, Mask]:
    """Return what each way to judge the machine flags after learning from the first `rows` steps.

    Parameters
    ----------
    make
        Gives an unfitted judge of one target sensor.
    families
        Of `FAMILIES`.
    """
    found: dict[str, Mask] = {}
    for family in [one for one in FAMILIES if one in families]:
        if family == "subspace":
            chart = EventRaiser(Subspace(), RobustThreshold())
            found["all on one chart"] = flags(judged(chart, run.signal, rows))
            continue
        said = {
            name: flags(judged(make(), of_target(run.signal, n, explained=family == "explained"), rows))
            for n, name in enumerate(run.signal.channels)
        }
        found |= {f"{name} {family}": inside for name, inside in said.items()}
        agreeing = np.sum(list(said.values()), axis=0)
        found |= {
            f"{votes} sensors or more, {family}": agreeing >= votes for votes in range(1, MOST_VOTES + 1)
        }
    return found


def chosen_across(
    runs: Sequence[Run], found: Sequence[Mapping[str, Mask]]
) -> tuple[list[Mask], tuple[str, str]]:
    """Return each run's flags by the way that scored best on the other half of the runs, and both choices.

    Halves are every other run. The score is the F1 of all steps of the half, as the table reports it; of
    equals the first.
    """
    choices = [_best(runs[1 - half :: 2], found[1 - half :: 2]) for half in (0, 1)]
    return [found[n][choices[n % 2]] for n in range(len(runs))], (choices[0], choices[1])


def _best(runs: Sequence[Run], found: Sequence[Mapping[str, Mask]]) -> str:
    truth = [run.anomalous for run in runs]
    return max(found[0], key=lambda way: Points.pooled([one[way] for one in found], truth).f1)
