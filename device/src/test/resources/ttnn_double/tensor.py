"""The double's ``Tensor``: a tensor of TTNN and the values that it would hold on a device."""

import math

import numpy as np
import ttnn

from . import formats
from .devices import Device
from .memory import Memory, Operand

# What can be asked of a tensor and is about its form, not its values.
_FORM = frozenset(
    """dtype layout shape padded_shape memory_config is_sharded volume logical_volume element_size
    storage_type buffer_address buffer_num_pages buffer_page_size buffer_aligned_page_size
    buffer_unique_id get_dtype get_layout get_tile tile spec tensor_id""".split()
)


class Tensor:
    """A tensor of TTNN with values. Its form is TTNN's answer; its values are an :class:`Operand`.

    Called as ``ttnn.Tensor`` is, with an array that has ``__dlpack__``.
    """

    __slots__ = ("real", "operand", "owner", "_held")
    settings = None  # of the subclass

    def __new__(
        cls,
        tensor,
        data_type=None,
        device=None,
        layout=None,
        mem_config=None,
        tile=None,
        cq_id=None,
        pad_value=None,
    ):
        if not hasattr(tensor, "__dlpack__"):
            raise NotImplementedError("ttnn_double.Tensor takes an array with __dlpack__")
        if pad_value:
            raise NotImplementedError(f"ttnn_double.Tensor pads with zeros, not with {pad_value}")
        if cls.settings.rounding:
            real = ttnn.Tensor(tensor, data_type, None, layout, mem_config, tile)
            values = formats.read(real)
        else:  # an array serves one call: read it as it is, then let TTNN convert it
            values = formats.read(ttnn.Tensor(tensor))
            real = ttnn.Tensor(values, data_type, None, layout, mem_config, tile)
        host = cls.on_host(real, values)
        return host if device is None else host.to(device, mem_config, cq_id)

    def __init__(self, *args, **kwargs):
        pass  # made by __new__

    @classmethod
    def on_host(cls, real, values):
        """A host tensor of TTNN and its logical values."""
        shape = tuple(real.padded_shape)
        self = cls._of(real, Memory(np.zeros(math.prod(shape), formats.numpy_type(real.dtype))), None)
        self.operand.write(np.asarray(values).reshape(tuple(real.shape)), zero_filling=True)
        return self

    @staticmethod
    def on_device(real, owner):
        """A device tensor of TTNN; it shares the memory of the buffer that it views."""
        return owner.settings.tensor._of(real, owner.memory_of(real), owner)

    @classmethod
    def _of(cls, real, memory, owner):
        self = object.__new__(cls)
        self.real = real
        self.owner = owner
        self.operand = Operand(
            memory, tuple(real.shape), tuple(real.padded_shape), real.dtype, real.layout, cls.settings
        )
        self._held = True
        memory.owners += 1
        return self

    # Lifetime ------------------------------------------------------------------------------------

    def is_allocated(self):
        """As TTNN says: a view's memory may be gone, and it does not know."""
        return self._held and self.real.is_allocated()

    def check(self):
        """The operand; raises unless the tensor may be used."""
        if not self.is_allocated() or self.operand.memory.freed:
            raise RuntimeError("ttnn_double: a tensor is used after it, or what it views, was deallocated")
        if self.owner is not None:
            self.owner.check()
        return self.operand

    def deallocate(self, force=False):
        """Frees the memory; by force also that of others who view it. Without, theirs stays."""
        if self.owner is not None:
            self.owner.check()
        memory = self.operand.memory
        if force or memory.owners <= 1:
            memory.freed = True
            self.real.deallocate(force)
            self._release()

    def _release(self):
        if self._held:
            self._held = False
            self.operand.memory.owners -= 1

    def __del__(self):
        if getattr(self, "_held", False):
            self._release()

    # Transfers -----------------------------------------------------------------------------------

    def to(self, target, mem_config=None, cq_id=None):
        """To a device, or on the host to a layout."""
        operand = self.check()
        if not isinstance(target, Device):
            if self.owner is not None:
                raise NotImplementedError("ttnn_double has no Tensor.to(layout) on a device: take to_layout")
            return type(self).on_host(self.real.to(target), operand.value)
        if self.owner is not None:
            return self
        owner = target.check()
        owner.statistics.count("calls")
        owner.refuse_in_capture("an upload")
        result = Tensor.on_device(self.real.to(owner.real, mem_config, cq_id), owner)
        owner.upload(operand, result.operand, cq_id)
        return result

    def cpu(self, blocking=True, cq_id=None):
        operand = self.check()
        if self.owner is None:
            return self
        self.owner.statistics.count("calls")
        self.owner.refuse_in_capture("a download")
        host = type(self).on_host(self.real.cpu(blocking, cq_id), operand.value)
        self.owner.download(operand, host.operand, blocking, cq_id)
        return host

    def device(self):
        return self.owner

    def to_numpy(self):
        operand = self.check()
        if self.owner is not None:
            raise RuntimeError("ttnn_double: to_numpy of a tensor on a device: take cpu() first")
        if operand.dtype != ttnn.float32 and not formats.is_integer(operand.dtype):
            raise RuntimeError(f"ttnn_double: to_numpy of {operand.dtype} gives objects: take to_dtype first")
        return np.array(operand.value)

    # ---------------------------------------------------------------------------------------------

    def __getattr__(self, name):
        if name in _FORM:
            return getattr(self.real, name)
        raise NotImplementedError(f"ttnn_double has no Tensor.{name}")

    def __repr__(self):
        return f"ttnn_double.Tensor({self.real.shape}, {self.real.dtype}, {self.real.layout})"


def kind(settings):
    """The tensor class of a setting."""
    return type("Tensor", (Tensor,), {"__slots__": (), "settings": settings})
