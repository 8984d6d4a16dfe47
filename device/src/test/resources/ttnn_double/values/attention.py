"""Attention, heads and rotary embeddings."""

import math

import numpy as np

from .normalization import softmax_of


def scaled_dot_product_attention(
    input_tensor_q,
    input_tensor_k,
    input_tensor_v,
    *,
    attn_mask=None,
    is_causal=True,
    scale=None,
    output_concat_heads=False,
):
    """Keys, values and mask are read with their padding: the kernel masks padded keys only without a mask."""
    q = input_tensor_q.value
    scale = 1 / math.sqrt(q.shape[-1]) if scale is None else scale
    width = q.shape[-1]
    k = input_tensor_k.padded[: input_tensor_k.shape[0], : input_tensor_k.shape[1], :, :width]
    v = input_tensor_v.padded[
        : input_tensor_v.shape[0], : input_tensor_v.shape[1], :, : input_tensor_v.shape[-1]
    ]
    keys = input_tensor_k.shape[-2]
    groups = q.shape[1] // k.shape[1]
    k, v = np.repeat(k, groups, axis=1), np.repeat(v, groups, axis=1)
    scores = np.float32(scale) * (q @ np.swapaxes(k, -1, -2))
    if attn_mask is not None:
        rows = [slice(0, n) for n in attn_mask.shape[:-1]]
        scores = scores + attn_mask.padded[(*rows, slice(0, scores.shape[-1]))]
    else:
        scores[..., keys:] = -np.inf
        if is_causal:
            later = np.triu(np.ones((q.shape[-2], keys), dtype=bool), k=1)
            scores[..., :keys][..., later] = -np.inf
    result = softmax_of(scores) @ v
    if output_concat_heads:
        return nlp_concat(result)
    return result


def attention_flops(q, k=None, v=None, *, input_tensor_k=None, input_tensor_v=None, **others):
    k, v = k or input_tensor_k, v or input_tensor_v
    b, heads, rows, width = q.padded_shape
    return 2 * b * heads * rows * k.padded_shape[-2] * (width + v.padded_shape[-1])


def nlp_concat(x):
    b, heads, rows, width = x.shape
    return np.swapaxes(x, 1, 2).reshape(b, 1, rows, heads * width)


def _whole_tiles(name, width):
    """The kernels cut and join heads in whole tiles, whatever TTNN says of the shape."""
    if width % 32 != 0:
        raise RuntimeError(f"ttnn_double: {name} of {width} columns a head mixes the heads on a device")


def nlp_concat_heads(input_tensor):
    _whole_tiles("nlp_concat_heads", input_tensor.shape[-1])
    return nlp_concat(input_tensor.value)


def concatenate_heads(input_tensor):
    _whole_tiles("concatenate_heads", input_tensor.shape[-1])
    x = nlp_concat(input_tensor.value)
    return x.reshape(x.shape[0], *x.shape[2:])


def _split(x, heads):
    """[…, rows, heads · width] to [batch, heads, rows, width]."""
    rows = x.shape[-2]
    return np.swapaxes(x.reshape(x.shape[0], rows, heads, -1), 1, 2)


def nlp_create_qkv_heads(
    input, input_kv=None, *, num_heads, num_kv_heads=None, transpose_k_heads=True, kv_tied=False
):
    """Queries, then keys, then values, head after head in the columns of each.

    Tied, the values are the keys' columns once more.
    """
    kv_heads = num_heads if num_kv_heads is None else num_kv_heads
    x = input.value
    sections = 1 if kv_tied else 2
    if input_kv is None:
        width = x.shape[-1] // (num_heads + sections * kv_heads)
        _whole_tiles("nlp_create_qkv_heads", width)
        queries, rest = x[..., : num_heads * width], x[..., num_heads * width :]
    else:
        queries, rest = x, input_kv.value
    keys, values = (rest, rest) if kv_tied else np.split(rest, 2, axis=-1)
    k = _split(keys, kv_heads)
    return (
        _split(queries, num_heads),
        np.swapaxes(k, -1, -2) if transpose_k_heads else k,
        _split(values, kv_heads),
    )


def split_query_key_value_and_split_heads(
    input_tensor, kv_input_tensor=None, *, num_heads, num_kv_heads=None, transpose_key=True
):
    return nlp_create_qkv_heads(
        input_tensor,
        kv_input_tensor,
        num_heads=num_heads,
        num_kv_heads=num_kv_heads,
        transpose_k_heads=transpose_key,
    )


def rotate_half(x):
    first, second = np.split(x, 2, axis=-1)
    return np.concatenate([-second, first], axis=-1)


def rotary_embedding(input_tensor, cos_cache, sin_cache, token_index=None):
    """Half rotation of whole tiles: as many rows come out as are stored."""
    if token_index is not None:
        raise NotImplementedError("ttnn_double has no rotary_embedding(token_index)")
    x = input_tensor.padded[..., : input_tensor.shape[-1]]
    rows, width = x.shape[-2:]
    cos, sin = (c.padded[..., :rows, :width] for c in (cos_cache, sin_cache))
    return x * cos + rotate_half(x) * sin


def rotary_embedding_hf(input_tensor, cos_cache, sin_cache, *, is_decode_mode=False):
    if is_decode_mode:
        raise NotImplementedError("ttnn_double has no rotary_embedding_hf(is_decode_mode=True)")
    _whole_tiles("rotary_embedding_hf", input_tensor.shape[-1])
    x = input_tensor.value
    rows = x.shape[-2]
    cos, sin = (c.value[..., :rows, :] for c in (cos_cache, sin_cache))
    return x * cos + rotate_half(x) * sin


def rotary_embedding_llama(input_tensor, cos_cache, sin_cache, trans_mat, *, is_decode_mode=False):
    """Pairs are rotated tile by tile: what is multiplied by the sine is ``x`` times the 32 × 32 matrix."""
    if is_decode_mode:
        raise NotImplementedError("ttnn_double has no rotary_embedding_llama(is_decode_mode=True)")
    x = input_tensor.value
    rows = x.shape[-2]
    matrix = trans_mat.value.reshape(-1, 32, 32)[0]
    turned = (x.reshape(*x.shape[:-1], -1, 32) @ matrix).reshape(x.shape)
    cos, sin = (c.value[..., :rows, :] for c in (cos_cache, sin_cache))
    return x * cos + turned * sin
