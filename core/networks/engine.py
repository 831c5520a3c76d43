"""Keras on tensorflow, loaded when a network is first used: it costs seconds and hundreds of megabytes."""

import os
from functools import cache
from types import ModuleType

from core.errors import CoreError
from core.networks.hush import hushed


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
    with hushed():
        import keras as loaded
        import tensorflow as tf

        # The cores are filled by graphs side by side, which costs less than splitting each operation.
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        # Looks for devices now, which it would otherwise complain about in the middle of a progress bar.
        tf.config.list_physical_devices()
    # One traced function a network is meant: the advice against several is not for the terminal.
    tf.get_logger().setLevel("ERROR")

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


def cores() -> int:
    """Return how many graphs may run side by side: the threads a worker is pinned to, or all cores."""
    pinned = os.environ.get("TF_NUM_INTRAOP_THREADS", "")
    return int(pinned) if pinned.isdigit() and int(pinned) > 0 else os.cpu_count() or 1
