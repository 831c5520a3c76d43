import logging
import subprocess
import sys

import pytest

from app import server


def test_an_error_in_a_page_shows_its_id_and_the_log_has_the_rest(monkeypatch, caplog):
    shown = []
    monkeypatch.setattr(server.st, "error", lambda text, **_: shown.append(text))
    with caplog.at_level(logging.ERROR):
        assert server.tell(ZeroDivisionError("the secret of /home/ada")) is True
    (record,) = caplog.records
    error_id = record.args[0]
    assert error_id in shown[0]
    assert "secret" not in shown[0]
    assert "the secret of /home/ada" in caplog.text


HEAVY = "import sys, {module}; print([m for m in ('tensorflow', 'keras', 'mlflow') if m in sys.modules])"


@pytest.mark.parametrize("module", ["app.server", "core.jobs.worker", "core.jobs.supervisor"])
def test_no_process_loads_a_learning_library_before_it_needs_it(module):
    program = HEAVY.format(module=module)
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
