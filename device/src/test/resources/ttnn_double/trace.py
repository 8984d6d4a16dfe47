"""Traces: what was issued between begin and end, and what replaying it does.

On a card nothing runs while a trace is captured: the outputs hold whatever was in their memory. A
replay runs the operations on the buffers they had at capture, with the values these hold now. The
addresses of the buffers that were freed inside are handed out to others, and are overwritten all
the same. What composite operations allocate and free inside themselves is not known here.
"""

import bisect

from .memory import next_serial


class Trace:
    """The operations of a trace and the memory they use."""

    def __init__(self, device, queue):
        self.device = device
        self.queue = queue
        self.works = []
        self._outside = {}  # id -> memory that is read and was there before
        self._own = {}  # id -> memory that the trace writes
        self._begin = next_serial()
        self._end = None

    def record(self, work):
        for memory in work.reads:
            if id(memory) not in self._own and memory.serial < self._begin:
                self._outside[id(memory)] = memory
        for memory in work.writes:
            self._own[id(memory)] = memory
        self.works.append(work)

    def end(self):
        self._end = next_serial()

    def replay(self):
        for memory in list(self._outside.values()) + [
            m for m in self._own.values() if m.serial < self._begin
        ]:
            if not memory.lives:
                raise RuntimeError(
                    "ttnn_double: a trace is replayed whose buffer was deallocated after its capture"
                )
        for work in self.works:
            work.run()
        self._overwrite_strangers()

    def memory(self):
        """Memory that a replay uses: (read, written)."""
        return list(self._outside.values()), list(self._own.values())

    def _overwrite_strangers(self):
        """Poisons buffers that were allocated since the capture where this trace writes."""
        younger = [m for m in self.device.living() if m.serial > self._end and id(m) not in self._own]
        if not younger:
            return
        written = {}
        for memory in self._own.values():
            written.setdefault(memory.kind, []).append((memory.address, memory.address + memory.length))
        merged = {kind: _merge(ranges) for kind, ranges in written.items()}
        for memory in younger:
            starts, ends = merged.get(memory.kind, ((), ()))
            at = bisect.bisect_right(starts, memory.address + memory.length - 1) - 1
            if at >= 0 and ends[at] > memory.address:
                memory.poison()


def _merge(ranges):
    starts, ends = [], []
    for start, end in sorted(ranges):
        if ends and start <= ends[-1]:
            ends[-1] = max(ends[-1], end)
        else:
            starts.append(start)
            ends.append(end)
    return starts, ends
