"""Keras on tensorflow, loaded when a network is first used: it costs seconds and hundreds of megabytes."""

import os
from functools import cache
from typing import Any

from core.errors import CoreError


@cache
def keras() -> Any:
    """Return the keras module, running on tensorflow.

    Raises
    ------
    CoreError
        Keras is already loaded in this process with another backend.
    """
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import keras as module

    if module.backend.backend() != "tensorflow":
        raise CoreError(
            f"the networks need keras on tensorflow, but it runs on {module.backend.backend()}: "
            "unset KERAS_BACKEND"
        )
    return module


@cache
def tensorflow() -> Any:
    """Return the tensorflow module."""
    keras()
    import tensorflow as module

    return module
