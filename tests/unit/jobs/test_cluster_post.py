"""What a training elsewhere tells its dispatcher, and how it hears that it must end."""

from pathlib import Path

import pytest

from core.errors import Cancelled
from core.jobs.cluster_post import Post, Receiver, Sender
from core.workflows.reporting import Reports


@pytest.fixture
def post(tmp_path: Path) -> Post:
    opened = Post(tmp_path / "attempt-1")
    opened.open()
    return opened


class Heard:
    """Reports that are kept, in the order in which they came."""

    def __init__(self) -> None:
        self.all: list[tuple[object, ...]] = []
        self.reports = Reports(
            progress=lambda fraction, message, /: self.all.append(("progress", fraction, message)),
            metric=lambda step, name, value, /: self.all.append(("metric", step, name, value)),
            log=lambda text: self.all.append(("log", text)),
            checkpointed=lambda step, /: self.all.append(("checkpointed", step)),
        )

    def used(self, memory_mb: float, cpu_s: float) -> None:
        self.all.append(("usage", memory_mb >= 1, cpu_s >= 0))


def test_what_is_told_there_is_told_here_once_and_in_order(post: Post) -> None:
    sender, heard = Sender(post, None), Heard()
    receiver = Receiver(Post(post.folder), heard.reports, heard.used)
    receiver.hand_on()
    sender.reports.progress(0.1, "epoch 1")
    sender.reports.metric(1, "loss", 0.5)
    receiver.hand_on()
    sender.reports.checkpointed(1)
    sender.reports.log("the panel is whole")
    sender.reports.check()
    receiver.hand_on()
    receiver.hand_on()
    assert heard.all == [
        ("progress", 0.1, "epoch 1"),
        ("metric", 1, "loss", 0.5),
        ("checkpointed", 1),
        ("log", "the panel is whole"),
        ("usage", True, True),
    ]


def test_progress_is_written_now_and_then_and_the_last_is_not_lost(post: Post) -> None:
    sender, heard = Sender(post, None), Heard()
    for step in range(1000):
        sender.reports.progress(step / 2000, f"step {step}")
    sender.reports.log("done")
    Receiver(post, heard.reports, heard.used).hand_on()
    assert len(heard.all) < 50
    assert heard.all[-2:] == [("progress", 999 / 2000, "step 999"), ("log", "done")]


def test_half_a_line_waits_for_its_other_half(post: Post) -> None:
    post.say("log", "whole")
    lines = post.folder / "reports.jsonl"
    with lines.open("ab") as file:
        file.write(b'["log", "ha')
    assert post.news() == [["log", "whole"]]
    with lines.open("ab") as file:
        file.write(b'lf"]\n')
    assert post.news() == [["log", "half"]]


def test_what_a_later_release_says_is_left_out(post: Post) -> None:
    heard = Heard()
    post.say("temperature", 61)
    post.say("log", "warm")
    Receiver(post, heard.reports, heard.used).hand_on()
    assert heard.all == [("log", "warm")]


def test_a_training_ends_when_it_is_told_to_or_when_its_folder_is_gone(post: Post) -> None:
    assert Sender(post, None).reports.check() is False
    post.cancel()
    with pytest.raises(Cancelled):
        Sender(post, None).reports.check()
    gone = Post(post.folder / "none")
    gone.cancel()  # nobody is there to be told
    assert not gone.folder.exists()
    with pytest.raises(Cancelled):
        Sender(gone, None).reports.check()
    Sender(gone, None).reports.log("to nobody")


def test_an_attempt_begins_once(post: Post) -> None:
    assert post.begin()
    assert not Post(post.folder).begin()
