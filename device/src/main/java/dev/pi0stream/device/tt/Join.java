package dev.pi0stream.device.tt;

import dev.pi0stream.device.Device;
import dev.pi0stream.device.Sequences;
import dev.pi0stream.device.tt.ttnn.Memory;
import dev.pi0stream.device.tt.ttnn.Operations;
import dev.pi0stream.device.tt.ttnn.Shape;
import dev.pi0stream.device.tt.ttnn.TtnnTensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * Puts keys and values together. Parts behind each other stay segments of their own, so that none
 * has to begin where another one ends within a tile; what is one segment already is shared.
 */
final class Join {
  private final Operations operations;
  private final int heads;
  private final UnaryOperator<TtnnTensor> settle;

  /**
   * Of keys and values with so many heads.
   *
   * @param settle has a new slab live on
   */
  Join(Operations operations, int heads, UnaryOperator<TtnnTensor> settle) {
    this.operations = operations;
    this.heads = heads;
    this.settle = settle;
  }

  /** A sequence of a segment. */
  private record Piece(Segment segment, int sequence) {
    int length() {
      return segment.sequences().length(sequence);
    }
  }

  /** Fills keys and values, which have the sequences' lengths, with these parts. */
  void fill(List<List<Device.Part>> sequences, TtKeyValues joined) {
    List<List<Piece>> pieces = sequences.stream().map(Join::pieces).toList();
    int most = pieces.stream().mapToInt(List::size).max().orElse(0);
    for (int i = 0; i < most; i++) {
      int index = i;
      List<Piece> own =
          pieces.stream().map(list -> index < list.size() ? list.get(index) : null).toList();
      joined.append(segment(own, joined.layers()));
    }
  }

  private static List<Piece> pieces(List<Device.Part> parts) {
    List<Piece> pieces = new ArrayList<>();
    for (Device.Part part : parts) {
      for (Segment segment : ((TtKeyValues) part.source()).segments()) {
        pieces.add(new Piece(segment, part.sequence()));
      }
    }
    return pieces;
  }

  private Segment segment(List<Piece> pieces, int layers) {
    Segment same = asOne(pieces);
    if (same != null) {
      return same.share();
    }
    int rows = 0;
    int[] lengths = new int[pieces.size()];
    TtnnTensor any = null;
    for (int i = 0; i < lengths.length; i++) {
      Piece piece = pieces.get(i);
      if (piece != null) {
        rows = Math.max(rows, piece.segment.rows());
        lengths[i] = piece.length();
        any = piece.segment.slab(operations);
      }
    }
    TtnnTensor whole = together(pieces, rows, any);
    return Segment.of(Sequences.of(lengths), layers, heads, settle.apply(whole));
  }

  /**
   * Pieces, one for each block: the caller's.
   *
   * @param rows of each block
   * @param any stands for a piece that a sequence has not, and is hidden as a whole
   */
  private TtnnTensor together(List<Piece> pieces, int rows, TtnnTensor any) {
    try (Temporaries made = new Temporaries()) {
      List<TtnnTensor> slabs = new ArrayList<>();
      for (Piece piece : pieces) {
        TtnnTensor slab =
            piece == null
                ? cut(any, 0, made)
                : cut(piece.segment.slab(operations), piece.sequence, made);
        slabs.add(
            slab.shape().get(2) == rows
                ? slab
                : made.add(operations.padRows(slab, rows, Memory.DRAM)));
      }
      return slabs.size() == 1
          ? made.keep(slabs.getFirst())
          : operations.concat(slabs, 0, Memory.DRAM);
    }
  }

  /** The segment that these pieces are, all of it in order; null where there is none. */
  private static Segment asOne(List<Piece> pieces) {
    Segment first = pieces.getFirst() == null ? null : pieces.getFirst().segment;
    if (first == null || first.sequences().count() != pieces.size()) {
      return null;
    }
    for (int i = 0; i < pieces.size(); i++) {
      Piece piece = pieces.get(i);
      if (piece == null || !piece.segment.equals(first) || piece.sequence != i) {
        return null;
      }
    }
    return first;
  }

  private TtnnTensor cut(TtnnTensor slab, int sequence, Temporaries made) {
    Shape one = slab.shape().with(0, 1);
    if (one.equals(slab.shape())) {
      return slab;
    }
    int[] start = {sequence, 0, 0, 0};
    return made.add(operations.slice(slab, one, start, Memory.DRAM));
  }
}
