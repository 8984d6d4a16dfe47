package dev.pi0stream.device.tt.python;

import static dev.pi0stream.device.tt.python.CPython.PY;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * Java values on their way to Python, for the calls of one frame. What is made for a call is given
 * back at its end.
 */
final class Arguments {
  private final NativeStack stack;
  private final List<MemorySegment> made = new ArrayList<>();
  private final List<PyReference> entered = new ArrayList<>();

  Arguments(NativeStack stack) {
    this.stack = stack;
  }

  /**
   * Calls a callable.
   *
   * @param names a tuple of the names of the last arguments, or NULL
   * @param keywords how many those are
   * @return a new reference, or NULL and an exception in Python
   */
  MemorySegment call(PyObject callable, MemorySegment names, int keywords, Object[] arguments) {
    long mark = stack.mark();
    try {
      MemorySegment function = convert(callable);
      MemorySegment array =
          stack.allocate(
              ValueLayout.ADDRESS.byteSize() * Math.max(arguments.length, 1),
              ValueLayout.ADDRESS.byteAlignment());
      for (int i = 0; i < arguments.length; i++) {
        array.setAtIndex(ValueLayout.ADDRESS, i, convert(arguments[i]));
      }
      return CPython.vectorcall(function, array, arguments.length - (long) keywords, names);
    } finally {
      giveBack();
      stack.pop(mark);
    }
  }

  /** A new reference to what a value becomes. */
  MemorySegment newReference(Object value) {
    try {
      MemorySegment object = convert(value);
      CPython.run(PY.incRef(), object);
      return object;
    } finally {
      giveBack();
    }
  }

  private void giveBack() {
    for (int i = made.size() - 1; i >= 0; i--) {
      CPython.run(PY.decRef(), made.get(i));
    }
    made.clear();
    for (int i = entered.size() - 1; i >= 0; i--) {
      entered.get(i).leave();
    }
    entered.clear();
  }

  private MemorySegment convert(Object value) {
    return switch (value) {
      case null -> CPython.NONE;
      case PyLocal local -> local.pointer();
      case PyReference reference -> {
        MemorySegment pointer = reference.enter();
        entered.add(reference);
        yield pointer;
      }
      case Boolean b -> b ? CPython.TRUE : CPython.FALSE;
      case Integer i -> make(CPython.pointer(PY.longFrom(), (long) i));
      case Long l -> make(CPython.pointer(PY.longFrom(), (long) l));
      case Double d -> make(CPython.pointer(PY.floatFrom(), (double) d));
      case Float f -> make(CPython.pointer(PY.floatFrom(), (double) f));
      case String s -> string(s);
      case int[] numbers -> {
        Object[] items = new Object[numbers.length];
        for (int i = 0; i < numbers.length; i++) {
          items[i] = numbers[i];
        }
        yield tuple(items);
      }
      case long[] numbers -> {
        Object[] items = new Object[numbers.length];
        for (int i = 0; i < numbers.length; i++) {
          items[i] = numbers[i];
        }
        yield tuple(items);
      }
      case Object[] items -> tuple(items);
      case List<?> items ->
          fill(make(CPython.pointer(PY.newList(), (long) items.size())), false, items.toArray());
      default ->
          throw new IllegalArgumentException(
              "%s cannot be given to Python: expected null, a boolean, a number, a string, an array,"
                      .formatted(value.getClass().getName())
                  + " a list or an object of Python");
    };
  }

  private MemorySegment string(String text) {
    long mark = stack.mark();
    MemorySegment bytes = stack.utf8(text);
    MemorySegment object = make(CPython.pointer(PY.unicodeFrom(), bytes, bytes.byteSize()));
    stack.pop(mark);
    return object;
  }

  private MemorySegment tuple(Object[] items) {
    return fill(make(CPython.pointer(PY.newTuple(), (long) items.length)), true, items);
  }

  /** Fills a new tuple or list, which takes a reference of its own to each item. */
  private MemorySegment fill(MemorySegment sequence, boolean tuple, Object[] items) {
    for (int i = 0; i < items.length; i++) {
      MemorySegment item = convert(items[i]);
      CPython.run(PY.incRef(), item);
      if (CPython.setItem(tuple ? PY.setTupleItem() : PY.setListItem(), sequence, i, item) != 0) {
        throw PythonException.raised();
      }
    }
    return sequence;
  }

  private MemorySegment make(MemorySegment object) {
    if (object.address() == 0) {
      throw PythonException.raised();
    }
    made.add(object);
    return object;
  }
}
