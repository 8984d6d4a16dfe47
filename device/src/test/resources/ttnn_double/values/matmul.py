"""Matrix products. What lies in the padding of the inner dimension counts where the kernels read it."""

import math

import numpy as np
import ttnn

from .elementwise import activate

# The kernels zero the padding of the first matrix's inner dimension in these types; block floats they
# read as they are, and the second matrix always (reader_bmm_tile_layout_in0*.cpp, pad_last_ktile).
_ZEROED = (ttnn.bfloat16, ttnn.float32)


def _oriented(operand, transposed, inner_axis, padded):
    """A matrix, its inner dimension padded on request; transposed if it is stored so."""
    axis = (-1 if inner_axis == -2 else -2) if transposed else inner_axis
    array = operand.value
    if padded and operand.is_padded:
        inside = [slice(0, n) for n in operand.shape]
        inside[axis] = slice(None)
        array = operand.padded[tuple(inside)]
    return np.swapaxes(array, -1, -2) if transposed else array


def product(a, b, transpose_a=False, transpose_b=False, zeroes=True):
    inner = _oriented(a, transpose_a, -1, False).shape[-1]
    if inner % 32 == 0 or (a.layout != ttnn.TILE_LAYOUT):
        return _oriented(a, transpose_a, -1, False) @ _oriented(b, transpose_b, -2, False)
    x = _oriented(a, transpose_a, -1, True)
    y = _oriented(b, transpose_b, -2, True)
    if zeroes and a.dtype in _ZEROED:
        x = x.copy()
        x[..., inner:] = 0
    return x @ y


def _with_bias(x, bias):
    if bias is None:
        return x
    value = bias.value
    return x + (value.reshape(-1) if value.size == x.shape[-1] else value)


def matmul(input_tensor_a, input_tensor_b, *, transpose_a=False, transpose_b=False, activation=None):
    return activate(product(input_tensor_a, input_tensor_b, transpose_a, transpose_b), activation)


def linear(
    input_tensor_a, input_tensor_b, *, bias=None, transpose_a=False, transpose_b=False, activation=None
):
    x = product(input_tensor_a, input_tensor_b, transpose_a, transpose_b)
    return activate(_with_bias(x, bias), activation)


def minimal_matmul(
    input_tensor, weight_tensor, *, bias_tensor=None, fused_activation=None, fuse_swiglu=False
):
    if fuse_swiglu:
        raise NotImplementedError("ttnn_double has no minimal_matmul(fuse_swiglu=True)")
    x = product(input_tensor, weight_tensor, zeroes=False)
    return activate(_with_bias(x, bias_tensor), fused_activation)


def minimal_matmul_split(
    input_tensor, weight_tensor, *, chunks=3, dim=-1, bias_tensor=None, fused_activation=None
):
    x = minimal_matmul(
        input_tensor, weight_tensor, bias_tensor=bias_tensor, fused_activation=fused_activation
    )
    return np.split(x, chunks, axis=dim)


def matmul_addcmul(matmul_input_tensor, matmul_weight_tensor, scalar, addend, factor, bias_tensor=None):
    """``addend + scalar · (x·W + bias) · factor``."""
    x = _with_bias(product(matmul_input_tensor, matmul_weight_tensor, zeroes=False), bias_tensor)
    return addend.value + np.float32(scalar) * x * factor.value


def flops(a, b, *rest, transpose_a=False, transpose_b=False, **others):
    """Of the padded matrices, as the device multiplies them."""
    m, k = a.padded_shape[-2:][::-1] if transpose_a else a.padded_shape[-2:]
    n = b.padded_shape[-2 if transpose_b else -1]
    batch = max(math.prod(a.padded_shape[:-2]), math.prod(b.padded_shape[:-2]))
    return 2 * batch * m * k * n


def flops_of_keywords(*args, **kwargs):
    """For calls that name their matrices."""
    names = (
        ("input_tensor_a", "input_tensor_b"),
        ("input_tensor", "weight_tensor"),
        ("matmul_input_tensor", "matmul_weight_tensor"),
    )
    for first, second in names:
        if first in kwargs and second in kwargs:
            return flops(kwargs.pop(first), kwargs.pop(second), *args, **kwargs)
        if second in kwargs and args:
            return flops(args[0], kwargs.pop(second), *args[1:], **kwargs)
    return flops(*args, **kwargs)
