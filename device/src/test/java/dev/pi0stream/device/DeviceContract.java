package dev.pi0stream.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;

import dev.pi0stream.device.reference.ReferenceDevice;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What every back end does: each operation against {@code reference}, over awkward sizes; shapes
 * that do not fit; lifetimes. Both devices get the same numbers and run the same lines.
 */
abstract class DeviceContract {
  private static final int[] ROWS = {0, 1, 31, 33, 64, 257};

  private final Device reference = new ReferenceDevice();
  private Device device;

  /** A new device of the back end under test. */
  protected abstract Device open();

  /** The largest error of a matrix product, in units of the root mean square of the result. */
  protected abstract double productTolerance();

  /** A number as the device keeps it among keys and values. */
  protected float stored(float value) {
    return value;
  }

  /** The nearest number of bf16. */
  static float bf16(float value) {
    int bits = Float.floatToRawIntBits(value);
    return Float.intBitsToFloat((bits + 0x7fff + (bits >>> 16 & 1)) & 0xffff0000);
  }

  /** The same for what is no product. */
  protected double tolerance() {
    return 2e-6;
  }

  /** The same for a layer that asks for fp32. */
  protected double exactProductTolerance() {
    return 1e-5;
  }

  /** The largest relative error of numbers that are moved only, between their upload and back. */
  protected float movedTolerance() {
    return 0;
  }

  /** What is added to the error of a softmax of scores in the hundred thousands. */
  protected double bigScoreTolerance() {
    return 0;
  }

  /** What a tensor takes on the device, in bytes. */
  protected long bytes(Tensor tensor) {
    return tensor.rows() * (long) tensor.columns() * Float.BYTES;
  }

  @BeforeEach
  void openDevice() {
    device = open();
  }

  @AfterEach
  void closeDevice() {
    if (device != null) { // or the test is skipped
      device.close();
    }
    reference.close();
  }

  protected final Device device() {
    return device;
  }

  // Operations ----------------------------------------------------------------------------------

  @Test
  void uploadedNumbersComeBack() {
    for (int rows : ROWS) {
      float[] values = random(rows * 7, 1);
      assertThat(device.download(device.upload(values, rows, 7))).containsExactly(values);
    }
  }

  @Test
  void uploadCopies() {
    float[] values = {1, 2};
    Tensor tensor = device.upload(values, 1, 2);
    values[0] = 9;
    float[] downloaded = device.download(tensor);
    assertThat(downloaded).containsExactly(1, 2);
    downloaded[0] = 9;
    assertThat(device.download(tensor)).containsExactly(1, 2);
  }

  @ParameterizedTest
  @CsvSource({"14, 7", "14, 14", "15, 5", "4, 1", "28, 14"})
  void patchesAreCutRowByRow(int side, int patch) {
    for (int images : new int[] {0, 1, 3}) {
      float[] pixels = random(images * 3 * side * side, 2);
      same(on -> on.patches(on.images(pixels, images, side), patch));
    }
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void embeddingsAreLookedUpAndScaled(DType type) {
    Parameter table = stored("table", type, 13, 27, 3);
    int[] ids = {12, 0, 5, 5, 7};
    same(
        on ->
            on.embed(
                on.embedding(table, (float) Math.sqrt(27)),
                on.indices(ids, Sequences.of(2, 0, 3))));
    same(on -> on.embed(on.embedding(table, 1), on.indices(new int[0], Sequences.of(0))));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 47, 64, 2048})
  void layerNormsAgree(int columns) {
    Parameter weight = Parameter.vector("w", random(columns, 4));
    Parameter bias = Parameter.vector("b", random(columns, 5));
    for (int rows : ROWS) {
      float[] x = shifted(random(rows * columns, 6), 3);
      // The mean is subtracted: x's own rounding counts in units of what is left.
      close(
          tolerance() * 20,
          on -> on.layerNorm(on.upload(x, rows, columns), on.layerNorm(weight, bias, 1e-6f)));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 47, 64, 2048})
  void rmsNormsAgree(int columns) {
    Parameter weight = Parameter.vector("w", random(columns, 7));
    for (int rows : ROWS) {
      float[] x = random(rows * columns, 8);
      close(
          tolerance(),
          on -> on.rmsNorm(on.upload(x, rows, columns), on.rmsNorm(weight, columns, 1e-6f)));
      close(
          tolerance(),
          on -> on.rmsNorm(on.upload(x, rows, columns), on.rmsNorm(null, columns, 1e-6f)));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 47, 64, 1024})
  void adaptiveRmsNormsAgree(int columns) {
    Parameter weight = Parameter.vector("w", random(columns, 9));
    float[] scale = random(columns, 10);
    float[] shift = random(columns, 11);
    for (int rows : ROWS) {
      float[] x = random(rows * columns, 12);
      for (Parameter w : Arrays.asList(weight, null)) {
        close(
            tolerance(),
            on ->
                on.adaptiveRmsNorm(
                    on.upload(x, rows, columns),
                    on.rmsNorm(w, columns, 1e-6f),
                    on.upload(scale, 1, columns),
                    on.upload(shift, 1, columns)));
      }
    }
  }

  @Test
  void normsOfZerosAndOfLargeNumbersAreFinite() {
    float[] x = new float[3 * 33];
    Arrays.fill(x, 33, 66, 1e15f);
    Arrays.fill(x, 66, 99, -1e-15f);
    close(tolerance(), on -> on.rmsNorm(on.upload(x, 3, 33), on.rmsNorm(null, 33, 1e-6f)));
    assertThat(device.download(device.rmsNorm(device.upload(x, 3, 33), norm(device, 33))))
        .startsWith(new float[33]);
  }

  private static Norm norm(Device on, int columns) {
    return on.rmsNorm(null, columns, 1e-6f);
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1",
    "5, 3",
    "63, 37",
    "64, 136",
    "588, 48",
    "32, 1024",
    "1024, 32",
    "257, 129",
    "2048, 96"
  })
  void linearLayersAgree(int inputs, int outputs) {
    Parameter weight = Parameter.of("w", outputs, inputs, weights(outputs, inputs, 13));
    Parameter bias = Parameter.vector("b", random(outputs, 14));
    for (int rows : ROWS) {
      float[] x = random(rows * inputs, 15);
      closeProducts(on -> on.linear(on.upload(x, rows, inputs), on.linear(weight, bias)));
      closeProducts(on -> on.linear(on.upload(x, rows, inputs), on.linear(weight, null)));
    }
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void linearLayersTakeEveryStoredType(DType type) {
    Parameter weight = stored("w", type, 29, 43, 16);
    Parameter bias = stored("b", type, 1, 29, 17);
    float[] x = random(5 * 43, 18);
    closeProducts(on -> on.linear(on.upload(x, 5, 43), on.linear(weight, bias)));
  }

  @Test
  void everyEpilogueAgrees() {
    int inputs = 45;
    int outputs = 70;
    Parameter weight = Parameter.of("w", outputs, inputs, weights(outputs, inputs, 19));
    Parameter bias = Parameter.vector("b", random(outputs, 20));
    float[] shift = random(outputs, 21);
    float[] gate = random(outputs, 22);
    for (int rows : new int[] {0, 1, 33}) {
      float[] x = random(rows * inputs, 23);
      float[] residual = random(rows * outputs, 24);
      for (Activation activation : Activation.values()) {
        for (int parts = 0; parts < 16; parts++) {
          boolean biased = (parts & 1) != 0;
          boolean shifted = (parts & 2) != 0;
          boolean gated = (parts & 4) != 0;
          boolean added = (parts & 8) != 0;
          closeProducts(
              on ->
                  on.linear(
                      on.upload(x, rows, inputs),
                      on.linear(weight, biased ? bias : null),
                      new Epilogue(
                          shifted ? on.upload(shift, 1, outputs) : null,
                          activation,
                          added ? on.upload(residual, rows, outputs) : null,
                          gated ? on.upload(gate, 1, outputs) : null)));
        }
      }
    }
  }

  @Test
  void linearLayersMayAskForFp32() {
    Parameter weight = Parameter.of("w", 70, 45, weights(70, 45, 19));
    Parameter bias = Parameter.vector("b", random(70, 20));
    List<Parameter> biases = List.of(bias, bias, bias);
    Heads heads = new Heads(3, 3, 15);
    Heads packed = new Heads(2, 2, 35);
    Precision exact = Precision.FP32;
    for (int rows : ROWS) {
      float[] x = random(rows * 45, 23);
      close(
          exactProductTolerance(),
          on -> on.linear(on.upload(x, rows, 45), on.linear(weight, bias, exact)));
      close(
          exactProductTolerance(),
          on -> on.linear(on.upload(x, rows, 45), on.merge(heads, weight, bias, exact)));
      close(
          exactProductTolerance(),
          on ->
              on.linear(
                  on.upload(x, rows, 45),
                  on.projection(packed, weight, weight, weight, biases, exact)));
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> reference.linear(weight, bias, Precision.BF16))
        .withMessage("linear: bf16 on a device of fp32");
  }

  @Test
  void activationsOfLargeNumbersSaturate() {
    float[] x = {-1e4f, -90, -20, -1e-3f, 0, 1e-3f, 20, 90, 1e4f};
    Parameter one = Parameter.of("w", 1, 1, 1);
    for (Activation activation : Activation.values()) {
      closeProducts(
          on ->
              on.linear(
                  on.upload(x, x.length, 1),
                  on.linear(one, null),
                  Epilogue.activation(activation)));
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "47, 31", "64, 136", "96, 1000"})
  void gatedLinearLayersAgree(int inputs, int outputs) {
    Parameter gate = Parameter.of("gate", outputs, inputs, weights(outputs, inputs, 25));
    Parameter up = Parameter.of("up", outputs, inputs, weights(outputs, inputs, 26));
    for (int rows : ROWS) {
      float[] x = random(rows * inputs, 27);
      // Two products, and their product.
      close(
          productTolerance() * 2,
          on -> on.gatedLinear(on.upload(x, rows, inputs), on.gatedLinear(gate, up)));
    }
  }

  @ParameterizedTest
  @CsvSource({"8, 1, 16", "4, 2, 6", "5, 5, 8", "0, 2, 4"})
  void projectionsArePackedQueriesKeysValues(int query, int keyValue, int size) {
    Heads heads = new Heads(query, keyValue, size);
    int inputs = 33;
    Parameter q =
        query == 0
            ? null
            : Parameter.of(
                "q", heads.queryColumns(), inputs, weights(heads.queryColumns(), inputs, 28));
    int width = heads.keyValueColumns();
    Parameter k = Parameter.of("k", width, inputs, weights(width, inputs, 29));
    Parameter v = stored("v", DType.BF16, width, inputs, 30);
    List<Parameter> biases = new ArrayList<>();
    if (q != null) {
      biases.add(Parameter.vector("qb", random(heads.queryColumns(), 31)));
    }
    biases.add(Parameter.vector("kb", random(width, 32)));
    biases.add(Parameter.vector("vb", random(width, 33)));
    float[] x = random(9 * inputs, 34);
    closeProducts(on -> on.linear(on.upload(x, 9, inputs), on.projection(heads, q, k, v, biases)));
    closeProducts(
        on -> on.linear(on.upload(x, 9, inputs), on.projection(heads, q, k, v, List.of())));
    float[] packed = device.download(project(device, heads, q, k, v, x, 9, inputs));
    float[] keys = device.download(device.linear(device.upload(x, 9, inputs), linear(k)));
    for (int row = 0; row < 9; row++) {
      for (int i = 0; i < width; i++) {
        assertThat(packed[row * heads.columns() + heads.queryColumns() + i])
            .isCloseTo(keys[row * width + i], within(1e-5f + batchTolerance()));
      }
    }
  }

  private Linear linear(Parameter weight) {
    return device.linear(weight, null);
  }

  private static Tensor project(
      Device on,
      Heads heads,
      Parameter q,
      Parameter k,
      Parameter v,
      float[] x,
      int rows,
      int inputs) {
    return on.linear(on.upload(x, rows, inputs), on.projection(heads, q, k, v, List.of()));
  }

  @Test
  void mergesAgree() {
    Heads heads = new Heads(4, 2, 6);
    Parameter weight = Parameter.of("o", 17, 24, weights(17, 24, 35));
    Parameter bias = Parameter.vector("b", random(17, 36));
    float[] x = random(5 * 24, 37);
    closeProducts(on -> on.linear(on.upload(x, 5, 24), on.merge(heads, weight, bias)));
    closeProducts(on -> on.linear(on.upload(x, 5, 24), on.merge(heads, weight, null)));
  }

  @ParameterizedTest
  @CsvSource({"8, 1, 16", "4, 2, 72", "5, 5, 256", "0, 2, 16", "1, 1, 2"})
  void rotationsAgree(int query, int keyValue, int size) {
    Heads heads = new Heads(query, keyValue, size);
    for (int rows : ROWS) {
      int[] positions = new Random(38).ints(rows, -1, 900).toArray();
      float[] x = random(rows * heads.columns(), 39);
      close(
          tolerance(),
          on ->
              on.rope(
                  on.upload(x, rows, heads.columns()),
                  heads,
                  on.rotation(positions, Sequences.of(rows), size, 10_000)));
    }
  }

  @ParameterizedTest
  @CsvSource({"8, 1, 16", "4, 2, 16", "5, 5, 16", "16, 16, 72", "8, 1, 256", "1, 1, 1", "6, 3, 7"})
  void attentionAgreesOnManyRaggedSequences(int query, int keyValue, int size) {
    Heads heads = new Heads(query, keyValue, size);
    for (Sequences sequences :
        List.of(
            Sequences.of(),
            Sequences.of(0, 0),
            Sequences.of(1),
            Sequences.of(31, 1, 0, 33),
            Sequences.uniform(8, 9),
            Sequences.of(2, 0, 64, 5, 1, 0, 0, 17, 3, 100))) {
      float[] packed = random(sequences.rows() * heads.columns(), 40);
      close(
          tolerance() * 5,
          on ->
              on.attention(
                  on.upload(packed, sequences, heads.columns()), heads, on.mask(sequences)));
    }
  }

  @ParameterizedTest
  @CsvSource({"8, 1, 16", "4, 2, 16", "5, 5, 16", "2, 2, 72", "8, 1, 256"})
  void attentionAgreesOverAContext(int query, int keyValue, int size) {
    Heads heads = new Heads(query, keyValue, size);
    Heads stored = heads.withoutQueries();
    for (List<Sequences> pair :
        List.of(
            List.of(Sequences.of(0, 0), Sequences.of(3, 1)),
            List.of(Sequences.of(40, 0, 7, 1), Sequences.of(5, 6, 0, 33)),
            List.of(Sequences.uniform(8, 13), Sequences.uniform(8, 4)),
            List.of(Sequences.of(257), Sequences.of(1)))) {
      Sequences before = pair.getFirst();
      Sequences own = pair.getLast();
      float[] context = random(before.rows() * stored.columns(), 41);
      float[] packed = random(own.rows() * heads.columns(), 42);
      close(
          tolerance() * 5,
          on -> {
            KeyValues keyValues = on.keyValues(before, 3, stored);
            on.store(on.upload(context, before, stored.columns()), stored, keyValues, 1);
            return on.attention(
                on.upload(packed, own, heads.columns()), heads, on.mask(own, before), keyValues, 1);
          });
    }
  }

  @Test
  void softmaxIsStableForBigScores() {
    Heads heads = new Heads(2, 1, 16);
    float[] packed = random(20 * heads.columns(), 43);
    for (int i = 0; i < packed.length; i++) {
      packed[i] *= 300;
    }
    close(
        1e-3 + bigScoreTolerance(),
        on ->
            on.attention(
                on.upload(packed, Sequences.of(13, 7), heads.columns()),
                heads,
                on.mask(Sequences.of(13, 7))));
  }

  @Test
  void attentionOfOneRowIsItsValue() {
    Heads heads = new Heads(4, 2, 3);
    float[] packed = random(heads.columns(), 44);
    float[] result =
        device.download(
            device.attention(
                device.upload(packed, 1, heads.columns()), heads, device.mask(Sequences.of(1))));
    float[] first = Arrays.copyOfRange(packed, 18, 21);
    float[] second = Arrays.copyOfRange(packed, 21, 24);
    for (int i = 0; i < 3; i++) {
      assertThat(result[i]).isCloseTo(first[i], within(1e-6f + 3 * movedTolerance()));
      assertThat(result[3 + i]).isCloseTo(first[i], within(1e-6f + 3 * movedTolerance()));
      assertThat(result[6 + i]).isCloseTo(second[i], within(1e-6f + 3 * movedTolerance()));
      assertThat(result[9 + i]).isCloseTo(second[i], within(1e-6f + 3 * movedTolerance()));
    }
  }

  private float[] allStored(float[] values) {
    for (int i = 0; i < values.length; i++) {
      values[i] = stored(values[i]);
    }
    return values;
  }

  @Test
  void storedKeysAndValuesComeBackAndJoin() {
    Heads heads = new Heads(4, 2, 5);
    Sequences first = Sequences.of(3, 0, 2);
    Sequences second = Sequences.of(1, 4);
    float[] a = allStored(random(5 * heads.columns(), 45));
    float[] b = allStored(random(5 * heads.columns(), 46));
    KeyValues one = device.keyValues(first, 2, heads);
    KeyValues other = device.keyValues(second, 2, heads);
    for (int layer = 0; layer < 2; layer++) {
      device.store(device.upload(a, first, heads.columns()), heads, one, layer);
      device.store(device.upload(b, second, heads.columns()), heads, other, layer);
      float[] swap = a;
      a = b;
      b = swap;
    }
    Device.HostKeyValues stored = device.download(one, 0, 2);
    assertThat(stored.rows()).isEqualTo(2);
    moved(stored.keys(), columns(a, heads, 3, 5, 20));
    moved(stored.values(), columns(a, heads, 3, 5, 30));

    KeyValues joined =
        device.join(
            List.of(
                List.of(new Device.Part(one, 2), new Device.Part(other, 1)),
                List.of(),
                List.of(new Device.Part(one, 1)),
                List.of(new Device.Part(other, 0))));
    assertThat(joined.sequences()).isEqualTo(Sequences.of(6, 0, 0, 1));
    one.close();
    other.close();
    Device.HostKeyValues both = device.download(joined, 1, 0);
    assertThat(both.rows()).isEqualTo(6);
    moved(both.keys(), concatenated(columns(b, heads, 3, 5, 20), columns(a, heads, 1, 5, 20)));
    moved(both.values(), concatenated(columns(b, heads, 3, 5, 30), columns(a, heads, 1, 5, 30)));
    assertThat(device.download(joined, 0, 1).keys()).isEmpty();
    moved(device.download(joined, 0, 3).keys(), columns(b, heads, 0, 1, 20));
  }

  @Test
  void rowsAreSlicedGatheredAndConcatenated() {
    float[] a = random(5 * 3, 47);
    float[] b = random(2 * 3, 48);
    Tensor first = device.upload(a, 5, 3);
    Tensor second = device.upload(b, 2, 3);
    Tensor rows =
        device.rows(
            List.of(
                List.of(new Device.Rows(first, 3, 2), Device.Rows.of(second)),
                List.of(new Device.Rows(first, 5, 0)),
                List.of(new Device.Rows(first, 0, 1))));
    assertThat(rows.sequences()).isEqualTo(Sequences.of(4, 0, 1));
    assertThat(device.download(rows))
        .containsExactly(
            concatenated(
                Arrays.copyOfRange(a, 9, 15), concatenated(b, Arrays.copyOfRange(a, 0, 3))));
  }

  @Test
  void additionRepeatsItsSecondArgument() {
    float[] x = random(12 * 5, 49);
    for (int rows : new int[] {1, 3, 4, 12}) {
      float[] y = random(rows * 5, 50);
      Sequences sequences = Sequences.uniform(12 / rows, rows);
      close(tolerance(), on -> on.add(on.upload(x, sequences, 5), on.upload(y, rows, 5)));
    }
    Sequences ragged = Sequences.of(3, 0, 9);
    float[] y = random(12 * 5, 50);
    close(tolerance(), on -> on.add(on.upload(x, ragged, 5), on.upload(y, ragged, 5)));
    close(
        tolerance(), on -> on.add(on.upload(new float[0], Sequences.of(), 5), on.upload(x, 12, 5)));
    close(tolerance(), on -> on.add(on.upload(new float[0], 0, 5), on.upload(new float[0], 0, 5)));
  }

  @Test
  void stepsAgree() {
    for (int rows : ROWS) {
      float[] x = random(rows * 32, 51);
      float[] v = random(rows * 32, 52);
      close(tolerance(), on -> on.axpy(on.upload(x, rows, 32), -0.1f, on.upload(v, rows, 32)));
    }
  }

  @Test
  void guidanceAgrees() {
    float[] v = random(7 * 4, 53);
    float[] x = random(7 * 4, 54);
    float[] previous = random(7 * 4, 55);
    float[] weights = {1, 1, 0.75f, 0.5f, 0.25f, 0, 0};
    close(
        tolerance(),
        on ->
            on.guide(
                on.upload(v, 7, 4),
                on.upload(x, 7, 4),
                on.upload(previous, 7, 4),
                on.upload(weights, 7, 1),
                0.7f,
                3.5f));
  }

  @Test
  void argumentsStayAsTheyWere() {
    Heads heads = new Heads(2, 1, 4);
    float[] values = random(3 * 16, 56);
    Tensor packed = device.upload(values, 3, 16);
    device.rope(packed, heads, device.rotation(new int[] {1, 2, 3}, packed.sequences(), 4, 10_000));
    device.attention(packed, heads, device.mask(packed.sequences()));
    device.add(packed, packed);
    device.axpy(packed, 2, packed);
    device.rmsNorm(packed, device.rmsNorm(null, 16, 1e-6f));
    Linear identity = device.linear(Parameter.of("i", 16, 16, weights(16, 16, 57)), null);
    device.linear(packed, identity, Epilogue.residual(packed));
    assertThat(device.download(packed)).containsExactly(values);
  }

  /** The largest difference that a row may show when it is computed in another batch. */
  protected abstract float batchTolerance();

  @Test
  void rowsOfABatchEqualTheSameRowsAlone() {
    Heads heads = new Heads(4, 1, 32);
    int inputs = 64;
    Parameter q = Parameter.of("q", 128, inputs, weights(128, inputs, 58));
    Parameter k = Parameter.of("k", 32, inputs, weights(32, inputs, 59));
    Parameter v = Parameter.of("v", 32, inputs, weights(32, inputs, 60));
    Parameter o = Parameter.of("o", inputs, 128, weights(inputs, 128, 61));
    int[] lengths = {50, 3, 1, 77, 20, 64, 33, 9};
    Sequences batch = Sequences.of(lengths);
    float[] x = random(batch.rows() * inputs, 62);
    float[] together = block(heads, batch, x, q, k, v, o);
    for (int i = 0; i < lengths.length; i++) {
      int from = batch.start(i) * inputs;
      int to = from + lengths[i] * inputs;
      float[] alone =
          block(heads, Sequences.of(lengths[i]), Arrays.copyOfRange(x, from, to), q, k, v, o);
      assertThat(Arrays.copyOfRange(together, from, to))
          .usingComparatorWithPrecision(batchTolerance())
          .containsExactly(alone);
    }
  }

  private float[] block(
      Heads heads,
      Sequences sequences,
      float[] x,
      Parameter q,
      Parameter k,
      Parameter v,
      Parameter o) {
    Tensor input = device.upload(x, sequences, q.columns());
    Tensor normed = device.rmsNorm(input, norm(device, q.columns()));
    Tensor packed = device.linear(normed, device.projection(heads, q, k, v, List.of()));
    Tensor attended = device.attention(packed, heads, device.mask(sequences));
    return device.download(
        device.linear(attended, device.merge(heads, o, null), Epilogue.residual(input)));
  }

  // Shapes that do not fit ------------------------------------------------------------------------

  @Test
  void wrongShapesAreRefusedWithTheOperationAndBothShapes() {
    Heads heads = new Heads(2, 1, 4);
    Tensor x = device.upload(new float[15], 3, 5);
    Tensor y = device.upload(new float[14], 2, 7);
    Norm norm = device.rmsNorm(null, 6, 1e-6f);
    Linear linear = device.linear(Parameter.of("w", 4, 6, new float[24]), null);
    Linear fitting = device.linear(Parameter.of("w", 4, 5, new float[20]), null);
    Parameter wide = Parameter.of("wide", 2, 3, new float[6]);
    Parameter tall = Parameter.of("tall", 3, 2, new float[6]);
    GatedLinear gated = device.gatedLinear(wide, wide);
    KeyValues keyValues = device.keyValues(Sequences.of(2), 1, heads);

    refused(() -> device.upload(new float[5], 2, 3), "upload", "5", "2 × 3");
    refused(() -> device.upload(new float[0], -1, 1), "upload", "-1 rows");
    refused(() -> device.add(x, y), "add", "3 × 5", "2 × 7");
    refused(() -> device.add(x, device.upload(new float[10], 2, 5)), "add", "3 × 5", "2 × 5");
    refused(() -> device.axpy(x, 1, y), "axpy", "3 × 5", "2 × 7");
    refused(() -> device.guide(x, x, y, y, 0, 0), "guide", "3 × 5", "2 × 7");
    refused(() -> device.guide(x, x, x, x, 0, 0), "guide", "weights is 3 × 5");
    refused(() -> device.rmsNorm(x, norm), "rmsNorm", "3 × 5", "1 × 6");
    refused(() -> device.layerNorm(x, norm), "layerNorm", "3 × 5", "1 × 6");
    refused(() -> device.adaptiveRmsNorm(x, norm, x, x), "adaptiveRmsNorm", "3 × 5", "1 × 6");
    refused(
        () -> device.adaptiveRmsNorm(x, device.rmsNorm(null, 5, 1e-6f), x, x),
        "adaptiveRmsNorm",
        "scale is 3 × 5");
    refused(() -> device.linear(x, linear), "linear", "3 × 5", "4 × 6");
    refused(
        () -> device.linear(x, fitting, Epilogue.residual(y)),
        "linear",
        "residual is 2 × 7",
        "3 × 4");
    refused(
        () -> device.linear(x, fitting, Epilogue.shifted(y, Activation.NONE)),
        "linear",
        "shift is 2 × 7",
        "1 × 4");
    refused(() -> device.gatedLinear(x, gated), "gatedLinear", "3 × 5", "2 × 3");
    refused(() -> device.gatedLinear(wide, tall), "gatedLinear", "2 × 3", "3 × 2");
    refused(() -> device.linear(wide, tall), "linear", "tall is 3 × 2", "1 × 2");
    refused(() -> device.merge(heads, wide, null), "merge", "wide is 2 × 3", "8");
    refused(
        () -> device.projection(heads, wide, wide, wide, List.of()), "projection", "2 × 3", "8");
    refused(
        () -> device.projection(heads, null, wide, wide, List.of()), "projection", "2 query heads");
    refused(() -> device.rmsNorm(wide, 3, 1e-6f), "rmsNorm", "2 × 3", "1 × 3");
    refused(() -> device.layerNorm(tall, tall, 1e-6f), "layerNorm", "3 × 2", "1 × 2");
    refused(() -> device.images(new float[15], 1, 4), "images", "15", "1", "3 × 4 × 4");
    refused(() -> device.patches(device.images(new float[75], 1, 5), 2), "patches", "5", "2");
    refused(() -> device.rope(x, heads, rotation(3, 4)), "rope", "3 × 5", "16");
    Tensor packed = device.upload(new float[48], 3, 16);
    refused(() -> device.rope(packed, heads, rotation(2, 4)), "rope", "[3]", "[2]");
    refused(() -> device.rotation(new int[1], Sequences.of(1), 3, 10_000), "rotation", "3");
    refused(() -> device.rotation(new int[1], Sequences.of(1), 4, 0), "rotation", "base 0.0");
    refused(
        () -> device.attention(x, heads, device.mask(Sequences.of(3))), "attention", "3 × 5", "16");
    refused(
        () -> device.attention(packed, heads, device.mask(Sequences.of(4))),
        "attention",
        "[3]",
        "[4]");
    refused(
        () -> device.attention(packed, heads, device.mask(Sequences.of(3)), keyValues, 0),
        "attention",
        "[2]",
        "[0]");
    refused(() -> device.mask(Sequences.of(1, 2), Sequences.of(2)), "mask", "[1, 2]", "[2]");
    Mask mask = device.mask(Sequences.of(3), Sequences.of(2));
    refused(() -> device.attention(packed, heads, mask), "attention", "[2]");
    refused(() -> device.attention(packed, heads, mask, keyValues, 1), "attention", "layer 1");
    refused(() -> device.store(packed, heads, keyValues, 0), "store", "[3]", "[2]");
    refused(() -> device.store(x, new Heads(3, 1, 1), keyValues, 0), "store", "size 1", "size 4");
    refused(() -> device.rows(List.of(List.of())), "rows");
    refused(() -> device.rows(List.of(List.of(new Device.Rows(x, 2, 2)))), "rows", "3 × 5");
    refused(
        () -> device.rows(List.of(List.of(Device.Rows.of(x), Device.Rows.of(y)))),
        "rows",
        "3 × 5",
        "2 × 7");
    refused(() -> device.join(List.of(List.of())), "join");
    refused(
        () ->
            device.embed(
                device.embedding(wide, 1), device.indices(new int[] {0, 2}, Sequences.of(2))),
        "embed",
        "id 2",
        "2 × 3");
    refused(() -> device.indices(new int[] {-1}, Sequences.of(1)), "indices", "-1 at 0");
    refused(() -> device.indices(new int[2], Sequences.of(1)), "indices", "2", "1 rows");
  }

  private Rotation rotation(int rows, int size) {
    return device.rotation(new int[rows], Sequences.of(rows), size, 10_000);
  }

  private static void refused(Runnable call, String... parts) {
    assertThatIllegalArgumentException()
        .isThrownBy(call::run)
        .satisfies(e -> assertThat(e.getMessage()).contains(parts));
  }

  // Lifetimes -----------------------------------------------------------------------------------

  @Test
  void aScopeFreesWhatWasMadeInItButForWhatIsKept() {
    Tensor kept;
    Tensor twice;
    Tensor freed;
    Linear weights;
    try (Scope outer = device.scope()) {
      try (Scope inner = device.scope()) {
        freed = tensor();
        kept = inner.keep(tensor());
        twice = outer.keep(inner.keep(tensor()));
        weights = device.linear(Parameter.of("w", 1, 1, 1), null);
      }
      assertClosed(freed);
      assertThat(device.download(kept)).hasSize(2);
    }
    assertClosed(kept);
    assertThat(device.download(twice)).hasSize(2);
    assertThat(weights.inputs()).isEqualTo(1);
    assertThat(device.usage().resources()).isEqualTo(2);
    weights.close();
    twice.close();
    assertThat(device.usage()).isEqualTo(new Device.Usage(0, 0, 0));
  }

  @Test
  void aScopeLeavesAloneWhatWasMadeOutside() {
    Tensor outside = tensor();
    try (Scope scope = device.scope()) {
      assertThat(scope.keep(outside)).isSameAs(outside);
    }
    assertThat(device.download(outside)).hasSize(2);
  }

  @Test
  void scopesCloseInTurn() {
    Scope outer = device.scope();
    Scope inner = device.scope();
    assertThatIllegalStateException().isThrownBy(outer::close);
    inner.close();
    inner.close();
    Tensor tensor = tensor();
    assertThatIllegalStateException().isThrownBy(() -> inner.keep(tensor));
    assertThat(device.download(tensor)).hasSize(2);
    outer.close();
    assertClosed(tensor);
  }

  @Test
  void useAfterCloseIsRefusedEverywhere() {
    Heads heads = new Heads(1, 1, 2);
    Tensor open = device.upload(new float[6], 1, 6);
    Tensor closed = device.upload(new float[6], 1, 6);
    Norm norm = norm(device, 6);
    Linear linear = device.linear(Parameter.of("w", 6, 6, new float[36]), null);
    GatedLinear gated = gated(6);
    Rotation rotation = rotation(1, 2);
    KeyValues keyValues = device.keyValues(Sequences.of(1), 1, heads);
    Embedding embedding = device.embedding(Parameter.of("t", 1, 1, 1), 1);
    Mask mask = device.mask(Sequences.of(1));
    Mask over = device.mask(Sequences.of(1), Sequences.of(1));
    Indices ids = device.indices(new int[1], Sequences.of(1));
    Images picture = device.images(new float[3], 1, 1);
    picture.close();
    closed.close();
    closed.close();
    List<Runnable> calls =
        List.of(
            () -> device.download(closed),
            () -> device.patches(picture, 1),
            () -> device.layerNorm(closed, norm),
            () -> device.rmsNorm(closed, norm),
            () -> device.adaptiveRmsNorm(closed, norm, open, open),
            () -> device.adaptiveRmsNorm(open, norm, closed, open),
            () -> device.adaptiveRmsNorm(open, norm, open, closed),
            () -> device.linear(closed, linear),
            () -> device.linear(open, linear, Epilogue.residual(closed)),
            () -> device.linear(open, linear, Epilogue.shifted(closed, Activation.SILU)),
            () -> device.linear(open, linear, Epilogue.gatedResidual(open, closed)),
            () -> device.gatedLinear(closed, gated),
            () -> device.rope(closed, heads, rotation),
            () -> device.attention(closed, heads, mask),
            () -> device.attention(closed, heads, over, keyValues, 0),
            () -> device.store(closed, heads, keyValues, 0),
            () -> device.rows(List.of(List.of(Device.Rows.of(open), Device.Rows.of(closed)))),
            () -> device.add(open, closed),
            () -> device.axpy(closed, 1, open),
            () -> device.guide(open, open, closed, open, 1, 1));
    calls.forEach(call -> assertThatIllegalStateException().isThrownBy(call::run));

    norm.close();
    linear.close();
    gated.close();
    rotation.close();
    keyValues.close();
    embedding.close();
    mask.close();
    Tensor packed = device.upload(new float[6], 1, 6);
    List<Runnable> weights =
        List.of(
            () -> device.rmsNorm(open, norm),
            () -> device.linear(open, linear),
            () -> device.gatedLinear(open, gated),
            () -> device.rope(packed, heads, rotation),
            () -> device.attention(packed, heads, mask),
            () -> device.attention(packed, heads, over, keyValues, 0),
            () -> device.store(packed, heads, keyValues, 0),
            () -> device.download(keyValues, 0, 0),
            () -> device.join(List.of(List.of(new Device.Part(keyValues, 0)))),
            () -> device.embed(embedding, ids));
    weights.forEach(call -> assertThatIllegalStateException().isThrownBy(call::run));

    device.close();
    device.close();
    List<Runnable> afterwards =
        List.of(
            () -> device.upload(new float[1], 1, 1),
            () -> device.download(open),
            () -> device.add(open, open),
            () -> device.scope(),
            () -> device.linear(Parameter.of("w", 1, 1, 1), null),
            () -> device.rotation(new int[1], Sequences.of(1), 2, 10_000),
            () -> device.keyValues(Sequences.of(1), 1, heads));
    afterwards.forEach(
        call ->
            assertThatIllegalStateException()
                .isThrownBy(call::run)
                .withMessageContaining("closed"));
  }

  private GatedLinear gated(int columns) {
    Parameter weight = Parameter.of("w", columns, columns, new float[columns * columns]);
    return device.gatedLinear(weight, weight);
  }

  @Test
  void theDeviceFreesWhatIsLeftOpen() {
    Tensor tensor = tensor();
    Linear linear = device.linear(Parameter.of("w", 3, 2, new float[6]), null);
    KeyValues keyValues = device.keyValues(Sequences.of(4), 2, new Heads(0, 1, 2));
    Device.Usage before = device.usage();
    assertThat(before.resources()).isEqualTo(3);
    assertThat(before.values()).isEqualTo(bytes(tensor) + keyValues.bytes());
    assertThat(before.weights()).isGreaterThanOrEqualTo(6 * 2);
    device.close();
    assertThat(device.usage()).isEqualTo(new Device.Usage(0, 0, 0));
    tensor.close();
    linear.close();
    keyValues.close();
    assertThat(device.usage()).isEqualTo(new Device.Usage(0, 0, 0));
  }

  @Test
  void aStageGivesWhatItsBodyGivesTimeAfterTime() {
    float[] ones = {1, 1, 1, 1};
    Tensor constant = device.upload(ones, 2, 2);
    float[] expected = new float[4];
    Tensor sum = device.upload(expected, 2, 2);
    for (int i = 0; i < 4; i++) {
      float[] values = {i, 2 * i, -i, 7};
      int resources = device.usage().resources();
      Tensor result;
      try (Stage stage = device.stage("sum", "twice")) {
        Device.Rows before = stage.take(Device.Rows.of(sum));
        Tensor x = device.upload(values, Sequences.of(2), 2);
        result =
            stage.run(
                Sequences.of(2),
                () -> {
                  Tensor taken = device.rows(List.of(List.of(before)));
                  return device.add(device.add(x, constant), taken);
                });
        assertThat(x.rows()).isEqualTo(2);
      }
      assertThat(device.usage().resources()).isEqualTo(resources + 1);
      for (int j = 0; j < expected.length; j++) {
        expected[j] += values[j] + ones[j];
      }
      assertThat(device.download(result)).containsExactly(expected);
      sum.close();
      sum = result;
    }
  }

  @Test
  void aStageTakesKeysAndValues() {
    Heads heads = new Heads(2, 1, 4);
    float[] context = random(7 * heads.columns(), 63);
    float[] packed = random(3 * heads.columns(), 64);
    close(
        tolerance() * 5,
        on -> {
          KeyValues stored = on.keyValues(Sequences.of(2, 5), 1, heads);
          on.store(on.upload(context, Sequences.of(2, 5), heads.columns()), heads, stored, 0);
          try (Stage stage = on.stage("attend")) {
            Device.Part taken = stage.take(new Device.Part(stored, 1));
            Tensor x = on.upload(packed, 3, heads.columns());
            Mask mask = on.mask(Sequences.of(3), Sequences.of(5));
            return stage.run(
                Sequences.of(3),
                () -> on.attention(x, heads, mask, on.join(List.of(List.of(taken))), 0));
          }
        });
  }

  @Test
  void aStageWhoseResultIsOfOtherSequencesIsRefused() {
    try (Stage stage = device.stage("wrong")) {
      Tensor x = device.upload(new float[4], 2, 2);
      refused(() -> stage.run(Sequences.of(1, 1), () -> device.add(x, x)), "[2]", "[1, 1]");
    }
  }

  @Test
  void aLayerThatWasNotStoredIsNotAttended() {
    Heads heads = new Heads(1, 1, 2);
    KeyValues keyValues = device.keyValues(Sequences.of(1), 2, heads);
    Tensor packed = device.upload(new float[6], 1, 6);
    Mask mask = device.mask(Sequences.of(1), Sequences.of(1));
    device.store(packed, heads, keyValues, 0);
    assertThat(device.attention(packed, heads, mask, keyValues, 0).rows()).isOne();
    assertThatIllegalStateException()
        .isThrownBy(() -> device.attention(packed, heads, mask, keyValues, 1))
        .withMessageContaining("layer 1");
    KeyValues joined = device.join(List.of(List.of(new Device.Part(keyValues, 0))));
    assertThatIllegalStateException()
        .isThrownBy(() -> device.attention(packed, heads, mask, joined, 1))
        .withMessageContaining("layer 1");
  }

  @Test
  void anotherDevicesResourcesAreRefused() {
    try (Device other = open()) {
      Tensor theirs = other.upload(new float[2], 1, 2);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> device.download(theirs))
          .withMessageContaining("another device");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> device.add(tensor(), theirs))
          .withMessageContaining("another device");
    }
  }

  @Test
  void twoDevicesComputeSideBySide() {
    Parameter weight = Parameter.of("w", 40, 30, weights(40, 30, 63));
    float[] x = random(7 * 30, 64);
    Tensor here = device.linear(device.upload(x, 7, 30), device.linear(weight, null));
    float[] there;
    try (Device other = open()) {
      there = other.download(other.linear(other.upload(x, 7, 30), other.linear(weight, null)));
    }
    assertThat(device.download(here)).containsExactly(there);
  }

  @Test
  void usageStaysFlatOverManyRounds() {
    Heads heads = new Heads(4, 1, 8);
    Linear projection =
        device.projection(
            heads,
            Parameter.of("q", 32, 16, weights(32, 16, 65)),
            Parameter.of("k", 8, 16, weights(8, 16, 66)),
            Parameter.of("v", 8, 16, weights(8, 16, 67)),
            List.of());
    Linear merge = device.merge(heads, Parameter.of("o", 16, 32, weights(16, 32, 68)), null);
    GatedLinear gated =
        device.gatedLinear(
            stored("g", DType.BF16, 40, 16, 69), stored("u", DType.BF16, 40, 16, 70));
    Norm norm = norm(device, 16);
    Device.Usage before = device.usage();
    for (int round = 0; round < 200; round++) {
      int rows = 1 + round % 7;
      Sequences sequences = Sequences.of(rows, 2);
      try (Scope scope = device.scope()) {
        Tensor x = device.upload(random((rows + 2) * 16, round), sequences, 16);
        KeyValues keyValues = device.keyValues(sequences, 1, heads);
        Tensor packed = device.linear(device.rmsNorm(x, norm), projection);
        Rotation rotation = device.rotation(new int[rows + 2], sequences, 8, 10_000);
        Tensor rotated = device.rope(packed, heads, rotation);
        device.store(rotated, heads, keyValues, 0);
        Mask mask = device.mask(sequences, sequences);
        Tensor attended = device.attention(rotated, heads, mask, keyValues, 0);
        Tensor merged = device.linear(attended, merge, Epilogue.residual(x));
        Tensor result = scope.keep(device.gatedLinear(merged, gated));
        assertThat(result.rows()).isEqualTo(rows + 2);
        assertThat(device.usage().resources()).isGreaterThan(before.resources());
        result.close();
      }
      assertThat(device.usage()).isEqualTo(before);
    }
  }

  private Tensor tensor() {
    return device.upload(new float[] {1, 2}, 1, 2);
  }

  private void assertClosed(Tensor tensor) {
    assertThatIllegalStateException()
        .isThrownBy(() -> device.download(tensor))
        .withMessageContaining("closed");
  }

  // Numbers -------------------------------------------------------------------------------------

  private void same(Function<Device, Tensor> operation) {
    Tensor expected = operation.apply(reference);
    Tensor actual = operation.apply(device);
    assertThat(actual.rows()).isEqualTo(expected.rows());
    assertThat(actual.columns()).isEqualTo(expected.columns());
    moved(device.download(actual), reference.download(expected));
  }

  private void moved(float[] actual, float[] expected) {
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < expected.length; i++) {
      float error = movedTolerance() * Math.abs(expected[i]);
      assertThat(actual[i]).as("number %d", i).isCloseTo(expected[i], within(error));
    }
  }

  private void closeProducts(Function<Device, Tensor> operation) {
    close(productTolerance(), operation);
  }

  private void close(double relative, Function<Device, Tensor> operation) {
    Tensor expected = operation.apply(reference);
    Tensor actual = operation.apply(device);
    assertThat(actual.rows()).isEqualTo(expected.rows());
    assertThat(actual.columns()).isEqualTo(expected.columns());
    float[] wanted = reference.download(expected);
    double squares = 0;
    for (float value : wanted) {
      squares += (double) value * value;
    }
    double rms = wanted.length == 0 ? 1 : Math.sqrt(squares / wanted.length);
    float[] given = device.download(actual);
    assertThat(given).hasSameSizeAs(wanted);
    int worst = 0;
    double worstRatio = 0;
    for (int i = 0; i < wanted.length; i++) {
      // Large numbers carry their own rounding: they are held to their size, the others to the rms.
      double unit = Math.max(Math.max(rms, 1e-3), Math.abs(wanted[i]));
      double ratio = Math.abs((double) given[i] - wanted[i]) / unit;
      if (!(ratio <= worstRatio)) {
        worst = i;
        worstRatio = ratio;
      }
    }
    assertThat(worstRatio)
        .as("number %d of %d × %d", worst, expected.rows(), expected.columns())
        .isLessThanOrEqualTo(relative);
  }

  static float[] random(int count, long seed) {
    Random random = new Random(seed);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  /** Normal weights of variance 1/inputs. */
  private static float[] weights(int outputs, int inputs, long seed) {
    float[] values = random(outputs * inputs, seed);
    for (int i = 0; i < values.length; i++) {
      values[i] /= (float) Math.sqrt(inputs);
    }
    return values;
  }

  private static float[] shifted(float[] values, float by) {
    for (int i = 0; i < values.length; i++) {
      values[i] += by;
    }
    return values;
  }

  private static float[] concatenated(float[] first, float[] second) {
    float[] both = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, both, first.length, second.length);
    return both;
  }

  /** Some columns, as wide as keys are, of rows {@code from} to {@code to}. */
  private static float[] columns(float[] packed, Heads heads, int from, int to, int column) {
    int width = heads.keyValueColumns();
    float[] values = new float[(to - from) * width];
    for (int row = from; row < to; row++) {
      System.arraycopy(packed, row * heads.columns() + column, values, (row - from) * width, width);
    }
    return values;
  }

  /** A parameter in native memory at an odd address, as parts of mapped files are. */
  private static Parameter stored(String name, DType type, int rows, int columns, long seed) {
    float[] values = weights(rows, columns, seed);
    MemorySegment memory =
        Arena.ofAuto().allocate((long) values.length * type.bytes() + 1).asSlice(1);
    for (int i = 0; i < values.length; i++) {
      switch (type) {
        case F32 ->
            memory.setAtIndex(
                ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), i, values[i]);
        case F16 -> set(memory, i, Float.floatToFloat16(values[i]));
        case BF16 -> set(memory, i, (short) (Float.floatToRawIntBits(values[i]) >>> 16));
      }
    }
    return new Parameter(name, type, rows, columns, memory);
  }

  private static void set(MemorySegment memory, int index, short bits) {
    memory.setAtIndex(
        ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), index, bits);
  }
}
