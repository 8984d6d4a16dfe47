package dev.pi0stream.device.tt;

import dev.pi0stream.device.Sequences;
import dev.pi0stream.device.tt.ttnn.Memory;
import dev.pi0stream.device.tt.ttnn.Operations;
import dev.pi0stream.device.tt.ttnn.Shape;
import dev.pi0stream.device.tt.ttnn.TtnnTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Keys and values of all layers for some rows of each sequence. They come layer by layer; as a slab
 * they are one tensor, [blocks, layers · 2 · heads, rows, size], which is copied in one go.
 */
final class Segment {
  private final Sequences sequences;
  private final int rows;
  private final int heads;
  private final TtnnTensor[] keys; // (layer)
  private final TtnnTensor[] values; // (layer)
  private TtnnTensor slab;
  private int owners = 1;

  /** A segment without a layer. */
  Segment(Sequences sequences, int rows, int layers, int heads) {
    this.sequences = sequences;
    this.rows = rows;
    this.heads = heads;
    this.keys = new TtnnTensor[layers];
    this.values = new TtnnTensor[layers];
  }

  /** A segment of a slab, which becomes its own. */
  static Segment of(Sequences sequences, int layers, int heads, TtnnTensor slab) {
    Segment segment = new Segment(sequences, slab.shape().get(2), layers, heads);
    segment.slab = slab;
    return segment;
  }

  /** The rows of each sequence in this segment. */
  Sequences sequences() {
    return sequences;
  }

  /** The rows of each block. */
  int rows() {
    return rows;
  }

  /** The padded size of a head. */
  int size(int layer, Operations operations) {
    return keys(layer, operations).shape().get(-1);
  }

  Segment share() {
    owners++;
    return this;
  }

  /** Puts a layer's keys and values, which become its own, in. */
  void put(int layer, TtnnTensor key, TtnnTensor value) {
    if (slab != null) {
      slab.close();
      slab = null;
    }
    replace(keys, layer, key);
    replace(values, layer, value);
  }

  private static void replace(TtnnTensor[] tensors, int layer, TtnnTensor tensor) {
    if (tensors[layer] != null) {
      tensors[layer].close();
    }
    tensors[layer] = tensor;
  }

  /** The keys of a layer: [blocks, heads, rows, size]. */
  TtnnTensor keys(int layer, Operations operations) {
    return part(keys, layer, 0, operations);
  }

  /** The values of a layer, like its keys. */
  TtnnTensor values(int layer, Operations operations) {
    return part(values, layer, 1, operations);
  }

  private TtnnTensor part(TtnnTensor[] tensors, int layer, int which, Operations operations) {
    if (tensors[layer] == null) {
      if (slab == null) {
        throw new IllegalStateException("layer " + layer + " was not stored");
      }
      Shape one = slab.shape().with(1, heads);
      int[] start = {0, (2 * layer + which) * heads, 0, 0};
      tensors[layer] = operations.slice(slab, one, start, Memory.DRAM);
    }
    return tensors[layer];
  }

  /** All layers in one tensor, which stays this segment's. */
  TtnnTensor slab(Operations operations) {
    if (slab == null) {
      TtnnTensor any =
          Arrays.stream(keys)
              .filter(key -> key != null)
              .findFirst()
              .orElseThrow(() -> new IllegalStateException("no layer was stored"));
      List<TtnnTensor> parts = new ArrayList<>();
      for (int layer = 0; layer < keys.length; layer++) {
        // A layer that is missing is never attended: anything stands for it.
        parts.add(keys[layer] == null ? any : keys[layer]);
        parts.add(values[layer] == null ? any : values[layer]);
      }
      slab = operations.concat(parts, 1, Memory.DRAM);
    }
    return slab;
  }

  void close() {
    if (--owners == 0) {
      for (int layer = 0; layer < keys.length; layer++) {
        replace(keys, layer, null);
        replace(values, layer, null);
      }
      if (slab != null) {
        slab.close();
        slab = null;
      }
    }
  }
}
