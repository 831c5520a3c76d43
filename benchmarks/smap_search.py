"""How the panels were chosen: a search over a grid in five folds of NASA's channels.

    python -m benchmarks.smap_search DATA.zip LABELS.csv --mode review --json OUT.json

In five folds of channels, stratified by spacecraft, the setting that is best on the other folds judges the
fold; the held-out folds' events are pooled once. Best is the highest F1, at most `MOST_FLAGGED` flagged, of
the mean over each setting and its neighbours in the grid, so that a lucky setting among unlucky ones is not
taken. Chosen for good is the best on all channels.
"""

import argparse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.smap_channels import Channel, Count, count, folds, read_channels
from benchmarks.tables import cpu_s, show, write
from core.detectors.contract import Detector
from core.detectors.temporal_convolution import TemporalConvolution
from core.ensembles.blend import Blend, Doubles, blended
from core.ensembles.panel import Panel
from core.ensembles.panel_parameters import PanelParameters
from core.ensembles.presets import ERRORS, NETWORK, SUMS, windows
from core.ensembles.sources import make
from core.ensembles.votes import Voters, causal_votes, levels, review_votes
from core.results import Mode, Scores
from core.signal import Mask
from core.splits import joined
from core.thresholds.intervals import merged, runs

REVISIONS: Final = 5
"""Grids that were searched, this one included.

The first knew one lead, 100 steps, and other entries; the second let a slow rise lift its own record; the
third had no neighbours and always three stretches; the fourth had two more sets of entries in review, which
were dropped once their held-out figures had been seen.
"""

MOST_FLAGGED: Final = 0.07

_WHOLE: Final = windows("whole", 200)
_PAST: Final = windows("past", 100)

_AROUND: Final = ("neighbours-around",)

ENTRIES: Final[Mapping[Mode, Mapping[str, tuple[str, ...]]]] = {
    "review": {
        "instant": (*windows("whole", 200, SUMS), *ERRORS),
        "windows": _WHOLE,
        "windows, past sums": (*_WHOLE, *windows("past", 200, SUMS)),
        "windows, training sums": (*_WHOLE, *windows("training", 200, SUMS)),
        "training sums, neighbours": (*_WHOLE, *windows("training", 200, SUMS), *_AROUND),
        "network": (*_WHOLE, *windows("training", 200, SUMS), *_AROUND, *NETWORK),
    },
    "causal": {
        "instant": (*windows("past", 100, SUMS), *ERRORS),
        "windows": (*_PAST, *ERRORS),
        "windows, long": (*windows("past", 200), *ERRORS),
        "windows, neighbours": (*_PAST, *ERRORS, "neighbours"),
        "network": (*_PAST, *ERRORS, "neighbours", *NETWORK),
    },
}

ON_DEMAND: Final = "network"

SMOOTHING: Final[Mapping[Mode, tuple[tuple[int, ...], ...]]] = {
    "review": ((30, 60, 100), (60, 100, 150)),
    "causal": ((1, 5, 10, 30), (5, 10, 30)),
}
FACTORS: Final[Mapping[Mode, tuple[tuple[float, ...], ...]]] = {
    "review": ((1.05, 1.1, 1.15, 1.2), (1.1, 1.15, 1.2)),
    "causal": ((1.0, 1.03, 1.06, 1.1), (1.03, 1.06, 1.1, 1.15)),
}
RELEASES: Final[Mapping[Mode, tuple[float, ...]]] = {"review": (0.7, 0.8, 0.9), "causal": (0.8,)}
FLOORS: Final = ((0.8, 1.0), (1.0, 1.2), (1.2, 1.5))
SHARES: Final[Mapping[Mode, tuple[float, ...]]] = {"review": (0.4, 0.5, 0.6), "causal": (0.3, 0.4, 0.5)}
LEADS: Final[Mapping[Mode, tuple[int, ...]]] = {"review": (100, 300), "causal": (500,)}
GAPS: Final = (50, 400)
MOST: Final = (3, 2)


@dataclass(frozen=True)
class Setting:
    """One point of the grid, as positions along its axes."""

    entries: str
    smoothing: int
    factors: int
    share: int
    gap: int
    lead: int
    floor: int
    most: int

    def parameters(self, mode: Mode) -> PanelParameters:
        """Return the panel of this point."""
        voters = Voters(
            smoothing=SMOOTHING[mode][self.smoothing],
            factors=FACTORS[mode][self.factors],
            releases=RELEASES[mode],
            floors=FLOORS[self.floor],
            lead=LEADS[mode][self.lead],
            most=MOST[self.most],
            share=SHARES[mode][self.share],
        )
        return PanelParameters(mode, ENTRIES[mode][self.entries], voters, gap=GAPS[self.gap])


def grid(mode: Mode, entries: Sequence[str] | None = None) -> list[Setting]:
    """Return every setting of a mode, or those of some sets of entries.

    Without a wish, those with a network are left out: they take minutes more and won nothing.
    """
    wanted = entries or [one for one in ENTRIES[mode] if one != ON_DEMAND]
    sets = [one for one in ENTRIES[mode] if one in wanted]
    most = MOST if mode == "review" else MOST[:1]
    floors = FLOORS if mode == "causal" else FLOORS[:1]
    axes = (SMOOTHING[mode], FACTORS[mode], SHARES[mode], GAPS, LEADS[mode], floors, most)
    places = list(product(*(range(len(axis)) for axis in axes)))
    return [Setting(one, *place) for one in sets for place in places]


Found = dict[Setting, Count]


def tried(channel: Channel, mode: Mode, settings: Sequence[Setting], given: "Given", seed: int) -> Found:
    """Fit each detector once, and count what every setting finds in the test part."""
    names = tuple(dict.fromkeys(entry for one in settings for entry in ENTRIES[mode][one.entries]))
    whole = Panel(PanelParameters(mode, names, Voters()), seed=seed)
    whole.fit(channel.train, channel.calibrate, given=given.detectors(channel))
    signal = channel.test
    judged = np.flatnonzero(signal.valid)
    scores = whole.scores(signal, given=given.scores(channel))
    ratios = whole.ratios(scores, judged, signal.phase)
    normals = whole.normals(joined(channel.train, channel.calibrate))
    alone = np.any([one.inside for one in whole.trusted(scores, judged).values()], axis=0)
    found: Found = {}
    for entries in dict.fromkeys(one.entries for one in settings):
        seats = [one for one in ENTRIES[mode][entries] if one in ratios]
        voters = {s.parameters(mode).voters for s in settings if s.entries == entries}
        masks = _masks([ratios[one] for one in seats], {one: normals[one] for one in seats}, mode, voters)
        for setting in settings:
            if setting.entries != entries:
                continue
            parameters = setting.parameters(mode)
            votes = np.mean([masks[key] for key in _keys(parameters.voters, mode)], axis=0)
            spans = merged(runs((votes >= parameters.voters.share) | alone), parameters.gap)
            events = [(int(judged[low]), int(judged[high - 1])) for low, high in spans]
            found[setting] = count(channel, events)
    return found


_Voter = tuple[Blend, int, float, float, float, int, int]
"""Blend, smoothing, release, factor, floor (0 in review), lead and most."""


def _keys(voters: Voters, mode: Mode) -> list[_Voter]:
    floors = voters.floors if mode == "causal" else (0.0,)
    ends = (floors, (voters.lead,), (voters.most,))
    return list(product(voters.blends, voters.smoothing, voters.releases, voters.factors, *ends))


def _masks(
    ratios: Sequence[Doubles], normals: Mapping[str, Doubles], mode: Mode, many: Iterable[Voters]
) -> dict[_Voter, Mask]:
    """Return what each single voter of any of the settings calls abnormal, each judged once."""
    masks: dict[_Voter, Mask] = {}
    for voters in many:
        blends = {blend: blended(ratios, blend) for blend in voters.blends}
        highest, _ = levels(normals, voters, mode)
        for key in _keys(voters, mode):
            if key in masks:
                continue
            blend, steps, release, factor, floor, _, _ = key
            one = replace(
                voters,
                blends=(blend,),
                smoothing=(steps,),
                releases=(release,),
                factors=(factor,),
                floors=(floor,),
            )
            if mode == "review":
                masks[key] = review_votes(blends, one) > 0
            else:
                masks[key] = causal_votes(blends, highest, one, PanelParameters.reach) > 0
    return masks


class Given:
    """What was trained for all channels together; nothing, unless a subclass has some."""

    def detectors(self, channel: Channel) -> dict[str, Detector]:
        """Return fitted detectors of a channel by name."""
        del channel
        return {}

    def scores(self, channel: Channel) -> dict[str, Scores]:
        """Return what they say of the channel's test part."""
        del channel
        return {}


class Networks(Given):
    """The convolution network, trained for all channels in one graph."""

    def __init__(self, channels: Sequence[Channel], seed: int) -> None:
        network = make("convolution", seed)
        if not isinstance(network, TemporalConvolution):
            raise TypeError("the panel's convolution network is of another class")
        able = [one for one in channels if network.refusal(joined(one.train, one.calibrate)) is None]
        fitted = network.fit_many([joined(one.train, one.calibrate) for one in able])
        self._detectors = {one.name: each for one, each in zip(able, fitted, strict=True) if each is not None}
        scored = [one for one in able if one.name in self._detectors]
        said = network.score_many([self._detectors[one.name] for one in scored], [one.test for one in scored])
        self._scores = {one.name: each for one, each in zip(scored, said, strict=True)}

    def detectors(self, channel: Channel) -> dict[str, Detector]:
        """Return the network of a channel, unless it could not be trained."""
        own = self._detectors.get(channel.name)
        return {} if own is None else {"convolution": own}

    def scores(self, channel: Channel) -> dict[str, Scores]:
        """Return its scores."""
        own = self._scores.get(channel.name)
        return {} if own is None else {"convolution": own}


@dataclass(frozen=True)
class HeldOut:
    """What a search found.

    Parameters
    ----------
    pooled, craft
        Count over the held-out folds together, and by spacecraft.
    folds
        The setting chosen without each fold, and its count on it.
    chosen, inside
        The setting chosen on all channels, and its count on them (in-sample).
    """

    pooled: Count
    craft: Mapping[str, Count]
    folds: tuple[tuple[Setting, Count], ...]
    chosen: Setting
    inside: Count


def searched(channels: Sequence[Channel], found: Mapping[str, Found], settings: Sequence[Setting]) -> HeldOut:
    """Choose in five folds and on all.

    Parameters
    ----------
    found
        By channel, what each setting finds.
    """
    parts, picked = [], []
    craft: dict[str, Count] = {}
    for fold in folds(channels):
        rest = [one.name for one in channels if one.name not in fold]
        setting = _best(rest, found, settings)
        picked.append((setting, _sum(fold, found, setting)))
        parts += [(one, found[one.name][setting]) for one in channels if one.name in fold]
    for one, each in parts:
        craft[one.spacecraft] = craft.get(one.spacecraft, Count()) + each
    every = [one.name for one in channels]
    chosen = _best(every, found, settings)
    pooled = sum((each for _, each in parts), Count())
    return HeldOut(pooled, craft, tuple(picked), chosen, _sum(every, found, chosen))


def _sum(names: Sequence[str], found: Mapping[str, Found], setting: Setting) -> Count:
    return sum((found[name][setting] for name in names), Count())


def _best(names: Sequence[str], found: Mapping[str, Found], settings: Sequence[Setting]) -> Setting:
    """Return the setting with the highest mean F1 of itself and its neighbours, if few steps are flagged."""
    totals = {one: _sum(names, found, one) for one in settings}

    def worth(one: Setting) -> float:
        near = [totals[other] for other in _near(one) if other in totals]
        mean = sum(each.f1 for each in near) / len(near)
        return mean if totals[one].flagged_share <= MOST_FLAGGED else mean - 1.0

    return max(settings, key=worth)


def _near(one: Setting) -> Iterator[Setting]:
    yield one
    for axis in ("smoothing", "factors", "share", "gap", "lead", "floor", "most"):
        for step in (-1, 1):
            yield replace(one, **{axis: getattr(one, axis) + step})


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the search."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--mode", choices=("review", "causal"), default="review")
    parser.add_argument("--entries", help="names of sets of entries, separated by semicolons; all by default")
    parser.add_argument("--channels", help="names, separated by commas; all by default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    mode: Mode = options.mode
    channels = read_channels(
        options.data, options.labels, options.channels.split(",") if options.channels else None
    )
    settings = grid(mode, options.entries.split(";") if options.entries else None)
    given = (
        Networks(channels, options.seed)
        if any("convolution" in entry for one in settings for entry in ENTRIES[mode][one.entries])
        else Given()
    )
    found = {one.name: tried(one, mode, settings, given, options.seed) for one in channels}
    rows = []
    result: dict[str, float | int | str] = {"revisions_count": REVISIONS, "settings_count": len(settings)}
    for name in [None, *dict.fromkeys(one.entries for one in settings)]:
        some = [one for one in settings if name is None or one.entries == name]
        held = searched(channels, found, some)
        spread = [_sum([one.name for one in channels], found, each).f1 for each in some]
        rows.append(
            [
                name or "the whole grid",
                f"{held.pooled.f1:.3f}",
                f"{held.pooled.tp}/{held.pooled.fp}/{held.pooled.fn}",
                f"{held.pooled.flagged_share:.3f}",
                *(f"{craft} {each.f1:.3f}" for craft, each in sorted(held.craft.items())),
                f"{held.inside.f1:.3f}",
                f"{np.mean(spread):.3f}",
                str(held.chosen),
            ]
        )
        key = (name or "all").replace(", ", "_").replace(" ", "_")
        result |= {
            f"{key}_held_out_f1_ratio": held.pooled.f1,
            f"{key}_flagged_ratio": held.pooled.flagged_share,
        }
    show(
        f"{mode}, {len(channels)} channels, {len(settings)} settings, {cpu_s():.0f} CPU s",
        ["entries", "held out F1", "tp/fp/fn", "flagged", "", "", "in sample", "mean of grid", "chosen"],
        rows,
    )
    write(options.json, result)


if __name__ == "__main__":
    main()
