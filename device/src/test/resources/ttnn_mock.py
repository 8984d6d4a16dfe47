"""The ``ttnn`` module on a mock device, with traces as on a card.

Import it in place of ``ttnn``. On a mock a capture and the wait for an event end the process. Here a capture runs its
operations, so that TTNN checks each of them, and a replay does nothing: no operation computes anything on a mock anyway.
What is left of a chunk that is replayed is the work of the host.

It also says what memory calls take, see ``begin_memory``, and what was allocated to last, see ``lasting_bytes``.
"""

import ttnn

#: Traces can be replayed and events waited for.
replays_traces = True

_device = None  # whose memory was asked for last
_lasting = 0


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return getattr(ttnn, name)


# Traces ------------------------------------------------------------------------------------------


def begin_trace_capture(mesh_device, *, cq_id=None):
    return object()


def end_trace_capture(mesh_device, trace_id, *, cq_id=None):
    pass


def execute_trace(mesh_device, trace_id, *, cq_id=None, blocking=True):
    pass


def release_trace(mesh_device, trace_id):
    pass


def wait_for_event(cq_id=None, mesh_event=None):
    pass


# Memory ------------------------------------------------------------------------------------------


def get_memory_view(device, buffer_type):
    global _device
    _device = device
    return ttnn.get_memory_view(device, buffer_type)


def empty(*arguments, **options):
    global _lasting
    tensor = _empty(*arguments, **options)
    _lasting += tensor.buffer_num_pages() * tensor.buffer_aligned_page_size()
    return tensor


_empty = getattr(ttnn.empty, "function", ttnn.empty)


def lasting_bytes():
    """Bytes of DRAM of all tensors that ``empty`` ever made."""
    return _lasting


def forget_programs():
    """All programs are compiled again when they are next wanted: only that shows what of L1 they take."""
    _device.clear_program_cache()


def begin_memory():
    """Begins to watch what calls allocate."""
    ttnn.graph.begin_graph_capture(ttnn.graph.RunMode.NORMAL)


def end_memory():
    """The most that was allocated since on top of what was there: bytes of DRAM, and bytes of one core's L1."""
    graph = ttnn.graph.end_graph_capture()
    size = most = 0
    for node in graph:
        sign = {"buffer_allocate": 1, "buffer_deallocate": -1}.get(node["node_type"])
        if sign and node["params"]["type"] == "DRAM":
            size += sign * int(node["params"]["size"])
            most = max(most, size)
    grid = _device.compute_with_storage_grid_size()
    usage = ttnn.graph.extract_resource_usage_per_core(graph, grid.x * grid.y)
    return [most, usage.peak_total]
