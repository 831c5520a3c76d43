"""What is told of an end: one notice a job, one a batch, with what failed said first."""

from job_material import batch, row

from app.components.notices import told
from app.queries.job_views import Failure, Notices, Watch

WATCH = Watch(0, frozenset())


def test_a_batch_of_many_is_one_notice_that_counts_what_failed():
    (notice,) = told(Notices((), (batch({"done": 51, "failed": 10}, left=""),), WATCH))
    assert notice.failed
    assert "51 of 61 done" in notice.text
    assert "✖ 10 failed" in notice.text
    assert notice.link == ("batch", "3")


def test_a_failure_says_why_and_leads_to_its_job():
    (notice,) = told(Notices((row(17, state="failed", outcome="Failed: no *room*"),), (), WATCH))
    assert notice.failed
    assert notice.text == r"Failed\: no \*room\*."
    assert notice.link == ("job", "17")


def test_what_a_person_cancelled_is_no_failure():
    (notice,) = told(Notices((row(17, state="cancelled"),), (), WATCH))
    assert not notice.failed
    assert notice.text == "Cancelled by ada."


def test_what_failed_after_a_training_is_told_apart_from_the_training():
    done, lost = row(17, state="done"), row(18, state="failed", kind="score", title="Scoring")
    assert [one.title for one in told(Notices((done, lost), (), WATCH))] == [
        "Pump 7 · speed",
        "Scoring: Pump 7 · speed",
    ]
    failures = (Failure(201, "P-1 · telemetry", "no files"),)
    (notice,) = told(Notices((), (batch({"done": 3}, left="", failures=failures),), WATCH))
    assert notice.failed
