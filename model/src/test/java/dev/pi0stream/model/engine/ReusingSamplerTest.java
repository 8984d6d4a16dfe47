package dev.pi0stream.model.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pi0stream.device.Device;
import dev.pi0stream.device.Devices;
import dev.pi0stream.device.Precision;
import dev.pi0stream.model.checkpoint.Checkpoint;
import dev.pi0stream.model.image.Frame;
import dev.pi0stream.model.policy.ModelInput;
import dev.pi0stream.model.policy.Policy;
import dev.pi0stream.model.policy.Sample;
import dev.pi0stream.model.processor.Observation;
import dev.pi0stream.model.processor.Processor;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is reused is what would have been computed. */
class ReusingSamplerTest {
  private static final Path CHECKPOINTS = Path.of("../tests/golden/checkpoints");
  private static final int STEPS = 2;
  private static final long PLENTY = 1L << 30;

  private Device device;
  private Processor processor;
  private Policy policy;
  private ReusingSampler sampler;

  /** Bytes that the policy keeps for the next time: constants of its steps. */
  private long constants;

  @AfterEach
  void close() {
    sampler.close();
    policy.close();
    assertThat(device.usage().values()).as("bytes that nobody frees").isZero();
    device.close();
  }

  @ParameterizedTest
  @CsvSource({
    "pi0-tiny, reference, 0",
    "pi05-tiny, reference, 0",
    "pi0-tiny, cpu, 1e-4",
    "pi05-tiny, cpu, 1e-4"
  })
  void chunksAreTheSameWithAndWithoutReuse(String checkpoint, String back, float tolerance) {
    open(checkpoint, back, PLENTY);
    SplittableRandom random = new SplittableRandom(7);
    for (int round = 0; round < 6; round++) {
      List<Sample> batch = new ArrayList<>();
      int rows = 1 + random.nextInt(2);
      for (int row = 0; row < rows; row++) {
        // Few pictures and prompts, so that all ways of having met one before occur.
        batch.add(
            sample(
                random.nextInt(2),
                random.nextInt(2),
                random.nextInt(2),
                random.nextBoolean(),
                100 * round + row));
      }
      equal(sampler.sample(batch, STEPS).x(), batch, tolerance);
    }
    ReuseCounts counts = sampler.counts();
    assertThat(counts.featureHits()).isPositive();
    assertThat(counts.prefixHits()).isPositive();
    assertThat(counts.evictions()).isZero();
  }

  @Test
  void aRowSaysWhatItFoundOnTheDevice() {
    open("pi0-tiny", "reference", PLENTY);
    Sample first = sample(0, 1, 0, true, 1);
    Sample otherCamera = sample(0, 2, 0, true, 2);
    Sample otherPrompt = sample(0, 1, 1, true, 3);
    Sample sameAgain = sample(0, 1, 0, true, 4);
    int cameras = first.input().images().size();
    assertThat(sampler.work(first.input())).isEqualTo(new Work(cameras, true));

    ServedPolicy.Inference cold = sampler.sample(List.of(first), STEPS);
    assertThat(cold.reuse()).containsExactly(Reuse.NONE);
    assertThat(cold.computed()).isEqualTo(new ServedPolicy.Computed(cameras, 1, 1));
    assertThat(sampler.work(otherCamera.input())).isEqualTo(new Work(1, true));
    assertThat(sampler.work(otherPrompt.input())).isEqualTo(new Work(0, true));
    assertThat(sampler.work(sameAgain.input())).isEqualTo(Work.STATE_ONLY);

    ServedPolicy.Inference warm =
        sampler.sample(List.of(otherCamera, otherPrompt, sameAgain), STEPS);
    assertThat(warm.reuse())
        .containsExactly(
            new Reuse(cameras - 1, false), new Reuse(cameras, false), new Reuse(cameras, true));
    assertThat(warm.computed()).isEqualTo(new ServedPolicy.Computed(1, 2, 3));
    ReuseCounts counts = sampler.counts();
    assertThat(counts.prefixHits()).isEqualTo(1);
    assertThat(counts.prefixMisses()).isEqualTo(3);
    assertThat(counts.featureHits()).isEqualTo(2L * cameras - 1);
    assertThat(counts.featureMisses()).isEqualTo(cameras + 1);
    assertThat(counts.entries()).isEqualTo(cameras + 1 + 3);
  }

  @Test
  void rowsThatShareAPictureSeeItOnce() {
    open("pi0-tiny", "reference", PLENTY);
    List<Sample> batch = List.of(sample(0, 1, 0, true, 1), sample(0, 1, 0, true, 2));
    ServedPolicy.Inference inference = sampler.sample(batch, STEPS);
    int cameras = batch.getFirst().input().images().size();
    assertThat(inference.computed()).isEqualTo(new ServedPolicy.Computed(cameras, 1, 2));
    equal(inference.x(), batch, 0);
  }

  @ParameterizedTest
  @CsvSource({"0", "60000"})
  void whatMadeRoomIsComputedAgain(long budget) {
    open("pi0-tiny", "reference", budget);
    for (int round = 0; round < 2; round++) {
      for (int picture = 0; picture < 3; picture++) {
        List<Sample> batch =
            List.of(
                sample(picture, picture + 1, 0, true, 10 * round + picture),
                sample(picture + 2, picture, 0, true, 10 * round + picture));
        equal(sampler.sample(batch, STEPS).x(), batch, 0);
        assertThat(sampler.counts().bytes()).isLessThanOrEqualTo(budget);
        assertThat(device.usage().values() - constants).isEqualTo(sampler.counts().bytes());
      }
    }
    assertThat(sampler.counts().evictions()).isPositive();
  }

  @Test
  void theLeastRecentlyUsedMakesRoomFirst() {
    open("pi0-tiny", "reference", PLENTY);
    sampler.sample(List.of(sample(0, 1, 0, true, 1)), STEPS);
    long one = sampler.counts().bytes();
    sampler.close();
    sampler = new ReusingSampler(policy, ReuseBudget.of(2 * one));
    Sample old = sample(0, 1, 0, true, 1);
    Sample kept = sample(2, 3, 0, true, 2);
    sampler.sample(List.of(old), STEPS);
    sampler.sample(List.of(kept), STEPS);
    sampler.sample(List.of(old), STEPS);
    sampler.sample(List.of(kept), STEPS);
    sampler.sample(List.of(sample(4, 5, 0, true, 3)), STEPS);
    assertThat(sampler.work(kept.input())).isEqualTo(Work.STATE_ONLY);
    assertThat(sampler.work(old.input()).prefix()).isTrue();
  }

  @Test
  void aRehearsalLeavesNothingBehindAndKnowsEveryKindOfBatch() {
    open("pi0-tiny", "cpu", 0);
    try (Checkpoint checkpoint = Checkpoint.open(CHECKPOINTS.resolve("pi0-tiny"));
        ResidentPolicy resident =
            ResidentPolicy.load(
                checkpoint, Devices.open("cpu", Precision.FP32), ReuseBudget.OF_DEVICE)) {
      LatencyCurve curve = resident.rehearse(4, Duration.ofSeconds(5));
      assertThat(resident.reuse()).isEqualTo(ReuseCounts.NONE);
      Duration state = curve.estimate(new ServedPolicy.Computed(0, 0, 1));
      Duration full = curve.estimate(new ServedPolicy.Computed(resident.cameras().size(), 1, 1));
      assertThat(state).isPositive();
      assertThat(full).isGreaterThan(state);
    }
  }

  @Test
  void whatIsKeptIsNotAmongTheResourcesThatTellALeak() {
    open("pi0-tiny", "reference", 0);
    try (Checkpoint checkpoint = Checkpoint.open(CHECKPOINTS.resolve("pi0-tiny"));
        ResidentPolicy resident =
            ResidentPolicy.load(
                checkpoint, Devices.open("reference", Precision.FP32), ReuseBudget.of(PLENTY))) {
      resident.infer(List.of(sample(0, 1, 0, true, 1)));
      Device.Usage before = resident.memory();
      int kept = resident.reuse().entries();
      resident.infer(List.of(sample(2, 3, 0, true, 1)));
      assertThat(resident.reuse().entries()).isGreaterThan(kept);
      assertThat(resident.memory().resources()).isEqualTo(before.resources());
      assertThat(resident.memory().values()).isGreaterThan(before.values());
    }
  }

  private void open(String checkpoint, String back, long budget) {
    device = Devices.open(back, Precision.FP32);
    try (Checkpoint opened = Checkpoint.open(CHECKPOINTS.resolve(checkpoint))) {
      processor = Processor.open(opened);
      policy = Policy.load(opened, device);
    }
    policy.sample(List.of(sample(0, 0, 0, true, 0)), STEPS);
    constants = device.usage().values();
    sampler = new ReusingSampler(policy, ReuseBudget.of(budget));
  }

  /** An input of the given pictures; with or without the second camera. */
  private Sample sample(int first, int second, int prompt, boolean both, int seed) {
    Observation pictures = SelfTest.observation(processor, 0);
    Map<String, Frame> frames = new LinkedHashMap<>();
    int camera = 0;
    for (String name : pictures.frames().keySet()) {
      int number = camera == 0 ? first : camera == 1 ? second : 50;
      if (camera != 1 || both) {
        frames.put(
            name, SelfTest.observation(processor, number).frames().values().iterator().next());
      }
      camera++;
    }
    float[] state = pictures.state().clone();
    state[0] += 0.01f * seed;
    ModelInput input =
        processor.prepare(new Observation(frames, state, prompt == 0 ? "lift it" : "put it down"));
    return new Sample(
        input,
        new IdentityNoise(0).draw(new ObservationId("r", "e", seed), policy.chunkNumbers()),
        null);
  }

  private void equal(List<float[]> reused, List<Sample> batch, float tolerance) {
    for (int row = 0; row < batch.size(); row++) {
      float[] alone = policy.sample(List.of(batch.get(row)), STEPS).x().getFirst();
      if (tolerance == 0) {
        assertThat(reused.get(row)).as("row %d", row).containsExactly(alone);
      } else {
        assertThat(reused.get(row))
            .as("row %d", row)
            .usingComparatorWithPrecision(tolerance)
            .containsExactly(alone);
      }
    }
  }
}
