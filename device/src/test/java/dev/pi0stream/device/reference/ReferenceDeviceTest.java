package dev.pi0stream.device.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.pi0stream.device.Activation;
import dev.pi0stream.device.Device;
import dev.pi0stream.device.Epilogue;
import dev.pi0stream.device.Heads;
import dev.pi0stream.device.KeyValues;
import dev.pi0stream.device.Linear;
import dev.pi0stream.device.Parameter;
import dev.pi0stream.device.Sequences;
import dev.pi0stream.device.Tensor;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The definitions against numbers worked out by hand, and against plain formulae in double. */
class ReferenceDeviceTest {
  private final Device device = new ReferenceDevice();

  @AfterEach
  void close() {
    device.close();
  }

  @Test
  void patchesAreChannelRowColumn() {
    // One 4 × 4 image whose numbers are channel·100 + row·10 + column.
    float[] image = new float[48];
    for (int i = 0; i < 48; i++) {
      image[i] = i / 16 * 100 + i / 4 % 4 * 10 + i % 4;
    }
    Tensor patches = device.patches(device.images(image, 1, 4), 2);
    assertThat(patches.rows()).isEqualTo(4);
    assertThat(patches.columns()).isEqualTo(12);
    float[] values = device.download(patches);
    assertThat(Arrays.copyOfRange(values, 12, 24))
        .containsExactly(2, 3, 12, 13, 102, 103, 112, 113, 202, 203, 212, 213);
    assertThat(Arrays.copyOfRange(values, 24, 36))
        .containsExactly(20, 21, 30, 31, 120, 121, 130, 131, 220, 221, 230, 231);
  }

  @Test
  void embeddingsAreScaledInFp32() {
    Tensor rows =
        device.embed(
            device.embedding(Parameter.of("t", 2, 2, 1, 2, 3, 4), 0.1f),
            device.indices(new int[] {1, 0}, Sequences.of(2)));
    assertThat(device.download(rows)).containsExactly(3 * 0.1f, 4 * 0.1f, 0.1f, 2 * 0.1f);
  }

  @Test
  void layerNormIsThatOfTheFormula() {
    // Mean 2, variance 1: (±1) · weight + bias.
    Tensor y =
        device.layerNorm(
            device.upload(new float[] {1, 3}, 1, 2),
            device.layerNorm(Parameter.vector("w", 2, 3), Parameter.vector("b", 10, 20), 0));
    assertThat(device.download(y)).containsExactly(8, 23);
  }

  @Test
  void rmsNormAddsOneToItsWeight() {
    // Mean of squares 12.5; 3 / √12.5 = 0.848528, 4 / √12.5 = 1.131371.
    Tensor y =
        device.rmsNorm(
            device.upload(new float[] {3, 4}, 1, 2),
            device.rmsNorm(Parameter.vector("w", 0, 1), 2, 0));
    assertThat(device.download(y)).containsExactly(0.84852815f, 2.2627418f);
  }

  @Test
  void rmsNormOfZerosIsZero() {
    Tensor y = device.rmsNorm(device.upload(new float[3], 1, 3), device.rmsNorm(null, 3, 1e-6f));
    assertThat(device.download(y)).containsExactly(0, 0, 0);
  }

  @Test
  void theAdaptiveNormScalesAndShifts() {
    Tensor y =
        device.adaptiveRmsNorm(
            device.upload(new float[] {3, 4}, 1, 2),
            device.rmsNorm(null, 2, 0),
            device.upload(new float[] {1, -1}, 1, 2),
            device.upload(new float[] {0, 5}, 1, 2));
    assertThat(device.download(y)).containsExactly(1.6970563f, 5);
  }

  @Test
  void geluIsItsTanhForm() {
    // torch.nn.functional.gelu(x, approximate='tanh')
    assertThat(activated(Activation.GELU_TANH, -3, -1, -0.5f, 0, 0.5f, 1, 3))
        .usingComparatorWithPrecision(1e-7f)
        .containsExactly(
            -0.003637392f, -0.15880801f, -0.154286f, 0f, 0.345714f, 0.841192f, 2.9963627f);
  }

  @Test
  void siluIsThatOfTheFormula() {
    assertThat(activated(Activation.SILU, -1, 0, 1, 200, -200))
        .usingComparatorWithPrecision(1e-7f)
        .containsExactly(-0.26894143f, 0f, 0.7310586f, 200f, 0f);
  }

  private float[] activated(Activation activation, float... x) {
    Linear one = device.linear(Parameter.of("w", 1, 1, 1), null);
    return device.download(
        device.linear(device.upload(x, x.length, 1), one, Epilogue.activation(activation)));
  }

  @Test
  void theEpilogueKeepsItsOrder() {
    // y = 2·3 + 1 = 7; silu(7 − 7) = 0; residual 5 + 4·0. With shift −6: silu(1)·4 + 5.
    Linear linear = device.linear(Parameter.of("w", 1, 1, 2), Parameter.vector("b", 1));
    Tensor x = device.upload(new float[] {3}, 1, 1);
    Tensor residual = device.upload(new float[] {5}, 1, 1);
    Tensor gate = device.upload(new float[] {4}, 1, 1);
    Tensor zero =
        device.linear(
            x,
            linear,
            new Epilogue(device.upload(new float[] {-7}, 1, 1), Activation.SILU, residual, gate));
    Tensor one =
        device.linear(
            x,
            linear,
            new Epilogue(device.upload(new float[] {-6}, 1, 1), Activation.SILU, residual, gate));
    assertThat(device.download(zero)).containsExactly(5);
    assertThat(device.download(one)[0]).isCloseTo(5 + 4 * 0.7310586f, within(1e-6f));
  }

  @Test
  void weightsAreOutputsByInputs() {
    Linear linear =
        device.linear(Parameter.of("w", 2, 3, 1, 2, 3, 4, 5, 6), Parameter.vector("b", 100, 200));
    Tensor y = device.linear(device.upload(new float[] {1, 10, 100}, 1, 3), linear);
    assertThat(device.download(y)).containsExactly(421, 854);
  }

  @Test
  void theGateOfAGeGluIsActivated() {
    Tensor y =
        device.gatedLinear(
            device.upload(new float[] {1}, 1, 1),
            device.gatedLinear(Parameter.of("g", 1, 1, 1), Parameter.of("u", 1, 1, 10)));
    assertThat(device.download(y)[0]).isCloseTo(8.41192f, within(1e-6f));
  }

  @Test
  void rotationPairsTheHalvesOfAHead() {
    Heads heads = new Heads(1, 1, 4);
    float[] packed = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    float[] rotated =
        device.download(
            device.rope(
                device.upload(packed, 1, 12),
                heads,
                device.rotation(new int[] {1}, Sequences.of(1), 4, 10_000)));
    assertThat(rotated)
        .usingComparatorWithPrecision(1e-6f)
        .containsExactly(
            (float) (Math.cos(1) - 3 * Math.sin(1)),
            (float) (2 * Math.cos(0.01) - 4 * Math.sin(0.01)),
            (float) (3 * Math.cos(1) + Math.sin(1)),
            (float) (4 * Math.cos(0.01) + 2 * Math.sin(0.01)),
            (float) (5 * Math.cos(1) - 7 * Math.sin(1)),
            (float) (6 * Math.cos(0.01) - 8 * Math.sin(0.01)),
            (float) (7 * Math.cos(1) + 5 * Math.sin(1)),
            (float) (8 * Math.cos(0.01) + 6 * Math.sin(0.01)),
            9f,
            10f,
            11f,
            12f);
  }

  @Test
  void positionMinusOneTurnsBack() {
    Heads heads = new Heads(0, 1, 2);
    float[] packed = {1, 0, 7, 8, 1, 0, 7, 8};
    float[] rotated =
        device.download(
            device.rope(
                device.upload(packed, 2, 4),
                heads,
                device.rotation(new int[] {-1, 0}, Sequences.of(2), 2, 10_000)));
    assertThat(rotated)
        .containsExactly((float) Math.cos(1), (float) -Math.sin(1), 7f, 8f, 1f, 0f, 7f, 8f);
  }

  @Test
  void attentionIsThatOfTheFormulaOverContextAndOwnRows() {
    Heads heads = new Heads(4, 2, 3);
    Sequences before = Sequences.of(2, 0, 5);
    Sequences own = Sequences.of(3, 4, 1);
    float[] context = random(7 * 24, 1);
    float[] packed = random(8 * 24, 2);
    KeyValues keyValues = device.keyValues(before, 2, heads);
    device.store(device.upload(context, before, 24), heads, keyValues, 1);
    float[] actual =
        device.download(
            device.attention(
                device.upload(packed, own, 24), heads, device.mask(own, before), keyValues, 1));
    for (int sequence = 0; sequence < 3; sequence++) {
      for (int row = own.start(sequence); row < own.start(sequence + 1); row++) {
        for (int head = 0; head < 4; head++) {
          double[] expected = attention(heads, packed, row, head, own, before, context, sequence);
          for (int i = 0; i < 3; i++) {
            assertThat((double) actual[row * 12 + head * 3 + i])
                .isCloseTo(expected[i], within(1e-6));
          }
        }
      }
    }
  }

  /** Softmax written out, for one row and head; heads of 3 in rows of 12 | 6 | 6. */
  private static double[] attention(
      Heads heads,
      float[] packed,
      int row,
      int head,
      Sequences own,
      Sequences before,
      float[] context,
      int sequence) {
    int group = head * heads.keyValue() / heads.query();
    double sum = 0;
    double[] result = new double[3];
    for (int key = 0; key < before.length(sequence) + own.length(sequence); key++) {
      boolean isContext = key < before.length(sequence);
      float[] from = isContext ? context : packed;
      int at =
          24
              * (isContext
                  ? before.start(sequence) + key
                  : own.start(sequence) + key - before.length(sequence));
      double score = 0;
      for (int i = 0; i < 3; i++) {
        score += (double) packed[row * 24 + head * 3 + i] * from[at + 12 + group * 3 + i];
      }
      double weight = Math.exp(score / Math.sqrt(3));
      sum += weight;
      for (int i = 0; i < 3; i++) {
        result[i] += weight * from[at + 18 + group * 3 + i];
      }
    }
    for (int i = 0; i < 3; i++) {
      result[i] /= sum;
    }
    return result;
  }

  @Test
  void softmaxHoldsForScoresBeyondTheRangeOfExp() {
    // Scores ±10⁶: the first row sees the key like its own only, the second likewise.
    Heads heads = new Heads(1, 1, 1);
    float[] packed = {1000, 1000, 1, -1000, -1000, 2};
    float[] result = device.download(attention(packed, heads, Sequences.of(2)));
    assertThat(result).containsExactly(1, 2);
  }

  @Test
  void equalKeysShareTheWeight() {
    Heads heads = new Heads(1, 1, 1);
    float[] packed = {5, 1, 3, 5, 1, 4, 5, 1, 8};
    float[] result = device.download(attention(packed, heads, Sequences.of(3)));
    assertThat(result).containsExactly(5, 5, 5);
  }

  @Test
  void guidanceIsThatOfTheFormula() {
    // x − t·v = 2 − 0.5·4 = 0; error (3 − 0)·0.25 = 0.75; v − 2·0.75.
    Tensor guided =
        device.guide(
            device.upload(new float[] {4}, 1, 1),
            device.upload(new float[] {2}, 1, 1),
            device.upload(new float[] {3}, 1, 1),
            device.upload(new float[] {0.25f}, 1, 1),
            0.5f,
            2);
    assertThat(device.download(guided)).containsExactly(2.5f);
  }

  @Test
  void anEulerStepIsThatOfTheFormula() {
    Tensor stepped =
        device.axpy(
            device.upload(new float[] {1, 2}, 1, 2),
            -0.5f,
            device.upload(new float[] {4, 8}, 1, 2));
    assertThat(device.download(stepped)).containsExactly(-1, -2);
  }

  @Test
  void additionRepeatsRows() {
    Tensor sum =
        device.add(
            device.upload(new float[] {1, 2, 3, 4}, Sequences.of(2, 2), 1),
            device.upload(new float[] {10, 20}, 2, 1));
    assertThat(device.download(sum)).containsExactly(11, 22, 13, 24);
  }

  @Test
  void largeProductsAreSummedInDouble() {
    // In fp32 the ones would vanish beside 10⁸.
    Linear sum = device.linear(Parameter.of("w", 1, 4, 1e8f, 1, 1, -1e8f), null);
    Tensor y = device.linear(device.upload(new float[] {1, 1, 1, 1}, 1, 4), sum);
    assertThat(device.download(y)).containsExactly(2);
  }

  @Test
  void aSequenceDoesNotSeeItsNeighbours() {
    Heads heads = new Heads(2, 1, 2);
    float[] packed = random(5 * 8, 3);
    float[] together = device.download(attention(packed, heads, Sequences.of(2, 3)));
    float[] alone =
        device.download(attention(Arrays.copyOfRange(packed, 16, 40), heads, Sequences.of(3)));
    assertThat(Arrays.copyOfRange(together, 8, 20)).containsExactly(alone);
  }

  private Tensor attention(float[] packed, Heads heads, Sequences sequences) {
    return device.attention(
        device.upload(packed, sequences, heads.columns()), heads, device.mask(sequences));
  }

  private static float[] random(int count, long seed) {
    Random random = new Random(seed);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }
}
