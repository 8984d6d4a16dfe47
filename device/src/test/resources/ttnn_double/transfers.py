"""Functions that move values between host and device, or make tensors from nothing: no program runs."""

import numpy as np
import ttnn

from .devices import Device
from .tensor import Tensor


def with_real_devices(function):
    """A function of TTNN that takes the double's devices."""

    def call(*args, **kwargs):
        real = [a.real if isinstance(a, Device) else a for a in args]
        return function(*real, **{k: a.real if isinstance(a, Device) else a for k, a in kwargs.items()})

    return call


def to_dtype(tensor, dtype):
    """On the host."""
    operand = tensor.check()
    return type(tensor).on_host(ttnn.to_dtype.function(tensor.real, dtype), operand.value)


def to_device(tensor, device=None, memory_config=None, cq_id=None):
    return tensor.to(device, memory_config, cq_id)


def from_device(tensor, blocking=True, cq_id=None):
    return tensor.cpu(blocking, cq_id)


def copy_host_to_device_tensor(host_tensor, device_tensor, cq_id=None):
    source, target, owner = host_tensor.check(), device_tensor.check(), device_tensor.owner
    owner.statistics.count("calls")
    owner.refuse_in_capture("an upload")
    ttnn.copy_host_to_device_tensor.function(host_tensor.real, device_tensor.real, cq_id)
    owner.upload(source, target, cq_id)


def copy_device_to_host_tensor(device_tensor, host_tensor, blocking=True, cq_id=None):
    source, target, owner = device_tensor.check(), host_tensor.check(), device_tensor.owner
    owner.statistics.count("calls")
    owner.refuse_in_capture("a download")
    ttnn.copy_device_to_host_tensor.function(device_tensor.real, host_tensor.real, blocking, cq_id)
    owner.download(source, target, blocking, cq_id)


def deallocate(tensor, force=True):
    tensor.deallocate(force)


def filled(name, settings, fill):
    """``zeros``, ``ones``, ``full``: made on the host, and uploaded where a device is named."""
    create = getattr(ttnn, name).function

    def call(*args, **kwargs):
        owner = _device(args, kwargs)
        if owner is not None:
            owner.statistics.count("calls")
            owner.refuse_in_capture(f"{name}, which uploads,")
        real = with_real_devices(create)(*args, **kwargs)
        host = settings.tensor.on_host(real, np.full(tuple(real.shape), fill(*args, **kwargs)))
        if owner is None:
            return host
        result = Tensor.on_device(real, owner)
        owner.upload(host.operand, result.operand, None)
        return result

    return call


def allocated(name):
    """``empty``, ``allocate_tensor_on_device``: memory that nobody wrote."""
    create = getattr(ttnn, name)
    create = getattr(create, "function", create)

    def call(*args, **kwargs):
        owner = _device(args, kwargs)
        owner.statistics.count("calls")
        owner.refuse_in_capture(f"{name}, which allocates,")
        return Tensor.on_device(with_real_devices(create)(*args, **kwargs), owner)

    return call


def _device(args, kwargs):
    device = next((a for a in (*args, *kwargs.values()) if isinstance(a, Device)), None)
    return device and device.check()
