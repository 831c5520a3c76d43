"""What is said of jobs: failures by reason, short names, what a bar says."""

import pytest
from job_material import CONSTANT, SHORT, batch, row

from app.components.job_cards import batch_text, newest_network
from app.components.job_words import by_reason, outcome_text, resources, short_names, state_badge, state_text
from app.queries.job_views import Failure


def test_a_failure_is_told_by_sign_and_word_and_is_the_only_one_in_colour():
    told = {state: state_badge(row(1, state=state)) for state in ("queued", "running", "done", "cancelled")}
    assert state_badge(row(1, state="failed")) == ":red-badge[✖ Failed]"
    assert all(badge.startswith(":gray-badge[") for badge in told.values())
    assert len({state_text(row(1, state=state))[0] for state in (*told, "failed", "interrupted")}) == 6


def test_a_cancel_that_was_asked_for_is_said_before_it_happened():
    assert state_text(row(1, cancel_asked=True)) == "Cancelling…"


def test_ten_failures_of_two_reasons_are_two_lines():
    failures = [Failure(n, f"P-{n}", SHORT if n % 3 else CONSTANT) for n in range(10)]
    ranked = by_reason(failures)
    assert [(reason, len(those)) for reason, those in ranked] == [(SHORT, 6), (CONSTANT, 4)]
    assert [one.name for one in ranked[1][1]] == ["P-0", "P-3", "P-6", "P-9"]


def test_a_batch_says_how_many_failed_beside_how_many_are_done():
    told = batch_text(batch({"done": 14, "running": 2, "failed": 10, "queued": 35}))
    assert told == "14 of 61 done · :red[✖ 10 failed] · 2 running · 35 waiting · about 9 min left"
    assert "failed" not in batch_text(batch({"done": 3}, left=""))
    lost = (Failure(201, "P-1 · telemetry", "no files"),)
    assert (
        batch_text(batch({"done": 3}, left="", failures=lost)) == "3 of 3 done · :red[✖ 1 failed in scoring]"
    )


def test_machines_with_one_sensor_each_need_no_sensor_in_their_names():
    assert short_names(["P-1 · telemetry", "P-2 · telemetry"]) == ("P-1", "P-2")
    both = ("Pump 1 · speed", "Pump 1 · flow")
    assert short_names(both) == both


def test_an_outcome_and_its_remarks_are_sentences():
    done = row(1, state="done", outcome="registered as version 3", remarks=("one tier judges it alone.",))
    assert outcome_text(done) == "Registered as version 3. Note: one tier judges it alone."


@pytest.mark.parametrize(
    ("memory_mb", "cpu_s", "words"),
    [
        (None, None, ""),
        (412.4, 38.2, "412 MB of memory, 38 s of CPU"),
        (1143.0, 600.0, "1.1 GB of memory, 10 min of CPU"),
        (90.0, None, "90 MB of memory"),
    ],
)
def test_what_a_job_takes_is_told_with_units(memory_mb: float | None, cpu_s: float | None, words: str):
    assert resources(memory_mb, cpu_s) == words


def test_of_several_networks_the_curves_of_the_newest_are_kept():
    losses = (
        ("train loss", ((1, 0.5),)),
        ("train loss of network 2", ((1, 0.25),)),
        ("validation loss of network 2", ((1, 0.3),)),
    )
    assert newest_network(losses) == (("train loss", ((1, 0.25),)), ("validation loss", ((1, 0.3),)))
