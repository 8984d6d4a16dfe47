package dev.pi0stream.tests.tenstorrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.pi0stream.device.Device;
import dev.pi0stream.device.Precision;
import dev.pi0stream.device.tt.TtDevice;
import dev.pi0stream.device.tt.ttnn.Traffic;
import dev.pi0stream.job.bench.MadeUpBatch;
import dev.pi0stream.model.checkpoint.Checkpoint;
import dev.pi0stream.model.engine.ResidentPolicy;
import dev.pi0stream.model.engine.Reuse;
import dev.pi0stream.model.engine.ReuseBudget;
import dev.pi0stream.model.engine.ServedPolicy;
import dev.pi0stream.model.policy.Policy;
import dev.pi0stream.model.policy.Sample;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is kept on a chip from batch to batch, beside traces that are replayed. */
class ReuseOnChipTest {
  private static final Path CHECKPOINT = Path.of("golden/checkpoints/pi0-tiny");

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void batchesOfNewPicturesReplayTheirTracesOnceTheCacheIsFull(int robots) {
    try (TtDevice device = MockChips.open(MockChips.DOUBLE, Precision.BF16);
        Policy plain = policy(device)) {
      List<Sample> samples = MadeUpBatch.of(plain, 2, 7, 12 * robots);
      List<float[]> expected =
          plain.sample(samples.subList(11 * robots, 12 * robots), steps(plain)).x();
      try (ResidentPolicy resident = resident(device, ReuseBudget.of(100_000L * robots))) {
        for (int round = 0; round < 11; round++) {
          resident.infer(samples.subList(round * robots, (round + 1) * robots));
        }
        assertThat(resident.reuse().evictions()).isPositive();
        Traffic before = device.chip().traffic();
        Device.Measurements measured = resident.measurements();
        ServedPolicy.Inference last = resident.infer(samples.subList(11 * robots, 12 * robots));
        Traffic chunk = device.chip().traffic().since(before);
        assertThat(chunk.replays()).isEqualTo(3);
        assertThat(Set.of("copy", "slice")).containsAll(chunk.operations().keySet());
        for (int i = 0; i < robots; i++) {
          assertThat(last.x().get(i)).containsExactly(expected.get(i));
        }
        Device.Measurements now = resident.measurements();
        assertThat(now.replays()).isEqualTo(measured.replays() + 3);
        assertThat(now.traces()).isEqualTo(3);
        assertThat(now.uploadedBytes()).isGreaterThan(measured.uploadedBytes());
        assertThat(now.downloadedBytes()).isGreaterThan(measured.downloadedBytes());
        assertThat(now.takenBytes()).isEqualTo(measured.takenBytes());
        assertThat(now.programs()).isEqualTo(measured.programs());
      }
    }
  }

  @Test
  void withoutASettingWhatTheChipHasLeftIsKept() {
    try (TtDevice device = MockChips.open(MockChips.DOUBLE, Precision.BF16);
        Policy plain = policy(device)) {
      Sample sample = MadeUpBatch.of(plain, 2, 7, 1).getFirst();
      try (ResidentPolicy resident = resident(device, ReuseBudget.OF_DEVICE)) {
        resident.infer(List.of(sample));
        assertThat(resident.reuse().evictions()).isZero();
        assertThat(resident.infer(List.of(sample)).reuse()).containsExactly(new Reuse(2, true));
      }
    }
  }

  @Test
  void moreThanTheChipHasIsRefused() {
    TtDevice device = MockChips.open(MockChips.DOUBLE, Precision.BF16);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> resident(device, ReuseBudget.of(1L << 40)))
        .withMessageStartingWith("memory for reuse is 1048576 MiB: expected at most ")
        .withMessageContaining("which device 'tt' has beside the policy");
  }

  private static ResidentPolicy resident(Device device, ReuseBudget budget) {
    try (Checkpoint checkpoint = Checkpoint.open(CHECKPOINT)) {
      return ResidentPolicy.load(checkpoint, device, budget);
    }
  }

  private static Policy policy(Device device) {
    try (Checkpoint checkpoint = Checkpoint.open(CHECKPOINT)) {
      return Policy.load(checkpoint, device);
    }
  }

  private static int steps(Policy policy) {
    return policy.config().inferenceSteps();
  }
}
