package dev.pi0stream.model.engine;

/** Where the noise of a chunk comes from. */
@FunctionalInterface
public interface Noise {
  /**
   * {@code count} draws from N(0, 1) for an observation: always the same ones for the same
   * identity, so that a chunk that is computed again is the same chunk.
   */
  float[] draw(ObservationId id, int count);
}
