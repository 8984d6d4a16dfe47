"""Values of TTNN's operations, by the name under which TTNN has them."""

from . import attention, elementwise, matmul, movement, normalization


class Definition:
    """How a value is computed, and what TTNN leaves in the padding of its tiles."""

    def __init__(self, values, *, in_place=False, zero_filling=False, flops=None):
        self.values = values
        self.in_place = in_place
        self.zero_filling = zero_filling
        self.flops = flops


def _moves(*args, **kwargs):
    return 0


def _definitions():
    product = {"flops": matmul.flops_of_keywords}
    heads = {"flops": _moves}
    filled = {"flops": _moves, "zero_filling": True}
    moved = {"flops": _moves}
    table = {
        "matmul": Definition(matmul.matmul, **product),
        "linear": Definition(matmul.linear, **product),
        "experimental.minimal_matmul": Definition(matmul.minimal_matmul, **product),
        "experimental.minimal_matmul_split": Definition(matmul.minimal_matmul_split, **product),
        "experimental.dit_minimal_matmul_addcmul_fused": Definition(matmul.matmul_addcmul, **product),
        "layer_norm": Definition(normalization.layer_norm),
        "rms_norm": Definition(normalization.rms_norm),
        "experimental.dit_rms_norm_unary_fused": Definition(normalization.rms_norm_unary),
        "softmax": Definition(normalization.softmax),
        "softmax_in_place": Definition(normalization.softmax, in_place=True),
        "sum": Definition(normalization.reduction(lambda x, **k: x.sum(**k))),
        "mean": Definition(normalization.reduction(lambda x, **k: x.mean(**k))),
        "max": Definition(normalization.reduction(lambda x, **k: x.max(**k))),
        "transformer.scaled_dot_product_attention": Definition(
            attention.scaled_dot_product_attention, flops=attention.attention_flops
        ),
        "transformer.split_query_key_value_and_split_heads": Definition(
            attention.split_query_key_value_and_split_heads, **heads
        ),
        "transformer.concatenate_heads": Definition(attention.concatenate_heads, **heads),
        "experimental.nlp_create_qkv_heads": Definition(attention.nlp_create_qkv_heads, **heads),
        "experimental.nlp_concat_heads": Definition(attention.nlp_concat_heads, **heads),
        "experimental.rotary_embedding": Definition(attention.rotary_embedding),
        "experimental.rotary_embedding_hf": Definition(attention.rotary_embedding_hf),
        "experimental.rotary_embedding_llama": Definition(attention.rotary_embedding_llama),
        "gelu": Definition(elementwise.gelu),
        "geglu": Definition(elementwise.geglu),
        "addcmul": Definition(elementwise.addcmul),
        "mac": Definition(elementwise.mac),
        "lerp": Definition(elementwise.lerp),
        "where": Definition(elementwise.where),
        "clamp": Definition(elementwise.clamp),
        "reshape": Definition(movement.reshape, **filled),
        "view": Definition(movement.reshape, **moved),
        "unsqueeze": Definition(movement.unsqueeze, **filled),
        "squeeze": Definition(movement.squeeze, **filled),
        "unsqueeze_to_4D": Definition(movement.unsqueeze_to_4d, **filled),
        "permute": Definition(movement.permute, **filled),
        "transpose": Definition(movement.transpose, **filled),
        "concat": Definition(movement.concat, **moved),
        "slice": Definition(movement.slice_, **moved),
        "experimental.slice_write": Definition(movement.slice_write, in_place=True, **moved),
        "split": Definition(movement.split, **moved),
        "chunk": Definition(movement.chunk, **moved),
        "pad": Definition(movement.pad, **filled),
        "repeat": Definition(movement.repeat, **moved),
        "repeat_interleave": Definition(movement.repeat_interleave, **moved),
        "embedding": Definition(movement.embedding, **moved),
        "fold": Definition(movement.fold, **moved),
        "fill_cache": Definition(movement.fill_cache, in_place=True, **moved),
        "to_layout": Definition(movement.to_layout, **filled),
        "tilize": Definition(movement.same, **moved),
        "tilize_with_zero_padding": Definition(movement.same, **filled),
        "untilize": Definition(movement.same, **moved),
        "to_memory_config": Definition(movement.same, **moved),
        "copy": Definition(movement.same, in_place=True, **moved),
        "assign": Definition(movement.same, in_place=True, **moved),
        "clone": Definition(movement.same, **moved),
        "typecast": Definition(movement.same, **moved),
    }
    for name in elementwise.UNARY:
        table[name] = Definition(elementwise.unary(name))
    for name in elementwise.BINARY:
        table[name] = Definition(elementwise.binary(name))
    for name, meaning in elementwise.SYNONYMS.items():
        table[name] = table[meaning]
    for name in ("add", "subtract", "multiply", "divide", "sub", "mul", "div"):
        table[name + "_"] = Definition(table[name].values, in_place=True)
    return table


DEFINITIONS = _definitions()
