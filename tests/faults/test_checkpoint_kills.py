"""Trainings killed at random moments: each goes on with at most one epoch made twice, to the same end."""

import random
import shutil
import threading
from pathlib import Path

import pytest
from checkpoint_trainer import EPOCHS
from running import times
from storage_processes import Writer

Epochs = list[tuple[str, int]]


class Trainer(Writer):
    program = Path(__file__).with_name("checkpoint_trainer.py")


def epochs(lines: list[str]) -> Epochs:
    told = (line.split() for line in lines)
    return [(name, int(number)) for name, number in told]


def to_the_end(folder: Path) -> tuple[Epochs, str]:
    """Train to the end and return the epochs made and what was learned."""
    trainer = Trainer(folder)
    trainer.start()
    lines = []
    while (line := trainer.acknowledged()) != "done":
        assert line, "the trainer failed"
        lines.append(line)
    learned = trainer.acknowledged()
    trainer.kill()
    return epochs(lines), learned


def killed_in(folder: Path, rng: random.Random, least: int, *, writing: bool) -> Epochs:
    """Train at least so many epochs, kill, and return the epochs told.

    With `writing` it is killed in the middle of writing a checkpoint, else at a random moment.
    """
    trainer = Trainer(folder, *([str(least)] if writing else []))
    trainer.start()
    lines = [trainer.acknowledged() for _ in range(least)]
    if writing:
        assert trainer.acknowledged() == "writing"
    else:
        threading.Event().wait(rng.random() * 0.1)
    return epochs([line for line in lines + trainer.kill() if " " in line])


@pytest.mark.learned
def test_trainings_killed_at_any_moment(tmp_path: Path, record_property) -> None:
    kills, rng = times(2, 10), random.Random(20260601)
    seen: set[tuple[str, int]] = set()
    repeated = begun = 0
    for kill in range(kills + 1):
        if kill < kills:
            # So many each that the kills meet both networks.
            told = killed_in(tmp_path, rng, len(EPOCHS) // (2 * kills), writing=kill % 2 == 0)
            begun += len(list(tmp_path.glob("*/*.partial")))
        else:
            told, learned = to_the_end(tmp_path)
        twice = seen & set(told)
        assert len(set(told)) == len(told)
        assert len(twice) <= 1, f"after kill {kill}: {sorted(twice)} were made twice"
        repeated += len(twice)
        seen |= set(told)
    assert sorted(seen) == sorted(EPOCHS)
    assert begun >= kills / 2
    assert checkpoints(tmp_path) == ["convolution/learner-0.checkpoint", "lstm/learner-0.checkpoint"]

    # A control: without checkpoints all is made again, and one that was never killed learns the same.
    shutil.rmtree(tmp_path / "convolution")
    shutil.rmtree(tmp_path / "lstm")
    assert to_the_end(tmp_path) == (EPOCHS, learned)
    record_property("trainings killed", kills)
    record_property("of them while a checkpoint was being written", begun)
    record_property("epochs made twice", repeated)


def checkpoints(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
