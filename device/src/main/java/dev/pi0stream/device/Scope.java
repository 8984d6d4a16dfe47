package dev.pi0stream.device;

/** Frees what was made in it; see {@link Device#scope()}. */
public interface Scope extends AutoCloseable {
  /**
   * Hands a resource to the scope around this one, or to the caller where there is none.
   *
   * @return the same resource
   */
  <R extends Resource> R keep(R resource);

  /** Frees what was made in this scope and not kept. */
  @Override
  void close();
}
