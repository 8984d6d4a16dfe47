package dev.pi0stream.model.image;

import java.util.Arrays;

/**
 * Bilinear with antialiasing: a triangle that grows as wide as the picture shrinks, first across,
 * then down. Two arithmetics of it: that of Pillow 12 ({@code Resample.c}), which has 22 bits of
 * fraction and rounds to bytes after either pass, and JAX's ({@code jax.image.resize}), in float.
 */
final class AntialiasedResize implements ResizeWithPad {
  private static final int CHANNELS = RgbImage.CHANNELS;

  /** Bits of a weight's fraction: 32, less 8 of the value, less 2 against overflow. */
  private static final int FRACTION_BITS = 22;

  private static final int HALF = 1 << (FRACTION_BITS - 1);

  private final Arithmetic arithmetic;

  enum Arithmetic {
    PILLOW,
    JAX
  }

  AntialiasedResize(Arithmetic arithmetic) {
    this.arithmetic = arithmetic;
  }

  /**
   * The inputs of each output.
   *
   * @param start first input by output
   * @param count number of inputs by output
   * @param weights outputs × stride; those of an output add up to 1
   */
  private record Taps(int[] start, int[] count, int stride, double[] weights) {
    static Taps of(int in, int out) {
      double scale = (double) in / out;
      double support = Math.max(scale, 1);
      int stride = (int) Math.ceil(support) * 2 + 1;
      Taps taps = new Taps(new int[out], new int[out], stride, new double[out * stride]);
      double inverse = 1 / support;
      for (int i = 0; i < out; i++) {
        double centre = (i + 0.5) * scale;
        int start = Math.max((int) (centre - support + 0.5), 0);
        int count = Math.min((int) (centre + support + 0.5), in) - start;
        double sum = 0;
        for (int j = 0; j < count; j++) {
          double distance = Math.abs((j + start - centre + 0.5) * inverse);
          double weight = distance < 1 ? 1 - distance : 0;
          taps.weights[i * stride + j] = weight;
          sum += weight;
        }
        for (int j = 0; j < count; j++) {
          taps.weights[i * stride + j] /= sum;
        }
        taps.start[i] = start;
        taps.count[i] = count;
      }
      return taps;
    }

    /** The weights in fixed point. */
    int[] fixed() {
      int[] fixed = new int[weights.length];
      for (int i = 0; i < fixed.length; i++) {
        fixed[i] = (int) (0.5 + weights[i] * (1 << FRACTION_BITS));
      }
      return fixed;
    }
  }

  @Override
  public RgbImage resize(RgbImage image, int width, int height) {
    Placement place = Placement.of(image, width, height);
    byte[] scaled =
        switch (arithmetic) {
          case PILLOW -> pillow(image, place);
          case JAX -> jax(image, place);
        };
    byte[] out = new byte[width * height * CHANNELS];
    int row = place.width() * CHANNELS;
    for (int y = 0; y < place.height(); y++) {
      int at = ((place.top() + y) * width + place.left()) * CHANNELS;
      System.arraycopy(scaled, y * row, out, at, row);
    }
    return new RgbImage(width, height, out);
  }

  @Override
  public float[] pixels(RgbImage image, int width, int height) {
    byte[] data = resize(image, width, height).data();
    int plane = width * height;
    float[] out = new float[CHANNELS * plane];
    for (int i = 0, at = 0; i < plane; i++) {
      for (int c = 0; c < CHANNELS; c++) {
        out[c * plane + i] = Byte.toUnsignedInt(data[at++]) / 255f * 2 - 1;
      }
    }
    return out;
  }

  // ------------------------------------------------------------------ Pillow

  private static byte[] pillow(RgbImage image, Placement place) {
    Taps across = Taps.of(image.width(), place.width());
    Taps down = Taps.of(image.height(), place.height());
    byte[] wide = pillowAcross(image, across, place.width());
    return pillowDown(wide, down, place.width() * CHANNELS, place.height());
  }

  private static byte[] pillowAcross(RgbImage image, Taps taps, int width) {
    byte[] data = image.data();
    int[] weights = taps.fixed();
    byte[] out = new byte[image.height() * width * CHANNELS];
    for (int y = 0, i = 0; y < image.height(); y++) {
      int row = y * image.width() * CHANNELS;
      for (int x = 0; x < width; x++) {
        int red = HALF;
        int green = HALF;
        int blue = HALF;
        int at = row + taps.start[x] * CHANNELS;
        int first = x * taps.stride;
        for (int j = first; j < first + taps.count[x]; j++) {
          int weight = weights[j];
          red += (data[at] & 0xFF) * weight;
          green += (data[at + 1] & 0xFF) * weight;
          blue += (data[at + 2] & 0xFF) * weight;
          at += CHANNELS;
        }
        out[i++] = clip(red);
        out[i++] = clip(green);
        out[i++] = clip(blue);
      }
    }
    return out;
  }

  private static byte[] pillowDown(byte[] data, Taps taps, int row, int height) {
    int[] weights = taps.fixed();
    byte[] out = new byte[height * row];
    int[] sums = new int[row];
    for (int y = 0; y < height; y++) {
      Arrays.fill(sums, HALF);
      for (int j = 0; j < taps.count[y]; j++) {
        int weight = weights[y * taps.stride + j];
        int at = (taps.start[y] + j) * row;
        for (int i = 0; i < row; i++) {
          sums[i] += (data[at + i] & 0xFF) * weight;
        }
      }
      for (int i = 0; i < row; i++) {
        out[y * row + i] = clip(sums[i]);
      }
    }
    return out;
  }

  /** The whole part; rounded weights may add up to a little more than 1. */
  private static byte clip(int sum) {
    return (byte) Math.min(sum >> FRACTION_BITS, 255);
  }

  // ------------------------------------------------------------------ JAX

  private static byte[] jax(RgbImage image, Placement place) {
    Taps across = Taps.of(image.width(), place.width());
    Taps down = Taps.of(image.height(), place.height());
    int row = place.width() * CHANNELS;
    float[] wide = jaxAcross(image, across, place.width());
    byte[] out = new byte[place.height() * row];
    float[] sums = new float[row];
    for (int y = 0; y < place.height(); y++) {
      Arrays.fill(sums, 0);
      for (int j = 0; j < down.count[y]; j++) {
        float weight = (float) down.weights[y * down.stride + j];
        int at = (down.start[y] + j) * row;
        for (int i = 0; i < row; i++) {
          sums[i] += wide[at + i] * weight;
        }
      }
      for (int i = 0; i < row; i++) {
        out[y * row + i] = (byte) Math.clamp((int) Math.rint(sums[i]), 0, 255);
      }
    }
    return out;
  }

  private static float[] jaxAcross(RgbImage image, Taps taps, int width) {
    byte[] data = image.data();
    float[] out = new float[image.height() * width * CHANNELS];
    for (int y = 0, i = 0; y < image.height(); y++) {
      int row = y * image.width() * CHANNELS;
      for (int x = 0; x < width; x++) {
        for (int c = 0; c < CHANNELS; c++, i++) {
          for (int j = 0; j < taps.count[x]; j++) {
            float weight = (float) taps.weights[x * taps.stride + j];
            out[i] += (data[row + (taps.start[x] + j) * CHANNELS + c] & 0xFF) * weight;
          }
        }
      }
    }
    return out;
  }
}
