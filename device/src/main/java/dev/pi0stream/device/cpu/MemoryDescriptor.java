package dev.pi0stream.device.cpu;

import java.lang.foreign.MemorySegment;

/** Owns a {@code dnnl_memory_desc_t}: the shape and layout of an argument. */
final class MemoryDescriptor implements AutoCloseable {
  private final MemorySegment pointer;

  private MemoryDescriptor(MemorySegment pointer) {
    this.pointer = pointer;
  }

  /** Numbers in row-major order. */
  static MemoryDescriptor dense(DataType type, long... dimensions) {
    long[] strides = new long[dimensions.length];
    long stride = 1;
    for (int i = dimensions.length - 1; i >= 0; i--) {
      strides[i] = stride;
      stride *= dimensions[i];
    }
    return strided(type, dimensions, strides);
  }

  /** Numbers at these strides, in numbers. */
  static MemoryDescriptor strided(DataType type, long[] dimensions, long[] strides) {
    return new MemoryDescriptor(OneDnn.descriptor(type, dimensions, strides));
  }

  /** A layout that is left to the primitive. */
  static MemoryDescriptor any(DataType type, long... dimensions) {
    return new MemoryDescriptor(OneDnn.anyDescriptor(type, dimensions));
  }

  /** A layout that a primitive has chosen. */
  static MemoryDescriptor chosen(MemorySegment primitiveDescriptor, int what) {
    return new MemoryDescriptor(
        OneDnn.descriptorClone(OneDnn.queryDescriptor(primitiveDescriptor, what)));
  }

  MemorySegment pointer() {
    return pointer;
  }

  /** What it takes, padding included. */
  long bytes() {
    return OneDnn.descriptorSize(pointer);
  }

  @Override
  public void close() {
    OneDnn.descriptorDestroy(pointer);
  }
}
