"""The names of the ``ttnn`` module, as the double has them."""

import os
import types

import ttnn

from . import tensor, traces, transfers
from .devices import Device
from .operation import Operation
from .settings import Settings
from .values import DEFINITIONS

# Functions of TTNN that concern no values.
_AS_THEY_ARE = frozenset(
    """get_memory_view get_device_ids get_num_devices get_num_pcie_devices get_arch_name GetNumAvailableDevices
    GetNumPCIeDevices init_device_compute_kernel_config create_sharded_memory_config num_cores_to_corerangeset
    get_max_worker_l1_unreserved_size get_dram_alignment get_l1_alignment tile_size graph cluster device
    get_current_command_queue_id_for_thread command_queue dump_device_memory_state get_fabric_config
    set_fabric_config DeviceComputeKernelConfig matmul_select_program_factory""".split()
)


def names(module, *, rounding, padding=None):
    """A module's ``__getattr__``, which looks TTNN's names up and keeps them in the module."""
    surface = Surface(rounding, padding or os.environ.get("TTNN_DOUBLE_PADDING", "large"))

    def find(name):
        if name.startswith("__"):
            raise AttributeError(name)
        value = module[name] = surface.resolve(name)
        return value

    return find


class Unknown:
    """A function of TTNN whose value the double does not know. Calling it is an error."""

    def __init__(self, name):
        self._name = name
        self.function = self

    def __call__(self, *args, **kwargs):
        raise NotImplementedError(f"ttnn_double has no value for ttnn.{self._name}")


class Surface:
    """Resolves TTNN's names for one setting."""

    def __init__(self, rounding, padding):
        self._settings = settings = Settings(rounding, padding)
        settings.tensor = tensor.kind(settings)
        self._own = {
            "Tensor": settings.tensor,
            "zeros": transfers.filled("zeros", settings, lambda *args, **options: 0),
            "ones": transfers.filled("ones", settings, lambda *args, **options: 1),
            "full": transfers.filled(
                "full", settings, lambda shape, fill_value, *args, **options: fill_value
            ),
            "empty": transfers.allocated("empty"),
            "allocate_tensor_on_device": transfers.allocated("allocate_tensor_on_device"),
            "open_mesh_device": self._open,
        }
        for call in (
            transfers.to_dtype,
            transfers.to_device,
            transfers.from_device,
            transfers.copy_host_to_device_tensor,
            transfers.copy_device_to_host_tensor,
            transfers.deallocate,
            traces.close_mesh_device,
            traces.begin_trace_capture,
            traces.end_trace_capture,
            traces.execute_trace,
            traces.release_trace,
            traces.record_event,
            traces.wait_for_event,
            traces.event_synchronize,
            traces.synchronize_device,
        ):
            self._own[call.__name__] = call

    def resolve(self, name):
        """The double's object for a dotted name under ``ttnn``."""
        real = ttnn
        for part in name.split("."):
            real = getattr(real, part)
        if name in self._own:
            own = self._own[name]
            return _with_function(own) if hasattr(real, "function") else own
        if name in DEFINITIONS:
            return Operation(name, real, DEFINITIONS[name], self._settings)
        if name in ("transformer", "experimental", "kv_cache"):
            return _Group(self, name)
        if isinstance(real, type) or not callable(real) and not isinstance(real, types.ModuleType):
            return real
        if name in _AS_THEY_ARE:
            return real if isinstance(real, types.ModuleType) else transfers.with_real_devices(real)
        if isinstance(real, types.ModuleType):
            raise AttributeError(f"ttnn_double has no module ttnn.{name}")
        return Unknown(name)

    def _open(self, mesh_shape=None, *, trace_region_size=0, num_command_queues=1, **options):
        real = ttnn.open_mesh_device(
            mesh_shape, trace_region_size=trace_region_size, num_command_queues=num_command_queues, **options
        )
        return Device(real, self._settings, trace_region_size, num_command_queues)


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
