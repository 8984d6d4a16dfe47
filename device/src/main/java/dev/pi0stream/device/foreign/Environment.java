package dev.pi0stream.device.foreign;

import dev.pi0stream.device.DeviceException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;

/**
 * The environment that native libraries see. {@link System#getenv} is a copy of it from the start
 * of the JVM and cannot be changed; a library reads the C library's own, when it is loaded.
 */
public final class Environment {
  private static final Functions LIBC =
      NativeFunctions.link(MethodHandles.lookup(), Functions.class);
  private static final int KEEP = 0;
  private static final int LONGEST = 1 << 16;

  private Environment() {}

  record Functions(
      @NativeSignature(
              name = "setenv",
              arguments = {MemorySegment.class, MemorySegment.class, int.class})
          MethodHandle setenv,
      @NativeSignature(
              name = "getenv",
              returns = MemorySegment.class,
              arguments = {MemorySegment.class})
          MethodHandle getenv) {}

  /** Sets a variable, unless it is set: what the user chose stays. */
  public static void set(String name, String value) {
    try (Arena arena = Arena.ofConfined()) {
      int status =
          (int)
              LIBC.setenv().invokeExact(arena.allocateFrom(name), arena.allocateFrom(value), KEEP);
      if (status != 0) {
        throw new DeviceException(
            "setenv(%s, %s) failed with status %d".formatted(name, value, status));
      }
    } catch (Throwable t) {
      throw NativeFunctions.failure(t);
    }
  }

  /** The value that native code sees now; null where there is none. */
  @SuppressWarnings("restricted")
  public static String get(String name) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = (MemorySegment) LIBC.getenv().invokeExact(arena.allocateFrom(name));
      return value.address() == 0 ? null : value.reinterpret(LONGEST).getString(0);
    } catch (Throwable t) {
      throw NativeFunctions.failure(t);
    }
  }
}
