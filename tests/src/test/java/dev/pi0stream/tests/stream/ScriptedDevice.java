package dev.pi0stream.tests.stream;

import dev.pi0stream.device.DeviceException;
import dev.pi0stream.model.engine.ChunkInExecution;
import dev.pi0stream.model.engine.ReuseCounts;
import dev.pi0stream.model.engine.ServedPolicy;
import dev.pi0stream.model.engine.Work;
import dev.pi0stream.model.policy.Guidance;
import dev.pi0stream.model.policy.ModelInput;
import dev.pi0stream.model.policy.Sample;
import dev.pi0stream.model.processor.Observation;
import dev.pi0stream.operators.policy.CheckpointLoader;
import dev.pi0stream.operators.policy.EngineSpec;
import dev.pi0stream.operators.policy.LoadedPolicy;
import dev.pi0stream.operators.policy.PolicyLoader;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** Loads policies to their devices, which a test may hold before a batch and let fail. */
final class ScriptedDevice implements PolicyLoader {
  private static final long serialVersionUID = 1L;
  private static final Map<String, Controls> CONTROLS = new ConcurrentHashMap<>();

  private final String name;

  /**
   * @param name of what controls it, unique in this process
   */
  ScriptedDevice(String name) {
    this.name = name;
  }

  /** What controls it, wherever Flink copied it to. */
  Controls controls() {
    return CONTROLS.computeIfAbsent(name, _ -> new Controls());
  }

  @Override
  public LoadedPolicy load(EngineSpec spec) throws Exception {
    LoadedPolicy loaded = new CheckpointLoader().load(spec);
    Controls controls = controls();
    return new LoadedPolicy(
        new Scripted(loaded.policy(), controls),
        loaded.noise(),
        () -> {
          loaded.device().close();
          controls.closed();
        });
  }

  /** The hands of a test on the device; closing it lets go of it. */
  static final class Controls implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private boolean held;
    private boolean stopped;
    private boolean failing;
    private Duration delay = Duration.ZERO;
    private int closes;

    /** From now on a batch stops before it is computed. */
    synchronized void hold() {
      held = true;
    }

    /** Lets batches go on. */
    synchronized void release() {
      held = false;
      notifyAll();
    }

    /** The next batch fails, and the device with it. */
    synchronized void failNextBatch() {
      failing = true;
    }

    /** From now on every batch takes so much longer. */
    synchronized void slowDown(Duration by) {
      delay = by;
    }

    /** Waits until a batch has stopped. */
    synchronized void awaitStoppedBatch() throws InterruptedException {
      await(() -> stopped, "no batch came to the device");
    }

    /** Waits until devices were closed so often. */
    synchronized void awaitCloses(int count) throws InterruptedException {
      await(() -> closes >= count, "the device is still open");
    }

    synchronized int closes() {
      return closes;
    }

    @Override
    public void close() {
      release();
    }

    private synchronized void closed() {
      closes++;
      notifyAll();
    }

    private synchronized void pass() {
      try {
        while (held) {
          stopped = true;
          notifyAll();
          wait();
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new DeviceException("interrupted");
      }
      stopped = false;
      sleep();
      if (failing) {
        failing = false;
        throw new DeviceException("injected fault of the device");
      }
    }

    private void sleep() {
      try {
        Thread.sleep(delay);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new DeviceException("interrupted");
      }
    }

    private synchronized void await(Condition condition, String otherwise)
        throws InterruptedException {
      long end = System.nanoTime() + PATIENCE.toNanos();
      while (!condition.holds()) {
        long left = Duration.ofNanos(end - System.nanoTime()).toMillis();
        if (left <= 0) {
          throw new AssertionError("%s within %s".formatted(otherwise, PATIENCE));
        }
        wait(left);
      }
    }

    private interface Condition {
      boolean holds();
    }
  }

  /** Everything but {@link #infer} is the policy's. */
  private static final class Scripted implements ServedPolicy {
    private final ServedPolicy policy;
    private final Controls controls;

    Scripted(ServedPolicy policy, Controls controls) {
      this.policy = policy;
      this.controls = controls;
    }

    @Override
    public Work work(ModelInput input) {
      return policy.work(input);
    }

    @Override
    public ReuseCounts reuse() {
      return policy.reuse();
    }

    @Override
    public Guidance guidance(ChunkInExecution execution, Observation observation) {
      return policy.guidance(execution, observation);
    }

    @Override
    public Inference infer(List<Sample> batch) {
      controls.pass();
      return policy.infer(batch);
    }

    @Override
    public List<String> cameras() {
      return policy.cameras();
    }

    @Override
    public int stateDimensions() {
      return policy.stateDimensions();
    }

    @Override
    public int horizon() {
      return policy.horizon();
    }

    @Override
    public int actionDimensions() {
      return policy.actionDimensions();
    }

    @Override
    public int noiseSize() {
      return policy.noiseSize();
    }

    @Override
    public Optional<String> refusal(Observation observation) {
      return policy.refusal(observation);
    }

    @Override
    public String checkpointDigest() {
      return policy.checkpointDigest();
    }

    @Override
    public String deviceLabel() {
      return policy.deviceLabel();
    }

    @Override
    public ModelInput prepare(Observation observation) {
      return policy.prepare(observation);
    }

    @Override
    public float[] actions(float[] x, Observation observation) {
      return policy.actions(x, observation);
    }
  }
}
