package dev.pi0stream.operators.policy;

import java.io.Serializable;

/** Loads a checkpoint to a device. */
@FunctionalInterface
public interface PolicyLoader extends Serializable {
  /**
   * Loads; called on the thread that will be the device's.
   *
   * @throws IllegalArgumentException with one sentence when the device or the precision cannot be
   *     used, now or later
   * @throws dev.pi0stream.model.checkpoint.CheckpointException when the checkpoint cannot
   * @throws Exception when it failed, but may not fail the next time
   */
  LoadedPolicy load(EngineSpec spec) throws Exception;
}
