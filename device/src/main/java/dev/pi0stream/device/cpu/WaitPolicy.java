package dev.pi0stream.device.cpu;

import dev.pi0stream.device.DeviceException;
import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Map;

/**
 * How OpenMP's threads wait for each other and for the next operation. GNU's runtime spins for some
 * milliseconds by default. Where other threads want the processors, as a broker's and a job's do,
 * the spinning ones keep the one that they wait for from running, and an operation of 3 ms takes
 * 100. So they spin for some ten microseconds, which is the gap between two operations, and then
 * sleep.
 */
final class WaitPolicy {
  /** GNU's own variable; it wins over the standard one. */
  static final String SPINS = "GOMP_SPINCOUNT";

  private static final String STANDARD = "OMP_WAIT_POLICY";
  private static final String COUNT = "2000";
  private static final int KEEP = 0;

  private WaitPolicy() {}

  record Functions(
      @NativeSignature(
              name = "setenv",
              arguments = {MemorySegment.class, MemorySegment.class, int.class})
          MethodHandle setenv) {}

  /** Sets the policy for a runtime that is loaded after this, unless the user has set one. */
  static void sleepSoon() {
    Map<String, String> environment = System.getenv();
    if (environment.containsKey(SPINS) || environment.containsKey(STANDARD)) {
      return;
    }
    Functions libc = NativeFunctions.link(Functions.class, Linker.nativeLinker().defaultLookup());
    try (Arena arena = Arena.ofConfined()) {
      int status =
          (int)
              libc.setenv().invokeExact(arena.allocateFrom(SPINS), arena.allocateFrom(COUNT), KEEP);
      if (status != 0) {
        throw new DeviceException("setenv failed with status " + status);
      }
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable t) {
      throw new AssertionError("setenv", t);
    }
  }
}
