"""How the machines of the demo fleet answer to their load: affinity laws, heat balances, lags and wear.

Each model returns the true value of every quantity that its machine could be asked for, in the unit of the
gauge of that name. Sources: the affinity laws of centrifugal machines (flow ~ n, head ~ n², power ~ n³), a
cooler's heat balance with its transfer falling as flow does, and a gas turbine's rise of exhaust
temperature with load and inlet air.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from warehouse.sources.demo.chance import Floats, lag, wander
from warehouse.sources.demo.site import Site

Signals = dict[str, Floats]


@dataclass(frozen=True, eq=False)
class Drive:
    """How one machine is run, minute by minute.

    Parameters
    ----------
    site
        What it shares with the others.
    running
        (BLOCK,) True while it is switched on.
    load
        (BLOCK,) share of rated speed or load, following demand, set points and switching.
    since_start
        (BLOCK,) minutes since it was last switched on, large where that is long ago.
    wear
        Share in [0, 1] of its slow ageing.
    noise
        (rows, BLOCK) independent normal draws for what the models leave open.
    rated
        Scales of the machine.
    """

    site: Site
    running: NDArray[np.bool_]
    load: Floats
    since_start: Floats
    wear: float
    noise: Floats
    rated: dict[str, float]

    @property
    def on(self) -> Floats:
        """1 while it runs, sliding to 0 within minutes when switched off."""
        return lag(self.running.astype(np.float64), 1.5)

    def drift(self, row: int, minutes: float) -> Floats:
        """Return slow unexplained change of unit deviation."""
        return wander(self.noise[row], minutes)

    def after_start(self, minutes: float) -> Floats:
        """Return 1 at switching on, fading within `minutes`; 0 while it stands."""
        fading: Floats = np.where(self.running, np.exp(-self.since_start / minutes), 0.0)
        return fading


def pump(drive: Drive) -> Signals:
    """Return the signals of a speed-controlled centrifugal pump."""
    rated, on, n = drive.rated, drive.on, drive.load
    signals = {
        "state": drive.running.astype(np.float64),
        "speed": rated["speed"] * n,
    }
    if "flow" in rated:
        lost = 1.0 - 0.008 * drive.wear
        signals["flow"] = rated["flow"] * lost * n * (1.0 + 0.006 * drive.drift(0, 18.0))
    if "current" in rated:
        # Magnetising current, torque current (~ n²), inrush.
        drawn = 0.22 * on + 0.78 * (1.0 + 0.008 * drive.wear) * n**2.2
        drawn = drawn * (1.0 + 0.006 * drive.drift(1, 40.0)) + 0.6 * drive.after_start(1.0)
        signals["motor current"] = rated["current"] * drawn
    if "pressure" in rated:
        head = 0.12 * on + 0.88 * n**2 * (1.0 + 0.004 * drive.drift(2, 25.0))
        signals["discharge pressure"] = rated["pressure"] * head
    if "seal" in rated:
        signals["seal pressure"] = 0.6 + (rated["seal"] - 0.6) * n**1.5 + 0.015 * drive.drift(3, 50.0)
    if "vibration" in rated:
        signals["bearing vibration"] = _vibration(drive, rated["vibration"], 4)
    if "bearing" in rated:
        friction = rated["bearing"] * (0.3 * on + 0.7 * n**2)
        signals["bearing temperature"] = drive.site.indoor + lag(friction, 42.0) + 0.25 * drive.drift(5, 50.0)
    return signals


def cooled_pump(drive: Drive) -> Signals:
    """Return the signals of a hot pump with its cooler on river water."""
    rated, on, load, water = drive.rated, drive.on, drive.load, drive.site.water
    wanted = rated["cooling"] * (0.87 + 0.14 * load) + 1.4 * (water - 16.5)
    cooling = lag(on * wanted, 3.0) * (1.0 + 0.016 * drive.drift(0, 25.0))
    # Heat transfer falls with flow; a film of dirt adds to it slowly.
    transfer = (np.maximum(cooling, 0.25 * rated["cooling"]) / rated["cooling"]) ** 0.4
    rise = rated["rise"] * load**1.15 / transfer * (1.0 + 0.015 * drive.wear)
    hot = on * (water + 4.0 + rise) + (1.0 - on) * (drive.site.indoor + 9.0)
    outlet = lag(hot, 38.0) + 0.2 * drive.drift(1, 35.0)
    friction = lag(rated["bearing"] * (0.35 * on + 0.65 * load**2), 50.0)
    bearing = drive.site.indoor + friction + 0.12 * (outlet - 45.0) + 0.25 * drive.drift(2, 50.0)
    return {
        "state": drive.running.astype(np.float64),
        "load": 100.0 * load,
        "cooling-water temperature": water,
        "cooling-water flow": cooling,
        "outlet temperature": outlet,
        "bearing temperature": bearing,
    }


def compressor(drive: Drive) -> Signals:
    """Return the signals of an air compressor."""
    rated, on, load, ambient = drive.rated, drive.on, drive.load, drive.site.ambient
    suction = 1.02 - 0.0006 * (ambient - 13.0) + 0.012 * drive.drift(0, 55.0)
    signals = {
        "state": drive.running.astype(np.float64),
        "load": 100.0 * load,
        "ambient temperature": ambient,
        "suction pressure": suction,
    }
    if "discharge" in rated:
        warm = rated["discharge"] * (0.25 * on + 0.75 * load)
        signals["discharge temperature"] = 1.05 * ambient + lag(warm, 16.0) + 0.35 * drive.drift(1, 30.0)
    if "current" in rated:
        drawn = 0.25 * on + 0.75 * load * (1.0 + 0.006 * drive.wear)
        drawn = drawn * (1.0 + 0.005 * drive.drift(2, 40.0)) + 0.5 * drive.after_start(1.0)
        signals["motor current"] = rated["current"] * drawn
    if "pressure" in rated:
        held = rated["pressure"] - 1.1 * (load - 0.86) + 2.5 * (suction - 1.02)
        signals["discharge pressure"] = lag(on * held, 3.0) + on * 0.03 * drive.drift(3, 12.0)
    if "vibration" in rated:
        signals["bearing vibration"] = _vibration(drive, rated["vibration"], 4)
    return signals


def turbine(drive: Drive) -> Signals:
    """Return the signals of a gas turbine with a generator."""
    load, ambient = drive.load, drive.site.ambient
    power = drive.rated["power"] * load * (1.0 - 0.004 * (ambient - 15.0))
    exhaust = lag(415.0 + 146.0 * load + 1.2 * (ambient - 15.0), 9.0) + 0.7 * drive.drift(0, 25.0)
    oil = lag(34.0 + 17.0 * load + 0.22 * (ambient - 15.0), 55.0)
    return {
        "power": power,
        "ambient temperature": ambient,
        "exhaust temperature": exhaust * (1.0 + 0.002 * drive.wear),
        # Warm oil is thin: the same pump holds less pressure.
        "lube-oil pressure": 1.9 - 0.016 * (oil - 48.6) + 0.007 * drive.drift(1, 45.0),
    }


def _vibration(drive: Drive, rated: float, row: int) -> Floats:
    excited = 0.03 + 0.97 * (0.35 * drive.on + 0.65 * drive.load**1.5)
    # Running up passes a critical speed.
    return rated * excited * np.exp(0.04 * drive.drift(row, 6.0)) * (1.0 + 1.1 * drive.after_start(14.0))


MODELS: Final[dict[str, Callable[[Drive], Signals]]] = {
    "pump": pump,
    "cooled pump": cooled_pump,
    "compressor": compressor,
    "turbine": turbine,
}
