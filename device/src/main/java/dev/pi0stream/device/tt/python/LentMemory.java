package dev.pi0stream.device.tt.python;

import static dev.pi0stream.device.tt.python.CPython.PY;

import dev.pi0stream.device.foreign.NativeFunctions;
import dev.pi0stream.device.foreign.NativeSignature;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Memory that a frame lends to Python as DLPack tensors ({@code dlpack.h}: {@code
 * DLManagedTensor}). Each is a capsule whose consumer renames it when it takes the tensor over.
 *
 * <p>TTNN (nanobind) asks for the capsule twice in one call, does not rename it and calls a deleter
 * twice, so there is none: what is still offered when the frame closes is withdrawn and freed with
 * it. NumPy renames the capsule and reads its description, some hundred bytes, whenever the array
 * dies; such a description is never freed.
 */
@SuppressWarnings("restricted")
final class LentMemory implements AutoCloseable {
  static final String MODULE = "pi0_stream_lent";
  static final String CLASS = "Lent";

  private static final String SOURCE =
      """
      class Lent:
          def __init__(self, capsule):
              self.capsule = capsule

          def __dlpack__(self, **options):
              return self.capsule

          def __dlpack_device__(self):
              return (1, 0)
      """;

  private static final int STATEMENTS = 257; // Py_file_input of compile.h

  private static final Functions LIBC =
      NativeFunctions.link(MethodHandles.lookup(), Functions.class);

  // A capsule keeps the pointer to its name.
  private static final MemorySegment OFFERED = Arena.global().allocateFrom("dltensor");
  private static final MemorySegment WITHDRAWN = Arena.global().allocateFrom("withdrawn_dltensor");

  private static final long BYTES = 64;
  private static final long DATA = 0;
  private static final long DEVICE = 8;
  private static final long DIMENSIONS = 16;
  private static final long CODE = 20;
  private static final long BITS = 21;
  private static final long LANES = 22;
  private static final long SHAPE = 24;
  private static final int CPU = 1;

  private final List<MemorySegment> capsules = new ArrayList<>();
  private final List<MemorySegment> tensors = new ArrayList<>();

  record Functions(
      @NativeSignature(
              name = "calloc",
              returns = MemorySegment.class,
              arguments = {long.class, long.class})
          MethodHandle calloc,
      @NativeSignature(
              name = "free",
              returns = void.class,
              arguments = {MemorySegment.class})
          MethodHandle free) {}

  /** Defines the class that hands out capsules, in a module of its own. */
  static void define() {
    int state = CPython.status(PY.ensure());
    try (Arena arena = Arena.ofConfined()) {
      // Both are borrowed, from the table of modules.
      MemorySegment module = CPython.pointer(PY.addModule(), arena.allocateFrom(MODULE));
      MemorySegment names = CPython.pointer(PY.moduleNames(), module);
      MemorySegment code =
          CPython.compile(arena.allocateFrom(SOURCE), arena.allocateFrom(MODULE), STATEMENTS);
      MemorySegment result = CPython.pointer(PY.evaluate(), code, names, names);
      CPython.run(PY.decRef(), code);
      CPython.run(PY.decRef(), result);
    } finally {
      CPython.run(PY.release(), state);
    }
  }

  /** A new capsule of a dense tensor, or NULL and an exception in Python. */
  MemorySegment capsule(MemorySegment memory, ElementType type, long... shape) {
    long bytes = Arrays.stream(shape).reduce(type.bytes(), Math::multiplyExact);
    if (!memory.isNative() || memory.byteSize() != bytes) {
      throw new IllegalArgumentException(
          "%d bytes of %s memory for a tensor of %s × %s: expected %d of native memory"
              .formatted(
                  memory.byteSize(),
                  memory.isNative() ? "native" : "heap",
                  Arrays.toString(shape),
                  type,
                  bytes));
    }
    MemorySegment tensor = tensor(memory, type, shape);
    MemorySegment capsule = CPython.pointer(PY.newCapsule(), tensor, OFFERED, MemorySegment.NULL);
    if (capsule.address() == 0) {
      CPython.run(LIBC.free(), tensor);
    } else {
      capsules.add(capsule);
      tensors.add(tensor);
    }
    return capsule;
  }

  private static MemorySegment tensor(MemorySegment memory, ElementType type, long... shape) {
    long size = BYTES + Long.BYTES * (long) shape.length;
    MemorySegment tensor;
    try {
      tensor = ((MemorySegment) LIBC.calloc().invokeExact(1L, size)).reinterpret(size);
    } catch (Throwable t) {
      throw NativeFunctions.failure(t);
    }
    if (tensor.address() == 0) {
      throw new OutOfMemoryError("calloc of " + size + " bytes");
    }
    tensor.set(ValueLayout.ADDRESS, DATA, memory);
    tensor.set(ValueLayout.JAVA_INT, DEVICE, CPU);
    tensor.set(ValueLayout.JAVA_INT, DIMENSIONS, shape.length);
    tensor.set(ValueLayout.JAVA_BYTE, CODE, type.code());
    tensor.set(ValueLayout.JAVA_BYTE, BITS, type.bits());
    tensor.set(ValueLayout.JAVA_SHORT, LANES, (short) 1);
    MemorySegment sizes = tensor.asSlice(BYTES);
    MemorySegment.copy(shape, 0, sizes, ValueLayout.JAVA_LONG, 0, shape.length);
    tensor.set(ValueLayout.ADDRESS, SHAPE, sizes);
    // Strides, offset, context and deleter are null: dense, and the frame's.
    return tensor;
  }

  /** Takes back what nobody has taken over; under the GIL, while the capsules are held. */
  @Override
  public void close() {
    for (int i = 0; i < capsules.size(); i++) {
      MemorySegment capsule = capsules.get(i);
      if (CPython.status(PY.isCapsule(), capsule, OFFERED) != 0) {
        CPython.status(PY.nameCapsule(), capsule, WITHDRAWN);
        CPython.run(LIBC.free(), tensors.get(i));
      }
    }
  }
}
