"""TTNN's functions for traces, events and closing: the double's own, as a mock cannot run them."""

import ttnn

from .trace import Trace


def close_mesh_device(mesh_device):
    mesh_device.close()


# Traces ------------------------------------------------------------------------------------------


class TraceId:
    """Names a trace, as ``ttnn.MeshTraceId`` does."""


def begin_trace_capture(mesh_device, *, cq_id=None):
    owner = mesh_device.check()
    owner.statistics.count("calls")
    owner.refuse_in_capture("begin_trace_capture")
    identity = TraceId()
    owner.capture = owner.traces[identity] = Trace(owner, owner.queue(cq_id))
    return identity


def end_trace_capture(mesh_device, trace_id, *, cq_id=None):
    owner = mesh_device.check()
    owner.statistics.count("calls")
    trace = _trace(owner, trace_id)
    if owner.capture is not trace:
        raise RuntimeError("ttnn_double: end_trace_capture of a trace that is not being captured")
    if owner.queue(cq_id) != trace.queue:
        raise RuntimeError(f"ttnn_double: a capture that began on queue {trace.queue} ends on another")
    owner.capture = None
    if owner.trace_region_size == 0:
        del owner.traces[trace_id]
        raise RuntimeError(
            "ttnn_double: a trace was captured on a device that was opened without trace_region_size"
        )
    trace.end()
    owner.statistics.count("captures")


def execute_trace(mesh_device, trace_id, *, cq_id=None, blocking=True):
    owner = mesh_device.check()
    owner.statistics.count("calls")
    owner.refuse_in_capture("execute_trace")
    trace = _trace(owner, trace_id)
    queue = owner.queue(cq_id)
    reads, writes = trace.memory()
    owner.command(queue, "a trace", reads, writes)
    trace.replay()
    owner.statistics.count("replays")
    for work in trace.works:
        owner.statistics.ran(work)
    if blocking:
        owner.host_waits_for_queue(queue)


def release_trace(mesh_device, trace_id):
    owner = mesh_device.check()
    owner.statistics.count("calls")
    owner.refuse_in_capture("release_trace")
    _trace(owner, trace_id)
    del owner.traces[trace_id]


def _trace(owner, trace_id):
    try:
        return owner.traces[trace_id]
    except KeyError:
        raise RuntimeError("ttnn_double: the trace was released, or belongs to another device") from None


# Events ----------------------------------------------------------------------------------------------


class Event:
    """What a command queue had done when the event was recorded."""

    def __init__(self, owner, recorded):
        self.owner = owner
        self.recorded = recorded


def record_event(mesh_device, cq_id=None, sub_device_ids=(), device_range=None):
    owner = mesh_device.check()
    owner.statistics.count("calls")
    owner.refuse_in_capture("record_event")
    ttnn.record_event(owner.real, cq_id)
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
    owner = device.check()
    owner.statistics.count("calls")
    owner.refuse_in_capture("synchronize_device")
    ttnn.synchronize_device(owner.real, cq_id)
    if cq_id is None:
        owner.host_waits_for_all()
    else:
        owner.host_waits_for_queue(owner.queue(cq_id))
