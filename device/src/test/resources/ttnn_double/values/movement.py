"""Data movement: the same numbers in another shape, order or place."""

import numpy as np

from ..operation import Part


def same(x, *args, **kwargs):
    """Another layout, memory or data type."""
    return x.value


def to_layout(tensor, layout, dtype=None, memory_config=None, sub_core_grids=None, pad_value=0.0):
    if pad_value:
        raise NotImplementedError("ttnn_double has no to_layout(pad_value)")
    return tensor.value


def reshape(input_tensor, shape, padded_shape=None, *, pad_value=None):
    return input_tensor.value.reshape([int(n) for n in shape])


def unsqueeze(input_tensor, dim):
    return np.expand_dims(input_tensor.value, dim)


def squeeze(input_tensor, dim=None):
    axes = tuple(dim) if isinstance(dim, (list, tuple)) else dim
    return np.squeeze(input_tensor.value, axes)


def unsqueeze_to_4d(input_tensor):
    x = input_tensor.value
    return x.reshape((1,) * (4 - x.ndim) + x.shape)


def permute(input_tensor, dims, pad_value=0.0):
    return np.transpose(input_tensor.value, [int(n) for n in dims])


def transpose(input_tensor, dim1, dim2, pad_value=0.0):
    return np.swapaxes(input_tensor.value, dim1, dim2)


def concat(tensors, dim=0, *, groups=1):
    if groups != 1:
        raise NotImplementedError("ttnn_double has no concat(groups)")
    return np.concatenate([t.value for t in tensors], axis=dim)


def slice_(
    input_tensor,
    starts=None,
    ends=None,
    steps=None,
    *,
    slice_start=None,
    slice_end=None,
    slice_step=None,
    pad_value=None,
):
    starts = slice_start if starts is None else starts
    ends = slice_end if ends is None else ends
    steps = slice_step if steps is None else steps
    steps = [1] * len(starts) if steps is None else steps
    return input_tensor.value[tuple(slice(int(a), int(b), int(c)) for a, b, c in zip(starts, ends, steps))]


def slice_write(input_tensor, output_tensor, start, end, step):
    index = tuple(slice(int(a), int(b), int(c)) for a, b, c in zip(start, end, step))
    return Part(index, input_tensor.value)


def split(input_tensor, split_size, dim=0):
    x = input_tensor.value
    if isinstance(split_size, int):
        at = list(range(split_size, x.shape[dim], split_size))
    else:
        at = list(np.cumsum(split_size))[:-1]
    return np.split(x, at, axis=dim)


def chunk(input_tensor, chunks, dim):
    x = input_tensor.value
    return split(input_tensor, -(-x.shape[dim] // chunks), dim)


def pad(input_tensor, padding, *args, value=None, **named):
    """``pad(x, [(before, after), …], value)`` or ``pad(x, shape, start, value)``."""
    x = input_tensor.value
    pairs = padding
    if not isinstance(padding[0], (list, tuple)):
        starts = args[0] if args else named["input_tensor_start"]
        args = args[1:]
        pairs = [(int(s), int(n) - int(s) - have) for n, s, have in zip(padding, starts, x.shape)]
    value = args[0] if args else value
    pairs = [(0, 0)] * (x.ndim - len(pairs)) + [tuple(int(n) for n in pair) for pair in pairs]
    return np.pad(x, pairs, constant_values=value)


def repeat(input_tensor, repeat_dims):
    return np.tile(input_tensor.value, [int(n) for n in repeat_dims])


def repeat_interleave(input_tensor, repeats, dim):
    return np.repeat(input_tensor.value, repeats, axis=dim)


def embedding(input_tensor, weight, *, padding_idx=None, layout=None, embeddings_type=None):
    table = weight.value.reshape(-1, weight.shape[-1])
    ids = input_tensor.value.astype(np.int64).reshape(input_tensor.shape[0], -1)
    if ids.size and (ids.min() < 0 or ids.max() >= len(table)):
        raise RuntimeError(f"ttnn_double: embedding looks up {ids.max()} in a table of {len(table)} rows")
    return table[ids]


def fold(
    input,
    stride_h,
    stride_w,
    use_transpose_as_fold=False,
    output_shape=None,
    padding=(0, 0),
    collapse_output=False,
):
    """[N, H, W, C] to [1, 1, N · H/h · W/w, C · h · w]: row, column, channel inside a patch."""
    if any(padding) or use_transpose_as_fold or output_shape is not None:
        raise NotImplementedError("ttnn_double has fold with strides alone")
    n, height, width, channels = input.shape
    x = input.value.reshape(n, height // stride_h, stride_h, width // stride_w, stride_w, channels)
    x = x.transpose(0, 1, 3, 2, 4, 5)
    columns = stride_h * stride_w * channels
    if collapse_output:
        return x.reshape(1, 1, -1, columns)
    return x.reshape(n, height // stride_h, width // stride_w, columns)


def fill_cache(cache_tensor, input_tensor, batch_idx, *, update_idx=0):
    """Whole tiles of the input replace rows of one batch entry of the cache."""
    rows = input_tensor.padded[0][:, :, : cache_tensor.shape[-1]]
    part = (
        batch_idx,
        slice(0, rows.shape[0]),
        slice(update_idx, update_idx + rows.shape[1]),
        slice(0, rows.shape[2]),
    )
    return Part(part, rows)
