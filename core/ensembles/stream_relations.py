"""The relation check of every sensor of a stream that has one, step by step; see `core.ensembles.trusted`.

It says what `RobustRegression` says of the same steps without looking back: lagged context and averages are
recursions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from core.detectors import evidence
from core.detectors.context_features import MOST_CROSSED, ContextFeatures
from core.detectors.robust_regression import RobustParameters
from core.ensembles.trusted import Relation
from core.errors import NotFitted
from core.signal import Floats, Mask

Doubles = NDArray[np.float64]
Counts = NDArray[np.int64]

_SWITCH: Final = 0.5
"""Value up to which a channel of 0 and 1 reads 0."""


@dataclass(eq=False)
class Relations:
    """What the check learned and remembers, a row for each sensor that has one.

    Parameters
    ----------
    rows
        (k,) their places in the fleet.
    bounds
        (4, k, width) low, high, centre and scale of the context, as in `ContextFeatures`.
    stops
        (k, width) value up to which a channel says that the machine stands; NaN if it tells no state.
    told
        (k, width) True for those of them that the state of the machine is read from.
    places
        (2, k, columns) places in ``[1, values, states, 0]`` of the two factors of each column that is lagged.
    level
        (k,) weight of the constant.
    weights
        (k, 1 + time constants, columns) of the columns, and of each lagged.
    deviations, references
        (k, states) and (k, kinds, states), as in `RobustRegression`.
    repeats, longest
        (k,) as in `core.detectors.evidence`.
    last, age
        (k, width) last context reading, and steps since.
    following
        (k, time constants, columns) lagged columns.
    before, since
        (k, width) states at the last step, and (k,) steps since they changed.
    reading, run
        (k,) last reading of the target, and how many in a row repeat it.
    sums, counts
        (4, k) weighted sums of what is averaged, and of their weights.
    steps
        (k,) steps so far.
    """

    rows: Counts
    bounds: Doubles
    stops: Doubles
    told: Mask
    places: Counts
    level: Doubles
    weights: Doubles
    deviations: Doubles
    references: Doubles
    repeats: Doubles
    longest: Doubles
    last: Floats
    age: Counts
    following: Doubles
    before: Mask
    since: Counts
    reading: Floats
    run: Counts
    sums: Doubles
    counts: Doubles
    steps: Counts

    @classmethod
    def of(cls, checks: Sequence[Relation | None], p: RobustParameters, width: int) -> Self:
        """Stack the checks of a fleet whose widest sensor has `width` context channels."""
        rows = [place for place, one in enumerate(checks) if one is not None]
        learned = [one.detector._learned for one in checks if one is not None]  # noqa: SLF001 # its stacked twin
        fitted = [one for one in learned if one is not None]
        if len(fitted) < len(rows):
            raise NotFitted("stream: a relation to context was not learned yet")
        k, lags = len(rows), len(p.time_constants)
        factors = [_factors(one.features, width) for one in fitted]
        columns = max((one.shape[1] for one in factors), default=0)
        places = np.full((2, k, columns), 2 * width + 1, np.int64)
        weights = np.zeros((k, 1 + lags, columns))
        bounds, stops = np.zeros((4, k, width)), np.full((k, width), np.nan)
        bounds[3], told = 1.0, np.zeros((k, width), np.bool_)
        for row, (one, own) in enumerate(zip(fitted, factors, strict=True)):
            f, count = one.features, own.shape[1]
            places[:, row, :count] = own
            weights[row, :, :count] = one.weights[1:].reshape(1 + lags, count)
            bounds[:, row, : f.centre.size] = f.low, f.high, f.centre, f.scale
            stops[row, f.switches], stops[row, f.stands] = _SWITCH, f.bar
            if 0 < f.switches.size + f.stands.size <= 2:
                told[row] = np.isfinite(stops[row])
        return cls(
            rows=np.array(rows, np.int64),
            bounds=bounds,
            stops=stops,
            told=told,
            places=places,
            level=np.array([one.weights[0] for one in fitted]),
            weights=weights,
            deviations=np.array([one.deviations for one in fitted]).reshape(k, evidence.STATES),
            references=np.array([one.references for one in fitted]).reshape(
                k, len(evidence.KINDS), evidence.STATES
            ),
            repeats=np.array([one.repeats for one in fitted]),
            longest=np.array([one.longest for one in fitted]),
            last=np.full((k, width), np.nan, np.float32),
            age=np.zeros((k, width), np.int64),
            following=np.zeros((k, lags, columns)),
            before=np.zeros((k, width), np.bool_),
            since=np.full(k, p.settle + 1),
            reading=np.full(k, np.nan, np.float32),
            run=np.zeros(k, np.int64),
            sums=np.zeros((len(evidence.SPANS), k)),
            counts=np.zeros((len(evidence.SPANS), k)),
            steps=np.zeros(k, np.int64),
        )

    def step(self, readings: Floats, p: RobustParameters, warmup: int) -> Doubles:
        """Return the (k,) scores of one step; NaN where the target was not read, and while warming up.

        Parameters
        ----------
        readings
            (sensors, channels) of the whole fleet, the target first.
        warmup
            Steps that are not judged.
        """
        if self.rows.size == 0:
            return np.zeros(0)
        own = readings[self.rows]
        expected, state = self._expected(own[:, 1:], p)
        scores = self._strangeness(own[:, 0], expected, state)
        self.steps += 1
        return np.where(self.steps > warmup, scores, np.nan)

    def _expected(self, context: Floats, p: RobustParameters) -> tuple[Doubles, Counts]:
        """Return the (k,) predictions, and whether the machines run, stand or have just changed."""
        seen = np.isfinite(context)
        self.last = np.where(seen, context, self.last)
        self.age = np.where(seen, 0, self.age + 1)
        filled = np.where(self.age <= p.hold, self.last, np.float32(np.nan))
        low, high, centre, scale = self.bounds
        values = np.nan_to_num((np.clip(filled, low, high) - centre) / scale)
        states = ~(filled <= self.stops)
        ones = np.ones((self.rows.size, 1))
        base = np.concatenate([ones, values, states, 0 * ones], axis=1)
        factors = (np.take_along_axis(base, one, axis=1) for one in self.places)
        columns = next(factors) * next(factors)
        keep = np.exp(-1.0 / np.array(p.time_constants))[None, :, None]
        begun = self.steps[0] > 0
        # The first reading stands in for what came before it.
        self.following = (
            keep * self.following + (1 - keep) * columns[:, None]
            if begun
            else (np.repeat(columns[:, None], keep.size, axis=1))
        )
        expected = self.level + np.einsum("kc,kc->k", columns, self.weights[:, 0])
        expected += np.einsum("klc,klc->k", self.following, self.weights[:, 1:])
        changed = ((states != self.before) & self.told).any(axis=1) & begun
        self.since = np.where(changed, 0, self.since + 1)
        self.before = states
        runs = (states | ~self.told).all(axis=1)
        return expected, np.where(self.since <= p.settle, 2, np.where(runs, 0, 1))

    def _strangeness(self, target: Floats, expected: Doubles, state: Counts) -> Doubles:
        """Return the (k,) strongest evidence, NaN where the target was not read."""
        known, each = np.isfinite(target), np.arange(self.rows.size)
        residuals = (target - expected) / self.deviations[each, state]
        self.run = np.where(target == self.reading, self.run + 1, 0)
        self.reading = target.copy()
        decay = 1.0 - 2.0 / (np.array(evidence.SPANS)[:, None] + 1.0)
        self.sums = np.where(known, decay * self.sums + evidence.to_average(residuals), self.sums)
        self.counts = np.where(known, decay * self.counts + 1.0, self.counts)
        means = self.sums / np.maximum(self.counts, 1.0)
        found = evidence.of_means(residuals, means, self.run - self.longest, self.repeats)
        strongest = found.against(self.references[each, :, state].T, state)
        return np.where(known, np.minimum(strongest, 1e6), np.nan)


def _factors(features: ContextFeatures, width: int) -> Counts:
    """Return the (2, columns) `Relations.places` of one sensor."""
    values = [1 + one for one in range(features.centre.size) if one not in features.switches]
    states = [1 + width + int(one) for one in (*features.switches, *features.stands)]
    pairs = [(0, one) for one in (*values, *states)]
    if len(values) <= MOST_CROSSED:
        pairs += [*combinations(values, 2), *((one, one) for one in values)]
        if 0 < len(states) <= 2:
            pairs += [(value, state) for state in states for value in values]
    return np.array(pairs, np.int64).reshape(-1, 2).T
