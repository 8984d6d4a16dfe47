package dev.pi0stream.tests.tenstorrent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.pi0stream.device.Device;
import dev.pi0stream.device.Precision;
import dev.pi0stream.device.tt.TtDevice;
import dev.pi0stream.device.tt.python.Interpreter;
import dev.pi0stream.device.tt.ttnn.Memory;
import dev.pi0stream.device.tt.ttnn.Traffic;
import dev.pi0stream.job.bench.MadeUpBatch;
import dev.pi0stream.model.checkpoint.Checkpoint;
import dev.pi0stream.model.policy.Policy;
import dev.pi0stream.model.policy.Sample;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole policies on a chip: what is replayed is what was computed, and nothing is left behind. */
class TracedPolicyTest {
  private static final Path CHECKPOINTS = Path.of("golden/checkpoints");
  private static final int STEPS = 4;

  @ParameterizedTest
  @ValueSource(strings = {"pi0-tiny", "pi05-tiny"})
  void replayedChunksEqualThoseComputedOperationByOperation(String checkpoint) {
    try (TtDevice device = MockChips.open(MockChips.DOUBLE, Precision.BF16);
        Policy policy = load(checkpoint, device)) {
      for (int batch : new int[] {1, 2}) {
        List<Sample> first = MadeUpBatch.of(policy, 2, 7, batch);
        List<Sample> other = MadeUpBatch.of(policy, 2, 7, 2 * batch).subList(batch, 2 * batch);
        List<float[]> eager = policy.sample(first, STEPS).x();
        List<float[]> captured = policy.sample(other, STEPS).x();
        for (int i = 0; i < batch; i++) {
          assertThat(captured.get(i)).isNotEqualTo(eager.get(i));
        }
        policy.sample(first, STEPS);
        Traffic before = device.chip().traffic();
        long programs = device.chip().programs();
        assertEqual(policy.sample(first, STEPS).x(), eager);
        Traffic chunk = device.chip().traffic().since(before);
        assertThat(chunk.replays()).isEqualTo(3);
        // Inputs are copied to their places, results from theirs; the rest is replayed.
        assertThat(Set.of("copy", "slice")).containsAll(chunk.operations().keySet());
        assertThat(chunk.downloads()).isEqualTo(1);
        assertThat(chunk.calls()).isLessThan(100);
        System.out.printf("%s, batch %d: %d calls for a chunk%n", checkpoint, batch, chunk.calls());
        assertThat(device.chip().programs()).isEqualTo(programs);
        assertEqual(policy.sample(other, STEPS).x(), captured);
      }
    }
  }

  private static void assertEqual(List<float[]> actual, List<float[]> expected) {
    for (int i = 0; i < expected.size(); i++) {
      assertThat(actual.get(i)).containsExactly(expected.get(i));
    }
  }

  @Test
  void robotsOfABatchGetWhatTheyWouldGetAlone() {
    try (TtDevice device = MockChips.open(MockChips.DOUBLE, Precision.BF16);
        Policy policy = load("pi0-tiny", device)) {
      List<Sample> batch =
          List.of(
              MadeUpBatch.of(policy, 2, 3, 1).getFirst(),
              MadeUpBatch.of(policy, 1, 9, 1).getFirst(),
              MadeUpBatch.of(policy, 3, 5, 1).getFirst());
      List<float[]> together = policy.sample(batch, STEPS).x();
      for (int i = 0; i < batch.size(); i++) {
        float[] alone = policy.sample(batch.subList(i, i + 1), STEPS).x().getFirst();
        for (int j = 0; j < alone.length; j++) {
          assertThat(together.get(i)[j]).isCloseTo(alone[j], within(0.1f));
        }
      }
    }
  }

  @Test
  @Tag("long")
  void fiveHundredChunksLeaveNothingBehind() throws IOException {
    try (TtDevice device = MockChips.open(MockChips.TTNN, Precision.BFP8);
        Policy policy = load("pi0-tiny", device)) {
      List<Sample> batch = MadeUpBatch.of(policy, 2, 7, 1);
      for (int i = 0; i < 50; i++) {
        policy.sample(batch, STEPS);
      }
      int tensors = device.chip().tensors();
      long allocated = device.chip().memory(Memory.DRAM).allocatedBytes();
      long references = Interpreter.openReferences();
      long resident = residentBytes();
      Device.Usage usage = device.usage();
      device.chip().allowNewPrograms(false);
      for (int i = 0; i < 500; i++) {
        policy.sample(batch, STEPS);
      }
      assertThat(device.chip().tensors()).isEqualTo(tensors);
      assertThat(device.chip().memory(Memory.DRAM).allocatedBytes()).isEqualTo(allocated);
      assertThat(device.usage()).isEqualTo(usage);
      assertThat(Interpreter.openReferences()).isEqualTo(references);
      long grown = residentBytes() - resident;
      System.out.printf("resident memory grew by %.1f MB in 500 chunks%n", grown / 1e6);
      assertThat(grown).isLessThan(64L << 20);
    }
  }

  private static long residentBytes() throws IOException {
    System.gc();
    String line =
        Files.readAllLines(Path.of("/proc/self/status")).stream()
            .filter(entry -> entry.startsWith("VmRSS:"))
            .findFirst()
            .orElseThrow();
    return Long.parseLong(line.replaceAll("\\D", "")) << 10;
  }

  private static Policy load(String name, Device device) {
    try (Checkpoint checkpoint = Checkpoint.open(CHECKPOINTS.resolve(name))) {
      return Policy.load(checkpoint, device);
    }
  }
}
