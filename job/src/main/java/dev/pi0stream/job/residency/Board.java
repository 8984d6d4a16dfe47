package dev.pi0stream.job.residency;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Tenstorrent's boards by what is published of them (docs.tenstorrent.com, specifications of the
 * boards), and by the cores that TTNN gives to operations. A policy runs on one chip.
 */
public enum Board {
  /** Wormhole, one chip. */
  N150(1, 72, 148, 74, 288, 8 * 8),
  /** Wormhole, two chips. */
  N300(2, 128, 262, 131, 576, 8 * 7),
  /**
   * Blackhole, one chip; its peaks are those of a P150, which has as many cores and their clock.
   */
  P100(1, 120, 664, 332, 448, 11 * 10),
  /** Blackhole, one chip, under the firmware that leaves it 120 cores. */
  P150(1, 120, 664, 332, 512, 11 * 10);

  private static final double TERA = 1e12;
  private static final double GIGA = 1e9;

  private final int chips;
  private final int cores;
  private final double blockFp8;
  private final double fp16;
  private final double bandwidth;
  private final int usableCores;

  /**
   * A board.
   *
   * @param chips of the board
   * @param cores of all chips, which the peaks are of
   * @param blockFp8 10¹² operations a second of all chips with block floats of 8 bits
   * @param fp16 the same with 16 bits
   * @param bandwidth 10⁹ bytes a second between all chips and their DRAM
   * @param usableCores of one chip, for operations; TTNN keeps some for its queues
   */
  Board(int chips, int cores, double blockFp8, double fp16, double bandwidth, int usableCores) {
    this.chips = chips;
    this.cores = cores;
    this.blockFp8 = blockFp8 * TERA;
    this.fp16 = fp16 * TERA;
    this.bandwidth = bandwidth * GIGA;
    this.usableCores = usableCores;
  }

  /**
   * A board by its name.
   *
   * @throws IllegalArgumentException naming those that there are
   */
  public static Board parse(String name) {
    return Arrays.stream(values())
        .filter(board -> board.label().equals(name.toLowerCase(Locale.ROOT)))
        .findFirst()
        .orElseThrow(
            () -> {
              List<String> labels = Arrays.stream(values()).map(Board::label).toList();
              return new IllegalArgumentException(
                  "board '%s': expected one of %s".formatted(name, String.join(", ", labels)));
            });
  }

  /** The name in reports. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The cores of one chip that operations run on. */
  public int usableCores() {
    return usableCores;
  }

  /**
   * Multiplications and additions a second on those cores.
   *
   * @param exact with HiFi4, four passes for each product, which is about the published figure of
   *     16 bits; otherwise with HiFi2, about that of block floats
   */
  public double operationsPerSecond(boolean exact) {
    return (exact ? fp16 : blockFp8) * usableCores / cores;
  }

  /** Bytes a second between one chip and its DRAM. */
  public double bytesPerSecond() {
    return bandwidth / chips;
  }
}
