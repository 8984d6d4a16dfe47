package dev.pi0stream.model.checkpoint;

/** Who wrote a checkpoint: their conventions for images, prompts and statistics differ. */
public enum Origin {
  /** {@code save_pretrained} of LeRobot: {@code config.json} has a {@code type}. */
  LEROBOT,
  /** openpi's converter from JAX to PyTorch. */
  OPENPI
}
