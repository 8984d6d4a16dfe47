package dev.pi0stream.device.tt.python;

import java.lang.foreign.MemorySegment;

/**
 * A callable and the names of the keyword arguments that it is always called with: what can be
 * prepared once is, so that a call costs little more than the callable itself.
 */
public final class PyFunction implements AutoCloseable {
  private final PyReference callable;
  private final PyReference names;
  private final int keywords;

  /**
   * Prepares a callable.
   *
   * @param keywords the names of the last arguments of each call, in order
   */
  public PyFunction(Frame frame, PyObject callable, String... keywords) {
    this.callable = frame.keep(callable);
    this.keywords = keywords.length;
    this.names = keywords.length == 0 ? null : frame.keep(frame.tuple((Object[]) keywords));
  }

  /**
   * Calls it.
   *
   * @param arguments what {@link Frame#object} takes, the values of the keywords last
   * @throws PythonException what it raised
   */
  public PyObject call(Frame frame, Object... arguments) {
    if (arguments.length < keywords) {
      throw new IllegalArgumentException(
          "%d arguments for a function with %d keywords".formatted(arguments.length, keywords));
    }
    MemorySegment namesOrNull = names == null ? MemorySegment.NULL : names.pointer();
    return frame.call(callable, namesOrNull, keywords, arguments);
  }

  /** Gives the callable up; closing it again does nothing. */
  @Override
  public void close() {
    callable.close();
    if (names != null) {
      names.close();
    }
  }
}
