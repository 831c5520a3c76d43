"""A read that failed, in words for the screen, with an id that finds the rest in the log."""

import functools
import logging
import sqlite3
import uuid
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import duckdb
import polars as pl

from app.roles import NotAllowed
from core.errors import CoreError
from warehouse.errors import WarehouseError

_LOG = logging.getLogger("telltale.screens")

P = ParamSpec("P")
R = TypeVar("R")


class ReadFailed(Exception):
    """Something stored can't be shown.

    Parameters
    ----------
    message
        What happened, to what, and what to do.
    error_id
        Stands in the log beside the whole story.
    """

    def __init__(self, message: str, error_id: str) -> None:
        super().__init__(message)
        self.error_id = error_id


def answered(read: Callable[P, R]) -> Callable[P, R]:
    """Turn the failures of storage in `read` into a `ReadFailed`, and log them with its id."""

    @functools.wraps(read)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return read(*args, **kwargs)
        except (
            WarehouseError,
            CoreError,
            OSError,
            sqlite3.Error,
            duckdb.Error,
            pl.exceptions.PolarsError,
            NotAllowed,
        ) as error:
            error_id = uuid.uuid4().hex[:8]
            _LOG.exception("error %s while reading for a screen", error_id)
            raise ReadFailed(str(error), error_id) from error

    return guarded
