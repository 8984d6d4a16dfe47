"""Norms and softmax, in fp32; padding columns are masked by the kernels."""

import numpy as np

from .elementwise import activate


def _affine(x, weight, bias):
    if weight is not None:
        x = x * weight.value.reshape(-1)
    if bias is not None:
        x = x + bias.value.reshape(-1)
    return x


def _input(x, residual):
    return x.value if residual is None else x.value + residual.value


def layer_norm(input_tensor, *, epsilon=1e-12, weight=None, bias=None, residual_input_tensor=None):
    x = _input(input_tensor, residual_input_tensor)
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = np.square(centred).mean(axis=-1, keepdims=True)
    return _affine(centred / np.sqrt(variance + np.float32(epsilon)), weight, bias)


def rms_norm(input_tensor, *, epsilon=1e-12, weight=None, bias=None, residual_input_tensor=None):
    x = _input(input_tensor, residual_input_tensor)
    square = np.square(x).mean(axis=-1, keepdims=True)
    return _affine(x / np.sqrt(square + np.float32(epsilon)), weight, bias)


def rms_norm_unary(
    input_tensor, epsilon=1e-5, weight=None, bias=None, residual_input_tensor=None, *, activation=None
):
    x = rms_norm(
        input_tensor, epsilon=epsilon, weight=weight, bias=bias, residual_input_tensor=residual_input_tensor
    )
    return activate(x, activation)


def softmax_of(x, axis=-1):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def softmax(input_tensor, dim=-1):
    return softmax_of(input_tensor.value, dim)


def reduction(function):
    def value(input_tensor, dim=None, keepdim=False, *, scalar=1.0):
        axes = tuple(dim) if isinstance(dim, (list, tuple)) else dim
        return np.float32(scalar) * function(input_tensor.value, axis=axes, keepdims=keepdim)

    return value
