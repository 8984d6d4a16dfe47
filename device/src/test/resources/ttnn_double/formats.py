"""Data formats: which numpy type holds a tensor's values, and how they are rounded to what the device stores."""

import numpy as np
import ttnn

_INTEGERS = {
    ttnn.uint32: np.uint32,
    ttnn.int32: np.int32,
    ttnn.uint16: np.uint16,
    ttnn.uint8: np.uint8,
}

_BLOCK_FLOATS = (ttnn.bfloat8_b, ttnn.bfloat4_b)

# Bytes of an element in memory; block floats share one exponent byte among 16 elements.
_BYTES = {
    ttnn.bfloat16: 2,
    ttnn.float32: 4,
    ttnn.bfloat8_b: 1 + 1 / 16,
    ttnn.bfloat4_b: 0.5 + 1 / 16,
    ttnn.uint32: 4,
    ttnn.int32: 4,
    ttnn.uint16: 2,
    ttnn.uint8: 1,
}


def numpy_type(dtype):
    """The numpy type that holds values of a TTNN data type: fp32 for every float."""
    return _INTEGERS.get(dtype, np.float32)


def is_integer(dtype):
    return dtype in _INTEGERS


def size_in_bytes(volume, dtype):
    return int(volume * _BYTES[dtype])


def round_to(dtype, array):
    """What is left of fp32 values in a data type. Integers and fp32 stay as they are."""
    if dtype == ttnn.bfloat16:
        return _to_bfloat16(array)
    if dtype in _BLOCK_FLOATS:
        return _to_block_float(dtype, array)
    return array


def _to_bfloat16(array):
    """Rounds to nearest, ties to even; infinities and NaN stay. The result is a new array."""
    result = np.array(array, dtype=np.float32, order="C")
    bits = result.view(np.uint32)
    last = (bits >> np.uint32(16)) & np.uint32(1)
    nan = np.isnan(result)
    bits += np.uint32(0x7FFF)
    bits += last
    bits &= np.uint32(0xFFFF0000)
    if nan.any():
        result[nan] = np.nan
    return result


def _to_block_float(dtype, array):
    """Rounds as TTNN does on the host, by asking it to; NaN, which has no block float, stays."""
    array = np.ascontiguousarray(array, dtype=np.float32)
    if array.size == 0:
        return array
    finite = np.isfinite(array)
    everywhere = finite.all()
    source = array if everywhere else np.where(finite, array, np.float32(0))
    rows = source.reshape(-1, array.shape[-1] if array.ndim else 1)
    packed = ttnn.Tensor(rows, dtype, None, ttnn.TILE_LAYOUT)
    result = ttnn.to_dtype(packed, ttnn.float32).to_numpy().reshape(array.shape)
    return np.array(result) if everywhere else np.where(finite, result, array)


def read(host):
    """The values of a host tensor of TTNN, as a numpy array of their own."""
    if is_integer(host.dtype) or host.dtype == ttnn.float32:
        return np.array(host.to_numpy())
    return np.array(ttnn.to_dtype(host, ttnn.float32).to_numpy())
