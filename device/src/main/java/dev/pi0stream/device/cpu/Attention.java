package dev.pi0stream.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.pi0stream.device.Heads;
import dev.pi0stream.device.Sequences;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Full attention, sequence by sequence: scores in fp32, softmax, then the sum of the values; a block
 * of query rows at a time, so that scores stay in the cache.
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
    int calls = heads.query() == heads.keyValue() ? 1 : heads.keyValue();
    int bytes = packed.type().bytes();
    long queryBytes = (long) heads.queryColumns() / calls * bytes;
    long keyBytes = (long) heads.keyValueColumns() / calls * bytes;
    for (int call = 0; call < calls; call++) {
      attend(
          packed.type(),
          packed.address(first, 0) + call * queryBytes,
          rows,
          heads,
          heads.query() / calls,
          heads.keyValue() / calls,
          call * keyBytes,
          span,
          result.address(first, 0) + call * queryBytes);
    }
  }

  /**
   * Some heads of some query rows.
   *
   * @param queryHeads the number of query heads
   * @param keyHeads as many, or one for all
   * @param keyOffset from a row's first key head to the first that is meant, in bytes
   */
  private void attend(
      DataType type,
      long queries,
      int rows,
      Heads heads,
      int queryHeads,
      int keyHeads,
      long keyOffset,
      Span span,
      long result) {
    int size = heads.size();
    int keys = span.rows();
    long matrix = (long) rows * keys;
    long scored = scores.address(queryHeads * matrix * Float.BYTES);
    long shared =
        type == DataType.F32 ? scored : shares.address(queryHeads * matrix * type.bytes());

    List<PostOp> postOps = new ArrayList<>(2);
    postOps.add(new PostOp.Scale((float) (1 / Math.sqrt(size))));
    long[] operands = {queries, span.keys() + keyOffset, scored};
    if (span.hidden() != 0) {
      postOps.add(new PostOp.Add(PostOp.Operand.ROW));
      operands = new long[] {operands[0], operands[1], operands[2], span.hidden()};
    }
    primitives
        .of(
            new Operation.BatchProduct(
                new Matrices(type, queryHeads, rows, size, size, heads.columns(), 1),
                new Matrices(type, keyHeads, size, keys, size, 1, span.rowStep()),
                new Matrices(DataType.F32, queryHeads, rows, keys, matrix, keys, 1),
                List.copyOf(postOps)))
        .run(scratchpad, operands);
    primitives
        .of(new Operation.Softmax(type, queryHeads * rows, keys))
        .run(scratchpad, scored, shared);
    primitives
        .of(
            new Operation.BatchProduct(
                new Matrices(type, queryHeads, rows, keys, matrix, keys, 1),
                new Matrices(type, keyHeads, keys, size, size, span.rowStep(), 1),
                new Matrices(type, queryHeads, rows, size, size, heads.queryColumns(), 1),
                List.of()))
        .run(scratchpad, shared, span.values() + keyOffset, result);
  }

  @Override
  public void close() {
    scores.close();
    shares.close();
    gathered.close();
    hiding.close();
  }
}
