"""Reads a dataset that `pi0 replay --lerobot` wrote with LeRobot's reader: TARGET ORIGINAL STRIDE."""

import sys

import torch
from lerobot.datasets.lerobot_dataset import LeRobotDataset

target, original, stride = sys.argv[1], sys.argv[2], int(sys.argv[3])
dataset = LeRobotDataset("local/annotated", root=target)
before = LeRobotDataset("local/original", root=original) if original else None
for i in sorted({0, 1, len(dataset) // 2, len(dataset) - 1}):
    row = dataset[i]
    asked = int(row["frame_index"]) % stride == 0
    assert row["prediction.outcome"] == ("chunk" if asked else "not replayed"), row["prediction.outcome"]
    assert torch.isfinite(row["prediction.actions"]).all() == asked
    assert torch.isfinite(row["prediction.error"]) == asked
    assert torch.isfinite(row["prediction.latency"]) == asked
    assert len(row["prediction.checkpoint"]) == 64 and int(row["prediction.seed"]) == 0
    assert isinstance(row["task"], str) and row["task"]
    assert any(key.startswith("observation.images.") for key in row)
    for key, value in (before[i] if before else {}).items():
        same = torch.equal(value, row[key]) if isinstance(value, torch.Tensor) else value == row[key]
        assert same, key
print(f"{len(dataset)} frames, {dataset.num_episodes} episodes")
