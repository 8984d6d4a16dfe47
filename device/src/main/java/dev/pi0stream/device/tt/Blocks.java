package dev.pi0stream.device.tt;

import dev.pi0stream.device.Sequences;
import dev.pi0stream.device.tt.ttnn.Shape;
import java.util.stream.IntStream;

/**
 * How the rows of sequences lie on the device: one block for each sequence, all of the longest
 * one's length, in whole tiles. What is behind a sequence's end is finite and means nothing.
 *
 * @param count the number of blocks; one even where there is no sequence
 * @param rows the rows of each block
 */
record Blocks(int count, int rows) {
  /** The blocks of some sequences. */
  static Blocks of(Sequences sequences) {
    int longest = lengths(sequences).max().orElse(0);
    return new Blocks(Math.max(1, sequences.count()), Math.max(Shape.TILE, Shape.padded(longest)));
  }

  static IntStream lengths(Sequences sequences) {
    return IntStream.range(0, sequences.count()).map(sequences::length);
  }

  /** Rows of all blocks. */
  int total() {
    return Math.multiplyExact(count, rows);
  }

  /** All rows of a matrix: [1, 1, total, columns]. */
  Shape matrix(int columns) {
    return Shape.of(1, 1, total(), columns);
  }

  /** The same with the blocks apart: [count, 1, rows, columns]. */
  Shape batch(int columns) {
    return Shape.of(count, 1, rows, columns);
  }
}
