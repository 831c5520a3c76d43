"""Native chatter is held back while a library loads, and shown when loading fails."""

import os

import pytest

from core.networks.hush import hushed


def test_what_is_written_meanwhile_is_held_back(capfd: pytest.CaptureFixture[str]) -> None:
    with hushed():
        os.write(2, b"chatter")
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"


def load_badly() -> None:
    with hushed():
        os.write(2, b"the reason")
        raise ImportError


def test_it_is_shown_when_loading_fails(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ImportError):
        load_badly()
    assert "the reason" in capfd.readouterr().err
