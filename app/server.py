"""The web process: Streamlit with the owner of the state beside it, started without a browser."""

import logging
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import streamlit as st

from app.clock import now
from app.settings import load
from app.tracking_server import RunLink
from core.jobs.parent import SAID, exit_with_parent
from warehouse.errors import WarehouseError
from warehouse.home import Warehouse
from warehouse.state.owner import StateOwner, install

# A command that writes while the app starts holds the lock for a moment.
LOCK_S: Final = 10.0

_log = logging.getLogger("telltale.web")


@asynccontextmanager
async def own_state(_app: st.App) -> AsyncGenerator[dict[str, Any], None]:
    """Own the state of the home in force from before the first request until after the last."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    settings = load()
    try:
        warehouse = Warehouse.open(settings.home)
        owner = StateOwner(warehouse, clock=now)
        owner.acquire(LOCK_S)
    except WarehouseError as error:
        sys.stderr.write(f"{SAID}{error}\n")
        raise
    owner.start_thread()
    install(owner)
    try:
        yield {}
    finally:
        install(None)
        runs.stop()
        owner.stop()
        warehouse.close()


def tell(error: Exception) -> bool:
    """Show an error by its id alone; the trace stands under that id in the log."""
    error_id = uuid4().hex[:8]
    _log.error("error %s in a page", error_id, exc_info=error)
    st.error(
        f"This page could not be shown (error {error_id}). Nothing was lost; reload it. "
        "If it comes again, the log web.log in the home's folder logs says what happened under that id.",
        icon=":material/error:",
    )
    return True


exit_with_parent()
runs = RunLink()
app = st.App(
    Path(__file__).with_name("main.py"), lifespan=own_state, on_script_error=tell, routes=[runs.route]
)
