"""Where values live: memory that several tensors may view, and the operands that view it."""

import itertools
import math

import numpy as np
import ttnn

from . import formats

_serials = itertools.count()

#: Fills the padding of tiles where an operation leaves it undefined.
PADDING = {"large": 3.0e4, "nan": np.nan, "zero": 0.0}


class Memory:
    """The values of one buffer, as a flat array over its padded shape.

    A buffer on a device has an address and a length per bank, so that overlaps of memory that was
    handed out twice can be found. ``owners`` counts the tensors that hold it. Without one, or once
    it was freed by force, its address is free for others, though a trace may still write there.
    """

    __slots__ = (
        "array",
        "address",
        "length",
        "kind",
        "serial",
        "owners",
        "freed",
        "written",
        "read",
        "__weakref__",
    )

    def __init__(self, array, address=None, length=0, kind=None):
        self.array = array
        self.address = address
        self.length = length
        self.kind = kind
        self.serial = next(_serials)
        self.owners = 0
        self.freed = False
        self.written = None  # (queue, tick) of the last write
        self.read = {}  # queue -> tick of its last read

    @property
    def lives(self):
        return self.owners > 0 and not self.freed

    def poison(self):
        """Makes the values what nobody wrote: NaN, or for integers all bits but the sign."""
        self.array = garbage(self.array.size, self.array.dtype)


def garbage(size, dtype):
    if np.issubdtype(dtype, np.floating):
        return np.full(size, np.nan, dtype)
    return np.full(size, np.iinfo(dtype).max, dtype)


def next_serial():
    """A number greater than the serial of all memory that exists."""
    return next(_serials)


class Operand:
    """A shape over memory: what an operation reads and writes. It outlives the tensor in traces."""

    __slots__ = ("memory", "shape", "padded_shape", "dtype", "layout", "settings", "_inside")

    def __init__(self, memory, shape, padded_shape, dtype, layout, settings):
        self.memory = memory
        self.shape = shape
        self.padded_shape = padded_shape
        self.dtype = dtype
        self.layout = layout
        self.settings = settings
        self._inside = None if shape == padded_shape else tuple(slice(0, n) for n in shape)

    @property
    def padded(self):
        """The values with the padding of tiles: a view."""
        return self.memory.array.reshape(self.padded_shape)

    @property
    def value(self):
        """The values of the logical shape: a view."""
        padded = self.padded
        return padded if self._inside is None else padded[self._inside]

    @property
    def is_padded(self):
        return self._inside is not None

    @property
    def volume(self):
        return math.prod(self.padded_shape)

    @property
    def bytes(self):
        return formats.size_in_bytes(self.volume, self.dtype)

    def write(self, value, zero_filling=False):
        """Replaces all values, rounded to the data type; padding becomes zero or undefined."""
        rounded = self._rounded(value)
        if self._inside is None:
            if rounded.base is None and rounded.flags.owndata and rounded is not value:
                self.memory.array = rounded.reshape(-1)
            else:
                self.memory.array = np.array(rounded).reshape(-1)
            return
        padded = np.full(self.padded_shape, self._fill(zero_filling), self.memory.array.dtype)
        padded[self._inside] = rounded
        self.memory.array = padded.reshape(-1)

    def write_part(self, index, value):
        """Replaces some values in place, rounded to the data type; the index is over the padded shape."""
        self.padded[index] = self._rounded(value)

    def _rounded(self, value):
        numbers = formats.numpy_type(self.dtype)
        if not self.settings.rounding or numbers is not np.float32:
            return value.astype(numbers)
        return formats.round_to(self.dtype, value.astype(np.float32, copy=False))

    def _fill(self, zero_filling):
        if zero_filling or formats.is_integer(self.dtype) or self.dtype in (ttnn.bfloat8_b, ttnn.bfloat4_b):
            return 0  # an undefined neighbour would change a block float's shared exponent
        return PADDING[self.settings.padding]
