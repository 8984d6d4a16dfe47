package dev.pi0stream.device;

/**
 * Something that lives on a device. It belongs to the {@link Device} that made it and may be used
 * on that device's thread only. Using it after {@link #close()} throws {@link
 * IllegalStateException}; closing it again does nothing.
 */
public sealed interface Resource extends AutoCloseable permits Packed, Images, Mask, Weight {
  /** Frees it on the device. */
  @Override
  void close();
}
