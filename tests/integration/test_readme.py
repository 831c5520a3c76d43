"""Every command of the README, in its order, on small files: what is written there works."""

import re
import shlex
from pathlib import Path

import pytest
from command_line import ROOT, telltale, write_later_pump, write_pump, write_spacecraft

# Started and looked at by tests/faults and tests/browser; it does not end by itself.
STAYS = "telltale run"


def commands() -> list[str]:
    """Return the commands of the README's code blocks, without their comments."""
    blocks = re.findall(r"^```\n(.*?)^```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL | re.MULTILINE)
    lines = [line.split("   #")[0].split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("telltale ")]


@pytest.mark.learned
@pytest.mark.timeout(600)
def test_every_command_of_the_readme_works(tmp_path: Path) -> None:
    write_spacecraft(tmp_path)
    write_pump(tmp_path)
    write_later_pump(tmp_path)
    home = tmp_path / "home"
    seen = {"EVENT": "", "LABEL": ""}
    ran = []
    for line in commands():
        if line == STAYS:
            continue
        words = [seen.get(word, word) for word in shlex.split(line)[1:]]
        done = telltale(home, *words, folder=tmp_path)
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
        assert done.stdout.strip(), f"{line} says nothing"
        ran.append(words[0])
        events = tmp_path / "events.csv"
        if not seen["EVENT"] and events.is_file() and "event_id" in events.read_text("utf-8"):
            seen["EVENT"] = events.read_text("utf-8").splitlines()[1].split(",")[0]
        stored = re.search(r"Stored as label (\d+)", done.stdout)
        if stored:
            seen["LABEL"] = stored[1]
    assert {"ingest", "watch", "train", "score", "export", "label", "unlabel", "status", "doctor"} <= set(ran)
    assert {"repair", "backup", "restore", "demo"} <= set(ran)


def test_make_knows_the_readmes_targets() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z]+)", (ROOT / "README.md").read_text("utf-8")))
    assert named <= targets | {"everything"}
    assert {"run", "test", "soak", "bench", "lint"} <= targets
