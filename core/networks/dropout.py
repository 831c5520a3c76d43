"""Dropout whose draws follow from each sensor's own seed, whoever shares the graph."""

from core.networks.engine import tensorflow
from core.networks.stack import Tensor


def dropped(shape: tuple[int, ...], share: float, seeds: Tensor) -> Tensor:
    """Return a mask of 0 and ``1 / (1 - share)``, inside a traced function.

    Parameters
    ----------
    shape
        (sensors, …) of the mask.
    share
        Dropped share.
    seeds
        (sensors,) uint32. Each entry is a hash of its sensor's seed and of its place in the mask, by the
        finalizer of MurmurHash3.
    """
    tf = tensorflow()
    entries = 1
    for size in shape[1:]:
        entries *= size
    mixed = tf.range(entries, dtype=tf.int32)
    mixed = tf.cast(mixed, tf.uint32)[None] * tf.constant(0x9E3779B1, tf.uint32) + _finalized(seeds)[:, None]
    uniform = tf.cast(tf.bitwise.right_shift(_finalized(mixed), tf.constant(8, tf.uint32)), tf.float32)
    kept = uniform >= share * 2.0**24
    return tf.reshape(tf.cast(kept, tf.float32) / (1 - share), shape)


def _finalized(values: Tensor) -> Tensor:
    tf = tensorflow()
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        values = tf.bitwise.bitwise_xor(
            values, tf.bitwise.right_shift(values, tf.constant(shift, tf.uint32))
        ) * tf.constant(factor, tf.uint32)
    return tf.bitwise.bitwise_xor(values, tf.bitwise.right_shift(values, tf.constant(16, tf.uint32)))
