package dev.pi0stream.device.tt.python;

import dev.pi0stream.device.foreign.NativeFunctions;
import dev.pi0stream.device.foreign.NativeSignature;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;

/**
 * The functions of CPython's stable ABI that we use, under its names; all of them are in the
 * limited API of 3.12. Linked with the class, after {@link LibPython} has loaded the library.
 *
 * <p>The {@code pointer}, {@code status} … methods call a function by what it takes and returns.
 * They do not look at Python's error indicator: {@link Frame} does.
 */
final class CPython {
  static final Functions PY;
  static final MemorySegment NONE;
  static final MemorySegment TRUE;
  static final MemorySegment FALSE;

  static {
    SymbolLookup library = LibPython.symbols();
    PY = NativeFunctions.link(MethodHandles.lookup(), Functions.class, library);
    NONE = library.findOrThrow("_Py_NoneStruct");
    TRUE = library.findOrThrow("_Py_TrueStruct");
    FALSE = library.findOrThrow("_Py_FalseStruct");
  }

  private CPython() {}

  record Functions(
      @NativeSignature(
              name = "Py_IsInitialized",
              arguments = {})
          MethodHandle isInitialized,
      @NativeSignature(
              name = "Py_DecodeLocale",
              returns = MemorySegment.class,
              arguments = {MemorySegment.class, MemorySegment.class})
          MethodHandle decodeLocale,
      @NativeSignature(
              name = "Py_SetProgramName",
              returns = void.class,
              arguments = {MemorySegment.class})
          MethodHandle setProgramName,
      @NativeSignature(
              name = "Py_InitializeEx",
              returns = void.class,
              arguments = {int.class})
          MethodHandle initialize,
      @NativeSignature(
              name = "PyEval_SaveThread",
              returns = MemorySegment.class,
              arguments = {})
          MethodHandle saveThread,
      @NativeSignature(
              name = "PyGILState_Ensure",
              arguments = {})
          MethodHandle ensure,
      @NativeSignature(
              name = "PyGILState_Release",
              returns = void.class,
              arguments = {int.class})
          MethodHandle release,
      @NativeSignature(
              name = "Py_IncRef",
              returns = void.class,
              arguments = {MemorySegment.class})
          MethodHandle incRef,
      @NativeSignature(
              name = "Py_DecRef",
              returns = void.class,
              arguments = {MemorySegment.class})
          MethodHandle decRef,
      @NativeSignature(
              name = "PyErr_GetRaisedException",
              returns = MemorySegment.class,
              arguments = {})
          MethodHandle raised,
      @NativeSignature(
              name = "PyImport_Import",
              returns = MemorySegment.class,
              arguments = {MemorySegment.class})
          MethodHandle importModule,
      @NativeSignature(
              name = "PyImport_AddModule",
              returns = MemorySegment.class,
              arguments = {MemorySegment.class})
          MethodHandle addModule,
      @NativeSignature(
              name = "PyModule_GetDict",
              returns = MemorySegment.class,
              arguments = {MemorySegment.class})
          MethodHandle moduleNames,
      @NativeSignature(
              name = "Py_CompileString",
              returns = MemorySegment.class,
              arguments = {MemorySegment.class, MemorySegment.class, int.class})
          MethodHandle compile,
      @NativeSignature(
              name = "PyEval_EvalCode",
              returns = MemorySegment.class,
              arguments = {MemorySegment.class, MemorySegment.class, MemorySegment.class})
          MethodHandle evaluate,
      @NativeSignature(
              name = "PyObject_GetAttr",
              returns = MemorySegment.class,
              arguments = {MemorySegment.class, MemorySegment.class})
          MethodHandle attribute,
      @NativeSignature(
              name = "PyObject_Vectorcall",
              returns = MemorySegment.class,
              arguments = {
                MemorySegment.class,
                MemorySegment.class,
                long.class,
                MemorySegment.class
              })
          MethodHandle vectorcall,
      @NativeSignature(
              name = "PyObject_Type",
              returns = MemorySegment.class,
              arguments = {MemorySegment.class})
          MethodHandle type,
      @NativeSignature(
              name = "PyObject_Str",
              returns = MemorySegment.class,
              arguments = {MemorySegment.class})
          MethodHandle str,
      @NativeSignature(
              name = "PyObject_IsTrue",
              arguments = {MemorySegment.class})
          MethodHandle isTrue,
      @NativeSignature(
              name = "PySequence_Size",
              returns = long.class,
              arguments = {MemorySegment.class})
          MethodHandle size,
      @NativeSignature(
              name = "PySequence_GetItem",
              returns = MemorySegment.class,
              arguments = {MemorySegment.class, long.class})
          MethodHandle item,
      @NativeSignature(
              name = "PyLong_FromLongLong",
              returns = MemorySegment.class,
              arguments = {long.class})
          MethodHandle longFrom,
      @NativeSignature(
              name = "PyLong_AsLongLong",
              returns = long.class,
              arguments = {MemorySegment.class})
          MethodHandle asLong,
      @NativeSignature(
              name = "PyFloat_FromDouble",
              returns = MemorySegment.class,
              arguments = {double.class})
          MethodHandle floatFrom,
      @NativeSignature(
              name = "PyUnicode_FromStringAndSize",
              returns = MemorySegment.class,
              arguments = {MemorySegment.class, long.class})
          MethodHandle unicodeFrom,
      @NativeSignature(
              name = "PyUnicode_InternFromString",
              returns = MemorySegment.class,
              arguments = {MemorySegment.class})
          MethodHandle internedFrom,
      @NativeSignature(
              name = "PyUnicode_AsUTF8AndSize",
              returns = MemorySegment.class,
              arguments = {MemorySegment.class, MemorySegment.class})
          MethodHandle utf8,
      @NativeSignature(
              name = "PyTuple_New",
              returns = MemorySegment.class,
              arguments = {long.class})
          MethodHandle newTuple,
      @NativeSignature(
              name = "PyTuple_SetItem",
              arguments = {MemorySegment.class, long.class, MemorySegment.class})
          MethodHandle setTupleItem,
      @NativeSignature(
              name = "PyList_New",
              returns = MemorySegment.class,
              arguments = {long.class})
          MethodHandle newList,
      @NativeSignature(
              name = "PyList_SetItem",
              arguments = {MemorySegment.class, long.class, MemorySegment.class})
          MethodHandle setListItem,
      @NativeSignature(
              name = "PyCapsule_New",
              returns = MemorySegment.class,
              arguments = {MemorySegment.class, MemorySegment.class, MemorySegment.class})
          MethodHandle newCapsule,
      @NativeSignature(
              name = "PyCapsule_IsValid",
              arguments = {MemorySegment.class, MemorySegment.class})
          MethodHandle isCapsule,
      @NativeSignature(
              name = "PyCapsule_SetName",
              arguments = {MemorySegment.class, MemorySegment.class})
          MethodHandle nameCapsule,
      @NativeSignature(
              name = "PyObject_GetBuffer",
              arguments = {MemorySegment.class, MemorySegment.class, int.class})
          MethodHandle getBuffer,
      @NativeSignature(
              name = "PyBuffer_Release",
              returns = void.class,
              arguments = {MemorySegment.class})
          MethodHandle releaseBuffer) {}

  static MemorySegment pointer(MethodHandle function, MemorySegment a) {
    try {
      return (MemorySegment) function.invokeExact(a);
    } catch (Throwable t) {
      throw NativeFunctions.failure(t);
    }
  }

  static MemorySegment pointer(MethodHandle function, MemorySegment a, MemorySegment b) {
    try {
      return (MemorySegment) function.invokeExact(a, b);
    } catch (Throwable t) {
      throw NativeFunctions.failure(t);
    }
  }

  static MemorySegment pointer(
      MethodHandle function, MemorySegment a, MemorySegment b, MemorySegment c) {
    try {
      return (MemorySegment) function.invokeExact(a, b, c);
    } catch (Throwable t) {
      throw NativeFunctions.failure(t);
    }
  }

  static MemorySegment pointer(MethodHandle function, MemorySegment a, long b) {
    try {
      return (MemorySegment) function.invokeExact(a, b);
    } catch (Throwable t) {
      throw NativeFunctions.failure(t);
    }
  }

  static MemorySegment pointer(MethodHandle function, long a) {
    try {
      return (MemorySegment) function.invokeExact(a);
    } catch (Throwable t) {
      throw NativeFunctions.failure(t);
    }
  }

  static MemorySegment pointer(MethodHandle function, double a) {
    try {
      return (MemorySegment) function.invokeExact(a);
    } catch (Throwable t) {
      throw NativeFunctions.failure(t);
    }
  }

  static MemorySegment pointer(MethodHandle function) {
    try {
      return (MemorySegment) function.invokeExact();
    } catch (Throwable t) {
      throw NativeFunctions.failure(t);
    }
  }

  static int status(MethodHandle function) {
    try {
      return (int) function.invokeExact();
    } catch (Throwable t) {
      throw NativeFunctions.failure(t);
    }
  }

  static int status(MethodHandle function, MemorySegment a, MemorySegment b) {
    try {
      return (int) function.invokeExact(a, b);
    } catch (Throwable t) {
      throw NativeFunctions.failure(t);
    }
  }

  static int status(MethodHandle function, MemorySegment a) {
    try {
      return (int) function.invokeExact(a);
    } catch (Throwable t) {
      throw NativeFunctions.failure(t);
    }
  }

  static long count(MethodHandle function, MemorySegment a) {
    try {
      return (long) function.invokeExact(a);
    } catch (Throwable t) {
      throw NativeFunctions.failure(t);
    }
  }

  static void run(MethodHandle function, MemorySegment a) {
    try {
      function.invokeExact(a);
    } catch (Throwable t) {
      throw NativeFunctions.failure(t);
    }
  }

  static void run(MethodHandle function, int a) {
    try {
      function.invokeExact(a);
    } catch (Throwable t) {
      throw NativeFunctions.failure(t);
    }
  }

  static MemorySegment vectorcall(
      MemorySegment callable, MemorySegment arguments, long positional, MemorySegment names) {
    try {
      return (MemorySegment) PY.vectorcall.invokeExact(callable, arguments, positional, names);
    } catch (Throwable t) {
      throw NativeFunctions.failure(t);
    }
  }

  /** Puts an item into a new tuple or list, which takes the reference over. */
  static int setItem(
      MethodHandle function, MemorySegment sequence, long index, MemorySegment item) {
    try {
      return (int) function.invokeExact(sequence, index, item);
    } catch (Throwable t) {
      throw NativeFunctions.failure(t);
    }
  }

  static int getBuffer(MemorySegment object, MemorySegment view, int flags) {
    try {
      return (int) PY.getBuffer.invokeExact(object, view, flags);
    } catch (Throwable t) {
      throw NativeFunctions.failure(t);
    }
  }

  static MemorySegment compile(MemorySegment source, MemorySegment file, int start) {
    try {
      return (MemorySegment) PY.compile.invokeExact(source, file, start);
    } catch (Throwable t) {
      throw NativeFunctions.failure(t);
    }
  }
}
