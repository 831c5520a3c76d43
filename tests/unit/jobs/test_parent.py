import os
import signal
import sys

from core.jobs.parent import ORPHANED, end, spawn

CHILD = """
import sys, threading
from core.jobs.parent import exit_with_parent
exit_with_parent()
print("up", flush=True)
threading.Event().wait(60)
"""


def test_a_child_ends_when_its_parents_pipe_closes(tmp_path, wait_for):
    log = tmp_path / "child.log"
    child = spawn([sys.executable, "-c", CHILD], environment=os.environ, log=log)
    assert wait_for(lambda: "up" in log.read_text())
    child.stdin.close()
    assert child.wait(10) == ORPHANED
    assert "parent process is gone" in log.read_text()


def test_a_child_that_ignores_sigterm_is_killed(tmp_path, wait_for):
    log = tmp_path / "child.log"
    program = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + CHILD
    child = spawn([sys.executable, "-c", program], environment=os.environ, log=log)
    assert wait_for(lambda: "up" in log.read_text())
    assert end(child, grace_s=0.2) == -signal.SIGKILL


def test_a_log_that_grew_large_is_moved_aside(tmp_path):
    log = tmp_path / "child.log"
    log.write_bytes(b"x" * 5_000_001)
    end(spawn([sys.executable, "-c", "print('new')"], environment=os.environ, log=log), grace_s=10)
    assert log.with_name("child.log.1").stat().st_size == 5_000_001
    assert log.stat().st_size < 100
