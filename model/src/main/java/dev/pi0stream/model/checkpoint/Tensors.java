package dev.pi0stream.model.checkpoint;

import java.nio.file.Path;
import java.util.Collection;
import java.util.Optional;

/** Named tensors of one file or of several. They are mapped into memory until this is closed. */
public interface Tensors extends AutoCloseable {
  /** The file or folder that they are in. */
  Path place();

  /** A tensor, if there is one of this name. */
  Optional<StoredTensor> find(String name);

  /** All tensors, in the order of their names. */
  Collection<StoredTensor> all();

  /**
   * A tensor that has to be there.
   *
   * @throws CheckpointException if it is not
   */
  default StoredTensor get(String name) {
    return find(name)
        .orElseThrow(
            () -> new CheckpointException("%s: there is no tensor '%s'".formatted(place(), name)));
  }

  /** Unmaps the files; their tensors' data can no longer be read. */
  @Override
  void close();
}
