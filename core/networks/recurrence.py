"""The recurrence of LSTM cells: with a gradient of its own for training, and by numpy for scoring.

Gates are ordered as in Keras' LSTM: input, forget, candidate, output.
"""

import numpy as np

from core.networks.engine import tensorflow
from core.networks.stack import Tensor
from core.signal import Floats


def recurrence(gates: Tensor, recurrent: Tensor) -> Tensor:
    """Return (steps, sensors, crops, units) states of LSTM cells, with a gradient of its own.

    The loop backward carries the gradient of the state alone; that of the weights, which
    differentiation by the framework would add up at each step, is one product at the end.

    Parameters
    ----------
    gates
        (steps, sensors, crops, 4 x units): what the inputs add to each gate.
    recurrent
        (sensors, units, 4 x units).
    """
    tf = tensorflow()
    steps, sensors, crops, _ = gates.shape
    units = recurrent.shape[1]
    zero = tf.zeros((sensors, crops, units))

    def array(width: int) -> Tensor:
        return tf.TensorArray(tf.float32, size=steps, element_shape=(sensors, crops, width))

    def run(gates: Tensor, recurrent: Tensor) -> Tensor:
        def step(t: Tensor, state: Tensor, cell: Tensor, kept: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            joint = gates[t] + state @ recurrent
            enter, forget, new, leave = tf.split(joint, 4, -1)
            enter, forget, new, leave = tf.sigmoid(enter), tf.sigmoid(forget), tf.tanh(new), tf.sigmoid(leave)
            cell = forget * cell + enter * new
            state = leave * tf.tanh(cell)
            opened = tf.concat([enter, forget, new, leave], -1)
            written = (kept[0].write(t, state), kept[1].write(t, cell), kept[2].write(t, opened))
            return t + 1, state, cell, written

        start = (tf.constant(0), zero, zero, (array(units), array(units), array(4 * units)))
        _, _, _, kept = tf.while_loop(lambda t, *_: t < steps, step, start, maximum_iterations=steps)
        states, cells, opened = (each.stack() for each in kept)

        def gradient(upstream: Tensor) -> tuple[Tensor, Tensor]:
            transposed = tf.transpose(recurrent, (0, 2, 1))

            def back(t: Tensor, state: Tensor, cell: Tensor, kept: Tensor) -> tuple[Tensor, ...]:
                enter, forget, new, leave = tf.split(opened[t], 4, -1)
                squashed = tf.tanh(cells[t])
                before = tf.where(t > 0, cells[tf.maximum(t - 1, 0)], zero)
                state = state + upstream[t]
                cell = cell + state * leave * (1 - squashed * squashed)
                joint = tf.concat(
                    [
                        cell * new * enter * (1 - enter),
                        cell * before * forget * (1 - forget),
                        cell * enter * (1 - new * new),
                        state * squashed * leave * (1 - leave),
                    ],
                    -1,
                )
                return t - 1, joint @ transposed, cell * forget, kept.write(t, joint)

            start = (tf.constant(steps - 1), zero, zero, array(4 * units))
            *_, kept = tf.while_loop(lambda t, *_: t >= 0, back, start, maximum_iterations=steps)
            joints = kept.stack()
            earlier = tf.concat([zero[None], states[:-1]], 0)
            rows = tf.reshape(tf.transpose(earlier, (1, 3, 0, 2)), (sensors, units, steps * crops))
            columns = tf.reshape(tf.transpose(joints, (1, 0, 2, 3)), (sensors, steps * crops, 4 * units))
            return joints, rows @ columns

        return states, gradient

    return tf.custom_gradient(run)(gates, recurrent)


def states(gates: Floats, recurrent: Floats) -> Floats:
    """Return (steps, sensors, rows, units) states of LSTM cells, by numpy.

    Parameters
    ----------
    gates
        (steps, sensors, rows, 4 x units): what the inputs add to each gate; overwritten. As in `recurrent`,
        what belongs to a sigmoid is halved: it is half a hyperbolic tangent of half its argument, plus
        a half, so that one call serves all gates.
    recurrent
        (sensors, units, 4 x units).
    """
    steps, sensors, rows, width = gates.shape
    units = width // 4
    result = np.empty((steps, sensors, rows, units), dtype=np.float32)
    state, cell = np.zeros((2, sensors, rows, units), dtype=np.float32)
    for t in range(steps):
        joint = gates[t]
        joint += state @ recurrent
        np.tanh(joint, out=joint)
        enter, forget, new = (joint[..., gate * units : (gate + 1) * units] for gate in range(3))
        cell = 0.5 * ((forget + 1) * cell + (enter + 1) * new)
        state = result[t]
        np.multiply(0.5 * (joint[..., 3 * units :] + 1), np.tanh(cell), out=state)
    return result
