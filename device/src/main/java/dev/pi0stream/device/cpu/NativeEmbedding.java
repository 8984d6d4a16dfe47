package dev.pi0stream.device.cpu;

import dev.pi0stream.device.DeviceResource;
import dev.pi0stream.device.Embedding;
import dev.pi0stream.device.Parameter;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** A look-up table in the format that it was given in. */
final class NativeEmbedding extends DeviceResource implements Embedding {
  private final MemorySegment memory;
  private final Parameter table; // (entry, column), in this memory
  private final float scale;

  NativeEmbedding(Parameter parameter, float scale) {
    super(parameter.data().byteSize());
    this.memory = Parameters.copy(List.of(parameter));
    this.table =
        new Parameter(
            parameter.name(),
            parameter.type(),
            parameter.rows(),
            parameter.columns(),
            memory.asSlice(0, bytes()));
    this.scale = scale;
  }

  @Override
  public int entries() {
    return table.rows();
  }

  @Override
  public int columns() {
    return table.columns();
  }

  /** Writes an entry, scaled. */
  void read(int entry, float[] row) {
    table.read((long) entry * columns(), row, 0, columns());
    for (int i = 0; i < columns(); i++) {
      row[i] *= scale;
    }
  }

  @Override
  protected void free() {
    NativeMemory.free(memory);
  }
}
