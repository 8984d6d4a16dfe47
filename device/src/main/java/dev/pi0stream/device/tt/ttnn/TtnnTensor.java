package dev.pi0stream.device.tt.ttnn;

import dev.pi0stream.device.tt.python.Frame;
import dev.pi0stream.device.tt.python.PyReference;

/**
 * A tensor on a device. TTNN ends the process where one is used after it was freed, so that is
 * refused here. It may have several owners, each of which closes it once; a view keeps what it
 * looks at.
 */
public final class TtnnTensor implements AutoCloseable {
  private final MeshDevice device;
  private final PyReference reference;
  private final TtnnTensor viewed; // null where this has memory of its own
  private final Shape shape;
  private final DataType type;
  private final Layout layout;
  private int owners = 1;
  private int readers; // traces among the owners

  TtnnTensor(
      MeshDevice device,
      PyReference reference,
      TtnnTensor viewed,
      Shape shape,
      DataType type,
      Layout layout) {
    this.device = device;
    this.reference = reference;
    this.viewed = viewed;
    this.shape = shape;
    this.type = type;
    this.layout = layout;
    if (viewed == null) {
      device.born(this);
    } else {
      viewed.share();
    }
  }

  /** Its dimensions. */
  public Shape shape() {
    return shape;
  }

  /** How its numbers are stored. */
  public DataType type() {
    return type;
  }

  /** In which order they lie. */
  public Layout layout() {
    return layout;
  }

  /** What it takes on the device; a view takes nothing. */
  public long bytes() {
    return viewed == null ? type.bytes(shape.numbers(layout)) : 0;
  }

  /** One more owner: it is freed when all have closed it. */
  public TtnnTensor share() {
    reference();
    owners++;
    return this;
  }

  /** How many owners have not closed it. */
  public int owners() {
    return owners;
  }

  /** The object, for a call on its own device. */
  PyReference argument(MeshDevice caller) {
    if (!device.equals(caller)) {
      throw new IllegalArgumentException("a tensor of another device");
    }
    device.used(this);
    return reference();
  }

  private PyReference reference() {
    if (owners == 0) {
      throw new IllegalStateException("a tensor of %s is used after it was freed".formatted(shape));
    }
    device.checkOpen();
    return reference;
  }

  /** A trace becomes an owner. */
  void pin() {
    share();
    readers++;
  }

  /** A trace is an owner no longer. */
  void unpin() {
    readers--;
    close();
  }

  @Override
  public void close() {
    if (owners == 0) {
      return;
    }
    owners--;
    if (owners > 0 && owners == readers) {
      device.releaseReaders(this);
    } else if (owners == 0) {
      free();
    }
  }

  /** What has the memory: itself, or what a view looks at. */
  TtnnTensor memory() {
    return viewed == null ? this : viewed.memory();
  }

  /** Frees it whoever owns it: the device is about to be closed. */
  void abandon() {
    if (owners > 0) {
      owners = 0;
      free();
    }
  }

  private void free() {
    if (viewed != null) {
      reference.close();
      viewed.close();
      return;
    }
    device.died(this);
    try (Frame frame = device.frame()) {
      device.ttnn().deallocate(frame, reference);
    } finally {
      reference.close();
    }
  }

  @Override
  public String toString() {
    return "%s %s %s".formatted(shape, type.ttnnName(), layout);
  }
}
