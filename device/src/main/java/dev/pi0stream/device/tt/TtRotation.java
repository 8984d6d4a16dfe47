package dev.pi0stream.device.tt;

import dev.pi0stream.device.DeviceRotation;
import dev.pi0stream.device.Heads;
import dev.pi0stream.device.Rotation;
import dev.pi0stream.device.Sequences;
import dev.pi0stream.device.tt.ttnn.DataType;
import dev.pi0stream.device.tt.ttnn.Layout;
import dev.pi0stream.device.tt.ttnn.Shape;
import dev.pi0stream.device.tt.ttnn.TtnnTensor;
import java.nio.IntBuffer;
import java.util.function.DoubleUnaryOperator;

/**
 * Cosines and sines on the device. TTNN rotates all sequences of a batch by the same ones, so there
 * are those of one block where all sequences have the same positions, and those of every block, one
 * behind the other, where they differ.
 */
final class TtRotation extends DeviceRotation {
  private final PaddedHeads heads;
  private final boolean shared;
  private TtnnTensor cosines;
  private TtnnTensor sines;

  private TtRotation(Sequences sequences, PaddedHeads heads, boolean shared, long bytes) {
    super(sequences, heads.heads().size(), bytes);
    this.heads = heads;
    this.shared = shared;
  }

  /** What cosines, or sines, follow from. */
  private record Angles(IntBuffer positions, PaddedHeads heads, double base, boolean cosines) {}

  static TtRotation of(
      int[] positions, Sequences sequences, int headSize, double base, Inputs inputs) {
    PaddedHeads heads = PaddedHeads.rotated(new Heads(1, 1, headSize));
    Blocks blocks = Blocks.of(sequences);
    boolean shared = isShared(positions, sequences);
    int[] padded = shared ? longest(positions, sequences) : padded(positions, sequences);
    Shape shape = Shape.of(1, 1, shared ? blocks.rows() : blocks.total(), heads.size());
    // Prompts mostly have the length of the last one: then no angle is computed again.
    IntBuffer content = IntBuffer.wrap(padded);
    HostInput cosines =
        angles(padded, heads, base, shape, Math::cos).from(new Angles(content, heads, base, true));
    HostInput sines =
        angles(padded, heads, base, shape, Math::sin).from(new Angles(content, heads, base, false));
    long bytes = cosines.place().deviceBytes() + sines.place().deviceBytes();
    TtRotation rotation = new TtRotation(sequences, heads, shared, bytes);
    inputs.place(cosines, tensor -> rotation.cosines = tensor);
    inputs.place(sines, tensor -> rotation.sines = tensor);
    return rotation;
  }

  private static boolean isShared(int[] positions, Sequences sequences) {
    int[] longest = longest(positions, sequences);
    for (int i = 0; i < sequences.count(); i++) {
      for (int row = 0; row < sequences.length(i); row++) {
        if (positions[sequences.start(i) + row] != longest[row]) {
          return false;
        }
      }
    }
    return true;
  }

  /** The positions of the longest sequence. */
  private static int[] longest(int[] positions, Sequences sequences) {
    int longest = 0;
    for (int i = 1; i < sequences.count(); i++) {
      longest = sequences.length(i) > sequences.length(longest) ? i : longest;
    }
    int[] own = new int[sequences.count() == 0 ? 0 : sequences.length(longest)];
    if (own.length > 0) {
      System.arraycopy(positions, sequences.start(longest), own, 0, own.length);
    }
    return own;
  }

  private static int[] padded(int[] positions, Sequences sequences) {
    Blocks blocks = Blocks.of(sequences);
    int[] padded = new int[blocks.total()];
    for (int i = 0; i < sequences.count(); i++) {
      System.arraycopy(
          positions, sequences.start(i), padded, i * blocks.rows(), sequences.length(i));
    }
    return padded;
  }

  private static HostInput angles(
      int[] positions, PaddedHeads heads, double base, Shape shape, DoubleUnaryOperator function) {
    int size = heads.heads().size();
    return HostInput.of(
        shape,
        DataType.BFLOAT16,
        Layout.TILE,
        memory -> {
          float[] row = new float[heads.size()];
          float[] frequencies = new float[size / 2];
          for (int pair = 0; pair < frequencies.length; pair++) {
            frequencies[pair] = Rotation.frequency(pair, size, base);
          }
          for (int i = 0; i < positions.length; i++) {
            for (int pair = 0; pair < size / 2; pair++) {
              float angle = positions[i] * frequencies[pair];
              float value = (float) function.applyAsDouble(angle);
              row[heads.at(pair)] = value;
              row[heads.at(size / 2 + pair)] = value;
            }
            HostInput.put(row, 0, memory, (long) i * row.length, row.length);
          }
        });
  }

  /** The padded size of the heads that it rotates. */
  int paddedSize() {
    return heads.size();
  }

  /** Whether there are those of one block only. */
  boolean isShared() {
    return shared;
  }

  TtnnTensor cosines() {
    return Inputs.bound(cosines);
  }

  TtnnTensor sines() {
    return Inputs.bound(sines);
  }

  @Override
  protected void free() {
    if (cosines != null) {
      cosines.close();
    }
    if (sines != null) {
      sines.close();
    }
  }
}
