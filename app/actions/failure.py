"""A write that was refused, in words for the screen."""

import functools
import sqlite3
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

import duckdb

from app.queries.failure import ReadFailed
from app.roles import NotAllowed
from core.errors import CoreError, ParameterError
from warehouse.errors import LabelConflict, WarehouseError

FAILURES: Final = (
    NotAllowed,
    ReadFailed,
    WarehouseError,
    CoreError,
    OSError,
    sqlite3.Error,
    duckdb.Error,
)

P = ParamSpec("P")
R = TypeVar("R")


class ActionFailed(Exception):
    """Nothing was stored; the message says why and what to do.

    Parameters
    ----------
    message
        As a person reads it.
    field
        Name of the field that it is about, so that it can stand there; empty where there is none.
    """

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class VerdictConflict(ActionFailed):
    """Another person said something of the same event meanwhile: look at it, then decide again.

    Parameters
    ----------
    conflict
        What the state's owner said.
    """

    def __init__(self, conflict: LabelConflict) -> None:
        super().__init__(str(conflict))
        self.label_id = conflict.label_id
        self.actor = conflict.actor
        self.verdict = conflict.verdict
        self.at = conflict.at


def told(act: Callable[P, R]) -> Callable[P, R]:
    """Turn the expected failures of `act` into an `ActionFailed`; anything else is a defect and passes."""

    @functools.wraps(act)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return act(*args, **kwargs)
        except LabelConflict as conflict:
            raise VerdictConflict(conflict) from conflict
        except FAILURES as error:
            field = error.field if isinstance(error, ParameterError) else None
            raise ActionFailed(str(error), field=field or "") from error

    return guarded
