"""Keras on tensorflow, loaded when a network is first used: it costs seconds and hundreds of megabytes."""

import os
from functools import cache
from types import ModuleType

from core.errors import CoreError


@cache
def keras() -> ModuleType:
    """Return the keras module, running on tensorflow.

    Raises
    ------
    CoreError
        Keras is already loaded in this process with another backend.
    """
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import keras as loaded

    backend = loaded.backend.backend()
    if backend != "tensorflow":
        raise CoreError(
            f"the networks need keras on tensorflow, but it runs on {backend}: unset KERAS_BACKEND"
        )
    module: ModuleType = loaded
    return module


@cache
def tensorflow() -> ModuleType:
    """Return the tensorflow module."""
    keras()
    import tensorflow as tf

    module: ModuleType = tf
    return module
