"""A panel on many channels, network by network in one graph, with what each part of it costs."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from benchmarks.smap_channels import Channel, Count, Span, count
from benchmarks.tables import cpu_s
from core.detectors.contract import Detector
from core.detectors.telemanom import Telemanom
from core.detectors.temporal_convolution import TemporalConvolution
from core.ensembles.panel import Panel
from core.ensembles.raise_events import Detection
from core.ensembles.sources import make
from core.errors import ConstantSignal, InsufficientData
from core.results import Scores
from core.splits import joined

NETWORKS: Final = ("convolution", "lstm")
"""Names of a panel's networks."""

Network = TypeVar("Network", TemporalConvolution, Telemanom)


@dataclass
class Costs:
    """CPU seconds of each part of a run, and seconds of the clock of all of it."""

    train_cpu_s: float = 0.0
    score_cpu_s: float = 0.0
    threshold_cpu_s: float = 0.0
    wall_s: float = 0.0

    @property
    def cpu_s(self) -> float:
        """All parts together."""
        return self.train_cpu_s + self.score_cpu_s + self.threshold_cpu_s

    def add(self, other: "Costs") -> None:
        """Add what another run cost."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))

    @contextmanager
    def of(self, part: str) -> Iterator[None]:
        """Add what is done inside to `part`, one of ``train``, ``score`` and ``threshold``."""
        cpu, clock = cpu_s(), time.perf_counter()
        try:
            yield
        finally:
            key = f"{part}_cpu_s"
            setattr(self, key, getattr(self, key) + cpu_s() - cpu)
            self.wall_s += time.perf_counter() - clock


@dataclass
class Run:
    """What a way to judge found in all channels.

    Parameters
    ----------
    counts
        By seed, then by channel.
    events, ranking
        Of the first seed: events of each channel, and (n,) scores without NaN, warm-up as 0.
    costs
        Of the first seed.
    remarks
        What is to be told of a channel, by its name.
    """

    counts: list[dict[str, Count]] = field(default_factory=list)
    events: dict[str, list[Span]] = field(default_factory=dict)
    ranking: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    costs: Costs = field(default_factory=Costs)
    remarks: dict[str, str] = field(default_factory=dict)

    def totals(self, craft: Mapping[str, str] | None = None, wanted: str = "") -> list[Count]:
        """Return the sum over channels for each seed; with `craft`, over channels of a wanted spacecraft."""
        return [
            sum((each for name, each in one.items() if craft is None or craft[name] == wanted), Count())
            for one in self.counts
        ]

    def note(self, channel: Channel, detection: Detection | None, place: int) -> None:
        """Count what was found in a channel by the seed at `place`."""
        events = [] if detection is None else [(one.start, one.end - 1) for one in detection.events]
        while len(self.counts) <= place:
            self.counts.append({})
        self.counts[place][channel.name] = count(channel, events)
        if place == 0:
            self.events[channel.name] = events
            values = np.zeros(len(channel.test)) if detection is None else detection.scores.values
            self.ranking[channel.name] = np.nan_to_num(values.astype(np.float64), nan=0.0)


@dataclass
class Trained:
    """One network for every channel that it can learn from, and what it says of the test parts."""

    detectors: dict[str, Detector]
    scores: dict[str, Scores]
    costs: Costs


class Networks:
    """Networks trained for all channels together, each seed once, whoever asks."""

    def __init__(self, channels: Sequence[Channel]) -> None:
        self._channels = channels
        self._trained: dict[tuple[str, int], Trained] = {}

    def of(self, name: str, seed: int) -> Trained:
        """Train or return the networks of a kind and seed."""
        if (name, seed) not in self._trained:
            network = make(name, seed)
            # Each call is of a network of its own type, which a union of both would hide.
            match network:
                case TemporalConvolution():
                    self._trained[name, seed] = train_together(network, self._channels)
                case Telemanom():
                    self._trained[name, seed] = train_together(network, self._channels)
                case _:
                    raise SystemExit(f"{name}: is no network that trains many channels")
        return self._trained[name, seed]


def train_together(network: Network, channels: Sequence[Channel]) -> Trained:
    """Train a network for each channel that it can learn from, in one graph, and score the test parts."""
    costs = Costs()
    wholes = {one.name: joined(one.train, one.calibrate) for one in channels}
    able = [one for one in channels if network.refusal(wholes[one.name]) is None]
    able = [one for one in able if len(one.test) > network.warmup]
    with costs.of("train"):
        fitted = network.fit_many([wholes[one.name] for one in able]) if able else []
    held = {one.name: each for one, each in zip(able, fitted, strict=True) if each is not None}
    with costs.of("score"):
        tests = [one.test for one in able if one.name in held]
        said = network.score_many(list(held.values()), tests) if held else []
    return Trained(dict(held), dict(zip(held, said, strict=True)), costs)


def run_panel(
    channels: Sequence[Channel], make_panel: Callable[[int], Panel], seeds: int, networks: Networks
) -> Run:
    """Fit a panel on each channel and judge its test part, once a seed.

    What draws no random number is computed for the first seed alone.
    """
    run = Run()
    learned = [one for one in make_panel(0).panel.sources if one in NETWORKS]
    for seed in range(seeds):
        for name in learned:
            trained = networks.of(name, seed)
            if seed == 0:
                run.costs.add(trained.costs)
    for channel in channels:
        fixed: dict[str, Detector] = {}
        said: dict[str, Scores] = {}
        for seed in range(seeds):
            costs = run.costs if seed == 0 else Costs()
            groups = {name: networks.of(name, seed) for name in learned}
            given = {n: g.detectors[channel.name] for n, g in groups.items() if channel.name in g.detectors}
            known = {n: g.scores[channel.name] for n, g in groups.items() if channel.name in g.scores}
            panel = make_panel(seed)
            try:
                detection, scores = judge(panel, channel, given | fixed, known | said, costs)
            except (ConstantSignal, InsufficientData) as error:
                run.remarks[channel.name] = f"not judged: {error}"
                run.note(channel, None, seed)
                continue
            if panel.remarks:
                run.remarks[channel.name] = " ".join(panel.remarks)
            run.note(channel, detection, seed)
            if seed == 0:
                fixed = {name: one for name, one in panel.detectors.items() if not hasattr(one, "seed")}
                said = {name: scores[name] for name in fixed if name in scores}
    return run


def judge(
    panel: Panel,
    channel: Channel,
    given: Mapping[str, Detector],
    known: Mapping[str, Scores],
    costs: Costs,
) -> tuple[Detection, dict[str, Scores]]:
    """Fit a panel and judge the test part, given what was fitted and scored before; charge `costs`.

    Raises
    ------
    ConstantSignal, InsufficientData
        None of its detectors can be fitted, or judge so short a test part.
    """
    with costs.of("train"):
        panel.fit(channel.train, channel.calibrate, given=given)
    with costs.of("score"):
        scores = panel.scores(channel.test, known)
    with costs.of("threshold"):
        detection = panel.detect(channel.test, given=scores)
    return detection, scores
