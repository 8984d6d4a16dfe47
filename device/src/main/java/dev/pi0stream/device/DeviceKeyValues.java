package dev.pi0stream.device;

import java.util.BitSet;
import java.util.Objects;

/** What the {@link KeyValues} of every back end share: their shape and which layers are filled. */
public abstract class DeviceKeyValues extends DeviceResource implements KeyValues {
  private final Sequences sequences;
  private final int layers;
  private final Heads heads;
  private final BitSet filled = new BitSet();

  /** Keys and values of this shape, not filled yet. */
  protected DeviceKeyValues(Sequences sequences, int layers, Heads heads, long bytes) {
    super(bytes);
    this.sequences = Objects.requireNonNull(sequences, "sequences");
    this.layers = layers;
    this.heads = Objects.requireNonNull(heads, "heads");
  }

  @Override
  public final Sequences sequences() {
    return sequences;
  }

  @Override
  public final int layers() {
    return layers;
  }

  @Override
  public final Heads heads() {
    return heads;
  }

  /** Whether a layer was stored, or has no rows. */
  protected final boolean isFilled(int layer) {
    return sequences.rows() == 0 || filled.get(layer);
  }

  /** A layer has been stored. */
  protected final void markFilled(int layer) {
    filled.set(layer);
  }
}
