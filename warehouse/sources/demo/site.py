"""What all machines of the demo site share: weather, river water and demand."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np

from warehouse.sources.demo.chance import (
    BLOCK,
    DAY,
    LOAD,
    WEATHER,
    WEATHER_ROW,
    Floats,
    generator,
    lag,
    through_days,
    wander,
    white,
)

_EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True, eq=False)
class Site:
    """Two days of the site, minute by minute.

    Parameters
    ----------
    ambient
        (BLOCK,) outdoor temperature, °C: season, weather of days, warmest at three in the afternoon.
    indoor
        (BLOCK,) temperature of the machine hall, °C.
    water
        (BLOCK,) temperature of the river that cools, °C.
    demand
        (BLOCK,) share of rated load that production asks for.
    """

    ambient: Floats
    indoor: Floats
    water: Floats
    demand: Floats


def site(seed: int, day: int) -> Site:
    """Return the site in the block that ends with `day`, counted from 1970."""
    drawn = np.array([generator(seed, WEATHER, day + shift).standard_normal(3) for shift in range(-4, 3)])
    # Weather lasts: a day remembers the two before it.
    fronts = 0.75 * drawn[2:] + 0.5 * drawn[1:-1] + 0.3 * drawn[:-2]
    weather = 3.0 * through_days(fronts[:, 0])
    clouds = through_days(np.clip(fronts[:, 1], -1.5, 1.5))
    yearly = np.sin(2 * np.pi * (_year_day(day) - 110) / 365.25)
    hour = np.arange(BLOCK) % DAY / 60.0
    afternoon = np.cos(2 * np.pi * (hour - 15.0) / 24.0)
    gusts = 0.35 * wander(white(seed, day, WEATHER_ROW), 40.0)
    ambient = 13.0 + 7.0 * yearly + weather + (4.2 + 1.3 * clouds) * afternoon + gusts
    water = 16.5 + 3.0 * yearly + 0.22 * weather + 0.5 * np.cos(2 * np.pi * (hour - 18.0) / 24.0)
    return Site(ambient, 21.0 + 0.05 * (ambient - 13.0), water, _demand(seed, day, drawn[:, 2]))


def _year_day(day: int) -> Floats:
    midnight = _EPOCH + timedelta(days=day)
    minutes = np.arange(BLOCK) / DAY - 1.0
    return midnight.timetuple().tm_yday + minutes


def _demand(seed: int, day: int, mood: Floats) -> Floats:
    """Weekdays run two full shifts and a reduced night; weekends run reduced throughout."""
    levels = []
    for shift in (-1, 0):
        weekday = (_EPOCH + timedelta(days=day + shift)).weekday()
        night, shifts = (0.80, 0.92) if weekday < 5 else (0.79, 0.83)
        begin, end = generator(seed, LOAD, day + shift, 99).integers(-12, 13, 2)
        level = np.full(DAY, night)
        level[6 * 60 + begin : 22 * 60 + end] = shifts
        levels.append(level)
    business = 0.012 * through_days(np.clip(mood[2:], -2.0, 2.0))
    return lag(np.concatenate(levels), 18.0) + business
