package dev.pi0stream.operators.policy;

import dev.pi0stream.device.Device;
import dev.pi0stream.device.Devices;
import dev.pi0stream.device.Precision;
import dev.pi0stream.model.checkpoint.Checkpoint;
import dev.pi0stream.model.checkpoint.CheckpointException;
import dev.pi0stream.model.engine.IdentityNoise;
import dev.pi0stream.model.engine.ResidentPolicy;
import java.nio.file.Path;

/** Loads a checkpoint's folder to a device of this machine. */
public final class CheckpointLoader implements PolicyLoader {
  private static final long serialVersionUID = 1L;

  /** The seed of a served policy's noise: the same observation has the same chunk in every job. */
  private static final long SEED = 0;

  @Override
  public LoadedPolicy load(EngineSpec spec) {
    try (Checkpoint checkpoint = Checkpoint.open(Path.of(spec.checkpoint()))) {
      Device device = Devices.open(spec.device(), Precision.parse(spec.precision()));
      ResidentPolicy policy = ResidentPolicy.load(checkpoint, device);
      return new LoadedPolicy(policy, new IdentityNoise(SEED), policy);
    } catch (CheckpointException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }
}
