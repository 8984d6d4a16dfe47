package dev.pi0stream.device.tt.ttnn;

import java.util.Arrays;
import java.util.stream.Collectors;

/** The dimensions of a tensor, as the operations count them: without padding. */
public final class Shape {
  /** The side of a tile. */
  public static final int TILE = 32;

  private final int[] dimensions;

  private Shape(int[] dimensions) {
    this.dimensions = dimensions;
  }

  /** Dimensions, outermost first. */
  public static Shape of(int... dimensions) {
    for (int dimension : dimensions) {
      if (dimension < 1) {
        throw new IllegalArgumentException("shape " + Arrays.toString(dimensions));
      }
    }
    return new Shape(dimensions.clone());
  }

  /** A number rounded up to a multiple of the tile's side. */
  public static int padded(int number) {
    return Math.ceilDiv(number, TILE) * TILE;
  }

  /** The number of dimensions. */
  public int rank() {
    return dimensions.length;
  }

  /** A dimension; a negative index counts from the last. */
  public int get(int index) {
    return dimensions[index < 0 ? index + dimensions.length : index];
  }

  /** The same shape but for one dimension. */
  public Shape with(int index, int size) {
    int[] changed = dimensions.clone();
    changed[index < 0 ? index + changed.length : index] = size;
    return of(changed);
  }

  /** How many numbers there are. */
  public long numbers() {
    long product = 1;
    for (int dimension : dimensions) {
      product *= dimension;
    }
    return product;
  }

  /** How many numbers there are with the padding that a layout adds. */
  public long numbers(Layout layout) {
    if (layout == Layout.ROW_MAJOR) {
      return numbers();
    }
    return numbers() / get(-1) / get(-2) * padded(get(-1)) * padded(get(-2));
  }

  /** A copy of the dimensions. */
  public int[] toArray() {
    return dimensions.clone();
  }

  long[] toLongs() {
    return Arrays.stream(dimensions).asLongStream().toArray();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Shape that && Arrays.equals(dimensions, that.dimensions);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(dimensions);
  }

  @Override
  public String toString() {
    return Arrays.stream(dimensions).mapToObj(String::valueOf).collect(Collectors.joining(" × "));
  }
}
