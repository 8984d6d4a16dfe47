package dev.pi0stream.device.tt.ttnn;

import dev.pi0stream.device.tt.python.Frame;
import dev.pi0stream.device.tt.python.Interpreter;
import dev.pi0stream.device.tt.python.PyFunction;
import dev.pi0stream.device.tt.python.PyObject;
import dev.pi0stream.device.tt.python.PyReference;
import dev.pi0stream.device.tt.python.PythonException;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The Python module {@code ttnn}, or one that takes its place: what of it does not belong to a
 * device. Held for the rest of the process, as the interpreter is.
 */
public final class Ttnn {
  private final Interpreter interpreter;
  private final PyReference module;
  private final Map<DataType, PyReference> types = new EnumMap<>(DataType.class);
  private final Map<Layout, PyReference> layouts = new EnumMap<>(Layout.class);
  private final Map<Memory, PyReference> memories = new EnumMap<>(Memory.class);
  private final Map<Memory, PyReference> bufferTypes = new EnumMap<>(Memory.class);
  private final Map<String, PyFunction> functions = new ConcurrentHashMap<>();
  private final PyFunction deallocate;
  private final boolean replaysTraces;
  private final boolean unrounded;

  private Ttnn(Interpreter interpreter, String name, boolean mock) {
    this.interpreter = interpreter;
    try (Frame frame = interpreter.frame()) {
      PyObject found = frame.module(name);
      module = frame.keep(found);
      for (DataType type : DataType.values()) {
        types.put(type, frame.keep(frame.attribute(found, type.ttnnName())));
      }
      for (Layout layout : Layout.values()) {
        layouts.put(layout, frame.keep(frame.attribute(found, layout.ttnnName())));
      }
      for (Memory memory : Memory.values()) {
        memories.put(memory, frame.keep(frame.attribute(found, memory.ttnnName())));
        bufferTypes.put(memory, frame.keep(frame.attribute(found, memory.bufferType())));
      }
      deallocate = new PyFunction(frame, undecorated(frame, found, "deallocate"));
      PyObject exact = attributeOrNull(frame, found, "unrounded");
      unrounded = exact != null && frame.truth(exact);
      PyObject replays = attributeOrNull(frame, found, "replays_traces");
      replaysTraces = replays == null ? !mock : frame.truth(replays);
    }
  }

  /**
   * Imports the module.
   *
   * @param name {@code ttnn}
   * @param mock whether it runs on cards that are described, not there
   */
  public static Ttnn load(Interpreter interpreter, String name, boolean mock) {
    return new Ttnn(interpreter, name, mock);
  }

  /**
   * Whether traces can be captured and replayed, and events waited for. A mock device of TTNN has
   * no command queue: either ends the process. A module that says {@code replays_traces} itself is
   * believed.
   */
  public boolean replaysTraces() {
    return replaysTraces;
  }

  /** Whether nothing is rounded to the types of tensors: no card's module says so. */
  public boolean isUnrounded() {
    return unrounded;
  }

  /** Takes the GIL; see {@link Interpreter#frame()}. */
  public Frame frame() {
    return interpreter.frame();
  }

  PyReference module() {
    return module;
  }

  PyReference type(DataType type) {
    return types.get(type);
  }

  PyReference layout(Layout layout) {
    return layouts.get(layout);
  }

  PyReference memory(Memory memory) {
    return memories.get(memory);
  }

  PyReference bufferType(Memory memory) {
    return bufferTypes.get(memory);
  }

  /**
   * A function with the names of its last arguments, prepared once. Operations are taken without
   * the decorator around them, which costs more than they do.
   */
  PyFunction function(String path, String... keywords) {
    String key = path + "(" + String.join(",", keywords);
    PyFunction known = functions.get(key);
    if (known != null) {
      return known;
    }
    // Not inside the map: it would hold a lock while this thread waits for the GIL, which the
    // thread of another device may hold while it waits for that lock.
    PyFunction made;
    try (Frame frame = frame()) {
      made = new PyFunction(frame, undecorated(frame, module, path), keywords);
    }
    PyFunction earlier = functions.putIfAbsent(key, made);
    if (earlier == null) {
      return made;
    }
    made.close();
    return earlier;
  }

  private static PyObject undecorated(Frame frame, PyObject module, String path) {
    PyObject decorated = frame.attribute(module, path);
    PyObject function = attributeOrNull(frame, decorated, "function");
    return function == null ? decorated : function;
  }

  private static PyObject attributeOrNull(Frame frame, PyObject object, String name) {
    try {
      return frame.attribute(object, name);
    } catch (PythonException e) {
      if (e.type().equals("AttributeError")) {
        return null;
      }
      throw e;
    }
  }

  void deallocate(Frame frame, PyReference tensor) {
    deallocate.call(frame, tensor);
  }
}
