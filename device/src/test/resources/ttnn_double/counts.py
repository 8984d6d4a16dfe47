"""What ran on a device, stage by stage."""

import json


class Statistics:
    """Counts of operations and transfers.

    An operation counts when the device runs it: at once, or with each replay of the trace that
    holds it. ``programs`` are what the device dispatches for it, one or several. ``calls`` are the
    host's: every call of the module, so a replay is one.
    """

    def __init__(self):
        self.stage = ""
        self._stages = {}

    def reset(self):
        self._stages = {}

    def enter(self, stage):
        self.stage = stage

    def _current(self):
        stage = self._stages.get(self.stage)
        if stage is None:
            stage = self._stages[self.stage] = {
                "calls": 0,
                "operations": 0,
                "programs": 0,
                "compiled": 0,
                "captures": 0,
                "replays": 0,
                "uploads": 0,
                "uploaded_bytes": 0,
                "downloads": 0,
                "downloaded_bytes": 0,
                "by_operation": {},
                "by_program": {},
            }
        return stage

    def count(self, what, times=1):
        self._current()[what] += times

    def upload(self, bytes_):
        self.count("uploads")
        self.count("uploaded_bytes", bytes_)

    def download(self, bytes_):
        self.count("downloads")
        self.count("downloaded_bytes", bytes_)

    def ran(self, work):
        """Counts one run of an operation on the device."""
        stage = self._current()
        stage["operations"] += 1
        stage["programs"] += len(work.programs)
        for program in work.programs:
            stage["by_program"][program] = stage["by_program"].get(program, 0) + 1
        entry = stage["by_operation"].setdefault(work.name, {"count": 0, "flops": 0, "read": 0, "written": 0})
        entry["count"] += 1
        entry["flops"] += work.flops
        entry["read"] += work.read
        entry["written"] += work.written

    def as_json(self):
        return json.dumps({"stages": self._stages})
