"""Compares every operation of ttnn_double with TTNN's own definition of it.

    python check_goldens.py [--write]

TTNN defines operations in torch (``ttnn.get_golden_function``); where it does not, a formula in
torch stands in, and the record says so. The double computes unrounded, so what differs is fp32's
rounding. With --write the record goldens-<version>.json beside this file is renewed; without it,
the run fails when the record names other operations or lower errors than are found.

Needs torch beside ttnn, and a mock device (TT_METAL_MOCK_CLUSTER_DESC_PATH).
"""

import argparse
import datetime
import importlib.metadata
import json
import math
import pathlib
import sys

import numpy as np
import torch
import ttnn

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "resources"))

import ttnn_double.unrounded as double  # noqa: E402
from ttnn_double.values import DEFINITIONS  # noqa: E402

#: No operation may differ more, as a share of the largest magnitude of its result.
TOLERANCE = 2e-6

random = np.random.default_rng(20260101)


def normal(*shape):
    return random.standard_normal(shape).astype(np.float32)


class Check:
    """One operation over one set of arguments."""

    def __init__(self, name, args, kwargs=None, *, golden=None, origin=None, layout=None):
        self.name = name
        self.args = args
        self.kwargs = kwargs or {}
        self.golden = golden
        self.origin = origin or f"ttnn.get_golden_function({name})"
        self.layout = layout or ttnn.TILE_LAYOUT

    def error(self, device):
        """The largest difference, as a share of the golden's largest magnitude."""
        wanted = _list(self._golden())
        found = _list(self._double(device))
        assert len(wanted) == len(found), f"{self.name}: {len(found)} results, {len(wanted)} wanted"
        return max(_difference(self.name, a, b) for a, b in zip(found, wanted))

    def _golden(self):
        function = self.golden or ttnn.get_golden_function(_named(ttnn, self.name))
        return function(
            *[_map(a, _torch) for a in self.args], **{k: _map(v, _torch) for k, v in self.kwargs.items()}
        )

    def _double(self, device):
        def tensor(array):
            if array.dtype == np.uint32:
                return double.Tensor(array, ttnn.uint32, device, ttnn.ROW_MAJOR_LAYOUT)
            return double.Tensor(array, ttnn.bfloat16, device, self.layout)

        operation = _named(double, self.name)
        args = [_map(a, tensor) for a in self.args]
        result = operation(*args, **{k: _map(v, tensor) for k, v in self.kwargs.items()})
        return _map(result, lambda t: _numpy(t))


def _named(module, name):
    for part in name.split("."):
        module = getattr(module, part)
    return module


def _list(x):
    return list(x) if isinstance(x, (list, tuple)) else [x]


def _map(x, function):
    if isinstance(x, (np.ndarray, double.Tensor)):
        return function(x)
    if isinstance(x, (list, tuple)):
        return type(x)(_map(item, function) for item in x)
    return x


def _torch(array):
    return torch.from_numpy(array.astype(np.int64) if array.dtype == np.uint32 else array.copy())


def _numpy(tensor):
    return double.to_dtype(tensor.cpu(), ttnn.float32).to_numpy()


def _difference(name, found, wanted):
    wanted = wanted.detach().to(torch.float32).numpy()
    assert np.isfinite(found).all() and np.isfinite(wanted).all(), f"{name}: not finite"
    assert found.size == wanted.size, f"{name}: {found.shape}, wanted {wanted.shape}"
    assert [n for n in found.shape if n > 1] == [
        n for n in wanted.shape if n > 1
    ], f"{name}: {found.shape}, wanted {wanted.shape}"
    return float(np.abs(found.reshape(wanted.shape) - wanted).max() / max(1.0, np.abs(wanted).max()))


# Formulas where TTNN defines nothing ---------------------------------------------------------------


def _heads(x, heads):
    return x.reshape(x.shape[0], x.shape[-2], heads, -1).transpose(1, 2)


def _create_qkv_heads(x, *, num_heads, num_kv_heads, transpose_k_heads, kv_tied=False):
    if kv_tied:
        x = torch.cat((x, x[..., num_heads * (x.shape[-1] // (num_heads + num_kv_heads)) :]), dim=-1)
    width = x.shape[-1] // (num_heads + 2 * num_kv_heads)
    q, k, v = torch.split(x, [n * width for n in (num_heads, num_kv_heads, num_kv_heads)], dim=-1)
    k = _heads(k, num_kv_heads)
    return _heads(q, num_heads), k.transpose(-1, -2) if transpose_k_heads else k, _heads(v, num_kv_heads)


def _joined(x):
    return x.transpose(1, 2).reshape(x.shape[0], 1, x.shape[2], -1)


def _rotate(x, cos, sin):
    """As transformers' apply_rotary_pos_emb."""
    a, b = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-b, a), dim=-1) * sin


def _rotate_pairs(x, cos, sin, matrix):
    even, odd = x[..., 0::2], x[..., 1::2]
    turned = torch.stack((-odd, even), dim=-1).reshape(x.shape)
    return x * cos + turned * sin


def _linear(x, w, *, bias_tensor=None, fused_activation=None):
    y = x @ w
    y = y if bias_tensor is None else y + bias_tensor
    return y if fused_activation is None else torch.nn.functional.gelu(y, approximate="tanh")


def _pairs(width):
    """Turns (x0, x1) into (−x1, x0) for each pair of 32 columns."""
    matrix = np.zeros((1, 1, 32, 32), np.float32)
    for i in range(0, 32, 2):
        matrix[0, 0, i + 1, i] = -1
        matrix[0, 0, i, i + 1] = 1
    return matrix


def _rms_norm(x, *, weight, epsilon, activation=None):
    y = torch.nn.functional.rms_norm(x, (x.shape[-1],), weight.reshape(-1), epsilon)
    return y if activation is None else torch.nn.functional.silu(y)


GELU_TANH = ttnn.UnaryWithParam(ttnn.UnaryOpType.GELU_TANH)
TORCH = "a formula in torch"


def checks():
    gelu_tanh = lambda x: torch.nn.functional.gelu(x, approximate="tanh")
    x, y = normal(1, 2, 51, 72), normal(1, 2, 51, 72)
    yield Check("matmul", [normal(1, 2, 51, 72), normal(1, 2, 72, 40)])
    yield Check("matmul", [normal(1, 2, 51, 72), normal(1, 2, 40, 72)], {"transpose_b": True})
    yield Check("matmul", [normal(1, 2, 72, 51), normal(1, 2, 72, 40)], {"transpose_a": True})
    yield Check("linear", [normal(1, 1, 51, 72), normal(72, 40)], {"bias": normal(1, 40)})
    yield Check("linear", [normal(1, 3, 33, 588), normal(588, 1)])
    for activation in ("gelu", "silu", "relu"):
        yield Check(
            "linear",
            [normal(1, 1, 51, 72), normal(72, 40)],
            {"bias": normal(1, 40), "activation": activation},
        )
    yield Check(
        "linear",
        [normal(1, 1, 51, 72), normal(72, 40)],
        {"bias": normal(1, 40), "activation": "gelu_tanh"},
        golden=lambda a, b, bias, activation: gelu_tanh(a @ b + bias),
        origin=TORCH,
    )
    minimal = {"bias_tensor": normal(1, 64), "fused_activation": GELU_TANH}
    yield Check(
        "experimental.minimal_matmul",
        [normal(1, 1, 51, 64), normal(64, 64)],
        minimal,
        golden=_linear,
        origin=TORCH,
    )
    yield Check(
        "experimental.minimal_matmul_split",
        [normal(1, 1, 64, 64), normal(64, 96)],
        {"chunks": 3, "dim": -1},
        golden=lambda a, b, chunks, dim: torch.chunk(a @ b, chunks, dim),
        origin=TORCH,
    )
    yield Check(
        "experimental.dit_minimal_matmul_addcmul_fused",
        [normal(1, 1, 64, 64), normal(64, 96), 0.5, normal(1, 1, 64, 96), normal(1, 1, 1, 96)],
        {"bias_tensor": normal(1, 96)},
        golden=lambda a, w, s, c, d, bias_tensor: c + s * (a @ w + bias_tensor) * d,
        origin=TORCH,
    )
    affine = {"weight": normal(1, 72), "bias": normal(1, 72), "epsilon": 1e-6}
    yield Check("layer_norm", [x], affine)
    yield Check("layer_norm", [x], affine | {"residual_input_tensor": y})
    yield Check("rms_norm", [x], {"weight": normal(1, 72), "epsilon": 1e-6})
    yield Check("rms_norm", [x], {"weight": normal(1, 72), "epsilon": 1e-6, "residual_input_tensor": y})
    yield Check("rms_norm", [x], {"epsilon": 1e-6})
    yield Check(
        "experimental.dit_rms_norm_unary_fused",
        [normal(1, 1, 64, 96)],
        {"weight": normal(1, 96), "epsilon": 1e-6, "activation": "silu"},
        golden=_rms_norm,
        origin=TORCH,
    )
    yield Check("softmax", [x], {"dim": -1})
    yield Check("softmax_in_place", [x])
    yield Check("sum", [x], {"dim": -1, "keepdim": True})
    yield Check("mean", [x], {"dim": -1, "keepdim": True})
    yield Check("max", [x], {"dim": -1, "keepdim": True})

    q, k, v = normal(2, 8, 51, 64), normal(2, 1, 96, 64), normal(2, 1, 96, 64)
    sdpa = "transformer.scaled_dot_product_attention"
    mask = np.where(random.random((2, 1, 51, 96)) < 0.3, np.float32(-1e4), np.float32(0))
    yield Check(sdpa, [q, k, v], {"is_causal": False, "scale": 0.1})
    yield Check(sdpa, [q, k, v], {"is_causal": False, "attn_mask": mask, "scale": 1.0})
    yield Check(sdpa, [q, k, v], {"is_causal": False, "attn_mask": mask[:1]})
    yield Check(
        sdpa,
        [q, k, v],
        {"is_causal": False, "attn_mask": mask, "output_concat_heads": True},
        golden=lambda *args, output_concat_heads, **options: _joined(
            ttnn.get_golden_function(ttnn.transformer.scaled_dot_product_attention)(*args, **options)
        ),
        origin="ttnn.get_golden_function(transformer.scaled_dot_product_attention), then its heads joined",
    )
    yield Check(sdpa, [normal(1, 2, 40, 64), normal(1, 2, 40, 64), normal(1, 2, 40, 64)])
    yield Check(
        sdpa, [normal(1, 4, 40, 32), normal(1, 2, 77, 32), normal(1, 2, 77, 32)], {"is_causal": False}
    )

    packed = {"num_heads": 4, "num_kv_heads": 2, "transpose_k_heads": False}
    heads = "experimental.nlp_create_qkv_heads"
    yield Check(heads, [normal(2, 1, 51, 8 * 32)], packed, golden=_create_qkv_heads, origin=TORCH)
    tied = packed | {"num_kv_heads": 1, "kv_tied": True}
    yield Check(heads, [normal(1, 1, 64, 5 * 32)], tied, golden=_create_qkv_heads, origin=TORCH)
    turned = packed | {"transpose_k_heads": True}
    yield Check(heads, [normal(1, 1, 64, 8 * 64)], turned, golden=_create_qkv_heads, origin=TORCH)
    yield Check(
        "transformer.split_query_key_value_and_split_heads", [normal(2, 64, 3 * 128)], {"num_heads": 4}
    )
    yield Check(
        "experimental.nlp_concat_heads",
        [normal(2, 4, 51, 64)],
        golden=lambda t: ttnn.get_golden_function(ttnn.transformer.concatenate_heads)(t).unsqueeze(1),
        origin="ttnn.get_golden_function(transformer.concatenate_heads)",
    )
    yield Check("transformer.concatenate_heads", [normal(2, 4, 64, 32)])
    cos, sin = normal(1, 1, 64, 64), normal(1, 1, 64, 64)
    yield Check(
        "experimental.rotary_embedding", [normal(1, 8, 64, 64), cos, sin], golden=_rotate, origin=TORCH
    )
    yield Check(
        "experimental.rotary_embedding_hf", [normal(1, 8, 64, 64), cos, sin], golden=_rotate, origin=TORCH
    )
    rotary = [normal(1, 8, 64, 64), cos, sin, _pairs(64)]
    yield Check("experimental.rotary_embedding_llama", rotary, golden=_rotate_pairs, origin=TORCH)

    yield Check("gelu", [x])
    yield Check(
        "gelu", [x], {"variant": ttnn.GeluVariant.Tanh}, golden=lambda t, variant: gelu_tanh(t), origin=TORCH
    )
    yield Check("geglu", [normal(1, 1, 64, 128)])
    yield Check("clamp", [x], {"min": -0.5, "max": 0.25})
    positive = np.abs(x) + np.float32(0.1)
    for name in (
        "relu",
        "silu",
        "swish",
        "sigmoid",
        "tanh",
        "exp",
        "square",
        "neg",
        "abs",
        "sin",
        "cos",
        "erf",
    ):
        yield Check(name, [x])
    for name in ("gez", "gtz", "lez", "ltz", "eqz", "nez"):
        yield Check(name, [x])
    for name in ("sqrt", "rsqrt", "reciprocal", "log"):
        yield Check(name, [positive])
    yield Check("identity", [x], golden=lambda t: t, origin=TORCH)
    row, column = normal(1, 1, 1, 72), normal(1, 2, 51, 1)
    for name in ("add", "subtract", "multiply", "rsub", "maximum", "minimum", "squared_difference"):
        yield Check(name, [x, y])
        yield Check(name, [x, 0.75])
    for name in ("add", "subtract", "multiply"):
        yield Check(name, [x, row])
        yield Check(name, [x, column])
        yield Check(name + "_", [x, y])
    for name in ("sub", "mul"):
        yield Check(name, [x, y])
        yield Check(name + "_", [x, y])
    for name in ("divide", "div"):
        yield Check(name, [x, positive])
        yield Check(name + "_", [x, positive])
    yield Check("pow", [positive, 3.0])
    for name in ("lt", "le", "gt", "ge", "eq", "ne"):
        yield Check(name, [x, y])
    signs = np.sign(x) * (np.abs(x) > 0.5)
    yield Check("logical_and", [signs, y])
    yield Check("logical_or", [signs, y])
    yield Check(
        "multiply",
        [x, y],
        {"input_tensor_a_activations": [GELU_TANH]},
        golden=lambda a, b, input_tensor_a_activations: gelu_tanh(a) * b,
        origin=TORCH,
    )
    scaled = [ttnn.UnaryWithParam(ttnn.UnaryOpType.MUL_UNARY_SFPU, -0.1)]
    yield Check(
        "add",
        [x, y],
        {"input_tensor_b_activations": scaled},
        golden=lambda a, b, input_tensor_b_activations: a - 0.1 * b,
        origin=TORCH,
    )
    yield Check("addcmul", [x, y, normal(1, 2, 51, 72)], {"value": -0.1})
    yield Check("mac", [x, y, normal(1, 2, 51, 72)])
    yield Check("lerp", [x, y, 0.25])
    yield Check("where", [signs, x, y])

    yield Check("reshape", [x, (1, 1, 102, 72)])
    yield Check("reshape", [x, (1, 51, 2, 72)])
    yield Check("view", [normal(1, 2, 64, 32), (1, 1, 128, 32)])
    yield Check("unsqueeze", [normal(2, 51, 72), 0])
    yield Check("squeeze", [normal(1, 2, 51, 72), 0])
    yield Check("unsqueeze_to_4D", [normal(51, 72)], golden=lambda t: t[None, None], origin=TORCH)
    yield Check("permute", [x, (0, 2, 1, 3)])
    yield Check("permute", [x, (0, 1, 3, 2)])
    patches = [normal(2, 3, 2, 14, 3, 14), (0, 2, 4, 1, 3, 5)]
    yield Check("permute", patches, layout=ttnn.ROW_MAJOR_LAYOUT)
    yield Check("transpose", [x, -2, -1])
    yield Check("transpose", [normal(4, 1, 64, 72), 0, 1])
    yield Check("concat", [[x, normal(1, 2, 13, 72)]], {"dim": 2})
    yield Check("concat", [[x, normal(1, 2, 51, 24)]], {"dim": -1})
    yield Check(
        "concat", [[normal(1, 1, 3, 40), normal(1, 1, 5, 40)]], {"dim": 2}, layout=ttnn.ROW_MAJOR_LAYOUT
    )
    yield Check("slice", [normal(1, 1, 7, 40), [0, 0, 2, 0], [1, 1, 5, 40]], layout=ttnn.ROW_MAJOR_LAYOUT)
    yield Check("slice", [x, [0, 1, 3, 8], [1, 2, 40, 72]])
    yield Check("slice", [x, [0, 0, 0, 0], [1, 2, 51, 72], [1, 1, 2, 1]])
    yield Check("split", [normal(1, 2, 64, 96), 32, 3])
    yield Check("chunk", [normal(1, 2, 64, 96), 3, 3])
    yield Check("pad", [normal(1, 2, 64, 64), [(0, 0), (0, 0), (0, 32), (0, 0)], 2.0])
    yield Check(
        "pad", [normal(1, 1, 8, 588), [(0, 0), (0, 0), (0, 0), (0, 20)], 0.0], layout=ttnn.ROW_MAJOR_LAYOUT
    )
    yield Check("repeat", [x, (2, 1, 1, 1)])
    yield Check("repeat_interleave", [x, 4, 1])
    ids = random.integers(0, 100, (2, 13)).astype(np.uint32)
    yield Check("embedding", [ids, normal(100, 64)], layout=ttnn.ROW_MAJOR_LAYOUT)
    table = [ids[:1], normal(1, 1, 100, 64)]
    yield Check(
        "embedding", table, golden=lambda i, w: w[0, 0][i], origin=TORCH, layout=ttnn.ROW_MAJOR_LAYOUT
    )
    yield Check("fold", [normal(2, 28, 42, 3), 14, 14], layout=ttnn.ROW_MAJOR_LAYOUT)
    yield Check("fill_cache", [normal(2, 1, 128, 64), normal(1, 1, 64, 64), 1])
    yield Check(
        "fill_cache",
        [normal(2, 1, 128, 64), normal(1, 1, 64, 64), 1],
        {"update_idx": 32},
        golden=_filled,
        origin=TORCH,
    )
    yield Check(
        "experimental.slice_write",
        [normal(1, 1, 2, 64), normal(1, 1, 8, 64), [0, 0, 3, 0], [1, 1, 5, 64], [1, 1, 1, 1]],
        layout=ttnn.ROW_MAJOR_LAYOUT,
    )
    yield Check("clone", [x])
    yield Check("typecast", [x, ttnn.float32], golden=lambda t, dtype: t, origin=TORCH)
    yield Check("copy", [x, y], golden=lambda a, b: a, origin=TORCH)
    yield Check("assign", [x, y], golden=lambda a, b: a, origin=TORCH)
    yield Check("to_layout", [x, ttnn.ROW_MAJOR_LAYOUT], golden=lambda t, layout: t, origin=TORCH)
    yield Check("untilize", [normal(1, 2, 64, 96)], golden=lambda t: t, origin=TORCH)
    yield Check(
        "tilize", [normal(1, 2, 64, 96)], golden=lambda t: t, origin=TORCH, layout=ttnn.ROW_MAJOR_LAYOUT
    )
    yield Check(
        "tilize_with_zero_padding",
        [normal(1, 2, 51, 72)],
        golden=lambda t: t,
        origin=TORCH,
        layout=ttnn.ROW_MAJOR_LAYOUT,
    )
    yield Check("to_memory_config", [x, ttnn.L1_MEMORY_CONFIG], golden=lambda t, config: t, origin=TORCH)


def _filled(cache, rows, batch, *, update_idx):
    cache[batch, :, update_idx : update_idx + rows.shape[-2]] = rows[0]
    return cache


def measured(device):
    """The largest error of each operation, and what defined it."""
    record = {}
    for check in checks():
        try:
            error = check.error(device)
        except Exception as e:
            raise RuntimeError(
                f"{check.name} over {[getattr(a, 'shape', a) for a in check.args]} {list(check.kwargs)}: {e}"
            ) from e
        entry = record.setdefault(check.name, {"definitions": [], "cases": 0, "error": 0.0})
        entry["cases"] += 1
        entry["error"] = max(entry["error"], float(f"{error:.1e}"))
        if check.origin not in entry["definitions"]:
            entry["definitions"].append(check.origin)
    return dict(sorted(record.items()))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true", help="renew the record")
    write = parser.parse_args().write
    device = double.open_mesh_device(
        ttnn.MeshShape(1, 1), dispatch_core_config=ttnn.DispatchCoreConfig(ttnn.DispatchCoreType.WORKER)
    )
    try:
        found = measured(device)
    finally:
        double.close_mesh_device(device)
    failures = [f"{name}: {entry['error']}" for name, entry in found.items() if entry["error"] > TOLERANCE]
    failures += [f"{name}: not compared" for name in sorted(DEFINITIONS.keys() - found.keys())]
    version = importlib.metadata.version("ttnn")
    path = HERE / f"goldens-{version}.json"
    if write:
        record = {
            "ttnn": version,
            "torch": torch.__version__,
            "numpy": np.__version__,
            "date": datetime.date.today().isoformat(),
            "error": "largest difference as a share of the largest magnitude, at least 1; unrounded",
            "operations": found,
        }
        path.write_text(json.dumps(record, indent=1) + "\n")
    elif json.loads(path.read_text())["operations"].keys() != found.keys():
        failures.append(f"{path.name} names other operations: renew it with --write")
    for name, entry in found.items():
        print(f"{entry['error']:8.1e}  {entry['cases']:2}  {name}  ({', '.join(entry['definitions'])})")
    print("\n".join(failures) or f"{len(found)} operations agree within {TOLERANCE}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
