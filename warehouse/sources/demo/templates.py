"""What can fail on which machine of the demo fleet, for faults drawn by seed."""

from dataclasses import dataclass
from typing import Final

from warehouse.sources.demo.happenings import Happening


@dataclass(frozen=True)
class Template:
    """A fault before it is drawn.

    Parameters
    ----------
    hours, size
        Ranges that its length and its size are drawn from, evenly.
    parts
        What it does: `start` is the delay of a part in minutes, `size` its factor on the drawn size.
    rises
        Share of its length after which a drift has its full size.
    """

    hours: tuple[float, float]
    size: tuple[float, float]
    parts: tuple[Happening, ...]
    rises: float = 0.0


TEMPLATES: Final = {
    "Pump 1": (
        Template(
            (5, 30),
            (-0.10, -0.06),
            (Happening("Pump 1", "flow", "step", "suction strainer blocked", 0, 0, 1.0, relative=True),),
        ),
        Template(
            (8, 60),
            (0.04, 0.07),
            (Happening("Pump 1", "motor current", "step", "phase imbalance", 0, 0, 1.0, relative=True),),
        ),
        Template((3, 12), (0, 0), (Happening("Pump 1", "flow", "stuck", "transmitter frozen", 0, 0),)),
    ),
    "Pump 3": (
        Template((3, 14), (0, 0), (Happening("Pump 3", "flow", "stuck", "transmitter frozen", 0, 0),)),
        Template(
            (6, 20),
            (-0.55, -0.30),
            (Happening("Pump 3", "discharge pressure", "step", "leaking gasket", 0, 0, 1.0),),
        ),
        Template((2, 9), (0.6, 0.9), (Happening("Pump 3", "flow", "drop-out", "loose cable", 0, 0, 1.0),)),
        Template(
            (8, 24),
            (0.0, 0.3),
            (Happening("Pump 3", "motor current", "changed correlation", "cavitation", 0, 0, 1.0),),
        ),
    ),
    "Pump 5": (
        Template(
            (40, 110),
            (-0.9, -0.5),
            (Happening("Pump 5", "seal pressure", "drift", "seal wear", 0, 0, 1.0, bend=1.3),),
            rises=1.0,
        ),
        Template(
            (3, 12),
            (1.0, 1.0),
            (Happening("Pump 5", "seal pressure", "drop-out", "radio link lost", 0, 0, 1.0),),
        ),
        Template(
            (30, 90),
            (0.7, 1.3),
            (
                Happening(
                    "Pump 5",
                    "bearing vibration",
                    "drift",
                    "coupling misaligned",
                    0,
                    0,
                    1.0,
                    relative=True,
                ),
            ),
            rises=0.9,
        ),
        Template(
            (8, 24),
            (0.0, 0.25),
            (Happening("Pump 5", "motor current", "changed correlation", "cavitation", 0, 0, 1.0),),
        ),
    ),
    "Pump 7": (
        Template(
            (9, 26),
            (8.0, 16.0),
            (
                Happening(
                    "Pump 7",
                    "cooling-water flow",
                    "drift",
                    "fouled cooler",
                    0,
                    0,
                    -0.018,
                    bend=0.8,
                    relative=True,
                ),
                Happening("Pump 7", "outlet temperature", "drift", "fouled cooler", 24, 0, 1.0, bend=0.75),
                Happening("Pump 7", "bearing temperature", "drift", "fouled cooler", 90, 0, 0.45, bend=0.8),
            ),
            rises=0.8,
        ),
        Template(
            (1, 4),
            (5.0, 9.0),
            (Happening("Pump 7", "outlet temperature", "spike", "loose connector", 0, 0, 1.0),),
        ),
    ),
    "Compressor 1": (
        Template(
            (18, 60),
            (7.0, 13.0),
            (Happening("Compressor 1", "discharge temperature", "drift", "intercooler fouled", 0, 0, 1.0),),
            rises=0.8,
        ),
        Template(
            (1, 5),
            (2.0, 4.0),
            (Happening("Compressor 1", "bearing vibration", "spike", "loose sensor", 0, 0, 1.0),),
        ),
    ),
    "Compressor 2": (
        Template(
            (50, 130),
            (0.7, 1.3),
            (
                Happening(
                    "Compressor 2",
                    "bearing vibration",
                    "drift",
                    "outer-race wear",
                    0,
                    0,
                    1.0,
                    bend=1.2,
                    relative=True,
                ),
            ),
            rises=1.0,
        ),
        Template(
            (6, 30),
            (0.04, 0.07),
            (
                Happening(
                    "Compressor 2", "motor current", "step", "phase imbalance", 0, 0, 1.0, relative=True
                ),
            ),
        ),
    ),
    "Compressor 4": (
        Template(
            (4, 22),
            (0.3, 0.6),
            (Happening("Compressor 4", "discharge pressure", "oscillation", "regulator hunting", 0, 0, 1.0),),
        ),
        Template(
            (3, 10),
            (0, 0),
            (Happening("Compressor 4", "discharge pressure", "stuck", "impulse line blocked", 0, 0),),
        ),
    ),
    "Turbine 1": (
        Template(
            (40, 110),
            (-0.32, -0.18),
            (Happening("Turbine 1", "lube-oil pressure", "drift", "worn oil pump", 0, 0, 1.0),),
            rises=1.0,
        ),
        Template(
            (5, 20),
            (9.0, 15.0),
            (Happening("Turbine 1", "exhaust temperature", "step", "thermocouple offset", 0, 0, 1.0),),
        ),
        Template(
            (1, 4),
            (15.0, 30.0),
            (Happening("Turbine 1", "exhaust temperature", "spike", "thermocouple breaks", 0, 0, 1.0),),
        ),
    ),
}
