"""Who is at the screen: chosen in the session, named by the address, or the local profile."""

import pytest
from streamlit.testing.v1 import AppTest


def _who() -> None:
    import streamlit as st

    from app.actions.screen import ActionFailed, acknowledge
    from app.queries import house
    from app.queries.failure import ReadFailed

    try:
        me = house.profile()
        st.text(f"{me.name}: {me.role}")
    except ReadFailed as failure:
        st.text(str(failure))
    try:
        acknowledge("no such event")
    except ActionFailed as failure:
        st.text(str(failure))


def _said(chosen: str | None = None, address: str | None = None) -> list[str]:
    test = AppTest.from_function(_who)
    if chosen is not None:
        test.session_state["person"] = chosen
    if address is not None:
        test.query_params["person"] = address
    test.run()
    assert not test.exception
    return [one.value for one in test.text]


@pytest.fixture
def people(empty: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELLTALE_PEOPLE", "Ana:labeller,Ben:viewer")


@pytest.mark.usefixtures("empty")
def test_without_people_the_address_names_nobody():
    assert _said(chosen="Ana", address="Ana")[0] == "engineer A: admin"


@pytest.mark.usefixtures("people")
def test_the_session_comes_before_the_address_and_both_before_the_local_profile():
    assert _said()[0] == "engineer A: admin"
    assert _said(address="Ben")[0] == "Ben: viewer"
    assert _said(chosen="Ana", address="Ben")[0] == "Ana: labeller"


@pytest.mark.usefixtures("people")
def test_a_stranger_reads_a_reason_and_writes_nothing():
    reads, writes = _said(address="Zed")
    assert reads == writes == "Zed is not one of the people who work here: Ana, Ben; choose one of them"


@pytest.mark.usefixtures("people")
def test_a_person_may_what_the_list_says():
    assert "no current event" in _said(address="Ana")[1]
    assert _said(address="Ben")[1].startswith("Ben has the role viewer and may not acknowledge an event")
