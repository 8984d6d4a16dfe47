"""Which device programs a call of TTNN runs: asked of TTNN once for each form of call."""

import ttnn

from .memory import Operand


class Programs:
    """Remembers the programs that each form of call runs."""

    def __init__(self):
        self._known = {}

    def run(self, name, run, call):
        """Runs a call, and returns what it gave and the names of the programs that it ran."""
        form = name, _form(call.operands), _form(call.options), _form(call.other_options)
        known = self._known.get(form)
        if known is not None:
            return run(), known
        if ttnn.graph.is_graph_capture_active():
            return run(), (name,)  # TTNN records one graph at a time, and this one is another's
        ttnn.graph.begin_graph_capture(ttnn.graph.RunMode.NORMAL)
        try:
            result = run()
        finally:
            graph = ttnn.graph.end_graph_capture()
        started = [node["params"]["name"] for node in graph if node["node_type"] == "function_start"]
        self._known[form] = programs = tuple(program for program in started if program.endswith("Operation"))
        return result, programs


def _form(x):
    """What decides about the programs: shapes, types and places of tensors, and every option."""
    if x is None or isinstance(x, (str, int, float, bool)):
        return x
    if isinstance(x, (list, tuple)):
        return tuple(map(_form, x))
    if isinstance(x, dict):
        return tuple((name, _form(value)) for name, value in x.items())
    if isinstance(x, Operand):
        return x.shape, x.dtype.value, x.layout.value, _text(x.memory.kind)
    return _text(x)


_texts = {}


def _text(x):
    """What an object of TTNN says of itself, which takes it longer than a small operation."""
    known = _texts.get(id(x))
    if known is None:
        if len(_texts) > 1000:
            _texts.clear()
        text = repr(x)
        # The object is kept with its text, so that no other one gets its identity.
        known = _texts[id(x)] = x, type(x).__name__ if " at 0x" in text else text
    return known[1]
