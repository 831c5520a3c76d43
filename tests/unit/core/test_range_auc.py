"""VUS-PR: the published definition, and what a person may expect of such a measure."""

import numpy as np
import pytest

from core.errors import ParameterError
from core.evaluation.range_auc import buffer_length, vus_pr

Sequences = tuple[tuple[int, int], ...]


def marked(n: int, sequences: Sequences) -> np.ndarray:
    labels = np.zeros(n, dtype=bool)
    for start, end in sequences:
        labels[start:end] = True
    return labels


def case(n: int, sequences: Sequences, digits: int | None) -> tuple[np.ndarray, np.ndarray]:
    t, labels = np.arange(n), marked(n, sequences)
    scores = np.sin(t / 7) + np.cos(t * t / 900) + 1.5 * labels * np.sin(t / 3)
    return labels, scores if digits is None else np.round(scores, digits)


def faded(labels: np.ndarray, width: int) -> np.ndarray:
    """Each sequence adds the square root of what is left of the width, for half a width on either side."""
    weights = labels.astype(float)
    edges = np.flatnonzero(np.diff(np.r_[0, labels.astype(int), 0]))
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        for step in range(labels.size):
            off = start - step if step < start else step - (end - 1)
            if (step < start or step >= end) and off <= width // 2:
                weights[step] += np.sqrt(1 - off / width)
    return np.minimum(weights, 1.0)


def slow(labels: np.ndarray, scores: np.ndarray, buffer: int, thresholds: int = 250) -> float:
    """The definition, written down step by step."""
    falling = np.sort(scores)[::-1]
    areas = []
    for width in range(buffer + 1):
        weights, half = faded(labels, width), width // 2
        edges = np.flatnonzero(np.diff(np.r_[0, labels.astype(int), 0]))
        stretches: list[list[int]] = []
        for start, end in zip(edges[::2], edges[1::2], strict=True):
            if stretches and start - half <= stretches[-1][1]:
                stretches[-1][1] = end - 1 + half
            else:
                stretches.append([max(start - half, 0), end - 1 + half])
        area = before = 0.0
        for place in np.linspace(0, scores.size - 1, thresholds).astype(int):
            flagged = scores >= falling[place]
            hits = (weights * flagged).sum()
            positives = (labels.sum() + np.where(labels, 1.0, weights * flagged).sum()) / 2
            seen = np.mean([flagged[first : last + 1].any() for first, last in stretches])
            recall = min(hits / positives, 1.0) * seen
            area += (recall - before) * hits / flagged.sum()
            before = recall
        areas.append(area)
    return float(np.mean(areas))


# Made with generate_curve of the package TSB-AD 1.5, the code behind the published figures.
@pytest.mark.parametrize(
    ("n", "sequences", "buffer", "digits", "wanted"),
    [
        (600, ((200, 260), (400, 410)), 40, None, 0.2694326770465863),
        (600, ((0, 30), (300, 301), (590, 600)), 125, None, 0.5689377234751006),
        (400, ((100, 110), (114, 120), (123, 124)), 33, 0, 0.14422078250906925),
        (500, ((250, 300),), 0, None, 0.1694622269202295),
        (500, ((250, 300),), 7, 1, 0.17519444102866377),
    ],
)
def test_the_figures_are_those_of_the_published_code(
    n: int, sequences: Sequences, buffer: int, digits: int | None, wanted: float
) -> None:
    assert vus_pr(*case(n, sequences, digits), buffer) == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize("seed", range(8))
def test_fast_and_slow_agree_where_sequences_are_dense_and_scores_repeat(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.random(120) < (0.05, 0.3)[seed % 2]
    labels[40] = True
    scores = rng.normal(size=120) + labels
    scores = np.round(scores) if seed % 3 == 0 else scores
    buffer = int(rng.integers(0, 50))
    assert vus_pr(labels, scores, buffer) == pytest.approx(slow(labels, scores, buffer), abs=1e-6)


def test_only_the_order_of_scores_counts() -> None:
    labels, scores = case(600, ((200, 260),), None)
    assert vus_pr(labels, scores, 30) == vus_pr(labels, np.exp(scores) * 7 - 3, 30)


def test_the_labels_themselves_are_best_and_their_opposite_is_worst() -> None:
    labels, scores = case(600, ((200, 260), (400, 460)), None)
    best, worst = vus_pr(labels, labels * 1.0, 20), vus_pr(labels, labels * -1.0, 20)
    assert worst < vus_pr(labels, scores, 20) < best
    assert best > 0.98
    assert worst < 0.25


def test_a_peak_beside_a_label_counts_for_something_within_the_buffer_only() -> None:
    labels = marked(600, ((300, 310),))
    beside = np.exp(-(((np.arange(600) - 318) / 6.0) ** 2))
    assert vus_pr(labels, beside, 40) > 1.5 * vus_pr(labels, beside, 4)


def test_one_sequence_found_of_two_counts_half_the_recall() -> None:
    labels = marked(2000, ((500, 520), (1500, 1520)))
    one = np.linspace(0, 0.1, 2000)
    one[500:520] = 1.0
    both = one.copy()
    both[1500:1520] = 1.0
    assert vus_pr(labels, one, 0) < 0.6 * vus_pr(labels, both, 0)


@pytest.mark.parametrize(
    ("labels", "scores", "buffer", "thresholds", "told"),
    [
        (np.zeros(9, bool), np.arange(9.0), 3, 250, "no step is labelled"),
        (np.ones(9, bool), np.full(9, np.nan), 3, 250, "9 of 9 scores are not finite"),
        (np.ones(9, bool), np.arange(8.0), 3, 250, "labels for"),
        (np.ones(9, bool), np.arange(9.0), -1, 250, "buffer -1"),
        (np.ones(9, bool), np.arange(9.0), 3, 1, "thresholds"),
    ],
)
def test_what_can_t_be_judged_is_refused(
    labels: np.ndarray, scores: np.ndarray, buffer: int, thresholds: int, told: str
) -> None:
    with pytest.raises(ParameterError, match=told):
        vus_pr(labels, scores, buffer, thresholds=thresholds)


# Made with find_length_rank of the same package.
@pytest.mark.parametrize(
    ("period", "buffer", "second"), [(2 * np.pi * 7, 44, 88), (350.0, 125, 125), (4.0, 125, 8)]
)
def test_the_buffer_is_the_period_where_that_is_usable(period: float, buffer: int, second: int) -> None:
    wave = np.sin(2 * np.pi * np.arange(2000.0) / period)
    assert buffer_length(wave) == buffer
    assert buffer_length(wave, rank=2) == second


@pytest.mark.parametrize("values", [np.zeros(500), np.arange(2000.0), np.array([1.0, 2.0, 1.0])])
def test_without_a_period_the_buffer_is_the_usual_one(values: np.ndarray) -> None:
    assert buffer_length(values) == 125


def test_nothing_has_no_buffer() -> None:
    with pytest.raises(ParameterError, match="empty"):
        buffer_length(np.zeros(0))
