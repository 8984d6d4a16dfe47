package dev.pi0stream.device.tt.python;

import static dev.pi0stream.device.tt.python.CPython.PY;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The GIL on this thread, and the objects that calls return, until it is closed. Frames of a thread
 * are closed in the reverse order of their opening; try-with-resources does it.
 *
 * <p>Every method may throw a {@link PythonException}, what Python raised; an {@link
 * IllegalStateException} where the frame or an object is closed; a {@link WrongThreadException} on
 * another thread.
 */
public final class Frame implements AutoCloseable {
  private static final ThreadLocal<PerThread> THREAD = ThreadLocal.withInitial(PerThread::new);

  private final Thread thread = Thread.currentThread();
  private final List<MemorySegment> owned = new ArrayList<>();
  private final PerThread mine;
  private final Frame around;
  private final Arguments arguments;
  private final int gil;
  private LentMemory lent;
  private Buffers buffers;
  private boolean closed;

  /** What the frames of a thread share. */
  private static final class PerThread {
    private final NativeStack stack = new NativeStack();
    private Frame innermost;
  }

  Frame() {
    if (thread.isVirtual()) {
      throw new IllegalStateException("a frame of Python needs a platform thread");
    }
    mine = THREAD.get();
    around = mine.innermost;
    arguments = new Arguments(mine.stack);
    gil = CPython.status(PY.ensure());
    mine.innermost = this;
  }

  // Objects -------------------------------------------------------------------------------------

  /** A module, imported if it is not; {@code name} may be dotted. */
  public PyObject module(String name) {
    check();
    return own(CPython.pointer(PY.importModule(), Interpreter.name(name)));
  }

  /** An attribute, or an attribute of an attribute: {@code DispatchCoreType.WORKER}. */
  public PyObject attribute(PyObject object, String path) {
    check();
    PyObject result = object;
    for (String name : path.split("\\.", -1)) {
      result = own(CPython.pointer(PY.attribute(), result.pointer(), Interpreter.name(name)));
    }
    return result;
  }

  /**
   * What a Java value is in Python: None, a bool, int, float or str; an array is a tuple, a list a
   * list.
   */
  public PyObject object(Object value) {
    check();
    return own(arguments.newReference(value));
  }

  /** A tuple of what {@link #object} takes. */
  public PyObject tuple(Object... items) {
    return object(items);
  }

  /** Makes an object outlive the frame. */
  public PyReference keep(PyObject object) {
    check();
    return new PyReference(object.pointer());
  }

  // Calls -----------------------------------------------------------------------------------------

  /** Calls a callable with arguments that {@link #object} takes. */
  public PyObject call(PyObject callable, Object... positional) {
    return call(callable, MemorySegment.NULL, 0, positional);
  }

  /** As above, with keyword arguments; {@link PyFunction} is faster. */
  public PyObject call(PyObject callable, Map<String, ?> keywords, Object... positional) {
    check();
    List<Object> all = new ArrayList<>(List.of(positional));
    all.addAll(keywords.values());
    PyObject names = object(keywords.keySet().toArray());
    return call(callable, names.pointer(), keywords.size(), all.toArray());
  }

  /** As {@link #call(PyObject, Object...)}, of an object's method. */
  public PyObject invoke(PyObject object, String method, Object... positional) {
    return call(attribute(object, method), positional);
  }

  PyObject call(PyObject callable, MemorySegment names, int keywords, Object[] values) {
    check();
    return own(arguments.call(callable, names, keywords, values));
  }

  // Values ----------------------------------------------------------------------------------------

  /** The number of an int. */
  public long integer(PyObject object) {
    check();
    long value = CPython.count(PY.asLong(), object.pointer());
    if (value == -1) {
      PythonException raised = PythonException.raisedOrNull();
      if (raised != null) {
        throw raised;
      }
    }
    return value;
  }

  /** Whether Python takes the object for true. */
  public boolean truth(PyObject object) {
    check();
    int value = CPython.status(PY.isTrue(), object.pointer());
    if (value < 0) {
      throw PythonException.raised();
    }
    return value != 0;
  }

  /** The text of a str. */
  public String string(PyObject object) {
    check();
    String text = Strings.decode(object.pointer());
    if (text == null) {
      throw PythonException.raised();
    }
    return text;
  }

  /** What {@code str(object)} is. */
  public String text(PyObject object) {
    check();
    return string(own(CPython.pointer(PY.str(), object.pointer())));
  }

  /** How many items a sequence has. */
  public int size(PyObject sequence) {
    check();
    long size = CPython.count(PY.size(), sequence.pointer());
    if (size < 0) {
      throw PythonException.raised();
    }
    return Math.toIntExact(size);
  }

  /** An item of a sequence. */
  public PyObject item(PyObject sequence, int index) {
    check();
    return own(CPython.pointer(PY.item(), sequence.pointer(), (long) index));
  }

  // Memory ----------------------------------------------------------------------------------------

  /**
   * Lends memory to Python as a dense DLPack tensor: an object with {@code __dlpack__} and {@code
   * __dlpack_device__}, for calls that are made in this frame. Nothing is copied, so the memory has
   * to live as long as the consumer looks at it: TTNN has copied it when its call returns, an array
   * of NumPy never does.
   *
   * @param memory native memory of exactly this many elements
   */
  public PyObject lend(MemorySegment memory, ElementType type, long... shape) {
    check();
    if (lent == null) {
      lent = new LentMemory();
    }
    PyObject capsule = own(lent.capsule(memory, type, shape));
    return call(attribute(module(LentMemory.MODULE), LentMemory.CLASS), capsule);
  }

  /**
   * Copies what a contiguous buffer holds, such as an array of NumPy.
   *
   * @param destination memory of exactly the buffer's size
   */
  public void read(PyObject buffer, MemorySegment destination) {
    check();
    try (Buffers one = new Buffers()) {
      MemorySegment content = one.view(buffer.pointer());
      if (content.byteSize() != destination.byteSize()) {
        throw new IllegalArgumentException(
            "a buffer of %d bytes cannot be read into %d bytes"
                .formatted(content.byteSize(), destination.byteSize()));
      }
      destination.copyFrom(content);
    }
  }

  /** What a contiguous buffer holds, without a copy: read-only, until this frame is closed. */
  public MemorySegment view(PyObject buffer) {
    check();
    if (buffers == null) {
      buffers = new Buffers();
    }
    return buffers.view(buffer.pointer());
  }

  // Lifetime --------------------------------------------------------------------------------------

  /** Gives up what the frame holds, and the GIL where no other frame is around it. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    check();
    if (mine.innermost != this) {
      throw new IllegalStateException("a frame of Python is closed before one that is inside it");
    }
    closed = true;
    try {
      if (buffers != null) {
        buffers.close();
      }
      if (lent != null) {
        lent.close();
      }
      for (int i = owned.size() - 1; i >= 0; i--) {
        CPython.run(PY.decRef(), owned.get(i));
      }
    } finally {
      mine.innermost = around;
      CPython.run(PY.release(), gil);
    }
  }

  /** Checks that the frame can be used here and now. */
  void check() {
    if (closed) {
      throw new IllegalStateException("a frame of Python is used after its close");
    }
    if (!Thread.currentThread().equals(thread)) {
      throw new WrongThreadException("a frame of Python belongs to thread " + thread.getName());
    }
  }

  private PyObject own(MemorySegment object) {
    if (object.address() == 0) {
      throw PythonException.raised();
    }
    owned.add(object);
    return new PyLocal(this, object);
  }
}
