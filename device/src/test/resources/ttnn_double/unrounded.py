"""``ttnn_double`` with fp32 values throughout: what is wrong shows, where rounding would hide it."""

from . import enter_stage, replays_traces, reset_statistics, statistics
from .surface import names as _names

__getattr__ = _names(globals(), rounding=False)

__all__ = ["enter_stage", "replays_traces", "reset_statistics", "statistics", "unrounded"]

# The engine asks for this: it may compute in fp32 here.
unrounded = True
