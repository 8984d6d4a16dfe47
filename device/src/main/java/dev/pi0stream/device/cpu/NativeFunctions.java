package dev.pi0stream.device.cpu;

import dev.pi0stream.device.DeviceException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.reflect.Constructor;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;

/** Fills a record of method handles from the {@link NativeSignature}s of its components. */
final class NativeFunctions {
  private NativeFunctions() {}

  /**
   * Links every component.
   *
   * @throws DeviceException where the library lacks a function
   */
  static <R extends Record> R link(Class<R> type, SymbolLookup library) {
    RecordComponent[] components = type.getRecordComponents();
    Object[] handles = new Object[components.length];
    for (int i = 0; i < components.length; i++) {
      handles[i] = link(components[i].getAnnotation(NativeSignature.class), library);
    }
    Class<?>[] types = new Class<?>[components.length];
    Arrays.fill(types, MethodHandle.class);
    try {
      Constructor<R> constructor = type.getDeclaredConstructor(types);
      return constructor.newInstance(handles);
    } catch (ReflectiveOperationException e) {
      throw new LinkageError(type + " cannot be filled with method handles", e);
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
    if (type == MemorySegment.class) {
      return ValueLayout.ADDRESS;
    }
    throw new LinkageError("no native layout for " + type);
  }
}
