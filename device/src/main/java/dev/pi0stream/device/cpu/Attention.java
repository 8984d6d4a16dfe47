package dev.pi0stream.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.pi0stream.device.Heads;
import dev.pi0stream.device.Sequences;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Full attention, sequence by sequence: scores in fp32, softmax, then the sum of the values; a
 * block of query rows at a time, so that scores stay in the cache.
 *
 * <p>Keys and values of a context are put before the sequence's own, in one piece. It is filled up
 * with rows that a row of very negative numbers, added to the scores, hides; and a few query rows
 * more than there are are computed. So sequences of about the same length share compiled
 * primitives.
 */
final class Attention implements AutoCloseable {
  /** The most query rows that are computed at a time. */
  static final int BLOCK = 256;

  /** Far below any score, and no infinity, which would become NaN where all are hidden. */
  private static final float HIDDEN = -1e30f;

  private final Primitives primitives;
  private final Workspace scratchpad;
  private final Workspace scores = new Workspace();
  private final Workspace shares = new Workspace();
  private final Workspace gathered = new Workspace();
  private final Workspace hiding = new Workspace();
  private final Workspace queries = new Workspace();

  Attention(Primitives primitives, Workspace scratchpad) {
    this.primitives = primitives;
    this.scratchpad = scratchpad;
  }

  /**
   * Keys and values of one sequence and its context.
   *
   * @param rows with those that fill up
   * @param keys the address of the first row's keys
   * @param values the address of the first row's values
   * @param rowStep from one row to the next, in numbers
   * @param hidden the address of what is added to the scores of each row; 0 where none is hidden
   */
  private record Span(int rows, long keys, long values, long rowStep, long hidden) {}

  /**
   * Attention of every sequence.
   *
   * @param context of the same format; null for none
   */
  void attend(
      NativeTensor packed,
      Heads heads,
      Sequences sequences,
      NativeKeyValues context,
      int layer,
      NativeTensor result) {
    for (int sequence = 0; sequence < sequences.count(); sequence++) {
      int rows = sequences.length(sequence);
      if (rows == 0) {
        continue;
      }
      int start = sequences.start(sequence);
      Span span = span(packed, heads, start, rows, context, sequence, layer);
      int computed = NativeTensor.computed(rows);
      int blocks = (computed + BLOCK - 1) / BLOCK;
      int block = (computed + blocks - 1) / blocks;
      // In order: what a block computes too many, the next one overwrites.
      for (int first = 0; first < rows; first += block) {
        attend(packed, heads, span, start + first, block, result);
      }
    }
  }

  private Span span(
      NativeTensor packed,
      Heads heads,
      int start,
      int rows,
      NativeKeyValues context,
      int sequence,
      int layer) {
    int before = context == null ? 0 : context.sequences().length(sequence);
    int keys = before + rows;
    int computed = NativeTensor.computed(keys);
    int bytes = packed.type().bytes();
    if (before == 0 && computed == keys) {
      long first = packed.address(start, heads.queryColumns());
      long width = (long) heads.keyValueColumns() * bytes;
      return new Span(keys, first, first + width, packed.columns(), 0);
    }
    long rowBytes = 2L * heads.keyValueColumns() * bytes;
    MemorySegment all = gathered.reserve(computed * rowBytes);
    if (before > 0) {
      long from = context.offset(layer, context.sequences().start(sequence));
      MemorySegment.copy(context.block(), from, all, 0, before * rowBytes);
    }
    for (int row = 0; row < rows; row++) {
      long from = packed.offset(start + row, heads.queryColumns());
      MemorySegment.copy(packed.values(), from, all, (before + row) * rowBytes, rowBytes);
    }
    all.asSlice(keys * rowBytes, (computed - keys) * rowBytes).fill((byte) 0);
    return new Span(
        computed,
        all.address(),
        all.address() + rowBytes / 2,
        2L * heads.keyValueColumns(),
        hide(keys, computed));
  }

  private long hide(int keys, int computed) {
    if (keys == computed) {
      return 0;
    }
    MemorySegment row = hiding.reserve((long) computed * Float.BYTES);
    row.asSlice(0, (long) keys * Float.BYTES).fill((byte) 0);
    for (int key = keys; key < computed; key++) {
      row.setAtIndex(JAVA_FLOAT, key, HIDDEN);
    }
    return row.address();
  }

  /** Some query rows: all heads at once where each has keys of its own, else group by group. */
  private void attend(
      NativeTensor packed, Heads heads, Span span, int first, int rows, NativeTensor result) {
    DataType type = packed.type();
    int size = heads.size();
    long keyStep = span.rowStep();
    if (heads.query() == heads.keyValue()) {
      int count = heads.query();
      attend(
          new Matrices(type, count, rows, size, size, heads.columns(), 1),
          new Matrices(type, count, size, span.rows(), size, 1, keyStep),
          new Matrices(type, count, rows, size, size, heads.queryColumns(), 1),
          packed.address(first, 0),
          span,
          0,
          result.address(first, 0));
      return;
    }
    int group = heads.query() / heads.keyValue();
    if (heads.keyValue() == 1) {
      // All heads read the same keys: as many more rows of one matrix.
      attend(
          new Matrices(type, 1, rows * group, size, 0, size, 1),
          new Matrices(type, 1, size, span.rows(), 0, 1, keyStep),
          new Matrices(type, 1, rows * group, size, 0, size, 1),
          gatherQueries(packed, heads, first, rows),
          span,
          0,
          result.address(first, 0));
      return;
    }
    for (int head = 0; head < heads.keyValue(); head++) {
      attend(
          new Matrices(type, group, rows, size, size, heads.columns(), 1),
          new Matrices(type, 1, size, span.rows(), size, 1, keyStep),
          new Matrices(type, group, rows, size, size, heads.queryColumns(), 1),
          packed.address(first, head * group * size),
          span,
          (long) head * size * type.bytes(),
          result.address(first, head * group * size));
    }
  }

  /** Queries without the keys and values between them; those beyond the last row are arbitrary. */
  private long gatherQueries(NativeTensor packed, Heads heads, int first, int rows) {
    long bytes = (long) heads.queryColumns() * packed.type().bytes();
    MemorySegment all = queries.reserve(rows * bytes);
    int present = Math.min(rows, packed.rows() - first);
    for (int row = 0; row < present; row++) {
      MemorySegment.copy(packed.values(), packed.offset(first + row, 0), all, row * bytes, bytes);
    }
    return all.address();
  }

  /**
   * Some heads of some query rows.
   *
   * @param query rows × size for each head
   * @param key size × keys for each head, or for all
   * @param result rows × size for each head
   * @param keyOffset from a row's first key head to the first that is meant, in bytes
   */
  private void attend(
      Matrices query,
      Matrices key,
      Matrices result,
      long queryAddress,
      Span span,
      long keyOffset,
      long resultAddress) {
    DataType type = query.type();
    int count = query.count();
    int rows = query.rows();
    int keys = key.columns();
    long matrix = (long) rows * keys;
    long scored = scores.address(count * matrix * Float.BYTES);
    long shared = type == DataType.F32 ? scored : shares.address(count * matrix * type.bytes());

    List<PostOp> postOps = new ArrayList<>(2);
    postOps.add(new PostOp.Scale((float) (1 / Math.sqrt(query.columns()))));
    long[] operands = {queryAddress, span.keys() + keyOffset, scored};
    if (span.hidden() != 0) {
      postOps.add(new PostOp.Add(PostOp.Operand.ROW));
      operands = new long[] {operands[0], operands[1], operands[2], span.hidden()};
    }
    Matrices score = new Matrices(DataType.F32, count, rows, keys, matrix, keys, 1);
    primitives
        .of(new Operation.BatchProduct(query, key, score, List.copyOf(postOps)))
        .run(scratchpad, operands);
    primitives.of(new Operation.Softmax(type, count * rows, keys)).run(scratchpad, scored, shared);
    Matrices share = new Matrices(type, count, rows, keys, matrix, keys, 1);
    Matrices value =
        new Matrices(type, key.count(), keys, query.columns(), key.step(), key.columnStep(), 1);
    primitives
        .of(new Operation.BatchProduct(share, value, result, List.of()))
        .run(scratchpad, shared, span.values() + keyOffset, resultAddress);
  }

  @Override
  public void close() {
    scores.close();
    shares.close();
    gathered.close();
    hiding.close();
    queries.close();
  }
}
