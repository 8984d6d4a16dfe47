package dev.pi0stream.device.cpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * A compiled operation for fixed shapes. It owns the memory objects of its arguments, which point
 * to other data for each run, so that a run allocates nothing.
 */
final class Primitive implements AutoCloseable {
  /** {@code sizeof(dnnl_exec_arg_t)}: an int, padding, a pointer. */
  private static final long ARGUMENT_BYTES = 16;

  private static final long MEMORY_OFFSET = 8;

  private final Engine engine;
  private final MemorySegment primitive;
  private final MemorySegment[] memories;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment arguments;
  private final long scratchpadBytes;

  /** An argument: its number in oneDNN and its shape. */
  record Argument(int number, MemorySegment descriptor) {}

  /**
   * Compiles a primitive.
   *
   * @param primitiveDescriptor is destroyed
   * @param list what {@link #run} expects, in this order
   */
  Primitive(Engine engine, MemorySegment primitiveDescriptor, List<Argument> list) {
    this.engine = engine;
    try {
      MemorySegment scratchpad =
          OneDnn.queryDescriptor(primitiveDescriptor, OneDnn.QUERY_SCRATCHPAD);
      scratchpadBytes = OneDnn.descriptorSize(scratchpad);
      memories = new MemorySegment[list.size() + 1];
      arguments = arena.allocate(ARGUMENT_BYTES * memories.length, ADDRESS.byteAlignment());
      for (int i = 0; i < list.size(); i++) {
        add(i, list.get(i).number(), list.get(i).descriptor());
      }
      add(list.size(), OneDnn.ARG_SCRATCHPAD, scratchpad);
      primitive = OneDnn.primitiveCreate(primitiveDescriptor);
    } finally {
      OneDnn.primitiveDescriptorDestroy(primitiveDescriptor);
    }
  }

  private void add(int index, int number, MemorySegment descriptor) {
    memories[index] = OneDnn.memoryCreate(descriptor, engine.pointer());
    arguments.set(JAVA_INT, index * ARGUMENT_BYTES, number);
    arguments.set(ADDRESS, index * ARGUMENT_BYTES + MEMORY_OFFSET, memories[index]);
  }

  /** Runs it on the data at these addresses, one for each argument. */
  void run(Workspace scratchpad, long... addresses) {
    if (addresses.length != memories.length - 1) {
      throw new IllegalArgumentException(
          "%d addresses for %d arguments".formatted(addresses.length, memories.length - 1));
    }
    for (int i = 0; i < addresses.length; i++) {
      OneDnn.memorySetData(memories[i], addresses[i]);
    }
    OneDnn.memorySetData(memories[addresses.length], scratchpad.address(scratchpadBytes));
    engine.execute(primitive, memories.length, arguments);
  }

  @Override
  public void close() {
    OneDnn.primitiveDestroy(primitive);
    for (MemorySegment memory : memories) {
      OneDnn.memoryDestroy(memory);
    }
    arena.close();
  }
}
