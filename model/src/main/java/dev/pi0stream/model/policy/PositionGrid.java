package dev.pi0stream.model.policy;

import java.util.Arrays;

/**
 * Learned position embeddings of a square grid of patches, and their interpolation to other grids.
 * transformers' {@code SiglipVisionEmbeddings.interpolate_pos_encoding}, that is {@code
 * torch.nn.functional.interpolate(mode="bicubic", align_corners=False)}.
 */
public final class PositionGrid {
  /** PyTorch's coefficient of cubic convolution (Keys 1981). */
  private static final double A = -0.75;

  private final float[] table;
  private final int side;
  private final int width;

  /**
   * A grid of positions.
   *
   * @param table side² × width, row of patches by row of patches
   */
  public PositionGrid(float[] table, int side, int width) {
    if (table.length != side * side * width) {
      throw new IllegalArgumentException(
          "a grid of %d × %d positions of width %d has %d numbers, not %d"
              .formatted(side, side, width, side * side * width, table.length));
    }
    this.table = table;
    this.side = side;
    this.width = width;
  }

  /** Position embeddings for another grid: (rows · columns) × width. */
  public float[] interpolate(int rows, int columns) {
    if (rows == side && columns == side) {
      return table.clone();
    }
    float[] result = new float[rows * columns * width];
    double[] sums = new double[width];
    for (int row = 0; row < rows; row++) {
      Taps vertical = Taps.at(row, rows, side);
      for (int column = 0; column < columns; column++) {
        Taps horizontal = Taps.at(column, columns, side);
        Arrays.fill(sums, 0);
        for (int y = 0; y < 4; y++) {
          for (int x = 0; x < 4; x++) {
            double weight = vertical.weights[y] * horizontal.weights[x];
            int source = (vertical.index(y) * side + horizontal.index(x)) * width;
            for (int i = 0; i < width; i++) {
              sums[i] += weight * table[source + i];
            }
          }
        }
        int target = (row * columns + column) * width;
        for (int i = 0; i < width; i++) {
          result[target + i] = (float) sums[i];
        }
      }
    }
    return result;
  }

  /** The four neighbours of a place between the positions, and how much each counts. */
  private record Taps(int first, int length, double[] weights) {
    static Taps at(int index, int count, int length) {
      double place = (index + 0.5) * length / count - 0.5;
      int floor = (int) Math.floor(place);
      double t = place - floor;
      double[] weights = {far(t + 1), near(t), near(1 - t), far(2 - t)};
      return new Taps(floor - 1, length, weights);
    }

    /** The tap's position; those beyond the border are the border's. */
    int index(int tap) {
      return Math.clamp(first + tap, 0, length - 1);
    }

    private static double near(double d) {
      return ((A + 2) * d - (A + 3)) * d * d + 1;
    }

    private static double far(double d) {
      return ((A * d - 5 * A) * d + 8 * A) * d - 4 * A;
    }
  }
}
