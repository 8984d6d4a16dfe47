package dev.pi0stream.device.tt.python;

import java.util.ArrayDeque;
import java.util.Deque;

/** References that are closed together, the newest first. Not safe for use by several threads. */
public final class ReferenceScope implements AutoCloseable {
  private final Deque<PyReference> references = new ArrayDeque<>();

  /** Closes this reference with the scope. */
  public PyReference add(PyReference reference) {
    references.push(reference);
    return reference;
  }

  /** Closes the references; the scope can be used again. */
  @Override
  public void close() {
    if (references.isEmpty()) {
      return;
    }
    int state = CPython.status(CPython.PY.ensure());
    try {
      while (!references.isEmpty()) {
        references.pop().release();
      }
    } finally {
      CPython.run(CPython.PY.release(), state);
    }
  }
}
