package dev.pi0stream.device;

/**
 * The heads of an attention layer. A packed projection has the columns {@code [query heads | key
 * heads | value heads]}, head after head, each {@code size} wide; query head {@code h} reads
 * key/value head {@code h · keyValue / query}.
 *
 * @param query the number of query heads; 0 where only keys and values are wanted
 * @param keyValue the number of key/value heads, a divisor of {@code query}
 * @param size the width of one head; the scale of the scores is {@code 1/√size}
 */
public record Heads(int query, int keyValue, int size) {
  public Heads {
    if (query < 0 || keyValue < 1 || size < 1 || query % keyValue != 0) {
      throw new IllegalArgumentException(
          "%d query heads, %d key/value heads of size %d".formatted(query, keyValue, size));
    }
  }

  /** The same heads without queries: what the last prefix layer needs. */
  public Heads withoutQueries() {
    return new Heads(0, keyValue, size);
  }

  /** Columns of the queries, and of an attention's output. */
  public int queryColumns() {
    return query * size;
  }

  /** Columns of the keys, and as many of the values. */
  public int keyValueColumns() {
    return keyValue * size;
  }

  /** Columns of a packed projection. */
  public int columns() {
    return queryColumns() + 2 * keyValueColumns();
  }
}
