"""What stands on the marks of verdicts: who said what, in one line where several speak of one stretch."""

from collections.abc import Sequence

from app.queries.views import Band, Verdict
from app.theme import VERDICT_WORDS


def opinions(verdicts: Sequence[Verdict]) -> tuple[Band, ...]:
    """Return one band a verdict; of those that speak of one stretch, the first carries the words of all.

    People who differ would else write on top of one another, and nobody could read that they do.
    """
    rows = sorted(verdicts, key=lambda one: (one.start, one.label_id))
    found: list[Band] = []
    while rows:
        together = [one for one in rows if _same_stretch(rows[0], one)]
        rows = [one for one in rows if one not in together]
        found += [
            Band(one.start, one.end, _words(together) if place == 0 else "")
            for place, one in enumerate(together)
        ]
    return tuple(found)


def _same_stretch(one: Verdict, other: Verdict) -> bool:
    shorter = min(one.end - one.start, other.end - other.start)
    return (min(one.end, other.end) - max(one.start, other.start)) * 2 >= shorter


def _words(verdicts: Sequence[Verdict]) -> str:
    said: dict[str, list[str]] = {}
    for one in verdicts:
        names = said.setdefault(one.verdict, [])
        if one.actor not in names:
            names.append(one.actor)
    each = [f"{VERDICT_WORDS[verdict].lower()}, {' and '.join(names)}" for verdict, names in said.items()]
    differ = "people disagree: " if {"true_anomaly", "false_positive"} <= set(said) else ""
    return differ + "; ".join(each)
