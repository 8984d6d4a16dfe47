package dev.pi0stream.device.cpu;

import dev.pi0stream.device.Heads;
import dev.pi0stream.device.Sequences;
import java.util.ArrayList;
import java.util.List;

/**
 * Full attention, sequence by sequence: scores of the context's keys and of the own keys beside
 * each other, softmax of both together, then the sum of the values of both. Keys and values are
 * read where they are.
 */
final class Attention implements AutoCloseable {
  private final Primitives primitives;
  private final Workspace scratchpad;
  private final Workspace scores = new Workspace();

  Attention(Primitives primitives, Workspace scratchpad) {
    this.primitives = primitives;
    this.scratchpad = scratchpad;
  }

  /**
   * Some rows of keys and values.
   *
   * @param keys the address of the first row's keys
   * @param values the address of the first row's values
   * @param rowStep from one row to the next, in numbers
   */
  private record Span(int rows, long keys, long values, long rowStep) {}

  /**
   * Attention of every sequence.
   *
   * @param context null for none
   */
  void attend(
      NativeTensor packed,
      Heads heads,
      Sequences sequences,
      NativeKeyValues context,
      int layer,
      NativeTensor result) {
    int keyColumn = heads.queryColumns();
    int valueColumn = keyColumn + heads.keyValueColumns();
    List<Span> spans = new ArrayList<>(2);
    for (int sequence = 0; sequence < sequences.count(); sequence++) {
      int rows = sequences.length(sequence);
      if (rows == 0) {
        continue;
      }
      spans.clear();
      if (context != null && context.sequences().length(sequence) > 0) {
        int start = context.sequences().start(sequence);
        spans.add(
            new Span(
                context.sequences().length(sequence),
                context.address() + context.keyOffset(layer, start),
                context.address() + context.valueOffset(layer, start),
                heads.keyValueColumns()));
      }
      int start = sequences.start(sequence);
      spans.add(
          new Span(
              rows,
              packed.address(start, keyColumn),
              packed.address(start, valueColumn),
              packed.columns()));
      attend(packed.address(start, 0), rows, heads, spans, result.address(start, 0));
    }
  }

  /** One sequence: all heads at once where each has keys of its own, else group by group. */
  private void attend(long queries, int rows, Heads heads, List<Span> spans, long result) {
    int calls = heads.query() == heads.keyValue() ? 1 : heads.keyValue();
    long queryBytes = (long) heads.queryColumns() / calls * Float.BYTES;
    long keyBytes = (long) heads.keyValueColumns() / calls * Float.BYTES;
    for (int call = 0; call < calls; call++) {
      attend(
          queries + call * queryBytes,
          rows,
          heads,
          heads.query() / calls,
          heads.keyValue() / calls,
          call * keyBytes,
          spans,
          result + call * queryBytes);
    }
  }

  /**
   * Some heads of one sequence.
   *
   * @param queryHeads the number of query heads
   * @param keyHeads as many, or one for all
   * @param keyOffset from a row's first key head to the first that is meant, in bytes
   */
  private void attend(
      long queries,
      int rows,
      Heads heads,
      int queryHeads,
      int keyHeads,
      long keyOffset,
      List<Span> spans,
      long result) {
    int size = heads.size();
    int keys = spans.stream().mapToInt(Span::rows).sum();
    long matrix = (long) rows * keys;
    long scored = scores.address(queryHeads * matrix * Float.BYTES);
    List<PostOp> scale = List.of(new PostOp.Scale((float) (1 / Math.sqrt(size))));

    long column = scored;
    for (Span span : spans) {
      primitives
          .of(
              new Operation.BatchProduct(
                  new Matrices(queryHeads, rows, size, size, heads.columns(), 1),
                  new Matrices(keyHeads, size, span.rows(), size, 1, span.rowStep()),
                  new Matrices(queryHeads, rows, span.rows(), matrix, keys, 1),
                  scale))
          .run(scratchpad, queries, span.keys() + keyOffset, column);
      column += (long) span.rows() * Float.BYTES;
    }
    primitives.of(new Operation.Softmax(queryHeads * rows, keys)).run(scratchpad, scored, scored);
    column = scored;
    for (Span span : spans) {
      primitives
          .of(
              new Operation.BatchProduct(
                  new Matrices(queryHeads, rows, span.rows(), matrix, keys, 1),
                  new Matrices(keyHeads, span.rows(), size, size, span.rowStep(), 1),
                  new Matrices(queryHeads, rows, size, size, heads.queryColumns(), 1),
                  column == scored ? List.of() : List.of(new PostOp.Accumulate())))
          .run(scratchpad, column, span.values() + keyOffset, result);
      column += (long) span.rows() * Float.BYTES;
    }
  }

  @Override
  public void close() {
    scores.close();
  }
}
