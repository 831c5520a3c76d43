"""When which machine fails: the story around the anchor, and faults drawn by seed before and after it.

The first five weeks of the ninety days hold no fault, so that there is something healthy to learn from.
Pump 2, Pump 4, Pump 6 and Compressor 3 never fail.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Final

from warehouse.sources.demo.chance import DAY, FAULT, generator
from warehouse.sources.demo.happenings import Happening, Stop
from warehouse.sources.demo.story import recent, running
from warehouse.sources.demo.templates import TEMPLATES, Template

HISTORY_DAYS: Final = 90
HEALTHY_DAYS: Final = 35

_SLOT: Final = 8 * DAY
_PAST_SLOTS: Final = 5
_PAST_CHANCE: Final = 0.4
_COMING_CHANCE: Final = 0.75
_FIRST_COMING: Final = 6 * DAY
_REPAIR: Final = 190
_MARGIN: Final = 8 * 60
_MENDED_RUNNING: Final = frozenset({"Turbine 1"})  # it has a second oil pump to change over to


def faults(seed: int, anchor: int, start: int, end: int) -> tuple[Happening, ...]:
    """Return the faults that touch the half-open minutes ``[start, end)``, in order of machine and time."""
    told = (*recent(anchor), *running(anchor))
    drawn = [part for number in _slots(anchor, start, end) for part in _drawn(seed, anchor, number)]
    return tuple(
        sorted(
            (one for one in (*told, *drawn) if one.overlaps(start, end)),
            key=lambda one: (one.machine, one.start, one.sensor),
        )
    )


def repairs(seed: int, anchor: int, start: int, end: int) -> tuple[Stop, ...]:
    """Return the stops in ``[start, end)`` in which a machine that wore out is mended."""
    worn: dict[tuple[str, int], str] = {}
    for fault in faults(seed, anchor, start - _REPAIR - 1, end):
        if fault.kind == "drift" and fault.machine not in _MENDED_RUNNING:
            worn.setdefault((fault.machine, fault.end), fault.cause)
    stops = (
        Stop(machine, begin, begin + _REPAIR, "start-up", f"restart after repair ({cause})")
        for (machine, begin), cause in worn.items()
    )
    return tuple(stop for stop in stops if stop.start < end and start < stop.end)


def _slots(anchor: int, start: int, end: int) -> Iterator[int]:
    """Yield the numbers of the slots that ``[start, end)`` touches: 0 to 4 past, from 5 on to come."""
    for number in range(_PAST_SLOTS):
        begin = _slot_start(anchor, number)
        if begin < end and start < begin + _SLOT:
            yield number
    coming = _slot_start(anchor, _PAST_SLOTS)
    first = max(0, (start - coming) // _SLOT)
    for number in range(_PAST_SLOTS + first, _PAST_SLOTS + max(0, -(-(end - coming) // _SLOT))):
        yield number


def _slot_start(anchor: int, number: int) -> int:
    if number < _PAST_SLOTS:
        return anchor - (HISTORY_DAYS - HEALTHY_DAYS) * DAY + number * _SLOT
    return anchor + _FIRST_COMING + (number - _PAST_SLOTS) * _SLOT


@lru_cache(maxsize=256)
def _drawn(seed: int, anchor: int, number: int) -> tuple[Happening, ...]:
    """Return the faults of a slot; each lies wholly inside it, so that a day knows them by its slot alone."""
    chance = _PAST_CHANCE if number < _PAST_SLOTS else _COMING_CHANCE
    begin = _slot_start(anchor, number)
    found: list[Happening] = []
    for index, templates in enumerate(TEMPLATES.values()):
        random = generator(seed, FAULT, number, index)
        hit, which, length, size, place = random.random(5)
        if hit < chance:
            template = templates[int(which * len(templates))]
            found += _placed(template, begin, float(length), float(size), float(place))
    return tuple(found)


def _placed(template: Template, begin: int, length: float, size: float, place: float) -> Iterator[Happening]:
    low, high = template.hours
    minutes = round(60 * (low + length * (high - low)))
    free = _SLOT - minutes - 2 * _MARGIN
    start = begin + _MARGIN + round(place * free)
    full = template.size[0] + size * (template.size[1] - template.size[0])
    rise = max(3, round(template.rises * minutes))
    for part in template.parts:
        yield replace(
            part, start=start + part.start, end=start + minutes, size=round(full * part.size, 4), rise=rise
        )
