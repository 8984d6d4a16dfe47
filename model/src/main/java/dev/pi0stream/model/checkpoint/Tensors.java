package dev.pi0stream.model.checkpoint;

import java.util.Collection;
import java.util.Optional;

/** Named tensors of one file or of several. They are mapped into memory until this is closed. */
public interface Tensors extends AutoCloseable {
  /** A tensor, if there is one of this name. */
  Optional<StoredTensor> find(String name);

  /** All tensors, in the order of their names. */
  Collection<StoredTensor> all();

  /**
   * A tensor that has to be there.
   *
   * @throws CheckpointException if it is not
   */
  StoredTensor get(String name);

  /** Unmaps the files; their tensors' data can no longer be read. */
  @Override
  void close();
}
