package dev.pi0stream.device.tt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.pi0stream.device.Device;
import dev.pi0stream.device.DeviceException;
import dev.pi0stream.device.GatedLinear;
import dev.pi0stream.device.Linear;
import dev.pi0stream.device.Parameter;
import dev.pi0stream.device.Precision;
import dev.pi0stream.device.Sequences;
import dev.pi0stream.device.Stage;
import dev.pi0stream.device.Tensor;
import dev.pi0stream.device.tt.HostInput.Place;
import dev.pi0stream.device.tt.ttnn.DataType;
import dev.pi0stream.device.tt.ttnn.DeviceTrace;
import dev.pi0stream.device.tt.ttnn.DramFullException;
import dev.pi0stream.device.tt.ttnn.Layout;
import dev.pi0stream.device.tt.ttnn.Memory;
import dev.pi0stream.device.tt.ttnn.MeshDevice;
import dev.pi0stream.device.tt.ttnn.Operations;
import dev.pi0stream.device.tt.ttnn.Shape;
import dev.pi0stream.device.tt.ttnn.Traffic;
import dev.pi0stream.device.tt.ttnn.TtnnTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the Tenstorrent back end does beyond the contract: lifetimes, memory, traces. */
class TtDeviceTest {
  private static final int COLUMNS = 64;

  private TtDevice device;

  @BeforeEach
  void open() {
    device = TestChips.open(TestChips.ROUNDED, Precision.BF16);
  }

  @AfterEach
  void close() {
    if (device != null) { // or the test is skipped
      device.close();
    }
  }

  // Lifetimes -------------------------------------------------------------------------------------

  @Test
  void aTensorIsNotUsedAfterItWasFreed() {
    MeshDevice chip = device.chip();
    Operations operations = new Operations(chip);
    TtnnTensor tensor = chip.zeros(Shape.of(1, 1, 32, 32), DataType.BFLOAT16, Layout.TILE);
    TtnnTensor view = operations.view(tensor, Shape.of(1, 1, 1, 32, 32));
    tensor.close();
    // A view keeps what it looks at.
    operations.clone(view).close();
    view.close();
    assertThatIllegalStateException()
        .isThrownBy(() -> operations.clone(tensor))
        .withMessage("a tensor of 1 × 1 × 32 × 32 is used after it was freed");
    assertThatIllegalStateException().isThrownBy(tensor::share);
  }

  @Test
  void nothingIsUsedAfterTheDeviceWasClosed() {
    MeshDevice chip = device.chip();
    Operations operations = new Operations(chip);
    TtnnTensor tensor = chip.zeros(Shape.of(1, 1, 32, 32), DataType.BFLOAT16, Layout.TILE);
    device.close();
    assertThatIllegalStateException().isThrownBy(() -> operations.clone(tensor));
    assertThatIllegalStateException().isThrownBy(() -> chip.memory(Memory.DRAM));
    tensor.close();
    device = TestChips.open(TestChips.ROUNDED, Precision.BF16);
    assertThat(device.chip().tensors()).isZero();
  }

  @Test
  void aChipIsTakenOnceAndThereAreNoMore() {
    assertThatExceptionOfType(DeviceException.class)
        .isThrownBy(() -> TtDevice.open(TestChips.ttnn(TestChips.ROUNDED), 0, Precision.BF16))
        .withMessageContaining("tt:0 is in use");
    assertThatExceptionOfType(DeviceException.class)
        .isThrownBy(() -> TtDevice.open(TestChips.ttnn(TestChips.ROUNDED), 7, Precision.BF16))
        .withMessageContaining("tt:7: this machine has");
  }

  @Test
  void precisionsThatTheChipLacksAreRefused() {
    for (Precision precision : new Precision[] {Precision.FP32, Precision.INT8}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> TtDevice.open(TestChips.ttnn(TestChips.ROUNDED), 1, precision))
          .withMessage(
              "device 'tt' computes with weights of bfp8 or bf16, not of %s", precision.label());
    }
  }

  // Memory ----------------------------------------------------------------------------------------

  @Test
  void whereDramIsFullTheMessageSaysWhatNeedsLess() {
    MeshDevice chip = device.chip();
    Shape shape = Shape.of(1, 1, 1 << 20, 1 << 15);
    assertThatExceptionOfType(DeviceException.class)
        .isThrownBy(() -> chip.empty(shape, DataType.BFLOAT16, Layout.TILE))
        .withMessageContaining("the chip's DRAM is full")
        .withMessageContaining("smaller batch");
    assertThat(device.download(device.upload(new float[] {1, 2}, 1, 2))).containsExactly(1, 2);
  }

  @Test
  void whereTheCoresMemoryIsFullTheMessageSaysWhatNeedsLess() {
    MeshDevice chip = device.chip();
    Operations operations = new Operations(chip);
    try (TtnnTensor big =
        chip.empty(Shape.of(1, 1, 1 << 13, 1 << 14), DataType.BFLOAT16, Layout.TILE)) {
      assertThatExceptionOfType(DeviceException.class)
          .isThrownBy(() -> operations.multiply(big, 2, Memory.L1))
          .withMessageContaining("cores' own memory (L1)")
          .withMessageContaining("smaller batch");
    }
  }

  @Test
  void whatIsMadeIsFreed() {
    long before = device.chip().memory(Memory.DRAM).allocatedBytes();
    int tensors = device.chip().tensors();
    for (int i = 0; i < 20; i++) {
      try (Linear layer = layer(i);
          Tensor x = device.upload(random(33 * COLUMNS, i), 33, COLUMNS);
          Tensor y = device.linear(x, layer)) {
        assertThat(device.chip().tensors()).isEqualTo(tensors + 3);
        assertThat(y.rows()).isEqualTo(33);
      }
    }
    assertThat(device.chip().tensors()).isEqualTo(tensors);
    assertThat(device.chip().memory(Memory.DRAM).allocatedBytes()).isEqualTo(before);
  }

  @Test
  void whatIsLeftOfTheMemoryIsWhatNobodyHolds() {
    long free = device.spareBytes().orElseThrow();
    assertThat(free).isBetween(1L << 30, device.measurements().memoryBytes());
    int rows = 1 << 12;
    long bytes = (long) rows * COLUMNS * Float.BYTES;
    try (Tensor x = device.upload(new float[rows * COLUMNS], rows, COLUMNS)) {
      assertThat(device.spareBytes()).hasValue(free - bytes);
      assertThat(device.measurements().takenBytes()).isGreaterThanOrEqualTo(x.rows());
    }
    assertThat(device.spareBytes()).hasValue(free);
  }

  @Test
  void whatAStageTakesWhileItComputesIsNotLeft() {
    int rows = 1 << 12;
    long one = (long) rows * COLUMNS * Float.BYTES;
    long free = device.spareBytes().orElseThrow();
    try (Stage stage = device.stage("large")) {
      Tensor x = device.upload(random(rows * COLUMNS, 1), rows, COLUMNS);
      stage.run(Sequences.of(rows), () -> device.add(device.add(device.add(x, x), x), x)).close();
    }
    long left = device.spareBytes().orElseThrow();
    // Its input's place, and three sums at a time; room for its result that nobody uses is left.
    assertThat(free - left).isEqualTo(4 * one);
  }

  @Test
  void roomThatNobodyUsesMakesWay() {
    device.close();
    device = TestChips.open(TestChips.MOCK, Precision.BF16);
    long most = device.spareBytes().orElseThrow() * 3 / 5;
    int columns = (int) (most / (2L << 15) / 32) * 32;
    Place first = room(columns);
    Place second = room(columns - 32);
    Storage storage = new Storage(device.chip());
    storage.take(first).close();
    assertThat(storage.idleBytes()).isEqualTo(first.deviceBytes());
    TtnnTensor taken = storage.take(second);
    assertThat(storage.idleBytes()).isZero();
    assertThatExceptionOfType(DramFullException.class).isThrownBy(() -> storage.take(first));
    taken.close();
    storage.close();
  }

  private static Place room(int columns) {
    return new Place(Shape.of(1, 1, 1 << 15, columns), DataType.BFLOAT16, Layout.TILE);
  }

  @Test
  void paddingOfTilesIsNotComputedWith() {
    device.close();
    device = TestChips.open(TestChips.POISONED, Precision.BF16);
    int odd = 48;
    float[] weights = random(odd * odd, 1);
    try (GatedLinear gated =
            device.gatedLinear(
                Parameter.of("gate", odd, odd, weights), Parameter.of("up", odd, odd, weights));
        Linear layer = device.linear(Parameter.of("w", odd, odd, weights), null);
        Tensor x = device.upload(random(33 * odd, 2), 33, odd);
        Tensor y = device.linear(x, layer);
        Tensor z = device.gatedLinear(y, gated)) {
      for (float number : device.download(z)) {
        assertThat(number).isFinite();
      }
    }
  }

  // Traces ----------------------------------------------------------------------------------------

  @Test
  void aTraceIsNotReplayedOverWhatWasAllocatedSince() {
    MeshDevice chip = device.chip();
    Operations operations = new Operations(chip);
    Shape shape = Shape.of(1, 1, 32, 32);
    try (TtnnTensor x = chip.zeros(shape, DataType.BFLOAT16, Layout.TILE)) {
      operations.multiply(x, 2, Memory.DRAM).close();
      List<TtnnTensor> results = new ArrayList<>();
      DeviceTrace trace =
          chip.capture(
              () -> {
                results.add(operations.multiply(x, 2, Memory.DRAM));
                return results;
              });
      trace.replay();
      TtnnTensor later = chip.empty(shape, DataType.BFLOAT16, Layout.TILE);
      assertThat(trace.isStale()).isTrue();
      assertThatIllegalStateException()
          .isThrownBy(trace::replay)
          .withMessage("a trace is replayed over memory that was allocated after its capture");
      later.close();
      trace.replay();
      trace.close();
      results.forEach(TtnnTensor::close);
    }
  }

  @Test
  void whatIsKeptOfResultsGoesWhereNoReplayWrites() {
    int rows = 33;
    Sequences two = Sequences.of(rows, rows);
    try (Linear layer = layer(1)) {
      List<Tensor> kept = new ArrayList<>();
      List<float[]> expected = new ArrayList<>();
      for (int run = 0; run < 12; run++) {
        float[] values = random(two.rows() * COLUMNS, run);
        Traffic before = device.chip().traffic();
        Tensor both;
        try (Stage stage = device.stage("two")) {
          Tensor x = device.upload(values, two, COLUMNS);
          both = stage.run(two, () -> device.linear(x, layer));
        }
        // As a cache does, which keeps the last four.
        kept.add(device.rows(List.of(List.of(new Device.Rows(both, rows, rows)))));
        both.close();
        if (kept.size() > 4) {
          kept.removeFirst().close();
          expected.removeFirst();
        }
        Traffic since = device.chip().traffic().since(before);
        if (run > 6) {
          assertThat(since.replays()).isEqualTo(1);
          assertThat(since.operations()).containsOnlyKeys("copy", "slice");
        }
        try (Tensor x =
                device.upload(
                    Arrays.copyOfRange(values, rows * COLUMNS, 2 * rows * COLUMNS), rows, COLUMNS);
            Tensor y = device.linear(x, layer)) {
          expected.add(device.download(y));
        }
        for (int i = 0; i < kept.size(); i++) {
          assertThat(device.download(kept.get(i))).containsExactly(expected.get(i));
        }
      }
    }
  }

  @Test
  void transfersAndTracesAreMeasured() {
    try (Linear layer = layer(1)) {
      for (int run = 0; run < 3; run++) {
        staged(layer, random(COLUMNS, run), 1);
      }
      Device.Measurements before = device.measurements();
      staged(layer, random(COLUMNS, 3), 1);
      device.synchronize();
      Device.Measurements now = device.measurements();
      assertThat(now.uploadedBytes() - before.uploadedBytes())
          .isEqualTo(32L * COLUMNS * Float.BYTES);
      assertThat(now.downloadedBytes() - before.downloadedBytes())
          .isEqualTo(32L * COLUMNS * Short.BYTES);
      assertThat(now.traces()).isEqualTo(1);
      assertThat(now.replays() - before.replays()).isEqualTo(1);
      assertThat(now.calls() - before.calls()).isBetween(5L, 20L);
      assertThat(now.programs()).isPositive().isEqualTo(before.programs());
      assertThat(now.takenBytes()).isEqualTo(before.takenBytes());
    }
  }

  @Test
  void aStageIsReplayedFromTheSecondTimeOnAndGivesTheSame() {
    try (Linear layer = layer(1)) {
      for (int i = 0; i < 4; i++) {
        int rows = 10 + i;
        float[] values = random(rows * COLUMNS, i);
        float[] expected = eager(layer, values, rows);
        Traffic before = device.chip().traffic();
        assertThat(staged(layer, values, rows)).containsExactly(expected);
        Traffic since = device.chip().traffic().since(before);
        assertThat(since.replays()).isEqualTo(i == 0 ? 0 : 1);
        if (i > 1) {
          assertThat(since.operations()).containsOnlyKeys("copy");
          assertThat(since.uploads()).isEqualTo(1);
          assertThat(since.downloads()).isEqualTo(1);
        }
      }
      assertThat(device.stageCount()).isEqualTo(new TtDevice.StageCount(2, 1));
    }
  }

  private float[] eager(Linear layer, float[] values, int rows) {
    try (Stage stage = device.stage("eager")) {
      Tensor x = device.upload(values, rows, COLUMNS);
      try (Tensor y =
          stage.runUnrecorded(Sequences.of(rows), () -> device.linear(device.add(x, x), layer))) {
        return device.download(y);
      }
    }
  }

  private float[] staged(Linear layer, float[] values, int rows) {
    try (Stage stage = device.stage("twice")) {
      Tensor x = device.upload(values, rows, COLUMNS);
      try (Tensor y = stage.run(Sequences.of(rows), () -> device.linear(device.add(x, x), layer))) {
        return device.download(y);
      }
    }
  }

  @Test
  void anUploadInABodyIsRefusedAndTheCaptureEnds() {
    for (int i = 0; i < 3; i++) {
      try (Stage stage = device.stage("wrong")) {
        Tensor x = device.upload(random(COLUMNS, i), 1, COLUMNS);
        assertThatIllegalStateException()
            .isThrownBy(
                () ->
                    stage.run(
                        Sequences.of(1),
                        () -> device.add(x, device.upload(new float[COLUMNS], 1, COLUMNS))))
            .withMessageContaining("an upload in its body");
      }
    }
    MeshDevice chip = device.chip();
    assertThatIllegalStateException()
        .isThrownBy(
            () ->
                chip.capture(
                    () ->
                        List.of(
                            chip.zeros(Shape.of(1, 1, 32, 32), DataType.BFLOAT16, Layout.TILE))))
        .withMessage("an allocation inside a capture: a trace holds operations on the device only");
    assertThatIllegalStateException()
        .isThrownBy(
            () ->
                chip.capture(
                    () -> {
                      chip.capture(List::of);
                      return List.of();
                    }))
        .withMessageContaining("a capture inside a capture");
    try (Linear layer = layer(1)) {
      float[] values = random(COLUMNS, 5);
      assertThat(staged(layer, values, 1)).containsExactly(eager(layer, values, 1));
    }
  }

  @Test
  void aTraceEndsWithTheWeightsThatItReads() {
    float[] values = random(COLUMNS, 7);
    for (int i = 0; i < 3; i++) {
      try (Linear layer = layer(i)) {
        for (int run = 0; run < 3; run++) {
          assertThat(staged(layer, values, 1)).containsExactly(eager(layer, values, 1));
        }
        assertThat(device.stageCount().traces()).isEqualTo(1);
      }
      assertThat(device.stageCount().traces()).isZero();
    }
  }

  @Test
  void resultsOutliveLaterReplays() {
    try (Linear layer = layer(3)) {
      float[] values = random(COLUMNS, 8);
      Tensor kept = null;
      for (int run = 0; run < 4; run++) {
        try (Stage stage = device.stage("kept")) {
          Tensor x = device.upload(run == 2 ? values : random(COLUMNS, run), 1, COLUMNS);
          Tensor y = stage.run(Sequences.of(1), () -> device.linear(x, layer));
          if (run == 2) {
            kept = y;
          }
        }
      }
      try (Tensor x = device.upload(values, 1, COLUMNS);
          Tensor y = device.linear(x, layer)) {
        assertThat(device.download(kept)).containsExactly(device.download(y));
      }
    }
  }

  private Linear layer(long seed) {
    return device.linear(
        Parameter.of("w", COLUMNS, COLUMNS, random(COLUMNS * COLUMNS, seed)), null);
  }

  private static float[] random(int count, long seed) {
    Random random = new Random(seed);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian() / 8;
    }
    return values;
  }
}
