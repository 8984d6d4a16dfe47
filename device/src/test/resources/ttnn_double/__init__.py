"""A double of the ``ttnn`` module whose tensors have values.

Import it in place of ``ttnn``. Every call runs the real operation of TTNN on a mock device, which
checks arguments, shapes, layouts and memory, and computes the value that a card would, by numpy.
The double proves which operations are issued and on what, not the kernels of a card.

Values are rounded to the data type of each tensor; ``ttnn_double.unrounded`` is the same module with
fp32 throughout. The padding of tiles holds what an operation leaves there:
``TTNN_DOUBLE_PADDING`` says ``large`` (30,000 where it is undefined; the default), ``nan`` or ``zero``;
in ``ttnn_double.poisoned`` it is always ``nan``.

An operation whose value is not known raises ``NotImplementedError``. Traces, which end the process
on a mock, are the double's own; see ``trace``.
"""

import os

# Small products, on machines that do other things too; and the same sums in the same order each time.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is imported

from . import devices as _devices
from .surface import names as _names

#: Traces can be replayed and events waited for, whatever the device underneath.
replays_traces = True

__getattr__ = _names(globals(), rounding=True)


def statistics():
    """What ran on the open devices since the last :func:`reset_statistics`, as JSON: a list, in opening order."""
    return "[" + ",".join(owner.statistics.as_json() for owner in _devices.all_open()) + "]"


def reset_statistics():
    for owner in _devices.all_open():
        owner.statistics.reset()


def enter_stage(name):
    """Counts what comes under this name."""
    for owner in _devices.all_open():
        owner.statistics.enter(name)
