"""Writes that wait at the same time share a transaction, and none of them notices."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from warehouse.errors import DiskFull, LabelError, StateUnavailable
from warehouse.state import together as together_module
from warehouse.state.labels import NewLabel
from warehouse.state.together import Together
from warehouse.state.writes import Write

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def label(number: int, actor: str, verdict: str = "unsure") -> Write:
    start = NOON - timedelta(hours=number + 2)
    payload = NewLabel(1, start, start + timedelta(minutes=30), verdict).payload()
    return Write(f"{actor}-{number}", "label.set", payload, actor, NOON)


@pytest.fixture
def together(owner, warehouse):
    return Together(owner._opened(), warehouse)


class Gate:
    """Holds the first transaction until the others wait, so that they have to share the next one."""

    def __init__(self, together: Together, monkeypatch: pytest.MonkeyPatch, others: int) -> None:
        self.sizes: list[int] = []
        apply = together_module.apply

        def slow(cursor, writes, warehouse):
            self.sizes.append(len(writes))
            if len(self.sizes) == 1:
                deadline = datetime.now(UTC) + timedelta(seconds=20)
                while len(together._queue) < others and datetime.now(UTC) < deadline:
                    threading.Event().wait(0.001)
            return apply(cursor, writes, warehouse)

        monkeypatch.setattr(together_module, "apply", slow)


def all_at_once(together: Together, writes: list[Write]) -> list[object]:
    """Make each write from a thread of its own and return outcomes, refusals and failures in their order."""

    def one(write: Write) -> object:
        try:
            return together.write([write])[0]
        except (StateUnavailable, DiskFull, duckdb.Error) as error:
            return error

    with ThreadPoolExecutor(len(writes)) as pool:
        return list(pool.map(one, writes))


def test_those_that_wait_share_one_transaction_and_each_has_its_own_outcome(owner, together, monkeypatch):
    gate = Gate(together, monkeypatch, others=19)
    made = all_at_once(together, [label(n, f"p{n}") for n in range(20)])
    assert sorted(gate.sizes) == [1, 19]
    assert sorted(one["label_id"] for one in made) == list(range(1, 21))
    log = owner.query("SELECT seq, actor, note FROM label_log ORDER BY seq")
    assert log["seq"].to_list() == list(range(1, 21))
    stored = {row["actor"]: row["seq"] for row in log.iter_rows(named=True)}
    assert [stored[f"p{n}"] for n in range(20)] == [one["label_id"] for one in made]
    assert owner.query("SELECT seq FROM audit ORDER BY seq")["seq"].to_list() == list(range(1, 21))


def test_a_refusal_among_them_stops_nobody_else(owner, together, monkeypatch):
    gate = Gate(together, monkeypatch, others=9)
    made = all_at_once(together, [label(n, f"p{n}", "maybe" if n % 3 == 2 else "unsure") for n in range(10)])
    assert sorted(gate.sizes) == [1, 9]
    assert [isinstance(one, LabelError) for one in made] == [n % 3 == 2 for n in range(10)]
    assert owner.labels().height == owner.audit().height == 7


def test_a_failure_in_common_leaves_each_its_own_attempt(owner, together, monkeypatch):
    gate = Gate(together, monkeypatch, others=9)
    held = together_module.apply

    def failing(cursor, writes, warehouse):
        made = held(cursor, writes, warehouse)
        if len(writes) > 1:
            raise duckdb.OutOfRangeException("too much at once")
        if writes[0].actor == "p4":
            raise duckdb.OutOfRangeException("too much anyway")
        return made

    monkeypatch.setattr(together_module, "apply", failing)
    made = all_at_once(together, [label(n, f"p{n}") for n in range(10)])
    assert sorted(gate.sizes)[-2:] == [1, 9]
    assert str(made[4]) == "label.set can't be stored as given: too much anyway"
    assert all(isinstance(one, dict) for one in [*made[:4], *made[5:]])
    assert sorted(owner.labels()["actor"]) == sorted(f"p{n}" for n in range(10) if n != 4)


def test_the_same_write_twice_in_one_transaction_takes_effect_once(owner, together):
    first, second = together.write([label(1, "ada"), label(1, "ada")])
    assert first == second
    assert owner.labels().height == 1


def test_a_store_that_was_closed_is_told_to_everybody(owner, together):
    owner.release()
    made = all_at_once(together, [label(n, f"p{n}") for n in range(4)])
    assert all(isinstance(one, StateUnavailable) for one in made)
