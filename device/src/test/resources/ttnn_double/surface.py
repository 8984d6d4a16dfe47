"""The names of the ``ttnn`` module, as the double has them."""

import types

import ttnn

from . import devices
from .operation import Operation
from .trace import Trace
from .transfers import Transfers
from .values import DEFINITIONS

# Functions of TTNN that concern no values.
_AS_THEY_ARE = frozenset(
    """get_memory_view get_device_ids get_num_devices get_num_pcie_devices get_arch_name GetNumAvailableDevices
    GetNumPCIeDevices init_device_compute_kernel_config create_sharded_memory_config num_cores_to_corerangeset
    get_max_worker_l1_unreserved_size get_dram_alignment get_l1_alignment tile_size graph cluster device
    get_current_command_queue_id_for_thread command_queue dump_device_memory_state get_fabric_config
    set_fabric_config DeviceComputeKernelConfig matmul_select_program_factory""".split()
)


class Settings:
    """How values are kept.

    rounding: round every tensor to its data type, or keep fp32 throughout
    padding: what an operation leaves in the padding of tiles: "large", "nan" or "zero"
    """

    def __init__(self, rounding=True, padding="large"):
        self.rounding = rounding
        self.padding = padding


class Unknown:
    """A function of TTNN whose value the double does not know. Calling it is an error."""

    def __init__(self, name):
        self._name = name
        self.function = self

    def __call__(self, *args, **kwargs):
        raise NotImplementedError(f"ttnn_double has no value for ttnn.{self._name}")


class Event:
    """What a command queue had done when the event was recorded."""

    def __init__(self, owner, recorded):
        self.owner = owner
        self.recorded = recorded


class Surface:
    """Resolves TTNN's names for one setting."""

    def __init__(self, settings):
        self._settings = settings
        self._transfers = transfers = Transfers.of(settings)
        self._own = {
            "Tensor": transfers.tensor_type,
            "to_dtype": transfers.to_dtype,
            "to_device": transfers.to_device,
            "from_device": transfers.from_device,
            "copy_host_to_device_tensor": transfers.copy_host_to_device_tensor,
            "copy_device_to_host_tensor": transfers.copy_device_to_host_tensor,
            "deallocate": transfers.deallocate,
            "copy": transfers.copy("copy"),
            "assign": transfers.copy("assign"),
            "empty": transfers.allocated("empty"),
            "allocate_tensor_on_device": transfers.allocated("allocate_tensor_on_device"),
            "zeros": transfers.filled("zeros", lambda *a, **k: 0),
            "ones": transfers.filled("ones", lambda *a, **k: 1),
            "full": transfers.filled("full", lambda shape, fill_value, *a, **k: fill_value),
            "open_mesh_device": self._open,
            "close_mesh_device": close_mesh_device,
            "begin_trace_capture": begin_trace_capture,
            "end_trace_capture": end_trace_capture,
            "execute_trace": execute_trace,
            "release_trace": release_trace,
            "record_event": record_event,
            "wait_for_event": wait_for_event,
            "event_synchronize": event_synchronize,
            "synchronize_device": synchronize_device,
        }

    def resolve(self, name):
        """The double's object for a dotted name under ``ttnn``."""
        real = ttnn
        for part in name.split("."):
            real = getattr(real, part)
        if name in self._own:
            own = self._own[name]
            return _with_function(own) if hasattr(real, "function") else own
        if name in DEFINITIONS:
            d = DEFINITIONS[name]
            return Operation(
                name, real, d.values, self._settings, in_place=d.in_place, zero_filling=d.zero_filling, flops=d.flops
            )
        if name in ("transformer", "experimental", "kv_cache"):
            return _Group(self, name)
        if isinstance(real, type) or not callable(real) and not isinstance(real, types.ModuleType):
            return real
        if name in _AS_THEY_ARE:
            return real
        if isinstance(real, types.ModuleType):
            raise AttributeError(f"ttnn_double has no module ttnn.{name}")
        return Unknown(name)

    def _open(self, mesh_shape=None, *args, **kwargs):
        real = ttnn.open_mesh_device(mesh_shape, *args, **kwargs)
        if real.get_num_devices() != 1:
            ttnn.close_mesh_device(real)
            raise NotImplementedError("ttnn_double has meshes of one device")
        if args:
            raise NotImplementedError("ttnn_double.open_mesh_device takes its options by name")
        devices.opened(
            real, self._settings, kwargs.get("trace_region_size", 0), kwargs.get("num_command_queues", 1)
        )
        return real


class _Group(types.ModuleType):
    """``ttnn.transformer`` and its like."""

    def __init__(self, surface, name):
        super().__init__(f"ttnn_double.{name}")
        self._surface = surface
        self._name = name

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        value = self._surface.resolve(f"{self._name}.{name}")
        setattr(self, name, value)
        return value


def _with_function(call):
    def same(*args, **kwargs):
        return call(*args, **kwargs)

    same.function = same
    return same


def close_mesh_device(mesh_device):
    devices.of(mesh_device).close()
    ttnn.close_mesh_device(mesh_device)


# Traces ------------------------------------------------------------------------------------------


class TraceId:
    """Names a trace, as ``ttnn.MeshTraceId`` does."""


def begin_trace_capture(mesh_device, *, cq_id=None):
    owner = devices.of(mesh_device)
    owner.statistics.count("calls")
    owner.refuse_in_capture("begin_trace_capture")
    identity = TraceId()
    owner.capture = owner.traces[identity] = Trace(owner, owner.queue(cq_id))
    return identity


def end_trace_capture(mesh_device, trace_id, *, cq_id=None):
    owner = devices.of(mesh_device)
    owner.statistics.count("calls")
    trace = _trace(owner, trace_id)
    if owner.capture is not trace:
        raise RuntimeError("ttnn_double: end_trace_capture of a trace that is not being captured")
    if owner.queue(cq_id) != trace.queue:
        raise RuntimeError(f"ttnn_double: a capture that began on queue {trace.queue} ends on another")
    owner.capture = None
    if owner.trace_region_size == 0:
        del owner.traces[trace_id]
        raise RuntimeError("ttnn_double: a trace was captured on a device that was opened without trace_region_size")
    trace.end()
    owner.statistics.count("captures")


def execute_trace(mesh_device, trace_id, *, cq_id=None, blocking=True):
    owner = devices.of(mesh_device)
    owner.statistics.count("calls")
    owner.refuse_in_capture("execute_trace")
    trace = _trace(owner, trace_id)
    queue = owner.queue(cq_id)
    reads, writes = trace.memory()
    owner.issue(queue, "a trace", reads, writes)
    trace.replay()
    owner.statistics.count("replays")
    for work in trace.works:
        owner.statistics.ran(work)
    if blocking:
        owner.host_waits_for_queue(queue)


def release_trace(mesh_device, trace_id):
    owner = devices.of(mesh_device)
    owner.statistics.count("calls")
    owner.refuse_in_capture("release_trace")
    _trace(owner, trace_id)
    del owner.traces[trace_id]


def _trace(owner, trace_id):
    try:
        return owner.traces[trace_id]
    except KeyError:
        raise RuntimeError("ttnn_double: the trace was released, or belongs to another device") from None


# Events --------------------------------------------------------------------------------------------


def record_event(mesh_device, cq_id=None, sub_device_ids=(), device_range=None):
    owner = devices.of(mesh_device)
    owner.statistics.count("calls")
    owner.refuse_in_capture("record_event")
    ttnn.record_event(mesh_device, cq_id)
    return Event(owner, owner.record(owner.queue(cq_id)))


def wait_for_event(cq_id=None, mesh_event=None):
    owner = mesh_event.owner
    owner.statistics.count("calls")
    owner.refuse_in_capture("wait_for_event")
    owner.wait(owner.queue(cq_id), mesh_event.recorded)  # a mock cannot wait


def event_synchronize(mesh_event):
    owner = mesh_event.owner
    owner.statistics.count("calls")
    owner.refuse_in_capture("event_synchronize")
    owner.host_waits(mesh_event.recorded)


def synchronize_device(device, cq_id=None, sub_device_ids=()):
    owner = devices.of(device)
    owner.statistics.count("calls")
    owner.refuse_in_capture("synchronize_device")
    ttnn.synchronize_device(device, cq_id)
    for queue in range(len(owner._ticks)) if cq_id is None else [owner.queue(cq_id)]:
        owner.host_waits_for_queue(queue)
