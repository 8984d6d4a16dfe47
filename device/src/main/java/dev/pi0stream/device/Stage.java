package dev.pi0stream.device;

import java.util.function.Supplier;

/**
 * A part of a computation that is repeated with other numbers: a device may record its operations
 * and replay them, which saves the host the work of issuing each one. Opened by {@link
 * Device#stage}; its inputs are
 *
 * <ul>
 *   <li>what is made of host values ({@link Device#upload(float[], Sequences, int)}, {@link
 *       Device#images}, {@link Device#indices}, {@link Device#rotation}, {@link Device#mask})
 *       between its opening and its run, always in the same order,
 *   <li>what it {@linkplain #take takes} of values that are on the device already,
 *   <li>weights and constants, made outside of any stage, that live on.
 * </ul>
 *
 * <p>Apart from the sequences' lengths and the numbers themselves, a stage with the same name and
 * variant does the same operations every time. It is a scope: all but its result is freed with it.
 */
public interface Stage extends AutoCloseable {
  /** Rows as an input of this stage: use what is returned in their stead. */
  Device.Rows take(Device.Rows rows);

  /** A sequence of keys and values as an input of this stage: use what is returned instead. */
  Device.Part take(Device.Part part);

  /**
   * Computes the stage's result, once. The body uploads and downloads nothing, and reads no inputs
   * but the stage's; it is not called when a record of it is replayed.
   *
   * @param sequences of the result
   * @return the result, which belongs to the scope around the stage, or to the caller
   */
  <R extends Packed> R run(Sequences sequences, Supplier<R> body);

  /**
   * Like {@link #run}, but neither recorded nor replayed: for a body that somebody watches, which
   * may also download.
   */
  <R extends Packed> R runUnrecorded(Sequences sequences, Supplier<R> body);

  /** Frees what was made in the stage, but for its result. */
  @Override
  void close();
}
