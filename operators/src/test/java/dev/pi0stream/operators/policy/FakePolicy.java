package dev.pi0stream.operators.policy;

import dev.pi0stream.device.Device;
import dev.pi0stream.device.DeviceException;
import dev.pi0stream.model.engine.ServedPolicy;
import dev.pi0stream.model.image.Frame;
import dev.pi0stream.model.policy.ModelInput;
import dev.pi0stream.model.policy.Sample;
import dev.pi0stream.model.processor.Observation;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A policy whose actions are its noise plus the first number of the state. The word "stall" in a
 * prompt holds the device until {@link #release}, "fault" lets it fail, "refuse" is refused,
 * "puzzle" is not foreseen; a frame of one byte is corrupt.
 */
final class FakePolicy implements ServedPolicy {
  private static final Map<String, FakePolicy> BY_CHECKPOINT = new ConcurrentHashMap<>();

  private final CountDownLatch released = new CountDownLatch(1);
  private final AtomicInteger loads = new AtomicInteger();
  private final List<String> devices = new CopyOnWriteArrayList<>();
  private final AtomicInteger closes = new AtomicInteger();
  private final AtomicInteger batches = new AtomicInteger();
  private volatile Device.Measurements measurements = Device.Measurements.NONE;

  /** The policy that {@link #load} gives for a checkpoint. */
  static FakePolicy of(EngineSpec spec) {
    return BY_CHECKPOINT.computeIfAbsent(spec.checkpoint(), _ -> new FakePolicy());
  }

  static LoadedPolicy load(EngineSpec spec) {
    if (spec.checkpoint().startsWith("unusable")) {
      throw new IllegalArgumentException("checkpoint %s has no weights".formatted(spec));
    }
    FakePolicy policy = of(spec);
    policy.loads.incrementAndGet();
    policy.devices.add(spec.device());
    return new LoadedPolicy(
        policy,
        (id, count) -> {
          float[] noise = new float[count];
          Arrays.fill(noise, (float) id.sequence());
          return noise;
        },
        policy.closes::incrementAndGet);
  }

  /** What its device tells from now on. */
  void measure(Device.Measurements told) {
    measurements = told;
  }

  @Override
  public Device.Measurements measurements() {
    return measurements;
  }

  int loads() {
    return loads.get();
  }

  /** The devices that it was loaded to, in order. */
  List<String> devices() {
    return devices;
  }

  int closes() {
    return closes.get();
  }

  int batches() {
    return batches.get();
  }

  void release() {
    released.countDown();
  }

  @Override
  public List<String> cameras() {
    return List.of("top", "wrist");
  }

  @Override
  public int stateDimensions() {
    return 3;
  }

  @Override
  public int horizon() {
    return 2;
  }

  @Override
  public int actionDimensions() {
    return 2;
  }

  @Override
  public int noiseSize() {
    return 4;
  }

  @Override
  public Optional<String> refusal(Observation observation) {
    if (observation.prompt().contains("puzzle")) {
      throw new IllegalStateException("what is this?");
    }
    return observation.prompt().contains("refuse")
        ? Optional.of("the prompt is unacceptable")
        : Optional.empty();
  }

  @Override
  public String checkpointDigest() {
    return "digest";
  }

  @Override
  public String deviceLabel() {
    return "fake/fp32";
  }

  @Override
  public ModelInput prepare(Observation observation) {
    for (Map.Entry<String, Frame> frame : observation.frames().entrySet()) {
      if (frame.getValue().data().length == 1) {
        throw new IllegalArgumentException(
            "frame of camera '%s' is corrupt".formatted(frame.getKey()));
      }
    }
    int[] tokens = {
      observation.prompt().contains("stall") ? 1 : 0, observation.prompt().contains("fault") ? 1 : 0
    };
    return new ModelInput(
        List.of(new ModelInput.Image("top", new float[3])), tokens, observation.state());
  }

  @Override
  public Inference infer(List<Sample> batch) {
    batches.incrementAndGet();
    if (batch.stream().anyMatch(sample -> sample.input().tokens()[1] == 1)) {
      throw new DeviceException("the device is on fire");
    }
    if (batch.stream().anyMatch(sample -> sample.input().tokens()[0] == 1)) {
      try {
        released.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    return new Inference(
        batch.stream().map(FakePolicy::x).toList(),
        Duration.ofMillis(1),
        Duration.ofMillis(2),
        Duration.ofMillis(3));
  }

  @Override
  public float[] actions(float[] x, Observation observation) {
    return x.clone();
  }

  private static float[] x(Sample sample) {
    float[] x = sample.noise().clone();
    for (int i = 0; i < x.length; i++) {
      x[i] += sample.input().state()[0];
    }
    return x;
  }
}
