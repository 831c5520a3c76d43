import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from warehouse.errors import LabelError, StateLocked, StateUnavailable
from warehouse.state import owner as owner_module
from warehouse.state import published
from warehouse.state.labels import NewLabel
from warehouse.state.owner import StateOwner, current_owner, install
from warehouse.state.post import post
from warehouse.state.published import read_labels

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def payload(day: int = 1, verdict: str = "unsure") -> dict[str, object]:
    start = datetime(2023, 1, 1, tzinfo=UTC) + timedelta(days=day)
    return NewLabel(1, start, start + timedelta(hours=1), verdict).payload()


def wait_for(condition, seconds: float = 10.0) -> bool:
    pause, ended = threading.Event(), datetime.now(UTC) + timedelta(seconds=seconds)
    while not condition():
        if datetime.now(UTC) > ended:
            return False
        pause.wait(0.01)
    return True


def test_the_state_has_one_owner_and_the_other_learns_who(owner, warehouse, clock):
    with pytest.raises(StateLocked, match=f"process {os.getpid()}"):
        StateOwner(warehouse, clock=clock).acquire()
    owner.stop()
    with StateOwner(warehouse, clock=clock) as next_one:
        assert next_one.labels().is_empty()


def test_an_owner_waits_for_a_lock_that_is_held_for_a_moment(owner, warehouse, clock):
    second = StateOwner(warehouse, clock=clock)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(second.acquire, 10.0)
        owner.stop()
        waiting.result()
    second.stop()


def test_a_stopped_owner_says_so(owner):
    owner.stop()
    with pytest.raises(StateUnavailable):
        owner.query("SELECT 1")
    with pytest.raises(StateUnavailable):
        owner.write("label.set", payload(), actor="ada", write_id="w")


def test_the_thread_folds_publishes_and_acknowledges(owner, warehouse):
    owner.start_thread()
    warehouse.jobs.inbox.put("w-1", "label.set", payload(), actor="ada", at=NOON)
    warehouse.jobs.inbox.put("w-2", "label.set", payload(verdict="?"), actor="ada", at=NOON)
    assert wait_for(lambda: warehouse.jobs.inbox.outcome("w-2") is not None)
    assert warehouse.jobs.inbox.outcome("w-1").outcome == {"label_id": 1, "sensor_id": 1}
    assert "verdict must be one of" in warehouse.jobs.inbox.outcome("w-2").error
    # Who holds an acknowledgement finds the verdict published.
    assert read_labels(warehouse).frame["recorded_at"].to_list() == [NOON]


def test_a_verdict_given_in_the_app_is_published_by_the_thread(owner, warehouse):
    owner.start_thread()
    owner.write("label.set", payload(), actor="ada", write_id="w")
    assert wait_for(lambda: read_labels(warehouse).sequence == 1)


def test_what_waited_while_nobody_owned_the_state_is_folded_at_the_start(owner, warehouse, clock):
    owner.stop()
    warehouse.jobs.inbox.put("w-1", "label.set", payload(), actor="ada", at=NOON)
    again = StateOwner(warehouse, clock=clock)
    again.acquire()
    again.start_thread()
    assert wait_for(lambda: warehouse.jobs.inbox.outcome("w-1") is not None)
    again.stop()


def test_a_crash_between_commit_and_acknowledgement_doubles_nothing(owner, warehouse):
    """The write is committed, but its row in the inbox still waits when the owner comes back."""
    outcome = owner.write("label.set", payload(), actor="ada", write_id="w-1")
    warehouse.jobs.inbox.put("w-1", "label.set", payload(), actor="ada", at=NOON)
    owner.fold_inbox()
    assert warehouse.jobs.inbox.outcome("w-1").outcome == outcome
    assert owner.query("SELECT count(*) AS n FROM label_log").item() == 1


def test_a_failing_disk_leaves_writes_waiting_and_is_got_over(owner, warehouse, monkeypatch):
    broken = threading.Event()
    publish = published.publish

    def fail(*args, **kwargs):
        if not broken.is_set():
            raise OSError(28, "No space left on device")
        return publish(*args, **kwargs)

    monkeypatch.setattr(owner_module.published, "publish", fail)
    owner.start_thread()
    warehouse.jobs.inbox.put("w-1", "label.set", payload(), actor="ada", at=NOON)
    assert wait_for(lambda: owner.failure is not None)
    assert warehouse.jobs.inbox.outcome("w-1") is None
    broken.set()
    assert wait_for(lambda: warehouse.jobs.inbox.outcome("w-1") is not None)
    assert wait_for(lambda: owner.failure is None)


def test_threads_write_and_read_at_once_without_a_wrong_answer(owner):
    """A connection shared by threads gave wrong results; one cursor a call does not."""
    wrong = []

    def write(number: int) -> None:
        for step in range(10):
            day = number * 10 + step
            owner.write("label.set", payload(day), actor=f"p{number}", write_id=f"w-{day}")

    def read(_: int) -> None:
        for _ in range(40):
            frame = owner.query("SELECT seq, label_id FROM label_log ORDER BY seq")
            if frame["seq"].to_list() != list(range(1, frame.height + 1)):
                wrong.append(frame)

    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(write, n) for n in range(4)] + [pool.submit(read, n) for n in range(4)]
        for future in futures:
            future.result()
    assert wrong == []
    assert owner.labels().height == 40
    assert owner.audit(limit=100)["write_id"].n_unique() == 40


def test_post_writes_itself_while_nobody_owns_the_state(owner, warehouse, clock):
    owner.stop()
    outcome = post(warehouse, "label.set", payload(), actor="ada", clock=clock)
    assert read_labels(warehouse).frame["label_id"].to_list() == [outcome["label_id"]]
    owner.acquire()  # and the lock was given back
    assert owner.labels()["actor"].to_list() == ["ada"]


def test_post_is_acknowledged_by_the_living_owner(owner, warehouse, clock):
    owner.start_thread()
    outcome = post(warehouse, "label.set", payload(), actor="ada", clock=clock)
    assert owner.labels()["label_id"].to_list() == [outcome["label_id"]]
    with pytest.raises(LabelError, match="verdict must be one of"):
        post(warehouse, "label.set", payload(verdict="?"), actor="ada", clock=clock)


def test_post_says_that_a_write_waits_for_a_silent_owner_and_it_is_not_lost(owner, warehouse, clock):
    with pytest.raises(StateUnavailable, match="waits in the inbox"):
        post(warehouse, "label.set", payload(), actor="ada", clock=clock, timeout=0.1)
    owner.fold_inbox()
    assert owner.labels().height == 1


def test_post_takes_over_when_the_owner_goes_while_it_waits(owner, warehouse, clock):
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(post, warehouse, "label.set", payload(), actor="ada", clock=clock, timeout=20)
        assert wait_for(lambda: warehouse.jobs.inbox.pending() != ())
        owner.release()
        assert waiting.result() == {"label_id": 1, "sensor_id": 1}


def test_pages_reach_the_owner_of_their_process(owner):
    with pytest.raises(StateUnavailable, match="telltale run"):
        current_owner()
    install(owner)
    try:
        assert current_owner() is owner
    finally:
        install(None)


def test_the_revision_grows_with_every_write(owner):
    before = owner.revision
    owner.write("label.set", payload(), actor="ada", write_id=str(uuid4()))
    assert owner.revision > before
