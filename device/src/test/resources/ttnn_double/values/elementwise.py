"""Element by element: activations, arithmetic with broadcasting, comparisons."""

import math

import numpy as np
import ttnn

from ..memory import Operand

_erf = np.frompyfunc(math.erf, 1, 1)


def erf(x):
    return _erf(np.asarray(x, dtype=np.float64)).astype(np.float32)


def sigmoid(x):
    return 0.5 * (1 + np.tanh(0.5 * x))


def gelu_erf(x):
    return 0.5 * x * (1 + erf(x * np.float32(1 / math.sqrt(2))))


def gelu_tanh(x):
    return (
        0.5 * x * (1 + np.tanh(np.float32(math.sqrt(2 / math.pi)) * (x + np.float32(0.044715) * x * x * x)))
    )


def silu(x):
    return x * sigmoid(x)


UNARY = {
    "relu": lambda x: np.maximum(x, 0),
    "silu": silu,
    "swish": silu,
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "exp": np.exp,
    "sqrt": np.sqrt,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "reciprocal": lambda x: 1 / x,
    "square": np.square,
    "neg": np.negative,
    "abs": np.abs,
    "log": np.log,
    "sin": np.sin,
    "cos": np.cos,
    "erf": erf,
    "gez": lambda x: (x >= 0).astype(x.dtype),
    "gtz": lambda x: (x > 0).astype(x.dtype),
    "lez": lambda x: (x <= 0).astype(x.dtype),
    "ltz": lambda x: (x < 0).astype(x.dtype),
    "eqz": lambda x: (x == 0).astype(x.dtype),
    "nez": lambda x: (x != 0).astype(x.dtype),
    "identity": lambda x: x,
}

# What a fused activation is called in a string, and as an op type.
_ACTIVATIONS = UNARY | {"gelu": gelu_erf, "gelu_tanh": gelu_tanh, "recip": UNARY["reciprocal"]}
del _ACTIVATIONS["swish"]  # TTNN refuses it as a string
_WITH_PARAMETER = {
    "MUL_UNARY_SFPU": np.multiply,
    "ADD_UNARY_SFPU": np.add,
    "SUB_UNARY_SFPU": np.subtract,
    "DIV_UNARY_SFPU": np.divide,
    "POWER": np.power,
}


def activate(x, activation):
    """Applies a fused activation: None, a string, or a ``UnaryWithParam`` or op type."""
    if activation is None:
        return x
    if isinstance(activation, str):
        name, parameters = activation, []
    elif isinstance(activation, ttnn.UnaryOpType):
        name, parameters = activation.name.lower(), []
    else:
        name, parameters = activation.op_type.name.lower(), list(activation.params)
    if name.upper() in _WITH_PARAMETER:
        return _WITH_PARAMETER[name.upper()](x, np.float32(parameters[0]))
    try:
        return _ACTIVATIONS[name](x)
    except KeyError:
        raise NotImplementedError(f"ttnn_double has no activation {activation!r}") from None


def _array(x):
    return x.value if isinstance(x, Operand) else x


def gelu(x, *, variant=ttnn.GeluVariant.Accurate):
    return gelu_tanh(x.value) if variant == ttnn.GeluVariant.Tanh else gelu_erf(x.value)


def geglu(x, dim=-1, *, variant=ttnn.GeluVariant.Accurate):
    """The first half times the activation of the second."""
    if dim not in (-1, len(x.shape) - 1):
        raise NotImplementedError(f"ttnn_double has geglu of the last dimension alone, not of {dim}")
    value, gate = np.split(x.value, 2, axis=-1)
    return value * (gelu_tanh(gate) if variant == ttnn.GeluVariant.Tanh else gelu_erf(gate))


def unary(name):
    function = UNARY[name]
    return lambda x: function(x.value)


BINARY = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "rsub": lambda a, b: b - a,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "pow": np.power,
    "squared_difference": lambda a, b: np.square(a - b),
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "eq": np.equal,
    "ne": np.not_equal,
    "logical_and": np.logical_and,
    "logical_or": np.logical_or,
}
SYNONYMS = {"sub": "subtract", "mul": "multiply", "div": "divide"}


def binary(name):
    """Arithmetic with a tensor or a number, activations before and after. Comparisons give 0 and 1."""
    function = BINARY[name]

    def value(a, b, *, activations=(), input_tensor_a_activations=(), input_tensor_b_activations=()):
        x, y = _array(a), _array(b)
        for activation in input_tensor_a_activations:
            x = activate(x, activation)
        for activation in input_tensor_b_activations:
            y = activate(y, activation)
        z = function(x, y if isinstance(y, np.ndarray) else x.dtype.type(y))
        if z.dtype == bool:
            z = z.astype(np.float32)
        for activation in activations:
            z = activate(z, activation)
        return z

    return value


def addcmul(a, b, c, *, value=1.0):
    return a.value + np.float32(value) * b.value * c.value


def mac(a, b, c):
    return _array(a) * _array(b) + _array(c)


def lerp(a, b, weight):
    return a.value + _array(weight) * (b.value - a.value)


def where(predicate, true_value, false_value):
    return np.where(predicate.value != 0, _array(true_value), _array(false_value)).astype(np.float32)


def clamp(x, min=None, max=None):
    return np.clip(x.value, min, max)
