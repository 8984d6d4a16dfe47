package dev.pi0stream.model.policy;

import java.util.List;

/**
 * An observation as the network wants it: preprocessed, without padding and without what is
 * missing.
 *
 * @param images the cameras that are there, in the checkpoint's order; at least one
 * @param tokens ids of the prompt with its beginning-of-sequence token, without padding
 * @param state π0: the normalised state, padded to the model's width; π0.5: empty, its state is in
 *     the prompt
 */
public record ModelInput(List<Image> images, int[] tokens, float[] state) {
  /**
   * One camera's picture.
   *
   * @param camera the checkpoint's name of the camera
   * @param pixels 3 × resolution × resolution in [−1, 1]: channel, row, column; not changed any
   *     more
   * @param digest of the pixels, by which features are found again
   */
  public record Image(String camera, float[] pixels, PixelDigest digest) {
    /** A picture, with its digest. */
    public Image(String camera, float[] pixels) {
      this(camera, pixels, PixelDigest.of(pixels));
    }
  }
}
