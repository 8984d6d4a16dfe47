"""What the double keeps for an open device: its memory, its command queues, its traces, its books."""

import math
import weakref

import ttnn

from . import formats
from .counts import Statistics
from .memory import Memory, garbage
from .programs import Programs

_open = []

# What is asked of a device and answered by TTNN.
_FORM = frozenset(
    """id arch shape get_num_devices get_device_id get_device_ids get_system_mesh_id core_grid
    compute_with_storage_grid_size dram_grid_size num_program_cache_entries enable_program_cache
    clear_program_cache disable_and_clear_program_cache set_program_cache_misses_allowed""".split()
)


def all_open():
    """Devices that compute, in the order of their opening."""
    return [device for device in _open if not device.submeshes and device.real.get_num_devices() == 1]


class Device:
    """A mesh device as TTNN has them. Values are on meshes of one chip, submeshes or not."""

    def __init__(self, real, settings, trace_region_size, queues):
        self.real = real
        self.settings = settings
        self.trace_region_size = trace_region_size
        self.queues = queues
        self.submeshes = []
        self.state = None  # why it must not be used
        self.statistics = Statistics()
        self.programs = Programs()
        self.capture = None
        self.traces = {}
        self._memories = weakref.WeakValueDictionary()
        self._banks = {
            kind: ttnn.get_memory_view(real, kind).num_banks
            for kind in (ttnn.BufferType.DRAM, ttnn.BufferType.L1)
        }
        self._ticks = [0] * queues
        self._known = [[0] * queues for _ in range(queues)]  # what each queue has waited for
        self._host = [0] * queues  # what the host has waited for
        _open.append(self)

    def __getattr__(self, name):
        if name in _FORM:
            return getattr(self.real, name)
        raise NotImplementedError(f"ttnn_double has no MeshDevice.{name}")

    def create_submeshes(self, submesh_shape):
        made = [
            Device(real, self.settings, self.trace_region_size, self.queues)
            for real in self.real.create_submeshes(submesh_shape)
        ]
        self.submeshes += made
        return made

    def check(self):
        """The device itself; raises unless it may compute."""
        if self.state is not None:
            raise RuntimeError(f"ttnn_double: a tensor or device is used after its device was {self.state}")
        if self.real.get_num_devices() != 1:
            raise NotImplementedError("ttnn_double computes on meshes of one device: take create_submeshes")
        return self

    def close(self):
        """Closes the device. TTNN ends the process when others that were open with it are used."""
        if self not in _open:
            raise RuntimeError("ttnn_double: a device is closed twice")
        if self.capture is not None:
            raise RuntimeError("ttnn_double: the device is closed between begin_ and end_trace_capture")
        _open.remove(self)
        self.state = "closed"
        self.traces.clear()
        for other in _open:
            other.state = "left open when another was closed"
        ttnn.close_mesh_device(self.real)

    # Memory ------------------------------------------------------------------------------------

    def memory_of(self, real):
        """The memory behind a device tensor: known, or new and holding what nobody wrote."""
        buffer = real.buffer_unique_id()
        memory = self._memories.get(buffer)
        volume = math.prod(real.padded_shape)
        if memory is None:
            memory = Memory(
                garbage(volume, formats.numpy_type(real.dtype)),
                real.buffer_address(),
                self._bytes_per_bank(real),
                real.memory_config().buffer_type,
            )
            self._memories[buffer] = memory
        elif memory.array.size != volume:
            raise NotImplementedError(
                f"ttnn_double: a view of {tuple(real.padded_shape)} on a buffer of {memory.array.size} elements"
            )
        return memory

    def _bytes_per_bank(self, real):
        config = real.memory_config()
        if real.is_sharded():
            banks = config.shard_spec.grid.num_cores() if config.shard_spec else 1
        else:
            banks = self._banks[config.buffer_type]
        return -(-real.buffer_num_pages() // banks) * real.buffer_aligned_page_size()

    def living(self):
        """Memory that belongs to a tensor now."""
        return [memory for memory in list(self._memories.values()) if memory.lives]

    # Transfers -----------------------------------------------------------------------------------

    def upload(self, source, target, cq_id):
        """Copies a host operand's values, which are rounded, to a device operand."""
        self.command(self.queue(cq_id), "an upload", writes=[target.memory])
        target.memory.array = source.memory.array.copy()
        self.statistics.upload(target.bytes)

    def download(self, source, target, blocking, cq_id):
        queue = self.queue(cq_id)
        self.command(queue, "a download", reads=[source.memory])
        if blocking:
            self.host_waits_for_queue(queue)
        target.memory.array = source.memory.array.copy()
        self.statistics.download(source.bytes)

    # Capture -------------------------------------------------------------------------------------

    def refuse_in_capture(self, what):
        """Raises when a trace is being captured, which cannot hold this."""
        if self.capture is not None:
            raise RuntimeError(
                f"ttnn_double: {what} between begin_ and end_trace_capture: a trace cannot hold it"
            )

    # Command queues --------------------------------------------------------------------------------

    def queue(self, cq_id=None):
        """The number of a command queue, the current one for None."""
        if cq_id is None:
            cq_id = ttnn.get_current_command_queue_id_for_thread()
        if cq_id is None:
            return 0
        number = int(cq_id)
        if number >= len(self._ticks):
            raise RuntimeError(
                f"ttnn_double: queue {number} of a device that was opened with {len(self._ticks)}"
            )
        return number

    def issue(self, work):
        """Runs work on the current queue, or leaves it to the trace that is being captured."""
        if self.capture is not None:
            self.capture.record(work)  # nothing runs: the outputs keep what is in their memory
            return
        self.command(self.queue(), work.name, work.reads, work.writes)
        work.run()
        self.statistics.ran(work)

    def command(self, queue, what, reads=(), writes=()):
        """Accounts for a command, and raises when it races with one of another queue.

        A command may use what another queue wrote, and overwrite what another queue wrote or read,
        only after an event or the host has ordered the two.
        """
        if len(self._ticks) == 1:
            return
        known = self._known[queue]
        for other, tick in enumerate(self._host):
            known[other] = max(known[other], tick)
        for memory in reads:
            self._ordered(queue, what, memory.written, "written")
        for memory in writes:
            self._ordered(queue, what, memory.written, "written")
            for access in memory.read.items():
                self._ordered(queue, what, access, "read")
        self._ticks[queue] += 1
        known[queue] = self._ticks[queue]
        for memory in reads:
            memory.read[queue] = self._ticks[queue]
        for memory in writes:
            memory.written = (queue, self._ticks[queue])
            memory.read = {}

    def _ordered(self, queue, what, access, how):
        if access is None:
            return
        other, tick = access
        if other != queue and self._known[queue][other] < tick:
            raise RuntimeError(
                f"ttnn_double: {what} on queue {queue} uses memory that queue {other} has {how},"
                " and no event orders the two"
            )

    def record(self, queue):
        """What a queue has done and waited for by now."""
        return list(self._known[queue][:queue] + [self._ticks[queue]] + self._known[queue][queue + 1 :])

    def wait(self, queue, recorded):
        self._known[queue] = [max(a, b) for a, b in zip(self._known[queue], recorded)]

    def host_waits(self, recorded):
        self._host = [max(a, b) for a, b in zip(self._host, recorded)]

    def host_waits_for_queue(self, queue):
        self.host_waits(self.record(queue))

    def host_waits_for_all(self):
        self.host_waits(self._ticks)
