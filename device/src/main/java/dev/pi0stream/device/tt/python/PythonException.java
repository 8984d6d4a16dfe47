package dev.pi0stream.device.tt.python;

import dev.pi0stream.device.DeviceException;
import java.lang.foreign.MemorySegment;

/**
 * A Python exception. TT-Metal wraps what it has to say: {@code TT_FATAL @ file:line: condition},
 * {@code info:}, the sentence, {@code backtrace:} and addresses. The message is the sentence then,
 * and the whole text otherwise.
 */
public final class PythonException extends DeviceException {
  private static final long serialVersionUID = 1L;
  private static final String INFO = "info:";
  private static final String BACKTRACE = "backtrace:";

  private final String type;
  private final String text;

  /**
   * An exception.
   *
   * @param type its class in Python, {@code RuntimeError}
   * @param text all that it says
   */
  PythonException(String type, String text) {
    super(type + ": " + sentence(text));
    this.type = type;
    this.text = text;
  }

  /** Takes the exception that a call has just raised from Python, under the GIL. */
  static PythonException raised() {
    PythonException raised = raisedOrNull();
    return raised == null
        ? new PythonException("SystemError", "a call failed without an exception")
        : raised;
  }

  /** As {@link #raised}; null where none was raised. */
  static PythonException raisedOrNull() {
    MemorySegment error = CPython.pointer(CPython.PY.raised());
    if (error.address() == 0) {
      return null;
    }
    MemorySegment type = CPython.pointer(CPython.PY.type(), error);
    try {
      return new PythonException(
          string(CPython.pointer(CPython.PY.attribute(), type, Interpreter.name("__name__"))),
          string(CPython.pointer(CPython.PY.str(), error)));
    } finally {
      CPython.run(CPython.PY.decRef(), type);
      CPython.run(CPython.PY.decRef(), error);
    }
  }

  /** The text of a new string object, which may be missing; failures to say it are forgotten. */
  private static String string(MemorySegment object) {
    String string = null;
    if (object.address() != 0) {
      string = Strings.decode(object);
      CPython.run(CPython.PY.decRef(), object);
    }
    if (string == null) {
      MemorySegment another = CPython.pointer(CPython.PY.raised());
      CPython.run(CPython.PY.decRef(), another);
      return "(an exception whose text cannot be had)";
    }
    return string;
  }

  /** Its class in Python, without the module: {@code RuntimeError}, {@code TypeError}. */
  public String type() {
    return type;
  }

  /** All that it said, with the place in TT-Metal and the backtrace where there are any. */
  public String text() {
    return text;
  }

  private static String sentence(String text) {
    int info = text.indexOf(INFO);
    int start = info < 0 ? 0 : info + INFO.length();
    int backtrace = text.indexOf(BACKTRACE, start);
    return text.substring(start, backtrace < 0 ? text.length() : backtrace).strip();
  }
}
