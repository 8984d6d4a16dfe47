package dev.pi0stream.device.tt;

import dev.pi0stream.device.Sequences;
import dev.pi0stream.device.tt.HostInput.Place;
import dev.pi0stream.device.tt.ttnn.DataType;
import dev.pi0stream.device.tt.ttnn.Layout;
import dev.pi0stream.device.tt.ttnn.MeshDevice;
import dev.pi0stream.device.tt.ttnn.Shape;
import dev.pi0stream.device.tt.ttnn.TtnnTensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.function.Consumer;

/** Takes host values to the device at once. */
final class Uploads implements Inputs {
  /**
   * What is added to the score of a row that is hidden: far below every score, also where TTNN
   * divides it by a scale before, and not infinite, so that a row that sees nothing is not a NaN.
   */
  private static final float HIDDEN = -1e30f;

  private final MeshDevice chip;

  Uploads(MeshDevice chip) {
    this.chip = chip;
  }

  @Override
  public void place(HostInput input, Consumer<TtnnTensor> bind) {
    bind.accept(upload(input));
  }

  private TtnnTensor upload(HostInput input) {
    Place place = input.place();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment numbers = arena.allocate(place.hostBytes(), 64);
      input.fill().accept(numbers);
      return chip.upload(numbers, place.element(), place.shape(), place.type(), place.layout());
    }
  }

  @Override
  public TtnnTensor hidden(Sequences sequences, int rows) {
    return upload(hiddenRow(sequences, rows));
  }

  /** 0 for the rows of each sequence, and what hides them for those behind. */
  static HostInput hiddenRow(Sequences sequences, int rows) {
    Blocks blocks = Blocks.of(sequences);
    return HostInput.of(
        Shape.of(blocks.count(), 1, 1, rows),
        DataType.BFLOAT16,
        Layout.TILE,
        memory -> {
          float[] row = new float[rows];
          for (int i = 0; i < blocks.count(); i++) {
            int length = i < sequences.count() ? sequences.length(i) : 0;
            Arrays.fill(row, 0, length, 0);
            Arrays.fill(row, length, rows, HIDDEN);
            HostInput.put(row, 0, memory, (long) i * rows, rows);
          }
        });
  }
}
