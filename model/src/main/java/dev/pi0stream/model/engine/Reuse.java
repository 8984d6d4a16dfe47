package dev.pi0stream.model.engine;

/**
 * What of a row was on the device already, from an earlier batch.
 *
 * @param cameras whose features were there; all of them where the prefix was
 * @param prefix whether the keys and values of pictures and prompt were there
 */
public record Reuse(int cameras, boolean prefix) {
  /** Everything was computed. */
  public static final Reuse NONE = new Reuse(0, false);
}
