"""The demo fleet: twelve machines and their 48 gauges."""

from dataclasses import dataclass
from typing import Final

from warehouse.assets import AssetSpec, Role, SensorSpec, sensor_key

INTERVAL_S: Final = 60.0


@dataclass(frozen=True)
class Gauge:
    """A sensor and how it measures.

    Parameters
    ----------
    name, unit, role, context
        As in `SensorSpec`.
    noise
        Standard deviation of what the sensor adds of its own, in its unit.
    resolution
        Smallest step that it tells.
    typical
        Value at everyday load.
    span
        Lower and upper end of its range, shown while it is calibrated.
    """

    name: str
    unit: str
    role: Role
    context: tuple[str, ...]
    noise: float
    resolution: float
    typical: float
    span: tuple[float, float]


@dataclass(frozen=True)
class Machine:
    """A machine: `model` names its physics, `rated` scales it."""

    name: str
    kind: str
    model: str
    gauges: tuple[Gauge, ...]
    rated: dict[str, float]

    def gauge(self, name: str) -> Gauge:
        """Return the gauge called `name`."""
        return next(gauge for gauge in self.gauges if gauge.name == name)


def _state() -> Gauge:
    return Gauge("state", "", "state", (), 0.0, 1.0, 1.0, (0.0, 1.0))


def _speed(rated: float) -> Gauge:
    return Gauge("speed", "rpm", "context", (), 1.5, 1.0, 0.86 * rated, (0.0, rated))


def _load() -> Gauge:
    return Gauge("load", "%", "context", (), 0.15, 0.1, 84.0, (0.0, 100.0))


def _ambient() -> Gauge:
    return Gauge("ambient temperature", "°C", "context", (), 0.06, 0.1, 15.0, (-20.0, 50.0))


def _flow(rated: float, *context: str) -> Gauge:
    return Gauge("flow", "m³/h", "target", context, 0.004 * rated, 0.1, 0.86 * rated, (0.0, 1.2 * rated))


def _current(rated: float, *context: str) -> Gauge:
    return Gauge(
        "motor current", "A", "target", context, 0.004 * rated, 0.1, 0.75 * rated, (0.0, 1.5 * rated)
    )


def _pressure(rated: float, *context: str) -> Gauge:
    return Gauge("discharge pressure", "bar", "target", context, 0.02, 0.01, 0.8 * rated, (0.0, 1.6 * rated))


def _bearing_temperature(*context: str) -> Gauge:
    return Gauge("bearing temperature", "°C", "target", context, 0.12, 0.1, 52.0, (0.0, 120.0))


def _vibration(rated: float, *context: str) -> Gauge:
    return Gauge("bearing vibration", "mm/s", "target", context, 0.03 * rated, 0.01, rated, (0.0, 10.0))


def _discharge_temperature(*context: str) -> Gauge:
    return Gauge("discharge temperature", "°C", "target", context, 0.2, 0.1, 92.0, (0.0, 200.0))


def _pump(number: int, gauges: tuple[Gauge, ...], **rated: float) -> Machine:
    return Machine(f"Pump {number}", "pump", "pump", gauges, rated)


def _compressor(number: int, gauges: tuple[Gauge, ...], **rated: float) -> Machine:
    return Machine(f"Compressor {number}", "compressor", "compressor", gauges, rated)


FLEET: Final = (
    _pump(
        1,
        (_state(), _speed(2950), _flow(64, "speed", "state"), _current(98, "speed", "state")),
        speed=2950,
        flow=64,
        current=98,
    ),
    _pump(
        2,
        (_speed(2950), _flow(64, "speed"), _current(96, "speed")),
        speed=2950,
        flow=64,
        current=96,
    ),
    _pump(
        3,
        (_speed(1480), _flow(52, "speed"), _current(61, "speed"), _pressure(7.5, "speed")),
        speed=1480,
        flow=52,
        current=61,
        pressure=7.5,
    ),
    _pump(
        4,
        (_state(), _speed(1480), _flow(118, "speed", "state"), _bearing_temperature("speed", "state")),
        speed=1480,
        flow=118,
        bearing=26,
    ),
    _pump(
        5,
        (
            _speed(2950),
            _current(142, "speed"),
            Gauge("seal pressure", "bar", "target", ("speed",), 0.012, 0.01, 3.1, (0.0, 6.0)),
            _vibration(1.9, "speed"),
        ),
        speed=2950,
        current=142,
        seal=3.3,
        vibration=1.9,
    ),
    _pump(
        6,
        (_speed(1480), _flow(86, "speed"), _current(74, "speed")),
        speed=1480,
        flow=86,
        current=74,
    ),
    Machine(
        "Pump 7",
        "pump",
        "cooled pump",
        (
            _state(),
            _load(),
            Gauge("cooling-water temperature", "°C", "context", (), 0.05, 0.1, 17.0, (0.0, 50.0)),
            Gauge(
                "cooling-water flow",
                "m³/h",
                "target",
                ("load", "cooling-water temperature", "state"),
                0.8,
                0.1,
                203.0,
                (0.0, 300.0),
            ),
            Gauge(
                "outlet temperature",
                "°C",
                "target",
                ("load", "cooling-water flow", "cooling-water temperature", "state"),
                0.12,
                0.1,
                60.0,
                (0.0, 120.0),
            ),
            _bearing_temperature("load", "cooling-water temperature", "state"),
        ),
        {"cooling": 205, "rise": 41, "bearing": 30},
    ),
    _compressor(
        1,
        (
            _load(),
            _ambient(),
            _discharge_temperature("load", "ambient temperature"),
            _vibration(2.3, "load"),
        ),
        discharge=76,
        vibration=2.3,
    ),
    _compressor(
        2,
        (
            _state(),
            _load(),
            _current(285, "load", "state"),
            _vibration(2.1, "load", "state"),
        ),
        current=285,
        vibration=2.1,
    ),
    _compressor(
        3,
        (
            _load(),
            _ambient(),
            _discharge_temperature("load", "ambient temperature"),
            _current(310, "load"),
        ),
        discharge=80,
        current=310,
    ),
    _compressor(
        4,
        (
            _state(),
            _load(),
            Gauge("suction pressure", "bar", "context", (), 0.004, 0.001, 1.02, (0.0, 3.0)),
            _pressure(9.5, "load", "suction pressure", "state"),
        ),
        pressure=8.1,
    ),
    Machine(
        "Turbine 1",
        "turbine",
        "turbine",
        (
            Gauge("power", "MW", "context", (), 0.03, 0.01, 21.0, (0.0, 26.0)),
            _ambient(),
            Gauge(
                "exhaust temperature",
                "°C",
                "target",
                ("power", "ambient temperature"),
                0.7,
                0.1,
                541.0,
                (0.0, 700.0),
            ),
            Gauge(
                "lube-oil pressure",
                "bar",
                "target",
                ("power", "ambient temperature"),
                0.008,
                0.001,
                1.9,
                (0.0, 4.0),
            ),
        ),
        {"power": 25},
    ),
)

MACHINES: Final = {machine.name: machine for machine in FLEET}
GAUGES: Final = tuple((machine, gauge) for machine in FLEET for gauge in machine.gauges)
KEYS: Final = tuple(sensor_key(machine.name, gauge.name) for machine, gauge in GAUGES)


def specs() -> tuple[AssetSpec, ...]:
    """Return the fleet as the catalogue takes it."""
    return tuple(
        AssetSpec(
            machine.name,
            machine.kind,
            historical=False,
            sensors=tuple(
                SensorSpec(gauge.name, gauge.unit, gauge.role, INTERVAL_S, gauge.context)
                for gauge in machine.gauges
            ),
        )
        for machine in FLEET
    )
