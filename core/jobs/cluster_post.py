"""How a training on another machine and its dispatcher talk: by files below the job's folder.

The worker appends lines that the dispatcher reads; the dispatcher leaves a mark that the worker looks for.
Both need nothing but the file system that they share.
"""

import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import psutil

from core.errors import Cancelled
from core.workflows.reporting import Reports
from warehouse.durable import make_folder

_BEGUN: Final = "begun"
_CANCEL: Final = "cancel"
_LINES: Final = "reports.jsonl"

_LOOK_S: Final = 0.2
_PROGRESS_S: Final = 0.2
_USAGE_S: Final = 1.0


class Post:
    """The folder of one attempt.

    Parameters
    ----------
    folder
        Of this attempt alone.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read = 0

    def open(self) -> None:
        """Make the folder."""
        make_folder(self.folder)

    def cancel(self) -> None:
        """Tell the worker to end; the training of an attempt that is over ends as well."""
        if self.folder.is_dir():
            (self.folder / _CANCEL).touch()

    @property
    def cancelled(self) -> bool:
        """Whether the worker was told to end; so it is when the folder is gone, and the job with it."""
        return (self.folder / _CANCEL).exists() or not self.folder.is_dir()

    def begin(self) -> bool:
        """Note that the work begins; False where it began before, on a worker that was lost."""
        try:
            os.close(os.open(self.folder / _BEGUN, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return False
        return True

    def say(self, *said: object) -> None:
        """Append a line; nothing where the folder is gone."""
        line = json.dumps(said).encode() + b"\n"
        try:
            with (self.folder / _LINES).open("ab") as file:
                file.write(line)
        except FileNotFoundError:
            return

    def news(self) -> Sequence[Sequence[Any]]:
        """Return the whole lines that were appended since the last call."""
        try:
            with (self.folder / _LINES).open("rb") as file:
                file.seek(self._read)
                text = file.read()
        except FileNotFoundError:
            return ()
        whole = text[: text.rfind(b"\n") + 1]
        self._read += len(whole)
        return [json.loads(line) for line in whole.splitlines()]


class Sender:
    """What the work on the worker reports, into the post.

    Parameters
    ----------
    post
        Of the attempt.
    checkpoints
        Where networks are kept; None keeps nothing.
    """

    def __init__(self, post: Post, checkpoints: Path | None) -> None:
        self._post = post
        self._process = psutil.Process()
        self._before_s = self._cpu_s()
        self._held: tuple[float, str] | None = None
        self._looked = self._told = self._used = float("-inf")
        self.reports = Reports(
            progress=self._progress,
            metric=lambda step, name, value, /: self._say("metric", step, name, value),
            log=lambda text: self._say("log", text),
            check=self._check,
            checkpointed=lambda step, /: self._say("checkpointed", step),
            checkpoints=checkpoints,
        )

    def _say(self, *said: object) -> None:
        self._flush()
        self._post.say(*said)

    def _progress(self, fraction: float, message: str, /) -> None:
        self._held = fraction, message
        if time.monotonic() - self._told >= _PROGRESS_S or fraction >= 1.0:
            self._flush()

    def _flush(self) -> None:
        if self._held is not None:
            held, self._held, self._told = self._held, None, time.monotonic()
            self._post.say("progress", *held)

    def _check(self) -> bool:
        now = time.monotonic()
        if now - self._looked >= _LOOK_S:
            self._looked = now
            if self._post.cancelled:
                raise Cancelled("its dispatcher told it to end")
            if self._held is not None and now - self._told >= _PROGRESS_S:
                self._flush()
        if now - self._used >= _USAGE_S:
            self._used = now
            memory_mb = self._process.memory_info().rss / 1e6
            self._post.say("usage", memory_mb, self._cpu_s() - self._before_s)
        return False

    def _cpu_s(self) -> float:
        used = self._process.cpu_times()
        return float(used.user + used.system)


class Receiver:
    """What the dispatcher hears of an attempt, handed on to the job's own reports.

    Parameters
    ----------
    post
        Of the attempt.
    reports
        Of the job.
    """

    def __init__(self, post: Post, reports: Reports, used: Callable[[float, float], None]) -> None:
        self._post = post
        self._hands: dict[str, Callable[..., object]] = {
            "progress": reports.progress,
            "metric": reports.metric,
            "log": reports.log,
            "checkpointed": reports.checkpointed,
            "usage": used,
        }

    def hand_on(self) -> None:
        """Hand on what came since the last call; what a later release may say is left out."""
        for what, *values in self._post.news():
            hand = self._hands.get(what)
            if hand is not None:
                hand(*values)
