package dev.pi0stream.device.cpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
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
  private final List<MemorySegment> memories = new ArrayList<>();
  private final Arena arena = Arena.ofShared();
  private final MemorySegment arguments;
  private final long scratchpadBytes;
  private final MemorySegment primitive;

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
      arguments = arena.allocate(ARGUMENT_BYTES * (list.size() + 1), ADDRESS.byteAlignment());
      list.forEach(this::add);
      add(new Argument(OneDnn.ARG_SCRATCHPAD, scratchpad));
      primitive = OneDnn.primitiveCreate(primitiveDescriptor);
    } catch (RuntimeException e) {
      freeArguments();
      throw e;
    } finally {
      OneDnn.primitiveDescriptorDestroy(primitiveDescriptor);
    }
  }

  private void add(Argument argument) {
    long offset = memories.size() * ARGUMENT_BYTES;
    MemorySegment memory = OneDnn.memoryCreate(argument.descriptor(), engine.pointer());
    memories.add(memory);
    arguments.set(JAVA_INT, offset, argument.number());
    arguments.set(ADDRESS, offset + MEMORY_OFFSET, memory);
  }

  /** Runs it on the data at these addresses, one for each argument. */
  void run(Workspace scratchpad, long... addresses) {
    if (addresses.length != memories.size() - 1) {
      throw new IllegalArgumentException(
          "%d addresses for %d arguments".formatted(addresses.length, memories.size() - 1));
    }
    for (int i = 0; i < addresses.length; i++) {
      OneDnn.memorySetData(memories.get(i), addresses[i]);
    }
    OneDnn.memorySetData(memories.getLast(), scratchpad.address(scratchpadBytes));
    engine.execute(primitive, memories.size(), arguments);
  }

  @Override
  public void close() {
    OneDnn.primitiveDestroy(primitive);
    freeArguments();
  }

  private void freeArguments() {
    memories.forEach(OneDnn::memoryDestroy);
    arena.close();
  }
}
