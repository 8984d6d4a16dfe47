package dev.pi0stream.model.image;

import java.util.Arrays;

/**
 * Bilinear in float32 on [0, 1], {@code align_corners=False}, without antialiasing: {@code
 * resize_with_pad_torch} of LeRobot's {@code vla_utils.py} over {@code
 * torch.nn.functional.interpolate}.
 */
final class BilinearResize implements ResizeWithPad {
  private static final int CHANNELS = RgbImage.CHANNELS;

  /** A byte as float32 in [0, 1]. */
  private static final float[] UNIT = new float[256];

  static {
    for (int value = 0; value < UNIT.length; value++) {
      UNIT[value] = value / 255f;
    }
  }

  /**
   * For each output index the two inputs it lies between, and the weight of the second.
   *
   * @see "area_pixel_compute_source_index of PyTorch's UpSample.h"
   */
  private record Taps(int[] first, int[] second, float[] weight) {
    static Taps of(int in, int out) {
      Taps taps = new Taps(new int[out], new int[out], new float[out]);
      float scale = (float) in / out;
      for (int i = 0; i < out; i++) {
        float position = Math.max(scale * (i + 0.5f) - 0.5f, 0);
        int first = Math.min((int) position, in - 1);
        taps.first[i] = first;
        taps.second[i] = Math.min(first + 1, in - 1);
        taps.weight[i] = Math.min(position - first, 1);
      }
      return taps;
    }
  }

  @Override
  public RgbImage resize(RgbImage image, int width, int height) {
    Placement place = Placement.of(image, width, height);
    byte[] out = new byte[width * height * CHANNELS];
    scale(
        image,
        place,
        (y, row) -> {
          int at = ((place.top() + y) * width + place.left()) * CHANNELS;
          for (float value : row) {
            out[at++] = (byte) Math.rint(value * 255);
          }
        });
    return new RgbImage(width, height, out);
  }

  @Override
  public float[] pixels(RgbImage image, int width, int height) {
    Placement place = Placement.of(image, width, height);
    int plane = width * height;
    float[] out = new float[CHANNELS * plane];
    Arrays.fill(out, -1);
    scale(
        image,
        place,
        (y, row) -> {
          int at = (place.top() + y) * width + place.left();
          for (int x = 0, i = 0; x < place.width(); x++) {
            for (int c = 0; c < CHANNELS; c++) {
              out[c * plane + at + x] = row[i++] * 2 - 1;
            }
          }
        });
    return out;
  }

  /** Takes the rows of the scaled picture. */
  @FunctionalInterface
  private interface Rows {
    /**
     * A row.
     *
     * @param values width × 3 in [0, 1]; overwritten by the next row
     */
    void row(int y, float[] values);
  }

  private static void scale(RgbImage image, Placement place, Rows rows) {
    Taps across = Taps.of(image.width(), place.width());
    Taps down = Taps.of(image.height(), place.height());
    float[] upper = new float[place.width() * CHANNELS];
    float[] lower = new float[place.width() * CHANNELS];
    float[] result = new float[place.width() * CHANNELS];
    int upperRow = -1;
    int lowerRow = -1;
    for (int y = 0; y < place.height(); y++) {
      if (down.first[y] == lowerRow) { // when it grows, rows come twice
        float[] swap = upper;
        upper = lower;
        lower = swap;
        lowerRow = upperRow;
        upperRow = down.first[y];
      }
      if (down.first[y] != upperRow) {
        upperRow = down.first[y];
        across(image, upperRow, across, upper);
      }
      if (down.second[y] != lowerRow) {
        lowerRow = down.second[y];
        across(image, lowerRow, across, lower);
      }
      float weight = down.weight[y];
      float rest = 1 - weight;
      for (int i = 0; i < result.length; i++) {
        result[i] = Math.clamp(rest * upper[i] + weight * lower[i], 0, 1);
      }
      rows.row(y, result);
    }
  }

  private static void across(RgbImage image, int row, Taps taps, float[] out) {
    byte[] data = image.data();
    int start = row * image.width() * CHANNELS;
    for (int x = 0, i = 0; x < taps.first.length; x++) {
      int first = start + taps.first[x] * CHANNELS;
      int second = start + taps.second[x] * CHANNELS;
      float weight = taps.weight[x];
      float rest = 1 - weight;
      for (int c = 0; c < CHANNELS; c++) {
        out[i++] =
            rest * UNIT[Byte.toUnsignedInt(data[first + c])]
                + weight * UNIT[Byte.toUnsignedInt(data[second + c])];
      }
    }
  }
}
