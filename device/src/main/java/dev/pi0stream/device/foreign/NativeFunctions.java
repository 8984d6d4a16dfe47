package dev.pi0stream.device.foreign;

import dev.pi0stream.device.DeviceException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;

/** Fills a record of method handles from the {@link NativeSignature}s of its components. */
public final class NativeFunctions {
  private NativeFunctions() {}

  /**
   * Links every component to a function of the C library.
   *
   * @param caller who may make the record
   * @throws DeviceException where it lacks one
   */
  public static <R extends Record> R link(MethodHandles.Lookup caller, Class<R> type) {
    return link(caller, type, Linker.nativeLinker().defaultLookup());
  }

  /**
   * What a call of a handle threw, to be thrown on: handles declare {@link Throwable}, and C throws
   * nothing.
   */
  public static RuntimeException failure(Throwable thrown) {
    return switch (thrown) {
      case RuntimeException exception -> exception;
      case Error error -> throw error;
      default -> throw new AssertionError("a native function cannot throw", thrown);
    };
  }

  /**
   * Links every component to a function of a library.
   *
   * @param caller who may make the record
   * @throws DeviceException where the library lacks a function
   */
  public static <R extends Record> R link(
      MethodHandles.Lookup caller, Class<R> type, SymbolLookup library) {
    RecordComponent[] components = type.getRecordComponents();
    Object[] handles = new Object[components.length];
    for (int i = 0; i < components.length; i++) {
      handles[i] = link(components[i].getAnnotation(NativeSignature.class), library);
    }
    Class<?>[] types = new Class<?>[components.length];
    Arrays.fill(types, MethodHandle.class);
    try {
      MethodHandle constructor =
          caller.findConstructor(type, MethodType.methodType(void.class, types));
      return type.cast(constructor.invokeWithArguments(handles));
    } catch (Throwable t) {
      throw new LinkageError(type + " cannot be filled with method handles", t);
    }
  }

  @SuppressWarnings("restricted")
  private static MethodHandle link(NativeSignature signature, SymbolLookup library) {
    MemorySegment address =
        library
            .find(signature.name())
            .orElseThrow(
                () ->
                    new DeviceException(
                        "the native library has no function '%s'".formatted(signature.name())));
    MemoryLayout[] arguments =
        Arrays.stream(signature.arguments())
            .map(NativeFunctions::layout)
            .toArray(MemoryLayout[]::new);
    FunctionDescriptor descriptor =
        signature.returns() == void.class
            ? FunctionDescriptor.ofVoid(arguments)
            : FunctionDescriptor.of(layout(signature.returns()), arguments);
    return Linker.nativeLinker().downcallHandle(address, descriptor);
  }

  private static MemoryLayout layout(Class<?> type) {
    if (type == int.class) {
      return ValueLayout.JAVA_INT;
    }
    if (type == long.class) {
      return ValueLayout.JAVA_LONG;
    }
    if (type == float.class) {
      return ValueLayout.JAVA_FLOAT;
    }
    if (type == double.class) {
      return ValueLayout.JAVA_DOUBLE;
    }
    if (type == MemorySegment.class) {
      return ValueLayout.ADDRESS;
    }
    throw new LinkageError("no native layout for " + type);
  }
}
