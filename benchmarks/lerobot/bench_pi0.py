#!/usr/bin/env python3
"""Times LeRobot's PyTorch pi0 on the processor, with generated weights of full size.

    python benchmarks/lerobot/bench_pi0.py --dtype bfloat16 --json lerobot.json

It measures what `pi0 bench` measures: PI0Pytorch.sample_actions, from preprocessed pictures, token
ids, state and noise to a chunk, after a warm-up. The values of the weights do not change the time,
so they are one block of N(0, 1) numbers, repeated and scaled by 1/sqrt(fan-in). Measured with
lerobot 0.6.1, transformers 5.5.4 and torch 2.11.0; the versions that ran are part of the result.
"""

import argparse
import json
import math
import resource
import sys
import time
from importlib.metadata import version

import torch


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--policy", choices=("pi0", "pi05"), default="pi0")
    parser.add_argument("--dtype", choices=("bfloat16", "float32"), default="bfloat16")
    parser.add_argument("--cameras", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=48)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--warmup", type=int, default=2)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--compile", action="store_true", help="torch.compile, default mode")
    parser.add_argument("--freeze", action="store_true", help="with --compile: constant weights")
    parser.add_argument("--stages", action="store_true", help="also time the vision tower alone")
    parser.add_argument("--json", help="also write the result to this file")
    return parser.parse_args()


def build(args: argparse.Namespace) -> torch.nn.Module:
    """The network without initialising it twice: on the meta device first, then filled."""
    if args.policy == "pi0":
        from lerobot.policies.pi0.configuration_pi0 import PI0Config as Config
        from lerobot.policies.pi0.modeling_pi0 import PI0Pytorch as Network
    else:
        from lerobot.policies.pi05.configuration_pi05 import PI05Config as Config
        from lerobot.policies.pi05.modeling_pi05 import PI05Pytorch as Network
    config = Config(dtype=args.dtype, device="cpu")
    with torch.device("meta"):
        network = Network(config)
    # The heads predict words; no chunk depends on them. The backbone's shares its table's memory.
    network.paligemma_with_expert.gemma_expert.lm_head = None
    network.paligemma_with_expert.paligemma.lm_head = None
    network.to_empty(device="cpu")
    network.requires_grad_(False)
    network.eval()
    block = torch.randn(1 << 22, generator=torch.Generator().manual_seed(0))
    for name, parameter in network.named_parameters():
        fill(name, parameter, block)
    for module in network.modules():
        restore_buffers(module)
    return network


def fill(name: str, parameter: torch.Tensor, block: torch.Tensor) -> None:
    flat = parameter.view(-1)
    scaled = block / math.sqrt(parameter[0].numel()) if parameter.dim() > 1 else block * 0.02
    if "layer_norm" in name and name.endswith("weight"):
        scaled = scaled + 1
    scaled = scaled.to(parameter.dtype)
    for start in range(0, flat.numel(), scaled.numel()):
        part = flat[start : start + scaled.numel()]
        part.copy_(scaled[: part.numel()])


def restore_buffers(module: torch.nn.Module) -> None:
    """What `to_empty` left without content."""
    for name, buffer in module.named_buffers(recurse=False):
        if name in ("inv_freq", "original_inv_freq"):
            size = 2 * buffer.numel()
            exponents = torch.arange(0, size, 2, dtype=torch.float32) / size
            buffer.copy_(1.0 / 10000**exponents)
        elif name == "position_ids":
            buffer.copy_(torch.arange(buffer.numel()).view_as(buffer))
        elif name == "embed_scale":
            buffer.fill_(module.scalar_embed_scale)
        else:
            sys.exit(f"buffer {name} of {type(module).__name__}: its content is unknown here")


def inputs(args: argparse.Namespace, network: torch.nn.Module) -> tuple:
    generator = torch.Generator().manual_seed(1)
    side = network.config.image_resolution[0]
    shape = (args.batch, 3, side, side)
    images = [torch.rand(shape, generator=generator) * 2 - 1 for _ in range(args.cameras)]
    masks = [torch.ones(args.batch, dtype=torch.bool) for _ in images]
    tokens = torch.randint(0, 257152, (args.batch, args.tokens), generator=generator)
    token_masks = torch.ones_like(tokens, dtype=torch.bool)
    horizon, width = network.config.chunk_size, network.config.max_action_dim
    noise = torch.randn((args.batch, horizon, width), generator=generator)
    if args.policy == "pi05":
        return images, masks, tokens, token_masks, noise
    state = torch.randn((args.batch, network.config.max_state_dim), generator=generator)
    return images, masks, tokens, token_masks, state, noise


def percentile(sorted_values: list[float], share: float) -> float:
    return sorted_values[max(0, math.ceil(share * len(sorted_values)) - 1)]


@torch.no_grad()
def main() -> None:
    args = arguments()
    torch.set_num_threads(args.threads)
    if args.freeze:
        import torch._inductor.config as inductor

        inductor.freezing = True
    network = build(args)
    values = inputs(args, network)
    sample = network.sample_actions
    if args.compile:
        sample = torch.compile(sample)
    begun = time.perf_counter()
    for _ in range(args.warmup):
        sample(*values, num_steps=args.steps)
    warmup = time.perf_counter() - begun
    millis = []
    for _ in range(args.runs):
        begun = time.perf_counter()
        chunk = sample(*values, num_steps=args.steps)
        millis.append(1e3 * (time.perf_counter() - begun))
    if not torch.isfinite(chunk).all():
        sys.exit("the chunk has numbers that are not finite")
    result = {
        "device": "lerobot",
        "precision": args.dtype,
        "cameras": args.cameras,
        "tokens": args.tokens,
        "batch": args.batch,
        "steps": args.steps,
        "compiled": args.compile,
        "frozen": args.freeze,
        "threads": args.threads,
        "runsMillis": millis,
        "meanMillis": sum(millis) / len(millis),
        "p50Millis": percentile(sorted(millis), 0.5),
        "p95Millis": percentile(sorted(millis), 0.95),
        "warmupSeconds": warmup,
        "peakResidentBytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        "versions": {name: version(name) for name in ("lerobot", "transformers", "torch")},
    }
    if args.stages:
        model = network.paligemma_with_expert
        begun = time.perf_counter()
        for image in values[0]:
            model.embed_image(image)
        result["visionMillis"] = 1e3 * (time.perf_counter() - begun)
        begun = time.perf_counter()
        sample(*values, num_steps=1)
        one = 1e3 * (time.perf_counter() - begun)
        result["denoiseMillis"] = (result["p50Millis"] - one) / (args.steps - 1) * args.steps
    text = json.dumps(result, indent=2)
    print(text)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            file.write(text + "\n")


if __name__ == "__main__":
    main()
