package dev.pi0stream.operators.policy;

import dev.pi0stream.model.engine.ReuseBudget;
import java.io.Serializable;
import java.time.Duration;
import java.util.List;

/**
 * Which policy is served where, and how; equal ones share an engine.
 *
 * @param checkpoint directory of the checkpoint
 * @param device name of the back end, such as {@code cpu}, or of one device, such as {@code tt:0};
 *     several, separated by commas, are shared by the subtasks of a TaskManager
 * @param precision label of the precision, such as {@code fp32}
 * @param maxBatch the most robots of one batch
 * @param reuseBytes what the device may keep of earlier pictures and prompts to use it again; null
 *     for what suits it
 * @param warmUp the longest that the policy rehearses before it serves; zero for not at all
 * @param hangs after this a batch that has not ended counts as hanging, if it also took ten times
 *     of what it was expected to; while nothing is known of the device, after twenty times this
 */
public record EngineSpec(
    String checkpoint,
    String device,
    String precision,
    int maxBatch,
    Long reuseBytes,
    Duration warmUp,
    Duration hangs)
    implements Serializable {
  private static final Duration DEFAULT_HANGS = Duration.ofSeconds(30);

  /** Serves without a rehearsal and keeps what suits the device. */
  public EngineSpec(String checkpoint, String device, String precision, int maxBatch) {
    this(checkpoint, device, precision, maxBatch, null, Duration.ZERO, DEFAULT_HANGS);
  }

  /** What may be kept of {@link #reuseBytes}. */
  ReuseBudget reuse() {
    return reuseBytes == null ? ReuseBudget.OF_DEVICE : ReuseBudget.of(reuseBytes);
  }

  /** The devices that it may be served on. */
  public List<String> devices() {
    return List.of(device.split(",", -1));
  }

  /** The same on one device. */
  public EngineSpec on(String another) {
    return new EngineSpec(checkpoint, another, precision, maxBatch, reuseBytes, warmUp, hangs);
  }

  /** The same with a rehearsal. */
  public EngineSpec warmedUp(Duration limit) {
    return new EngineSpec(checkpoint, device, precision, maxBatch, reuseBytes, limit, hangs);
  }
}
