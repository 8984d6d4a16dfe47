"""How the double keeps values."""


class Settings:
    """One setting of the double.

    rounding: round every tensor to its data type, or keep fp32 throughout
    padding: what an operation leaves in the padding of tiles: ``large``, ``nan`` or ``zero``
    tensor: the class of its tensors
    """

    def __init__(self, rounding, padding):
        if padding not in ("large", "nan", "zero"):
            raise ValueError(f"TTNN_DOUBLE_PADDING is {padding!r}: it is large, nan or zero")
        self.rounding = rounding
        self.padding = padding
        self.tensor = None
