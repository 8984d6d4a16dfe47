package dev.pi0stream.operators.policy;

import dev.pi0stream.device.Device;
import dev.pi0stream.device.Devices;
import dev.pi0stream.device.Precision;
import dev.pi0stream.model.checkpoint.Checkpoint;
import dev.pi0stream.model.engine.IdentityNoise;
import dev.pi0stream.model.engine.ResidentPolicy;
import java.nio.file.Path;
import java.util.regex.Pattern;

/**
 * Loads checkpoints from their directories. Noise is that of seed 0, on every TaskManager, so that
 * a chunk does not depend on where it is computed.
 */
public final class CheckpointLoader implements PolicyLoader {
  private static final long serialVersionUID = 1L;
  private static final long NOISE_SEED = 0;
  private static final Pattern CPU_SLOT = Pattern.compile("cpu:\\d+");

  @Override
  public LoadedPolicy load(EngineSpec spec) {
    Precision precision = Precision.parse(spec.precision());
    try (Checkpoint checkpoint = Checkpoint.open(Path.of(spec.checkpoint()))) {
      Device device = Devices.open(backEnd(spec.device()), precision);
      ResidentPolicy policy = ResidentPolicy.load(checkpoint, device, spec.reuse());
      return new LoadedPolicy(policy, new IdentityNoise(NOISE_SEED), policy);
    }
  }

  /** Slots of the processor are engines of their own, on the same processor. */
  private static String backEnd(String device) {
    return CPU_SLOT.matcher(device).matches() ? "cpu" : device;
  }
}
