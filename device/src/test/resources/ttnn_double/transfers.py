"""Host to device, device to host, and tensors made from nothing: what has no program."""

import numpy as np
import ttnn

from . import devices, formats
from .operation import Work
from .tensor import Tensor, device_of, is_on_device, on_device, on_host


class Transfers:
    """The transfers under TTNN's names, for one setting of the double."""

    def __init__(self, settings):
        self._settings = settings
        self.tensor_type = type("Tensor", (_Constructed,), {"__slots__": (), "transfers": self})

    # Host tensors --------------------------------------------------------------------------------

    def construct(self, *args, **kwargs):
        """``ttnn.Tensor(array, data_type, device, layout, mem_config, tile, cq_id, pad_value, …)``."""
        names = ("tensor", "data_type", "device", "layout", "mem_config", "tile", "cq_id", "pad_value")
        if len(args) > 1 and not hasattr(args[0], "__dlpack__"):
            raise NotImplementedError("ttnn_double.Tensor takes an array with __dlpack__")
        given = dict(zip(names, args)) | kwargs
        device, queue, place = given.pop("device", None), given.pop("cq_id", None), given.pop("mem_config", None)
        array = given.pop("tensor")
        if self._settings.rounding:
            real = ttnn.Tensor(array, **given)
            values = formats.read(real)
        else:
            source = ttnn.Tensor(array)  # an array serves one call: read it as it is, then convert
            values = formats.read(source)
            real = ttnn.Tensor(values, **given) if given else source
        host = on_host(real, values.reshape(tuple(real.shape)), self._settings, self.tensor_type)
        return host if device is None else self.to_device(host, device, place, cq_id=queue)

    def to_dtype(self, tensor, dtype):
        operand = tensor.check()
        real = ttnn.to_dtype.function(tensor.real, dtype)
        return on_host(real, operand.value, self._settings, self.tensor_type)

    # Host to device --------------------------------------------------------------------------------

    def to_device(self, tensor, device, memory_config=None, *, cq_id=None):
        owner = devices.of(device)
        operand = tensor.check()
        owner.statistics.count("calls")
        if is_on_device(tensor.real):
            return tensor
        owner.refuse_in_capture("an upload")
        queue = owner.queue(cq_id)
        real = tensor.real.to(device, memory_config, cq_id)
        result = on_device(real, owner)
        self._upload(owner, queue, operand, result.operand)
        return result

    def copy_host_to_device_tensor(self, host_tensor, device_tensor, cq_id=None):
        source, target = host_tensor.check(), device_tensor.check()
        owner = device_tensor.owner
        owner.statistics.count("calls")
        owner.refuse_in_capture("an upload")
        ttnn.copy_host_to_device_tensor.function(host_tensor.real, device_tensor.real, cq_id)
        self._upload(owner, owner.queue(cq_id), source, target)

    def _upload(self, owner, queue, source, target):
        owner.issue(queue, "an upload", writes=[target.memory])
        target.memory.array = source.memory.array.copy()
        owner.statistics.upload(target.bytes)

    # Device to host --------------------------------------------------------------------------------

    def from_device(self, tensor, blocking=True, *, cq_id=None):
        operand = tensor.check()
        if not is_on_device(tensor.real):
            return tensor
        owner = tensor.owner
        owner.statistics.count("calls")
        owner.refuse_in_capture("a download")
        queue = owner.queue(cq_id)
        host = on_host(tensor.real.cpu(blocking, cq_id), operand.value, self._settings, self.tensor_type)
        host.operand.memory.array = operand.memory.array.copy()  # already rounded; padding comes along
        owner.issue(queue, "a download", reads=[operand.memory])
        if blocking:
            owner.host_waits_for_queue(queue)
        owner.statistics.download(operand.bytes)
        return host

    def copy_device_to_host_tensor(self, device_tensor, host_tensor, blocking=True, cq_id=None):
        source, target = device_tensor.check(), host_tensor.check()
        owner = device_tensor.owner
        owner.statistics.count("calls")
        owner.refuse_in_capture("a download")
        queue = owner.queue(cq_id)
        ttnn.copy_device_to_host_tensor.function(device_tensor.real, host_tensor.real, blocking, cq_id)
        owner.issue(queue, "a download", reads=[source.memory])
        if blocking:
            owner.host_waits_for_queue(queue)
        target.memory.array = source.memory.array.copy()
        owner.statistics.download(source.bytes)

    # From nothing ------------------------------------------------------------------------------------

    def filled(self, name, fill):
        """``zeros``, ``ones``, ``full``, ``arange``: made on the host, and uploaded where a device is named."""
        create = getattr(ttnn, name).function

        def call(*args, **kwargs):
            device = kwargs.get("device") or next((a for a in args if isinstance(a, ttnn.MeshDevice)), None)
            if device is not None:
                devices.of(device).refuse_in_capture(f"{name}, an upload,")
            real = create(*args, **kwargs)
            array = np.broadcast_to(np.asarray(fill(*args, **kwargs)), tuple(real.shape))
            if device is None:
                return on_host(real, array, self._settings, self.tensor_type)
            owner = devices.of(device)
            owner.statistics.count("calls")
            result = on_device(real, owner)
            owner.issue(owner.queue(), name, writes=[result.operand.memory])
            result.operand.write(array, zero_filling=True)
            owner.statistics.upload(result.operand.bytes)
            return result

        return call

    def allocated(self, name):
        """``empty``, ``allocate_tensor_on_device``: memory that nobody wrote."""
        create = getattr(ttnn, name)
        create = getattr(create, "function", create)

        def call(*args, **kwargs):
            device = kwargs.get("device") or next((a for a in args if isinstance(a, ttnn.MeshDevice)), None)
            owner = devices.of(device)
            owner.statistics.count("calls")
            owner.refuse_in_capture(f"{name}, an allocation,")
            return on_device(create(*args, **kwargs), owner)

        return call

    @staticmethod
    def deallocate(tensor, force=True):
        tensor.check()
        ttnn.deallocate.function(tensor.real, force)
        tensor.release()

    def copy(self, name):
        """``copy`` and ``assign`` with a destination: the second tensor's memory takes the first one's values."""
        real = getattr(ttnn, name).function

        def call(input_a, input_b, **kwargs):
            source, target = input_a.check(), input_b.check()
            owner = input_b.owner
            owner.statistics.count("calls")
            programs = owner.real.num_program_cache_entries()
            real(input_a.real, input_b.real, **kwargs)
            compiled = owner.real.num_program_cache_entries() - programs
            if compiled:
                owner.statistics.count("compiled", compiled)
                owner.refuse_in_capture(f"{name} that was not compiled before, so that its program is uploaded")
            from .operation import issue

            issue(owner, Work(name, lambda: source.value, [source], [target], False, 0))
            return input_b

        return call


class _Constructed(Tensor):
    """The class that is called as ``ttnn.Tensor``; every tensor of the double is an instance."""

    __slots__ = ()
    transfers = None

    def __new__(cls, *args, **kwargs):
        return cls.transfers.construct(*args, **kwargs)

    def __init__(self, *args, **kwargs):
        pass


def add_methods():
    """The methods of TTNN's tensors that move values."""

    def settings_of(tensor):
        return Transfers.of(tensor.operand.settings)

    def cpu(self, blocking=True, cq_id=None):
        return settings_of(self).from_device(self, blocking, cq_id=cq_id)

    def to(self, target, mem_config=None, cq_id=None):
        if isinstance(target, ttnn.MeshDevice):
            return settings_of(self).to_device(self, target, mem_config, cq_id=cq_id)
        operand = self.check()
        if is_on_device(self.real):
            raise NotImplementedError("ttnn_double has no Tensor.to(layout) on a device: use to_layout")
        return on_host(self.real.to(target), operand.value, operand.settings, type(self))

    def to_numpy(self):
        operand = self.check()
        if is_on_device(self.real):
            raise RuntimeError("ttnn_double: to_numpy of a tensor on a device: take cpu() first")
        if operand.dtype not in (ttnn.float32,) and not formats.is_integer(operand.dtype):
            raise RuntimeError(f"ttnn_double: to_numpy of {operand.dtype} gives objects: take to_dtype first")
        return np.array(operand.value)

    def deallocate(self, force=False):
        Transfers.deallocate(self, force)

    for method in (cpu, to, to_numpy, deallocate):
        setattr(Tensor, method.__name__, method)


_by_settings = {}


def _of(settings):
    transfers = _by_settings.get(id(settings))
    if transfers is None:
        transfers = _by_settings[id(settings)] = Transfers(settings)
    return transfers


Transfers.of = staticmethod(_of)
add_methods()
__all__ = ["Transfers", "device_of"]
