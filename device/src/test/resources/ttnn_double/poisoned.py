"""``ttnn_double.unrounded`` with NaN in the padding of tiles: an operation that reads it gives NaN."""

from . import enter_stage, replays_traces, reset_statistics, statistics
from .surface import names as _names

__getattr__ = _names(globals(), rounding=False, padding="nan")

__all__ = ["enter_stage", "replays_traces", "reset_statistics", "statistics", "unrounded"]

unrounded = True
