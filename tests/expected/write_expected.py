"""Writes lerobot-episodes.safetensors and lerobot-episodes.json: the shipped policy on the shipped episodes.

    python tests/expected/write_expected.py --checkpoint examples/checkpoint --dataset examples/episodes --out tests/expected

Needs lerobot 0.6.1 with its `pi` and `dataset` extras and torch 2.11.0 on a CPU. Everything that computes is
LeRobot's: its dataset reader (frames decoded through PyAV), its two processors, `PI0Policy` in float32 on one thread.
Only the sizes of the three networks, which LeRobot has written into its code, are replaced by those of
`dimensions.json`, and the tokenizer is the one that lies in the checkpoint.

Every fifth frame of each episode is asked for a chunk. Its noise is row i of NumPy's
`default_rng(20260).standard_normal((rows, chunk, columns), float32)`, stored beside it.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import pathlib

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import lerobot.policies.pi0.modeling_pi0 as modeling_pi0
import lerobot.processor.tokenizer_processor as tokenizer_processor
import numpy as np
import torch
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.processor import PolicyProcessorPipeline
from lerobot.processor.converters import policy_action_to_transition, transition_to_policy_action
from safetensors.numpy import save_file
from transformers import AutoTokenizer

EVERY, SEED, STEPS, BATCH = 5, 20260, 10, 16


def load_policy(directory: pathlib.Path):
    """The policy and its processors, at the sizes of the checkpoint's dimensions.json."""
    sizes = json.loads((directory / "dimensions.json").read_text())
    backbone = modeling_pi0.PaliGemmaForConditionalGenerationWithPiGemma
    expert = modeling_pi0.PiGemmaForCausalLM

    def gemma(variant):
        g = sizes["expert" if variant == "gemma_300m" else "language"]
        return modeling_pi0.GemmaConfig(width=g["width"], depth=g["layers"], mlp_dim=g["mlp"], num_heads=g["heads"],
                                        num_kv_heads=g["kv_heads"], head_dim=g["head_dim"])

    def sized_backbone(config):
        vision, tower = sizes["vision"], config.vision_config
        tower.hidden_size, tower.intermediate_size = vision["width"], vision["mlp"]
        tower.num_hidden_layers, tower.num_attention_heads = vision["layers"], vision["heads"]
        tower.patch_size, tower.projection_dim = vision["patch"], sizes["language"]["width"]
        config.projection_dim = sizes["language"]["width"]
        config._vocab_size = config.vocab_size = config.text_config.vocab_size = sizes["vocabulary"]
        config.image_token_index = sizes["vocabulary"]
        return backbone(config=config)

    def sized_expert(config):
        config.vocab_size = sizes["vocabulary"]
        return expert(config=config)

    modeling_pi0.get_gemma_config = gemma
    modeling_pi0.PaliGemmaForConditionalGenerationWithPiGemma = sized_backbone
    modeling_pi0.PiGemmaForCausalLM = sized_expert

    class CheckpointTokenizer:
        @staticmethod
        def from_pretrained(_name, *_args, **_kwargs):
            return AutoTokenizer.from_pretrained(str(directory))

    tokenizer_processor.AutoTokenizer = CheckpointTokenizer
    policy = modeling_pi0.PI0Policy.from_pretrained(str(directory), local_files_only=True).eval()
    before = PolicyProcessorPipeline.from_pretrained(str(directory), config_filename="policy_preprocessor.json")
    after = PolicyProcessorPipeline.from_pretrained(
        str(directory), config_filename="policy_postprocessor.json",
        to_transition=policy_action_to_transition, to_output=transition_to_policy_action)
    return policy, before, after


def chunks_of(policy, before, after, items: list[dict], noise: np.ndarray) -> np.ndarray:
    """One chunk in the robot's units for each item of the dataset."""
    out = []
    for start in range(0, len(items), BATCH):
        rows = items[start:start + BATCH]
        batch = {key: torch.stack([row[key] for row in rows]) for key in rows[0] if key.startswith("observation.")}
        batch["task"] = [row["task"] for row in rows]
        part = torch.from_numpy(noise[start:start + BATCH].copy())
        actions = policy.predict_action_chunk(before(batch), noise=part, num_steps=STEPS)
        out.append(after(actions).numpy())
    return np.concatenate(out)


class Logged:
    """What the episodes say was done: the action at each global index, and where its episode ends."""

    def __init__(self, dataset: LeRobotDataset):
        table = dataset.hf_dataset.with_format("numpy")
        self.actions = np.stack(table["action"]).astype(np.float64)
        episodes = np.asarray(table["episode_index"])
        self.end = {int(e): int(np.flatnonzero(episodes == e)[-1]) + 1 for e in np.unique(episodes)}

    def error(self, items: list[dict], chunks: np.ndarray) -> dict:
        """Mean |chunk[k] - action at t + k| over every k that lies in the episode."""
        differences = []
        for item, chunk in zip(items, chunks, strict=True):
            index = int(item["index"])
            count = min(len(chunk), self.end[int(item["episode_index"])] - index)
            differences.append(np.abs(chunk[:count].astype(np.float64) - self.actions[index:index + count]))
        every = np.concatenate(differences)
        return {"meanAbsErrorToLogged": float(every.mean()), "perDimension": every.mean(0).tolist(),
                "comparedActions": len(every)}


def swapped_cameras(items: list[dict]) -> list[dict]:
    top, wrist = "observation.images.top", "observation.images.wrist"
    return [{**item, top: item[wrist], wrist: item[top]} for item in items]


def other_instruction(items: list[dict], tasks: list[str]) -> list[dict]:
    """Each item with the instruction of the next episode that has another one."""

    def other(episode: int) -> str:
        following = tasks[episode + 1:] + tasks[:episode]
        return next(task for task in following if task != tasks[episode])

    return [{**item, "task": other(int(item["episode_index"]))} for item in items]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--checkpoint", type=pathlib.Path, required=True)
    parser.add_argument("--dataset", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    policy, before, after = load_policy(options.checkpoint)
    dataset = LeRobotDataset("table/episodes", root=options.dataset, video_backend="pyav")
    every = [dataset[i] for i in range(len(dataset))]
    tasks = [next(i["task"] for i in every if int(i["episode_index"]) == e) for e in range(dataset.num_episodes)]
    items = [item for item in every if int(item["frame_index"]) % EVERY == 0]
    shape = (policy.config.chunk_size, policy.config.max_action_dim)
    noise = np.random.default_rng(SEED).standard_normal((len(items), *shape), dtype=np.float32)
    chunks = chunks_of(policy, before, after, items, noise)
    logged = Logged(dataset)

    right = logged.error(items, chunks)
    swapped = logged.error(items, chunks_of(policy, before, after, swapped_cameras(items), noise))
    other = logged.error(items, chunks_of(policy, before, after, other_instruction(items, tasks), noise))
    more_noise = np.random.default_rng(SEED + 1).standard_normal((len(every), *shape), dtype=np.float32)
    all_frames = logged.error(every, chunks_of(policy, before, after, every, more_noise))

    save_file({
        "index": np.array([int(i["index"]) for i in items], np.int64),
        "episode": np.array([int(i["episode_index"]) for i in items], np.int64),
        "frame": np.array([int(i["frame_index"]) for i in items], np.int64),
        "state": np.stack([i["observation.state"].numpy() for i in items]),
        "noise": noise,
        "chunk": np.ascontiguousarray(chunks),
        # The mean level of each frame (0 to 255): shows a reader that is off by a frame without storing pixels.
        **{f"level.{camera}": np.array([float(i[f"observation.images.{camera}"].double().mean()) * 255 for i in items],
                                       np.float64) for camera in ("top", "wrist")},
    }, options.out / "lerobot-episodes.safetensors")
    versions = {p: importlib.metadata.version(p) for p in ("lerobot", "torch", "transformers", "tokenizers", "av", "numpy")}
    (options.out / "lerobot-episodes.json").write_text(json.dumps({
        "about": "LeRobot's PI0Policy (float32, one thread) on examples/checkpoint and examples/episodes; "
                 "made by write_expected.py",
        "versions": versions,
        "selection": f"every {EVERY}th frame of each episode, from its first",
        "noise": f"numpy default_rng({SEED}).standard_normal((rows, chunk, columns), float32); stored",
        "steps": STEPS, "rows": len(items), "tasks": tasks,
        "error": "mean over all compared values of |chunk[k] - logged action at t + k|, k within the episode; "
                 "dimensions dx, dy (metres), opening",
        **right,
        "wrong": {"camerasSwapped": swapped, "instructionOfAnotherEpisode": other},
        "allFrames": {"note": "every frame, with other noise (seed + 1, not stored)", **all_frames},
    }, indent=2) + "\n")


if __name__ == "__main__":
    main()
