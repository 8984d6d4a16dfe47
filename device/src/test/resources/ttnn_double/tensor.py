"""The double's ``Tensor``: a tensor of TTNN and the values that it would hold on a device."""

import ttnn

from . import devices
from .memory import Operand

# What can be asked of a tensor and is about its form, not its values.
_FORM = frozenset(
    """dtype layout shape padded_shape memory_config is_sharded volume logical_volume element_size
    storage_type device devices buffer_address buffer_num_pages buffer_page_size buffer_aligned_page_size
    buffer_unique_id get_dtype get_layout get_tile tile spec tensor_id""".split()
)


class Tensor:
    """A tensor of TTNN with values. Its form is TTNN's answer; its values are an :class:`Operand`."""

    __slots__ = ("real", "operand", "owner", "_held")

    @classmethod
    def of(cls, real, memory, settings, owner=None):
        self = object.__new__(cls)
        self.real = real
        self.owner = owner
        self.operand = Operand(
            memory, tuple(real.shape), tuple(real.padded_shape), real.dtype, real.layout, settings
        )
        self._held = True
        memory.owners += 1
        return self

    def __getattr__(self, name):
        if name in _FORM:
            return getattr(self.real, name)
        raise NotImplementedError(f"ttnn_double has no Tensor.{name}")

    def is_allocated(self):
        return self._held and self.real.is_allocated()

    def check(self):
        """Raises unless the tensor may be used."""
        if not self.is_allocated():
            raise RuntimeError("ttnn_double: a tensor is used after it was deallocated")
        if self.owner is not None and self.owner.closed:
            raise RuntimeError("ttnn_double: a tensor is used after its device was closed")
        return self.operand

    def release(self):
        """Gives up the values, as the device does when the tensor is deallocated."""
        if self._held:
            self._held = False
            self.operand.memory.owners -= 1

    def __del__(self):
        try:
            self.release()
        except AttributeError:
            pass  # never finished

    def __repr__(self):
        return f"ttnn_double.Tensor({self.real.shape}, {self.real.dtype}, {self.real.layout})"


def on_host(real, array, settings, kind=Tensor):
    """A host tensor with these logical values."""
    from .memory import Memory

    import numpy as np

    from . import formats

    shape = tuple(real.padded_shape)
    memory = Memory(np.zeros(int(np.prod(shape)), formats.numpy_type(real.dtype)))
    tensor = kind.of(real, memory, settings)
    tensor.operand.write(np.asarray(array).reshape(tuple(real.shape)), zero_filling=True)
    return tensor


def on_device(real, owner):
    """A tensor for what an operation returned; it shares the memory of the buffer it views."""
    return Tensor.of(real, owner.memory_of(real), owner.settings, owner)


def is_on_device(real):
    return real.storage_type() == ttnn.StorageType.DEVICE


def device_of(real):
    return devices.of(real.device())
