package dev.pi0stream.model.engine;

import dev.pi0stream.model.policy.ModelInput;
import dev.pi0stream.model.policy.PixelDigest;
import java.util.Arrays;
import java.util.List;

/** By what something that was computed is found again: all that it depends on. */
sealed interface ReuseKey {
  /** A picture's features; they depend on its pixels, not on the camera that they come from. */
  record Features(PixelDigest pixels) implements ReuseKey {}

  /** A prefix's keys and values: pictures in their order, then the prompt's tokens. */
  record Prefix(List<PixelDigest> pictures, int[] tokens) implements ReuseKey {
    static Prefix of(ModelInput input) {
      return new Prefix(
          input.images().stream().map(ModelInput.Image::digest).toList(), input.tokens());
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Prefix that
          && pictures.equals(that.pictures)
          && Arrays.equals(tokens, that.tokens);
    }

    @Override
    public int hashCode() {
      return 31 * pictures.hashCode() + Arrays.hashCode(tokens);
    }
  }
}
