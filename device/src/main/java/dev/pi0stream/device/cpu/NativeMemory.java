package dev.pi0stream.device.cpu;

import dev.pi0stream.device.DeviceException;
import dev.pi0stream.device.foreign.NativeFunctions;
import dev.pi0stream.device.foreign.NativeSignature;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Memory from the C library, aligned to cache lines; on Linux large blocks ask for huge pages,
 * without which a product spends a good part of its time on looking addresses up. Not from an
 * {@link java.lang.foreign.Arena}: an arena zeroes what it gives, and counts against the JVM's
 * limit for direct buffers, which a TaskManager sets far below the size of a model.
 */
@SuppressWarnings("restricted")
final class NativeMemory {
  static final long ALIGNMENT = 64;

  private static final long HUGE_PAGE = 2 << 20;

  /** {@code MADV_HUGEPAGE} of Linux. */
  private static final int ADVISE_HUGE_PAGES = 14;

  private static final boolean LINUX = System.getProperty("os.name").equals("Linux");

  private static final Functions LIBC =
      NativeFunctions.link(MethodHandles.lookup(), Functions.class);

  private static final AtomicLong ALLOCATED = new AtomicLong();

  private NativeMemory() {}

  record Functions(
      @NativeSignature(
              name = "aligned_alloc",
              returns = MemorySegment.class,
              arguments = {long.class, long.class})
          MethodHandle alignedAlloc,
      @NativeSignature(
              name = "madvise",
              returns = int.class,
              arguments = {MemorySegment.class, long.class, int.class})
          MethodHandle madvise,
      @NativeSignature(
              name = "free",
              returns = void.class,
              arguments = {MemorySegment.class})
          MethodHandle free) {}

  /**
   * Memory with arbitrary content.
   *
   * @throws DeviceException where there is not so much
   */
  static MemorySegment allocate(long bytes) {
    long rounded = Math.max(ALIGNMENT, (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    boolean huge = LINUX && rounded >= HUGE_PAGE;
    MemorySegment memory;
    try {
      long alignment = huge ? HUGE_PAGE : ALIGNMENT;
      memory = (MemorySegment) LIBC.alignedAlloc().invokeExact(alignment, rounded);
    } catch (Throwable t) {
      throw new AssertionError("aligned_alloc", t);
    }
    if (memory.address() == 0) {
      throw new DeviceException("device 'cpu' cannot allocate " + bytes + " bytes");
    }
    if (huge) {
      askForHugePages(memory, rounded / HUGE_PAGE * HUGE_PAGE);
    }
    ALLOCATED.addAndGet(rounded);
    return memory.reinterpret(rounded);
  }

  /** A wish only: where the system has none, the memory is the same with small pages. */
  private static void askForHugePages(MemorySegment memory, long bytes) {
    try {
      int _ = (int) LIBC.madvise().invokeExact(memory, bytes, ADVISE_HUGE_PAGES);
    } catch (Throwable t) {
      throw new AssertionError("madvise", t);
    }
  }

  /** What is allocated and not freed, in bytes, over all devices. */
  static long allocated() {
    return ALLOCATED.get();
  }

  /** Frees what {@link #allocate} gave. */
  static void free(MemorySegment memory) {
    try {
      LIBC.free().invokeExact(memory);
    } catch (Throwable t) {
      throw new AssertionError("free", t);
    }
    ALLOCATED.addAndGet(-memory.byteSize());
  }
}
