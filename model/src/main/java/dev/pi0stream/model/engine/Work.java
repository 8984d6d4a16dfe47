package dev.pi0stream.model.engine;

/**
 * What a row's chunk takes besides denoising.
 *
 * @param images pictures to see
 * @param prefix whether pictures and prompt are to be read
 */
public record Work(int images, boolean prefix) {
  /** Only the state is new: there is nothing but to denoise. */
  public static final Work STATE_ONLY = new Work(0, false);
}
