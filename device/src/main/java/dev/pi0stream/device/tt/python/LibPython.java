package dev.pi0stream.device.tt.python;

import dev.pi0stream.device.DeviceException;
import dev.pi0stream.device.foreign.NativeFunctions;
import dev.pi0stream.device.foreign.NativeSignature;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.nio.file.Path;

/**
 * CPython's shared library. It is opened with all its symbols global: extension modules do not name
 * it among the libraries that they need, they find its functions in the process.
 */
@SuppressWarnings("restricted")
final class LibPython {
  // dlfcn.h of Linux
  private static final int NOW = 2;
  private static final int GLOBAL = 0x100;
  private static final int LONGEST_MESSAGE = 1 << 12;

  private static SymbolLookup symbols;

  private LibPython() {}

  record Functions(
      @NativeSignature(
              name = "dlopen",
              returns = MemorySegment.class,
              arguments = {MemorySegment.class, int.class})
          MethodHandle open,
      @NativeSignature(
              name = "dlerror",
              returns = MemorySegment.class,
              arguments = {})
          MethodHandle error) {}

  /**
   * Loads the library for the rest of the process's life, if it is not loaded.
   *
   * @throws DeviceException where the dynamic linker refuses it
   */
  static synchronized void load(Path library) {
    if (symbols != null) {
      return;
    }
    Functions linker = NativeFunctions.link(MethodHandles.lookup(), Functions.class);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment handle =
          (MemorySegment)
              linker.open().invokeExact(arena.allocateFrom(library.toString()), NOW | GLOBAL);
      if (handle.address() == 0) {
        MemorySegment message = (MemorySegment) linker.error().invokeExact();
        throw new DeviceException(
            "%s cannot be loaded: %s"
                .formatted(library, message.reinterpret(LONGEST_MESSAGE).getString(0)));
      }
      symbols = SymbolLookup.libraryLookup(library, Arena.global());
    } catch (Throwable t) {
      throw NativeFunctions.failure(t);
    }
  }

  /** The functions of the library that was loaded. */
  static synchronized SymbolLookup symbols() {
    if (symbols == null) {
      throw new IllegalStateException("no library of Python is loaded");
    }
    return symbols;
  }
}
