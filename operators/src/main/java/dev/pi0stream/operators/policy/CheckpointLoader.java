package dev.pi0stream.operators.policy;

import dev.pi0stream.device.Device;
import dev.pi0stream.device.Devices;
import dev.pi0stream.device.Precision;
import dev.pi0stream.device.cpu.CpuDevice;
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
  static final long NOISE_SEED = 0;

  /** As many threads as there are processors. */
  public static final int ALL_THREADS = 0;

  private static final Pattern CPU_SLOT = Pattern.compile("cpu:\\d+");

  private final int threads;

  /** Where the processor computes, it does so with all its threads. */
  public CheckpointLoader() {
    this(ALL_THREADS);
  }

  /**
   * Where the processor computes, it does so with some of its threads.
   *
   * @param threads of an engine, or {@link #ALL_THREADS}
   */
  public CheckpointLoader(int threads) {
    this.threads = threads;
  }

  @Override
  public LoadedPolicy load(EngineSpec spec) {
    try (Checkpoint checkpoint = Checkpoint.open(Path.of(spec.checkpoint()))) {
      Device device = open(spec.device(), spec.precision(), threads);
      ResidentPolicy policy = ResidentPolicy.load(checkpoint, device, spec.reuse());
      return new LoadedPolicy(policy, new IdentityNoise(NOISE_SEED), policy);
    }
  }

  /** Opens the first device of a specification, with all its threads. */
  public static Device open(EngineSpec spec) {
    return open(spec.devices().getFirst(), spec.precision(), ALL_THREADS);
  }

  /**
   * Opens a device; slots of the processor are engines of their own, on the same processor.
   *
   * @param threads of an engine on the processor, or {@link #ALL_THREADS}
   */
  static Device open(String device, String precision, int threads) {
    String backEnd = CPU_SLOT.matcher(device).matches() ? "cpu" : device;
    return backEnd.equals("cpu") && threads != ALL_THREADS
        ? CpuDevice.open(Precision.parse(precision), threads)
        : Devices.open(backEnd, Precision.parse(precision));
  }
}
