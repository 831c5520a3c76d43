"""Risk puts first what is bad, likely and on a machine that matters."""

import itertools

import pytest

from core.ensembles.risk import CRITICALITY_WEIGHTS, SEVERITY_WEIGHTS, of_incident, risk
from core.errors import ParameterError


def test_each_step_of_severity_and_criticality_counts_twice_the_one_below():
    for weights in (SEVERITY_WEIGHTS, CRITICALITY_WEIGHTS):
        values = list(weights.values())
        assert [b / a for a, b in itertools.pairwise(values)] == [2.0] * 3


def test_an_unlikely_critical_event_asks_for_less_than_a_likely_high_one():
    assert risk("critical", 0.2) == pytest.approx(1.6)
    assert risk("critical", 0.2) < risk("high", 0.9)


def test_a_vital_machine_goes_before_an_unimportant_one():
    assert risk("medium", 0.9, "vital") > risk("critical", 0.9, "low")


def test_what_nobody_called_critical_is_normal():
    assert risk("high", 0.5) == risk("high", 0.5, "normal") == 2.0


def test_many_mild_signs_do_not_add_up_to_a_bad_one():
    assert of_incident([risk("low", 1.0)] * 20) < risk("high", 0.9)


@pytest.mark.parametrize(
    "said", [("grave", 0.5, "normal"), ("high", 1.2, "normal"), ("high", 0.5, "dear"), ("high", -0.1, "low")]
)
def test_what_has_no_risk_is_refused(said: tuple[str, float, str]):
    with pytest.raises(ParameterError):
        risk(*said)
