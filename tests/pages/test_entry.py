"""The entry: every page runs, and none of them loads what only workers need."""

import os
import subprocess
import sys
from pathlib import Path

from page_words import Open
from streamlit.testing.v1 import AppTest

from warehouse.home import Warehouse

ROOT = Path(__file__).parents[2]


def test_the_rail_offers_every_machine_and_a_window(pumps: Warehouse, open_page: Open):
    page = open_page("main")
    assert page.selectbox(key="asset").options == ["All machines", "Pump 1", "Pump 2", "P-1"]
    assert page.selectbox(key="span").value == "Last 24 hours"


def test_the_address_sets_the_rail(pumps: Warehouse, open_page: Open):
    page = open_page("main", asset="Pump 2", span="All time")
    assert page.selectbox(key="asset").value == "Pump 2"
    assert page.selectbox(key="span").value == "All time"


def test_a_process_without_the_state_says_so_instead_of_failing(home: Path):
    page = AppTest.from_file(ROOT / "app" / "main.py", default_timeout=30).run()
    assert not page.exception
    assert "telltale run" in page.error[0].value


def test_no_page_loads_tensorflow_or_mlflow(stored: Path):
    program = """
import sys
from pathlib import Path
from streamlit.testing.v1 import AppTest
from app.clock import now
from warehouse.home import Warehouse
from warehouse.state.owner import StateOwner, install
root, home = map(Path, sys.argv[1:])
with StateOwner(Warehouse.open(home), clock=now) as owner:
    owner.write("fleet.refresh", {}, actor="test", write_id="refresh")
    install(owner)
    for name in ("overview", "anomalies", "models", "training", "data"):
        page = AppTest.from_file(root / "pages" / f"{name}.py", default_timeout=60).run()
        assert not page.exception and not page.error, name
heavy = sorted({"tensorflow", "keras", "mlflow"} & set(sys.modules))
assert not heavy, heavy
print("light")
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(ROOT), str(stored)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stdout.endswith("light\n"), done.stderr[-2000:]
