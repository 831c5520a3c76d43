"""The faults that stand in the demo fleet when it is made, told back from that moment (the anchor)."""

from warehouse.sources.demo.happenings import Happening

HOUR = 60
DAY = 1440


def running(anchor: int) -> tuple[Happening, ...]:
    """Return the faults that are running at `anchor` (minutes since 1970), each with its end after it."""
    fouling = "fouled cooler"
    return (
        Happening(
            "Pump 7",
            "cooling-water flow",
            "drift",
            fouling,
            anchor - 588,
            anchor + 8 * HOUR,
            size=-0.34,
            rise=9 * HOUR,
            bend=0.75,
            relative=True,
        ),
        Happening(
            "Pump 7",
            "outlet temperature",
            "drift",
            fouling,
            anchor - 564,
            anchor + 8 * HOUR,
            size=18.5,
            rise=11 * HOUR,
            bend=0.7,
        ),
        Happening(
            "Pump 7",
            "bearing temperature",
            "drift",
            fouling,
            anchor - 492,
            anchor + 8 * HOUR,
            size=8.5,
            rise=11 * HOUR,
            bend=0.8,
        ),
        Happening(
            "Compressor 2",
            "bearing vibration",
            "drift",
            "outer-race wear",
            anchor - 6 * DAY + 38,
            anchor + 2 * DAY + 9 * HOUR,
            size=1.6,
            rise=8 * DAY,
            bend=1.15,
            relative=True,
        ),
        Happening(
            "Pump 3",
            "flow",
            "stuck",
            "transmitter frozen",
            anchor - 340,
            anchor + 11 * HOUR,
        ),
        Happening(
            "Turbine 1",
            "lube-oil pressure",
            "drift",
            "worn oil pump",
            anchor - 4 * DAY + 5 * HOUR,
            anchor + 4 * DAY,
            size=-0.48,
            rise=8 * DAY,
        ),
        Happening(
            "Compressor 4",
            "discharge pressure",
            "oscillation",
            "regulator hunting",
            anchor - 792,
            anchor + 16 * HOUR,
            size=0.4,
            rise=25,
            period=11.0,
        ),
        Happening(
            "Pump 1",
            "motor current",
            "step",
            "phase imbalance",
            anchor - 867,
            anchor + 5 * DAY,
            size=0.04,
            rise=3,
            relative=True,
        ),
        Happening(
            "Pump 5",
            "seal pressure",
            "drop-out",
            "radio link lost",
            anchor - 7 * HOUR + 11,
            anchor + 9 * HOUR,
            size=1.0,
        ),
    )


def recent(anchor: int) -> tuple[Happening, ...]:
    """Return the faults of the last two weeks before `anchor` that are over."""
    return (
        Happening(
            "Pump 7",
            "outlet temperature",
            "spike",
            "loose connector",
            anchor - 33 * HOUR,
            anchor - 31 * HOUR,
            size=7.0,
        ),
        Happening(
            "Compressor 1",
            "discharge temperature",
            "drift",
            "intercooler fouled",
            anchor - 9 * DAY,
            anchor - 9 * DAY + 34 * HOUR,
            size=9.0,
            rise=26 * HOUR,
        ),
        Happening(
            "Pump 3",
            "discharge pressure",
            "step",
            "leaking gasket",
            anchor - 9 * DAY - 14 * HOUR,
            anchor - 9 * DAY - 5 * HOUR,
            size=-0.35,
            rise=4,
        ),
        Happening(
            "Pump 5",
            "motor current",
            "changed correlation",
            "cavitation",
            anchor - 10 * DAY - 17 * HOUR,
            anchor - 10 * DAY - 3 * HOUR,
            size=0.15,
        ),
    )
