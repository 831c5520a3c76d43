"""A home with two pumps and its state's owner, as the web process has them."""

import gc
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
import two_pumps
from page_words import Open
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Selectbox

from warehouse.home import Warehouse
from warehouse.state.owner import StateOwner, install

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", autouse=True)
def settled() -> Iterator[None]:
    """Keep what was there before out of the garbage collections that Streamlit forces after every run.

    Once TensorFlow is in this process each of them takes longer than the page.
    """
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in ("CONFIG", "PORT", "ADDRESS"):
        monkeypatch.delenv(f"TELLTALE_{name}", raising=False)
    monkeypatch.setenv("TELLTALE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TELLTALE_PROFILE", "engineer A")
    monkeypatch.setenv("TELLTALE_ROLE", "admin")
    st.cache_data.clear()
    st.cache_resource.clear()
    yield tmp_path / "home"
    st.cache_data.clear()
    st.cache_resource.clear()


def _owned(warehouse: Warehouse) -> Iterator[Warehouse]:
    owner = StateOwner(warehouse, clock=lambda: two_pumps.NOW)
    owner.acquire()
    owner.write("fleet.refresh", {}, actor="test", write_id="refresh")
    install(owner)
    yield warehouse
    install(None)
    owner.stop()
    warehouse.close()


@pytest.fixture
def empty(home: Path) -> Iterator[Warehouse]:
    """A home with nothing in it."""
    yield from _owned(Warehouse.open(home))


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of `two_pumps`, to be copied."""
    root = tmp_path_factory.mktemp("two-pumps") / "home"
    two_pumps.build(root).close()
    return root


@pytest.fixture
def stored(home: Path, built: Path) -> Path:
    """The home of `two_pumps`, owned by nobody."""
    shutil.copytree(built, home)
    return home


@pytest.fixture
def pumps(stored: Path) -> Iterator[Warehouse]:
    """The home of `two_pumps`, with its state's owner in this process."""
    yield from _owned(Warehouse.open(stored))


@pytest.fixture
def typed_options(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a selectbox of AppTest send what a person typed, as the browser does."""

    def state(box: Selectbox) -> WidgetState:
        sent = WidgetState(id=box.id)
        if box.value is not None:
            sent.string_value = str(box.format_func(box.value))
        return sent

    monkeypatch.setattr(Selectbox, "_widget_state", property(state))


@pytest.fixture
def open_page() -> Open:
    """Run a page, or the whole entry, and insist that it raised nothing."""

    def run(name: str, **address: str) -> AppTest:
        file = ROOT / "app" / "main.py" if name == "main" else ROOT / "pages" / f"{name}.py"
        page = AppTest.from_file(file, default_timeout=30)
        for key, value in address.items():
            page.query_params[key] = value
        page.run()
        assert not page.exception, page.exception
        return page

    return run
