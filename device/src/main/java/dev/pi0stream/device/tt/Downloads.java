package dev.pi0stream.device.tt;

import dev.pi0stream.device.Device.HostKeyValues;
import dev.pi0stream.device.Heads;
import dev.pi0stream.device.tt.TtTensor.Packed;
import dev.pi0stream.device.tt.TtTensor.Plain;
import dev.pi0stream.device.tt.TtTensor.Split;
import dev.pi0stream.device.tt.ttnn.MeshDevice;
import dev.pi0stream.device.tt.ttnn.Operations;
import dev.pi0stream.device.tt.ttnn.TtnnTensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Copies tensors to the host, without their padding. */
final class Downloads {
  private final MeshDevice chip;

  Downloads(MeshDevice chip) {
    this.chip = chip;
  }

  /** A tensor's numbers, row after row. */
  float[] tensor(TtTensor tensor) {
    float[] result = new float[Math.multiplyExact(tensor.rows(), tensor.columns())];
    if (result.length == 0) {
      return result;
    }
    switch (tensor.form()) {
      case Plain(TtnnTensor matrix) -> {
        float[] all = numbers(matrix);
        int columns = tensor.columns();
        forEachRow(
            tensor,
            (row, place) -> System.arraycopy(all, place * columns, result, row * columns, columns));
      }
      case Packed(TtnnTensor matrix, PaddedHeads heads, float queryScale) -> {
        float[] all = numbers(matrix);
        int columns = tensor.columns();
        int width = matrix.shape().get(-1);
        boolean projection = columns > heads.heads().queryColumns();
        int scaled = projection ? heads.heads().queryColumns() : 0;
        forEachRow(
            tensor,
            (row, place) -> {
              for (int column = 0; column < columns; column++) {
                float value = all[place * width + heads.at(column)];
                result[row * columns + column] = column < scaled ? value / queryScale : value;
              }
            });
      }
      case Split split -> {
        Heads heads = split.heads().heads();
        if (split.queries() != null) {
          heads(tensor, split, split.queries(), heads.query(), 0, split.queryScale(), result);
        }
        int next = heads.queryColumns();
        heads(tensor, split, split.keys(), heads.keyValue(), next, 1, result);
        next += heads.keyValueColumns();
        heads(tensor, split, split.values(), heads.keyValue(), next, 1, result);
      }
    }
    return result;
  }

  private void heads(
      TtTensor tensor,
      Split split,
      TtnnTensor part,
      int count,
      int firstColumn,
      float scale,
      float[] result) {
    float[] all = numbers(part);
    int size = split.heads().heads().size();
    int rows = tensor.blocks().rows();
    forEachRow(
        tensor,
        (row, place) -> {
          for (int column = 0; column < count * size; column++) {
            int at = at(split.heads(), column, place, rows, count);
            result[row * tensor.columns() + firstColumn + column] = all[at] / scale;
          }
        });
  }

  /** Where a column of some row lies in [blocks, heads, rows, size]. */
  private static int at(PaddedHeads heads, int column, int place, int rows, int count) {
    int padded = heads.at(column);
    int block = place / rows;
    int head = padded / heads.size();
    return ((block * count + head) * rows + place % rows) * heads.size() + padded % heads.size();
  }

  /** Gets a row and where it lies in the blocks. */
  @FunctionalInterface
  private interface RowVisitor {
    void visit(int row, int place);
  }

  private static void forEachRow(TtTensor tensor, RowVisitor visitor) {
    Blocks blocks = tensor.blocks();
    for (int i = 0; i < tensor.sequences().count(); i++) {
      for (int row = 0; row < tensor.sequences().length(i); row++) {
        visitor.visit(tensor.sequences().start(i) + row, i * blocks.rows() + row);
      }
    }
  }

  /** Keys and values of a layer and sequence. */
  HostKeyValues keyValues(TtKeyValues source, int layer, int sequence, Operations operations) {
    int rows = source.sequences().length(sequence);
    int columns = source.heads().keyValueColumns();
    float[] keys = new float[rows * columns];
    float[] values = new float[rows * columns];
    int row = 0;
    for (Segment segment : source.segments()) {
      int own = segment.sequences().length(sequence);
      if (own > 0) {
        copy(segment, segment.keys(layer, operations), source, sequence, row, keys);
        copy(segment, segment.values(layer, operations), source, sequence, row, values);
      }
      row += own;
    }
    return new HostKeyValues(rows, keys, values);
  }

  private void copy(
      Segment segment,
      TtnnTensor part,
      TtKeyValues source,
      int sequence,
      int firstRow,
      float[] result) {
    float[] all = numbers(part);
    PaddedHeads heads = new PaddedHeads(source.heads(), part.shape().get(-1));
    int columns = source.heads().keyValueColumns();
    for (int row = 0; row < segment.sequences().length(sequence); row++) {
      int place = sequence * segment.rows() + row;
      for (int column = 0; column < columns; column++) {
        result[(firstRow + row) * columns + column] =
            all[at(heads, column, place, segment.rows(), source.heads().keyValue())];
      }
    }
  }

  private float[] numbers(TtnnTensor tensor) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(ValueLayout.JAVA_FLOAT, tensor.shape().numbers());
      chip.download(tensor, memory);
      return memory.toArray(ValueLayout.JAVA_FLOAT);
    }
  }
}
