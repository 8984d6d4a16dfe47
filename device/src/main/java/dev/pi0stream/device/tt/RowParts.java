package dev.pi0stream.device.tt;

import dev.pi0stream.device.Device;
import dev.pi0stream.device.Sequences;
import dev.pi0stream.device.tt.ttnn.Layout;
import dev.pi0stream.device.tt.ttnn.Memory;
import dev.pi0stream.device.tt.ttnn.Operations;
import dev.pi0stream.device.tt.ttnn.Shape;
import dev.pi0stream.device.tt.ttnn.TtnnTensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Puts rows of several tensors together. Where every part begins at a tile, as cameras and prompts
 * of the published policies do, whole tiles are copied and the lengths do not matter; elsewhere
 * rows are taken out of their tiles and back.
 */
final class RowParts {
  private final Operations operations;
  private final Forms forms;

  RowParts(Operations operations, Forms forms) {
    this.operations = operations;
    this.forms = forms;
  }

  /**
   * One part on the device.
   *
   * @param blockEnd where the block ends that it is in
   */
  private record Piece(TtnnTensor matrix, int from, int count, int blockEnd) {}

  /** The rows together: [1, 1, rows of all blocks, columns], the caller's. */
  TtnnTensor together(List<List<Device.Rows>> parts, Sequences sequences, int columns) {
    try (Temporaries made = new Temporaries()) {
      List<List<Piece>> pieces = pieces(parts, made);
      Blocks blocks = Blocks.of(sequences);
      List<TtnnTensor> all = new ArrayList<>();
      boolean tiles = areTiles(pieces);
      for (List<Piece> own : pieces) {
        if (tiles) {
          all.addAll(tiled(own, blocks.rows(), made));
        } else {
          all.add(untiled(own, blocks.rows(), made));
        }
      }
      TtnnTensor whole = concat(all, made);
      return made.keep(tiles ? whole : made.add(operations.toLayout(whole, Layout.TILE)));
    }
  }

  /** Whether the lengths of the parts decide which operations are issued. */
  static boolean dependsOnLengths(List<List<Device.Rows>> parts) {
    for (List<Device.Rows> own : parts) {
      List<Piece> places = new ArrayList<>();
      for (Device.Rows rows : own) {
        List<Piece> some = places(rows, null);
        if (some.size() != 1 || some.getFirst().from % blockRows(rows) != 0) {
          return true;
        }
        places.addAll(some);
      }
      if (!areTiles(List.of(places))) {
        return true;
      }
    }
    return false;
  }

  private static int blockRows(Device.Rows rows) {
    return Blocks.of(rows.tensor().sequences()).rows();
  }

  private List<List<Piece>> pieces(List<List<Device.Rows>> parts, Temporaries made) {
    List<List<Piece>> pieces = new ArrayList<>();
    TtnnTensor first = null;
    for (List<Device.Rows> own : parts) {
      List<Piece> list = new ArrayList<>();
      for (Device.Rows rows : own) {
        TtnnTensor plain = forms.plain((TtTensor) rows.tensor(), made);
        first = first == null ? plain : first;
        list.addAll(places(rows, forms.cast(plain, first.type(), made)));
      }
      pieces.add(list);
    }
    for (List<Piece> list : pieces) {
      if (list.isEmpty()) {
        // An empty sequence has a block too: of whatever.
        list.add(new Piece(first, 0, Shape.TILE, Shape.TILE));
      }
    }
    if (pieces.isEmpty()) {
      pieces.add(List.of(new Piece(first, 0, Shape.TILE, Shape.TILE)));
    }
    return pieces;
  }

  /** Where some rows lie, sequence by sequence. */
  private static List<Piece> places(Device.Rows rows, TtnnTensor matrix) {
    Sequences sequences = rows.tensor().sequences();
    Blocks blocks = Blocks.of(sequences);
    List<Piece> places = new ArrayList<>();
    int end = rows.from() + rows.count();
    for (int i = 0; i < sequences.count(); i++) {
      int first = Math.max(rows.from(), sequences.start(i));
      int count = Math.min(end, sequences.start(i) + sequences.length(i)) - first;
      if (count > 0) {
        int place = i * blocks.rows() + first - sequences.start(i);
        places.add(new Piece(matrix, place, count, (i + 1) * blocks.rows()));
      }
    }
    return places;
  }

  private static boolean areTiles(List<List<Piece>> pieces) {
    for (List<Piece> own : pieces) {
      for (int i = 0; i < own.size(); i++) {
        Piece piece = own.get(i);
        boolean last = i == own.size() - 1;
        if (piece.from % Shape.TILE != 0 || (!last && piece.count % Shape.TILE != 0)) {
          return false;
        }
      }
    }
    return true;
  }

  /**
   * The parts of a block of whole tiles. The last piece brings what is behind it up to the block's
   * end.
   */
  private List<TtnnTensor> tiled(List<Piece> pieces, int rows, Temporaries made) {
    List<TtnnTensor> parts = new ArrayList<>();
    int filled = 0;
    for (int i = 0; i < pieces.size(); i++) {
      Piece piece = pieces.get(i);
      boolean last = i == pieces.size() - 1;
      int count = last ? Math.min(piece.blockEnd - piece.from, rows - filled) : piece.count;
      parts.add(cut(piece, count, made));
      filled += count;
    }
    return filled == rows
        ? parts
        : List.of(made.add(operations.padRows(concat(parts, made), rows, Memory.DRAM)));
  }

  private TtnnTensor cut(Piece piece, int count, Temporaries made) {
    Shape shape = piece.matrix.shape();
    if (piece.from == 0 && count == shape.get(2)) {
      return piece.matrix;
    }
    int[] start = {0, 0, piece.from, 0};
    return made.add(operations.slice(piece.matrix, shape.with(2, count), start, Memory.DRAM));
  }

  /** A block row after row. */
  private TtnnTensor untiled(List<Piece> pieces, int rows, Temporaries made) {
    List<TtnnTensor> parts = new ArrayList<>();
    int filled = 0;
    for (Piece piece : pieces) {
      TtnnTensor matrix = made.add(operations.toLayout(piece.matrix, Layout.ROW_MAJOR));
      parts.add(cut(new Piece(matrix, piece.from, piece.count, 0), piece.count, made));
      filled += piece.count;
    }
    TtnnTensor block = concat(parts, made);
    return filled == rows ? block : made.add(operations.padRows(block, rows, Memory.DRAM));
  }

  private TtnnTensor concat(List<TtnnTensor> parts, Temporaries made) {
    return parts.size() == 1
        ? parts.getFirst()
        : made.add(operations.concat(parts, 2, Memory.DRAM));
  }
}
