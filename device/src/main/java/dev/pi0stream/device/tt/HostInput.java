package dev.pi0stream.device.tt;

import dev.pi0stream.device.tt.python.ElementType;
import dev.pi0stream.device.tt.ttnn.DataType;
import dev.pi0stream.device.tt.ttnn.Layout;
import dev.pi0stream.device.tt.ttnn.Shape;
import dev.pi0stream.device.tt.ttnn.TtnnTensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.Consumer;

/**
 * Numbers of the host on their way to the device.
 *
 * @param place where they go
 * @param fill writes them, row after row, to memory that is zero
 * @param content equal where the same numbers would be written; null where only they tell
 */
record HostInput(Place place, Consumer<MemorySegment> fill, Object content) {
  /** How numbers lie on the device. */
  record Place(Shape shape, DataType type, Layout layout) {
    static Place of(TtnnTensor tensor) {
      return new Place(tensor.shape(), tensor.type(), tensor.layout());
    }

    /** How they lie in the host's memory before. */
    ElementType element() {
      return type == DataType.UINT32 ? ElementType.UINT32 : ElementType.FLOAT32;
    }

    long hostBytes() {
      return shape.numbers() * element().bytes();
    }

    long deviceBytes() {
      return type.bytes(shape.numbers(layout));
    }
  }

  static HostInput of(Shape shape, DataType type, Layout layout, Consumer<MemorySegment> fill) {
    return new HostInput(new Place(shape, type, layout), fill, null);
  }

  /** The same input, whose numbers follow from what is equal to this. */
  HostInput from(Object origin) {
    return new HostInput(place, fill, origin);
  }

  /** Writes fp32 numbers. */
  static void put(float[] values, int from, MemorySegment memory, long to, int count) {
    MemorySegment.copy(values, from, memory, ValueLayout.JAVA_FLOAT, to * Float.BYTES, count);
  }
}
