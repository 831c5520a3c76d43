"""Linear algebra on one thread: small products cost several times as much CPU when they are split."""

from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped] # it publishes none


@contextmanager
def single_threaded() -> Iterator[None]:
    """Pin the loaded libraries of linear algebra to one thread inside."""
    with threadpool_limits(limits=1):
        yield
