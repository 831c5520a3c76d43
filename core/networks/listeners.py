"""Who is told of a training and who may end it, asked by one of its threads at a time."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from core.networks.training import Epoch, Stop

ProgressOfMany = Callable[[int, Epoch], None]
"""Called after each epoch of a sensor, with its position among those trained."""


class Listeners:
    """Both callbacks of a training that many threads share.

    Parameters
    ----------
    progress, stop
        As in `core.networks.stacked.train_many`.

    Attributes
    ----------
    ended
        Set when all threads are to end.
    """

    def __init__(self, progress: ProgressOfMany | None, stop: Stop | None) -> None:
        self.ended = threading.Event()
        self._progress, self._stop = progress, stop
        self._lock = threading.Lock()
        self._failed = self._asked_to = False

    def tell(self, number: int, epoch: Epoch) -> bool:
        """Tell of a sensor's epoch; False if nobody is told any more, as another thread failed."""
        with self._lock, self.ending():
            if self._failed:
                return False
            if self._progress is not None:
                self._progress(number, epoch)
            return True

    def ask(self) -> None:
        """Ask whether to stop; what the answer raises is raised, and True is kept for `heed`."""
        with self._lock, self.ending():
            if self._stop is not None and not self._failed:
                self._asked_to = self._stop() or self._asked_to

    def heed(self) -> None:
        """End all threads if one of them was told to."""
        if self._asked_to:
            self.ended.set()

    @contextmanager
    def ending(self) -> Iterator[None]:
        """End all threads if what follows raises, and ask nobody again: the first failure is the one told."""
        try:
            yield
        except BaseException:
            self._failed = True
            self.ended.set()
            raise
