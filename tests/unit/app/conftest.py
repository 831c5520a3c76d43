"""A home and a person, as the web process and a command have them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
import three_pumps

from warehouse.home import Warehouse


@pytest.fixture
def pumps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Warehouse]:
    """The home of `three_pumps`, which the settings name, and ada, who may train."""
    for name in ("CONFIG", "PORT", "ADDRESS", "TRACKING", "CLUSTER", "WORKERS"):
        monkeypatch.delenv(f"TELLTALE_{name}", raising=False)
    monkeypatch.setenv("TELLTALE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TELLTALE_PROFILE", "ada")
    monkeypatch.setenv("TELLTALE_ROLE", "trainer")
    st.cache_data.clear()
    st.cache_resource.clear()
    warehouse = three_pumps.build(tmp_path / "home")
    yield warehouse
    warehouse.close()
    st.cache_data.clear()
    st.cache_resource.clear()
